//! How many requests were sent, by method and kind of resource.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::{Method, StatusCode};
use serde::Serialize;

/// One request as it went over the wire; a repeated request is seen once per try.
#[derive(Debug, Clone)]
pub struct CallRecord {
    /// Counts the requests of the session, from 1.
    pub number: u64,
    /// HTTP method.
    pub method: Method,
    /// Kind of resource, without identifiers: `VirtualIOServer`, `LogicalPartition/do/PowerOn`, `File/contents`.
    pub class: String,
    /// Path and query.
    pub path: String,
    /// The answer's status; none when no answer came.
    pub status: Option<StatusCode>,
    /// From sending to the end of the answer's body, on tokio's clock.
    pub took: Duration,
    /// Bytes of the request's body.
    pub sent: u64,
    /// Bytes of the answer's body, unpacked.
    pub received: u64,
    /// Which try of the same request it was, from 1.
    pub attempt: u32,
}

/// Sees every request when it is over.
pub trait CallObserver: Send + Sync {
    /// Takes note of one request. Called from the request's own task, so it has to be quick.
    fn called(&self, record: &CallRecord);
}

/// What requests are counted by.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct CallClass {
    /// HTTP method.
    pub method: String,
    /// Kind of resource, as in [`CallRecord::class`].
    pub class: String,
}

/// A count of requests. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct CallCounts(Arc<Mutex<BTreeMap<CallClass, u64>>>);

impl CallCounts {
    /// A count of nothing yet.
    pub fn new() -> CallCounts {
        CallCounts::default()
    }

    /// All counts so far.
    pub fn snapshot(&self) -> BTreeMap<CallClass, u64> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// All requests.
    pub fn total(&self) -> u64 {
        self.sum(|_| true)
    }

    /// Requests of this method and class.
    pub fn of(&self, method: &Method, class: &str) -> u64 {
        self.sum(|key| key.method == method.as_str() && key.class == class)
    }

    fn sum(&self, wanted: impl Fn(&CallClass) -> bool) -> u64 {
        let counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        counts
            .iter()
            .filter(|(key, _)| wanted(key))
            .map(|(_, count)| count)
            .sum()
    }
}

impl CallObserver for CallCounts {
    fn called(&self, record: &CallRecord) {
        let key = CallClass {
            method: record.method.to_string(),
            class: record.class.clone(),
        };
        *self
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .entry(key)
            .or_default() += 1;
    }
}
