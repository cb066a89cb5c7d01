//! Someone changes or deletes things by hand, at least one of every type: drift names exactly that, apply repairs
//! exactly that. What is not ours to repair or cannot be read is reported, and left alone.

mod compute;
mod edge;
mod extra;
mod network;
mod services;
mod unread;

use crate::support::lab::{Lab, same};
use deployer::engine::Change;
use deployer::engine::diff::Path;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// One thing that someone does by hand, and what drift has to say about it. In the texts, `<step>` stands for the id that
/// is recorded for a step, `<step.arn>` for another of its outputs, and `<made.name>` for what a script notes in `made`.
pub struct Mutation {
    kind: &'static str,
    /// Python, with the clients and helpers of [`HELPERS`].
    script: &'static str,
    rows: &'static [Row],
}

/// A step, how it differs, and where.
type Row = (&'static str, &'static str, &'static str);

const fn by_hand(kind: &'static str, script: &'static str, rows: &'static [Row]) -> Mutation {
    Mutation { kind, script, rows }
}

/// A setting with another value, or an element that is no longer in a set.
const fn changed(step: &'static str, path: &'static str) -> Row {
    (step, "changed", path)
}

/// An element of a set that nobody asked for.
const fn extra(step: &'static str, path: &'static str) -> Row {
    (step, "unmanaged", path)
}

/// The whole thing is gone.
const fn missing(step: &'static str) -> Row {
    (step, "missing", "")
}

fn all() -> impl Iterator<Item = &'static Mutation> + Clone {
    let all = network::ALL.iter().chain(services::ALL);
    let all = all.chain(edge::ALL).chain(compute::ALL);
    all.chain(extra::ALL).chain(unread::ALL)
}

const HELPERS: &str = include_str!("mutations/helpers.py");

/// What is recorded of every step, and what was made by hand.
struct Recorded {
    state: Value,
    made: Value,
}

impl Recorded {
    fn of(lab: &Lab) -> Self {
        let text = std::fs::read_to_string(lab.dir.path().join("state/dev.json")).unwrap();
        let state = serde_json::from_str(&text).unwrap();
        let made = Value::Null;
        Self { state, made }
    }

    /// Outputs that have the name of a field and another value: the planner takes the one for the other.
    fn unlike_their_fields(&self) -> Vec<String> {
        let mut out = Vec::new();
        for (id, step) in self.state["steps"].as_object().unwrap() {
            for (name, value) in step["outputs"].as_object().into_iter().flatten() {
                let field = &step["inputs"][name];
                if !field.is_null() && field != value {
                    out.push(format!("{id}.{name}: {field}, {value}"));
                }
            }
        }
        out
    }

    fn outputs(&self, step: &str) -> &Map<String, Value> {
        self.state["steps"][step]["outputs"].as_object().unwrap()
    }

    /// Steps in which a text names an output that is another one afterwards: they are no difference, and the same apply brings
    /// them along. What is never compared asks for no update.
    fn followers(&self, after: &Self) -> BTreeSet<&str> {
        let all = self.state["steps"].as_object().unwrap();
        let mut old: Vec<&str> = Vec::new();
        for step in all.keys() {
            let new = after.outputs(step);
            let gone = |(name, value): &(&String, &Value)| new.get(*name) != Some(*value);
            let gone = self.outputs(step).iter().filter(gone);
            old.extend(gone.filter_map(|(_, value)| value.as_str()));
        }
        let metas = deployer::resources::metas();
        let names = |step: &Value| {
            let meta = metas.iter().find(|m| step["kind"] == m.kind).unwrap();
            let mut compared = step["inputs"].as_object().unwrap().clone();
            compared.retain(|field, _| !meta.write_only.contains(&field.as_str()));
            let text = Value::Object(compared).to_string();
            old.iter().any(|old| text.contains(old))
        };
        let steps = all.iter().filter(|(_, step)| names(step));
        steps.map(|(id, _)| id.as_str()).collect()
    }

