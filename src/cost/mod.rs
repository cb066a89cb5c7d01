//! What the platform costs in a month: an estimate from what types say of themselves (`Cost` of `resources`), dated list prices
//! (`prices`) and what the configuration says of its use (`[cost]`). Pure functions; nothing is called.
//!
//! What has no price or no known amount is listed as unknown and is never zero in silence.

mod difference;
mod estimate;
mod later;
#[cfg(test)]
mod tests;
mod usage;

pub use difference::Difference;
pub use estimate::{Estimate, Line, ScopeCost, estimate};
pub use later::Later;

use crate::engine::Graph;
use serde::Serialize;
use serde_json::Value;
use std::ops::{Add, AddAssign, Mul, Sub};

/// One thing that costs, or may.
#[derive(Debug, Clone)]
pub struct Item<'a> {
    pub step: &'a str,
    /// Its type.
    pub kind: &'a str,
    /// `blue`, `green` or `shared`.
    pub scope: &'a str,
    /// Its struct.
    pub spec: &'a Value,
    /// The steps that it refers to.
    pub needs: Vec<String>,
}

/// The chosen steps of a graph.
pub fn items<'a>(graph: &'a Graph, chosen: &[bool]) -> Vec<Item<'a>> {
    let steps = graph.steps.iter().zip(chosen).filter(|(_, c)| **c);
    let item = |(step, _): (&'a crate::engine::Step, _)| Item {
        step: &step.id,
        kind: &step.kind,
        scope: &step.scope,
        spec: &step.spec,
        needs: step.needs(graph),
    };
    steps.map(item).collect()
}

/// A figure for each way in which an environment can be used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Loads {
    /// It runs, and no payment comes.
    pub idle: f64,
    /// The migration feeds it while the other environment takes the payments.
    pub standby: f64,
    /// It takes all payments.
    pub load: f64,
    /// The same with every database instance and every service at its most.
    pub at_most: f64,
}

impl Loads {
    /// The same figure for all.
    pub const fn all(figure: f64) -> Self {
        Self {
            idle: figure,
            standby: figure,
            load: figure,
            at_most: figure,
        }
    }

    fn map(self, other: Self, with: impl Fn(f64, f64) -> f64) -> Self {
        Self {
            idle: with(self.idle, other.idle),
            standby: with(self.standby, other.standby),
            load: with(self.load, other.load),
            at_most: with(self.at_most, other.at_most),
        }
    }
}

impl Add for Loads {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        self.map(other, |a, b| a + b)
    }
}

impl AddAssign for Loads {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Sub for Loads {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        self.map(other, |a, b| a - b)
    }
}

impl Mul<f64> for Loads {
    type Output = Self;
    fn mul(self, by: f64) -> Self {
        self.map(self, |a, _| a * by)
    }
}
