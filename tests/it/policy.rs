//! Policies are compared by meaning, whatever way AWS or a person has written them down.

use deployer::engine::diff;
use deployer::resources::policy::Policy;
use proptest::prelude::*;
use proptest::sample::subsequence;
use serde_json::{Value, json};

const ACCOUNT: &str = "123456789012";

fn root() -> String {
    format!("arn:aws:iam::{ACCOUNT}:root")
}

/// Some of these, at least one.
fn some(all: &'static [&'static str]) -> impl Strategy<Value = Value> {
    subsequence(all, 1..=all.len()).prop_map(|chosen| json!(chosen))
}

fn statement() -> impl Strategy<Value = Value> {
    let principal = prop_oneof![
        Just(json!({"AWS": ["*"]})),
        Just(json!({"AWS": [root()]})),
        some(&["logs.amazonaws.com", "s3.amazonaws.com"]).prop_map(|who| json!({"Service": who})),
    ];
    let condition = prop_oneof![
        Just(Value::Null),
        Just(json!({"Bool": {"aws:SecureTransport": ["false"]}})),
        Just(json!({"NumericLessThan": {"s3:TlsVersion": ["2"]}})),
        some(&["a", "b", "c"]).prop_map(|v| json!({"StringEquals": {"aws:SourceAccount": v}})),
    ];
    let effect = prop_oneof![Just("Allow"), Just("Deny")];
    let actions = some(&["s3:Get", "s3:Put", "s3:List"]);
    let resources = some(&["arn:aws:s3:::a", "arn:aws:s3:::b", "*"]);
    let parts = (effect, actions, resources, principal, condition);
    parts.prop_map(|(effect, actions, resources, principal, condition)| {
        let mut statement = json!({"Effect": effect, "Action": actions, "Resource": resources, "Principal": principal});
        if !condition.is_null() {
            statement["Condition"] = condition;
        }
        statement
    })
}

/// Statements, each with a name of its own or none, and not two that are alike.
fn statements() -> impl Strategy<Value = Vec<Value>> {
    prop::collection::vec((statement(), any::<bool>()), 1..5).prop_map(|all| {
        let mut out: Vec<Value> = Vec::new();
        for (at, (mut statement, named)) in all.into_iter().enumerate() {
            if out.contains(&statement) {
                continue;
            }
            if named {
                statement["Sid"] = json!(format!("Statement{at}"));
            }
            out.push(statement);
        }
        out
    })
}

/// The same in other words: other orders, one value for a list of one, the account for its root, `false` for `"false"`.
fn rewritten(value: &Value, random: &mut fastrand::Rng) -> Value {
    match value {
        Value::Array(items) => {
            let mut items: Vec<Value> = items.iter().map(|v| rewritten(v, random)).collect();
            random.shuffle(&mut items);
            if items.len() == 1 && random.bool() {
                return items.remove(0);
            }
            Value::Array(items)
        }
        Value::Object(map) if map.get("AWS") == Some(&json!(["*"])) && random.bool() => json!("*"),
        Value::Object(map) => {
            let each = map.iter().map(|(k, v)| (k.clone(), rewritten(v, random)));
            each.collect()
        }
        Value::String(text) if *text == root() && random.bool() => json!(ACCOUNT),
        Value::String(text) if text == "false" && random.bool() => json!(false),
        Value::String(text) if text == "2" && random.bool() => json!(2),
        other => other.clone(),
    }
}

/// The paths in which two documents differ.
fn differences(a: &Policy, b: &Policy) -> Vec<String> {
    let json = |policy: &Policy| serde_json::to_value(policy).unwrap();
    let changes = diff(&json(a), &json(b));
    changes.into_iter().map(|c| c.path.to_string()).collect()
}

fn document(statements: &Value) -> Policy {
    Policy::new(json!({"Version": "2012-10-17", "Statement": statements}))
}

proptest! {
    #[test]
    fn other_words_for_the_same_are_no_difference(all in statements(), seed in any::<u64>()) {
        let all = Value::Array(all);
        let policy = document(&all);
        prop_assert_eq!(differences(&policy, &policy), Vec::<String>::new());
        let mut random = fastrand::Rng::with_seed(seed);
        let other = document(&rewritten(&all, &mut random));
        prop_assert_eq!(differences(&policy, &other), Vec::<String>::new(), "{:?}", other);
    }

    #[test]
    fn what_leaves_reads_back_the_same_also_percent_encoded(all in statements()) {
        let policy = Policy::of(all);
        let text = policy.document();
        let encoded: String = text.bytes().map(|b| format!("%{b:02X}")).collect();
        for text in [text, encoded] {
            prop_assert_eq!(differences(&policy, &Policy::parse(&text)), Vec::<String>::new());
        }
    }

    #[test]
    fn one_change_of_the_meaning_is_a_difference(all in statements(), seed in any::<u64>(), kind in 0..5) {
        let mut random = fastrand::Rng::with_seed(seed);
        let policy = document(&Value::Array(all.clone()));
        let mut changed = all;
        let at = random.usize(..changed.len());
        let statement = &mut changed[at];
        match kind {
            0 => drop(changed.remove(at)),
            1 => {
                let allow = statement["Effect"] == "Allow";
                statement["Effect"] = json!(if allow { "Deny" } else { "Allow" });
            }
            2 => statement["Action"].as_array_mut().unwrap().push(json!("s3:*")),
            3 => statement["Principal"] = json!({"AWS": ["arn:aws:iam::999999999999:root"]}),
            _ => statement["Condition"] = json!({"StringLike": {"aws:PrincipalArn": ["*"]}}),
        }
        let other = document(&rewritten(&Value::Array(changed), &mut random));
        prop_assert_ne!(differences(&policy, &other), Vec::<String>::new());
    }
}