    /// Outputs that an update changed although their type does not say so: what refers to them would follow in a later run only.
    fn undeclared(&self, after: &Self, plan: &Value) -> Vec<String> {
        let metas = deployer::resources::metas();
        let mut out = Vec::new();
        for step in plan["steps"].as_array().unwrap() {
            if step["action"] != "update" {
                continue;
            }
            let meta = metas.iter().find(|m| step["kind"] == m.kind).unwrap();
            let changes = step["changes"].as_array().unwrap().iter().map(|change| {
                let path = change["path"].as_str().unwrap();
                let field = path.split(['.', '[']).next().unwrap();
                Change {
                    path: Path::of([field]),
                    want: None,
                    have: None,
                }
            });
            let changes: Vec<Change> = changes.collect();
            let id = step["step"].as_str().unwrap();
            let (old, new) = (self.outputs(id), after.outputs(id));
            let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
            let differ = names.iter().filter(|n| old.get(**n) != new.get(**n));
            let silent = differ.filter(|name| !meta.renews(name, &changes));
            out.extend(silent.map(|name| format!("{}: {name} of {id}", meta.kind)));
        }
        out
    }

    /// The text with `<step>` and `<step.output>` filled in.
    fn fill(&self, text: &str) -> String {
        let mut out = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('<') {
            let (name, behind) = after.split_once('>').unwrap();
            let (step, output) = name.split_once('.').unwrap_or((name, "id"));
            let value = match step {
                "made" => &self.made[output],
                step => &self.state["steps"][step]["outputs"][output],
            };
            let value = value.as_str().unwrap_or_else(|| panic!("no `{name}`"));
            out = out + before + value;
            rest = behind;
        }
        out + rest
    }
}

/// All that a drift document says, but for what is in sync.
fn reported(drift: &Value) -> BTreeSet<(String, String, String)> {
    let mut out = BTreeSet::new();
    for row in drift["steps"].as_array().unwrap() {
        let text = |v: &Value| v.as_str().unwrap().to_owned();
        let (step, status) = (text(&row["step"]), text(&row["status"]));
        for (list, how) in [("changes", "changed"), ("unmanaged", "unmanaged")] {
            for change in row[list].as_array().into_iter().flatten() {
                let known = out.insert((step.clone(), how.to_owned(), text(&change["path"])));
                assert!(known, "reported twice: {row}");
            }
        }
        if !["in_sync", "changed", "unmanaged"].contains(&status.as_str()) {
            out.insert((step, status, String::new()));
        }
    }
    out
}

/// The steps that a plan or a run names.
fn steps(document: &Value) -> BTreeSet<&str> {
    let steps = document["steps"].as_array().unwrap().iter();
    steps.map(|s| s["step"].as_str().unwrap()).collect()
}

#[test]
fn drift_names_what_was_done_by_hand_and_apply_repairs_just_that() {
    let lab = Lab::both();
    let before = lab.inventory();
    let graph = lab.run(&["graph", "--format", "json"]).expect(0).json();
    let kinds: BTreeSet<&str> = graph["steps"]
        .as_array()
        .unwrap()
        .iter()
        .map(|s| s["kind"].as_str().unwrap())
        .collect();
    let mutated: BTreeSet<&str> = all().map(|m| m.kind).collect();
    assert_eq!(mutated, kinds, "every type has a mutation by hand");

    let shown = lab.inventory_kinds();
    for kind in &kinds {
        let (_, count) = shown
            .get(*kind)
            .unwrap_or_else(|| panic!("the inventory does not know {kind}"));
        let steps = graph["steps"].as_array().unwrap().iter();
        assert!(
            *count >= steps.filter(|s| s["kind"] == **kind).count(),
            "{kind}: {count}"
        );
    }

    let mut recorded = Recorded::of(&lab);
    assert_eq!(recorded.unlike_their_fields(), Vec::<String>::new());
    let script: String = all().map(|m| recorded.fill(m.script) + "\n").collect();
    let noted = lab.python(&(HELPERS.to_owned() + &script + "print(json.dumps(made))\n"));
    recorded.made = serde_json::from_str(noted.trim()).unwrap();
    let differs = differing(&before, &lab.inventory());
    let blind: Vec<_> = kinds
        .iter()
        .filter(|k| !differs.contains(&shown[**k].0))
        .collect();
    assert!(
        blind.is_empty(),
        "the inventory does not show a change of {blind:?}"
    );
    let rows = all().flat_map(|m| m.rows);
    let want: BTreeSet<(String, String, String)> = rows
        .clone()
        .map(|(step, how, path)| ((*step).into(), (*how).into(), recorded.fill(path)))
        .collect();
    let touched: BTreeSet<&str> = rows.map(|(step, ..)| *step).collect();

    let since = lab.mark();
    let drift = lab.run(&["drift", "--json"]).expect(2).json();
    let got = reported(&drift);
    let only = |a: &BTreeSet<_>, b: &BTreeSet<_>| a.difference(b).cloned().collect::<Vec<_>>();
    assert_eq!(
        (only(&want, &got), only(&got, &want)),
        (Vec::new(), Vec::new()),
        "left: not reported, right: reported and not done"
    );
    assert_eq!(
        (&drift["unmanaged"], &drift["unlisted"]),
        (&json!([]), &json!([]))
    );
    evidence_names_the_same(&lab, &got);
    let plan = lab.run(&["plan", "--json"]).expect(2).json();
    assert_eq!(plan["problems"], json!([]));
    assert_eq!(lab.writes(since), Vec::<String>::new(), "neither writes");

    let run = lab.run(&["apply", "--yes", "--json"]).expect(0).json();
    let after = Recorded::of(&lab);
    let follow = recorded.followers(&after);
    for step in [
        "parameter-payment-api-database-secret-arn-green",
        "stream-sessions-reverse-green",
    ] {
        assert!(follow.contains(step), "{step}: {follow:?}");
    }
    let planned: BTreeSet<&str> = touched.union(&follow).copied().collect();
    assert_eq!((steps(&plan), steps(&run)), (planned.clone(), planned));
    let undeclared = recorded.undeclared(&after, &plan);
    assert_eq!(undeclared, Vec::<String>::new());
    lab.python(&(HELPERS.to_owned() + &recorded.fill(extra::GONE)));
    let healed = lab.run(&["drift", "--json"]).expect(0).json();
    assert_eq!(reported(&healed), BTreeSet::new());
    same(&lab.inventory(), &before);
    at_rest(&lab);

    strangers_with_our_mark(&lab);
    what_cannot_be_read(&lab);
    same(&lab.inventory(), &before);
}

