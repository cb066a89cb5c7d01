//! In which order a destroy of the real blueprint reaches AWS.

use crate::support::lab::Lab;

/// Where an operation stands among the writes, first and last.
fn span(writes: &[String], operation: &str) -> (usize, usize) {
    let of = |w: &String| w == operation;
    let first = writes.iter().position(of);
    let last = writes.iter().rposition(of);
    first.zip(last).unwrap_or_else(|| panic!("no {operation}"))
}

#[test]
fn customers_have_gone_before_anything_goes_that_serves_them() {
    let lab = Lab::green();
    let since = lab.mark();
    lab.run(&["destroy", "--yes", "--destroy-data"]).expect(0);
    let writes = lab.writes(since);
    let (_, drained) = span(&writes, "ecs:DeleteService");
    let serving = [
        "wafv2:DisassociateWebACL",
        "ec2:DeleteVpcEndpoints",
        "rds:DeleteDBInstance",
        "rds:DeleteDBCluster",
        "elbv2:DeleteRule",
        "elbv2:DeleteListener",
        "elbv2:DeleteLoadBalancer",
    ];
    for operation in serving {
        let (first, last) = span(&writes, operation);
        // The record of the domain and the one for tests.
        let records = writes[..first].iter();
        let records = records.filter(|w| *w == "route53:ChangeResourceRecordSets");
        assert!(records.count() >= 2, "{operation} before the records");
        let after_tasks = match operation {
            // Tasks that end do without an instance of the database.
            "rds:DeleteDBInstance" => continue,
            // Those with fixed answers have no tasks.
            "elbv2:DeleteRule" | "elbv2:DeleteListener" => last,
            _ => first,
        };
        assert!(drained < after_tasks, "{operation} before the services");
    }
}
