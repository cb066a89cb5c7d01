//! The tagging API: one sweep in pages shows the tags of almost everything that carries this deployment's suffix, where asking
//! each service costs a call for each thing. EC2 shows tags with everything else, and IAM is not covered.
//!
//! Its index lags behind and still lists what is deleted. So it proves tags and nothing else: what it shows is taken where it
//! is exactly what is expected, and everything else (another value, one tag more, nothing at all, a sweep that is refused) is
//! asked of the thing's own service. A sweep is made for `drift` and `plan`, which change nothing; runs that write ask each service.

use super::Aws;
use super::api::{ANY, Api, Bucket, Service, actions, bucket};
use super::call::Caller;
use crate::engine::Error;
use crate::engine::ownership::MARK_SUFFIX;
use aws_sdk_resourcegroupstagging::Client;
use aws_sdk_resourcegroupstagging::types::TagFilter;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::OnceCell;

/// The tagging API as a service.
pub static SERVICE: Service = Service {
    name: "tag",
    classify: |_, _| None,
    bucket: limits,
    actions: || ACTIONS,
};

/// "Service quotas for tagging": 15 GetResources a second.
fn limits(api: Api) -> Bucket {
    bucket(api.operation, 15.0, 15.0)
}

actions! { SERVICE;
    Read GET_RESOURCES = "GetResources", [ANY];
}

type Tags = BTreeMap<String, String>;

/// The services whose things would be asked for their tags one by one, in groups that are listed at the same time: of a whole
/// deployment each group is a page or little more. What a group does not show is asked one by one.
const GROUPS: [&[&str]; 3] = [
    &["cloudwatch", "config", "acm", "wafv2"],
    &[
        "elasticloadbalancing",
        "ecs",
        "ecr",
        "lambda",
        "events",
        "scheduler",
    ],
    &[
        "logs",
        "ssm",
        "s3",
        "kms",
        "sqs",
        "sns",
        "dynamodb",
        "secretsmanager",
        "rds",
    ],
];

/// GetResources answers a hundred at most.
const A_PAGE: i32 = 100;

/// The tagging API and the sweep of the look that is under way.
pub struct Tagging {
    pub client: Client,
    caller: Arc<Caller>,
    sweep: Mutex<Option<Arc<Sweep>>>,
}

/// The tags of everything with a suffix, read when the first of them is wanted.
struct Sweep {
    suffix: String,
    shown: OnceCell<HashMap<String, Tags>>,
}

/// A look that changes nothing: as long as it is held, tags may come from one sweep.
pub struct Sweeping<'a>(&'a Tagging);

impl Drop for Sweeping<'_> {
    fn drop(&mut self) {
        *self.0.current() = None;
    }
}

impl Tagging {
    pub(super) fn new(config: &aws_config::SdkConfig, caller: &Arc<Caller>) -> Self {
        Self {
            client: Client::new(config),
            caller: caller.clone(),
            sweep: Mutex::default(),
        }
    }