/// The page of evidence says what drift says, and nothing else.
fn evidence_names_the_same(lab: &Lab, drift: &BTreeSet<(String, String, String)>) {
    let file = lab.dir.path().join("evidence.html");
    let arguments = ["report", "--json", "--out", file.to_str().unwrap()];
    let report = lab.run(&arguments).expect(2).json();
    assert_eq!(&reported(&report["drift"]), drift);
    let page = std::fs::read_to_string(&file).unwrap();
    let table = page
        .split("<h2>")
        .find(|part| part.starts_with("Differences"));
    let table = table.unwrap();
    for step in drift.iter().map(|(step, ..)| step) {
        assert!(table.contains(&format!("<td>{step}</td>")), "{step}");
    }
    let rows = table.matches("<tr><td class=\"v").count();
    let steps: BTreeSet<&String> = drift.iter().map(|(step, ..)| step).collect();
    assert_eq!(rows, steps.len(), "one row for each step that differs");
    for value in report["requirements"].as_array().unwrap() {
        assert!(
            ["shown", "contradicted", "not_seen"].contains(&value["verdict"].as_str().unwrap())
        );
    }
}

/// Things that are tagged as ours and are not in the state: reported as unmanaged, and left alone.
fn strangers_with_our_mark(lab: &Lab) {
    let before = lab.ids();
    let recorded = Recorded::of(lab);
    let make = recorded.fill(
        r#"
mark = [{"Key": "EnvironmentSuffix", "Value": "dev"}]
def step(name): return mark + [{"Key": "DeployerStep", "Value": name}]
group = ec2.create_security_group(GroupName="mine", Description="Mine", VpcId="<vpc-green>", TagSpecifications=[{"ResourceType": "security-group", "Tags": step("something")}])["GroupId"]
second = ec2.create_vpc(CidrBlock="10.77.0.0/16", TagSpecifications=[{"ResourceType": "vpc", "Tags": step("vpc-green")}])["Vpc"]["VpcId"]
def copied(arn): return elb.describe_tags(ResourceArns=[arn])["TagDescriptions"][0]["Tags"]
answer = [{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200"}}]
listener = elb.create_listener(LoadBalancerArn="<alb-green.arn>", Protocol="HTTP", Port=8081, DefaultActions=answer, Tags=copied("<listener-http-green.arn>"))["Listeners"][0]["ListenerArn"]
rule = elb.create_rule(ListenerArn="<listener-https-green.arn>", Priority=7, Conditions=[{"Field": "path-pattern", "Values": ["/api/payments"]}], Actions=answer, Tags=copied("<rule-payment-api-blue.arn>"))["Rules"][0]["RuleArn"]
table = dynamodb.create_table(TableName="third-green-dev", BillingMode="PAY_PER_REQUEST", KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}], AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}], Tags=step("third-green"))["TableDescription"]["TableArn"]
print(json.dumps([["listener-http-green", listener], ["rule-payment-api-blue", rule], ["something", group], ["third-green", table], ["vpc-green", second]]))
"#,
    );
    let made: Value = serde_json::from_str(&lab.python(&(HELPERS.to_owned() + &make))).unwrap();
    let with_them = lab.ids();
    let drift = lab.run(&["drift", "--json"]).expect(2).json();
    assert_eq!(reported(&drift), BTreeSet::new());
    let unmanaged = drift["unmanaged"].as_array().unwrap().iter();
    let unmanaged: Vec<Value> = unmanaged.map(|u| json!([u["step"], u["id"]])).collect();
    assert_eq!(json!(unmanaged), made);
    assert_eq!(drift["summary"]["unmanaged"], 5);
    at_rest(lab);
    assert_eq!(lab.ids(), with_them);
    let gone = format!(
        "elb.delete_listener(ListenerArn={}); elb.delete_rule(RuleArn={}); ec2.delete_security_group(GroupId={}); dynamodb.delete_table(TableName=\"third-green-dev\"); ec2.delete_vpc(VpcId={})",
        made[0][1], made[1][1], made[2][1], made[4][1]
    );
    lab.python(&(HELPERS.to_owned() + &gone));
    assert_eq!(lab.ids(), before);
}

