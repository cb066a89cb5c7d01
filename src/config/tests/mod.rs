mod amounts;
mod places;
mod tags;
mod values;

use super::*;

fn parse(text: &str) -> Result<Config, ConfigError> {
    Config::parse("deployer.toml", text, Overrides::default())
}

fn errors(text: &str) -> Vec<String> {
    let error = parse(text).expect_err(text);
    error.to_string().lines().map(str::to_owned).collect()
}

/// A line of TOML for one key by its path.
fn line(path: &str, value: &str) -> String {
    match path.rsplit_once('.') {
        Some((section, name)) => format!("[{section}]\n{name} = {value}"),
        None => format!("{path} = {value}"),
    }
}

#[test]
fn the_documented_file_parses_to_the_defaults_and_has_every_key() {
    let text = documented();
    let written = Config {
        region_source: "deployer.toml".into(),
        ..Config::default()
    };
    assert_eq!(parse(&text).unwrap(), written);
    assert_eq!(parse("").unwrap(), Config::default());
    for key in keys() {
        assert!(text.contains(key.name()), "{}", key.path);
        assert!(
            key.doc.ends_with('.') && !key.takes().ends_with('.'),
            "{}",
            key.path
        );
    }
    assert!(text.lines().all(|l| l.chars().count() <= 120), "{text}");
    assert!(text.contains("[tags.set]"), "{text}");
}

#[test]
fn every_key_refuses_a_wrong_type_with_key_value_and_what_it_takes() {
    for key in keys() {
        for (value, shown) in [
            ("true", "true"),
            ("2026-01-01", "the date 2026-01-01"),
            ("{ a = 1 }", "a table"),
        ] {
            let text = line(key.path, value);
            let yes_or_no = key.takes() == "true or false";
            if key.is_table() && value.starts_with('{') || yes_or_no && value == "true" {
                continue;
            }
            let last = text.lines().count();
            let expected = format!(
                "deployer.toml:{last}: `{}` is {shown}; it takes {}",
                key.path,
                key.takes()
            );
            assert_eq!(errors(&text), [expected]);
        }
    }
}

#[test]
fn values_arrive_where_they_belong() {
    let config = parse(
        "suffix = \"pr42\"\n[network]\nzones = 4\nblue_cidr = \"172.20.0.0/16\"\n[database]\nmin_capacity = 1\n[run]\nin_use_timeout_seconds = 7\n[tags]\nignore = [\"x*\"]\n[tags.set]\nTeam = \"core\"\nCostCenter = \"other\"\n",
    )
    .unwrap();
    assert_eq!(config.suffix, "pr42");
    assert_eq!(config.network.zones, 4);
    assert_eq!(config.network.blue_cidr.to_string(), "172.20.0.0/16");
    assert_eq!(config.database.min_capacity, 1.0);
    assert_eq!(config.run.in_use_timeout, Duration::from_secs(7));
    assert_eq!(config.tags.ignore, ["x*"]);
    let tags: Vec<_> = config
        .tags
        .set
        .iter()
        .map(|(k, v)| (k.as_str(), v.as_str()))
        .collect();
    assert_eq!(
        tags,
        [
            ("CostCenter", "other"),
            ("ManagedBy", "deployer"),
            ("Service", "payment-processing"),
            ("Team", "core")
        ]
    );
}

