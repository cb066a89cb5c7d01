//! The rotation schedule of the secret in which RDS keeps a master password. RDS rotates it without a Lambda function,
//! every seven days by default; RotateSecret changes the schedule ("Managed rotation for AWS Secrets Manager secrets").

use super::exposed;
use crate::resources::prelude::*;
use crate::resources::rds::Secret;
use aws_sdk_secretsmanager::types::RotationRulesType;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Rotation {
    pub secret: Ref<Secret>,
    /// Days between rotations, 1 to 1000; 0 when rotation is off.
    pub days: i64,
    /// Its resource policy, which lets others read it, and its copies in other regions.
    #[serde(default)]
    pub exposed: Exposed,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct RotationOutputs {
    /// The secret's ARN.
    pub arn: Ref<Secret>,
}

const ROTATE: Api = secretsmanager::ROTATE_SECRET;

impl Kind for Rotation {
    const TYPE: &'static str = "secretsmanager/rotation";
    type Outputs = RotationOutputs;
}

impl SubResource for Rotation {
    const FACTS: SubFacts = SubFacts {
        parent: "secret",
        seconds: (1.0, 1.0),
        interrupts: &[],
        write_only: &[],
        delegated: &[],
    };
    type Parent = Secret;

    fn parent(&self) -> &Ref<Secret> {
        &self.secret
    }

    async fn read(
        cx: &Aws,
        secret: &Ref<Secret>,
        _: Option<&RotationOutputs>,
    ) -> Result<Option<Found<Self>>, Error> {
        let answer = found(cx.secretsmanager.describe(secret.as_str()).await)?;
        let Some(answer) = answer.filter(|s| s.deleted_date().is_none()) else {
            return Ok(None);
        };
        let on = answer.rotation_enabled().unwrap_or(false);
        let rules = answer.rotation_rules();
        let days = rules.and_then(|r| r.automatically_after_days());
        let exposed = exposed::of(cx, secret.as_str(), &answer).await?;
        let exposed = exposed.unwrap_or_default();
        let spec = Self {
            secret: secret.clone(),
            days: days.filter(|_| on).unwrap_or_default(),
            exposed,
        };
        let outputs = RotationOutputs {
            arn: secret.clone(),
        };
        Ok(Some(Found::of_parent(spec, outputs)))
    }

    async fn set(&self, cx: &Aws, _: &RotationOutputs, delta: &Delta) -> Result<(), Error> {
        for what in delta.entries("exposed").keys() {
            exposed::close(cx, self.secret.as_str(), what).await?;
        }
        if !delta.touches("days") {
            return Ok(());
        }
        let rules = RotationRulesType::builder().automatically_after_days(self.days);
        let call = cx.secretsmanager.client.rotate_secret();
        let call = call
            .secret_id(&self.secret)
            .rotation_rules(rules.build())
            .rotate_immediately(false);
        cx.call(ROTATE, || call.clone().send()).await.map(drop)
    }

    /// The schedule goes with the secret, and the secret with its cluster. While the cluster stays, a shorter or longer
    /// schedule does no harm.
    async fn reset(&self, _: &Aws, _: &RotationOutputs) -> Result<(), Error> {
        Ok(())
    }
}