/// What cannot be read or listed is unchecked, never in sync, and nothing is done about it.
fn what_cannot_be_read(lab: &Lab) {
    let since = lab.mark();
    lab.faults(&json!({"deny": ["s3:GetBucketPolicy"]}));
    let drift = lab.run(&["drift", "--json"]).expect(1).json();
    let reported = reported(&drift);
    let rows = drift["steps"].as_array().unwrap().iter();
    let buckets = rows.filter(|r| r["kind"] == "s3/bucket").count();
    assert!(buckets > 0);
    assert_eq!(
        (reported.len(), &drift["summary"]["unchecked"]),
        (buckets, &json!(buckets))
    );
    for (step, status, _) in &reported {
        assert_eq!(status, "unchecked", "{step}");
    }
    let buckets = drift["steps"].as_array().unwrap().iter();
    for row in buckets.filter(|r| r["kind"] == "s3/bucket") {
        assert_eq!(row["status"], "unchecked", "{row}");
        assert_eq!(row["error"]["action"], "s3:GetBucketPolicy", "{row}");
    }
    assert_eq!(
        (&drift["differs"], &drift["complete"]),
        (&json!(false), &json!(false))
    );

    lab.faults(&json!({"deny": ["dynamodb:ListTables"]}));
    let drift = lab.run(&["drift", "--json"]).expect(1).json();
    assert_eq!(drift["unlisted"][0]["kind"], "dynamodb/table");
    assert_eq!(drift["complete"], json!(false));

    // Something that differs counts more than something that cannot be read.
    lab.faults(&json!({}));
    let recorded = Recorded::of(lab);
    let by_hand = recorded.fill(r#"tag("<igw-green>", Owner="somebody")"#);
    lab.python(&(HELPERS.to_owned() + &by_hand));
    lab.faults(&json!({"deny": ["s3:GetBucketPolicy"]}));
    lab.run(&["drift"]).expect(2);
    let writes = lab.writes(since);
    assert_eq!(writes, ["ec2:CreateTags"], "but for the one by hand");
    lab.faults(&json!({}));
    lab.run(&["apply", "--yes"]).expect(0);
}

/// The kinds of the inventory that two inventories differ in.
fn differing(before: &str, after: &str) -> BTreeSet<String> {
    let [before, after]: [Value; 2] =
        [before, after].map(|text| serde_json::from_str(text).unwrap());
    let [before, after] = [&before, &after].map(|v| v.as_object().unwrap());
    let all = before.keys().chain(after.keys());
    all.filter(|k| before.get(*k) != after.get(*k))
        .cloned()
        .collect()
}

/// Nothing to do, and nothing done.
fn at_rest(lab: &Lab) {
    let since = lab.mark();
    lab.run(&["plan"]).expect(0);
    lab.run(&["apply", "--yes"]).expect(0);
    assert_eq!(lab.writes(since), Vec::<String>::new());
}
