//! What is left of something that held data and vanished: the backups that it can be restored from.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

/// The name of the latest second of a continuous backup.
pub const LATEST: &str = "latest";

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Backup {
    /// What the user calls it: a snapshot's identifier, a backup's name, `latest`, or a time.
    pub name: String,
    /// What it is, in words.
    pub text: String,
    /// Which state of the data it brings back.
    pub at: Timestamp,
    /// Set for a continuous backup: every second from this one to `at` can be brought back.
    pub since: Option<Timestamp>,
    /// Why it does not fit what is wanted, with what to do; `None` when it fits.
    pub unfit: Option<String>,
    /// What the type's restore call names it by.
    #[serde(skip)]
    pub source: Value,
}

impl Backup {
    /// `snapshot-orders-dev-.. (final snapshot, 2026-11-28 04:37:43 UTC)`
    pub fn described(&self) -> String {
        let at = self.at.strftime("%Y-%m-%d %H:%M:%S UTC");
        match self.since {
            None => format!("{} ({}, {at})", self.name, self.text),
            Some(since) => format!(
                "{} ({}, any second from {} to {at})",
                self.name,
                self.text,
                since.strftime("%Y-%m-%d %H:%M:%S UTC")
            ),
        }
    }
}

/// What AWS still has of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Remains {
    /// Backups, the one with the latest data first.
    pub backups: Vec<Backup>,
    /// What else there is to know: why there is none, or what was not looked at.
    pub note: Option<String>,
}

impl Remains {
    /// Nothing, for this reason.
    pub fn nothing(note: impl Into<String>) -> Self {
        Self {
            backups: Vec::new(),
            note: Some(note.into()),
        }
    }

    /// Backups, which are put in order.
    pub fn of(mut backups: Vec<Backup>) -> Self {
        backups.sort_by(|a, b| b.at.cmp(&a.at).then_with(|| a.name.cmp(&b.name)));
        Self {
            backups,
            note: None,
        }
    }

    /// The same, with more to know.
    #[must_use]
    pub fn with(mut self, note: impl Into<String>) -> Self {
        let note = note.into();
        self.note = Some(match self.note {
            Some(first) => format!("{first}. {note}"),
            None => note,
        });
        self
    }

    /// The backup of this name or time, or without one the latest that fits.
    ///
    /// # Errors
    /// Says why there is none, and which there are.
    pub fn choose(&self, wanted: Option<&str>) -> Result<Backup, String> {
        let chosen = match wanted {
            None => self.backups.iter().find(|b| b.unfit.is_none()).cloned(),
            Some(wanted) => self.named(wanted)?,
        };
        match (chosen, wanted) {
            (
                Some(Backup {
                    unfit: Some(why),
                    name,
                    ..
                }),
                _,
            ) => Err(format!("{name} does not fit: {why}")),
            (Some(backup), _) => Ok(backup),
            (None, Some(wanted)) => Err(format!("AWS has no backup `{wanted}` of it")),
            (None, None) if self.backups.is_empty() => Err("AWS has no backup of it".into()),
            (None, None) => Err("no backup of it fits".into()),
        }
    }

    /// By name, or by time: of one that was made in that second, or of a continuous one that covers it. Names need not be
    /// unique: DynamoDB gives all that it makes at deletions of a table the same one.
    fn named(&self, wanted: &str) -> Result<Option<Backup>, String> {
        let named: Vec<&Backup> = self.backups.iter().filter(|b| b.name == wanted).collect();
        if named.len() > 1 {
            return Err(format!(
                "{} backups have the name `{wanted}`: choose one by its time, such as {}",
                named.len(),
                second(named[0].at)
            ));
        }
        if let Some(backup) = named.first() {
            return Ok(Some((*backup).clone()));
        }
        let Ok(time) = wanted.parse::<Timestamp>() else {
            return Ok(None);
        };
        let made = |b: &&Backup| b.since.is_none() && second(b.at) == second(time);
        if let Some(backup) = self.backups.iter().find(made) {
            return Ok(Some(backup.clone()));
        }
        let covers = |b: &&Backup| b.since.is_some_and(|since| since <= time && time <= b.at);
        let backup = self.backups.iter().find(covers);
        Ok(backup.map(|backup| Backup {
            name: time.to_string(),
            at: time,
            since: None,
            ..backup.clone()
        }))
    }
}

/// A time as it is typed, in whole seconds.
fn second(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn backup(name: &str, at: &str, since: Option<&str>) -> Backup {
        Backup {
            name: name.into(),
            text: "snapshot".into(),
            at: at.parse().unwrap(),
            since: since.map(|s| s.parse().unwrap()),
            unfit: None,
            source: Value::Null,
        }
    }

    #[test]
    fn the_latest_that_fits_is_chosen_unless_a_name_or_a_second_is_asked_for() {
        let mut all = Remains::of(vec![
            backup("old", "2026-11-01T00:00:00Z", None),
            backup(LATEST, "2026-11-29T05:00:00Z", Some("2026-11-20T00:00:00Z")),
        ]);
        let name = |all: &Remains, wanted| all.choose(wanted).map(|b| b.name);
        assert_eq!(name(&all, None).unwrap(), LATEST);
        assert_eq!(name(&all, Some("old")).unwrap(), "old");
        let second = all.choose(Some("2026-11-25T10:00:00+01:00")).unwrap();
        assert_eq!(second.name, "2026-11-25T09:00:00Z");
        assert_eq!((second.at.to_string(), second.since), (second.name, None));
        for outside in ["2026-11-19T23:59:59Z", "2026-11-29T05:00:01Z", "other"] {
            let why = name(&all, Some(outside)).unwrap_err();
            assert!(why.contains(outside), "{why}");
        }
        all.backups[0].unfit = Some("it is of version 13".into());
        assert_eq!(name(&all, None).unwrap(), "old");
        let why = name(&all, Some(LATEST)).unwrap_err();
        assert!(why.contains("version 13"), "{why}");
        let mut twice = backup("old", "2026-11-03T00:00:00.25Z", None);
        twice.source = "second".into();
        all.backups.push(twice);
        let why = name(&all, Some("old")).unwrap_err();
        assert!(
            why.contains("2 backups") && why.contains("2026-11-01T00:00:00Z"),
            "{why}"
        );
        let source = |wanted| all.choose(Some(wanted)).unwrap().source;
        assert_eq!(source("2026-11-03T00:00:00Z"), "second");
        assert_eq!(source("2026-11-01T00:00:00Z"), Value::Null);
        let nothing = Remains::nothing("S3 keeps none");
        assert_eq!(name(&nothing, None).unwrap_err(), "AWS has no backup of it");
    }
}
