//! Random graphs of a few kinds of things, and how what is wanted changes from run to run.

use super::REGION;
use crate::support::fake::Fake;
use crate::support::world::World;
use deployer::engine::graph::{Builder, Kind, StepMeta};
use deployer::engine::{Graph, Nature};
use fastrand::Rng;
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::Arc;

/// The kinds of things.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Sort {
    /// Ready at once; a repeated token makes no second one.
    Quick,
    /// Takes its time to come and to go.
    Slow,
    /// Its name can be there once only.
    Named,
    /// Its successor comes first; it cannot be deleted while anything uses it.
    Target,
    /// An update changes an output.
    Versioned,
    /// Has no tags and is found by its parent, which has at most one.
    Child,
    /// Exists with its parent.
    Part,
    /// Holds data, has its name for an id, and can be restored when it vanished.
    Store,
}

macro_rules! kinds {
    ($($name:ident $named_by:expr;)*) => {
        $(
            #[derive(Serialize)]
            #[serde(transparent)]
            struct $name(Value);
            impl Kind for $name {
                const TYPE: &'static str = concat!("test/", stringify!($name));
                const NAMED_BY: &'static [&'static str] = $named_by;
                type Outputs = ();
            }
        )*
        impl Sort {
            const ALL: &'static [Self] = &[$(Self::$name,)*];

            fn kind(self) -> &'static str {
                match self {
                    $(Self::$name => $name::TYPE,)*
                }
            }

            fn add(self, builder: &mut Builder, meta: StepMeta, spec: Value) {
                match self {
                    $(Self::$name => drop(builder.add(meta, $name(spec))),)*
                }
            }
        }
    };
}

kinds! {
    Quick &[];
    Slow &[];
    Named &[];
    Target &["fixed"];
    Versioned &[];
    Child &[];
    Part &[];
    Store &[];
}

/// The account's drivers of all kinds.
pub fn fakes(world: &Arc<World>) -> Vec<Fake> {
    let fake = |sort: Sort| {
        let of = |seconds| world.kind(sort.kind(), seconds).fixed(&["fixed", "at"]);
        match sort {
            Sort::Quick => of((1.0, 1.0)).with_tokens(),
            Sort::Slow => of((40.0, 20.0)),
            Sort::Named => of((5.0, 20.0)).named(),
            Sort::Target => of((3.0, 2.0)).named().create_first(),
            Sort::Versioned => of((2.0, 2.0)).changing(&[("version", &[])]),
            Sort::Child => of((10.0, 5.0))
                .nature(Nature::ByParent)
                .fixed(&["of", "fixed", "at"]),
            Sort::Store => of((30.0, 10.0)).by_name().restorable(),
            Sort::Part => of((1.0, 1.0)).nature(Nature::SubResource).fixed(&["of"]),
        }
    };
    Sort::ALL.iter().map(|sort| fake(*sort)).collect()
}

/// One thing that is wanted.
#[derive(Clone, Debug)]
pub struct Wish {
    pub step: String,
    pub sort: Sort,
    /// The step that a child or a part belongs to.
    parent: Option<String>,
    /// Steps that its settings name: what they name can be changed in place.
    on: BTreeSet<String>,
    /// Steps that must be ready before it.
    ready: BTreeSet<String>,
    /// Steps that its settings name in a field that cannot be changed in place.
    at: BTreeSet<String>,
    fixed: u32,
    free: u32,
}

impl Wish {
    pub fn name(&self) -> &str {
        &self.step
    }
}

/// All that is wanted, everything after what it refers to.
#[derive(Clone, Debug, Default)]
pub struct Wishes {
    pub all: Vec<Wish>,
    next: usize,
    /// False while a thing without a mark would be forgotten with its wish: no record names it.
    pub may_shrink: bool,
    /// Steps that had a child: another step's child on them would be the same thing.
    parents: BTreeSet<String>,
}

impl Wishes {
    pub fn random(rng: &mut Rng) -> Self {
        let mut out = Self {
            may_shrink: true,
            ..Self::default()
        };
        for _ in 0..rng.usize(1..10) {
            out.add(rng);
        }
        out
    }

