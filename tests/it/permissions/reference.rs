//! The policy against the Service Authorization Reference, the part of it that the sandbox has.

use crate::support::lab::Lab;
use serde_json::Value;

const REFERENCE: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/src/sandbox/emulator/access/reference.json"
);

/// "If the column is empty, you must specify all resources in the Resource element": whoever writes an ARN is denied.
#[test]
fn an_action_without_types_of_resources_is_allowed_on_everything() {
    let reference: Value =
        serde_json::from_str(&std::fs::read_to_string(REFERENCE).unwrap()).unwrap();
    let lab = Lab::start();
    let config = "state = \"s3://states/team\"\n[notify]\ntopic = \"arn:aws:sns:eu-central-1:123456789012:runs\"\n";
    std::fs::write(lab.dir.path().join("deployer.toml"), config).unwrap();
    let policy = lab.run(&["permissions"]).expect(0).json();
    let mut wrong = Vec::new();
    let strings = |value: &Value| -> Vec<String> {
        let all = value.as_array().unwrap().iter();
        all.map(|v| v.as_str().unwrap().to_owned()).collect()
    };
    let statements = policy["Statement"].as_array().unwrap();
    let pairs = statements.iter().flat_map(|s| {
        let resources = strings(&s["Resource"]);
        strings(&s["Action"])
            .into_iter()
            .map(move |a| (a, resources.clone()))
    });
    for (action, resources) in pairs {
        // A pattern of actions is several of them.
        let Some(types) = reference["actions"][&action].as_str() else {
            assert!(action.ends_with('*'), "{action} is not in the reference");
            continue;
        };
        // AWS WAF's "Permissions": limited to load balancers in its own examples.
        let documented = action == "elasticloadbalancing:SetWebACL";
        if types.is_empty() && !resources.contains(&"*".to_owned()) && !documented {
            wrong.push(format!("{action} on {resources:?}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
