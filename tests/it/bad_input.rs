//! Bad input and bad surroundings: a clear error with the right exit code, and nothing called or overwritten.

use crate::support::again::until;
use crate::support::lab::{Lab, finish};
use serde_json::{Value, json};
use std::os::unix::fs::PermissionsExt;

#[test]
fn a_bad_configuration_names_key_value_and_what_is_taken_and_calls_nothing() {
    let lab = Lab::start();
    let since = lab.mark();
    let cases = [
        ("suffix = \"Bad_One\"", "suffix", "Bad_One"),
        (
            "[network]\nblue_cidr = \"10.10.0.0/33\"",
            "network.blue_cidr",
            "10.10.0.0/33",
        ),
        (
            "[network]\nblue_cidr = \"10.20.0.0/16\"",
            "network.",
            "10.20.0.0/16",
        ),
        ("[netwrk]\nzones = 3", "netwrk", "network"),
        ("[network]\nzone = 3", "zone", "zones"),
        ("[network]\nzones = \"three\"", "network.zones", "three"),
        ("[network]\nzones = 2", "network.zones", "3"),
        (
            "[database]\nmin_capacity = 0.7",
            "database.min_capacity",
            "0.7",
        ),
    ];
    for (text, key, also) in cases {
        std::fs::write(lab.dir.path().join("deployer.toml"), text).unwrap();
        let done = lab.run(&["apply", "--yes"]).expect(3);
        assert!(
            done.err.contains(key) && done.err.contains(also),
            "{text}: {}",
            done.err
        );
    }
    std::fs::remove_file(lab.dir.path().join("deployer.toml")).unwrap();
    for arguments in [
        &["apply", "--yes", "--suffix", "9x"][..],
        &["apply", "--yes", "--config", "nowhere.toml"],
        &["aply"],
        &["apply", "--env", "red"],
    ] {
        lab.run(arguments).expect(3);
    }
    assert_eq!(lab.calls(since).len(), 0, "nothing was called");
}

#[test]
fn without_a_terminal_and_without_yes_it_refuses_and_writes_nothing() {
    let lab = Lab::start();
    let since = lab.mark();
    let done = lab.run(&["apply"]).expect(3);
    assert!(done.err.contains("--yes"), "{}", done.err);
    let nowhere = "not/there/page.html";
    let done = lab.run(&["apply", "--yes", "--timings", nowhere]).expect(3);
    assert!(done.err.contains(nowhere), "{}", done.err);
    assert_eq!(lab.calls(since).len(), 0);
    lab.run(&["apply", "--env", "green", "--yes"]).expect(0);
    let since = {
        assert_eq!(lab.writes(since).len(), lab.writes(0).len());
        lab.mark()
    };
    lab.run(&["destroy"]).expect(3);
    assert_eq!(lab.writes(since), Vec::<String>::new());
}

#[test]
fn missing_or_expired_credentials_end_before_any_write() {
    let lab = Lab::start();
    let since = lab.mark();
    let mut command = lab.command(&["apply", "--yes"]);
    command
        .env_remove("AWS_ACCESS_KEY_ID")
        .env_remove("AWS_SECRET_ACCESS_KEY")
        .env("HOME", lab.dir.path());
    let output = command.output().unwrap();
    let err = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{err}");
    assert!(
        err.contains("credentials") && err.contains("hint:"),
        "{err}"
    );
    let expired = json!({"errors": {"*": {"code": "ExpiredToken", "message": "The security token included in the request is expired", "status": 403}}});
    lab.faults(&expired);
    let done = lab.run(&["apply", "--yes"]).expect(1);
    assert!(
        done.err.contains("ExpiredToken") && done.err.contains("log in again"),
        "{}",
        done.err
    );
    // Those that expire while it looks around end it at once, and are said once.
    let expired = json!({"errors": {"logs:*": expired["errors"]["*"]}});
    lab.faults(&expired);
    let done = lab.run(&["destroy", "--yes", "--destroy-data"]).expect(1);
    let said = format!("{}{}", done.out, done.err);
    assert_eq!(said.matches("log in again").count(), 1, "{said}");
    assert_eq!(lab.writes(since), Vec::<String>::new());
}

