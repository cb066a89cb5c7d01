//! A run while it goes: plain lines, the live view, JSON lines.

use super::*;
use crate::report::lines::json_line;

fn events() -> Vec<(f64, Event)> {
    let started = |step: &str, remaining: f64| Event::StepStarted {
        step: step.into(),
        kind: "ec2/vpc".into(),
        verb: Verb::Create,
        expected_seconds: 10.0,
        remaining_seconds: remaining,
        needs: Vec::new(),
    };
    let held = || Event::StepInUse {
        step: "b".into(),
        error: Error::permanent("ec2:DeleteSubnet", "eni-1 is in it"),
    };
    vec![
        (
            5.0,
            Event::RunStarted {
                steps: 4,
                critical_seconds: 100.0,
            },
        ),
        (5.0, started("a", 100.0)),
        (5.5, started("b", 20.0)),
        (6.0, Event::StepKnown { step: "a".into() }),
        (7.0, Event::StepSettling { step: "a".into() }),
        (8.0, held()),
        (9.0, held()),
        (
            9.5,
            Event::StepProgress {
                step: "a".into(),
                done: 12_000,
                total: Some(40_000),
                what: "object versions deleted",
            },
        ),
        (
            9.6,
            Event::StepWaiting {
                step: "b".into(),
                what: "eni-1 is in it".into(),
                seconds: 60.0,
                limit_seconds: 2700.0,
            },
        ),
        (
            10.0,
            Event::StepUnclear {
                step: "b".into(),
                error: Error::permanent("ec2:CreateVpc", "timed out"),
            },
        ),
        (
            15.0,
            Event::StepDone {
                step: "a".into(),
                verb: Verb::Create,
                seconds: 10.0,
            },
        ),
        (
            17.0,
            Event::StepFailed {
                step: "b".into(),
                verb: Verb::Create,
                error: denied(),
                seconds: 11.5,
            },
        ),
        (
            17.0,
            Event::StepBlocked {
                step: "c".into(),
                verb: Verb::Create,
                by: "b".into(),
            },
        ),
        (
            18.0,
            Event::Note {
                text: "hello".into(),
            },
        ),
        (19.0, Event::Interrupted),
        (70.0, held()),
        (80.0, Event::RunFinished { seconds: 75.0 }),
    ]
}

#[test]
fn plain_lines_are_aligned_and_say_each_thing_once() {
    let mut plain = Plain::default();
    let lines: Vec<String> = events()
        .iter()
        .filter_map(|(at, e)| plain.line(e, *at, Paint::PLAIN))
        .collect();
    insta::assert_snapshot!(lines.join("\n"));
}

#[test]
fn the_live_view_shows_the_longest_paths_first_and_an_eta() {
    let mut progress = Progress::default();
    for (at, event) in events().iter().take(6) {
        progress.take(event, *at);
    }
    let bar = "─".repeat(30);
    assert_eq!(
        progress.frame(9.0, 79, Paint::PLAIN),
        [
            format!("{bar} 0/4  4.0s  ETA 1m 36s"),
            format!("  {:<40} {:<18} 4.0s of ~10s", "a", "waiting for AWS"),
            format!("  {:<40} {:<18} 3.5s of ~10s", "b", "blocked, in use"),
        ]
    );
    let mut further = progress.clone();
    for (at, event) in events().iter().skip(6).take(3) {
        further.take(event, *at);
    }
    insta::assert_snapshot!(further.frame(9.7, 79, Paint::PLAIN).join("\n"));
    let late = progress.frame(1000.0, 79, Paint::PLAIN);
    assert!(
        late[0].ends_with("ETA 1m 30s, longer than usual"),
        "{late:?}"
    );
    // `a` takes longer than it should: the path after it is still to be gone.
    assert_eq!(progress.eta(1000.0), Some(90.0));
    for (at, event) in events().iter().skip(6) {
        progress.take(event, *at);
    }
    let frame = progress.frame(20.0, 79, Paint::PLAIN);
    assert_eq!(frame.len(), 2);
    assert!(
        frame[0].ends_with(" 3/4  15s  1 failed  1 blocked"),
        "{frame:?}"
    );
    assert!(
        frame[1].starts_with("  stopping: what is in flight"),
        "{frame:?}"
    );
    for narrow in [39, 20] {
        let frame = progress.frame(20.0, narrow, Paint::PLAIN);
        assert!(
            frame.iter().all(|l| l.chars().count() <= narrow),
            "{frame:?}"
        );
    }
}

#[test]
fn the_live_view_is_short_however_much_runs() {
    let mut progress = Progress::default();
    progress.take(
        &Event::RunStarted {
            steps: 200,
            critical_seconds: 1.0,
        },
        0.0,
    );
    for n in 0..20 {
        let step = format!("{}-{n:02}", "long".repeat(30));
        progress.take(
            &Event::StepStarted {
                step,
                kind: "x/y".into(),
                verb: Verb::Delete,
                expected_seconds: 1.0,
                remaining_seconds: 1.0,
                needs: Vec::new(),
            },
            0.0,
        );
    }
    let frame = progress.frame(1.0, 79, Paint::PLAIN);
    assert_eq!(frame.len(), 10);
    assert_eq!(frame[9], "  +12 more");
    assert!(frame.iter().all(|l| l.chars().count() <= 79));
    assert!(frame[1].ends_with("deleting           1.0s"), "{frame:?}");
    let frame = progress.frame(1.0, 39, Paint::PLAIN);
    assert!(frame.iter().all(|l| l.chars().count() <= 39), "{frame:?}");
    assert!(frame[1].ends_with("… 1.0s"), "{frame:?}");
}

#[test]
fn json_lines_hold_the_event_and_its_time() {
    for (_, event) in events() {
        let line: Value = serde_json::from_str(&json_line(&event)).unwrap();
        assert!(
            line["event"].is_string() && line["time"].is_string(),
            "{line}"
        );
    }
}
