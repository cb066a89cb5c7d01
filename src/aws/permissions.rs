//! The IAM policy that the credentials need, made from the actions that the service files declare: as narrow as AWS
//! allows, by names, by the tag that marks what is ours, and by the service that a key or a role is used through.

use super::SERVICES;
use super::api::{Api, Grant, Guard, METRICS, NOTIFIED, STATE_AT, STATE_IN};
use crate::engine::ownership::MARK_SUFFIX;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// What a managed policy may hold, without white space ("IAM and AWS STS quotas").
pub const MANAGED_POLICY: usize = 6144;

/// Which deployment a policy is for.
#[derive(Debug, Clone)]
pub struct Holder<'a> {
    /// The account, or `*`.
    pub account: &'a str,
    pub region: &'a str,
    /// The environment suffix.
    pub suffix: &'a str,
    /// For `plan`, `drift` and everything else that changes nothing.
    pub read_only: bool,
    /// Only what these actions need.
    pub only: Option<&'a [Api]>,
    /// The topic that is notified at the end of a run.
    pub topic: Option<&'a str>,
    /// The bucket of a shared state and the prefix of this deployment in it, with a slash at its end.
    pub state: Option<(&'a str, &'a str)>,
}

impl Holder<'_> {
    /// The statements of the policy, in a stable order.
    pub fn statements(&self) -> Vec<Value> {
        // A notification changes nothing that is deployed.
        let notifies = |api: &Api| api.grants.iter().any(|g| g.resource == NOTIFIED);
        let chosen = |api: &&Api| !(self.read_only && api.writes()) || notifies(api);
        let wanted = |api: &&Api| self.only.is_none_or(|only| only.contains(api));
        let apis = SERVICES.iter().flat_map(|s| (s.actions)()).filter(chosen);
        let apis = apis.filter(wanted);
        let apis: Vec<&Api> = apis.collect();
        // What is limited in the same way, then what has the same actions.
        let mut actions: BTreeMap<(Guard, &str), BTreeSet<String>> = BTreeMap::new();
        for api in &apis {
            let known = |g: &&Grant| match g.resource {
                NOTIFIED => self.topic.is_some(),
                STATE_AT | STATE_IN => self.state.is_some(),
                _ => true,
            };
            for grant in api.grants.iter().filter(known) {
                let action = grant.action.map_or_else(|| api.action(), str::to_owned);
                let key = (grant.guard, grant.resource);
                actions.entry(key).or_default().insert(action);
            }
        }
        let mut resources: BTreeMap<(Guard, BTreeSet<String>), BTreeSet<&str>> = BTreeMap::new();
        for ((guard, resource), actions) in actions {
            resources
                .entry((guard, actions))
                .or_default()
                .insert(resource);
        }
        let creating: BTreeSet<&str> = apis
            .iter()
            .filter(|a| a.grants.iter().any(|g| g.guard == Guard::AtCreation))
            .map(|a| a.operation)
            .collect();
        let statements = resources.into_iter().enumerate();
        statements
            .map(|(at, ((guard, actions), resources))| {
                let resources: Vec<String> = resources.iter().map(|r| self.filled(r)).collect();
                let mut out = Map::new();
                out.insert("Sid".into(), json!(sid(at, guard, &actions)));
                out.insert("Effect".into(), json!("Allow"));
                out.insert("Action".into(), json!(actions));
                out.insert("Resource".into(), json!(resources));
                if let Some(condition) = self.condition(guard, &creating) {
                    out.insert("Condition".into(), condition);
                }
                Value::Object(out)
            })
            .collect()
    }

    fn filled(&self, resource: &str) -> String {
        let (bucket, prefix) = self.state.unwrap_or_default();
        resource
            .replace(STATE_IN, &format!("arn:aws:s3:::{bucket}"))
            .replace(STATE_AT, &format!("arn:aws:s3:::{bucket}/{prefix}*"))
            .replace("{region}", self.region)
            .replace("{account}", self.account)
            .replace("{suffix}", self.suffix)
            .replace(NOTIFIED, self.topic.unwrap_or_default())
    }

    fn condition(&self, guard: Guard, creating: &BTreeSet<&str>) -> Option<Value> {
        let ours = format!("aws:ResourceTag/{MARK_SUFFIX}");
        let asked = format!("aws:RequestTag/{MARK_SUFFIX}");
        Some(match guard {
            Guard::Named => return None,
            Guard::RequestTag => json!({"StringEquals": {asked: self.suffix}}),
            Guard::ResourceTag => json!({"StringEquals": {ours: self.suffix}}),
            Guard::NotOfOthers => json!({"StringEqualsIfExists": {ours: self.suffix}}),
            Guard::AtCreation => json!({"StringEquals": {"ec2:CreateAction": creating}}),
            Guard::Via(services) => {
                let through = services
                    .iter()
                    .map(|s| format!("{s}.{}.amazonaws.com", self.region));
                let through: Vec<String> = through.collect();
                json!({"StringEquals": {"kms:ViaService": through, ours: self.suffix}})
            }
            Guard::PassedTo(service) => {
                json!({"StringEquals": {"iam:PassedToService": service}})
            }
            Guard::LinkedTo(service) => {
                json!({"StringEquals": {"iam:AWSServiceName": service}})
            }
            Guard::Metrics => json!({"StringEquals": {"cloudwatch:namespace": METRICS}}),
            Guard::Behalf => json!({"Bool": {"aws:ViaAWSService": "true"}}),
            Guard::Count => json!({"StringEquals": {"dynamodb:Select": "COUNT"}}),
        })
    }
}

