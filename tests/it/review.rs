//! Plans that are reviewed and saved, and the nightly check: what people and schedulers do between two runs.

use crate::support::lab::Lab;
use serde_json::{Value, json};
use std::process::Command;

const RUN: &str =
    "[run]\nconsistency_timeout_seconds = 3\ncall_timeout_seconds = 20\napi_limits = 1000\n";

fn configure(lab: &Lab, more: &str) {
    let text = format!("{more}\n{RUN}");
    std::fs::write(lab.dir.path().join("deployer.toml"), text).unwrap();
}

#[test]
fn a_saved_plan_is_run_as_it_is_and_refused_once_anything_has_moved_on() {
    let lab = Lab::green();
    let planned = "environments = [\"green\"]\n[logs]\nservice_days = 30\n";
    configure(&lab, planned);
    let plan = lab
        .run(&["plan", "--out", "plan.json", "--json"])
        .expect(2)
        .json();
    assert_eq!(
        plan["scope"], "green",
        "the only environment is meant without --env"
    );
    let path = lab.dir.path().join("plan.json");
    let text = std::fs::read_to_string(&path).unwrap();
    let saved: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(saved["schema"], "deployer.saved-plan/1");
    assert_eq!(saved["content"]["plan"]["summary"], plan["summary"]);
    assert!(!text.contains("@{"), "no internal syntax");

    let since = lab.mark();
    let refused = |code: i32, why: &str| {
        let done = lab.run(&["apply", "plan.json"]).expect(code);
        assert!(done.err.contains(why), "{}", done.err);
    };
    std::fs::write(&path, text.replace("\"update\"", "\"delete\"")).unwrap();
    refused(3, "damaged, or somebody changed it");
    std::fs::write(&path, &text[..text.len() / 2]).unwrap();
    refused(3, "is no saved plan");
    std::fs::write(&path, text.replace("saved-plan/1", "saved-plan/2")).unwrap();
    refused(3, "its format is");
    std::fs::write(&path, &text).unwrap();
    configure(&lab, &planned.replace("30", "60"));
    refused(8, "the configuration has changed: logs.service_days");
    configure(&lab, planned);
    let days = |days: u32| {
        lab.python(&format!(
            "c('logs').put_retention_policy(logGroupName='flow-logs-green-dev', retentionInDays={days})"
        ));
    };
    days(1);
    refused(8, "what is found in the account has changed");
    assert_eq!(lab.writes(since).len(), 1, "the change by hand");
    days(90);

    let chosen = lab.run(&["plan", "--step", "vpc-gren"]).expect(3);
    assert!(
        chosen.err.contains("did you mean `vpc-green`?"),
        "{}",
        chosen.err
    );
    let chosen = lab
        .run(&["plan", "--step", "vpc-green", "--json"])
        .expect(0)
        .json();
    assert!(
        chosen["notes"][0]
            .as_str()
            .unwrap()
            .contains("only the chosen steps"),
        "{chosen}"
    );
    let markdown = lab.run(&["plan", "--markdown"]).expect(2).out;
    assert!(
        markdown.starts_with("## Plan: green of suffix dev"),
        "{markdown}"
    );
    assert!(markdown.contains("+   retention_days: 30"), "{markdown}");

    lab.run(&["apply", "plan.json"]).expect(0);
    let after = lab.run(&["plan", "--json"]).expect(0).json();
    assert_eq!(after["steps"], json!([]));
    refused(8, "the state has changed");
}

