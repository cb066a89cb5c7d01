//! Store, journal and lock together: what a crash, a copy, a wrong hand or an older program leaves.

use super::*;
use proptest::prelude::*;
use serde_json::json;
use std::collections::BTreeMap;
use std::path::Path;

fn record(stage: Stage) -> Record {
    Record {
        kind: "ec2/vpc".into(),
        scope: "green".into(),
        name: "vpc-green-dev".into(),
        stage,
        token: String::new(),
        tags: BTreeMap::new(),
        inputs: json!({}),
        outputs: json!({}),
        needs: Vec::new(),
        at: jiff::Timestamp::UNIX_EPOCH,
    }
}

const HEADER: &str =
    r#"{"journal":1,"suffix":"dev","account":"123456789012","region":"eu-central-1","base":0}"#;

fn line(n: u64, step: &str, stage: Option<Stage>) -> String {
    json!({"n": n, "step": step, "record": stage.map(record)}).to_string()
}

fn replayed(text: &str) -> Result<State, StateError> {
    let mut state = State::empty("dev", "eu-central-1");
    super::journal::replay(
        Path::new("dev.journal.jsonl"),
        text.as_bytes(),
        &mut state,
        true,
    )
    .map(|_| state)
}

fn refused(lines: &[String]) -> String {
    let text = format!("{HEADER}\n{}\n", lines.join("\n"));
    replayed(&text).unwrap_err().to_string()
}

#[test]
fn a_torn_tail_is_ignored_and_other_damage_names_its_line() {
    use Stage::{Created, Creating, Ready};
    let (first, second) = (line(1, "a", Some(Creating)), line(2, "a", Some(Created)));
    let torn = format!("{HEADER}\n{first}\n{}", &second[..second.len() - 3]);
    assert_eq!(replayed(&torn).unwrap().steps["a"].stage, Creating);
    let twice = refused(&[first.clone(), first.clone()]);
    assert!(twice.contains("line 3: line number 1"), "{twice}");
    let gap = refused(&[first.clone(), line(3, "a", Some(Created))]);
    assert!(gap.contains("line 3: line number 3"), "{gap}");
    let jump = refused(&[first, line(2, "a", Some(Ready))]);
    assert!(
        jump.contains("line 3: a: a step cannot go from `creating` to `ready`"),
        "{jump}"
    );
    let vanished = refused(&[second.replace("\"n\":2", "\"n\":1"), line(2, "a", None)]);
    assert!(
        vanished.contains("`created` to `not recorded`"),
        "{vanished}"
    );
    let newer = HEADER.replace("\"journal\":1", "\"journal\":9");
    let newer = replayed(&format!("{newer}\n")).unwrap_err().to_string();
    assert!(newer.contains("format version 9"), "{newer}");
}

/// Any sequence of legal transitions of a few steps.
fn legal(choices: &[(usize, usize)]) -> Vec<(String, Option<Stage>)> {
    let mut at: BTreeMap<usize, Stage> = BTreeMap::new();
    let all: Vec<Option<Stage>> = std::iter::once(None).chain(Stage::ALL.map(Some)).collect();
    choices
        .iter()
        .map(|(step, choice)| {
            let from = at.get(step).copied();
            let open: Vec<Option<Stage>> = all
                .iter()
                .copied()
                .filter(|to| Stage::next(from, *to).is_ok())
                .collect();
            let to = open[choice % open.len()];
            match to {
                Some(stage) => at.insert(*step, stage),
                None => at.remove(step),
            };
            (format!("step-{step}"), to)
        })
        .collect()
}

proptest! {
    /// The process may die at any byte: what is whole counts, in order, and nothing else.
    #[test]
    fn any_prefix_of_a_legal_journal_replays_to_its_whole_lines(
        choices in prop::collection::vec((0usize..3, 0usize..5), 0..12),
        cut in 0.0f64..=1.0,
    ) {
        let run = legal(&choices);
        let lines: Vec<String> = (1..).zip(&run).map(|(n, (step, to))| line(n, step, *to)).collect();
        let body: String = lines.iter().map(|l| format!("{l}\n")).collect();
        let text = format!("{HEADER}\n{body}");
        let cut = HEADER.len() + 1 + (body.len() as f64 * cut) as usize;
        let whole = text[..cut].lines().count() - 1 - usize::from(!text[..cut].ends_with('\n'));
        let mut expected: BTreeMap<String, Stage> = BTreeMap::new();
        for (step, to) in &run[..whole] {
            match to {
                Some(stage) => expected.insert(step.clone(), *stage),
                None => expected.remove(step),
            };
        }
        let state = replayed(&text[..cut]).unwrap();
        let found: BTreeMap<String, Stage> = state.steps.into_iter().map(|(k, r)| (k, r.stage)).collect();
        prop_assert_eq!(found, expected);
    }
}