#[test]
fn a_profile_that_is_named_is_meant() {
    let lab = Lab::start();
    let since = lab.mark();
    // The keys in the environment could be those of another account.
    let done = lab
        .run(&["apply", "--yes", "--profile", "nowhere"])
        .expect(1);
    assert!(done.err.contains("`nowhere`"), "{}", done.err);
    let mut command = lab.command(&["plan"]);
    command
        .env_remove("AWS_ACCESS_KEY_ID")
        .env_remove("AWS_SECRET_ACCESS_KEY")
        .env("HOME", lab.dir.path())
        .env("AWS_PROFILE", "misspelt");
    let done = finish(&mut command).expect(1);
    assert!(done.err.contains("no profile `misspelt`"), "{}", done.err);
    let mut command = lab.command(&["plan"]);
    command.env("AWS_ENDPOINT_URL", "not-a-url");
    let done = finish(&mut command).expect(3);
    assert!(done.err.contains("AWS_ENDPOINT_URL"), "{}", done.err);
    assert_eq!(lab.calls(since).len(), 0, "nothing was called");
}

#[test]
fn with_json_there_is_one_document_also_when_nothing_can_be_done() {
    let lab = Lab::start();
    for (arguments, code, schema) in [
        (&["plan", "--bogus", "--json"][..], 3, "deployer.error/1"),
        (&["--json"], 3, "deployer.error/1"),
        (&["apply", "--json"], 3, "deployer.error/1"),
        (&["state", "show", "x", "--json"], 3, "deployer.error/1"),
        (
            &["sandbox", "up", "--latency", "x", "--json"],
            3,
            "deployer.error/1",
        ),
        (&["state", "unlock", "--json"], 0, "deployer.state-unlock/1"),
        (&["config", "--json"], 0, "deployer.text/1"),
        (&["completions", "bash", "--json"], 0, "deployer.text/1"),
        (&["outputs", "--json"], 0, "deployer.outputs/1"),
        (&["graph", "--json"], 0, "deployer.graph/1"),
    ] {
        let done = lab.run(arguments).expect(code);
        let document: serde_json::Value = serde_json::from_str(&done.out).unwrap();
        assert_eq!(document["schema"], schema, "{arguments:?}");
    }
}

#[test]
fn a_state_of_another_account_or_region_is_refused_before_any_write() {
    let lab = Lab::green();
    let path = lab.dir.path().join("state/dev.json");
    let text = std::fs::read_to_string(&path).unwrap();
    let since = lab.mark();
    std::fs::write(
        &path,
        text.replace(
            "\"account\": \"123456789012\"",
            "\"account\": \"999999999999\"",
        ),
    )
    .unwrap();
    for command in [
        &["apply", "--yes"][..],
        &["destroy", "--yes", "--destroy-data"],
    ] {
        let done = lab.run(command).expect(1);
        assert!(
            done.err.contains("999999999999") && done.err.contains("123456789012"),
            "{}",
            done.err
        );
    }
    std::fs::write(&path, &text).unwrap();
    let done = lab
        .run(&["apply", "--yes", "--region", "eu-west-1"])
        .expect(1);
    assert!(
        done.err.contains("eu-central-1") && done.err.contains("eu-west-1"),
        "{}",
        done.err
    );
    assert_eq!(lab.writes(since), Vec::<String>::new());
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
}

