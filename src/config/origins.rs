//! Where the value of each key comes from.

use super::load::{Overrides, loaded};
use super::{Config, ConfigError, keys};
use serde::Serialize;
use std::path::Path;

/// A key with its value and who says so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Origin {
    /// The key.
    pub key: &'static str,
    /// Its value, as TOML.
    pub value: String,
    /// `default`, `deployer.toml:12`, `--suffix`, `AWS_REGION`, ...
    pub source: String,
}

impl Config {
    /// Loads as [`Config::load`], and says of every key where its value comes from.
    pub fn origins(
        path: Option<&Path>,
        overrides: Overrides,
    ) -> Result<(Self, Vec<Origin>), ConfigError> {
        let flags = overrides.given();
        let (config, lines) = loaded(path, overrides)?;
        let file = Self::source(path);
        let origin = |key: &super::Key| {
            let flag = flags.iter().find(|(path, _)| *path == key.path);
            let line = lines.get(key.path);
            let source = match (flag, line) {
                (Some((_, flag)), _) => (*flag).to_owned(),
                (None, Some(line)) => format!("{file}:{line}"),
                (None, None) if key.path == "region" => config.region_source.clone(),
                (None, None) => "default".to_owned(),
            };
            Origin {
                key: key.path,
                value: key.value(&config).trim().to_owned(),
                source,
            }
        };
        let all = keys().iter().map(origin).collect();
        Ok((config, all))
    }
}
