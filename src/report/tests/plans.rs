//! A plan in words.

use super::*;

#[test]
fn a_plan_is_grouped_and_says_what_changes_and_why() {
    let expected = "\
blue
  ec2
      - old-blue  ec2/subnet  (no longer in the blueprint)

green
  ec2
      ~ vpc-green           ec2/vpc
        ~ dns_hostnames: false -> true
        + routes.tgw: (id of tgw-shared)
        - tags.Owner: \"me\\u001b[31m\"
      + subnet-app-a-green  ec2/subnet
  rds
    -/+ cluster-green  rds/cluster  (`engine_mode` cannot be changed in place)
        DATA a database; deletion protection is on
        ~ engine_mode: \"provisioned\" -> \"serverless\"
  s3
      > bucket-green  s3/bucket  (it carries our mark and is not in the state)

shared
  ec2
      + tgw-shared  ec2/transit-gateway

Not managed here (set by AWS)
    service-green.count: 12, owned by auto scaling (out of range: 12 is over 9)

note: waiting for blue: verify-green
note: gone-blue no longer exists; its record goes
note: a note
error: role-green: read: iam/role `role-green-dev` (x) exists but does not carry this deployment's ownership mark
hint: choose another --suffix, or remove or rename it if it is not needed; deployer never touches what it did not make
Cannot go on: resolve the 1 problem above first.
Plan: 2 to create, 1 to adopt, 1 to update, 1 to replace, 1 to delete, 1 unchanged
";
    assert_eq!(plan(&rich(), Paint::PLAIN), expected);
    assert!(plan(&rich(), Paint::COLOR).contains("\u{1b}[32m  +\u{1b}[0m"));
}

#[test]
fn a_plan_without_adoption_has_the_short_headline_and_an_empty_one_says_so() {
    let plain = Plan {
        nodes: vec![node("a", "ec2/vpc", "blue", Verb::Create)],
        unchanged: vec!["x".into(); 140],
        ..Plan::default()
    };
    let text = plan(&plain, Paint::PLAIN);
    assert!(
        text.ends_with(
            "Plan: 1 to create, 0 to update, 0 to replace, 0 to delete, 140 unchanged\n"
        ),
        "{text}"
    );
    let empty = Plan {
        unchanged: vec!["x".into()],
        ..Plan::default()
    };
    assert_eq!(plan(&empty, Paint::PLAIN), "Nothing to do: 1 unchanged\n");
}
