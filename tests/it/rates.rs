//! AWS's rates: the sandbox refuses what is above them, and a run keeps below.

use crate::support::again::one_of_some;
use crate::support::lab::{Lab, same};
use serde_json::{Value, json};

const GREEN: &[&str] = &["apply", "--env", "green", "--yes"];

#[test]
fn a_run_stays_within_the_documented_rates_of_aws() {
    let lab = Lab::start();
    let config = "[run]\nconsistency_timeout_seconds = 3\ncall_timeout_seconds = 20\n";
    std::fs::write(lab.dir.path().join("deployer.toml"), config).unwrap();
    // Whether AWS would refuse one call in fifty at most.
    let sent = |command: &[&str]| {
        lab.faults(&json!({"throttle_buckets": true}));
        let since = lab.mark();
        lab.run(command).expect(0);
        let shown = lab.control("GET", "faults", &json!({}));
        let refused = shown["throttled"].as_object().unwrap();
        let count: u64 = refused.values().filter_map(Value::as_u64).sum();
        let calls = lab.calls(since).len() as u64;
        if count * 50 <= calls {
            Ok(())
        } else {
            Err(format!("{command:?}: {calls} calls, {refused:?}"))
        }
    };
    sent(GREEN).unwrap();
    one_of_some(|| sent(&["drift", "--env", "green"]));
    lab.faults(&json!({}));
    same(&lab.inventory(), &Lab::clean_green().inventory);
}
