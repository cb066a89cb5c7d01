//! In which order an environment is removed: a step goes before everything that it needs.

use super::services::{SERVICES, Service};
use super::{Env, Facts, build};
use crate::config::Config;
use crate::engine::graph::{Graph, Step};
use std::collections::BTreeSet;

/// Every step of the first kind goes before one, at least, of each of the others: customers first, then what calls, what works, what is
/// asked, and at last what all of it writes to.
const BEFORE: &[(&str, &[&str])] = &[
    (
        "route53/record",
        &["elbv2/rule", "elbv2/listener", "elbv2/load_balancer"],
    ),
    ("lambda/stream_mapping", &["lambda/function"]),
    (
        "scheduler/schedule",
        &["lambda/function", "scheduler/group"],
    ),
    ("autoscaling/scaling", &["ecs/service"]),
    (
        "ecs/service",
        &[
            "elbv2/rule",
            "ecs/task_definition",
            "ecs/cluster",
            "iam/role",
        ],
    ),
    (
        "wafv2/association",
        &["wafv2/web_acl", "elbv2/load_balancer"],
    ),
    ("wafv2/logging", &["wafv2/web_acl", "logs/log_group"]),
    ("elbv2/rule", &["elbv2/listener"]),
    ("elbv2/listener", &["elbv2/load_balancer"]),
    ("config/rule", &["config/recording"]),
    ("cloudwatch/composite_alarm", &["cloudwatch/alarm"]),
    ("cloudwatch/alarm", &["sns/topic"]),
    ("ecs/task_definition", &["iam/role", "logs/log_group"]),
    ("ecs/cluster", &["logs/log_group"]),
    (
        "lambda/function",
        &["iam/role", "logs/log_group", "sqs/queue", "ec2/subnet"],
    ),
    ("ec2/flow_log", &["ec2/vpc", "iam/role", "logs/log_group"]),
    ("rds/cluster", &["logs/log_group"]),
    ("elbv2/load_balancer", &["ec2/subnet"]),
    ("ec2/subnet", &["ec2/vpc"]),
    ("sns/topic", &["kms/key"]),
    ("logs/log_group", &["kms/key"]),
];

/// Everything that is removed after a step because the step needs it.
fn after<'a>(graph: &'a Graph, step: &'a Step) -> BTreeSet<&'a str> {
    let mut met = BTreeSet::new();
    let mut open = vec![step];
    while let Some(step) = open.pop() {
        for id in step.needs(graph) {
            let Some(next) = graph.get(&id) else { continue };
            if met.insert(next.id.as_str()) {
                open.push(next);
            }
        }
    }
    met
}

fn of<'a>(graph: &'a Graph, kind: &str) -> impl Iterator<Item = &'a Step> {
    graph.steps.iter().filter(move |step| step.kind == kind)
}

/// With an image for each service: only then they scale.
fn delivered() -> Facts {
    let image = |service: &Service| {
        let name = service.name.to_owned();
        (name, format!("{}@sha256:{:064}", service.name, 1))
    };
    Facts {
        images: SERVICES.iter().map(image).collect(),
        ..Facts::sample()
    }
}

#[test]
fn customers_go_first_and_what_is_written_to_goes_last() {
    let graph = build(&Config::default(), &delivered()).unwrap();
    for (first, then) in BEFORE {
        assert!(of(&graph, first).next().is_some(), "{first}");
        for step in of(&graph, first) {
            let after = after(&graph, step);
            for kind in *then {
                let is_after = of(&graph, kind).any(|s| after.contains(s.id.as_str()));
                assert!(is_after, "{} goes before no {kind}", step.id);
            }
        }
    }
}

#[test]
fn no_rule_goes_while_a_name_leads_to_its_balancer() {
    let graph = build(&Config::default(), &Facts::sample()).unwrap();
    for record in of(&graph, "route53/record") {
        let after = after(&graph, record);
        let rules = of(&graph, "elbv2/rule").filter(|rule| rule.scope == record.scope);
        // The rule of the bridge joins both environments, and goes before either.
        let rules: Vec<_> = rules
            .filter(|rule| !rule.id.starts_with("rule-bridge"))
            .collect();
        assert!(rules.len() > 4, "{}", record.id);
        for rule in rules {
            assert!(
                after.contains(rule.id.as_str()),
                "{}: {}",
                record.id,
                rule.id
            );
        }
    }
}

/// In a destroy what customers use goes after them; in an apply it comes before them. What joins both environments is made last and goes
/// first.
#[test]
fn customers_and_tasks_come_last_and_go_first() {
    const ENDPOINTS: [&str; 2] = ["ec2/interface_endpoint", "ec2/gateway_endpoint"];
    const GUARD: &str = "wafv2/association";
    let before = [
        (
            "route53/record",
            [ENDPOINTS.as_slice(), &[GUARD, "rds/instance"]].concat(),
        ),
        ("ecs/service", [ENDPOINTS.as_slice(), &[GUARD]].concat()),
    ];
    let graph = build(&Config::default(), &delivered()).unwrap();
    for env in Env::ALL {
        let joining = graph.joining(&env.other().to_string());
        let own = |step: &&Step| {
            let joins = graph.position(&step.id).is_some_and(|at| joining[at]);
            step.scope == env.to_string() && !joins
        };
        for (first, kinds) in &before {
            assert!(of(&graph, first).filter(own).count() >= 2);
            for step in of(&graph, first).filter(own) {
                let after = after(&graph, step);
                for kind in kinds {
                    let all: Vec<_> = of(&graph, kind).filter(own).collect();
                    assert!(!all.is_empty(), "{kind}");
                    for one in all {
                        let is_after = after.contains(one.id.as_str());
                        assert!(is_after, "{} does not wait for {}", step.id, one.id);
                    }
                }
            }
        }
    }
}

/// Without an image a service is there too, with no task: it takes its place in the same order.
#[test]
fn the_order_is_the_same_before_there_are_images() {
    let graphs = [Facts::sample(), delivered()];
    let graphs = graphs.map(|facts| build(&Config::default(), &facts).unwrap());
    let after = |graph: &Graph| -> Vec<serde_json::Value> {
        let services = of(graph, "ecs/service").map(|step| step.spec["after"].clone());
        services.collect()
    };
    assert_eq!(after(&graphs[0]), after(&graphs[1]));
}