#[test]
fn a_damaged_state_is_named_and_never_overwritten() {
    let lab = Lab::green();
    let path = lab.dir.path().join("state/dev.json");
    let good = std::fs::read_to_string(&path).unwrap();
    let since = lab.mark();
    let other = good.replace("\"suffix\": \"dev\"", "\"suffix\": \"other\"");
    let newer = good.replace("\"version\": 2", "\"version\": 7");
    for (content, says) in [
        (&good[..good.len() / 2], "line"),
        ("", "empty"),
        (&newer, "version 7"),
        (
            &good.replace("\"version\": 2", "\"version\": 0"),
            "version 0",
        ),
        (&other, "other"),
    ] {
        std::fs::write(&path, content).unwrap();
        for command in [
            &["apply", "--yes"][..],
            &["destroy", "--yes", "--destroy-data"],
            &["plan"],
            &["drift"],
            &["status"],
        ] {
            let done = lab.run(command).expect(1);
            assert!(
                done.err.contains("dev.json") && done.err.contains(says),
                "{command:?} {}",
                done.err
            );
        }
        assert_eq!(std::fs::read_to_string(&path).unwrap(), content);
    }
    assert_eq!(lab.writes(since), Vec::<String>::new());
}

#[test]
fn a_torn_journal_line_is_cut_off_and_other_damage_stops_with_the_line() {
    let lab = Lab::start();
    lab.faults(&json!({"hang_after": 12}));
    assert!(
        lab.killed_when("hang_after", &["apply", "--env", "green", "--yes"])
            .is_none()
    );
    lab.faults(&json!({}));
    let path = lab.dir.path().join("state/dev.journal.jsonl");
    let journal = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, &journal[..40]).unwrap();
    let done = lab.run(&["apply", "--yes"]).expect(1);
    assert!(
        done.err.contains("dev.journal.jsonl line 1"),
        "{}",
        done.err
    );
    assert!(journal.lines().count() > 3, "{journal}");
    let mut lines: Vec<&str> = journal.lines().collect();
    lines[2] = "{\"n\": 2, garbage";
    std::fs::write(&path, lines.join("\n") + "\n").unwrap();
    let done = lab.run(&["apply", "--yes"]).expect(1);
    assert!(
        done.err.contains("dev.journal.jsonl line 3"),
        "{}",
        done.err
    );
    std::fs::write(&path, journal + "{\"n\": 99, \"step\": \"torn").unwrap();
    lab.run(&["apply", "--env", "green", "--yes"]).expect(0);
    lab.run(&["plan", "--env", "green"]).expect(0);
}

#[test]
fn an_unwritable_or_full_state_folder_is_a_clear_error_and_nothing_is_created() {
    let lab = Lab::start();
    let since = lab.mark();
    // Root may write anywhere, so a file where the folder should be stands for "unwritable" there.
    let blocked = lab.dir.path().join("blocked");
    std::fs::write(&blocked, "").unwrap();
    let done = lab
        .run(&["apply", "--yes", "--state-dir", "blocked"])
        .expect(1);
    assert!(done.err.contains("blocked"), "{}", done.err);
    let readonly = lab.dir.path().join("readonly");
    std::fs::create_dir(&readonly).unwrap();
    std::fs::set_permissions(&readonly, std::fs::Permissions::from_mode(0o555)).unwrap();
    if std::fs::write(readonly.join("probe"), "").is_err() {
        lab.run(&["apply", "--yes", "--state-dir", "readonly"])
            .expect(1);
    }
    assert_eq!(lab.writes(since), Vec::<String>::new());
}

/// No file may grow beyond a limit of the process: the journal meets it in the middle of the run, as on a full disk.
#[test]
fn a_disk_that_fills_in_the_middle_is_told_and_the_next_run_goes_on() {
    let lab = Lab::start();
    let empty = lab.ids();
    let apply = ["apply", "--env", "green", "--yes"];
    let usual = lab.command(&apply);
    let mut limited = std::process::Command::new("sh");
    limited
        .args(["-c", "ulimit -f 300; exec \"$0\" \"$@\""])
        .arg(usual.get_program())
        .args(usual.get_args())
        .current_dir(lab.dir.path())
        .stdin(std::process::Stdio::null());
    for (key, value) in usual.get_envs() {
        match value {
            Some(value) => limited.env(key, value),
            None => limited.env_remove(key),
        };
    }
    let output = limited.output().unwrap();
    let reported = [output.stdout.as_slice(), &output.stderr].concat();
    let reported = String::from_utf8_lossy(&reported);
    assert_eq!(output.status.code(), Some(1), "{reported}");
    assert!(
        reported.contains("dev.journal.jsonl") && reported.contains("Free some space"),
        "{reported}"
    );
    assert_ne!(lab.ids(), empty, "it came some way");
    lab.run(&apply).expect(0);
    lab.run(&["plan", "--env", "green"]).expect(0);
    lab.run(&["destroy", "--yes", "--destroy-data"]).expect(0);
    assert_eq!(lab.ids(), empty);
}