/// A name for a statement: which service, and how it is limited.
fn sid(at: usize, guard: Guard, actions: &BTreeSet<String>) -> String {
    let services: BTreeSet<&str> = actions.iter().filter_map(|a| a.split(':').next()).collect();
    let service = match services.len() {
        1 => services.iter().next().copied().unwrap_or_default(),
        _ => "several",
    };
    let limit = match guard {
        Guard::Named => "Named",
        Guard::RequestTag => "NewWithOurTag",
        Guard::ResourceTag => "WithOurTag",
        Guard::NotOfOthers => "NotOfOthers",
        Guard::Via(_) => "ThroughServices",
        Guard::AtCreation => "TagsOfNew",
        Guard::PassedTo(_) => "PassedToService",
        Guard::LinkedTo(_) => "LinkedRole",
        Guard::Metrics => "OwnMetrics",
        Guard::Count => "Count",
        Guard::Behalf => "Behalf",
    };
    // AWS takes letters and digits only.
    let name = service.split('-').map(|word| {
        let (first, rest) = word.split_at(word.len().min(1));
        format!("{}{rest}", first.to_uppercase())
    });
    let name: String = name.collect();
    format!("{name}{limit}{}", at + 1)
}

/// What `state init` needs, on the bucket of the shared state alone. It is run once, by a person.
pub fn state_init(bucket: &str) -> Vec<Value> {
    let settings = [
        "BucketVersioning",
        "BucketOwnershipControls",
        "EncryptionConfiguration",
        "BucketPublicAccessBlock",
        "BucketPolicy",
        "LifecycleConfiguration",
        "BucketTagging",
    ];
    let reads = [
        "BucketLogging",
        "BucketAcl",
        "ReplicationConfiguration",
        "BucketNotification",
        "BucketWebsite",
        "InventoryConfiguration",
        "AnalyticsConfiguration",
    ];
    let both = settings
        .iter()
        .flat_map(|s| [format!("s3:Get{s}"), format!("s3:Put{s}")]);
    let reads = reads.iter().map(|s| format!("s3:Get{s}"));
    let others = ["s3:CreateBucket", "s3:ListBucket", "s3:TagResource"].map(str::to_owned);
    let actions: BTreeSet<String> = both.chain(reads).chain(others).collect();
    vec![json!({
        "Sid": "StateBucket",
        "Effect": "Allow",
        "Action": actions,
        "Resource": format!("arn:aws:s3:::{bucket}"),
    })]
}

/// The policy with these statements.
pub fn document(statements: &[Value]) -> Value {
    json!({"Version": "2012-10-17", "Statement": statements})
}

