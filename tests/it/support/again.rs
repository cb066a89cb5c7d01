//! What a busy machine makes worse: a process that gets no turn for a while sends two calls where one would do, or many at once
//! that should leave one after the other; and whatever is waited for takes longer. A fault of ours is there every time.

use std::time::{Duration, Instant};

/// Times that is tried.
const TIMES: usize = 4;
/// Whatever has not come by then never comes, on any machine.
const LONGEST: Duration = Duration::from_secs(600);

/// Looks again and again until it is there.
///
/// # Panics
/// When it does not come, with what is there in its place.
pub fn until<D: std::fmt::Debug>(instead: impl Fn() -> D, mut there: impl FnMut() -> bool) {
    let began = Instant::now();
    while !there() {
        assert!(began.elapsed() < LONGEST, "it never came: {:?}", instead());
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// What one of some tries finds.
///
/// # Panics
/// When none succeeds, with what every one of them says.
pub fn one_of_some<T>(mut attempt: impl FnMut() -> Result<T, String>) -> T {
    let mut said = Vec::new();
    for _ in 0..TIMES {
        match attempt() {
            Ok(found) => return found,
            Err(wrong) => said.push(wrong),
        }
    }
    panic!("{}", said.join("\n"))
}
