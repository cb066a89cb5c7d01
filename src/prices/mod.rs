//! List prices as dated data (`prices.toml`), and what the configuration says in their place. What has no price here has
//! none: nothing is scaled from another region, and nothing unknown counts as zero.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::LazyLock;

const FILE: &str = include_str!("prices.toml");

/// How well a price is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Confidence {
    /// Two or more independent dated sources.
    High,
    /// One source.
    Medium,
    /// Derived or remembered.
    Low,
    /// The configuration says it.
    Configured,
}

/// One price.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Price {
    /// Its key, as `[prices]` takes it.
    pub key: String,
    /// What is charged.
    pub what: String,
    /// For how much of it.
    pub unit: String,
    /// US dollars for one unit.
    pub usd: f64,
    /// Where it is from.
    pub source: String,
    /// How well it is known.
    pub confidence: Confidence,
}

/// The file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Prices {
    /// When the prices were collected.
    pub date: jiff::civil::Date,
    /// The region that they are of.
    pub region: String,
    pub hours_per_month: f64,
    price: Vec<Price>,
}

static PRICES: LazyLock<Result<Prices, String>> =
    LazyLock::new(|| toml::from_str(FILE).map_err(|e| e.to_string()));

/// The shipped prices.
///
/// # Errors
/// When the file in the binary cannot be read, which a test excludes.
pub fn shipped() -> Result<&'static Prices, String> {
    PRICES.as_ref().map_err(Clone::clone)
}

/// The keys that `[prices]` takes.
pub fn keys() -> impl Iterator<Item = &'static str> {
    let prices = shipped().ok().into_iter();
    prices.flat_map(|p| p.price.iter().map(|p| p.key.as_str()))
}

/// The prices of one region, with what the configuration says in their place.
#[derive(Debug)]
pub struct Book {
    prices: BTreeMap<String, Price>,
}

impl Book {
    /// Those that are known of this region.
    ///
    /// # Errors
    /// As [`shipped`].
    pub fn of(region: &str, own: &BTreeMap<String, f64>) -> Result<Self, String> {
        let shipped = shipped()?;
        let mut prices = BTreeMap::new();
        for price in &shipped.price {
            let price = match own.get(&price.key) {
                Some(usd) => Price {
                    usd: *usd,
                    source: "the configuration".into(),
                    confidence: Confidence::Configured,
                    ..price.clone()
                },
                None if region == shipped.region => price.clone(),
                None => continue,
            };
            prices.insert(price.key.clone(), price);
        }
        Ok(Self { prices })
    }

    /// A price, when it is known.
    pub fn get(&self, key: &str) -> Option<&Price> {
        self.prices.get(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_read_and_every_price_is_there_once() {
        let prices = shipped().unwrap();
        let keys: std::collections::BTreeSet<_> = keys().collect();
        assert_eq!(keys.len(), prices.price.len());
        for price in &prices.price {
            assert!(price.usd > 0.0 && !price.source.is_empty(), "{}", price.key);
            let legal = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
            assert!(price.key.chars().all(legal), "{}", price.key);
        }
    }

    #[test]
    fn another_region_has_only_the_prices_that_the_configuration_gives() {
        let own = BTreeMap::from([("kms_key_month".to_owned(), 1.1)]);
        let book = Book::of("eu-west-1", &own).unwrap();
        assert_eq!(book.get("kms_key_month").unwrap().usd, 1.1);
        assert_eq!(book.get("alb_hour"), None);
        let book = Book::of("eu-central-1", &own).unwrap();
        assert_eq!(
            book.get("kms_key_month").unwrap().confidence,
            Confidence::Configured
        );
        assert_eq!(book.get("alb_hour").unwrap().usd, 0.027);
    }
}
