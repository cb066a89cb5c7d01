//! Traffic on the sandbox: a whole shift, a bad green, a kill, hands of others, and the way back from anywhere.

mod back;
pub mod load;
mod runs;

pub use runs::{RATE, lab, run};

use crate::support::again;
use crate::support::lab::Lab;
use load::{Load, note, weights};
use runs::*;
use serde_json::{Value, json};

#[test]
fn a_shift_is_refused_until_the_data_is_safe_and_green_can_take_it() {
    let lab = lab();
    // Nothing is waited for here: minutes of eight seconds are not over before a slow machine has looked.
    let load = Load::new(&lab, RATE / 8.0);
    let shift = ["traffic", "shift", "--yes", "--steps", "25"];
    let refused = |what: &str| {
        let done = run(&lab, &load, &shift).expect(8);
        assert!(done.err.contains(what), "{what}: {}", done.err);
        assert_eq!(weights(&lab), [90, 10]);
        assert_eq!(note(&lab), "epoch=0");
        assert!(!events_there(&lab, "shift_started"));
    };
    answer(&lab, "blue", true);
    refused("blue takes the writes");
    answer(&lab, "both", false);
    refused("2 rows differ");
    answer(&lab, "both", true);
    lab.control("POST", "targets", &json!({(group(&lab)): 1}));
    refused("1 of 3 targets");
    lab.control("POST", "targets", &json!({(group(&lab)): null}));
    let done = run(&lab, &load, &["traffic", "shift", "--yes", "--steps", "5"]).expect(8);
    assert!(done.err.contains("10 % already"), "{}", done.err);
    run(
        &lab,
        &load,
        &["traffic", "shift", "--yes", "--steps", "50,25"],
    )
    .expect(3);
    // Without a mode of a split no request may go to green.
    let config = lab.dir.path().join("deployer.toml");
    let text = std::fs::read_to_string(&config).unwrap();
    std::fs::write(&config, text.split("[migration]").next().unwrap()).unwrap();
    refused("no mode of a split");
    std::fs::write(&config, text).unwrap();
    // Nobody's metrics: a gate on them would see nothing.
    lab.control("DELETE", "metrics", &json!({}));
    refused("blue has had no data");
    let status = run(&lab, &load, &["traffic", "status", "--json"])
        .expect(2)
        .json();
    assert_eq!(status["weights"], json!({"blue": 90, "green": 10}));
    // A fast clock is for emulators on this machine.
    let mut far = command(&lab, &load, &["traffic", "status"]);
    let done = crate::support::lab::finish(far.env("AWS_ENDPOINT_URL", "https://example.com"));
    assert!(
        done.code == 3 && done.err.contains("minutes are minutes"),
        "{done:?}"
    );
    // Before the first shift, too, a weight that nobody recorded is a difference.
    green_by_hand(&lab, 200);
    drift_names_green(
        &lab,
        "it is 200, which neither `apply` nor a traffic command has set",
    );
}

#[test]
fn a_shift_that_is_killed_goes_on_and_ends_with_everything_on_green() {
    let lab = lab();
    let load = Load::new(&lab, RATE);
    // Blue is busy: what comes back to it, or goes to green, needs as many tasks and as much capacity.
    let busy = lab.python(BUSY);
    let peak = json!({"namespace": "AWS/RDS", "name": "ServerlessDatabaseCapacity", "dimensions": {"DBClusterIdentifier": "aurora-blue-dev", "Role": "WRITER"}, "points": [[load.now() as u64 - 7200, {"3.2": 1}]]});
    lab.control("POST", "metrics", &peak);
    assert_eq!(least(&lab), json!([["3", "3"], [0.5, 0.5]]), "{busy}");
    load.during(|| {
        let mut child = start(
            &lab,
            &load,
            &["traffic", "shift", "--yes", "--steps", "50,100"],
        );
        until(&lab, [50, 50]);
        assert_eq!(least(&lab), json!([["5", "5"], [3.5, 3.5]]));
        child.kill();
        let second = run(&lab, &load, &["traffic", "shift", "--yes"]).expect(8);
        assert!(second.err.contains("traffic resume"), "{}", second.err);
        let done = run(&lab, &load, &["traffic", "resume", "--json"]).expect(0);
        assert_eq!(done.json()["weights"], json!({"blue": 0, "green": 100}));
        for line in done.err.lines().filter(|l| l.starts_with('{')) {
            let event: Value = serde_json::from_str(line).unwrap();
            assert_eq!(event["schema"], "deployer.traffic/1");
        }
    });
    assert_eq!(weights(&lab), [0, 100]);
    assert!(
        note(&lab).contains(" act=done blue=0 green=100 "),
        "{}",
        note(&lab)
    );
    let events = events(&lab);
    assert_eq!(
        events.iter().filter(|e| *e == "step_passed").count(),
        2,
        "{events:?}"
    );
    // The weights are the traffic command's: neither apply nor drift touch them. So are the least tasks and capacity while they are
    // held; another configuration is noted beneath them.
    let mark = lab.mark();
    let config = lab.dir.path().join("deployer.toml");
    let text = std::fs::read_to_string(&config).unwrap();
    std::fs::write(&config, text + "[database]\nmin_capacity = 1.0\n").unwrap();
    lab.run(&["apply", "--yes"]).expect(0);
    lab.run(&["drift"]).expect(0);
    let writes = lab.writes(mark);
    assert!(
        writes.iter().all(|w| !w.starts_with("route53")),
        "{writes:?}"
    );
    assert_eq!(least(&lab), json!([["5", "5"], [3.5, 3.5]]));
    let status = run(&lab, &load, &["traffic", "status"]);
    assert!(
        status
            .out
            .contains("the database of blue: at least 3.5 ACU in place of 1"),
        "{}",
        status.out
    );
    let done = run(&lab, &load, &["traffic", "release"]).expect(8);
    assert!(done.err.contains("cutover --finish"), "{}", done.err);
    run(&lab, &load, &["traffic", "release", "--now"]).expect(0);
    assert_eq!(least(&lab), json!([["3", "3"], [1.0, 1.0]]));
    lab.run(&["drift"]).expect(0);
    // A line that was changed shows.
    let path = lab.dir.path().join("state/dev.traffic.jsonl");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replacen("step_passed", "held", 1)).unwrap();
    let done = lab.run(&["traffic", "history"]).expect(1);
    assert!(
        done.err.contains("a line was changed or removed"),
        "{}",
        done.err
    );
    // The way back needs no history.
    lab.run(&["traffic", "rollback"]).expect(0);
    assert_eq!(weights(&lab), [100, 0]);
}

