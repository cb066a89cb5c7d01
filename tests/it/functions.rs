//! The functions' suite beside everything else: both wait a lot, and neither keeps two cores busy by itself.

use crate::support::npm;

/// All but what measures times, which `tests/lambda.rs` runs.
#[test]
fn the_functions_pass_their_own_suite() {
    npm::install();
    npm::run(&["test", "--", "!timed"]);
}
