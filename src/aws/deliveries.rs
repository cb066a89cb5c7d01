//! What AWS says about its own work for a deployment, for evidence: whether logs arrive, and how AWS Config judges. No type keeps it,
//! because it changes by itself.

use super::{Api, Aws, config, ec2, logs};
use crate::engine::Error;
use aws_sdk_cloudwatchlogs::types::OrderBy;
use aws_sdk_config::types::{ComplianceType, DeliveryStatus};
use jiff::Timestamp;
use serde_json::{Value, json};

/// One thing that AWS says.
#[derive(Debug, Clone, PartialEq)]
pub struct Said {
    /// AWS's name of the value.
    pub field: &'static str,
    /// The value; null when there is none.
    pub value: Value,
    /// What is wanted, in words.
    pub wanted: &'static str,
    /// Whether it is as wanted; `None` when it says neither.
    pub good: Option<bool>,
}

/// What shows it: AWS Config's judgement, or a delivery; `None` for a type about which AWS says nothing.
pub fn said_by(kind: &str) -> Option<(Api, &'static str)> {
    Some(match kind {
        "config/rule" => (config::DESCRIBE_COMPLIANCE_BY_CONFIG_RULE, "name"),
        "config/channel" => (config::DESCRIBE_DELIVERY_CHANNEL_STATUS, "name"),
        "ec2/flow_log" => (ec2::DESCRIBE_FLOW_LOGS, "id"),
        "logs/log_group" => (logs::DESCRIBE_LOG_STREAMS, "name"),
        _ => return None,
    })
}

/// Asks what AWS says of a thing. Nothing for one that the deployment does not have itself (a channel of others).
///
/// # Errors
/// When AWS does not show it.
pub async fn said(aws: &Aws, kind: &str, outputs: &Value) -> Result<Vec<Said>, Error> {
    let Some((api, by)) = said_by(kind) else {
        return Ok(Vec::new());
    };
    let Some(name) = outputs
        .get(by)
        .and_then(Value::as_str)
        .filter(|n| !n.is_empty())
    else {
        return Ok(Vec::new());
    };
    match kind {
        "config/rule" => evaluations(aws, api, name).await,
        "config/channel" => delivered(aws, api, name).await,
        "ec2/flow_log" => {
            let call = aws.ec2.client.describe_flow_logs().flow_log_ids(name);
            let answer = aws.call(api, || call.clone().send()).await?;
            let log = answer.flow_logs().first();
            let status = log.and_then(|l| l.deliver_logs_status());
            let why = log.and_then(|l| l.deliver_logs_error_message());
            Ok(vec![Said {
                field: "DeliverLogsStatus",
                value: json!(why.or(status)),
                wanted: "SUCCESS",
                good: status.map(|s| s == "SUCCESS" && why.is_none()),
            }])
        }
        _ => {
            let call = aws.logs.client.describe_log_streams().log_group_name(name);
            let call = call
                .order_by(OrderBy::LastEventTime)
                .descending(true)
                .limit(1);
            let answer = aws.call(api, || call.clone().send()).await?;
            let last = answer
                .log_streams()
                .first()
                .and_then(|s| s.last_ingestion_time());
            let last = last.and_then(|ms| Timestamp::from_millisecond(ms).ok());
            Ok(vec![Said {
                field: "lastIngestionTime",
                value: json!(last),
                wanted: "a time",
                // Where nothing happens nothing is logged.
                good: last.map(|_| true),
            }])
        }
    }
}

async fn evaluations(aws: &Aws, api: Api, name: &str) -> Result<Vec<Said>, Error> {
    let call = aws.config.client.describe_compliance_by_config_rule();
    let call = call.config_rule_names(name);
    let answer = aws.call(api, || call.clone().send()).await?;
    let rule = answer.compliance_by_config_rules().first();
    let compliance = rule.and_then(|r| r.compliance());
    let verdict = compliance.and_then(|c| c.compliance_type());
    let count = compliance.and_then(|c| c.compliance_contributor_count());
    let value = match (verdict, count) {
        (Some(verdict), Some(count)) if count.cap_exceeded() => {
            json!(format!("{verdict}: more than {}", count.capped_count()))
        }
        (Some(verdict), Some(count)) => json!(format!("{verdict}: {}", count.capped_count())),
        (verdict, _) => json!(verdict.map(ComplianceType::as_str)),
    };
    Ok(vec![Said {
        field: "ComplianceType",
        value,
        wanted: "COMPLIANT",
        good: match verdict {
            Some(ComplianceType::Compliant) => Some(true),
            Some(ComplianceType::NonCompliant) => Some(false),
            // Not evaluated yet, or nothing of the kind is there.
            _ => None,
        },
    }])
}

async fn delivered(aws: &Aws, api: Api, name: &str) -> Result<Vec<Said>, Error> {
    let call = aws.config.client.describe_delivery_channel_status();
    let call = call.delivery_channel_names(name);
    let answer = aws.call(api, || call.clone().send()).await?;
    let status = answer.delivery_channels_status().first();
    let history = status.and_then(|s| s.config_history_delivery_info());
    let snapshots = status.and_then(|s| s.config_snapshot_delivery_info());
    let one = |field, info: Option<&aws_sdk_config::types::ConfigExportDeliveryInfo>| {
        let last = info.and_then(|i| i.last_status());
        let why = info.and_then(|i| i.last_error_message());
        Said {
            field,
            value: json!(why.or(last.map(DeliveryStatus::as_str))),
            wanted: "SUCCESS",
            good: last.and_then(succeeded),
        }
    };
    Ok(vec![
        one("configHistoryDeliveryInfo.lastStatus", history),
        one("configSnapshotDeliveryInfo.lastStatus", snapshots),
    ])
}

/// AWS answers `SUCCESS` and `FAILURE` (the example of the AWS CLI), where the service model has `Success` and `Failure`. `None` when
/// there was nothing to deliver yet.
fn succeeded(last: &DeliveryStatus) -> Option<bool> {
    let is = |word: &str| last.as_str().eq_ignore_ascii_case(word);
    match (is("success"), is("failure")) {
        (true, _) => Some(true),
        (_, true) => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delivery_is_read_as_aws_writes_it_and_as_its_model_does() {
        for (text, good) in [
            ("SUCCESS", Some(true)),
            ("Success", Some(true)),
            ("FAILURE", Some(false)),
            ("Failure", Some(false)),
            ("Not_Applicable", None),
        ] {
            assert_eq!(succeeded(&DeliveryStatus::from(text)), good, "{text}");
        }
    }
}
