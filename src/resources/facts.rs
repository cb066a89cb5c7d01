//! What the engine plans with: said for every type, without a default, so that nobody can forget one.

use super::{Resource, SubResource};
use crate::aws::Aws;
use crate::engine::{Changing, Delegated, Error, Meta, Nature, Owned, Replace};
use futures::future::BoxFuture;

/// Facts about a type whose things have an existence of their own.
pub struct Facts<R> {
    /// True when its name or id reaches beyond one region: then the mark must say account and region. S3's buckets live in one,
    /// but their names and ARNs tell none.
    pub global: bool,
    /// How everything that is tagged as ours is listed.
    pub listed: Listed,
    /// Typical seconds from the create call until ready, and from the delete call until gone: medians. Runs measure their
    /// own and remember them in the state.
    pub seconds: (f64, f64),
    /// What one costs.
    pub cost: fn(&R) -> Cost,
    /// Fields that AWS cannot change in place.
    pub fixed: &'static [&'static str],
    /// Outputs that an update changes (a version, a revision).
    pub changing: &'static [Changing],
    /// What comes first in a replacement.
    pub replace: Replace,
    /// True when deleting it loses data.
    pub holds_data: bool,
    /// Fields whose change interrupts service, each with what happens and for how long.
    pub interrupts: &'static [(&'static str, &'static str)],
    /// Fields that AWS never shows.
    pub write_only: &'static [&'static str],
    /// Fields that show what others put into it: reported, never touched.
    pub watched: &'static [&'static str],
    /// Fields that another actor owns at run time.
    pub delegated: &'static [Delegated],
}

/// Facts about a type whose things exist with their parent. What holds data, costs and is listed is the parent.
pub struct SubFacts {
    /// The field that names the parent; another parent is another thing.
    pub parent: &'static str,
    /// Typical seconds of setting and of resetting it.
    pub seconds: (f64, f64),
    /// Fields whose change interrupts service, each with what happens and for how long.
    pub interrupts: &'static [(&'static str, &'static str)],
    /// Fields that AWS never shows.
    pub write_only: &'static [&'static str],
    /// Fields that another actor owns at run time.
    pub delegated: &'static [Delegated],
}

/// Everything of EC2, as its search is called.
pub const EC2: &str = "ec2/*";

/// A search for everything of a type that carries this deployment's mark.
pub type Search = for<'a> fn(&'a Aws, &'a str) -> BoxFuture<'a, Result<Vec<Owned>, Error>>;

/// How everything of a type that is tagged as ours is found without the state.
#[derive(Clone, Copy)]
pub enum Listed {
    /// It is found through its parent, which is listed, and with it what carries tags in it.
    WithParent,
    /// It has no tags and is found by its name, without its parent, which is listed.
    ByName,
    /// One DescribeTags shows it beside everything else of EC2.
    Ec2Tags,
    /// By the search of its service, which shows everything of it: with the service as the search tells what it could not list.
    Service(&'static str, Search),
    /// By a search of its own.
    Own(Search),
}

/// What a thing costs: amounts of what has a price, and what its use is charged by.
#[derive(Debug, Clone, PartialEq)]
pub struct Cost {
    /// Keys of prices, and how many of each a month, whether it is used or not. What is priced by the hour runs all month.
    pub amounts: Vec<(&'static str, f64)>,
    /// What its use is charged by, once for all things of an environment: keys of the table in `cost/usage.rs`.
    pub usage: &'static [&'static str],
}

impl Cost {
    /// It costs nothing.
    pub const NONE: Self = Self {
        amounts: Vec::new(),
        usage: &[],
    };

    /// So many of what has this price, whether it is used or not.
    pub fn fixed(price: &'static str, amount: usize) -> Self {
        Self::NONE.and(price, amount)
    }

    /// Its use alone costs.
    pub const fn usage(usage: &'static [&'static str]) -> Self {
        Self {
            amounts: Vec::new(),
            usage,
        }
    }

    /// The same, and so many of what has this price.
    #[must_use]
    pub fn and(mut self, price: &'static str, amount: usize) -> Self {
        let amount = f64::from(u32::try_from(amount).unwrap_or(u32::MAX));
        self.amounts.push((price, amount));
        self
    }

    /// The same, and its use costs too.
    #[must_use]
    pub fn used(self, usage: &'static [&'static str]) -> Self {
        Self { usage, ..self }
    }
}

/// What a thing of a type costs; `None` when it cannot be read as one.
pub(super) fn cost<R: Resource>(spec: &serde_json::Value) -> Option<Cost> {
    R::deserialize(spec).ok().map(|it| (R::FACTS.cost)(&it))
}

pub(super) fn meta<R: Resource>() -> Meta {
    let facts = R::FACTS;
    Meta {
        kind: R::TYPE,
        listing: match facts.listed {
            Listed::Service(all, _) => all,
            Listed::Ec2Tags => EC2,
            Listed::WithParent | Listed::ByName | Listed::Own(_) => R::TYPE,
        },
        nature: match facts.listed {
            Listed::WithParent => Nature::ByParent,
            Listed::ByName | Listed::Ec2Tags | Listed::Service(..) | Listed::Own(_) => {
                Nature::Tagged
            }
        },
        global: facts.global,
        create_seconds: facts.seconds.0,
        delete_seconds: facts.seconds.1,
        fixed: facts.fixed,
        changing: facts.changing,
        derived: R::DERIVED,
        known_by_name: R::KNOWN_BY_NAME,
        replace: facts.replace,
        holds_data: facts.holds_data,
        retention: R::RETENTION,
        upgrade: R::UPGRADE,
        stands_in: R::STANDS_IN,
        takes_along: R::TAKES_ALONG,
        gone: R::GONE,
        expires: R::EXPIRES,
        between: R::BETWEEN,
        interrupts: facts.interrupts,
        write_only: facts.write_only,
        watched: facts.watched,
        delegated: facts.delegated,
    }
}

pub(super) fn sub_meta<S: SubResource>() -> Meta {
    Meta {
        nature: Nature::SubResource,
        create_seconds: S::FACTS.seconds.0,
        delete_seconds: S::FACTS.seconds.1,
        fixed: S::FIXED,
        interrupts: S::FACTS.interrupts,
        write_only: S::FACTS.write_only,
        delegated: S::FACTS.delegated,
        ..Meta::plain(S::TYPE)
    }
}
