//! The web application firewall of one environment, on its load balancer. Rules in their order:
//!
//! | priority | rule | what it does |
//! |---|---|---|
//! | 0 | checks | counts requests of health checks, so that alarms can leave them out |
//! | 10, 20, 30 | known bad inputs, SQL injection, core set (cross-site scripting) | what AWS's groups say |
//! | 40 | per client | blocks an address above its limit; not the bridge's, whose requests the other side has counted |
//! | 50 | all requests | blocks above 10,000 a second in all |

use super::edge::{Edge, READY_PATH, SIDE_PATH};
use super::keys::Keys;
use super::{EnvironmentBuilder, Tier, usable};
use crate::engine::{Handle, Ref};
use crate::resources::Exposed;
use crate::resources::logs::LogGroup;
use crate::resources::wafv2::{Association, IpSet, Logging, Rule, RuleAction, Statement, WebAcl};
use std::collections::{BTreeMap, BTreeSet};

/// The shortest window. The brief's 10,000 requests a second are 600,000 in it.
const WINDOW_SECONDS: i64 = 60;
const ALL_REQUESTS: i64 = 10_000 * WINDOW_SECONDS;
/// Headers that say who somebody is.
const REDACTED: [&str; 2] = ["authorization", "cookie"];

/// What other sections refer to.
pub struct Firewall {
    pub acl: Handle<WebAcl>,
    /// Known once the load balancer is guarded.
    pub guarded: Ref<()>,
}

pub fn declare(here: &mut EnvironmentBuilder<'_>, keys: &Keys, edge: &Edge) -> Firewall {
    let env = here.env;
    let blocks = [
        here.tiers().tier(Tier::Public).to_string(),
        here.other_tiers().all().to_string(),
    ];
    let spec = IpSet {
        description: format!("What sends requests on to {env} from the other environment"),
        addresses: BTreeSet::from(blocks),
    };
    let bridge = here.add("waf-bridge", spec);
    let spec = WebAcl {
        description: format!("Guards the load balancer of {env}"),
        default: "allow".into(),
        rules: rules(here, &bridge),
        metrics: true,
        others: Vec::new(),
        imposed: Vec::new(),
    };
    let acl = here.add("waf", spec);
    let spec = Association {
        load_balancer: edge.load_balancer.arn.ready(),
        web_acl: acl.arn.clone(),
    };
    let association = here.add("waf-association", spec);
    let spec = LogGroup {
        retention_days: Some(here.config.waf.log_days),
        kms_key: Some(keys.logs.arn.clone()),
        exposed: Exposed::new(),
    };
    // WAF takes no other beginning of the name.
    let name = here.name("aws-waf-logs");
    let group = here.add_named("waf-logs", name, spec);
    let spec = Logging {
        web_acl: acl.arn.clone(),
        destination: group.arn(),
        redacted_headers: REDACTED.map(str::to_owned).into(),
        others: Vec::new(),
    };
    here.add("waf-logging", spec);
    Firewall {
        acl,
        guarded: usable(&association.load_balancer),
    }
}

fn rules(here: &EnvironmentBuilder<'_>, bridge: &Handle<IpSet>) -> BTreeMap<String, Rule> {
    let rule = |priority, action, statement| Rule {
        priority,
        action,
        statement,
        metrics: true,
        others: Vec::new(),
    };
    let group = |priority, name: &str| {
        let statement = Statement::managed(&format!("AWSManagedRules{name}RuleSet"));
        rule(priority, RuleAction::OfGroup, statement)
    };
    let above = |limit, per: &str, of| Statement::Rate {
        limit,
        window_seconds: WINDOW_SECONDS,
        per: per.into(),
        of: Box::new(of),
    };
    let clients = Statement::Not(Box::new(Statement::From(bridge.arn.clone())));
    // A flood must not send everybody to the other environment: Route 53 and the bridge go on to see that this one works.
    let checks = [READY_PATH, SIDE_PATH].map(|path| Statement::path("EXACTLY", path));
    let everything = Statement::Not(Box::new(Statement::AnyOf(checks.into())));
    let limit = here.config.waf.requests_per_client_per_minute;
    let all = [
        (
            "checks",
            rule(0, RuleAction::Count, Statement::path("EXACTLY", READY_PATH)),
        ),
        ("known-bad-inputs", group(10, "KnownBadInputs")),
        ("sql-injection", group(20, "SQLi")),
        ("core", group(30, "Common")),
        (
            "per-client",
            rule(40, RuleAction::Block, above(limit, "IP", clients)),
        ),
        (
            "all-requests",
            rule(
                50,
                RuleAction::Block,
                above(ALL_REQUESTS, "CONSTANT", everything),
            ),
        ),
    ];
    all.map(|(name, rule)| (name.to_owned(), rule)).into()
}
