//! The exit codes: one table for the code, `--help` and the README.

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Done; nothing differs.
    Done,
    /// Failed.
    Failed,
    /// Differences exist (`plan`, `drift`) or leftovers remain (`destroy`).
    Differs,
    /// Bad usage or configuration; nothing was called.
    Usage,
    /// Another run holds the lock.
    Locked,
    /// Interrupted.
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
    (3, "bad usage or configuration; nothing was called"),
    (4, "locked by another run"),
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
            Self::Interrupted => 130,
        }
    }
}
