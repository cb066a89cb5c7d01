//! The files of a module import one way too. A module may use its own submodules and these what it defines, so that only a
//! circle between files beside each other counts; what a module hands on with `pub use` counts as an import of the file that
//! has it.

use super::{Imports, circle, rust_files};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// The modules whose files are kept free of circles.
const FREE: [&str; 14] = [
    "cache",
    "chain",
    "edge",
    "engine",
    "evidence",
    "functions",
    "migration",
    "prices",
    "report",
    "resources/dynamodb",
    "resources/s3",
    "sandbox",
    "state",
    "support",
];

/// The segments of a path, or of a file as a module.
type Segments = Vec<String>;

/// The code of the files that are modules, without comments and tests.
struct Tree(BTreeMap<Segments, String>);

fn segments(path: &str) -> Segments {
    path.split("::").map(|s| s.trim().to_owned()).collect()
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The paths of what stands between `use` and the semicolon.
fn expand(tree: &str) -> Vec<Segments> {
    let Some((before, list)) = tree.split_once('{') else {
        let path = tree.split(" as ").next().unwrap_or_default();
        return vec![segments(path.trim())];
    };
    let list = &list[..list.rfind('}').unwrap_or(list.len())];
    let mut entries = vec![String::new()];
    let mut depth = 0;
    for c in list.chars() {
        depth += i32::from(c == '{') - i32::from(c == '}');
        match entries.last_mut() {
            Some(last) if c != ',' || depth > 0 => last.push(c),
            _ => entries.push(String::new()),
        }
    }
    let entries = entries.iter().filter(|e| !e.trim().is_empty());
    let whole = entries.map(|entry| format!("{}{}", before.trim(), entry.trim()));
    whole.flat_map(|path| expand(&path)).collect()
}

/// The paths of all `use` of a file, and whether they are handed on.
fn uses(code: &str) -> Vec<(Segments, bool)> {
    let mut out = Vec::new();
    for statement in code.split_inclusive(';') {
        let starts = statement.match_indices("use ").map(|(at, _)| at);
        let start = starts.filter(|at| !statement[..*at].ends_with(is_word));
        let Some((at, tree)) = start
            .last()
            .and_then(|at| Some((at, statement[at + 4..].strip_suffix(';')?)))
        else {
            continue;
        };
        let before = statement[..at].lines().last().unwrap_or_default();
        let handed_on = before.trim_start().starts_with("pub");
        out.extend(expand(tree).into_iter().map(|path| (path, handed_on)));
    }
    out
}

/// The paths that stand in the code itself.
fn inline(code: &str) -> Vec<Segments> {
    let mut out = Vec::new();
    for first in ["crate::", "super::"] {
        for (at, _) in code.match_indices(first) {
            if !code[..at].ends_with(|c| is_word(c) || c == ':') {
                let path = code[at..].split(|c| !is_word(c) && c != ':').next();
                out.extend(path.map(|path| segments(path.trim_end_matches(':'))));
            }
        }
    }
    out
}

impl Tree {
    fn read() -> Self {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let mut files = Vec::new();
        rust_files(&source, &mut files);
        let module = |path: &Path| -> Segments {
            let path = path.strip_prefix(&source).unwrap().with_extension("");
            let mut names: Segments = path.iter().map(|n| n.to_string_lossy().into()).collect();
            names.pop_if(|last| last == "mod");
            names
        };
        let texts = files
            .iter()
            .map(|f| (module(f), std::fs::read_to_string(f).unwrap()));
        Self::of(texts)
    }

    fn of(files: impl Iterator<Item = (Segments, String)>) -> Self {
        let code = |text: String| -> String {
            let code = text.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
            let lines = code
                .lines()
                .map(|line| line.split("//").next().unwrap_or_default());
            lines.collect::<Vec<_>>().join("\n")
        };
        Self(files.map(|(module, text)| (module, code(text))).collect())
    }

    /// A path as it is written in a module, from the root on; `None` for one of another crate.
    fn absolute(&self, module: &Segments, path: &[String]) -> Option<Segments> {
        let mut base = module.clone();
        let mut rest = path;
        match path.first()?.as_str() {
            "crate" => {
                base.clear();
                rest = &path[1..];
            }
            "super" => {
                while let Some(("super", left)) = rest.split_first().map(|(f, l)| (f.as_str(), l)) {
                    base.pop();
                    rest = left;
                }
            }
            "self" => rest = &path[1..],
            child => {
                let below = [base.as_slice(), &[child.to_owned()]].concat();
                self.0.get(&below)?;
            }
        }
        base.extend_from_slice(rest);
        Some(base)
    }

    /// What each name is that a module hands on.
    fn handed_on(&self) -> BTreeMap<Segments, Segments> {
        let mut out = BTreeMap::new();
        for (module, code) in &self.0 {
            for (path, _) in uses(code).into_iter().filter(|(_, handed_on)| *handed_on) {
                let name = path.last().cloned().unwrap_or_default();
                let as_seen = [module.as_slice(), &[name]].concat();
                if let Some(target) = self.absolute(module, &path).filter(|t| *t != as_seen) {
                    out.insert(as_seen, target);
                }
            }
        }
        out
    }

    /// The module that a path leads to.
    fn module_of(
        &self,
        path: Segments,
        handed_on: &BTreeMap<Segments, Segments>,
    ) -> Option<Segments> {
        let mut path = path;
        // A name may be handed on several times.
        for _ in 0..8 {
            let name = (1..=path.len()).find_map(|n| Some((n, handed_on.get(&path[..n])?)));
            let Some((n, target)) = name else { break };
            path = [target.as_slice(), &path[n..]].concat();
        }
        let prefixes = (1..=path.len()).rev().map(|n| path[..n].to_vec());
        prefixes.into_iter().find(|p| self.0.contains_key(p))
    }

    /// Which files of the module `below` import which others, but for their own submodules.
    fn imports(&self, below: &str) -> Imports {
        let below: Segments = below.split('/').map(str::to_owned).collect();
        let handed_on = self.handed_on();
        let mut all = Imports::new();
        for (module, code) in self.0.iter().filter(|(m, _)| m.starts_with(&below)) {
            let named = uses(code).into_iter().map(|(path, _)| path);
            let named = named.chain(inline(code));
            let others: BTreeSet<String> = named
                .filter_map(|path| self.module_of(self.absolute(module, &path)?, &handed_on))
                .filter(|other| other.starts_with(&below) && !other.starts_with(module))
                .map(|other| other.join("/"))
                .collect();
            all.insert(module.join("/"), others);
        }
        all
    }
}

#[test]
fn no_file_of_these_modules_imports_itself_by_way_of_others() {
    let tree = Tree::read();
    for module in FREE {
        let imports = tree.imports(module);
        assert!(!imports.is_empty(), "there is no module {module}");
        let circles: Vec<_> = imports.keys().filter_map(|m| circle(&imports, m)).collect();
        assert!(circles.is_empty(), "{circles:?}");
    }
    // That something is seen at all: the planner uses the graph by way of `super` and `crate` alike.
    let engine = tree.imports("engine");
    for file in ["engine/plan", "engine/plan/build", "engine/observe"] {
        assert!(engine[file].contains("engine/graph"), "{file}: {engine:?}");
    }
}

#[test]
fn a_circle_of_files_is_found_through_braces_inline_paths_and_what_a_module_hands_on() {
    let of = |files: &[(&str, &str)]| {
        let file = |(path, text): &(&str, &str)| {
            (
                path.split('/').map(str::to_owned).collect(),
                (*text).to_owned(),
            )
        };
        let imports = Tree::of(files.iter().map(file)).imports("m");
        circle(&imports, "m/a")
    };
    let way = |files: &[&str]| Some(files.iter().map(|f| (*f).to_owned()).collect::<Vec<_>>());
    let m = ("m", "mod a;\nmod b;\npub use a::Thing;\npub struct Own;\n");
    let a = (
        "m/a",
        "use super::{\n    Own, // its own\n    b::{Part, other},\n};\n",
    );
    // Through the module that hands it on, and named where it is used.
    let found = way(&["m/a", "m/b", "m/a"]);
    assert_eq!(of(&[m, a, ("m/b", "use super::Thing;")]), found);
    assert_eq!(of(&[m, a, ("m/b", "fn f() { crate::m::a::g(); }")]), found);
    // What the module itself has, a comment, a test and another crate are none.
    for free in [
        "use super::Own;",
        "// use super::a::Thing;",
        "#[cfg(test)]\nmod tests {\n    use super::super::a::Thing;\n}",
        "use a::Thing;",
    ] {
        assert_eq!(of(&[m, a, ("m/b", free)]), None, "{free}");
    }
}
