//! The address blocks that AWS publishes for the services behind gateway endpoints: facts of a region, read before the
//! graph is made.

use crate::aws::{Caller, read};
use crate::engine::Error;
use aws_sdk_ec2::Client;
use aws_sdk_ec2::types::Filter;

/// Ids of AWS-managed prefix lists, `pl-...`: what security groups name to let traffic reach a gateway endpoint ("Gateway
/// endpoints", "Security").
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ServicePrefixLists {
    /// Of S3.
    pub s3: String,
    /// Of DynamoDB.
    pub dynamodb: String,
}

impl ServicePrefixLists {
    /// Reads them, in one call.
    pub async fn read(caller: &Caller, ec2: &Client, region: &str) -> Result<Self, Error> {
        let name = |service: &str| format!("com.amazonaws.{region}.{service}");
        let names = Filter::builder()
            .name("prefix-list-name")
            .values(name("s3"))
            .values(name("dynamodb"))
            .build();
        let answer = caller
            .call(read("ec2", "DescribeManagedPrefixLists"), || {
                ec2.describe_managed_prefix_lists()
                    .filters(names.clone())
                    .send()
            })
            .await?;
        let id = |service: &str| {
            let wanted = name(service);
            let lists = answer.prefix_lists();
            let list = lists.iter().find(|l| l.prefix_list_name() == Some(&wanted));
            list.and_then(|l| l.prefix_list_id())
                .map(str::to_owned)
                .ok_or_else(|| {
                    Error::permanent(
                        "ec2:DescribeManagedPrefixLists",
                        format!("the region {region} shows no prefix list `{wanted}`"),
                    )
                })
        };
        Ok(Self {
            s3: id("s3")?,
            dynamodb: id("dynamodb")?,
        })
    }
}
