//! What each kind of value takes and refuses.

use super::amounts::AMOUNTS;
use super::*;

/// The path of a key, values that it takes, and values that it refuses.
pub type Row = (
    &'static str,
    &'static [&'static str],
    &'static [&'static str],
);

#[test]
fn legal_and_illegal_values_of_every_kind() {
    let table: &[Row] = &[
        (
            "suffix",
            &["\"a\"", "\"pr42\"", "\"a23456789012\""],
            &[
                "\"\"",
                "\"A\"",
                "\"1a\"",
                "\"a-b\"",
                "\"a234567890123\"",
                "\"ä\"",
                "7",
                "\"a@{x.y}\"",
            ],
        ),
        (
            "region",
            &["\"eu-central-1\"", "\"ap-southeast-12\""],
            &[
                "\"\"",
                "\"eu\"",
                "\"eu-central\"",
                "\"eu-centrl-1\"",
                "\"EU-central-1\"",
                "\"eu central-1\"",
                "\"cn-north-1\"",
                "\"us-gov-west-1\"",
                "\"eu--central-1\"",
                "1",
            ],
        ),
        (
            "account",
            &["\"\"", "\"123456789012\""],
            &["\"12345678901\"", "\"12345678901x\"", "123456789012"],
        ),
        (
            "state",
            &["\"local\"", "\"s3://team-states\"", "\"s3://states/a/b_c\""],
            &["\"\"", "\"s3://\"", "\"s3://a.b.c/x\"", "7"],
        ),
        (
            "notify.topic",
            &["\"\"", "\"arn:aws:sns:eu-west-1:123456789012:runs_of-all\""],
            &[
                "\"runs\"",
                "\"arn:aws:sns:eu-west-1::runs\"",
                "\"arn:aws:sns:eu-west-1:123456789012:runs.fifo\"",
                "\"arn:aws:sqs:eu-west-1:123456789012:runs\"",
                "\"arn:aws:sns:eu-west-1:123456789012:runs:0a1b\"",
                "[]",
            ],
        ),
        (
            "notify.command",
            &["[]", "[\"notify\", \"--team\", \"\"]"],
            &["\"notify\"", "[\"\"]", "[1]", "[\"a\\u0000\"]"],
        ),
        (
            "notify.on",
            &["[]", "[\"failed\", \"unchanged\"]"],
            &["[\"done\"]", "\"failed\"", "[true]"],
        ),
        (
            "environments",
            &["[\"green\"]", "[\"blue\", \"green\"]"],
            &["[]", "[\"red\"]", "\"green\"", "[\"blue\", \"blue\"]"],
        ),
        (
            "drift.accept",
            &["[]", "[{step = \"a\", reason = \"b\", until = 2026-12-31}]"],
            &["[{step = \"a\"}]", "\"a\"", "[{}]"],
        ),
        ("protect", &["true", "false"], &["\"true\"", "1"]),
        (
            "tags.ignore",
            &["[]", "[\"aws-backup*\", \"map-migrated\"]"],
            &[
                "\"a\"",
                "[1]",
                "[\"\"]",
                "[\"a*b\"]",
                "[\"*\"]",
                "[\"Name\"]",
                "[\"Env*\"]",
            ],
        ),
        (
            "network.zones",
            &["3", "4", "0x3"],
            &["2", "5", "-3", "3.0", "\"3\""],
        ),
        (
            "network.blue_cidr",
            &[
                "\"10.77.0.0/16\"",
                "\"172.31.0.0/16\"",
                "\"192.168.0.0/16\"",
            ],
            &[
                "\"10.10.0.0\"",
                "\"10.10.0.0/17\"",
                "\"10.10.1.0/16\"",
                "\"10.077.0.0/16\"",
                "\"11.0.0.0/16\"",
                "\"172.32.0.0/16\"",
                "\"fd00::/16\"",
                "\"10.0.0.0/8\"",
                "16",
            ],
        ),
        (
            "network.flow_log_days",
            &["1", "90", "3653"],
            &["0", "2", "91", "-1", "99999999999"],
        ),
        (
            "routing.domain",
            &["\"\"", "\"pay.example.com\"", "\"a-1.example.com\""],
            &[
                "\"Pay.example.com\"",
                "\"example\"",
                "\"example.com.\"",
                "\"-a.example.com\"",
                "\"*.example.com\"",
                "\"a..com\"",
                "1",
            ],
        ),
        (
            "routing.certificate_arn",
            &[
                "\"\"",
                "\"arn:aws:acm:eu-central-1:123456789012:certificate/1-a\"",
            ],
            &[
                "\"arn:aws:acm:eu-west-1:123456789012:certificate/1-a\"",
                "\"arn:aws:acm:eu-central-1:123456789012:certificate/\"",
                "\"arn:aws:iam::123456789012:server-certificate/x\"",
                "\"x\"",
                "1",
            ],
        ),
        // Without a domain there is nothing to make a zone for.
        ("routing.create_zone", &["false"], &["\"yes\"", "true"]),
        (
            "waf.requests_per_client_per_minute",
            &["10", "2000000000"],
            &["9", "2000000001", "1.5"],
        ),
        ("traffic.bridge", &["true", "false"], &["\"off\""]),
        ("waf.log_days", &["90", "365"], &["91", "0"]),
        (
            "migration.runtime",
            &["\"nodejs18.x\"", "\"nodejs24.x\""],
            &[
                "\"nodejs16.x\"",
                "\"nodejs23.x\"",
                "\"nodejs17.x\"",
                "\"nodejs018.x\"",
                "\"python3.13\"",
                "18",
            ],
        ),
        (
            "migration.mapping",
            &["\"\"", "\"lambda/mappings/default.json\""],
            &[
                "\"no-such.json\"",
                "\"Cargo.toml\"",
                "\"lambda/package.json\"",
                "1",
            ],
        ),
        ("migration.interval_minutes", &["1", "60"], &["0", "61"]),
        ("migration.reserve_concurrency", &["false"], &["\"no\""]),
        (
            "migration.trusted_accounts",
            &["[]"],
            &[
                "\"123456789012\"",
                "[\"12345678901\"]",
                "[\"\"]",
                "[123456789012]",
                "[\"123456789012\", \"123456789012\"]",
                // Without an external ID.
                "[\"123456789012\"]",
            ],
        ),
        (
            "migration.external_id",
            &["\"\"", "\"vendor:42/a_b+c=d,e.f@g-h\""],
            &["\"a\"", "\"a b\"", "\"ä!\"", "1"],
        ),
        ("logs.database_days", &["365"], &["366", "90.0"]),
        ("logs.service_days", &["90"], &["91"]),
        (
            "services.image_tag",
            &["\"1\"", "\"v1.4.2-rc_1\""],
            &["\"\"", "\"-a\"", "\"a b\"", "\"a:b\"", "1"],
        ),
        ("services.cpu_target", &["10", "90"], &["9", "91"]),
        ("services.memory_target", &["10", "90"], &["9", "91"]),
        (
            "services.database_auth",
            &["\"secret\"", "\"iam\""],
            &["\"\"", "\"IAM\"", "true"],
        ),
        (
            "storage.transaction_logs_glacier_days",
            &["1", "275"],
            &["0", "276", "40000", "-1"],
        ),
        (
            "storage.compliance_docs_glacier_days",
            &["1", "275"],
            &["0", "276"],
        ),
        (
            "storage.deep_archive_days",
            &["180", "400"],
            &["179", "90", "36501"],
        ),
        (
            "storage.transaction_logs_expire_days",
            &["0", "366", "2555"],
            &["1", "365", "-1", "36501"],
        ),
        (
            "storage.compliance_docs_expire_days",
            &["0", "366"],
            &["365"],
        ),
        ("storage.access_logs_expire_days", &["1"], &["0"]),
        ("storage.noncurrent_days", &["1"], &["0"]),
        ("storage.abort_upload_days", &["1"], &["0"]),
        (
            "database.engine_version",
            &["\"14.6\"", "\"16.11\""],
            &[
                "\"14\"",
                "\"14.6.1\"",
                "\"14.\"",
                "\".6\"",
                "\"a.b\"",
                "14.6",
            ],
        ),
        (
            "database.name",
            &["\"payments\"", "\"A_1\""],
            &[
                "\"1a\"",
                "\"a-b\"",
                "\"\"",
                "\"postgres\"",
                "\"SELECT\"",
                "\"rdsadmin\"",
                "\"pg_x\"",
            ],
        ),
        (
            "database.master_user",
            &["\"payments_admin\"", "\"a\""],
            &[
                "\"admin\"",
                "\"a2345678901234567\"",
                "\"_a\"",
                "\"rdsadmin\"",
                "\"user\"",
            ],
        ),
        ("database.port", &["1150", "65535"], &["1149", "65536", "0"]),
        ("database.instances", &["1", "15"], &["0", "16"]),
        (
            "database.min_capacity",
            &["0.5", "1", "15.5", "16"],
            &["0", "0.25", "-1", "16.5", "nan", "inf", "300"],
        ),
        (
            "database.max_capacity",
            &["1", "128", "2.5"],
            &["0.5", "0", "129", "1.3", "256.5", "inf"],
        ),
        ("database.backup_days", &["1", "35"], &["0", "36"]),
        ("database.rotation_days", &["1", "1000"], &["0", "1001"]),
        (
            "database.monitoring_seconds",
            &["1", "5", "10", "15", "30", "60"],
            &["0", "2", "61"],
        ),
        (
            "database.auto_minor_upgrades",
            &["true", "false"],
            &["\"yes\"", "1"],
        ),
        (
            "database.insights_days",
            &["7", "31", "713", "731"],
            &["0", "8", "32", "744", "1"],
        ),
        (
            "monitoring.notify",
            &[
                "[]",
                "[\"ops@example.com\", \"https://example.com/alerts?x=1\"]",
            ],
            &[
                "\"ops@example.com\"",
                "[\"ops\"]",
                "[\"ops@example\"]",
                "[\"a b@example.com\"]",
                "[\"http://example.com\"]",
                "[\"https://user:secret@example.com\"]",
                "[\"a@example.com\", \"a@example.com\"]",
                "[1]",
            ],
        ),
        ("compliance.rules", &["true", "false"], &["\"on\""]),
        ("compliance.history_days", &["1", "2555"], &["0", "36501"]),
        ("keys.deletion_days", &["7", "30"], &["6", "31"]),
        ("keys.rotation_days", &["90", "2560"], &["89", "2561"]),
        ("run.parallelism", &["1", "256"], &["0", "257"]),
        (
            "run.consistency_timeout_seconds",
            &["1", "600"],
            &["0", "601"],
        ),
        ("run.call_timeout_seconds", &["1", "300"], &["0", "301"]),
        (
            "run.in_use_timeout_seconds",
            &["0", "86400"],
            &["-1", "86401"],
        ),
        (
            "run.api_limits",
            &["0.1", "1", "1000"],
            &["0", "0.05", "1001", "\"1\""],
        ),
    ];
    let table: Vec<&Row> = table.iter().chain(AMOUNTS).collect();
    for (path, good, bad) in &table {
        for value in *good {
            parse(&line(path, value)).unwrap_or_else(|e| panic!("{path} = {value}: {e}"));
        }
        for value in *bad {
            let all = errors(&line(path, value));
            assert_eq!(all.len(), 1, "{path} = {value}: {all:?}");
            assert!(all[0].contains(&format!("`{path}`")), "{all:?}");
        }
    }
    // `network.green_cidr` is like blue's, `tags.set` and `services.images` have tests of their own; every other key is in the
    // table.
    assert_eq!(table.len() + 3, keys().len());
}
