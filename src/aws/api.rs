//! An API action: which service it belongs to, whether it may be sent again, and what a caller must be allowed to do.
//! Every service file declares its actions once with [`actions!`]; calls, budgets, error classes, hints and the policy
//! that `deployer permissions` prints all start from these constants.

use crate::engine::{Class, Error, Leftover};

/// What AWS answered to a failed call.
#[derive(Debug, Clone, Copy)]
pub struct Answer<'a> {
    /// AWS's error code, empty when there was none.
    pub code: &'a str,
    /// AWS's message.
    pub message: &'a str,
    /// The HTTP status.
    pub status: u16,
}

impl Answer<'_> {
    /// True when the message contains this text.
    pub fn says(&self, text: &str) -> bool {
        self.message.contains(text)
    }
}

/// A token bucket of AWS: calls that share it are throttled together.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bucket {
    /// Its name within the service.
    pub name: &'static str,
    /// Calls that may leave at once.
    pub burst: f64,
    /// Calls per second after that.
    pub rate: f64,
    /// Burst and rate of a second bucket that all calls of the service share, where it has one.
    pub whole: Option<(f64, f64)>,
}

/// A bucket with this name, burst and rate.
pub const fn bucket(name: &'static str, burst: f64, rate: f64) -> Bucket {
    Bucket {
        name,
        burst,
        rate,
        whole: None,
    }
}

impl Bucket {
    /// The same where a call takes a token from the bucket of the whole service too.
    #[must_use]
    pub const fn within(mut self, burst: f64, rate: f64) -> Self {
        self.whole = Some((burst, rate));
        self
    }
}

/// What distinguishes one service from another.
pub struct Service {
    /// Its prefix in IAM actions and our name for it, `ec2`.
    pub name: &'static str,
    /// What its errors mean; `None` leaves it to the rules that all services share.
    pub classify: fn(Api, Answer<'_>) -> Option<Class>,
    /// The throttling bucket of an action.
    pub bucket: fn(Api) -> Bucket,
    /// Every action that the deployer may send.
    pub actions: fn() -> &'static [Api],
}

/// May a call be sent again when its outcome is unclear?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nature {
    Read,
    /// A mutating call with the same effect when it is sent twice: puts, deletes, changes to a given value, and creates
    /// with an idempotency token.
    Repeatable,
    /// A mutating call that may make a second thing when it is sent twice.
    Once,
}

/// What a permission is limited to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Guard {
    /// The resource pattern alone.
    Named,
    /// The request must carry this deployment's suffix as a tag (`aws:RequestTag`).
    RequestTag,
    /// The thing must carry this deployment's suffix as a tag (`aws:ResourceTag`).
    ResourceTag,
    /// The thing must not be tagged for another deployment: it has our suffix or none at all. For what AWS makes beside
    /// our things without tags (a VPC's default group, ACL and main route table).
    NotOfOthers,
    /// Only through these services (`kms:ViaService`), on a thing with our tag.
    Via(&'static [&'static str]),
    /// Tags may be set only by the call that creates the thing (`ec2:CreateAction`).
    AtCreation,
    /// The role may be passed to this service only (`iam:PassedToService`).
    PassedTo(&'static str),
    /// The service-linked role of this service only (`iam:AWSServiceName`).
    LinkedTo(&'static str),
    /// Only metrics of our own namespace (`cloudwatch:namespace`).
    Metrics,
    /// Items may be counted and not read (`dynamodb:Select`).
    Count,
    /// Only what AWS does in the caller's name (`aws:ViaAWSService`), not what the caller asks for itself.
    Behalf,
}

/// One permission that an action needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grant {
    /// The IAM action where it is not named like the operation, `s3:ListAllMyBuckets`.
    pub action: Option<&'static str>,
    /// The ARN that it is limited to, with `{region}`, `{account}` and `{suffix}`.
    pub resource: &'static str,
    /// What limits it further.
    pub guard: Guard,
}

impl Grant {
    /// The same for another IAM action than the operation's own.
    #[must_use]
    pub const fn of(mut self, action: &'static str) -> Self {
        self.action = Some(action);
        self
    }
}

/// The namespace of the metrics that a command publishes.
pub const METRICS: &str = "Deployer";

