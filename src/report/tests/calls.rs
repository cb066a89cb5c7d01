//! The count of calls.

use crate::engine::Event;
use crate::report::calls::{Calls, OperationCalls};

#[test]
fn calls_add_up() {
    let calls = Calls::new();
    let sink = calls.sink();
    for (operation, write, outcome, throttled) in [
        ("CreateVpc", true, "ok", false),
        ("CreateVpc", true, "RequestLimitExceeded", true),
        ("DescribeVpcs", false, "ok", false),
    ] {
        sink(&Event::Call {
            service: "ec2",
            operation,
            write,
            seconds: 0.5,
            outcome: outcome.into(),
            throttled,
        });
    }
    let totals = calls.totals();
    assert_eq!(
        (
            totals.reads,
            totals.writes,
            totals.throttled,
            totals.errors,
            totals.all()
        ),
        (1, 2, 1, 1, 3)
    );
    let expected = OperationCalls {
        calls: 2,
        write: true,
        errors: 1,
        throttled: 1,
        seconds: 1.0,
    };
    assert_eq!(totals.services["ec2"]["CreateVpc"], expected);
}
