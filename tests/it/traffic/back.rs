//! Ways back to blue: by the gate, from anywhere, and past a Route 53 that takes no change.

use super::load::{Load, note, weights};
use super::runs::{RATE, ended, lab, run, start, until};
use serde_json::json;
use std::time::Instant;

#[test]
fn a_bad_green_goes_back_by_itself() {
    let lab = lab();
    let load = Load::new(&lab, RATE);
    load.bad_one_in
        .store(10, std::sync::atomic::Ordering::Relaxed);
    let done = load.during(|| {
        run(
            &lab,
            &load,
            &["traffic", "shift", "--yes", "--steps", "10,50"],
        )
    });
    let done = done.expect(5);
    assert!(
        done.out.contains("All traffic went back to blue"),
        "{}",
        done.out
    );
    assert_eq!(weights(&lab), [100, 0]);
    assert!(
        note(&lab).contains(" act=rollback blue=100 green=0 "),
        "{}",
        note(&lab)
    );
    let status = run(&lab, &load, &["traffic", "status"]).expect(0);
    assert!(status.out.contains("rollback of shift"), "{}", status.out);
    assert!(!status.out.contains("still call"), "{}", status.out);
    // Two clients have green's address for good; a probe and what blue sends over the bridge are no clients. The status looks at ten
    // minutes, which are not over before it does.
    let load = load.slowly();
    let now = (load.now() * 1000.0) as u64;
    let line = |address: &str, uri: &str| {
        json!({"timestamp": now, "action": "ALLOW", "httpRequest": {"clientIp": address, "uri": uri, "httpMethod": "POST"}})
            .to_string()
    };
    let pay = "/api/payments";
    let lines = [
        ("203.0.113.1", pay),
        ("203.0.113.1", pay),
        ("198.51.100.1", pay),
        ("192.0.2.1", "/ready"),
        ("10.10.4.7", pay),
    ];
    let events: Vec<_> = lines.map(|(a, uri)| json!([now, line(a, uri)])).into();
    let log = json!({"account": "123456789012", "region": "eu-central-1", "group": "aws-waf-logs-green-dev", "stream": "s", "events": events});
    let written = lab.control("POST", "logs", &json!({"logs": [log]}));
    assert_eq!(written["written"], 5);
    let status = run(&lab, &load, &["traffic", "status"]).expect(0);
    let wanted = "2 clients still call green's load balancer: 203.0.113.1 (2 times, ";
    assert!(status.out.contains(wanted), "{}", status.out);
}

#[test]
fn a_rollback_from_a_machine_without_state_stops_a_shift_elsewhere() {
    let lab = lab();
    let load = Load::new(&lab, RATE);
    load.during(|| {
        let child = start(
            &lab,
            &load,
            &["traffic", "shift", "--yes", "--steps", "50,100"],
        );
        until(&lab, [50, 50]);
        let began = Instant::now();
        let away = [
            "traffic",
            "rollback",
            "--state-dir",
            "elsewhere",
            "--reason",
            "captures fail",
        ];
        // The first change is taken, and its answer is lost; and who switched the rule may not be written on it.
        let lost = ["route53:ChangeResourceRecordSets"];
        let denied = ["elasticloadbalancing:AddTags"];
        lab.faults(&json!({"close_after": 1, "only": lost, "deny": denied}));
        let done = run(&lab, &load, &away).expect(0);
        assert_eq!(weights(&lab), [100, 0]);
        let status = run(&lab, &load, &["traffic", "status"]).expect(0);
        let lever =
            "green's load balancer sends on to blue what still reaches it, switched by somebody";
        assert!(status.out.contains(lever), "{}", status.out);
        println!("rollback: {} ms", began.elapsed().as_millis());
        let (code, text) = ended(child);
        assert!(
            code == 6 && text.contains("gave all traffic back to blue"),
            "{code}: {text}"
        );
        // Where the rollback comes just as green opens, it is the shift that switches the rule for it.
        let warned = done.err + &text;
        assert!(warned.contains("AddTags"), "{warned}");
        assert_eq!(weights(&lab), [100, 0]);
        // Again: nothing is sent, and who takes the writes is asked.
        let mark = lab.mark();
        let again = run(&lab, &load, &["traffic", "rollback", "--json"])
            .expect(0)
            .json();
        let mut sent = lab.writes(mark);
        sent.retain(|call| call != "lambda:Invoke");
        assert!(again["changed"] == false && sent.is_empty(), "{again}");
        run(&lab, &load, &["traffic", "resume"]).expect(8);
    });
}

#[test]
fn a_rollback_goes_round_a_route_53_that_takes_no_change() {
    let lab = lab();
    let load = Load::new(&lab, RATE);
    load.during(|| {
        let shift = ["traffic", "shift", "--yes", "--steps", "50,100"];
        let child = start(&lab, &load, &shift);
        until(&lab, [50, 50]);
        let down = json!({"code": "ServiceUnavailable", "status": 503, "message": "down"});
        lab.faults(&json!({"errors": {"route53:ChangeResourceRecordSets": down}}));
        let away = ["traffic", "rollback", "--state-dir", "elsewhere"];
        let done = run(&lab, &load, &away).expect(1);
        for text in [
            "green's load balancer sends on to blue what reaches it",
            "green says 503 to Route 53's health checks",
        ] {
            assert!(done.err.contains(text), "{}", done.err);
        }
        assert_eq!(weights(&lab), [50, 50]);
        // The shift sees the rule, and who has switched it.
        let (code, text) = ended(child);
        assert!(
            code == 6 && text.contains("green's bridge was switched on"),
            "{code}: {text}"
        );
        let status = run(&lab, &load, &["traffic", "status"]);
        for text in [
            "lever      green's load balancer sends on to blue what still reaches it, switched by ",
            "lever      green says 503 to Route 53's health checks, switched by ",
        ] {
            assert!(status.out.contains(text), "{}", status.out);
        }
        // It takes changes again.
        lab.faults(&json!({}));
        run(&lab, &load, &["traffic", "rollback"]).expect(0);
        assert_eq!(weights(&lab), [100, 0]);
        let status = run(&lab, &load, &["traffic", "status"]).expect(0);
        assert!(!status.out.contains("green says 503"), "{}", status.out);
    });
    // What the levers have left is no difference; the mapping was written and not applied.
    let drift = run(&lab, &load, &["drift", "--json"]).expect(2).json();
    let steps = drift["steps"].as_array().unwrap();
    let differ = steps.iter().filter(|s| s["status"] != "in_sync");
    let differ: Vec<_> = differ.map(|s| s["step"].as_str().unwrap()).collect();
    assert_eq!(differ, ["parameter-migration-mapping-green"]);
}
