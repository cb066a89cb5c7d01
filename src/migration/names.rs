//! How the functions, their schedules and their streams are called: from the blueprint, so that nothing has to be recorded.

use crate::blueprint::{self, Facts};
use crate::config::Config;
use crate::engine::graph::GraphError;

/// A function that something calls by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Function {
    /// `sync`, as people name it.
    pub what: &'static str,
    /// Its name in Lambda.
    pub name: String,
    /// Its schedule; a function without one is called by a stream.
    pub schedule: Option<String>,
    /// It brings data from green to blue.
    pub back: bool,
}

/// The names of a deployment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names {
    pub control: String,
    pub verify: String,
    pub sync: String,
    /// What moves data.
    pub movers: Vec<Function>,
    /// The group of the schedules.
    pub group: String,
}

impl Names {
    /// They follow from the suffix.
    ///
    /// # Errors
    /// When the configuration makes no graph.
    pub fn of(config: &Config) -> Result<Self, GraphError> {
        let graph = blueprint::build(config, &Facts::assumed(config))?;
        let find = |id: &str| graph.get(id).map(|step| step.name.clone());
        let function = |what: &str| find(&format!("function-{what}-green")).unwrap_or_default();
        let mover = |what: &'static str| Function {
            what,
            name: function(what),
            schedule: find(&format!("schedule-{what}-green")),
            back: what.ends_with("-reverse"),
        };
        let group = graph.steps.iter().find(|s| s.kind == "scheduler/group");
        Ok(Self {
            control: function("control"),
            verify: function("verify"),
            sync: function("sync"),
            movers: ["sync", "sessions", "sync-reverse", "sessions-reverse"]
                .map(mover)
                .into(),
            group: group.map(|s| s.name.clone()).unwrap_or_default(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_blueprint_has_everything_that_is_named() {
        let names = Names::of(&Config::default()).unwrap();
        let mut all = vec![&names.control, &names.verify, &names.sync, &names.group];
        all.extend(names.movers.iter().map(|m| &m.name));
        assert!(all.iter().all(|n| n.ends_with("-dev")), "{all:?}");
        let scheduled = names.movers.iter().filter(|m| m.schedule.is_some());
        assert_eq!(
            scheduled.map(|m| m.what).collect::<Vec<_>>(),
            ["sync", "sync-reverse"]
        );
    }
}
