//! What the functions' suite measures in time. A binary of its own: cargo runs one after the other, so that nothing takes the
//! machine from it.

#![allow(clippy::expect_used, reason = "tests may")]

#[path = "it/support/npm.rs"]
mod npm;

#[test]
fn what_is_measured_in_time_passes_when_nothing_else_runs() {
    npm::install();
    npm::run(&["test", "--", "timed"]);
}