/// The statements in as few documents as managed policies can hold.
pub fn parts(statements: &[Value]) -> Vec<Vec<Value>> {
    let size = |statements: &[Value]| document(statements).to_string().len();
    let mut parts: Vec<Vec<Value>> = Vec::new();
    for statement in statements {
        if let Some(last) = parts.last_mut() {
            last.push(statement.clone());
            if size(last) <= MANAGED_POLICY {
                continue;
            }
            last.pop();
        }
        parts.push(vec![statement.clone()]);
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holder(read_only: bool) -> Holder<'static> {
        Holder {
            account: "123456789012",
            region: "eu-central-1",
            suffix: "dev",
            read_only,
            only: None,
            topic: None,
            state: None,
        }
    }

    /// With a topic, so that no action is left out.
    fn whole() -> Holder<'static> {
        Holder {
            topic: Some("arn:aws:sns:eu-central-1:123456789012:runs"),
            state: Some(("states", "team/dev/")),
            ..holder(false)
        }
    }

    fn strings(value: &Value) -> Vec<&str> {
        let items = value.as_array().into_iter().flatten();
        items.filter_map(Value::as_str).collect()
    }

    #[test]
    fn every_declared_action_is_allowed_and_no_action_is_a_pattern() {
        let statements = whole().statements();
        let allowed: BTreeSet<&str> = statements
            .iter()
            .flat_map(|s| strings(&s["Action"]))
            .collect();
        for api in SERVICES.iter().flat_map(|s| (s.actions)()) {
            for grant in api.grants {
                let action = grant.action.map_or_else(|| api.action(), str::to_owned);
                assert!(allowed.contains(action.as_str()), "{action}");
            }
        }
        let wide = |a: &&&str| a.contains('*') && **a != "kms:GenerateDataKey*";
        assert_eq!(allowed.iter().find(wide), None);
    }

    #[test]
    fn a_mutating_action_on_everything_is_limited_by_a_condition() {
        for statement in holder(false).statements() {
            if strings(&statement["Resource"]) != ["*"] || statement.get("Condition").is_some() {
                continue;
            }
            for action in strings(&statement["Action"]) {
                let (_, operation) = action.split_once(':').unwrap();
                // SimulatePrincipalPolicy says what a policy allows, and changes nothing.
                let reads = [
                    "Check", "Describe", "Get", "List", "Lookup", "Search", "Simulate",
                ];
                let is_read = reads.iter().any(|r| operation.starts_with(r));
                // The services know no resource for these.
                let bare = [
                    "config:DeleteDeliveryChannel",
                    "config:PutDeliveryChannel",
                    "ecs:DeregisterTaskDefinition",
                    "logs:PutResourcePolicy",
                    "route53:CreateHealthCheck",
                    "route53:CreateHostedZone",
                    "sns:SetSubscriptionAttributes",
                    "sns:Unsubscribe",
                ];
                let is_bare = action.ends_with("LogDelivery") || bare.contains(&action);
                assert!(is_read || is_bare, "{action}");
            }
        }
    }

    #[test]
    fn a_read_only_policy_has_reads_only() {
        let statements = holder(true).statements();
        let each = statements.iter();
        let each = each.flat_map(|s| strings(&s["Action"]).into_iter().map(move |a| (s, a)));
        for (statement, action) in each {
            let (_, operation) = action.split_once(':').unwrap();
            // SimulatePrincipalPolicy says what a policy allows, and changes nothing.
            let reads = [
                "Check", "Describe", "Filter", "Get", "List", "Lookup", "Search", "Simulate",
            ];
            // Limited to counting by a condition.
            let counts = action == "dynamodb:Scan";
            // What a service shows only decrypted: through that service.
            let via = &statement["Condition"]["StringEquals"]["kms:ViaService"];
            let shown = action == "kms:Decrypt" && !via.is_null();
            let is_read = reads.iter().any(|r| operation.starts_with(r));
            assert!(is_read || counts || shown, "{action}");
            assert_ne!(action, "secretsmanager:GetSecretValue");
        }
    }

    #[test]
    fn publishing_is_allowed_on_the_configured_topic_alone() {
        let with = Holder {
            read_only: true,
            only: None,
            ..whole()
        };
        let topic = with.topic;
        let publishes = |holder: Holder<'_>| {
            let statements = holder.statements().into_iter();
            let publish = json!(["sns:Publish"]);
            statements
                .filter(|s| s["Action"] == publish)
                .map(|s| s["Resource"].clone())
                .collect::<Vec<_>>()
        };
        assert_eq!(publishes(with), [json!([topic])]);
        assert_eq!(publishes(holder(false)), Vec::<Value>::new());
    }

    #[test]
    fn a_shared_state_is_allowed_to_its_own_deployment_alone() {
        let objects = json!(["arn:aws:s3:::states/team/dev/*"]);
        let on_objects = |holder: Holder<'_>| {
            let statements = holder.statements().into_iter();
            let ours = statements.filter(|s| s["Resource"] == objects);
            ours.flat_map(|s| {
                let actions = strings(&s["Action"]).into_iter().map(str::to_owned);
                actions.collect::<Vec<_>>()
            })
            .collect::<BTreeSet<_>>()
        };
        let reads = Holder {
            read_only: true,
            ..whole()
        };
        let words = |words: &[&str]| words.iter().map(|w| (*w).to_owned()).collect();
        let all: BTreeSet<String> = words(&["s3:DeleteObject", "s3:GetObject", "s3:PutObject"]);
        assert_eq!(on_objects(whole()), all);
        assert_eq!(on_objects(reads), words(&["s3:GetObject"]));
        let text = document(&holder(false).statements()).to_string();
        assert!(!text.contains("s3:GetObject\""), "{text}");
    }

    #[test]
    fn placeholders_are_filled_and_sids_are_legal_and_unique() {
        let statements = whole().statements();
        let text = document(&statements).to_string();
        for placeholder in ["{suffix}", "{account}", "{region}", STATE_AT, STATE_IN] {
            assert!(!text.contains(placeholder), "{placeholder}");
        }
        let sids: BTreeSet<&str> = statements
            .iter()
            .filter_map(|s| s["Sid"].as_str())
            .collect();
        assert_eq!(sids.len(), statements.len());
        let legal = |s: &&str| s.chars().all(|c| c.is_ascii_alphanumeric());
        assert!(sids.iter().all(legal), "{sids:?}");
    }

    #[test]
    fn parts_fit_into_managed_policies_and_lose_nothing() {
        let statements = holder(false).statements();
        let parts = parts(&statements);
        assert!(
            parts
                .iter()
                .all(|p| document(p).to_string().len() <= MANAGED_POLICY)
        );
        assert_eq!(parts.concat(), statements);
    }
}