#[test]
fn the_night_says_what_matters_and_nothing_when_all_is_well() {
    let lab = Lab::green();
    configure(&lab, "environments = [\"green\"]\n");
    let quiet = lab.run(&["drift", "--quiet"]).expect(0);
    assert_eq!((quiet.out.as_str(), quiet.err.as_str()), ("", ""));

    // cron's own environment: a short PATH, and nothing of the shell of whoever installed it.
    let printed = lab
        .run(&["nightly", "print", "cron", "--suffix", "dev"])
        .expect(0)
        .out;
    let line = printed.lines().find(|l| !l.starts_with('#')).unwrap();
    let command = line.splitn(6, ' ').nth(5).unwrap().replace("\\%", "%");
    let cron = |command: &str| {
        let mut shell = Command::new("/bin/sh");
        let home = lab.dir.path();
        shell.env_clear().args(["-c", command]).current_dir("/");
        shell
            .env("HOME", home)
            .env("LOGNAME", "ops")
            .env("PATH", "/usr/bin:/bin");
        // What a profile would give.
        shell
            .env("AWS_ENDPOINT_URL", &lab.endpoint)
            .env("AWS_ACCESS_KEY_ID", "test");
        shell.env("AWS_SECRET_ACCESS_KEY", "test").output().unwrap()
    };
    let ended = cron(&command);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert_eq!(
        (ended.status.code(), text(&ended.stdout)),
        (Some(0), String::new())
    );

    units(&lab);

    let group = security_group(&lab);
    lab.python(&format!(
        "c('ec2').authorize_security_group_ingress(GroupId='{group}', IpPermissions=[{{'IpProtocol': 'tcp', 'FromPort': 22, 'ToPort': 22, 'IpRanges': [{{'CidrIp': '0.0.0.0/0'}}]}}])\nc('logs').put_retention_policy(logGroupName='flow-logs-green-dev', retentionInDays=1)"
    ));
    let drift = lab.run(&["drift", "--json"]).expect(2).json();
    let findings = drift["findings"].as_array().unwrap();
    assert_eq!(drift["summary"]["severity"]["high"], 2, "{findings:#?}");
    let open = findings.iter().find(|finding| {
        let what = finding["what"].as_str().unwrap();
        what.contains("open to the internet: ingress.tcp/22 from 0.0.0.0/0")
    });
    let open = open.unwrap_or_else(|| panic!("{findings:#?}"));
    let step = open["step"].as_str().unwrap();
    let mail = text(&cron(&command).stdout);
    assert!(
        mail.contains("2 high") && mail.contains("tcp/22 from 0.0.0.0/0"),
        "{mail}"
    );

    let rule = |step: &str, path: &str, until: &str| {
        format!(
            "[[drift.accept]]\nstep = \"{step}\"\npath = \"{path}\"\nreason = \"agreed\"\nuntil = {until}\n"
        )
    };
    let both = rule(step, "ingress.*", "2999-12-31")
        + &rule("flow-logs-*", "retention_days", "2999-12-31");
    configure(&lab, &format!("environments = [\"green\"]\n{both}"));
    let accepted = lab.run(&["drift", "--json"]).expect(0).json();
    assert_eq!(accepted["summary"]["accepted"], 2);
    let expired = rule(step, "ingress.*", "2020-01-01") + &rule("nothing", "*", "2999-12-31");
    configure(&lab, &format!("environments = [\"green\"]\n{expired}"));
    let done = lab.run(&["drift"]).expect(2).out;
    assert!(
        done.contains("has expired on 2020-01-01")
            && done.contains("accepts nothing: no difference"),
        "{done}"
    );
}

/// The id of one of green's security groups.
fn security_group(lab: &Lab) -> String {
    let text = std::fs::read_to_string(lab.dir.path().join("state/dev.json")).unwrap();
    let state: Value = serde_json::from_str(&text).unwrap();
    let mut steps = state["steps"].as_object().unwrap().values();
    let group = steps.find(|s| s["kind"] == "ec2/security_group").unwrap();
    group["outputs"]["id"].as_str().unwrap().to_owned()
}

/// systemd's own verifier reads what is written; where there is none, the unit test of the texts stands alone.
fn units(lab: &Lab) {
    let dir = lab.dir.path().join("units");
    lab.run(&[
        "nightly", "print", "systemd", "--suffix", "dev", "--dir", "units",
    ])
    .expect(0);
    let files = ["deployer-drift-dev.service", "deployer-drift-dev.timer"].map(|f| dir.join(f));
    match Command::new("systemd-analyze")
        .arg("verify")
        .args(&files)
        .output()
    {
        Ok(verified) => {
            let said = String::from_utf8_lossy(&verified.stderr).into_owned();
            let about_us = said.lines().filter(|l| l.contains("deployer-drift"));
            assert_eq!(about_us.collect::<Vec<_>>(), Vec::<&str>::new());
        }
        Err(_) => println!("systemd-analyze is not on this machine: the units are not verified"),
    }
}
