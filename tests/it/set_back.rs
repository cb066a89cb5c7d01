//! A configuration that is set back after the run that was to follow it was killed: what customers use stays as it is, and what was
//! made in its place goes.

use crate::support::lab::{Lab, same};
use serde_json::json;

const APPLY: &[&str] = &["apply", "--yes"];
const MOVED: &str = "[routing]\ndomain = \"pay.sandbox.example\"\n";

/// Kills a run that moves the domain at one of its writes, of all or of this operation.
fn killed_at(lab: &Lab, write: usize, only: &[&str]) {
    let config = lab.dir.path().join("deployer.toml");
    let usual = std::fs::read_to_string(&config).unwrap();
    std::fs::write(&config, format!("{usual}{MOVED}")).unwrap();
    let mut faults = json!({"hang_after": write});
    if !only.is_empty() {
        faults["only"] = json!(only);
    }
    lab.faults(&faults);
    assert!(
        lab.killed_when("hang_after", APPLY).is_none(),
        "it is killed at write {write}"
    );
    lab.faults(&json!({}));
    std::fs::write(&config, usual).unwrap();
}

#[test]
fn records_and_certificates_that_the_configuration_means_again_are_kept() {
    for (write, only) in [
        (1, &[][..]),
        (3, &[]),
        (7, &[]),
        (8, &["route53:ChangeResourceRecordSets"][..]),
        (2, &["elbv2:ModifyListener"]),
    ] {
        let lab = Lab::both();
        let ids = lab.ids();
        killed_at(&lab, write, only);
        let since = lab.mark();
        let done = lab.run(&["apply", "--yes", "--json"]).expect(0).json();
        let made: Vec<&str> = done["steps"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|step| ["create", "replace"].contains(&step["action"].as_str().unwrap_or("")))
            .map(|step| step["step"].as_str().unwrap())
            // Records that prove names go first: one that the killed run has deleted is made again.
            .filter(|step| !step.starts_with("validation-"))
            .collect();
        assert_eq!(made, Vec::<&str>::new(), "killed at {write} of {only:?}");
        let writes = lab.writes(since);
        assert!(
            !writes.contains(&"acm:RequestCertificate".to_owned()),
            "{writes:?}"
        );
        println!("killed at {write} of {only:?}");
        same(&lab.ids(), &ids);
        lab.run(&["plan"]).expect(0);
        lab.run(&["drift"]).expect(0);
    }
}

/// A run of one environment removes what it has replaced of what both share.
#[test]
fn a_run_of_one_environment_leaves_nothing_of_a_killed_replacement() {
    let lab = Lab::green();
    for write in [2, 6] {
        let config = lab.dir.path().join("deployer.toml");
        killed_at(&lab, write, &[]);
        let usual = std::fs::read_to_string(&config).unwrap();
        std::fs::write(&config, format!("{usual}{MOVED}")).unwrap();
        let green = ["apply", "--env", "green", "--yes"];
        lab.run(&green).expect(0);
        let state = std::fs::read_to_string(lab.dir.path().join("state/dev.json")).unwrap();
        assert!(!state.contains("~replaced"), "killed at {write}");
        lab.run(&["plan", "--env", "green"]).expect(0);
        lab.run(&["drift", "--env", "green"]).expect(0);
        std::fs::write(&config, usual).unwrap();
        lab.run(&green).expect(0);
        lab.run(&["plan", "--env", "green"]).expect(0);
    }
}
