//! What policies allow while those that use them change: what they are to allow, and what a deployment had them allow until now. A
//! task of the last revision starts with the rights of the last revision, also when ECS goes back to it.

use crate::engine::diff;
use serde_json::{Map, Value};

/// A role: its inline policies, and those that are attached to it.
pub(super) fn role(recorded: &Value, found: &Value, wanted: &Value) -> Value {
    let mut both = wanted.clone();
    both["inline"] = policies(&recorded["inline"], &found["inline"], &wanted["inline"]);
    let attached = |of: &Value| of["managed"].as_array().cloned().unwrap_or_default();
    let (there, mut all) = (attached(found), attached(wanted));
    for one in attached(recorded) {
        if there.contains(&one) && !all.contains(&one) {
            all.push(one);
        }
    }
    both["managed"] = Value::Array(all);
    let inline = both["inline"].as_object();
    let length: usize = inline.into_iter().flat_map(Map::values).map(length).sum();
    if length > MOST_OF_A_ROLE {
        return wanted.clone();
    }
    both
}

/// An endpoint: its policy.
pub(super) fn endpoint(recorded: &Value, found: &Value, wanted: &Value) -> Value {
    let mut both = wanted.clone();
    both["policy"] = policy(&recorded["policy"], &found["policy"], &wanted["policy"]);
    if length(&both["policy"]) > MOST_OF_AN_ENDPOINT {
        return wanted.clone();
    }
    both
}

/// The characters that the inline policies of a role have in all ("IAM and AWS STS quotas"), and those of an endpoint ("Amazon VPC
/// quotas"). Where both do not fit, what is taken away goes at once.
const MOST_OF_A_ROLE: usize = 10_240;
const MOST_OF_AN_ENDPOINT: usize = 20_480;

/// The characters of a document; the form that is sent has no more.
fn length(document: &Value) -> usize {
    document.to_string().chars().count()
}

/// Policies by name. One that nobody wants any more stays as it was.
fn policies(recorded: &Value, found: &Value, wanted: &Value) -> Value {
    let (Some(recorded), Some(mut both)) = (recorded.as_object(), wanted.as_object().cloned())
    else {
        return wanted.clone();
    };
    for (name, was) in recorded {
        let there = &found[name];
        match wanted.get(name) {
            Some(wanted) => drop(both.insert(name.clone(), policy(was, there, wanted))),
            None if diff(was, there).is_empty() => drop(both.insert(name.clone(), was.clone())),
            None => {}
        }
    }
    Value::Object(both)
}

/// A policy with the statements that it had and has, and is not to have as they are. What somebody has changed since is not kept.
fn policy(recorded: &Value, found: &Value, wanted: &Value) -> Value {
    let statements = |policy: &Value| policy["Statement"].as_object().cloned();
    let (Some(was), Some(there), Some(mut all)) =
        (statements(recorded), statements(found), statements(wanted))
    else {
        return wanted.clone();
    };
    for (sid, statement) in was {
        let stays = there
            .get(&sid)
            .is_some_and(|t| diff(&statement, t).is_empty());
        if stays && statement["Effect"] == "Allow" && !allows(all.get(&sid), &statement) {
            let name = free(&all, &sid);
            all.insert(name, statement);
        }
    }
    let mut both = wanted.clone();
    both["Statement"] = Value::Object(all);
    both
}

/// True when a statement allows all that an earlier one did: it is the same, but for what came to its lists.
fn allows(wanted: Option<&Value>, earlier: &Value) -> bool {
    const LISTS: [&str; 3] = ["Action", "Resource", "Principal"];
    wanted.is_some_and(|wanted| {
        let changes = diff(wanted, earlier);
        changes
            .iter()
            .all(|c| c.have.is_none() && LISTS.contains(&c.field()))
    })
}

/// A name that no statement has; letters and digits alone ("IAM JSON policy elements: Sid").
fn free(all: &Map<String, Value>, sid: &str) -> String {
    let mut name = sid.to_owned();
    while all.contains_key(&name) {
        name.push_str("Before");
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resources::policy::Policy;
    use serde_json::json;

    fn statements(all: Value) -> Value {
        let Value::Array(all) = all else {
            return Value::Null;
        };
        serde_json::to_value(Policy::of(all)).unwrap()
    }

    fn pull(image: &str) -> Value {
        json!({"Sid": "Pull", "Effect": "Allow", "Action": "ecr:BatchGetImage", "Resource": image})
    }

    #[test]
    fn what_a_role_loses_it_keeps_beside_what_it_gets() {
        let before = json!({"inline": {
            "pull": statements(json!([pull("a")])),
            "read": statements(json!([{"Sid": "Read", "Effect": "Allow", "Action": "s3:GetObject", "Resource": "b"}])),
        }, "managed": ["m1"]});
        let after = json!({"inline": {"pull": statements(json!([pull("b")]))}, "managed": ["m2"]});
        let both = role(&before, &before, &after);
        let pulls = &both["inline"]["pull"]["Statement"];
        assert_eq!(pulls["Pull"]["Resource"], json!(["b"]));
        assert_eq!(pulls["PullBefore"]["Resource"], json!(["a"]));
        assert_eq!(both["inline"]["read"], before["inline"]["read"]);
        assert_eq!(both["managed"], json!(["m2", "m1"]));
        // Interrupted there, it stays as it is, and goes on to what it is to be.
        assert_eq!(role(&both, &both, &after), both);
        // Two policies that do not fit into one role.
        let long = |name: &str| {
            let images: Vec<String> = (0..400).map(|n| format!("{name}-image-{n:04}")).collect();
            json!({"inline": {"pull": statements(json!([pull(&images.join(","))]))}, "managed": []})
        };
        assert_eq!(role(&long("a"), &long("a"), &long("b")), long("b"));
        // What comes to a list takes nothing away.
        let more = json!({"inline": {"pull": statements(json!([{"Sid": "Pull", "Effect": "Allow",
            "Action": "ecr:BatchGetImage", "Resource": ["a", "b"]}])), "read": before["inline"]["read"]}, "managed": ["m1", "m2"]});
        assert_eq!(role(&before, &before, &more), more);
    }

    #[test]
    fn a_condition_takes_away_and_a_denial_does_not_wait() {
        let of = |condition: Value| {
            let mut all = vec![
                json!({"Sid": "No", "Effect": "Deny", "Action": "s3:*", "Resource": condition}),
            ];
            let mut allow = pull("a");
            if condition == "new" {
                allow["Condition"] = json!({"Bool": {"aws:SecureTransport": "true"}});
            }
            all.push(allow);
            json!({"policy": statements(Value::Array(all))})
        };
        let both = endpoint(&of(json!("old")), &of(json!("old")), &of(json!("new")));
        let names: Vec<&String> = both["policy"]["Statement"]
            .as_object()
            .unwrap()
            .keys()
            .collect();
        assert_eq!(names, ["No", "Pull", "PullBefore"]);
        assert_eq!(
            both["policy"]["Statement"]["No"]["Resource"],
            json!(["new"])
        );
    }

    #[test]
    fn what_somebody_put_there_is_not_kept() {
        let recorded = json!({"policy": statements(json!([pull("a")]))});
        let found = json!({"policy": statements(json!([pull("others"), {"Sid": "Theirs", "Effect": "Allow", "Action": "*", "Resource": "*"}]))});
        let wanted = json!({"policy": statements(json!([pull("b")]))});
        assert_eq!(endpoint(&recorded, &found, &wanted), wanted);
    }
}
