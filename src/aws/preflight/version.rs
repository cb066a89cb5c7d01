//! Is the engine version offered to new clusters? When it is not: which are?

use super::{Check, Clients, Level, Wanted};
use crate::aws::read;
use crate::engine::Error;

const NAME: &str = "engine version";
/// How many others are named.
const NAMED: usize = 8;

pub(super) async fn offered(clients: &Clients, wanted: &Wanted) -> Check {
    let version = &wanted.engine_version;
    match versions(clients, &wanted.engine, Some(version)).await {
        Ok(found) if found.contains(version) => Check::new(
            NAME,
            Level::Ok,
            format!("{} {version} is offered", wanted.engine),
        ),
        Ok(_) => refused(clients, wanted).await,
        // "Cannot find version 14.99 for aurora-postgresql"
        Err(error) if error.message.contains("Cannot find version") => {
            refused(clients, wanted).await
        }
        Err(error) => Check::not_checked(NAME, &error),
    }
}

async fn refused(clients: &Clients, wanted: &Wanted) -> Check {
    let text = format!(
        "AWS does not offer {} {} to new clusters in this region",
        wanted.engine, wanted.engine_version
    );
    let all = match versions(clients, &wanted.engine, None).await {
        Ok(all) => all,
        Err(error) => {
            return Check::new(NAME, Level::Error, text).hint(format!(
                "set `database.engine_version` to an offered one; they could not be listed: {error}"
            ));
        }
    };
    let near = nearest(&wanted.engine_version, all);
    if near.is_empty() {
        // An account or region without the engine at all, or an answer that says nothing.
        return Check::new(NAME, Level::Error, text)
            .hint("the region offers no version of this engine: choose another --region");
    }
    let list = near.join(", ");
    Check::new(NAME, Level::Error, format!("{text}; offered are {list}"))
        .hint(format!("set `database.engine_version` to one of {list}"))
}

/// Those of the same major version first, newest first; then the other majors, nearest and newest first.
fn nearest(wanted: &str, mut all: Vec<String>) -> Vec<String> {
    let numbers = |v: &str| -> Vec<i64> { v.split('.').map_while(|p| p.parse().ok()).collect() };
    let major = |v: &str| numbers(v).first().copied().unwrap_or_default();
    all.sort_by_cached_key(|v| {
        let minor: Vec<i64> = numbers(v).iter().skip(1).map(|n| -n).collect();
        ((major(v) - major(wanted)).abs(), -major(v), minor)
    });
    all.dedup();
    all.truncate(NAMED);
    all
}

async fn versions(
    clients: &Clients,
    engine: &str,
    version: Option<&str>,
) -> Result<Vec<String>, Error> {
    let mut out = Vec::new();
    let mut marker: Option<String> = None;
    loop {
        let page = clients
            .caller
            .call(read("rds", "DescribeDBEngineVersions"), || {
                clients
                    .rds
                    .describe_db_engine_versions()
                    .engine(engine)
                    .set_engine_version(version.map(str::to_owned))
                    .max_records(100)
                    .set_marker(marker.clone())
                    .send()
            })
            .await?;
        let found = page.db_engine_versions().iter();
        out.extend(
            found
                .filter(|v| v.engine().is_none_or(|e| e == engine))
                .filter_map(|v| v.engine_version().map(str::to_owned)),
        );
        marker = page.marker().filter(|m| !m.is_empty()).map(str::to_owned);
        if marker.is_none() {
            return Ok(out);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_the_same_major_come_first_and_the_newest_of_them_first() {
        let all = ["13.9", "14.9", "15.4", "16.1", "14.17", "14.10", "14.9"];
        let all = all.map(str::to_owned).to_vec();
        assert_eq!(
            nearest("14.6", all),
            ["14.17", "14.10", "14.9", "15.4", "13.9", "16.1"]
        );
        let many = (1..30).map(|n| format!("14.{n}")).collect();
        assert_eq!(nearest("14.99", many).len(), NAMED);
    }
}
