//! The functions' suite alongside everything else: both wait a lot, and neither keeps two cores busy by itself. It takes longest, and
//! tests begin in the order of their names: begun late, it would be left to run alone.

use crate::support::npm;

/// All but what measures times, which `tests/lambda.rs` runs.
#[test]
fn the_functions_pass_their_own_suite() {
    npm::install();
    npm::run(&["test", "--", "!timed"]);
}
