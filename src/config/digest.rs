//! One number for a whole configuration: documents and the history of runs carry it, so that two of them can be compared.

use super::{Config, keys};
use sha2::{Digest, Sha256};

impl Config {
    /// SHA-256, in hex digits, of every key with its value, wherever the value comes from, and of the content of the mapping's
    /// file. Two files that say the same in other words have the same one.
    pub fn digest(&self) -> String {
        let mut hash = Sha256::new();
        for key in keys() {
            hash.update(format!("{} = {}\n", key.path, key.value(self)));
        }
        hash.update(&self.migration.mapping.text);
        let bytes = hash.finalize();
        bytes.iter().map(|b| format!("{b:02x}")).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Overrides;

    fn digest(text: &str) -> String {
        Config::parse("deployer.toml", text, Overrides::default())
            .unwrap()
            .digest()
    }

    #[test]
    fn it_is_of_what_the_configuration_says_and_not_of_how() {
        assert_eq!(digest("").len(), 64);
        assert_eq!(digest("# a comment\n[network]\nzones = 3\n"), digest(""));
        let said = [
            "suffix = \"x\"",
            "[network]\nzones = 4",
            "[tags.set]\nTeam = \"x\"",
        ];
        let mut all: Vec<String> = said.into_iter().map(digest).collect();
        all.push(digest(""));
        let mut mapped = Config::default();
        mapped.migration.mapping.text.push(' ');
        all.push(mapped.digest());
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), 5);
    }
}
