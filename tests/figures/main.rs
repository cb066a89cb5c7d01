//! Figures of the engine: `cargo test --bench figures` prints them. Nothing here fails on a timing.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a program for people"
)]

use async_trait::async_trait;
use deployer::engine::driver::{Key, Owned};
use deployer::engine::exec;
use deployer::engine::graph::{Builder, Kind, StepMeta};
use deployer::engine::observe::{observe, requests};
use deployer::engine::plan::{self, Options};
use deployer::engine::{
    Context, DeleteOptions, Delta, Driver, Error, Events, Graph, Identity, Limits, Live, Meta,
    Registry,
};
use deployer::state::{LocalStore, Writer};
use serde::Serialize;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

#[derive(Serialize)]
struct Nothing {
    number: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    after: Option<String>,
}
impl Kind for Nothing {
    const TYPE: &'static str = "figures/nothing";
    type Outputs = ();
}

/// A resource that does nothing: it is what it was asked to be.
struct Idle(Meta);

#[async_trait]
impl Driver for Idle {
    fn meta(&self) -> &Meta {
        &self.0
    }
    async fn read(&self, key: Key<'_>) -> Result<Option<Live>, Error> {
        Ok(key.outputs.map(|outputs| Live {
            spec: key.spec.clone(),
            mark: deployer::engine::Mark::Parent,
            outputs: outputs.clone(),
            phase: deployer::engine::Phase::Ready,
        }))
    }
    async fn create(&self, _: &Value, identity: &Identity) -> Result<Value, Error> {
        Ok(json!({"id": identity.step}))
    }
    async fn update(&self, _: &Value, _: &Value, _: &Delta) -> Result<(), Error> {
        Ok(())
    }
    async fn delete(&self, _: &Value, _: &Value, _: &DeleteOptions) -> Result<(), Error> {
        Ok(())
    }
    async fn owned(&self, _: &str) -> Result<Vec<Owned>, Error> {
        Ok(Vec::new())
    }
}

fn graph(steps: usize, chains: usize) -> Graph {
    let mut builder = Builder::new();
    for number in 0..steps {
        let id = format!("step-{number}");
        let after =
            (chains > 0 && number >= chains).then(|| format!("@{{step-{}.id}}", number - chains));
        let head = StepMeta {
            name: id.clone(),
            id,
            scope: "green".into(),
            tags: [("Service", "figures")]
                .map(|(k, v)| (k.into(), v.into()))
                .into(),
        };
        builder.add(head, Nothing { number, after });
    }
    builder.build().unwrap()
}

/// Seconds, bytes written and fsyncs of planning and applying a graph with a real journal and state.
async fn run(steps: usize, chains: usize) -> (f64, u64, u64) {
    let mut registry = Registry::default();
    let meta = Meta::plain(Nothing::TYPE);
    registry.add(Arc::new(Idle(meta)));
    let limits = Limits {
        parallelism: 256,
        consistency_timeout: Duration::ZERO,
        ..Limits::default()
    };
    let cx = Context::new(registry, Events::default(), limits);
    let folder = tempfile::tempdir().unwrap();
    let began = Instant::now();
    let graph = graph(steps, chains);
    let store = LocalStore::new(folder.path(), "figures");
    let (mut writer, mut state) = Writer::open(&store, "eu-central-1", "figures")
        .await
        .unwrap();
    let chosen = graph.select(None);
    let seen = {
        let requests = requests(&graph, &chosen, &state, |_, _| true);
        observe(&cx, &requests).await
    };
    let plan = plan::build(
        &graph,
        &chosen,
        &state,
        &seen,
        &cx.registry,
        &Options::default(),
    );
    assert_eq!(plan.nodes.len(), steps);
    drop((seen, graph));
    let journal = writer.journal();
    let report = exec::run(&cx, &plan, &mut state, Arc::new(journal.clone())).await;
    assert!(report.complete());
    writer.save(&mut state).await.unwrap();
    let whole = std::fs::metadata(folder.path().join("figures.json"))
        .unwrap()
        .len();
    let counters = &journal.counters;
    let bytes = counters.bytes.load(Ordering::Relaxed) + whole;
    (
        began.elapsed().as_secs_f64(),
        bytes,
        counters.syncs.load(Ordering::Relaxed),
    )
}

fn peak_mb() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|l| l.starts_with("VmHWM:"));
    line.and_then(|l| l.split_whitespace().nth(1)?.parse::<f64>().ok())
        .map_or(f64::NAN, |kb| kb / 1024.0)
}

/// Processor seconds of this process so far: what other work on the machine does not disturb.
fn processor_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The name, in brackets, may hold spaces; user and system time are the 14th and 15th field, in hundredths.
    let fields = stat
        .rsplit(')')
        .next()
        .into_iter()
        .flat_map(str::split_whitespace);
    fields
        .skip(11)
        .take(2)
        .filter_map(|f| f.parse::<f64>().ok())
        .sum::<f64>()
        / 100.0
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    println!(
        "{:>9} {:>8} {:>9} {:>9} {:>12} {:>8} {:>9}",
        "steps", "chains", "seconds", "cpu s", "bytes/step", "fsyncs", "peak MB"
    );
    for chains in [0, 100] {
        let mut first = (f64::NAN, f64::NAN);
        for steps in [100, 1_000, 10_000, 100_000] {
            let before = processor_seconds();
            let (seconds, bytes, syncs) = run(steps, chains).await;
            let processor = processor_seconds() - before;
            if steps == 10_000 {
                first = (seconds, processor);
            }
            #[expect(clippy::cast_precision_loss, reason = "for people")]
            let per_step = bytes as f64 / steps as f64;
            println!(
                "{steps:>9} {chains:>8} {seconds:>9.2} {processor:>9.2} {per_step:>12.0} {syncs:>8} {:>9.0}",
                peak_mb()
            );
            if steps == 100_000 {
                println!(
                    "          100,000 steps take {:.1} x as long as 10,000, and {:.1} x the processor time",
                    seconds / first.0,
                    processor / first.1
                );
            }
        }
    }
}
