//! A deterministic simulation of planner, executor, journal and store against an account in virtual time: random graphs, kills
//! and stops at any point, answers that are lost, late or never come, refusals, reads that lag, and what other people do. Only
//! the account and the clock are simulated. Every life ends as a clean one does.
//!
//! `DEPLOYER_SEED=17 cargo test --test it simulation:: -- --nocapture` lives the life of one seed and prints all that happens.
//! `DEPLOYER_SEEDS=100000 cargo test --test it simulation::whatever` lives so many, however long that takes;
//! `DEPLOYER_FIRST_SEED=2000` says from which one on.

mod disk;
mod hands;
mod judge;
mod life;
mod process;
mod stores;
mod switch;
mod wire;
mod wishes;

use life::{Place, Verdict, life};
use process::Flaw;
use std::time::Instant;

/// The region of the deployment.
const REGION: &str = "eu-central-1";

/// Lives of one run of the gate, and the seconds after which it begins no further one.
const SEEDS: u64 = 2_000;
const SECONDS: u64 = 60;

/// Seeds beyond those lives that once found a fault.
const FOUND: [u64; 9] = [
    10204, 10372, 11062, 11855, 20243, 27889, 45955, 95669, 98009,
];

fn live(seed: u64, place: Place<'_>, flaw: Option<Flaw>) -> Verdict {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(life(seed, place, flaw))
}

/// Fails when something was wrong in a life, and says how to see it again.
fn judge(seed: u64, verdict: &Verdict) {
    let wrong = complaint(seed, verdict);
    assert!(wrong.is_none(), "{}", wrong.unwrap_or_default());
}

fn complaint(seed: u64, verdict: &Verdict) -> Option<String> {
    let first = verdict.wrong.first()?;
    Some(format!(
        "seed {seed}: {first}\n  to see it again: DEPLOYER_SEED={seed} cargo test --test it simulation::whatever -- --nocapture"
    ))
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|n| n.parse().unwrap())
}

#[test]
fn whatever_happens_every_life_ends_as_a_clean_one_does() {
    if let Some(seed) = number("DEPLOYER_SEED") {
        let verdict = live(seed, Place::Memory, None);
        println!("{}", verdict.log.join("\n"));
        return judge(seed, &verdict);
    }
    let asked = number("DEPLOYER_SEEDS");
    let first = number("DEPLOYER_FIRST_SEED").unwrap_or_default();
    let began = Instant::now();
    let (mut lives, mut wrong) = (0, Vec::new());
    for seed in first..first + asked.unwrap_or(SEEDS) {
        let over = asked.is_none() && began.elapsed().as_secs() >= SECONDS;
        if over || wrong.len() == 20 {
            break;
        }
        let complaint = complaint(seed, &live(seed, Place::Memory, None));
        complaint.iter().for_each(|text| println!("{text}"));
        wrong.extend(complaint);
        lives += 1;
    }
    println!("{lives} lives in {:.1} s", began.elapsed().as_secs_f64());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn lives_that_once_found_a_fault_end_so_too() {
    for seed in FOUND {
        judge(seed, &live(seed, Place::Memory, None));
    }
}

#[test]
fn a_seed_is_the_same_life_every_time() {
    for seed in 0..20 {
        let (once, again) = (
            live(seed, Place::Memory, None),
            live(seed, Place::Memory, None),
        );
        assert_eq!(once.log, again.log, "seed {seed}");
    }
}

#[test]
fn lives_whose_state_is_in_local_files_end_so_too() {
    for seed in 0..40 {
        let folder = tempfile::tempdir().unwrap();
        judge(seed, &live(seed, Place::Folder(folder.path()), None));
    }
}

#[test]
fn lives_whose_state_is_in_a_bucket_end_so_too() {
    if let Some(seed) = number("DEPLOYER_SEED") {
        let verdict = live(seed, Place::Bucket, None);
        println!("{}", verdict.log.join("\n"));
        return judge(seed, &verdict);
    }
    let began = Instant::now();
    let mut lives = 0;
    for seed in 0..number("DEPLOYER_SEEDS").unwrap_or(400) {
        if number("DEPLOYER_SEEDS").is_none() && began.elapsed().as_secs() >= SECONDS / 2 {
            break;
        }
        judge(seed, &live(seed, Place::Bucket, None));
        lives += 1;
    }
    println!("{lives} lives in {:.1} s", began.elapsed().as_secs_f64());
}

#[test]
fn the_judge_notices_an_engine_with_a_flaw() {
    let flaws = [
        (Flaw::NoIntent, "no record before the creation of"),
        (Flaw::NoLook, "is a second one beside"),
        (Flaw::AllOurs, "does not carry our mark and is changed"),
        (
            Flaw::NoQuestion,
            "vanished and is made anew, empty, without a word",
        ),
    ];
    for (flaw, words) in flaws {
        let noticed = (0..200).any(|seed| {
            let wrong = live(seed, Place::Memory, Some(flaw)).wrong;
            wrong.iter().any(|text| text.contains(words))
        });
        assert!(noticed, "{flaw:?}");
    }
}