async fn open(folder: &Path) -> (Writer, State) {
    let store = LocalStore::new(folder, "dev");
    Writer::open(&store, "eu-central-1", "test").await.unwrap()
}

#[tokio::test]
async fn what_is_appended_survives_a_kill_and_an_illegal_record_is_not_written() {
    let folder = tempfile::tempdir().unwrap();
    let (writer, _) = open(folder.path()).await;
    let journal = writer.journal();
    for stage in [Stage::Creating, Stage::Created, Stage::Ready] {
        journal.append("a", Some(record(stage))).await.unwrap();
    }
    let illegal = journal.append("b", Some(record(Stage::Ready))).await;
    assert!(matches!(*illegal.unwrap_err(), StateError::Illegal { .. }));
    journal
        .append("c", Some(record(Stage::Creating)))
        .await
        .unwrap();
    // Killed here: nothing is saved whole. The lock goes with the last handle.
    drop((journal, writer));
    tokio::task::yield_now().await;
    let store = LocalStore::new(folder.path(), "dev");
    let state = read(&store, "eu-central-1").await.unwrap();
    assert_eq!(state.steps.keys().collect::<Vec<_>>(), ["a", "c"]);
    assert_eq!(state.steps["a"].stage, Stage::Ready);
}

#[tokio::test]
async fn a_save_contains_the_journal_and_the_history_grows_behind_what_is_whole() {
    let folder = tempfile::tempdir().unwrap();
    let (mut writer, mut state) = open(folder.path()).await;
    let entry = Entry {
        what: What::Started,
        command: "deployer apply".into(),
        who: "me@here".into(),
        account: "123456789012".into(),
        region: "eu-central-1".into(),
        serial: state.serial,
        configuration: String::new(),
        result: String::new(),
        steps: BTreeMap::new(),
    };
    writer.note(entry.clone()).await.unwrap();
    state.steps.insert("a".into(), record(Stage::Ready));
    writer.save(&mut state).await.unwrap();
    assert!(!folder.path().join("dev.journal.jsonl").exists());
    drop(writer);
    tokio::task::yield_now().await;
    let path = folder.path().join("dev.history.jsonl");
    let torn = [std::fs::read(&path).unwrap(), b"{\"n\": 2".to_vec()].concat();
    std::fs::write(&path, torn).unwrap();
    let store = LocalStore::new(folder.path(), "dev");
    let cut = history(&store).await.unwrap();
    assert_eq!((cut.lines.len(), cut.torn), (1, true));
    let (mut writer, state) = open(folder.path()).await;
    assert_eq!((state.serial, state.steps.len()), (1, 1));
    writer.note(entry).await.unwrap();
    let runs = history(&store).await.unwrap();
    assert_eq!((runs.lines.len(), runs.torn), (2, false));
}

/// State and journal as the last program that wrote version 1 left them: read, carried over, and written as what is
/// current.
#[tokio::test]
async fn a_state_and_a_journal_of_version_1_are_carried_over() {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in [
        ("dev.json", include_str!("v1/dev.json")),
        ("dev.journal.jsonl", include_str!("v1/dev.journal.jsonl")),
    ] {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    let store = LocalStore::new(folder.path(), "dev");
    let state = read(&store, "eu-central-1").await.unwrap();
    let stages: BTreeMap<&str, Stage> = state
        .steps
        .iter()
        .map(|(id, r)| (id.as_str(), r.stage))
        .collect();
    assert_eq!(
        stages,
        BTreeMap::from([
            ("key-data-green", Stage::Ready),
            ("sessions-green", Stage::Creating),
            ("transit-gateway-shared", Stage::Created),
            ("vpc-green", Stage::Ready),
        ])
    );
    assert_eq!(state.timings["ec2/vpc"].create, Some(0.5));
    let (mut writer, mut state) = open(folder.path()).await;
    writer.save(&mut state).await.unwrap();
    let text = std::fs::read_to_string(folder.path().join("dev.json")).unwrap();
    assert!(text.contains("\"version\": 2"), "{text}");
}