    fn add(&mut self, rng: &mut Rng) {
        let step = format!("s{}", self.next);
        self.next += 1;
        // Stores are what most can be lost of.
        let mut sort = match rng.u8(0..5) {
            0 => Sort::Store,
            _ => Sort::ALL[rng.usize(0..Sort::ALL.len())],
        };
        let mut parent = None;
        if matches!(sort, Sort::Child | Sort::Part) {
            let fits = |w: &&Wish| {
                !matches!(w.sort, Sort::Child | Sort::Part)
                    && (sort == Sort::Part || !self.parents.contains(&w.step))
            };
            let parents: Vec<&Wish> = self.all.iter().filter(fits).collect();
            match rng.choice(parents) {
                Some(found) => parent = Some(found.step.clone()),
                None => sort = Sort::Quick,
            }
        }
        if sort == Sort::Child {
            self.parents.extend(parent.clone());
        }
        let mut wish = Wish {
            step,
            sort,
            parent,
            on: BTreeSet::new(),
            ready: BTreeSet::new(),
            at: BTreeSet::new(),
            fixed: rng.u32(0..2),
            free: rng.u32(0..3),
        };
        for other in &self.all {
            if !wish.may_name(other) {
                continue;
            }
            match rng.u8(0..12) {
                0 | 1 => drop(wish.on.insert(other.step.clone())),
                2 => drop(wish.ready.insert(other.step.clone())),
                3 if !matches!(sort, Sort::Part | Sort::Target) => {
                    wish.at.insert(other.step.clone());
                }
                _ => {}
            }
        }
        self.all.push(wish);
    }

    /// Takes a step out, with all that belongs to it; nothing names it any more.
    fn remove(&mut self, step: &str) {
        self.all.retain(|w| w.step != step);
        for wish in &mut self.all {
            for named in [&mut wish.on, &mut wish.ready, &mut wish.at] {
                named.remove(step);
            }
        }
        let below = |w: &&Wish| w.parent.as_deref() == Some(step);
        let below: Vec<String> = self
            .all
            .iter()
            .filter(below)
            .map(|w| w.step.clone())
            .collect();
        below.iter().for_each(|step| self.remove(step));
    }

    /// Changes something, so that the next run has something to do.
    pub fn change(&mut self, rng: &mut Rng) {
        let at = rng.usize(0..self.all.len().max(1));
        match rng.u8(0..8) {
            0 => self.add(rng),
            1 if self.all.len() > 1 && self.may_shrink => {
                let step = self.all[at].step.clone();
                self.remove(&step);
            }
            2 | 3 => {
                if let Some(wish) = self.all.get_mut(at) {
                    wish.fixed += 1;
                }
            }
            4 | 5 if at > 0 => {
                let (before, rest) = self.all.split_at_mut(at);
                let (wish, other) = (&mut rest[0], &before[rng.usize(0..at)]);
                if wish.may_name(other) && !wish.on.remove(&other.step) {
                    wish.on.insert(other.step.clone());
                }
            }
            _ => {
                if let Some(wish) = self.all.get_mut(at) {
                    wish.free += 1;
                }
            }
        }
    }

    pub fn graph(&self) -> Graph {
        let mut builder = Builder::new();
        for wish in &self.all {
            let meta = StepMeta {
                id: wish.step.clone(),
                scope: "green".into(),
                name: wish.name().into(),
                tags: tags(&wish.step),
            };
            wish.sort.add(&mut builder, meta, self.spec(wish));
        }
        builder.build().unwrap()
    }

    fn spec(&self, wish: &Wish) -> Value {
        let versioned = |step: &str| {
            let mut all = self.all.iter();
            all.any(|w| w.step == step && w.sort == Sort::Versioned)
        };
        let on = wish.on.iter().map(|step| match versioned(step) {
            true => format!("@{{{step}.version}} of {step}"),
            false => format!("@{{{step}.id}}"),
        });
        let mut spec = json!({
            "free": wish.free,
            "on": on.collect::<Vec<_>>(),
            "ready": wish.ready.iter().map(|s| format!("@{{{s}.id!}}")).collect::<Vec<_>>(),
        });
        if wish.sort != Sort::Part {
            let at = wish.at.iter().map(|s| format!("@{{{s}.id}}"));
            spec["at"] = at.collect();
            spec["fixed"] = wish.fixed.into();
        }
        if let Some(parent) = &wish.parent {
            spec["of"] = format!("@{{{parent}.id}}").into();
        }
        spec
    }
}

impl Wish {
    /// A part has no id of its own. What comes before its predecessor goes names only what does so too.
    fn may_name(&self, other: &Self) -> bool {
        other.sort != Sort::Part && (self.sort != Sort::Target || other.sort == Sort::Target)
    }
}

/// The tags of a step of ours.
pub fn tags(step: &str) -> std::collections::BTreeMap<String, String> {
    let deployment = format!("1/{REGION}/t");
    let tags = [
        ("DeployerStep", step),
        ("EnvironmentSuffix", "t"),
        ("DeployerDeployment", &deployment),
        ("Name", step),
        ("Team", "payments"),
    ];
    let pair = |(k, v): (&str, &str)| (k.to_owned(), v.to_owned());
    tags.map(pair).into()
}
