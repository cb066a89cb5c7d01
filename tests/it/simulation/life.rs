//! One life of a deployment: a few runs with whatever goes wrong, and then a clean apply, another one, and a destroy.

use super::disk::Memory;
use super::hands::{Hands, all_is_marked};
use super::judge::Judge;
use super::process::{Command, End, Flaw, Machine};
use super::stores::Stores;
use super::switch::Switch;
use super::wire::Net;
use super::wishes::Wishes;
use crate::support::bucket::{Bucket, Runs};
use crate::support::world::World;
use deployer::engine::plan::Allowed;
use deployer::state::{LocalStore, ObjectStore, Store};
use fastrand::Rng;
use std::path::Path;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// How a life went: what happened, and what was wrong.
pub struct Verdict {
    pub log: Vec<String>,
    pub wrong: Vec<String>,
}

/// A number of points after which something happens: mostly early, sometimes late.
fn points(rng: &mut Rng) -> u64 {
    let most = 1 << rng.u8(3..11);
    rng.u64(0..most)
}

/// Where the state of a life is.
#[derive(Clone, Copy)]
pub enum Place<'a> {
    /// In memory.
    Memory,
    /// In files of this folder.
    Folder(&'a Path),
    /// In a bucket, whose answers get lost too.
    Bucket,
}

/// Lives the life of this seed.
pub async fn life(seed: u64, place: Place<'_>, flaw: Option<Flaw>) -> Verdict {
    let mut rng = Rng::with_seed(seed);
    let lag = if rng.bool() { rng.u64(1..2_000) } else { 0 };
    let world = Arc::new(World {
        lag: Duration::from_millis(lag),
        strict: true,
        chance: Mutex::new(rng.fork()),
        ..World::default()
    });
    let judge = Arc::new(Judge::of(&world));
    let memory = Memory::new(rng.fork());
    // A life in another place draws the same numbers as before there were buckets: its seeds stay what they are.
    let in_bucket = matches!(place, Place::Bucket);
    let luck = if in_bucket {
        rng.fork()
    } else {
        Rng::with_seed(seed)
    };
    let bucket = Arc::new(Bucket::new(luck));
    let store: Box<dyn Fn() -> Arc<dyn Store>> = match place {
        Place::Folder(folder) => {
            let folder = folder.to_owned();
            Box::new(move || Arc::new(LocalStore::new(&folder, "t")))
        }
        Place::Memory => {
            let memory = memory.clone();
            Box::new(move || Arc::new(memory.clone()))
        }
        Place::Bucket => {
            let (bucket, runs) = (bucket.clone(), Arc::new(Runs::one_at_a_time()));
            Box::new(move || Arc::new(ObjectStore::new(bucket.clone(), runs.clone(), "t")))
        }
    };
    let machine = Machine {
        world: world.clone(),
        judge: judge.clone(),
        net: Arc::new(Net {
            judge: judge.clone(),
            trouble: 0.into(),
            rng: Mutex::new(rng.fork()),
        }),
        store,
        began: Instant::now(),
        parallelism: rng.usize(1..7),
        flaw,
        words: Mutex::default(),
    };
    let mut wishes = Wishes::random(&mut rng);
    let mut hands = Hands::default();
    hands.neighbours(&machine);
    for round in 0..rng.u8(1..6) {
        trouble(&machine, &mut wishes, &mut hands, &mut rng).await;
        if in_bucket {
            bucket.trouble.store([0, 5, 20][rng.usize(0..3)], Relaxed);
        }
        for _ in 0..rng.u8(0..3) {
            wishes.change(&mut rng);
        }
        if rng.bool() {
            sleep(Duration::from_millis(rng.u64(0..30_000))).await;
        }
        if round > 0 && rng.u8(0..5) == 0 && matches!(place, Place::Memory) {
            // What was under way is visible by then.
            sleep(Duration::from_secs(5)).await;
            if hands.stripped.is_empty() && all_is_marked(&world, &wishes) {
                judge.log("the state is lost");
                memory.lose();
                judge.lost();
                wishes.may_shrink = false;
            }
        }
    }
    bucket.trouble.store(0, Relaxed);
    clean(&machine, &wishes, &mut hands).await;
    let (log, wrong) = judge.verdict();
    Verdict { log, wrong }
}

/// One run with whatever goes wrong.
async fn trouble(machine: &Machine, wishes: &mut Wishes, hands: &mut Hands, rng: &mut Rng) {
    if rng.bool() {
        hands.between(machine, wishes, rng).await;
    }
    if rng.u8(0..4) == 0 {
        Hands::meanwhile(machine, rng);
    }
    let percent = [0, 0, 10, 30, 60][rng.usize(0..5)];
    machine.net.trouble.store(percent, Relaxed);
    let command = match rng.u8(0..6) {
        0 => Command::Destroy,
        _ => Command::Apply,
    };
    *machine.words.lock().unwrap() = machine.judge.stores.some_words(rng);
    let (kill, stop) = (rng.u8(0..3) == 0, rng.u8(0..4) == 0);
    let switch = Switch::new(kill.then(|| points(rng)), stop.then(|| points(rng)));
    match machine.run(command, &wishes.graph(), switch).await {
        End::Broken(why) => machine.judge.wrong(format!("the store failed: {why}")),
        End::Refused(_) if hands.have_our_names() => {}
        End::Refused(why) if Stores::are_questions(&why) => {}
        End::Refused(why) => machine.judge.wrong(format!("refused: {why:?}")),
        End::Done(_, report) if report.complete() => wishes.may_shrink = true,
        End::Killed | End::Done(..) => {}
    }
}

/// A run that nothing disturbs; all of it must be done.
async fn run(machine: &Machine, wishes: &Wishes, command: Command) -> usize {
    match machine
        .run(command, &wishes.graph(), Switch::new(None, None))
        .await
    {
        End::Done(plan, report) if report.complete() => plan.nodes.len() + plan.forget.len(),
        other => {
            let how = other.words();
            machine.judge.wrong(format!("a clean {command:?} {how}"));
            0
        }
    }
}

async fn clean(machine: &Machine, wishes: &Wishes, hands: &mut Hands) {
    let (judge, world) = (&machine.judge, &machine.world);
    machine.net.trouble.store(0, Relaxed);
    // Whoever was at work goes home.
    // What is to fail has failed by then.
    sleep(Duration::from_secs(70)).await;
    judge.theirs_is_untouched();
    hands.give_names_back(machine);
    if !hands.stripped.is_empty() {
        judge.marking.store(true, Relaxed);
        run(machine, wishes, Command::Mark).await;
        judge.marking.store(false, Relaxed);
        sleep(world.lag).await;
    }
    *machine.words.lock().unwrap() = judge.stores.all_words();
    run(machine, wishes, Command::Apply).await;
    *machine.words.lock().unwrap() = Allowed::default();
    judge.all_is_as_wanted(&wishes.graph(), &machine.state().await);
    sleep(world.lag).await;
    let writes = world.writes.lock().unwrap().len();
    let planned = run(machine, wishes, Command::Apply).await;
    if planned > 0 || writes != world.writes.lock().unwrap().len() {
        judge.wrong("a second apply finds something to do");
    }
    run(machine, wishes, Command::Destroy).await;
    judge.nothing_is_left(&machine.state().await);
    judge.theirs_is_untouched();
    if let Err(error) = deployer::state::history((machine.store)().as_ref()).await {
        judge.wrong(format!("the history: {error}"));
    }
}