    /// Says that a look at everything of a suffix begins, which changes nothing.
    pub fn sweeping(&self, suffix: &str) -> Sweeping<'_> {
        *self.current() = Some(Arc::new(Sweep {
            suffix: suffix.to_owned(),
            shown: OnceCell::new(),
        }));
        Sweeping(self)
    }

    fn current(&self) -> std::sync::MutexGuard<'_, Option<Arc<Sweep>>> {
        self.sweep.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the sweep shows of this ARN.
    async fn shown(&self, arn: &str) -> Option<Tags> {
        let sweep = self.current().clone()?;
        let all = sweep.shown.get_or_init(|| self.all(&sweep.suffix)).await;
        all.get(arn).cloned()
    }

    /// All groups.
    async fn all(&self, suffix: &str) -> HashMap<String, Tags> {
        let groups = GROUPS.map(|services| self.pages(suffix, services));
        let groups = futures::future::join_all(groups).await;
        groups.into_iter().flatten().collect()
    }

    /// All pages of some services. What is refused or breaks off shows less, and the rest is asked one by one.
    async fn pages(&self, suffix: &str, services: &[&str]) -> HashMap<String, Tags> {
        let services: Vec<String> = services.iter().map(|s| (*s).to_owned()).collect();
        let filter = TagFilter::builder().key(MARK_SUFFIX).values(suffix).build();
        let call = self.client.get_resources().resources_per_page(A_PAGE);
        let call = call.set_resource_type_filters(Some(services.clone()));
        let call = call.tag_filters(filter);
        let send = |token| call.clone().set_pagination_token(token).send();
        let mut all = HashMap::new();
        let read = self.caller.pages(GET_RESOURCES, send, |page| {
            for one in page.resource_tag_mapping_list.unwrap_or_default() {
                let tags = one.tags.unwrap_or_default().into_iter();
                let tags = tags.map(|t| (t.key, t.value)).collect();
                all.insert(one.resource_arn.unwrap_or_default(), tags);
            }
            (None::<()>, page.pagination_token)
        });
        let _ = read.await;
        all
    }
}

impl Aws {
    /// The tags of a thing that must have these: what the sweep shows when it is just that, else what its own service answers.
    pub async fn tagged<T: From<Tags>>(
        &self,
        arn: &str,
        wanted: &Tags,
        ask: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        self.proven(arn, |tags| tags == wanted, ask).await
    }

    /// The tags of a thing: what the sweep shows when it is enough, else what its own service answers.
    pub async fn proven<T: From<Tags>>(
        &self,
        arn: &str,
        enough: impl Fn(&Tags) -> bool,
        ask: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        match self.tagging.shown(arn).await {
            Some(tags) if enough(&tags) => Ok(tags.into()),
            _ => ask.await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::wire::aws;
    use super::*;

    fn tags(pairs: &[(&str, &str)]) -> Tags {
        let pair = |(k, v): &(&str, &str)| ((*k).to_owned(), (*v).to_owned());
        pairs.iter().map(pair).collect()
    }

    /// The tags of `arn:a` and of another thing, as they are taken; the service's own answer is `own`.
    async fn taken(aws: &Aws, arn: &str, wanted: &Tags) -> Tags {
        let own = async { Ok(tags(&[("own", "answer")])) };
        aws.tagged(arn, wanted, own).await.unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn only_exactly_what_is_expected_is_taken_from_the_sweep() {
        let page = r#"{"ResourceTagMappingList": [{"ResourceARN": "arn:a", "Tags": [{"Key": "K", "Value": "v"}]}]}"#;
        let aws = aws(200, page);
        let (wanted, own) = (tags(&[("K", "v")]), tags(&[("own", "answer")]));
        assert_eq!(taken(&aws, "arn:a", &wanted).await, own, "no look");
        let sweeping = aws.tagging.sweeping("dev");
        assert_eq!(taken(&aws, "arn:a", &wanted).await, wanted);
        assert_eq!(taken(&aws, "arn:b", &wanted).await, own, "not shown");
        for other in [
            tags(&[("K", "w")]),
            tags(&[("K", "v"), ("L", "x")]),
            tags(&[]),
        ] {
            assert_eq!(taken(&aws, "arn:a", &other).await, own, "{other:?}");
        }
        drop(sweeping);
        assert_eq!(taken(&aws, "arn:a", &wanted).await, own, "the look is over");
    }

    #[tokio::test(start_paused = true)]
    async fn a_sweep_that_is_refused_proves_nothing() {
        let body = r#"{"__type": "com.amazonaws#AccessDeniedException", "message": "no"}"#;
        let aws = aws(400, body);
        let _sweeping = aws.tagging.sweeping("dev");
        let wanted = tags(&[("K", "v")]);
        let own = tags(&[("own", "answer")]);
        assert_eq!(taken(&aws, "arn:a", &wanted).await, own);
    }
}
