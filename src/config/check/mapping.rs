//! The mapping that the migration's functions read: a file of the user's own.

use super::super::Mapping;
use super::text;
use crate::config::parse::{Checked, Given};

/// The most that a parameter of Systems Manager takes ("Managing parameter tiers": advanced), in bytes.
const LARGEST: usize = 8192;

/// Reads the file, which is JSON. Empty is the mapping of the worked example.
pub(in crate::config) fn mapping(given: &Given<'_>) -> Checked<Mapping> {
    let file = text(given)?;
    if file.is_empty() {
        return Ok(Mapping::default());
    }
    let read =
        std::fs::read_to_string(&file).map_err(|e| format!("`{file}` cannot be read: {e}"))?;
    let json: serde_json::Value =
        serde_json::from_str(&read).map_err(|e| format!("`{file}` is not JSON: {e}"))?;
    if !json["tables"].is_array() {
        return Err(format!(
            "`{file}` is no mapping: it has no list `tables` (see lambda/README.md)"
        ));
    }
    let text = json.to_string();
    if text.contains("@{") || text.contains("{{") {
        return Err(format!(
            "`{file}` has `@{{` or `{{{{`, which a parameter can't hold"
        ));
    }
    if text.len() > LARGEST {
        return Err(format!(
            "`{file}` has {} bytes without white space; a parameter takes at most {LARGEST}",
            text.len()
        ));
    }
    Ok(Mapping { file, text })
}
