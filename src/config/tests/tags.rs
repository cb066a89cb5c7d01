//! Tags of the configuration.

use super::*;

#[test]
fn tags_follow_the_rules_of_aws_and_leave_ours_alone() {
    let many: String = (0..42).map(|n| format!("t{n} = \"x\"\n")).collect();
    let long = format!("k = \"{}\"", "x".repeat(257));
    let key = format!("\"{}\" = \"x\"", "k".repeat(129));
    for (tags, why) in [
        ("Name = \"x\"", "`Name` is set by deployer itself"),
        (
            "EnvironmentSuffix = \"x\"",
            "`EnvironmentSuffix` is set by deployer itself",
        ),
        (
            "DeployerPulled = \"x\"",
            "`DeployerPulled` is set by deployer itself",
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
        (
            "\"rds:x\" = \"x\"",
            "`rds:x`: keys that begin with `rds:` belong to AWS",
        ),
        (
            "k = \"AWS:x\"",
            "`k`: values that begin with `aws:` belong to AWS",
        ),
        (
            "k = \"Rds:\"",
            "`k`: values that begin with `rds:` belong to AWS",
        ),
        ("\"\" = \"x\"", "the key `` has 0 characters, not 1 to 128"),
        (key.as_str(), "characters, not 1 to 128"),
        (
            long.as_str(),
            "the value of `k` has 257 characters, not 1 to 256",
        ),
        (
            "k = \"\"",
            "the value of `k` has 0 characters, not 1 to 256",
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
            "with the defaults these are more than 44: AWS takes 50, of which 6 are deployer's own",
        ),
    ] {
        let all = errors(&format!("[tags.set]\n{tags}"));
        assert_eq!(all.len(), 1, "{all:?}");
        let line = tags.lines().count() + 1;
        assert!(
            all[0].starts_with(&format!("deployer.toml:{line}: `tags.set` is refused (")),
            "{all:?}"
        );
        assert!(all[0].contains(why), "{all:?} without {why}");
    }
    assert!(parse("[tags.set]\n\"team/owner\" = \"Zoë + co\"").is_ok());
    assert!(parse("[tags.set]\n\"x:aws:\" = \"arn:aws:rds:\"").is_ok());
}

#[test]
fn every_entry_of_a_table_that_is_refused_is_named_on_its_own_line() {
    let all = errors(
        "[tags.set]\nzone = \"x;y\"\nTeam = \"core\"\n\nName = \"x\"\nteam = \"other\"\n\n[prices]\nalb_hour = -1\n",
    );
    let lines: Vec<&str> = all.iter().map(|e| e.split('`').next().unwrap()).collect();
    assert_eq!(
        lines,
        [
            "deployer.toml:2: ",
            "deployer.toml:5: ",
            "deployer.toml:6: ",
            "deployer.toml:9: "
        ],
        "{all:?}"
    );
    assert!(
        all[2].contains("`team` and `Team` differ in case only"),
        "{all:?}"
    );
    // A table in one line has one.
    let all = errors("tags.set = { Name = \"x\", a = 1 }");
    assert_eq!(all.len(), 2, "{all:?}");
}
