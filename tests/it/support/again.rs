//! What a busy machine makes worse: a process that gets no turn for a while sends two calls where one would do, or many at once
//! that should leave one after the other. A fault of ours is there every time.

/// Times that is tried.
const TIMES: usize = 4;

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
