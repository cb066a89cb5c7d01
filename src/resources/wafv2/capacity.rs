//! What the rules of a web ACL take of its capacity, asked before anything is made: a list above the limit is refused in the middle
//! of a run, when the load balancer is there already and nothing guards it.

use super::web_acl::Rule;
use super::{Statement, WebAcl};
use crate::engine::{Check, Level};
use crate::resources::prelude::*;
use aws_sdk_wafv2::types as t;

/// "AWS WAF pricing": what the basic price of requests pays for.
const BASIC: i64 = 1_500;
/// "AWS WAF quotas": the most that a web ACL takes.
const MOST: i64 = 5_000;

const ASK: Api = wafv2::CHECK_CAPACITY;

impl Statement {
    /// True when it names an address set: WAF answers for sets that exist, and before the first run there are none.
    fn names_a_set(&self) -> bool {
        match self {
            Self::From(_) => true,
            Self::Not(of) | Self::Rate { of, .. } => of.names_a_set(),
            Self::AnyOf(all) => all.iter().any(Self::names_a_set),
            Self::Managed { .. } | Self::Path { .. } | Self::Other(_) => false,
        }
    }

    /// "Web ACL capacity units in AWS WAF": a set of addresses takes 1, a text at a certain place 2, a rate 2 and what narrows it. What
    /// a group takes its vendor says.
    fn units(&self) -> i64 {
        match self {
            Self::From(_) => 1,
            Self::Path { .. } => 2,
            Self::Not(of) => of.units(),
            Self::AnyOf(all) => all.iter().map(Self::units).sum(),
            Self::Rate { of, .. } => 2 + of.units(),
            Self::Managed { .. } | Self::Other(_) => 0,
        }
    }
}

/// Compares what an ACL's rules take with what there is. `spec` is the ACL as it is wanted.
pub async fn capacity(cx: &Aws, name: &str, spec: &serde_json::Value) -> Option<Check> {
    let acl = WebAcl::deserialize(spec).ok()?;
    let (known, asked): (Vec<_>, Vec<_>) = acl
        .rules
        .iter()
        .partition(|(_, rule)| rule.statement.names_a_set());
    let known: i64 = known.iter().map(|(_, rule)| rule.statement.units()).sum();
    Some(match ask(cx, &asked).await {
        Ok(units) => classify(name, known + units),
        Err(error) => {
            let text =
                format!("what the rules of {name} take of its capacity is not known: {error}");
            let check = Check::new("firewall", Level::Warning, text);
            let hint = error.hint.clone();
            Check { hint, ..check }
        }
    })
}

async fn ask(cx: &Aws, rules: &[(&String, &Rule)]) -> Result<i64, Error> {
    if rules.is_empty() {
        return Ok(0);
    }
    let sent = rules.iter().map(|(name, rule)| rule.sent(ASK, name));
    let sent = sent.collect::<Result<Vec<_>, _>>()?;
    let call = cx.wafv2.client.check_capacity();
    let call = call.scope(t::Scope::Regional).set_rules(Some(sent));
    let answer = cx.call(ASK, || call.clone().send()).await?;
    Ok(answer.capacity())
}

fn classify(name: &str, units: i64) -> Check {
    let check = |level, text| Check::new("firewall", level, text);
    if units <= BASIC {
        let text = format!("the rules of {name} take {units} of {BASIC} capacity units");
        check(Level::Ok, text)
    } else if units <= MOST {
        let text = format!(
            "the rules of {name} take {units} capacity units: above {BASIC}, every request costs more"
        );
        check(Level::Warning, text)
    } else {
        let text = format!(
            "the rules of {name} take {units} capacity units, and a web ACL takes {MOST} at most"
        );
        check(Level::Error, text).hint(
            "AWS or a vendor enlarged a group of rules: `deployer plan --detail` shows the rules",
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_our_own_statements_take_is_known() {
        let set = || Statement::From("arn:set".into());
        let rate = |of| Statement::Rate {
            limit: 10,
            window_seconds: 60,
            per: "IP".into(),
            of: Box::new(of),
        };
        let clients = rate(Statement::Not(Box::new(set())));
        assert!(clients.names_a_set());
        assert_eq!(clients.units(), 3);
        let all = rate(Statement::path("STARTS_WITH", "/"));
        assert!(!all.names_a_set());
        assert_eq!(all.units(), 4);
    }

    #[test]
    fn above_the_basic_price_is_said_and_above_the_limit_refused() {
        assert_eq!(classify("waf", 1_500).level, Level::Ok);
        assert_eq!(classify("waf", 1_501).level, Level::Warning);
        assert_eq!(classify("waf", 5_000).level, Level::Warning);
        assert_eq!(classify("waf", 5_001).level, Level::Error);
    }
}
