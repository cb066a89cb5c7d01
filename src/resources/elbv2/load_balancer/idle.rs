//! How long an idle connection lives, while the traffic command lets it live longer than the configuration does.

use super::super::attributes::Attributes;
use super::super::tags::ElbTags;
use super::defaults::IDLE;
use super::modify;
use crate::resources::prelude::*;

/// The written seconds, and what the traffic command holds in their place.
pub(super) fn split(attributes: &mut Attributes, tags: &Tags) -> Option<Held> {
    let minimum = Minimum::of(tags)?;
    let (key, default) = IDLE;
    let found = attributes.get(key).map_or(default, String::as_str);
    let (seconds, held) = Minimum::split(Some(minimum), found.parse().ok()?);
    let written = seconds.to_string();
    if written == default {
        attributes.remove(key);
    } else {
        attributes.insert(key.to_owned(), written);
    }
    held
}

/// What the traffic command holds is sent in place of what is written, and noted first.
pub(super) async fn hold(cx: &Aws, arn: &str, sent: &mut [(String, String)]) -> Result<(), Error> {
    let Some((_, seconds)) = sent.iter_mut().find(|(key, _)| key == IDLE.0) else {
        return Ok(());
    };
    let tags = cx.elbv2.tags(arn).await?.unwrap_or_default();
    if let (Some(held), Ok(written)) = (Minimum::of(&tags), seconds.parse()) {
        let held = held.under(written, MOST);
        ElbTags::change_of(cx, arn, &held.tag(), &[]).await?;
        *seconds = held.is.to_string();
    }
    Ok(())
}

/// "The valid range is 1-4000 seconds" (`idle_timeout.timeout_seconds`, LoadBalancerAttribute).
const MOST: f64 = 4000.0;

/// Lets idle connections of a load balancer live longer than it is written, with the tag that says so; or, when both are the same,
/// as long as it is written, without the tag. What is so already is not sent.
///
/// # Errors
/// When AWS refuses.
pub async fn keep_idle(cx: &Aws, arn: &str, seconds: Minimum) -> Result<(), Error> {
    const READ: Api = elbv2::DESCRIBE_LOAD_BALANCER_ATTRIBUTES;
    let call = cx.elbv2.client.describe_load_balancer_attributes();
    let call = call.load_balancer_arn(arn);
    let (shown, tags) =
        tokio::try_join!(cx.call(READ, || call.clone().send()), cx.elbv2.tags(arn))?;
    let (key, wanted) = (IDLE.0, seconds.is.to_string());
    let mut shown = shown.attributes().iter();
    let is_set = shown.any(|a| (a.key(), a.value()) == (Some(key), Some(&wanted)));
    let held = tags.as_ref().and_then(Minimum::of);
    let holds = seconds.is > seconds.was;
    // The tag is there as long as the time is the longer one.
    if holds && held != Some(seconds) {
        ElbTags::change_of(cx, arn, &seconds.tag(), &[]).await?;
    }
    if !is_set {
        modify(cx, arn, vec![(key.to_owned(), wanted)]).await?;
    }
    if !holds && held.is_some() {
        let mark: Vec<String> = seconds.tag().into_keys().collect();
        ElbTags::change_of(cx, arn, &Tags::new(), &mark).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_held_time_reads_as_the_written_one_and_another_as_what_it_is() {
        let held = Minimum {
            is: 180.0,
            was: 60.0,
        };
        let read = |found: &str, tags: &Tags| {
            let mut attributes = Attributes::new();
            if found != "60" {
                attributes.insert(IDLE.0.into(), found.into());
            }
            let held = split(&mut attributes, tags);
            (attributes.get(IDLE.0).cloned(), held.map(|held| held.found))
        };
        let tags = held.tag();
        assert_eq!(read("180", &tags), (None, Some(180.0)));
        assert_eq!(read("60", &tags), (None, Some(60.0)));
        assert_eq!(read("90", &tags), (Some("90".into()), Some(90.0)));
        assert_eq!(read("180", &Tags::new()), (Some("180".into()), None));
    }
}
