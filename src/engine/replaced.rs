//! The record of a thing that was replaced and still exists beside its successor: under which id it is known.

/// What is appended to the id of a step while the thing that it replaces still exists beside the new one.
const REPLACED: &str = "~replaced";

/// An id that is not taken, under which what a step replaces stays known until it is removed. There may be an earlier one whose
/// removal did not end.
pub(super) fn replaced(step: &str, taken: impl Fn(&str) -> bool) -> String {
    let mut id = format!("{step}{REPLACED}");
    let mut number = 2;
    while taken(&id) {
        id = format!("{step}{REPLACED}-{number}");
        number += 1;
    }
    id
}

/// True for the record of a thing that was replaced by another one of its step and is to be removed.
pub(super) fn is_replaced(step: &str) -> bool {
    step.contains(REPLACED)
}

/// The step to which a record belongs: its own id, but for what is replaced.
pub(super) fn step_of(id: &str) -> &str {
    id.split_once(REPLACED).map_or(id, |(step, _)| step)
}