#[test]
fn weights_of_another_hand_end_a_shift_and_stay() {
    let lab = lab();
    let load = Load::new(&lab, RATE);
    load.during(|| {
        let child = start(
            &lab,
            &load,
            &["traffic", "shift", "--yes", "--steps", "50,100"],
        );
        until(&lab, [50, 50]);
        green_by_hand(&lab, 7);
        let (code, text) = ended(child);
        assert!(
            code == 6 && text.contains("blue 50, green 7"),
            "{code}: {text}"
        );
        assert_eq!(weights(&lab), [50, 7]);
        let status = run(&lab, &load, &["traffic", "status"]).expect(2);
        assert!(
            status.out.contains("which no traffic command has set"),
            "{}",
            status.out
        );
        run(&lab, &load, &["traffic", "shift", "--yes"]).expect(8);
        // The nightly check names it too.
        drift_names_green(&lab, "it is 7, and the traffic command has set 50 last");
        run(&lab, &load, &["traffic", "rollback"]).expect(0);
        assert_eq!(weights(&lab), [100, 0]);
    });
}

#[test]
fn pause_and_approval_come_from_another_terminal_and_an_interrupt_holds() {
    let lab = lab();
    let load = Load::new(&lab, RATE);
    let notices = lab.dir.path().join("notices");
    let config = lab.dir.path().join("deployer.toml");
    let text = std::fs::read_to_string(&config).unwrap();
    let program = format!("cat >> {0}; echo >> {0}", notices.display());
    let notify = format!("[notify]\ncommand = [\"sh\", \"-c\", \"{program}\"]\n");
    std::fs::write(&config, text + &notify).unwrap();
    load.during(|| {
        let arguments = [
            "traffic",
            "shift",
            "--yes",
            "--steps",
            "50,100",
            "--approve-at",
            "50",
        ];
        let child = start(&lab, &load, &arguments);
        // Nobody has approved: the shift waits with the weights of before, and has no note yet.
        again::until(|| weights(&lab), || events_there(&lab, "approval_asked"));
        assert_eq!(weights(&lab), [90, 10]);
        // Whoever has to type something hears of it while the shift runs.
        let said = || std::fs::read_to_string(&notices).unwrap_or_default();
        again::until(said, || said().contains("traffic approve --weight 50"));
        assert!(said().contains("\"outcome\": \"waiting\""), "{}", said());
        run(&lab, &load, &["traffic", "approve", "--weight", "50"]).expect(0);
        until(&lab, [50, 50]);
        run(&lab, &load, &["traffic", "pause"]).expect(0);
        child.signal("-INT");
        let (code, text) = ended(child);
        assert!(
            code == 130 && text.contains("traffic resume"),
            "{code}: {text}"
        );
        assert_eq!(weights(&lab), [50, 50]);
        let shown = lab.python(
            "print([m['Dimensions'] for m in c('cloudwatch').list_metrics(Namespace='Deployer', MetricName='TrafficWeight')['Metrics']])",
        );
        assert!(shown.contains("green") && shown.contains("blue"), "{shown}");
        // Nobody runs, and a guard in AWS acts: what it did is recorded by the next command.
        let guard = |state: &str| {
            lab.python(&format!("c('cloudwatch').set_alarm_state(AlarmName='alarm-guard-errors-payment-api-green-dev', StateValue='{state}', StateReason='test')"))
        };
        // The lines of the shift are ahead of the sandbox's time.
        lab.control("POST", "clock", &json!({"skip": 36_000}));
        guard("ALARM");
        let status = run(&lab, &load, &["traffic", "status"]).expect(2);
        assert!(
            status.out.contains("a guard in AWS is raised (alarm-guard-errors-payment-api-green-dev)"),
            "{}",
            status.out
        );
        // Without requests on green the alarm is over, and Route 53 keeps green out all the same.
        guard("OK");
        let done = run(&lab, &load, &["traffic", "resume"]).expect(5);
        assert!(done.out.contains("while no process ran"), "{}", done.out);
        assert_eq!(weights(&lab), [100, 0]);
        assert!(events(&lab).contains(&"guard_acted".to_owned()));
        run(&lab, &load, &["traffic", "resume"]).expect(8);
    });
}

#[test]
fn the_gate_proves_that_it_can_say_no() {
    let lab = Lab::start();
    let done = lab
        .run(&["traffic", "gate", "--self-test", "--json"])
        .expect(0)
        .json();
    assert_eq!(done["holds"], true);
    assert!(done["self_test"]["cases"].as_array().unwrap().len() >= 50);
    let done = lab.run(&["traffic", "gate", "--simulate", "20"]).expect(0);
    assert!(done.out.contains("healthy, 35 a minute"), "{}", done.out);
    assert!(lab.calls(0).is_empty());
}
