//! What the alarms that guard green did in the past: CloudWatch keeps their changes of state for 30 days ("DescribeAlarmHistory").

use crate::aws::Aws;
use crate::aws::cloudwatch::DESCRIBE_ALARM_HISTORY;
use crate::engine::Error;
use aws_sdk_cloudwatch::primitives::DateTime;
use aws_sdk_cloudwatch::types::{AlarmHistoryItem, HistoryItemType, ScanBy};
use jiff::Timestamp;
use serde_json::Value;

/// When an alarm was raised first since then, if it was.
///
/// # Errors
/// When CloudWatch does not answer.
pub async fn raised(aws: &Aws, alarm: &str, since: Timestamp) -> Result<Option<Timestamp>, Error> {
    let call = aws.cloudwatch.client.describe_alarm_history();
    let call = call
        .alarm_name(alarm)
        .history_item_type(HistoryItemType::StateUpdate)
        .start_date(DateTime::from_secs(since.as_second()))
        .scan_by(ScanBy::TimestampAscending);
    let send = |token| call.clone().set_next_token(token).send();
    let first = aws.pages(DESCRIBE_ALARM_HISTORY, send, |page| {
        let first = page.alarm_history_items().iter().find_map(began);
        (first, page.next_token.filter(|_| first.is_none()))
    });
    Ok(first.await?.pop())
}

/// When a change of state led to the state ALARM.
fn began(item: &AlarmHistoryItem) -> Option<Timestamp> {
    let data: Value = serde_json::from_str(item.history_data()?).ok()?;
    let at = item.timestamp()?.secs();
    (data["newState"]["stateValue"] == "ALARM").then(|| Timestamp::from_second(at).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_change_to_alarm_counts() {
        let item = |data: &str| {
            let item = AlarmHistoryItem::builder().timestamp(DateTime::from_secs(60));
            began(&item.history_data(data).build())
        };
        let at = Timestamp::from_second(60).ok();
        let to = |state: &str| {
            format!(
                r#"{{"version":"1.0","oldState":{{"stateValue":"ALARM"}},"newState":{{"stateValue":"{state}"}}}}"#
            )
        };
        assert_eq!(item(&to("ALARM")), at);
        for other in [to("OK"), to("INSUFFICIENT_DATA"), "{".into(), "{}".into()] {
            assert_eq!(item(&other), None, "{other}");
        }
    }
}
