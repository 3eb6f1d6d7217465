//! Readings of one feed that are asked for at the same moment are one request.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, Shared, WeakShared};
use powervm_schema::atom::Entry;

use super::path::{Groups, resolve};
use super::session::Session;
use crate::error::Result;

/// How long a reading waits for others of the same feed before it begins. Ten removals that begin together are at the
/// same step within less, and it is little beside the seconds that the largest feeds take.
const MOMENT: Duration = Duration::from_millis(20);

type Answer = BoxFuture<'static, Result<Arc<[Entry]>>>;
type Reading = Shared<Answer>;

/// The readings that have not begun, by their path and query. Whoever waits for one keeps it.
#[derive(Default)]
pub(super) struct Gathering(Mutex<BTreeMap<String, WeakShared<Answer>>>);

impl Gathering {
    /// The reading of this feed that others wait for already, or else the one that is `made`; and whether it is that.
    fn join(&self, feed: &str, made: impl FnOnce() -> Reading) -> (Reading, bool) {
        let mut readings = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(reading) = readings.get(feed).and_then(WeakShared::upgrade) {
            return (reading, false);
        }
        // Those that nobody waits for any more.
        readings.retain(|_, reading| reading.upgrade().is_some());
        let reading = made();
        if let Some(kept) = reading.downgrade() {
            readings.insert(feed.to_owned(), kept);
        }
        (reading, true)
    }

    /// The reading begins: who comes now is too late for it.
    fn begin(&self, feed: &str) {
        let mut readings = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        readings.remove(feed);
    }
}

impl Session {
    /// The resources of [`Session::get_feed`], read together with everybody who asks for the same within 20 ms. They are
    /// as they were after each had asked. A reading that fails is repeated for each but the one who asked first.
    ///
    /// # Errors
    /// As [`Session::get_feed`].
    pub async fn get_feed_together(&self, path: &str, groups: Groups<'_>) -> Result<Arc<[Entry]>> {
        let feed = resolve(path, groups)?;
        let (reading, is_first) = self
            .core
            .gathering
            .join(&feed, || self.gather(feed.clone()).boxed().shared());
        match reading.await {
            Err(_) if !is_first => self.entries(&feed).await,
            read => read,
        }
    }

    fn gather(&self, feed: String) -> impl Future<Output = Result<Arc<[Entry]>>> + Send + 'static {
        let session = self.clone();
        async move {
            tokio::time::sleep(MOMENT).await;
            session.core.gathering.begin(&feed);
            session.entries(&feed).await
        }
    }

    async fn entries(&self, feed: &str) -> Result<Arc<[Entry]>> {
        let feed = self.get_feed(feed, Groups::Omitted).await?;
        Ok(feed.entries.into())
    }
}
