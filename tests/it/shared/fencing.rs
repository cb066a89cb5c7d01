//! Writers on several hosts that take the lock away from each other at any moment, in virtual time: whatever was acknowledged
//! is there in the end, and whoever lost the lock writes nothing more.

use crate::support::bucket::{Bucket, Runs};
use deployer::state::{
    Entry, ObjectStore, Record, Stage, StateError, Store, What, Writer, history, read,
};
use fastrand::Rng;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex};
use std::time::Duration;

const REGION: &str = "eu-central-1";

/// What was acknowledged.
#[derive(Default)]
struct Acknowledged {
    steps: BTreeSet<String>,
    notes: BTreeSet<String>,
    /// Runs that found that they had lost the lock.
    lost: usize,
    taken: usize,
}

fn record(step: &str) -> Record {
    Record {
        kind: "test/quick".into(),
        scope: "green".into(),
        name: step.into(),
        stage: Stage::Creating,
        token: String::new(),
        tags: BTreeMap::new(),
        inputs: json!({}),
        outputs: json!(null),
        needs: Vec::new(),
        at: jiff::Timestamp::UNIX_EPOCH,
    }
}

fn entry(command: &str) -> Entry {
    Entry {
        what: What::Started,
        command: command.into(),
        who: "seed".into(),
        account: "1".into(),
        region: REGION.into(),
        serial: 0,
        configuration: String::new(),
        result: String::new(),
        steps: BTreeMap::new(),
    }
}

/// One run: it records, notes and saves until it is done or has lost the lock.
async fn run(
    store: &ObjectStore,
    name: &str,
    rng: &mut Rng,
    acknowledged: &Mutex<Acknowledged>,
) -> Result<(), StateError> {
    let (mut writer, mut state) = Writer::open(store, REGION, name).await?;
    writer.note(entry(name)).await?;
    acknowledged.lock().unwrap().notes.insert(name.into());
    for n in 0..rng.u8(1..5) {
        let batch = (0..rng.u8(1..4)).map(|part| format!("{name}-{n}-{part}"));
        let batch: Vec<String> = batch.collect();
        let journal = writer.journal();
        let all = batch
            .iter()
            .map(|step| journal.append(step, Some(record(step))));
        for (step, done) in batch.iter().zip(futures::future::join_all(all).await) {
            done.map_err(|e| StateError::Illegal { why: e.to_string() })?;
            state.steps.insert(step.clone(), record(step));
            acknowledged.lock().unwrap().steps.insert(step.clone());
        }
        // Some sleep longer than whole runs of others take.
        let longest = if rng.u8(0..8) == 0 { 5_000 } else { 60 };
        tokio::time::sleep(Duration::from_millis(rng.u64(0..longest))).await;
    }
    if rng.bool() {
        writer.save(&mut state).await?;
    }
    Ok(())
}

async fn host(
    bucket: Arc<Bucket>,
    runs: Arc<Runs>,
    host: u8,
    mut rng: Rng,
    acknowledged: Arc<Mutex<Acknowledged>>,
) {
    for n in 0..6 {
        let store = ObjectStore::new(bucket.clone(), runs.clone(), "t");
        let name = format!("h{host}r{n}");
        tokio::time::sleep(Duration::from_millis(rng.u64(0..200))).await;
        match run(&store, &name, &mut rng, &acknowledged).await {
            Err(StateError::Locked(_)) => {
                if rng.u8(0..3) == 0 && store.break_lock().await.unwrap().is_some() {
                    acknowledged.lock().unwrap().taken += 1;
                }
            }
            Err(StateError::Lost { .. } | StateError::Illegal { .. }) => {
                acknowledged.lock().unwrap().lost += 1;
            }
            Err(other) => panic!("{other}"),
            Ok(()) => {}
        }
        // Some end without giving the lock back.
        if rng.u8(0..4) != 0 {
            store.release().await.unwrap();
        }
    }
}

