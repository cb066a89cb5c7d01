//! A dashboard. It is global: one name over all regions. It has tags at creation only, and no call that reads or changes them, so
//! what would be its tags stands in a text widget of its own, the last one: that is its mark.

use super::metric::{dimension, shortened};
use crate::resources::prelude::*;
use serde_json::{Value, json};
use std::collections::BTreeMap;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Dashboard {
    /// The widgets by place (`x,y`), each as CloudWatch takes it; in metrics load balancers and target groups stand by their ARN.
    pub widgets: BTreeMap<String, Value>,
    /// What else is in its body: times, variables. The desired set is always empty.
    #[serde(default)]
    pub others: BTreeMap<String, Value>,
}

/// Its tags stand in its body.
pub enum DashboardTags {}

const PUT: Api = cloudwatch::PUT_DASHBOARD;
/// How the text of the widget with the mark begins; the tags follow as JSON.
const MARK: &str = "Made by deployer. ";
/// Below all other widgets.
const BELOW: i64 = 900;

impl Kind for Dashboard {
    const TYPE: &'static str = "cloudwatch/dashboard";
    /// "PutDashboard" in the CloudWatch API reference.
    const NAME: NameRule = NameRule {
        min: 1,
        max: 255,
        legal: |c| c.is_ascii_alphanumeric() || "-_".contains(c),
        charset: "letters, digits, `-` and `_`",
    };
    type Outputs = Named<Self>;
}

impl Resource for Dashboard {
    const FACTS: Facts<Self> = Facts {
        global: true,
        listed: Listed::Own(|cx, suffix| Box::pin(search(cx, suffix))),
        seconds: (1.0, 1.0),
        cost: |_| Cost::fixed("dashboard_month", 1),
        fixed: &[],
        changing: &[],
        replace: Replace::DeleteFirst,
        holds_data: false,
        interrupts: &[],
        write_only: &[],
        watched: &[],
        delegated: &[],
    };
    type Tags = DashboardTags;

    async fn read(cx: &Aws, key: Lookup<'_, Self>) -> Result<Option<Found<Self>>, Error> {
        let Some((spec, tags)) = read(cx, key.name()).await? else {
            return Ok(None);
        };
        let arn = arn(cx, key.name());
        cx.recent.note(&arn, &tags);
        Ok(Some(Found::tagged(spec, Named::new(key.name(), arn), tags)))
    }

    async fn create(&self, cx: &Aws, identity: &Identity) -> Result<Named<Self>, Error> {
        let name = identity.name.as_str();
        put(cx, name, self, &identity.tags).await?;
        Ok(Named::new(name, arn(cx, name)))
    }

    async fn update(&self, cx: &Aws, it: &Named<Self>, _: &Delta) -> Result<(), Error> {
        let tags = read(cx, it.name.as_str()).await?.map(|(_, tags)| tags);
        put(cx, it.name.as_str(), self, &tags.unwrap_or_default()).await
    }

    async fn delete(&self, cx: &Aws, it: &Named<Self>) -> Result<(), Error> {
        let call = cx.cloudwatch.client.delete_dashboards();
        let call = call.dashboard_names(&it.name);
        let api = cloudwatch::DELETE_DASHBOARDS;
        cx.delete(api, || call.clone().send()).await
    }
}

impl TagCalls<Named<Dashboard>> for DashboardTags {
    async fn change(
        cx: &Aws,
        it: &Named<Dashboard>,
        set: &Tags,
        remove: &[String],
    ) -> Result<(), Error> {
        let Some((board, mut tags)) = read(cx, it.name.as_str()).await? else {
            return Ok(());
        };
        tags.extend(set.clone());
        tags.retain(|key, _| !remove.contains(key));
        put(cx, it.name.as_str(), &board, &tags).await
    }
}

fn arn(cx: &Aws, name: &str) -> String {
    format!("arn:aws:cloudwatch::{}:dashboard/{name}", cx.account)
}

/// What it shows and the tags of the mark; `None` when there is no such dashboard.
async fn read(cx: &Aws, name: &str) -> Result<Option<(Dashboard, Tags)>, Error> {
    let call = cx.cloudwatch.client.get_dashboard().dashboard_name(name);
    let api = cloudwatch::GET_DASHBOARD;
    let answer = found(cx.call(api, || call.clone().send()).await)?;
    let Some(body) = answer.and_then(|a| a.dashboard_body) else {
        return Ok(None);
    };
    let (mut board, tags) = taken_apart(&body);
    named(&mut board, |name, value| dimension(cx, name, value));
    Ok(Some((board, tags)))
}

/// Gives the value of each dimension in the metrics of its widgets another form: `[NAMESPACE, METRIC, NAME, VALUE, ..]`.
fn named(board: &mut Dashboard, form: impl Fn(&str, &str) -> String) {
    for widget in board.widgets.values_mut() {
        let lines = widget.pointer_mut("/properties/metrics");
        for line in lines.and_then(Value::as_array_mut).into_iter().flatten() {
            let dimensions = line.as_array_mut().into_iter().flatten().skip(2);
            let mut dimensions = dimensions.collect::<Vec<_>>().into_iter();
            while let (Some(name), Some(value)) = (dimensions.next(), dimensions.next()) {
                if let (Some(name), Some(text)) = (name.as_str(), value.as_str()) {
                    *value = json!(form(name, text));
                }
            }
        }
    }
}

