//! Answers that come in pages: the one loop over their tokens. The SDK's paginators would pass by the [`Caller`], with its budget
//! and its retries.

use super::call::Caller;
use super::{Api, Aws};
use crate::engine::Error;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use std::collections::HashSet;
use std::hash::Hash;

/// Pages of one listing. No deployment's account comes near it; a listing that goes on is one without an end.
const PAGES: usize = 10_000;

impl Caller {
    /// All items of all pages, in their order. `send` asks for the page of a token, first for the one without; `split` takes a
    /// page apart into its items and the token of the next page. None or an empty token ends it, so that a `split` that keeps the
    /// token back has seen enough.
    ///
    /// # Errors
    /// As [`Caller::call`]. A token that comes twice is an error, and so are more than `PAGES` pages: there would be no end.
    pub async fn pages<T, E, F, K, I>(
        &self,
        api: Api,
        send: impl Fn(Option<K>) -> F + Send + Sync,
        mut split: impl FnMut(T) -> (I, Option<K>) + Send,
    ) -> Result<Vec<I::Item>, Error>
    where
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
        F: Future<Output = Result<T, SdkError<E, HttpResponse>>> + Send,
        K: Clone + Default + Eq + Hash + Send + Sync,
        I: IntoIterator<Item: Send>,
    {
        let mut all = Vec::new();
        let mut seen = HashSet::new();
        let mut token = None;
        loop {
            let page = self.call(api, || send(token.clone())).await?;
            let (items, next) = split(page);
            all.extend(items);
            let Some(next) = next.filter(|next| *next != K::default()) else {
                return Ok(all);
            };
            let text = if !seen.insert(next.clone()) {
                "a page names a token as that of the next page that an earlier one has named"
                    .to_owned()
            } else if seen.len() >= PAGES {
                format!("the listing has more than {PAGES} pages")
            } else {
                token = Some(next);
                continue;
            };
            return Err(Error::permanent(api.action(), text));
        }
    }
}

impl Aws {
    /// As [`Caller::pages`].
    ///
    /// # Errors
    /// As [`Caller::pages`].
    pub async fn pages<T, E, F, K, I>(
        &self,
        api: Api,
        send: impl Fn(Option<K>) -> F + Send + Sync,
        split: impl FnMut(T) -> (I, Option<K>) + Send,
    ) -> Result<Vec<I::Item>, Error>
    where
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
        F: Future<Output = Result<T, SdkError<E, HttpResponse>>> + Send,
        K: Clone + Default + Eq + Hash + Send + Sync,
        I: IntoIterator<Item: Send>,
    {
        self.caller.pages(api, send, split).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::ec2;
    use crate::engine::{Class, Events};
    use aws_sdk_ec2::operation::describe_vpcs::DescribeVpcsError;
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicUsize, Ordering};

    /// Items and the next token.
    type Page = (Vec<u32>, Option<&'static str>);

    /// What comes of such pages, of which each is asked for by the token of the one before; and the tokens that were sent.
    async fn read(pages: &[Page]) -> (Result<Vec<u32>, Error>, Vec<Option<String>>) {
        let caller = Caller::new(Events::to(Vec::new()), false, 4);
        let sent = Mutex::new(Vec::new());
        let send = |token: Option<String>| {
            let mut sent = sent.lock().unwrap();
            let page = pages[sent.len()].clone();
            sent.push(token);
            async { Ok::<_, SdkError<DescribeVpcsError, HttpResponse>>(page) }
        };
        let split = |(items, next): Page| (items, next.map(str::to_owned));
        let read = caller.pages(ec2::DESCRIBE_VPCS, send, split).await;
        (read, sent.into_inner().unwrap())
    }

    fn tokens(all: &[&str]) -> Vec<Option<String>> {
        let after = all.iter().map(|token| Some((*token).to_owned()));
        std::iter::once(None).chain(after).collect()
    }

    #[tokio::test]
    async fn items_come_in_the_order_of_the_pages_which_may_be_empty() {
        let pages = [
            (vec![3, 1], Some("a")),
            (vec![], Some("b")),
            (vec![2], None),
        ];
        let (all, sent) = read(&pages).await;
        assert_eq!(all, Ok(vec![3, 1, 2]));
        assert_eq!(sent, tokens(&["a", "b"]));
    }

    #[tokio::test]
    async fn an_empty_token_ends_it() {
        let (all, sent) = read(&[(vec![1], Some("a")), (vec![2], Some(""))]).await;
        assert_eq!((all, sent), (Ok(vec![1, 2]), tokens(&["a"])));
        let (all, sent) = read(&[(vec![1], Some(""))]).await;
        assert_eq!((all, sent), (Ok(vec![1]), tokens(&[])));
    }

    #[tokio::test]
    async fn the_same_token_twice_is_an_error_and_no_endless_loop() {
        let (all, sent) = read(&[(vec![1], Some("a")), (vec![2], Some("a"))]).await;
        let error = all.unwrap_err();
        assert_eq!(error.class, Class::Permanent);
        assert_eq!(error.action, "ec2:DescribeVpcs");
        assert!(error.message.contains("token"), "{error}");
        assert_eq!(sent, tokens(&["a"]));
    }

    #[tokio::test]
    async fn tokens_that_come_in_a_circle_are_an_error() {
        let pages = [
            (vec![1], Some("a")),
            (vec![2], Some("b")),
            (vec![3], Some("a")),
        ];
        let (all, sent) = read(&pages).await;
        let error = all.unwrap_err();
        assert_eq!(error.class, Class::Permanent);
        assert!(error.message.contains("token"), "{error}");
        assert_eq!(sent, tokens(&["a", "b"]));
    }

    #[tokio::test(start_paused = true)]
    async fn a_listing_with_ever_new_tokens_is_given_up() {
        let caller = Caller::new(Events::to(Vec::new()), false, 4);
        let sent = AtomicUsize::new(0);
        let send = |_: Option<String>| {
            let page = sent.fetch_add(1, Ordering::Relaxed);
            async move { Ok::<_, SdkError<DescribeVpcsError, HttpResponse>>(page) }
        };
        let split = |page: usize| (vec![page], Some(format!("t{page}")));
        let read = caller.pages(ec2::DESCRIBE_VPCS, send, split).await;
        let error = read.unwrap_err();
        assert_eq!(error.class, Class::Permanent);
        assert!(error.message.contains("10000 pages"), "{error}");
        assert_eq!(sent.into_inner(), PAGES);
    }
}