#[test]
fn errors_say_what_was_got_and_what_would_be_right() {
    let table = [
        (
            "[network]\nblue_cidr = \"10.10.7.1/16\"",
            "deployer.toml:2: `network.blue_cidr` is \"10.10.7.1/16\" (bits of the host part are set; the block is 10.10.0.0/16); it takes a private /16 of RFC 1918 (in 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16), such as \"10.10.0.0/16\"",
        ),
        (
            "[network]\ngreen_cidr = \"10.30.0.0/20\"",
            "deployer.toml:2: `network.green_cidr` is \"10.30.0.0/20\" (the /16 around it is 10.30.0.0/16); it takes a private /16 of RFC 1918 (in 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16), such as \"10.20.0.0/16\"",
        ),
        (
            "[network]\ngreen_cidr = \"8.8.0.0/16\"",
            "deployer.toml:2: `network.green_cidr` is \"8.8.0.0/16\" (it is not private); it takes a private /16 of RFC 1918 (in 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16), such as \"10.20.0.0/16\"",
        ),
        (
            "[network]\ngreen_cidr = \"10.10.0.0/16\"",
            "deployer.toml:2: `network.blue_cidr` (10.10.0.0/16) and `network.green_cidr` (10.10.0.0/16) overlap; they take blocks that don't, such as 10.10.0.0/16 and 10.20.0.0/16",
        ),
        (
            "[network]\nblue_cidr = \"10.010.0.0/16\"",
            "deployer.toml:2: `network.blue_cidr` is \"10.010.0.0/16\" (write it without leading zeros: 10.10.0.0/16); it takes a private /16 of RFC 1918 (in 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16), such as \"10.10.0.0/16\"",
        ),
        (
            "environments = []",
            "deployer.toml:1: `environments` is an empty list; it takes a list of \"blue\", \"green\" or both",
        ),
        (
            "environments = [\"blue\", \"red\"]",
            "deployer.toml:1: `environments` is [\"blue\", \"red\"] (`red` is none); it takes a list of \"blue\", \"green\" or both",
        ),
        (
            "environments = [[\"blue\"], \"green\"]",
            "deployer.toml:1: `environments` is a list of 2; it takes a list of \"blue\", \"green\" or both",
        ),
        (
            "[migration]\nruntime = \"nodejs99.x\"",
            "deployer.toml:2: `migration.runtime` is \"nodejs99.x\"; it takes \"nodejs18.x\", \"nodejs20.x\", \"nodejs22.x\", \"nodejs24.x\" or a later one with an even number",
        ),
        (
            "[prices]\nfoo = 1",
            "deployer.toml:2: `prices` is refused (`foo` is no price); it takes a table of prices in US dollars by their keys (`deployer cost --json` lists them), such as alb_hour = 0.025",
        ),
        (
            "[network]\nflow_log_days = 100",
            "deployer.toml:2: `network.flow_log_days` is 100 (the nearest is 90); it takes 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288 or 3653",
        ),
        (
            "[database]\nmin_capacity = 20",
            "deployer.toml:2: `database.min_capacity` is 20, which is over `database.max_capacity` (16)",
        ),
        (
            "[database]\nmax_capacity = 200",
            "deployer.toml:2: `database.max_capacity` is 200; with `database.engine_version` 14.6 it takes at most 128",
        ),
        (
            "[storage]\ndeep_archive_days = 120\ntransaction_logs_glacier_days = 60",
            "deployer.toml:2: `storage.deep_archive_days` is 120; S3 takes it only when it is at least 90 days more than `storage.transaction_logs_glacier_days` (60), so 150 or more",
        ),
        (
            "network = 3",
            "deployer.toml:1: `network` is 3; it takes a table of keys: zones, blue_cidr, green_cidr, flow_log_days",
        ),
    ];
    for (text, expected) in table {
        assert_eq!(errors(text), [expected]);
    }
    assert!(parse("[database]\nmax_capacity = 200\nengine_version = \"16.3\"").is_ok());
    assert!(
        parse("[network]\nblue_cidr = \"10.20.0.0/16\"\ngreen_cidr = \"10.10.0.0/16\"").is_ok()
    );
}

#[test]
fn unknown_keys_name_the_nearest_known_one() {
    for (text, key, nearest) in [
        ("sufix = \"a\"", "sufix", "suffix"),
        ("zones = 3", "zones", "network.zones"),
        ("[netwrok]\nzones = 3", "netwrok", "network"),
        ("[network]\nzone = 3", "network.zone", "network.zones"),
        (
            "[database]\nengine = \"14.6\"",
            "database.engine",
            "database.engine_version",
        ),
        (
            "[run]\ncall_timeout = 3",
            "run.call_timeout",
            "run.call_timeout_seconds",
        ),
        ("[tags]\nTeam = \"x\"", "tags.Team", "tags.set"),
    ] {
        let all = errors(text);
        let last = text.lines().count();
        let at = if key.contains('.') { last } else { 1 };
        assert_eq!(
            all,
            [format!(
                "deployer.toml:{at}: unknown key `{key}`; the nearest known one is `{nearest}`"
            )]
        );
    }
}

#[test]
fn what_is_near_nothing_gets_no_tip() {
    for (text, key) in [
        ("foo = {}", "foo"),
        ("[xyz]\nzones = 3", "xyz"),
        ("[network]\nsomething_else = 3", "network.something_else"),
    ] {
        let all = errors(text);
        let at = text.lines().count();
        let at = if key.contains('.') { at } else { 1 };
        assert_eq!(
            all,
            [format!(
                "deployer.toml:{at}: unknown key `{key}`; `deployer config` prints all keys"
            )]
        );
    }
}

