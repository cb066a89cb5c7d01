//! The page: a fixed document with the numbers of one run inside. No other file and no network is needed to look at it.

use super::model::{Link, Operation, Row, Run, Series};
use crate::report::html::{document, escaped};
use serde::Serialize;

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

#[derive(Serialize)]
struct Data<'a> {
    seconds: f64,
    expected: f64,
    steps: usize,
    rows: &'a [Row],
    blocked: &'a [(String, String)],
    path: Vec<Link>,
    series: Series,
    operations: Vec<Operation>,
}

/// The whole page.
pub(super) fn page(title: &str, run: &Run) -> String {
    let data = Data {
        seconds: run.length(),
        expected: run.expected,
        steps: run.steps,
        rows: &run.rows,
        blocked: &run.blocked,
        path: run.path(),
        series: run.series(),
        operations: run.operations(),
    };
    let data = serde_json::to_string(&data).unwrap_or_else(|_| "null".into());
    let heading = escaped(title);
    let body = format!(
        "<header><h1>{heading}</h1><div id=\"tiles\"></div></header>\n<main id=\"main\"></main>\n\
         <div id=\"tip\" hidden></div>\n\
         <noscript><p>This page draws itself with a script that it carries; please allow it.</p></noscript>\n\
         <script id=\"data\" type=\"application/json\">{}</script>\n<script>\n{SCRIPT}</script>\n",
        embedded(&data)
    );
    document(title, STYLE, &body)
}

/// JSON that cannot end the element it stands in.
fn embedded(json: &str) -> String {
    json.replace('<', "\\u003c")
        .replace('>', "\\u003e")
        .replace('&', "\\u0026")
        .replace('\u{2028}', "\\u2028")
        .replace('\u{2029}', "\\u2029")
}
