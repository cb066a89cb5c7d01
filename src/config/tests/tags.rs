//! Tags of the configuration.

use super::*;

#[test]
fn tags_follow_the_rules_of_aws_and_leave_ours_alone() {
    let many: String = (0..44).map(|n| format!("t{n} = \"x\"\n")).collect();
    let long = format!("k = \"{}\"", "x".repeat(257));
    let key = format!("\"{}\" = \"x\"", "k".repeat(129));
    for (tags, why) in [
        ("Name = \"x\"", "`Name` is set by deployer itself"),
        (
            "EnvironmentSuffix = \"x\"",
            "`EnvironmentSuffix` is set by deployer itself",
        ),
        (
            "DeployerStep = \"x\"",
            "`DeployerStep` is set by deployer itself",
        ),
        (
            "Environment = \"x\"",
            "`Environment` is set by deployer itself",
        ),
        (
            "name = \"x\"",
            "`name` and `Name` differ in case only, which IAM takes for the same",
        ),
        (
            "service = \"x\"",
            "`service` and `Service` differ in case only, which IAM takes for the same",
        ),
        (
            "\"aws:x\" = \"x\"",
            "`aws:x`: keys that begin with `aws:` belong to AWS",
        ),
        ("\"\" = \"x\"", "the key `` has 0 characters, not 1 to 128"),
        (key.as_str(), "characters, not 1 to 128"),
        (
            long.as_str(),
            "the value of `k` has 257 characters, more than 256",
        ),
        ("a = 1", "the value of `a` is not a text"),
        (
            "a = \"@{vpc.id}\"",
            "`a`: `@{` is how steps refer to each other and may not stand in a value",
        ),
        (
            "a = \"x;y\"",
            "the value of `a` has ';', which not every AWS service takes in a tag",
        ),
        (
            many.as_str(),
            "there are 47 with the defaults, and AWS takes 50 of which 5 are deployer's own",
        ),
    ] {
        let all = errors(&format!("[tags.set]\n{tags}"));
        assert_eq!(all.len(), 1, "{all:?}");
        assert!(
            all[0].starts_with("deployer.toml:1: `tags.set` is refused ("),
            "{all:?}"
        );
        assert!(all[0].contains(why), "{all:?} without {why}");
    }
    assert!(parse("[tags.set]\n\"team/owner\" = \"Zoë + co\"").is_ok());
}
