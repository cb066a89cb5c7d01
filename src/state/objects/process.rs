//! Whether the process that holds a lock is alive. Only its own machine can tell; everybody else believes the lock.

use crate::state::Holder;
use serde::{Deserialize, Serialize};

/// Which process of which machine: unlike its number, no other process ever has the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Process {
    /// The machine's start, and the space of its process numbers (a container has its own).
    pub machine: String,
    /// When the process started, in ticks since the machine's start.
    pub started: u64,
}

/// Who holds the lock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    /// For people.
    #[serde(flatten)]
    pub holder: Holder,
    /// The run: a random number, part of every key that it writes.
    pub run: String,
    /// How its own machine can tell whether it is alive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub process: Option<Process>,
}

/// What became of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It runs on this machine.
    Alive,
    /// It ran on this machine and has ended.
    Dead,
    /// Only another machine can tell.
    Unknown,
}

/// Where the holders of locks run.
pub trait Processes: Send + Sync {
    /// This process, as the holder of a lock.
    fn this(&self, command: &str) -> Owner;
    /// What became of a holder.
    fn fate(&self, owner: &Owner) -> Fate;
}

/// The processes of the operating system.
#[derive(Debug, Clone, Copy)]
pub struct OwnProcess;

impl Processes for OwnProcess {
    fn this(&self, command: &str) -> Owner {
        let holder = Holder::this(command);
        let machine = machine();
        let process = machine.zip(started(holder.pid));
        Owner {
            run: random(),
            process: process.map(|(machine, started)| Process { machine, started }),
            holder,
        }
    }

    fn fate(&self, owner: &Owner) -> Fate {
        let here = Holder::this("").host == owner.holder.host;
        match &owner.process {
            Some(process) if here && machine().as_ref() == Some(&process.machine) => {
                if started(owner.holder.pid) == Some(process.started) {
                    Fate::Alive
                } else {
                    Fate::Dead
                }
            }
            _ => Fate::Unknown,
        }
    }
}

/// The machine's start and the space of process numbers, where the system says so (Linux).
fn machine() -> Option<String> {
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let space = std::fs::read_link("/proc/self/ns/pid").ok()?;
    Some(format!("{} {}", boot.trim(), space.display()))
}

/// When a process started ("proc_pid_stat", field 22); `None` when there is none, or only what is left of it.
fn started(pid: u32) -> Option<u64> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name of the program, in parentheses, may hold anything.
    let (_, rest) = text.rsplit_once(')')?;
    let mut fields = rest.split_whitespace();
    if matches!(fields.next()?, "Z" | "X") {
        return None;
    }
    fields.nth(18)?.parse().ok()
}

/// A random number as text.
pub(super) fn random() -> String {
    format!("{:016x}", fastrand::u64(..))
}
