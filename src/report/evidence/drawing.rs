//! The network as a drawing: environments, tiers, who is in them, and the paths that are open.

use crate::blueprint::reachability::{ENVS, OUTSIDE, Path, groups};
use crate::evidence::Paths;
use crate::report::html::escaped;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

/// The left edge of an environment, and its width.
const LEFT: [f64; 2] = [20.0, 650.0];
const WIDTH: f64 = 570.0;
/// Name, top and height of the tiers.
const TIERS: [(&str, f64, f64); 3] = [
    ("public", 110.0, 70.0),
    ("app", 210.0, 130.0),
    ("db", 370.0, 70.0),
];
const PILL: (f64, f64) = (150.0, 26.0);
const PER_ROW: usize = 3;

/// The middle of everybody's box.
fn places() -> BTreeMap<String, (f64, f64)> {
    let mut out = BTreeMap::new();
    for (at, env) in ENVS.iter().enumerate() {
        for (tier, top, _) in TIERS {
            let here = groups().filter(|(_, t)| *t == tier);
            for (n, (group, _)) in here.enumerate() {
                let (row, column) = (n / PER_ROW, n % PER_ROW);
                let x = LEFT[at] + 110.0 + column as f64 * 175.0;
                let y = top + 38.0 + row as f64 * 50.0;
                out.insert(format!("{group} of {env}"), (x, y));
            }
        }
    }
    for (n, (name, ..)) in OUTSIDE.iter().enumerate() {
        let y = if n == 0 { 30.0 } else { 490.0 };
        let x = [620.0, 480.0, 760.0][n];
        out.insert((*name).to_owned(), (x, y));
    }
    out
}

/// The drawing as SVG.
pub fn drawing(of: &Paths) -> String {
    let places = places();
    let mut out = String::from(
        "<svg viewBox=\"0 0 1240 520\" role=\"img\" aria-label=\"Open ways between the tiers\">\n",
    );
    for (at, env) in ENVS.iter().enumerate() {
        let left = LEFT[at];
        let _ = writeln!(
            out,
            "<rect x=\"{left}\" y=\"70\" width=\"{WIDTH}\" height=\"390\" rx=\"8\"/><text x=\"{}\" y=\"92\"><tspan font-weight=\"700\">{env}</tspan></text>",
            left + 14.0
        );
        for (tier, top, height) in TIERS {
            let _ = writeln!(
                out,
                "<rect class=\"tier\" x=\"{}\" y=\"{top}\" width=\"{}\" height=\"{height}\" rx=\"6\"/><text class=\"dim\" x=\"{}\" y=\"{}\">{tier}</text>",
                left + 10.0,
                WIDTH - 20.0,
                left + 18.0,
                top + 16.0
            );
        }
    }
    for (paths, class) in [
        (&of.unknown, "unknown"),
        (&of.open, "open"),
        (&of.extra, "extra"),
    ] {
        lines(&mut out, &places, paths, class);
    }
    for (name, (x, y)) in &places {
        let title = name.split(" of ").next().unwrap_or(name);
        let _ = writeln!(
            out,
            "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" rx=\"13\"/><text x=\"{x}\" y=\"{}\" text-anchor=\"middle\">{}</text>",
            x - PILL.0 / 2.0,
            y - PILL.1 / 2.0,
            PILL.0,
            PILL.1,
            y + 4.0,
            escaped(title)
        );
    }
    out.push_str("</svg>\n");
    out
}

/// One line for each pair, with its ports as its title.
fn lines(
    out: &mut String,
    places: &BTreeMap<String, (f64, f64)>,
    paths: &BTreeSet<Path>,
    class: &str,
) {
    let mut pairs: BTreeMap<(&str, &str), Vec<u16>> = BTreeMap::new();
    for path in paths {
        pairs
            .entry((&path.from, &path.to))
            .or_default()
            .push(path.port);
    }
    for ((from, to), ports) in pairs {
        let (Some((ax, ay)), Some((bx, by))) = (places.get(from), places.get(to)) else {
            continue;
        };
        let ports: Vec<String> = ports.iter().map(ToString::to_string).collect();
        // Bent to the side, so that there and back are two lines.
        let (mx, my) = ((ax + bx) / 2.0, (ay + by) / 2.0);
        let (dx, dy) = ((by - ay) * 0.12, (ax - bx) * 0.12);
        let _ = writeln!(
            out,
            "<path class=\"{class}\" d=\"M{ax:.0} {ay:.0}Q{:.0} {:.0} {bx:.0} {by:.0}\"><title>{} to {}: {}</title></path>",
            mx + dx,
            my + dy,
            escaped(from),
            escaped(to),
            ports.join(", ")
        );
    }
}
