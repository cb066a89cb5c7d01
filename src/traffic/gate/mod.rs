//! The gate of a traffic shift: pure decisions over what was observed. No clock, no network, no file.
//!
//! A [`Gate`] holds the statistics of one step. The caller reads the minutes of [`Gate::wanted`] from CloudWatch, gives each
//! to [`Gate::observe`], and asks [`Gate::evaluate`] with what it sees at this instant. The worst input wins: fail, unknown,
//! holding, pass. Only "everything known and good" advances.
//!
//! What was decided where the design left a choice:
//!
//! * Bad requests are scaled down by the sum of both sides, see [`evidence`].
//! * Above 75 % weight green is compared with blue's past as well, see [`compare`].
//! * A minute that could not be read is no gap as long as later ones arrive, see [`fresh`]. Unknown counts from the moment
//!   at which a metric is overdue.
//! * The comparisons take minutes that are published in full (3 minutes old). The absolute limits take each as it is seen.
//! * A failure in any minute of the step is a failure, also when nobody looked at that time.
//! * A share above an absolute limit that is not proven holds the step.

pub mod binomial;
pub mod compare;
mod enough;
pub mod evidence;
pub mod fresh;
pub mod instant;
mod judge;
mod limits;
mod look;
mod minute;
mod minutes;
mod plan;
mod self_test;
pub mod simulate;
mod start;
mod step;
#[cfg(test)]
mod tests;
mod verdict;
mod window;

pub use instant::Instant;
pub use judge::Gate;
pub use limits::Limits;
pub use minute::{Counts, Kind, Metric, Minute, Pair, Published, Totals};
pub use plan::{TimeToPass, time_to_pass};
pub use self_test::{SelfTest, self_test};
pub use start::{before_raise, can_start};
pub use step::{DEFAULT_BAKE_MINUTES, DataMode, Step};
pub use verdict::{Action, Decision, Rule, Verdict};