/// The resource of a permission on the topic that is notified at the end of a run: there is none without a topic.
pub const NOTIFIED: &str = "{topic}";

/// The bucket of a shared state, and the objects of this deployment in it: there are none with local files.
pub const STATE_IN: &str = "{state-bucket}";
/// See [`STATE_IN`].
pub const STATE_AT: &str = "{state-objects}";

/// A permission on everything: AWS takes no narrower one for this action.
pub const ANY: Grant = named("*");

/// A permission on what has such an ARN.
pub const fn named(resource: &'static str) -> Grant {
    guarded(resource, Guard::Named)
}

/// A permission on what has such an ARN and passes the guard.
pub const fn guarded(resource: &'static str, guard: Guard) -> Grant {
    Grant {
        action: None,
        resource,
        guard,
    }
}

/// An API action.
#[derive(Clone, Copy)]
pub struct Api {
    pub service: &'static Service,
    /// `CreateVpc`.
    pub operation: &'static str,
    /// May it be sent again?
    pub nature: Nature,
    /// What the credentials must be allowed to do.
    pub grants: &'static [Grant],
}

impl Api {
    /// `ec2:CreateVpc`.
    pub fn action(&self) -> String {
        format!("{}:{}", self.service.name, self.operation)
    }

    /// A field that this call's answer always has. Its absence is an error, and nothing empty is ever recorded.
    pub fn field<T: for<'a> From<&'a str>>(
        &self,
        value: Option<&str>,
        name: &str,
    ) -> Result<T, Error> {
        match value {
            Some(text) if !text.is_empty() => Ok(text.into()),
            _ => Err(self.missing(name)),
        }
    }

    /// The error of an answer without a field it always has.
    pub fn missing(&self, name: &str) -> Error {
        let leftover = if self.writes() {
            Leftover::Unknown
        } else {
            Leftover::Nothing
        };
        Error::permanent(self.action(), format!("the answer has no `{name}`")).leftover(leftover)
    }

    /// True for a mutating call.
    pub const fn writes(&self) -> bool {
        !matches!(self.nature, Nature::Read)
    }

    /// True for a mutating call that takes nothing away: what it names was made before it.
    pub fn creates_or_changes(&self) -> bool {
        const AWAY: [&str; 11] = [
            "Delete",
            "Detach",
            "Disassociate",
            "Disable",
            "Revoke",
            "Untag",
            "Remove",
            "Schedule",
            "Abort",
            "Deregister",
            "Unsubscribe",
        ];
        self.writes() && !AWAY.iter().any(|verb| self.operation.starts_with(verb))
    }

    /// The same action, sent at most once: for a use of it that is not the same when it is repeated.
    #[must_use]
    pub const fn as_once(mut self) -> Self {
        self.nature = Nature::Once;
        self
    }

    /// The same action where repeating it has no second effect, because it carries an idempotency token.
    #[must_use]
    pub const fn as_repeatable(mut self) -> Self {
        self.nature = Nature::Repeatable;
        self
    }

    /// The IAM action that a refusal is about (S3's "Actions, resources, and condition keys": a few are not named like
    /// their operation).
    pub fn permission(&self) -> String {
        let declared = (self.service.actions)().iter();
        let grants = declared
            .filter(|a| a.operation == self.operation)
            .flat_map(|a| a.grants);
        let first = grants.map(|g| g.action).next().flatten();
        first.map_or_else(|| self.action(), str::to_owned)
    }
}

impl std::fmt::Debug for Api {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.action())
    }
}

impl PartialEq for Api {
    fn eq(&self, other: &Self) -> bool {
        self.service.name == other.service.name
            && self.operation == other.operation
            && self.nature == other.nature
    }
}

/// Declares a service's actions: a constant for each, and `ACTIONS`, the list of all.
macro_rules! actions {
    ($service:path; $($nature:ident $name:ident = $operation:literal, $grants:expr;)*) => {
        $(
            #[doc = concat!("`", $operation, "`")]
            pub const $name: $crate::aws::Api = $crate::aws::Api {
                service: &$service,
                operation: $operation,
                nature: $crate::aws::Nature::$nature,
                grants: &$grants,
            };
        )*
        pub(super) const ACTIONS: &[$crate::aws::Api] = &[$($name),*];
    };
}
pub(super) use actions;
