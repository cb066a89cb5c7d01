//! What takes long: it shows how far it is, it says that it still waits, it ends with a stop, and what would never pass
//! by itself is named and given up early.

use crate::support::again::until;
use crate::support::lab::{Done, Lab};
use crate::support::run::{Run, Slow, graph, head};
use crate::support::world::World;
use deployer::engine::Events;
use deployer::report::{Paint, Plain};
use serde_json::json;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

const DESTROY: &[&str] = &["destroy", "--yes", "--destroy-data"];

/// Fills a bucket with 3,000 versions and delete markers: three pages.
const FILL: &str = r#"
s3, bucket = c("s3"), "transaction-logs-green-dev"
keys = [f"day/{n:04}" for n in range(300)]
for key in keys: s3.put_object(Bucket=bucket, Key=key, Body=b"x")
for _ in range(9): s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": key} for key in keys], "Quiet": True})
"#;

const COUNT: &str = r#"
pages = c("s3").get_paginator("list_object_versions").paginate(Bucket="transaction-logs-green-dev")
print(sum(len(page.get("Versions", [])) + len(page.get("DeleteMarkers", [])) for page in pages))
"#;

fn count(lab: &Lab) -> usize {
    lab.python(COUNT).trim().parse().unwrap()
}

#[test]
fn a_stop_ends_the_emptying_of_a_bucket_after_the_page_in_flight() {
    let lab = Lab::green();
    lab.python(FILL);
    assert_eq!(count(&lab), 3000);
    let since = lab.mark();
    lab.faults(&json!({"delay_ms": 700}));
    let child = lab.spawn(DESTROY);
    let pages = || {
        let writes = lab.writes(since);
        writes.iter().filter(|w| *w == "s3:DeleteObjects").count()
    };
    until(|| lab.writes(since), || pages() > 0);
    child.signal("-INT");
    let out = child.ended().expect(130).out;
    lab.faults(&json!({}));
    // One page was in flight, another one may have left before the signal came.
    assert!(pages() <= 2, "{} pages", pages());
    assert!(count(&lab) >= 1000);
    let said = "working    transaction-logs-green";
    let line = out
        .lines()
        .find(|l| l.contains(said))
        .unwrap_or_else(|| panic!("{out}"));
    assert!(
        line.ends_with(" of about 3,000 object versions deleted"),
        "{line}"
    );
    lab.run(DESTROY).expect(0);
}

#[test]
fn what_never_goes_by_itself_is_named_at_once_and_given_up_early() {
    let lab = Lab::green();
    // Held things are waited for as long as by default: three quarters of an hour.
    let subnet = lab.python(
        r#"
ec2, iam = c("ec2"), c("iam")
iam.create_instance_profile(InstanceProfileName="theirs")
iam.add_role_to_instance_profile(InstanceProfileName="theirs", RoleName="role-monitoring-green-dev")
wish = [{"Name": "tag:Name", "Values": ["vpc-green-dev"]}]
print(ec2.create_subnet(VpcId=ec2.describe_vpcs(Filters=wish)["Vpcs"][0]["VpcId"], CidrBlock="10.20.240.0/24")["Subnet"]["SubnetId"])
"#,
    );
    let began = Instant::now();
    let done: Done = lab.run(DESTROY).expect(1);
    assert!(
        began.elapsed() < Duration::from_secs(600),
        "{:?}",
        began.elapsed()
    );
    for (step, holder) in [
        ("role-monitoring-green", "theirs"),
        ("vpc-green", subnet.trim()),
    ] {
        let names = |l: &&str| l.contains(step) && l.contains(holder);
        let seen = |word: &str| done.out.lines().filter(names).any(|l| l.contains(word));
        // Before the first deletion, while it waits, and in the error.
        assert!(
            seen("the deletion may be refused until it is gone"),
            "{step}: {}",
            done.out
        );
        assert!(seen("in use"), "{step}: {}", done.out);
        let reported = done.err.lines().any(|l| names(&l));
        assert!(reported, "{step}: {}", done.err);
    }
}

#[tokio::test(start_paused = true)]
async fn a_plain_log_says_once_a_minute_that_a_step_still_waits() {
    let world = World::new(0.5);
    let g = graph(|b| drop(b.add(head("slow", "green"), Slow(json!({})))));
    let mut run = Run::on(&world);
    run.cx
        .registry
        .add(Arc::new(world.kind("test/slow", (200.0, 1.0))));
    let lines = Arc::new(Mutex::new((Plain::default(), Vec::new())));
    let (sink, began) = (lines.clone(), tokio::time::Instant::now());
    run.cx.events = Events::to(vec![Box::new(move |event| {
        let (plain, lines) = &mut *sink.lock().unwrap();
        lines.extend(plain.line(event, began.elapsed().as_secs_f64(), Paint::PLAIN));
    })]);
    assert!(run.apply(&g).await.complete());
    let lines = &lines.lock().unwrap().1;
    let waiting: Vec<&String> = lines.iter().filter(|l| l.contains("  waiting ")).collect();
    assert_eq!(waiting.len(), 3, "{lines:#?}");
    assert!(
        waiting[0].contains("slow") && waiting[0].ends_with(": settling"),
        "{waiting:?}"
    );
}
