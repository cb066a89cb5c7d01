//! Kills and lost answers at the writes of a state in a bucket. `at_every_write` has those at the writes of the platform.

use super::hosts::share;
use crate::support::lab::{Clean, Lab, same};
use serde_json::json;

const GREEN: &[&str] = &["apply", "--env", "green", "--yes"];
const DESTROY: &[&str] = &["destroy", "--yes", "--destroy-data"];

/// The n-th write of the state: done, and its sender is killed before it knows.
#[test]
fn a_kill_at_a_write_of_the_state_loses_nothing() {
    let lab = Lab::start();
    let Clean { empty, inventory } = Lab::clean_green();
    share(&lab);
    let mut kills = 0;
    for n in [1, 2, 3, 4, 5, 9, 14, 20, 27, 33, 40] {
        lab.faults(&json!({"hang_after": n, "only": ["s3:PutObject"]}));
        match lab.killed_when("hang_after", GREEN) {
            None => kills += 1,
            Some(done) => drop(done.expect(0)),
        }
        lab.faults(&json!({}));
    }
    assert!(kills >= 6, "{kills} kills");
    lab.run(GREEN).expect(0);
    same(&lab.inventory(), inventory);
    for n in 1..6 {
        lab.faults(&json!({"hang_after": n, "only": ["s3:PutObject"]}));
        if let Some(done) = lab.killed_when("hang_after", DESTROY) {
            done.expect(0);
        }
        lab.faults(&json!({}));
    }
    lab.run(DESTROY).expect(0);
    assert_eq!(&lab.ids(), empty);
    lab.run(&["state", "history"]).expect(0);
}

#[test]
fn lost_answers_of_the_bucket_and_writes_that_get_in_the_way_are_no_failure() {
    let lab = Lab::start();
    let Clean { empty, inventory } = Lab::clean_green();
    share(&lab);
    let since = lab.mark();
    lab.faults(&json!({"close_after": "every_new", "only": ["s3:PutObject"]}));
    lab.run(GREEN).expect(0);
    same(&lab.inventory(), inventory);
    let calls = lab.calls(since);
    let count = |status: u64| {
        let puts = calls.iter().filter(|c| c["operation"] == "PutObject");
        puts.filter(|c| c["status"] == status).count()
    };
    let lost = calls.iter().filter(|c| c["lost"] == "close_after").count();
    // Each of them was done, sent again and refused.
    assert!(
        lost > 20 && count(412) >= lost,
        "{lost} lost, {} refused",
        count(412)
    );
    let conflict = json!({"code": "ConditionalRequestConflict", "message": "The conditional request cannot succeed due to a conflicting operation against this resource.", "status": 409, "times": 8});
    let throttled = json!({"code": "SlowDown", "message": "Please reduce your request rate.", "status": 503, "times": 8});
    lab.faults(&json!({"errors": {"s3:PutObject": conflict, "s3:GetObject": throttled}}));
    lab.run(DESTROY).expect(0);
    assert_eq!(&lab.ids(), empty);
}
