//! What someone does to services, functions, alarms and topics by hand.

use super::{Mutation, by_hand, changed, extra};

pub const ALL: &[Mutation] = &[
    by_hand(
        "sns/topic",
        r#"p = json.loads(sns.get_topic_attributes(TopicArn="<alerts-green.arn>")["Attributes"]["Policy"])
p["Statement"].append({"Sid": "Mine", "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::999999999999:root"}, "Action": "sns:Publish", "Resource": "<alerts-green.arn>"})
sns.set_topic_attributes(TopicArn="<alerts-green.arn>", AttributeName="Policy", AttributeValue=json.dumps(p))
sns.subscribe(TopicArn="<alerts-green.arn>", Protocol="sqs", Endpoint="arn:aws:sqs:eu-central-1:123456789012:theirs")"#,
        &[
            extra("alerts-green", "policy.Statement.Mine"),
            extra(
                "alerts-green",
                "subscribers[sqs arn:aws:sqs:eu-central-1:123456789012:theirs]",
            ),
        ],
    ),
    by_hand(
        "sns/topic",
        r#"sns.set_topic_attributes(TopicArn="<alerts-blue.arn>", AttributeName="KmsMasterKeyId", AttributeValue="")
sns.untag_resource(ResourceArn="<alerts-blue.arn>", TagKeys=["CostCenter"])"#,
        &[
            changed("alerts-blue", "kms_key"),
            changed("alerts-blue", "tags.CostCenter"),
        ],
    ),
];
