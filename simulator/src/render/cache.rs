//! Rendered resources, kept until they change or the room is needed.
//!
//! An entry is known by the address under which it was asked for, its groups and its etag: a resource that changes
//! gets a new etag and its old text ages out. Oldest first, by bytes.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use crate::http::base::Base;

/// What a rendered resource depends on.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    /// The resource's type.
    pub(crate) title: &'static str,
    /// The resource's identity.
    pub(crate) id: String,
    /// Bits of the extended attribute groups.
    pub(crate) groups: u32,
    /// Scheme, host and port of the links.
    pub(crate) base: Base,
    /// The resource's etag in these groups.
    pub(crate) etag: i32,
    /// What the text shows beside what the etag covers.
    pub(crate) variant: [u64; 2],
}

/// Rendered resources, bounded by their size in bytes.
#[derive(Debug)]
pub(crate) struct Cache {
    limit: usize,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    texts: HashMap<Key, Arc<str>>,
    order: VecDeque<Key>,
    bytes: usize,
}

/// What a key and its bookkeeping weigh beside the text, roughly.
const OVERHEAD: usize = 512;

impl Cache {
    /// An empty cache that keeps at most `limit` bytes.
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            limit,
            inner: Mutex::default(),
        }
    }

    /// The text for `key`, rendered now unless it is known. Rendering happens outside the lock.
    pub(crate) fn text(&self, key: Key, render: impl FnOnce() -> String) -> Arc<str> {
        if let Some(known) = self.lock().texts.get(&key) {
            return Arc::clone(known);
        }
        let text: Arc<str> = render().into();
        self.keep(key, &text);
        text
    }

    /// Forgets all texts.
    pub(crate) fn clear(&self) {
        *self.lock() = Inner::default();
    }

    fn keep(&self, key: Key, text: &Arc<str>) {
        let weight = text.len() + OVERHEAD;
        if weight > self.limit {
            return;
        }
        let mut inner = self.lock();
        if inner.texts.insert(key.clone(), Arc::clone(text)).is_some() {
            return;
        }
        inner.order.push_back(key);
        inner.bytes += weight;
        while inner.bytes > self.limit {
            let Some(oldest) = inner.order.pop_front() else {
                break;
            };
            if let Some(dropped) = inner.texts.remove(&oldest) {
                inner.bytes -= dropped.len() + OVERHEAD;
            }
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[cfg(test)]
    fn bytes(&self) -> usize {
        self.lock().bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(id: usize, etag: i32) -> Key {
        Key {
            title: "T",
            id: id.to_string(),
            groups: 0,
            base: Base::new("http", "h"),
            etag,
            variant: [0; 2],
        }
    }

    #[test]
    fn a_known_text_is_not_rendered_again_until_the_etag_changes() {
        let cache = Cache::new(1 << 20);
        assert_eq!(&*cache.text(key(1, 1), || "a".into()), "a");
        assert_eq!(&*cache.text(key(1, 1), || unreachable!("known")), "a");
        assert_eq!(&*cache.text(key(1, 2), || "b".into()), "b");
    }

    #[test]
    fn the_cache_stays_within_its_limit() {
        let cache = Cache::new(10_000);
        for id in 0..1000 {
            cache.text(key(id, 0), || "x".repeat(500));
        }
        assert!(cache.bytes() <= 10_000);
        cache.text(key(0, 9), || "x".repeat(20_000));
        assert!(cache.bytes() <= 10_000);
    }
}
