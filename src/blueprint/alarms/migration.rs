//! The alarms of the migration's functions.

use super::watch::{metric, watch};
use crate::blueprint::EnvironmentBuilder;
use crate::blueprint::functions::{FUNCTIONS, Reach};
use crate::engine::Handle;
use crate::resources::sns::Topic;

/// Seconds that green may be behind blue.
const LAG_SECONDS: f64 = 60.0;
/// Bytes of a log that a stream keeps on the disk of its database: 10 GiB.
pub(super) const LAG_BYTES: f64 = 10.0 * 1024.0 * 1024.0 * 1024.0;

/// Declares them. The functions report what they find as metrics, and Lambda how their calls end; a function that nobody calls has
/// neither, and that is no alarm.
pub fn migration(here: &mut EnvironmentBuilder<'_>, topic: &Handle<Topic>) {
    for function in &FUNCTIONS {
        let name = function.name;
        let of = [("FunctionName", here.name(&function.thing()))];
        let own = |name| metric(("PaymentMigration", name), "Maximum", 60, &of);
        let thing = format!("failed-{name}");
        let queue = [("QueueName", here.name(&thing))];
        let waiting = ("AWS/SQS", "ApproximateNumberOfMessagesVisible");
        let mut watches = vec![
            watch(
                "failures",
                format!("The migration function {name} fails: look at its log group"),
                own("Failures"),
                0.0,
                3,
            ),
            watch(
                "given-up",
                format!(
                    "Events that {name} failed on wait in its queue, {}",
                    here.name(&thing)
                ),
                metric(waiting, "Maximum", 300, &queue),
                0.0,
                1,
            ),
        ];
        // What the function cannot report by itself: it ended in the middle, ran out of time or memory, did not start, or was not let in.
        let by_lambda = |name| metric(("AWS/Lambda", name), "Sum", 300, &of);
        watches.push(watch(
            "crashes",
            format!("Calls of the migration function {name} end with an error or without an answer: look at its log group"),
            by_lambda("Errors"),
            0.0,
            2,
        ));
        if let Reach::Sessions(_) = function.reach {
            // A stream of many parts is read by as many calls at once as may be, and the others wait: not a refusal but an age says that
            // this is too slow.
            // The mapping's; without one, or while it is off, there is none.
            let age = metric(("AWS/Lambda", "IteratorAge"), "Maximum", 60, &of);
            watches.push(watch(
                "lag",
                format!("{name} is more than a minute behind: after 24 hours the stream drops what was not read"),
                age,
                1000.0 * LAG_SECONDS,
                5,
            ));
        } else {
            watches.push(watch(
                "throttles",
                format!("Calls of the migration function {name} are refused for a quarter of an hour: its concurrency, or the account's, is used up"),
                by_lambda("Throttles"),
                0.0,
                3,
            ));
        }
        if function.reach == Reach::Databases {
            watches.extend([
                watch(
                    "lag",
                    format!("{name} is more than a minute behind"),
                    own("LagSeconds"),
                    LAG_SECONDS,
                    5,
                ),
                watch(
                    "lag-bytes",
                    format!("The log that {name} has not read fills a disk: its action `stop` drops the slot, and ends the migration"),
                    own("LagBytes"),
                    LAG_BYTES,
                    1,
                ),
                watch(
                    "quarantine",
                    format!("Rows wait in the quarantine of {name}: the table payment_migration.quarantine names them"),
                    own("RowsQuarantined"),
                    0.0,
                    1,
                ),
            ]);
        }
        if function.reach == Reach::Verify {
            watches.push(watch(
                "parity",
                "Blue and green differ, so traffic must not shift: the answer of verify names tables and keys",
                own("ParityMismatches"),
                0.0,
                1,
            ));
        }
        for watch in watches {
            let thing = format!("alarm-{}-{name}", watch.what);
            here.add(&thing, watch.alarm(topic));
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::blueprint::functions::{FUNCTIONS, Reach};
    use crate::blueprint::{Facts, build};
    use crate::config::Config;

    #[test]
    fn every_function_is_watched_by_lambda_too_and_silence_is_no_alarm() {
        let graph = build(&Config::default(), &Facts::sample()).unwrap();
        for function in &FUNCTIONS {
            let name = format!("{}-green-dev", function.thing());
            let of_function = |spec: &serde_json::Value| {
                let dimensions = &spec["metric"]["dimensions"];
                dimensions["FunctionName"] == name.as_str()
            };
            let alarms = graph.steps.iter().filter(|s| s.kind == "cloudwatch/alarm");
            let alarms: Vec<_> = alarms.filter(|s| of_function(&s.spec)).collect();
            assert!(alarms.iter().all(|s| s.spec["missing"] == "notBreaching"));
            let watched = |namespace: &str, metric: &str| {
                let mut specs = alarms.iter().map(|s| &s.spec["metric"]);
                specs.any(|m| m["namespace"] == namespace && m["name"] == metric)
            };
            assert!(watched("AWS/Lambda", "Errors"), "{name}");
            // Every one that follows another side has a lag.
            let lag = match function.reach {
                Reach::Sessions(_) => watched("AWS/Lambda", "IteratorAge"),
                Reach::Databases => watched("PaymentMigration", "LagSeconds"),
                Reach::Control | Reach::Verify => true,
            };
            assert!(lag, "{name}");
        }
    }
}