/// Two widgets may have one place: the last of them is the one that is named by it, and each other has a name of its own.
fn taken_apart(body: &str) -> (Dashboard, Tags) {
    let body: Value = serde_json::from_str(body).unwrap_or_default();
    let mut tags = None;
    let mut widgets = BTreeMap::new();
    for widget in body["widgets"].as_array().into_iter().flatten().rev() {
        let text = widget["properties"]["markdown"].as_str();
        let mark = text.and_then(|t| serde_json::from_str(t.strip_prefix(MARK)?).ok());
        if tags.is_none() && mark.is_some() {
            tags = mark;
            continue;
        }
        let place = format!("{},{}", widget["x"], widget["y"]);
        let others = (2..).map(|n| format!("{place} ({n})"));
        let mut names = std::iter::once(place.clone()).chain(others);
        if let Some(name) = names.find(|name| !widgets.contains_key(name)) {
            widgets.insert(name, widget.clone());
        }
    }
    let others = body.as_object().into_iter().flatten();
    let others = others.filter(|(name, _)| *name != "widgets");
    let board = Dashboard {
        widgets,
        others: others.map(|(k, v)| (k.clone(), v.clone())).collect(),
    };
    (board, tags.unwrap_or_default())
}

fn put_together(board: &Dashboard, tags: &Tags) -> String {
    let mut all: Vec<Value> = board.widgets.values().cloned().collect();
    let text = format!("{MARK}{}", json!(tags));
    all.push(json!({
        "type": "text", "x": 0, "y": BELOW, "width": 24, "height": 2,
        "properties": {"markdown": text},
    }));
    let mut body = json!(board.others);
    body["widgets"] = json!(all);
    body.to_string()
}

/// Answers success with warnings about widgets that it does not understand: they are an error here.
async fn put(cx: &Aws, name: &str, board: &Dashboard, tags: &Tags) -> Result<(), Error> {
    let mut board = board.clone();
    named(&mut board, |name, value| shortened(cx, name, value));
    let call = cx.cloudwatch.client.put_dashboard().dashboard_name(name);
    let call = call.dashboard_body(put_together(&board, tags));
    let answer = cx.call(PUT, || call.clone().send()).await?;
    let reported = answer.dashboard_validation_messages().iter();
    let reported: Vec<String> = reported
        .map(|m| {
            let (path, text) = (m.data_path(), m.message());
            format!("{}: {}", path.unwrap_or_default(), text.unwrap_or_default())
        })
        .collect();
    if reported.is_empty() {
        return Ok(());
    }
    Err(Error::permanent(PUT.action(), reported.join("; ")))
}

async fn search(cx: &Aws, suffix: &str) -> Result<Vec<Owned>, Error> {
    let client = &cx.cloudwatch.client;
    let send = |token| client.list_dashboards().set_next_token(token).send();
    let names = cx.pages(cloudwatch::LIST_DASHBOARDS, send, |page| {
        let all = page.dashboard_entries.unwrap_or_default().into_iter();
        (all.filter_map(|d| d.dashboard_name), page.next_token)
    });
    let mut out = Vec::new();
    for name in names.await? {
        if !is_conventional(&name, suffix) {
            continue;
        }
        let arn = arn(cx, &name);
        let tags = match cx.recent.get(&arn).await {
            Some(tags) => tags,
            None => read(cx, &name)
                .await?
                .map(|(_, tags)| tags)
                .unwrap_or_default(),
        };
        out.extend(marked(Dashboard::TYPE, &arn, &name, tags, suffix));
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn board(widgets: &[(&str, &Value)]) -> Dashboard {
        Dashboard {
            widgets: widgets
                .iter()
                .map(|(k, v)| ((*k).to_owned(), (*v).clone()))
                .collect(),
            others: BTreeMap::new(),
        }
    }

    #[test]
    fn the_mark_stands_in_the_body_and_is_no_widget() {
        let widget = json!({"type": "metric", "x": 0, "y": 6, "properties": {"metrics": []}});
        let board = board(&[("0,6", &widget)]);
        let tags = Tags::from([("DeployerStep".to_owned(), "dashboard-green".to_owned())]);
        let body = put_together(&board, &tags);
        let (back, mark) = taken_apart(&body);
        assert_eq!((json!(back), mark), (json!(board), tags));
        let (nothing, mark) = taken_apart("no JSON");
        assert!(nothing.widgets.is_empty() && nothing.others.is_empty() && mark.is_empty());
    }

    #[test]
    fn whatever_else_is_in_the_body_is_a_difference() {
        let ours = json!({"type": "metric", "x": 0, "y": 6});
        let theirs =
            json!({"type": "text", "x": 0, "y": 6, "properties": {"markdown": "all is well"}});
        let like_a_mark = json!({"type": "text", "x": 0, "y": 6, "properties": {"markdown": "Made by deployer. All is well"}});
        let tags = Tags::from([("DeployerStep".to_owned(), "dashboard-green".to_owned())]);
        let mut body: Value =
            serde_json::from_str(&put_together(&board(&[("0,6", &ours)]), &tags)).unwrap();
        for one in [&theirs, &like_a_mark] {
            body["widgets"]
                .as_array_mut()
                .unwrap()
                .insert(0, one.clone());
        }
        body["start"] = json!("-PT1M");
        body["variables"] = json!([]);
        let (back, mark) = taken_apart(&body.to_string());
        let all = board(&[
            ("0,6", &ours),
            ("0,6 (2)", &theirs),
            ("0,6 (3)", &like_a_mark),
        ]);
        assert_eq!(
            (json!(back.widgets), mark),
            (json!(all.widgets), tags.clone())
        );
        assert_eq!(
            json!(back.others),
            json!({"start": "-PT1M", "variables": []})
        );
        assert_eq!(
            serde_json::from_str::<Value>(&put_together(&back, &tags)).unwrap()["start"],
            "-PT1M"
        );
    }
}
