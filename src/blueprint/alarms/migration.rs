//! The alarms of the migration's functions.

use super::watch::{metric, watch};
use crate::blueprint::EnvironmentBuilder;
use crate::blueprint::functions::{FUNCTIONS, Reach};
use crate::engine::Handle;
use crate::resources::sns::Topic;

/// Seconds that green may be behind blue.
const LAG_SECONDS: f64 = 60.0;
/// Bytes of a log that a stream keeps on the disk of its database: 10 GiB.
const LAG_BYTES: f64 = 10.0 * 1024.0 * 1024.0 * 1024.0;

/// Declares them. The functions report what they find as metrics; a function that nobody calls
/// reports nothing, and that is no alarm.
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
