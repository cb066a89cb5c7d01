//! What CloudWatch says of one closed minute of one side, and what it means.

use serde::{Deserialize, Serialize};

/// Minutes since 1970-01-01 00:00 UTC: the minute `m` lasts from second `60 m` to second `60 m + 60`.
pub type Minute = i64;

/// The second (Unix time) at which a minute closes.
pub fn closes(minute: Minute) -> i64 {
    minute.saturating_add(1).saturating_mul(60)
}

/// What CloudWatch answered for one metric of one minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    /// A data point.
    Value(u64),
    /// The call was answered in full, and there is no data point.
    Absent,
    /// The call failed, or its answer was cut short.
    Unreadable,
}

/// The metrics of one side's own target groups in one minute, as published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Published {
    /// `RequestCount`: requests that got a target.
    pub request_count: Metric,
    /// `HTTPCode_ELB_503_Count`: requests that got none, which `RequestCount` leaves out.
    pub without_target: Metric,
    /// All other bad answers: target 5xx, other 5xx of the load balancer, timeouts.
    pub errors: Metric,
    /// Requests slower than the step's limit: `TC(T:)` of `TargetResponseTime`.
    pub slow: Metric,
    /// Health checks and probes among the requests (`CountedRequests` of the WAF rule that counts them).
    pub checks: Metric,
}

/// One closed minute of one side. `None` is unknown, which is neither zero nor healthy.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Counts {
    /// Requests of clients.
    #[serde(rename = "n")]
    pub requests: Option<u64>,
    /// Requests that failed: 5xx of the target or the load balancer, timeouts.
    pub bad: Option<u64>,
    /// Requests slower than the step's limit.
    pub slow: Option<u64>,
}

impl Published {
    /// The load balancer reports nothing without requests and leaves out error counts of zero. So an absent error count is 0
    /// where `RequestCount` is present, and an absent `RequestCount` is unknown. Requests that got no target are proof of
    /// themselves, with or without `RequestCount`.
    pub fn counts(&self) -> Counts {
        use Metric::{Absent, Unreadable, Value};
        let optional = |metric| match metric {
            Value(n) => Some(n),
            Absent => Some(0),
            Unreadable => None,
        };
        let refused = match self.without_target {
            Value(n) => n,
            Absent | Unreadable => 0,
        };
        let served = match (self.request_count, refused) {
            (Value(n), _) => Some(n),
            // Refused requests are counted at least: bad news needs no other number.
            (Absent, 1..) => Some(0),
            (Absent | Unreadable, _) => None,
        };
        let requests = match (served, optional(self.checks), self.without_target) {
            (Some(served), Some(checks), Value(_) | Absent) => {
                Some(served.saturating_add(refused).saturating_sub(checks))
            }
            _ => None,
        };
        let known = requests.is_some();
        Counts {
            requests,
            bad: optional(self.errors)
                .filter(|_| known)
                .map(|n| n.saturating_add(refused)),
            slow: optional(self.slow).filter(|_| known),
        }
        .consistent()
    }
}

impl Counts {
    /// A minute of which everything is known.
    pub fn of(requests: u64, bad: u64, slow: u64) -> Self {
        Self {
            requests: Some(requests),
            bad: Some(bad),
            slow: Some(slow),
        }
        .consistent()
    }

    /// No more bad or slow requests than requests: metrics of one minute are published one after the other, and the error
    /// count can be first.
    #[must_use]
    pub fn consistent(mut self) -> Self {
        let most = self.bad.max(self.slow).unwrap_or(0);
        self.requests = self.requests.map(|n| n.max(most));
        self
    }

    /// This reading after a later one of the same minute. What is unknown later was known before; bad news is not taken
    /// back; requests follow the later reading, because checks are subtracted from them as their count comes in.
    #[must_use]
    pub fn updated(self, later: Self) -> Self {
        Self {
            requests: later.requests.or(self.requests),
            bad: later.bad.max(self.bad),
            slow: later.slow.max(self.slow),
        }
        .consistent()
    }

    /// Whether everything is known.
    pub fn complete(&self) -> bool {
        self.requests.is_some() && self.bad.is_some() && self.slow.is_some()
    }

    /// Requests and those of one kind among them, if both are known.
    pub fn of_kind(&self, kind: Kind) -> Option<Totals> {
        let hits = match kind {
            Kind::Bad => self.bad,
            Kind::Slow => self.slow,
        };
        Some(Totals {
            requests: self.requests?,
            hits: hits?,
        })
    }
}

/// The two metrics that are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Failed requests.
    Bad,
    /// Slow requests.
    Slow,
}

impl Kind {
    /// The word for it in sentences.
    pub fn word(self) -> &'static str {
        match self {
            Self::Bad => "bad",
            Self::Slow => "slow",
        }
    }
}

/// A sum over minutes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    pub requests: u64,
    /// Those of one kind among them: bad or slow.
    pub hits: u64,
}

impl Totals {
    /// Adds a minute.
    pub fn add(&mut self, other: Self) {
        self.requests = self.requests.saturating_add(other.requests);
        self.hits = self.hits.saturating_add(other.hits);
    }

    /// The share of hits in percent; 0 without requests.
    pub fn percent(&self) -> f64 {
        if self.requests == 0 {
            return 0.0;
        }
        self.hits as f64 / self.requests as f64 * 100.0
    }
}

/// One closed minute of both sides.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pair {
    /// The new side.
    pub green: Counts,
    /// The old side.
    pub blue: Counts,
}
