//! Parameters of cluster and instance parameter groups: a map of those that somebody set (`Source=user`).
//!
//! A dynamic parameter takes effect at once, a static one after a reboot of the instances; `immediate` is legal for
//! dynamic ones only ("ModifyDBClusterParameterGroup"). Which is which is asked of RDS when something is to be changed;
//! what it does not tell is taken for static, since `pending-reboot` is legal for both. Instances that wait for a
//! reboot say so in `parameters_applied`.

use crate::aws::{Aws, rds};
use crate::engine::{Delta, Error};
use aws_sdk_rds::types::{ApplyMethod, Parameter};
use std::collections::{BTreeMap, BTreeSet};

/// Name to value.
pub(super) type Parameters = BTreeMap<String, String>;

/// Parameters that one Modify or Reset call takes.
const PER_CALL: usize = 20;

/// Parameters of a cluster parameter group: those of one source, or all.
pub(super) async fn of_cluster_group(
    cx: &Aws,
    name: &str,
    source: Option<&str>,
) -> Result<Vec<Parameter>, Error> {
    let call = cx.rds.client.describe_db_cluster_parameters();
    let call = call.db_cluster_parameter_group_name(name).max_records(100);
    let call = call.set_source(source.map(str::to_owned));
    let send = |marker| call.clone().set_marker(marker).send();
    let all = cx.pages(rds::DESCRIBE_DB_CLUSTER_PARAMETERS, send, |page| {
        (page.parameters.unwrap_or_default(), page.marker)
    });
    all.await
}

/// Parameters of an instance parameter group: those of one source, or all.
pub(super) async fn of_group(
    cx: &Aws,
    name: &str,
    source: Option<&str>,
) -> Result<Vec<Parameter>, Error> {
    let call = cx.rds.client.describe_db_parameters();
    let call = call.db_parameter_group_name(name).max_records(100);
    let call = call.set_source(source.map(str::to_owned));
    let send = |marker| call.clone().set_marker(marker).send();
    let all = cx.pages(rds::DESCRIBE_DB_PARAMETERS, send, |page| {
        (page.parameters.unwrap_or_default(), page.marker)
    });
    all.await
}

/// Those with a value, as the map that was written.
pub(super) fn map(parameters: Vec<Parameter>) -> Parameters {
    parameters
        .into_iter()
        .filter_map(|p| Some((p.parameter_name?, p.parameter_value?)))
        .collect()
}

/// What is to be sent for a delta of the field `parameters`.
pub(super) struct Edits {
    set: Vec<Parameter>,
    reset: Vec<Parameter>,
}

/// The names that a delta touches.
pub(super) fn touched(delta: &Delta) -> BTreeSet<&str> {
    delta.entries("parameters").into_keys().collect()
}

impl Edits {
    /// Sets what is wanted among the touched names, resets the others. `known` tells which are dynamic.
    pub(super) fn of(want: &Parameters, touched: &BTreeSet<&str>, known: &[Parameter]) -> Self {
        let dynamic: BTreeSet<&str> = known
            .iter()
            .filter(|p| p.apply_type() == Some("dynamic"))
            .filter_map(Parameter::parameter_name)
            .collect();
        let mut out = Self {
            set: Vec::new(),
            reset: Vec::new(),
        };
        for name in touched {
            let method = if dynamic.contains(name) {
                ApplyMethod::Immediate
            } else {
                ApplyMethod::PendingReboot
            };
            let edit = Parameter::builder()
                .parameter_name(*name)
                .apply_method(method);
            match want.get(*name) {
                Some(value) => out.set.push(edit.parameter_value(value).build()),
                None => out.reset.push(edit.build()),
            }
        }
        out
    }

    /// Parameters to set, by call.
    pub(super) fn to_set(&self) -> impl Iterator<Item = &[Parameter]> {
        self.set.chunks(PER_CALL)
    }

    /// Parameters to give their default back, by call.
    pub(super) fn to_reset(&self) -> impl Iterator<Item = &[Parameter]> {
        self.reset.chunks(PER_CALL)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::diff::diff;
    use serde_json::json;

    #[test]
    fn only_what_differs_is_sent_and_extras_are_reset() {
        let want = json!({"parameters": {"rds.force_ssl": "1", "log_connections": "1"}});
        let have = json!({"parameters": {"rds.force_ssl": "0", "log_connections": "1", "x": "y"}});
        let delta = Delta::of(diff(&want, &have));
        let names = touched(&delta);
        let dynamic = Parameter::builder()
            .parameter_name("rds.force_ssl")
            .apply_type("dynamic");
        let want: Parameters = serde_json::from_value(want["parameters"].clone()).unwrap();
        let edits = Edits::of(&want, &names, &[dynamic.build()]);
        let set: Vec<_> = edits.to_set().flatten().collect();
        assert_eq!(set.len(), 1);
        assert_eq!(set[0].parameter_name(), Some("rds.force_ssl"));
        assert_eq!(set[0].apply_method(), Some(&ApplyMethod::Immediate));
        let reset: Vec<_> = edits.to_reset().flatten().collect();
        assert_eq!(reset[0].parameter_name(), Some("x"));
        assert_eq!(reset[0].apply_method(), Some(&ApplyMethod::PendingReboot));
    }

    #[test]
    fn a_call_takes_twenty_parameters() {
        let want: Parameters = (0..45).map(|n| (format!("p{n}"), "1".into())).collect();
        let names = want.keys().map(String::as_str).collect();
        let sizes: Vec<_> = Edits::of(&want, &names, &[])
            .to_set()
            .map(<[Parameter]>::len)
            .collect();
        assert_eq!(sizes, [20, 20, 5]);
    }
}
