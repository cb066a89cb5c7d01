//! The rotation schedule of the secret in which RDS keeps a master password. RDS rotates it without a Lambda function,
//! every seven days by default; RotateSecret changes the schedule ("Managed rotation for AWS Secrets Manager secrets").

use crate::aws::{Aws, read, repeatable};
use crate::engine::{Delta, Error, Identity, Kind, Nature, Phase, Ref};
use crate::resources::rds::SecretArn;
use crate::resources::{Found, Lookup, Resource, found};
use aws_sdk_secretsmanager::types::RotationRulesType;
use serde::{Deserialize, Serialize};

/// The schedule.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Rotation {
    /// The secret.
    pub secret: Ref<SecretArn>,
    /// Days between rotations, 1 to 1000; 0 when rotation is off.
    pub days: i64,
}

/// A schedule has nothing of its own that others could refer to.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RotationOutputs {
    /// The secret's ARN.
    pub arn: Ref<SecretArn>,
}

impl Kind for Rotation {
    const TYPE: &'static str = "secretsmanager/rotation";
}

impl Resource for Rotation {
    const NATURE: Nature = Nature::SubResource;
    type Outputs = RotationOutputs;

    async fn read(cx: &Aws, key: Lookup<'_, Self>) -> Result<Option<Found<Self>>, Error> {
        let arn = &key.spec.secret;
        let answer = cx.call(read("secretsmanager", "DescribeSecret"), || {
            cx.secretsmanager
                .client
                .describe_secret()
                .secret_id(arn.as_str())
                .send()
        });
        let Some(secret) = found(answer.await)?.filter(|s| s.deleted_date().is_none()) else {
            return Ok(None);
        };
        let on = secret.rotation_enabled().unwrap_or(false);
        let days = secret
            .rotation_rules()
            .and_then(|r| r.automatically_after_days());
        Ok(Some(Found {
            spec: Self {
                secret: arn.clone(),
                days: days.filter(|_| on).unwrap_or_default(),
            },
            tags: None,
            outputs: RotationOutputs { arn: arn.clone() },
            phase: Phase::Ready,
        }))
    }

    async fn create(&self, _cx: &Aws, _identity: &Identity) -> Result<RotationOutputs, Error> {
        Err(Error::permanent(
            "create",
            "a rotation schedule exists with its secret",
        ))
    }

    async fn update(
        &self,
        cx: &Aws,
        _outputs: &RotationOutputs,
        delta: &Delta,
    ) -> Result<(), Error> {
        if delta.changes.is_empty() {
            return Ok(());
        }
        let rules = RotationRulesType::builder().automatically_after_days(self.days);
        let rules = rules.build();
        cx.call(repeatable("secretsmanager", "RotateSecret"), || {
            cx.secretsmanager
                .client
                .rotate_secret()
                .secret_id(self.secret.as_str())
                .rotation_rules(rules.clone())
                .rotate_immediately(false)
                .send()
        })
        .await
        .map(drop)
    }

    /// Nothing: the schedule goes with the secret, and the secret with its cluster. While the cluster stays, a shorter
    /// or longer schedule does no harm.
    async fn delete(&self, _cx: &Aws, _outputs: &RotationOutputs) -> Result<(), Error> {
        Ok(())
    }
}