#[test]
fn the_second_of_two_applies_exits_4_and_names_the_first() {
    let lab = Lab::start();
    lab.faults(&json!({"hang_after": 1, "hang_seconds": 3}));
    let since = lab.mark();
    let first = lab.spawn(&["apply", "--env", "green", "--yes"]);
    until(|| first.said(), || !lab.writes(since).is_empty());
    // Whoever is locked out does not even connect.
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    nobody.set_nonblocking(true).unwrap();
    let elsewhere = format!("http://{}", nobody.local_addr().unwrap());
    let mut second = lab.command(&["destroy", "--yes", "--destroy-data"]);
    let done = finish(second.env("AWS_ENDPOINT_URL", elsewhere)).expect(4);
    let connected = nobody.accept().map(drop).map_err(|e| e.kind());
    assert_eq!(connected, Err(std::io::ErrorKind::WouldBlock));
    assert!(
        done.err.contains("apply --env green") && done.err.contains(&first.id().to_string()),
        "{}",
        done.err
    );
    // Reading is allowed meanwhile.
    lab.run(&["status"]).expect(0);
    lab.faults(&json!({}));
    first.ended().expect(0);
}

#[test]
fn a_damaged_state_that_somebody_else_holds_stays_where_it_is() {
    let lab = Lab::start();
    let folder = lab.dir.path().join("state");
    std::fs::create_dir_all(&folder).unwrap();
    let (state, journal) = (folder.join("dev.json"), folder.join("dev.journal.jsonl"));
    std::fs::write(&state, "{ torn").unwrap();
    std::fs::write(&journal, "what the other run has written\n").unwrap();
    let held = deployer::state::Lock::take(&folder.join("dev.lock"), "deployer apply").unwrap();
    let since = lab.mark();
    let done = lab.run(&["state", "rebuild", "--yes"]).expect(4);
    assert!(done.err.contains("deployer apply"), "{}", done.err);
    assert_eq!(lab.calls(since).len(), 0);
    let kept = || [&state, &journal].map(|path| std::fs::read_to_string(path).unwrap());
    assert_eq!(kept(), ["{ torn", "what the other run has written\n"]);
    // Also where it was taken while the question was asked.
    let store = deployer::state::LocalStore::new(&folder, "dev");
    let aside = deployer::state::Store::set_aside(&store, deployer::state::Part::State);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    assert!(runtime.block_on(aside).is_err());
    assert_eq!(kept(), ["{ torn", "what the other run has written\n"]);
    drop(held);
    let done = lab.run(&["state", "rebuild", "--yes"]).expect(0);
    assert!(done.err.contains("dev.json.damaged-"), "{}", done.err);
    lab.run(&["state", "list"]).expect(0);
    // Whatever is wrong with the history of runs, the state is not.
    let steps = || {
        let text = std::fs::read_to_string(&state).unwrap();
        serde_json::from_str::<Value>(&text).unwrap()["steps"].clone()
    };
    let before = steps();
    std::fs::write(folder.join("dev.history.jsonl"), "torn\n").unwrap();
    let done = lab.run(&["apply", "--env", "green", "--yes"]).expect(1);
    assert!(done.err.contains("state rebuild"), "{}", done.err);
    let done = lab.run(&["state", "rebuild", "--yes"]).expect(0);
    let kept = "dev.history.jsonl.damaged-";
    assert!(
        done.err.contains(kept) && !done.err.contains("dev.json.damaged-"),
        "{}",
        done.err
    );
    assert_eq!(steps(), before);
}
