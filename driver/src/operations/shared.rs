//! What concurrent operations of one driver share: answers that are still fresh, and turns.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::OwnedMutexGuard;
use tokio::time::Instant;

use crate::error::Result;

/// A value that is read again when it is older than it may be. Readers at the same time share one
/// reading.
pub(crate) struct Fresh<T> {
    valid_for: Duration,
    kept: tokio::sync::Mutex<Option<(Instant, Arc<T>)>>,
}

impl<T> Fresh<T> {
    /// Nothing is known yet; what will be stays good for this long.
    pub(crate) fn for_at_most(valid_for: Duration) -> Self {
        Self {
            valid_for,
            kept: tokio::sync::Mutex::new(None),
        }
    }

    /// The value, read now unless it is fresh.
    pub(crate) async fn get<F>(&self, read: impl FnOnce() -> F) -> Result<Arc<T>>
    where
        F: Future<Output = Result<T>>,
    {
        let mut kept = self.kept.lock().await;
        if let Some((since, value)) = &*kept
            && since.elapsed() < self.valid_for
        {
            return Ok(Arc::clone(value));
        }
        let value = Arc::new(read().await?);
        *kept = Some((Instant::now(), Arc::clone(&value)));
        Ok(value)
    }

    /// Forgets the value: something happened that it cannot know.
    pub(crate) async fn forget(&self) {
        *self.kept.lock().await = None;
    }
}

/// One turn at a time for each key, in the order of asking.
pub(crate) struct Turns<K>(Mutex<BTreeMap<K, Weak<tokio::sync::Mutex<()>>>>);

impl<K> Default for Turns<K> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Ord + Clone> Turns<K> {
    /// Waits for the turn of this key; it lasts as long as the guard.
    pub(crate) async fn take(&self, key: &K) -> OwnedMutexGuard<()> {
        let lock = {
            let mut locks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            locks.retain(|_, lock| lock.strong_count() > 0);
            match locks.get(key).and_then(Weak::upgrade) {
                Some(lock) => lock,
                None => {
                    let lock = Arc::default();
                    locks.insert(key.clone(), Arc::downgrade(&lock));
                    lock
                }
            }
        };
        lock.lock_owned().await
    }

    /// Whether somebody has the turn of this key now.
    pub(crate) fn is_taken(&self, key: &K) -> bool {
        let locks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let lock = locks.get(key).and_then(Weak::upgrade);
        lock.is_some_and(|lock| lock.try_lock().is_err())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;
    use crate::error::Error;

    #[tokio::test(start_paused = true)]
    async fn readers_share_a_reading_until_it_is_stale() {
        let reads = AtomicU32::new(0);
        let fresh = Fresh::for_at_most(Duration::from_secs(5));
        let read = async || {
            tokio::time::sleep(Duration::from_secs(1)).await;
            Ok(reads.fetch_add(1, Ordering::Relaxed))
        };
        let (a, b) = tokio::join!(fresh.get(read), fresh.get(read));
        assert_eq!((*a.unwrap(), *b.unwrap()), (0, 0));
        tokio::time::advance(Duration::from_secs(6)).await;
        assert_eq!(*fresh.get(read).await.unwrap(), 1);
        fresh.forget().await;
        assert_eq!(*fresh.get(read).await.unwrap(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_failed_reading_is_nobodys_value() {
        let fresh: Fresh<u32> = Fresh::for_at_most(Duration::from_secs(5));
        assert!(
            fresh
                .get(async || Err(Error::internal("no")))
                .await
                .is_err()
        );
        assert_eq!(*fresh.get(async || Ok(7)).await.unwrap(), 7);
    }

    #[tokio::test(start_paused = true)]
    async fn turns_are_taken_per_key_and_forgotten() {
        let turns = Turns::default();
        let first = turns.take(&1).await;
        let other = turns.take(&2).await;
        tokio::select! {
            _ = turns.take(&1) => panic!("two turns at once"),
            () = tokio::time::sleep(Duration::from_secs(1)) => {}
        }
        drop((first, other));
        drop(turns.take(&1).await);
        drop(turns.take(&3).await);
        assert_eq!(turns.0.lock().unwrap().len(), 1);
    }
}
