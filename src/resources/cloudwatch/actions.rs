//! Whom an alarm notifies. Ours notify the same topics of the beginning and of the end; everything else that somebody put there
//! is a difference.

use crate::resources::prelude::*;
use crate::resources::sns::Topic;

/// Who is notified of both, and who is notified of something else.
pub(super) fn actions(
    alarm: &[String],
    ok: &[String],
    insufficient: &[String],
) -> (Vec<Ref<Arn<Topic>>>, Exposed) {
    let mut exposed = Exposed::new();
    let mut tell = |what: &str, to: &String| {
        exposed.insert(format!("{what}/{to}"), "on".into());
    };
    alarm
        .iter()
        .filter(|to| !ok.contains(to))
        .for_each(|to| tell("alarm", to));
    ok.iter()
        .filter(|to| !alarm.contains(to))
        .for_each(|to| tell("ok", to));
    insufficient
        .iter()
        .for_each(|to| tell("insufficient_data", to));
    let both = alarm.iter().filter(|to| ok.contains(to));
    (both.map(|to| to.as_str().into()).collect(), exposed)
}
