//! The exit codes: one table for the code, `--help` and the README.

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Done; nothing differs.
    Done,
    Failed,
    /// Differences exist (`plan`, `drift`) or leftovers remain (`destroy`).
    Differs,
    /// Bad usage or configuration, or no choice about data that would be lost; nothing was changed.
    Usage,
    /// Another run holds the lock.
    Locked,
    /// The gate found green worse than it may be, and all traffic went back to blue.
    GateFailed,
    /// Somebody else moved the traffic.
    Preempted,
    /// Nothing is decided, and the weights stay.
    Held,
    /// Something must be so before, and is not.
    Refused,
    Interrupted,
}

/// Code and meaning, as `--help` shows them.
pub const TABLE: &[(u8, &str)] = &[
    (0, "done, nothing differs"),
    (1, "failed"),
    (
        2,
        "differences exist (plan, drift) or leftovers remain (destroy)",
    ),
    (
        3,
        "bad usage or configuration, or no choice about data; nothing was changed",
    ),
    (4, "locked by another run"),
    (5, "the gate failed; all traffic went back to blue"),
    (6, "somebody else moved the traffic, or rolled it back"),
    (
        7,
        "held: not enough seen, something unknown, or approval or delegation outstanding",
    ),
    (
        8,
        "refused: data not proven or vanished, no capacity, records of others, or a saved plan that is out of date",
    ),
    (130, "interrupted"),
];

impl Exit {
    /// The process's exit code.
    pub fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Differs => 2,
            Self::Usage => 3,
            Self::Locked => 4,
            Self::GateFailed => 5,
            Self::Preempted => 6,
            Self::Held => 7,
            Self::Refused => 8,
            Self::Interrupted => 130,
        }
    }
}
