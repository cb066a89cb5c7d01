//! Users with the policies that `deployer permissions` prints, and what the sandbox says of their calls.

use crate::support::lab::Lab;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Makes a user with these policies in the account, and gives its access key and secret.
const USER: &str = r#"
iam = c("iam")
name = "holder-%d" % len(iam.list_users()["Users"])
iam.create_user(UserName=name)
for n, statements in enumerate(json.loads(open("parts.json").read())):
    document = json.dumps({"Version": "2012-10-17", "Statement": statements})
    policy = iam.create_policy(PolicyName="%s-%d" % (name, n), PolicyDocument=document)["Policy"]
    iam.attach_user_policy(UserName=name, PolicyArn=policy["Arn"])
key = iam.create_access_key(UserName=name)["AccessKey"]
print(json.dumps([key["AccessKeyId"], key["SecretAccessKey"]]))
"#;

/// The statements by the managed policies that `deployer permissions` divides them into.
pub fn parts(lab: &Lab, arguments: &[&str]) -> Vec<Vec<Value>> {
    let print = |more: &[&str]| lab.run(&[&["permissions"], arguments, more].concat());
    let count = print(&["--json"]).expect(0).json()["parts"].as_u64();
    let part = |n: u64| print(&["--part", &n.to_string()]).expect(0).json();
    (1..=count.unwrap())
        .map(|n| part(n)["Statement"].as_array().unwrap().clone())
        .collect()
}

/// From now on the lab's deployer is a user with these policies and nothing else.
pub fn hold_parts(lab: &Lab, parts: &[Vec<Value>]) {
    let file = lab.dir.path().join("parts.json");
    std::fs::write(file, json!(parts).to_string()).unwrap();
    let keys: [String; 2] = serde_json::from_str(&lab.python(USER)).unwrap();
    lab.control("DELETE", "access", &json!({}));
    lab.keys.set(keys).unwrap();
}

/// From now on the lab's deployer is a user with the policy that `deployer permissions` prints for these arguments.
pub fn hold(lab: &Lab, arguments: &[&str]) {
    hold_parts(lab, &parts(lab, arguments));
}

/// What the sandbox judged since then.
pub struct Judged {
    /// How often a statement was the only one that allowed something, by its `Sid`.
    pub alone: BTreeMap<String, u64>,
    /// The actions that were denied, with their resources.
    pub denied: Vec<Value>,
}

/// What the sandbox judged since the lab's deployer is a user. Nothing that could not be judged passes.
pub fn judged(lab: &Lab) -> Judged {
    let said = lab.control("GET", "access", &json!({}));
    assert_eq!(said["unjudged"], json!({}));
    let statements = said["statements"].as_object().unwrap().iter();
    Judged {
        alone: statements
            .map(|(sid, entry)| (sid.clone(), entry["alone"].as_u64().unwrap()))
            .collect(),
        denied: said["denied"].as_array().unwrap().clone(),
    }
}

/// A statement without its number, which changes with its neighbours: its actions and its resources.
pub fn named(statement: &Value) -> String {
    let list = |key: &str| {
        let all = statement[key].as_array().into_iter().flatten();
        all.filter_map(Value::as_str).collect::<Vec<_>>().join(" ")
    };
    format!("{} on {}", list("Action"), list("Resource"))
}
