//! The web application firewall: web ACLs with their rules, address sets, what they guard, and their logs.

mod action;
mod association;
mod capacity;
mod ip_set;
mod logging;
mod statement;
mod tags;
mod web_acl;

pub use action::RuleAction;
pub use association::Association;
pub use capacity::capacity;
pub use ip_set::IpSet;
pub use logging::Logging;
pub use statement::Statement;
pub use web_acl::{Rule, WebAcl};

use crate::engine::{NameRule, Ref};
use crate::resources::Arn;
use crate::resources::prelude::*;
use tags::WafTags;

/// "CreateWebACL" and "CreateIPSet".
const NAME: NameRule = NameRule {
    min: 1,
    max: 128,
    legal: |c| c.is_ascii_alphanumeric() || "_-".contains(c),
    charset: "letters, digits, `_` and `-`",
};

/// What every call names a thing by.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct Identified<R> {
    pub name: Ref<R>,
    pub id: Ref<R>,
    pub arn: Ref<Arn<R>>,
}

impl<R> Identified<R> {
    /// Of a listing, in which names are keys.
    fn listed(name: &str, listed: &wafv2::Listed) -> Self {
        Self {
            name: name.into(),
            id: listed.id.as_str().into(),
            arn: listed.arn.as_str().into(),
        }
    }

    /// Of the answer to a creation.
    fn made(api: Api, name: &str, id: Option<&str>, arn: Option<&str>) -> Result<Self, Error> {
        Ok(Self {
            name: name.into(),
            id: api.field(id, "Id")?,
            arn: api.field(arn, "ARN")?,
        })
    }
}

impl<R> Default for Identified<R> {
    fn default() -> Self {
        Self {
            name: Ref::default(),
            id: Ref::default(),
            arn: Ref::default(),
        }
    }
}

impl<R> HasName for Identified<R> {
    fn name(&self) -> &str {
        self.name.as_str()
    }
}

impl<R> HasArn for Identified<R> {
    fn arn(&self) -> &str {
        self.arn.as_str()
    }
}

/// The SDK's builders say what is missing.
fn built<T>(api: Api, answer: Result<T, aws_sdk_wafv2::error::BuildError>) -> Result<T, Error> {
    answer.map_err(|e| Error::permanent(api.action(), e.to_string()))
}
