//! What carries the deployment's mark: how it is listed, and how it gets into a state that does not record it.

use super::Session;
use crate::engine::drift::Unlisted;
use crate::engine::observe::{Observations, Observed, ReadRequest};
use crate::engine::rebuild::{recover, unsearched};
use crate::engine::{self, Deployment, Driver, Owned};
use crate::state::State;
use futures::future::join_all;
use std::sync::Arc;

/// What carries this deployment's mark.
#[derive(Default)]
pub struct Listed {
    /// Ours.
    pub owned: Vec<Owned>,
    /// Global things with this suffix, of which no tag says which account and region they belong to.
    pub undecided: Vec<Owned>,
    /// Types that could not be listed.
    pub unlisted: Vec<Unlisted>,
}

impl Session {
    /// The same as [`Session::survey`] for what changes nothing: tags may come from a sweep.
    pub async fn sweep(&self, requests: &[ReadRequest<'_>]) -> (Observations, Listed) {
        let _sweeping = self.aws.tagging.sweeping(&self.config.suffix);
        self.survey(requests).await
    }

    /// Reads everything, and lists beside it everything that is tagged as ours: what both need is read once.
    pub async fn survey(&self, requests: &[ReadRequest<'_>]) -> (Observations, Listed) {
        let refreshing = self.aws.recent.refreshing().await;
        let refresh = async {
            let seen = self.observe(requests).await;
            drop(refreshing);
            seen
        };
        tokio::join!(refresh, self.owned())
    }

    /// Everything in the account that is tagged as ours.
    pub async fn owned(&self) -> Listed {
        self.owned_of(|_| true).await
    }

    /// The same, of some types.
    async fn owned_of(&self, asked: impl Fn(&str) -> bool) -> Listed {
        let request = |driver: &Arc<dyn Driver>| {
            let (driver, suffix) = (driver.clone(), self.config.suffix.clone());
            async move { (driver.meta().listing, driver.owned(&suffix).await) }
        };
        let mut all = Vec::new();
        let mut listed = Listed::default();
        let drivers = self.context.registry.all();
        let drivers = drivers.filter(|driver| asked(driver.meta().kind));
        for (kind, answer) in join_all(drivers.map(request)).await {
            match answer {
                Ok(found) => all.extend(found),
                Err(error) => listed.unlisted.push(Unlisted {
                    kind: kind.to_owned(),
                    error,
                }),
            }
        }
        let deployment = Deployment {
            account: self.account.clone(),
            region: self.config.region.clone(),
            suffix: self.config.suffix.clone(),
        };
        let registry = &self.context.registry;
        (listed.owned, listed.undecided) = deployment.split(all, |kind| registry.is_global(kind));
        listed
    }

    /// Takes into the state what is tagged as ours and belongs to a step that neither blueprint nor state has, so that
    /// it is planned like everything that is no longer in the blueprint. Gives what could not be read, for
    /// [`add_unread`](crate::engine::rebuild::add_unread).
    pub async fn recover(&self, state: &mut State, listed: &Listed) -> Observations {
        let engine::Context {
            registry, clock, ..
        } = &self.context;
        recover(&self.graph, &listed.owned, registry, state, clock).await
    }

    /// The same for a command that makes things: where the marked things of a type could not be listed, nobody knows whether an
    /// earlier thing of a step stands under its other name.
    pub async fn recover_to_make(&self, state: &mut State, listed: &Listed) -> Observations {
        let mut unread = self.recover(state, listed).await;
        let registry = &self.context.registry;
        for step in unsearched(&self.graph, &self.chosen, state, registry) {
            let listing = registry.get(&step.kind).ok().map(|d| d.meta().listing);
            let mut failed = listed.unlisted.iter();
            if let Some(failed) = failed.find(|u| listing == Some(u.kind.as_str())) {
                let observed = Observed::Unreadable(failed.error.clone());
                unread.insert(step.id.clone(), observed);
            }
        }
        unread
    }

    /// What carries the mark of steps that would be made although an earlier thing of theirs may stand under its other name.
    pub async fn owned_unsearched(&self, state: &State) -> Listed {
        let registry = &self.context.registry;
        let steps = unsearched(&self.graph, &self.chosen, state, registry);
        let of = |kind: &str| steps.iter().any(|s| s.kind == kind);
        let mut listed = self.owned_of(of).await;
        let is_of = |o: &Owned| steps.iter().any(|s| s.id == o.step);
        listed.owned.retain(is_of);
        listed
    }
}