async fn life(seed: u64) -> (usize, usize) {
    let mut rng = Rng::with_seed(seed);
    let bucket = Arc::new(Bucket::new(rng.fork()));
    bucket.trouble.store([0, 10, 30][rng.usize(0..3)], Relaxed);
    let (runs, acknowledged) = (Arc::new(Runs::elsewhere()), Arc::default());
    let hosts = (0..3).map(|n| {
        let acknowledged: &Arc<Mutex<Acknowledged>> = &acknowledged;
        let task = host(
            bucket.clone(),
            runs.clone(),
            n,
            rng.fork(),
            acknowledged.clone(),
        );
        tokio::spawn(task)
    });
    for task in futures::future::join_all(hosts.collect::<Vec<_>>()).await {
        task.unwrap();
    }
    // What is late has come.
    tokio::time::sleep(Duration::from_secs(10)).await;
    bucket.trouble.store(0, Relaxed);
    let store = ObjectStore::new(bucket.clone(), runs, "t");
    let state = read(&store, REGION).await.unwrap();
    let recorded: BTreeSet<String> = state.steps.keys().cloned().collect();
    let acknowledged = std::mem::take(&mut *acknowledged.lock().unwrap());
    let missing: Vec<_> = acknowledged.steps.difference(&recorded).collect();
    assert!(
        missing.is_empty(),
        "seed {seed}: acknowledged and lost: {missing:?}"
    );
    let noted = history(&store).await.unwrap().lines.into_iter();
    let noted: BTreeSet<String> = noted.map(|line| line.entry.command).collect();
    let missing: Vec<_> = acknowledged.notes.difference(&noted).collect();
    assert!(missing.is_empty(), "seed {seed}: notes lost: {missing:?}");
    // The next run leaves what is needed and nothing else.
    store.break_lock().await.unwrap();
    let (mut writer, mut state) = Writer::open(&store, REGION, "last").await.unwrap();
    writer.save(&mut state).await.unwrap();
    store.release().await.unwrap();
    assert_eq!(read(&store, REGION).await.unwrap(), state, "seed {seed}");
    (acknowledged.taken, acknowledged.lost)
}

#[test]
fn what_was_acknowledged_is_never_lost_whoever_takes_the_lock_away() {
    let (mut taken, mut lost) = (0, 0);
    for seed in 0..300 {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        let counts = runtime.block_on(life(seed));
        (taken, lost) = (taken + counts.0, lost + counts.1);
    }
    println!("{taken} locks taken away, {lost} runs found out");
    assert!(taken > 100 && lost > 100, "{taken} {lost}");
}

#[tokio::test(start_paused = true)]
async fn a_run_that_lost_the_lock_writes_nothing_more_and_names_who_has_it() {
    let bucket = Arc::new(Bucket::new(Rng::with_seed(1)));
    let runs = Arc::new(Runs::elsewhere());
    let store = || ObjectStore::new(bucket.clone(), runs.clone(), "t");
    let (first, second) = (store(), store());
    let (mut old, mut state) = Writer::open(&first, REGION, "first").await.unwrap();
    old.journal().append("a", Some(record("a"))).await.unwrap();
    let Err(StateError::Locked(holder)) = second.lock("second").await else {
        panic!("two hold the lock");
    };
    assert_eq!(holder.command, "first");
    assert_eq!(second.break_lock().await.unwrap().unwrap().command, "first");
    // It is fenced as soon as the lock is taken away, and not only by the next holder.
    let error = old.journal().append("b", Some(record("b"))).await;
    let error = error.unwrap_err().to_string();
    assert!(error.contains("was taken away"), "{error}");
    let (mut new, found) = Writer::open(&second, REGION, "second").await.unwrap();
    assert_eq!(found.steps.keys().collect::<Vec<_>>(), ["a"]);
    for error in [
        old.save(&mut state).await.unwrap_err(),
        old.note(entry("first")).await.unwrap_err(),
    ] {
        assert!(error.to_string().contains("over by `second`"), "{error}");
    }
    first.release().await.unwrap();
    new.journal().append("c", Some(record("c"))).await.unwrap();
    new.note(entry("second")).await.unwrap();
    let state = read(&store(), REGION).await.unwrap();
    assert_eq!(state.steps.keys().collect::<Vec<_>>(), ["a", "c"]);
    // What it wrote before it found out is gone again.
    assert!(
        !bucket
            .keys()
            .iter()
            .any(|key| key.contains("0000000001-") && !key.starts_with("journal/"))
    );
}

#[tokio::test(start_paused = true)]
async fn a_run_that_comes_back_after_whole_runs_of_others_writes_nothing_more() {
    let bucket = Arc::new(Bucket::new(Rng::with_seed(1)));
    let runs = Arc::new(Runs::elsewhere());
    let store = || ObjectStore::new(bucket.clone(), runs.clone(), "t");
    let first = store();
    let (old, _) = Writer::open(&first, REGION, "first").await.unwrap();
    old.journal().append("a", Some(record("a"))).await.unwrap();
    // The first of the others ends in order; the second dies, so that the third clears away what it left.
    for (name, ends) in [("second", true), ("third", false), ("fourth", true)] {
        let other = store();
        other.break_lock().await.unwrap();
        let (mut writer, mut state) = Writer::open(&other, REGION, name).await.unwrap();
        let step = format!("of the {name}");
        let journal = writer.journal();
        journal.append(&step, Some(record(&step))).await.unwrap();
        state.steps.insert(step.clone(), record(&step));
        if ends {
            writer.save(&mut state).await.unwrap();
            other.release().await.unwrap();
        }
        let error = old.journal().append("b", Some(record("b"))).await;
        let error = error.unwrap_err().to_string();
        assert!(error.contains("was taken"), "{name}: {error}");
    }
    let state = read(&store(), REGION).await.unwrap();
    let steps: Vec<_> = state.steps.keys().collect();
    assert_eq!(
        steps,
        ["a", "of the fourth", "of the second", "of the third"]
    );
}
