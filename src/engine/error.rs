//! The one error of the engine: what was being done, what kind of failure it is, what it leaves behind and what to type next.

use serde::{Deserialize, Serialize};
use std::fmt;

/// The code of data that vanished.
pub const VANISHED: &str = "DataVanished";
/// The code of a change that cannot be taken back.
pub const UPGRADE: &str = "MajorUpgrade";
/// The code of data that would be lost, with no choice made about it.
pub const CHOICE: &str = "DataChoiceMissing";
/// The code of data that the configuration protects.
pub const PROTECTED: &str = "DataProtected";
/// The code of a name for which something of others answers.
pub const HELD_BY_OTHERS: &str = "NameHeldByOthers";

/// What kind of failure this is. Retries are decided from the class alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// Trying again without a change gives the same answer. Fails at the first attempt.
    Permanent,
    /// AWS requests to slow down; the call had no effect.
    Throttled,
    /// Something that exists is not visible everywhere yet (a fresh role, a fresh ID).
    Propagating,
    /// A deletion is refused because something else still uses the thing, and will not for long.
    InUse,
    /// A deletion is refused because of something that does not go by itself: somebody else's instance, rule or attachment.
    Blocked,
    /// The thing is in a state that does not allow the call yet (creating, modifying).
    NotReady,
    /// Something with the same name or address exists and is not ours.
    Conflict,
    /// What the call names does not exist: success for a deletion, "none" for a read.
    Gone,
    /// No clear answer: connection closed, timeout, or a server error (5xx).
    Unclear,
    /// A stop was asked for before the work was done.
    Interrupted,
}

/// What a failed call may have left in the account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Leftover {
    /// The call had no effect.
    Nothing,
    /// These resources exist.
    Known(Vec<String>),
    /// The call may have taken effect; only a read by identity tells.
    Unknown,
}

/// An error that says what to do. `action` is an API action (`ec2:CreateVpc`) or a verb of the engine (`read`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Error {
    /// The class that decides about retries.
    pub class: Class,
    /// The API action, e.g. `ec2:CreateVpc`.
    pub action: String,
    /// AWS's error code, empty when there was none.
    pub code: String,
    /// AWS's message or our own sentence.
    pub message: String,
    /// AWS's request id, for a support case.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// What the failure leaves behind.
    pub leftover: Leftover,
    /// What the user can do next.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// What the hint is about (`credentials`, `permission:ec2:CreateVpc`): errors with the same one are solved together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub topic: Option<String>,
}

/// The topic of a refusal of the credentials: every other call fails for the same reason.
pub const CREDENTIALS: &str = "credentials";

/// The topic of [`Error::marked_twice`].
pub const MARKED_TWICE: &str = "marked-twice";

impl Error {
    /// A permanent failure of ours (no AWS answer involved) that left nothing behind.
    pub fn permanent(action: impl Into<String>, message: impl Into<String>) -> Self {
        Self::of(Class::Permanent, action, message)
    }

    /// A failure of the given class that left nothing behind.
    pub fn of(class: Class, action: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            class,
            action: action.into(),
            code: String::new(),
            message: message.into(),
            request_id: None,
            leftover: Leftover::Nothing,
            hint: None,
            topic: None,
        }
    }

    /// Work that was broken off between two calls, because a stop was asked for.
    pub fn interrupted(action: impl Into<String>) -> Self {
        Self::of(Class::Interrupted, action, "a stop was asked for")
    }

    /// A step whose ownership mark several resources carry.
    pub fn marked_twice(step: &str, ids: &[String]) -> Self {
        let text = format!(
            "the mark of step `{step}` is on more than one resource: {}",
            ids.join(", ")
        );
        Self::permanent("read", text)
            .hint("find out which one is in use, remove the tag DeployerStep from the other, and run again")
            .topic(MARKED_TWICE)
    }

    /// A thing with our name that does not carry our mark: named, never touched.
    pub fn foreign(action: impl Into<String>, thing: &str) -> Self {
        Self::of(
            Class::Conflict,
            action,
            format!("{thing} exists but does not carry this deployment's ownership mark"),
        )
        .hint("choose another --suffix, or remove or rename it if it is not needed; deployer never touches what it did not make")
    }

    /// The same error with a hint.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same error with what its hint is about.
    #[must_use]
    pub fn topic(mut self, topic: impl Into<String>) -> Self {
        self.topic = Some(topic.into());
        self
    }

    /// The action, and why it failed by code, or by the message where there is none.
    pub fn in_short(&self) -> String {
        let why = match self.code.as_str() {
            "" => self.message.trim_end(),
            code => code,
        };
        format!("{}: {why}", self.action)
    }

    /// The same error with AWS's error code.
    #[must_use]
    pub fn code(mut self, code: impl Into<String>) -> Self {
        self.code = code.into();
        self
    }

    /// The same error with another statement of what it leaves behind.
    #[must_use]
    pub fn leftover(mut self, leftover: Leftover) -> Self {
        self.leftover = leftover;
        self
    }

    /// True when nothing is broken: the user decides what becomes of it.
    pub fn is_refusal(&self) -> bool {
        [VANISHED, UPGRADE, CHOICE, PROTECTED, HELD_BY_OTHERS].contains(&self.code.as_str())
    }

    /// True when there are errors, and all of them are refusals.
    pub fn are_refusals<'a>(mut errors: impl Iterator<Item = &'a Error>) -> bool {
        let refused = |error: &Error| error.is_refusal();
        errors.next().is_some_and(refused) && errors.all(refused)
    }

    /// True when AWS says that the thing does not exist. A refusal of access is never "gone".
    pub fn is_not_found(&self) -> bool {
        self.class == Class::Gone
    }

    /// True when the caller has not got a permission.
    pub fn is_denied(&self) -> bool {
        matches!(
            self.code.as_str(),
            "AccessDenied"
                | "AccessDeniedException"
                | "UnauthorizedOperation"
                | "AuthorizationError"
                | "Forbidden"
        )
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.action)?;
        if !self.code.is_empty() {
            write!(f, "{}: ", self.code)?;
        }
        write!(f, "{}", self.message.trim_end())?;
        if let Some(id) = &self.request_id {
            write!(f, " (request {id})")?;
        }
        match &self.leftover {
            Leftover::Nothing => {}
            Leftover::Known(ids) => write!(f, "; it leaves {}", ids.join(", "))?,
            Leftover::Unknown => write!(
                f,
                "; it may have taken effect, the next run looks before it does anything again"
            )?,
        }
        Ok(())
    }
}

impl std::error::Error for Error {}