#[test]
fn all_problems_are_listed_in_the_order_of_the_file() {
    let all = errors(
        "suffix = \"X\"\nfoo = 1\n[network]\nzones = 9\nblue_cidr = \"10.20.0.0/16\"\n[database]\nport = \"a\"\n",
    );
    let heads: Vec<_> = all
        .iter()
        .map(|l| l.split(": ").next().unwrap_or_default())
        .collect();
    assert_eq!(
        heads,
        [
            "deployer.toml:1",
            "deployer.toml:2",
            "deployer.toml:4",
            "deployer.toml:5",
            "deployer.toml:7"
        ],
        "{all:?}"
    );
}

#[test]
fn what_is_not_toml_says_where() {
    let all = errors("suffix = \"a\"\nregion = \n");
    assert!(
        all[0].starts_with("deployer.toml:2: this is not TOML: "),
        "{all:?}"
    );
    let all = errors("suffix = \"a\"\nsuffix = \"b\"\n");
    assert!(
        all[0].starts_with("deployer.toml:2: this is not TOML: duplicate key"),
        "{all:?}"
    );
}

#[test]
fn flags_go_before_the_file_and_are_judged_alike() {
    let over = |suffix: &str| Overrides {
        suffix: Some(suffix.into()),
        region: Some("us-east-1".into()),
        state: Some("s3://states/team/".into()),
        parallelism: Some(3),
        environment_region: None,
    };
    let text = "suffix = \"Bad\"\nregion = \"eu-west-1\"\n[run]\nparallelism = 7";
    let config = Config::parse("f", text, over("pr1")).unwrap();
    assert_eq!(
        (
            config.suffix.as_str(),
            config.region.as_str(),
            config.run.parallelism
        ),
        ("pr1", "us-east-1", 3)
    );
    assert_eq!(config.shared_state(), Some(("states", "team")));
    let error = Config::parse("f", "", over("PR-1")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "`--suffix` is \"PR-1\"; it takes a lower-case letter and up to 11 lower-case letters or digits, such as \"pr42\""
    );
    let none = Overrides {
        parallelism: Some(0),
        ..Overrides::default()
    };
    assert_eq!(
        Config::parse("f", "", none).unwrap_err().to_string(),
        "`--parallelism` is 0; it takes 1 to 256"
    );
    let huge = Overrides {
        parallelism: Some(usize::MAX),
        ..Overrides::default()
    };
    assert!(Config::parse("f", "", huge).is_err());
}

#[test]
fn a_named_file_must_exist_and_be_readable() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.toml");
    let error = Config::load(Some(&path), Overrides::default()).unwrap_err();
    assert!(
        error.to_string().contains("x.toml` cannot be read"),
        "{error}"
    );
    std::fs::write(&path, "suffix = \"file\"").unwrap();
    assert_eq!(
        Config::load(Some(&path), Overrides::default())
            .unwrap()
            .suffix,
        "file"
    );
    std::fs::write(&path, [0xff, 0xfe]).unwrap();
    assert!(Config::load(Some(&path), Overrides::default()).is_err());
    assert!(Config::load(Some(folder.path()), Overrides::default()).is_err());
}

#[test]
fn an_old_key_names_the_new_one() {
    for (old, new) in [
        ("held_seconds", "run.in_use_timeout_seconds"),
        ("patience_seconds", "run.consistency_timeout_seconds"),
    ] {
        let reported = errors(&format!("[run]\n{old} = 3"));
        assert_eq!(
            reported,
            [format!(
                "deployer.toml:2: `run.{old}` is now called `{new}`; rename it"
            )]
        );
    }
}

#[test]
fn what_a_key_takes_is_what_its_parser_takes() {
    let takes = |path: &str| keys().iter().find(|k| k.path == path).unwrap().takes();
    assert_eq!(takes("network.zones"), "3 or 4");
    assert_eq!(takes("database.port"), "1150 to 65535");
    assert_eq!(
        takes("database.monitoring_seconds"),
        "1, 5, 10, 15, 30 or 60"
    );
    assert_eq!(
        takes("database.min_capacity"),
        "0.5 to 256 in steps of 0.5, not over `database.max_capacity`"
    );
}
