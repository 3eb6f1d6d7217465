//! What happened so far, in numbers: for reports, budgets and the admin API.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::Method;
use schemars::JsonSchema;
use serde::Serialize;
use uuid::Uuid;

use crate::weather::Class;

/// A copy of the numbers at one moment. Maps are ordered, so that two equal runs print the same.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Counters {
    /// All requests.
    pub requests: u64,
    /// Requests by method.
    pub by_method: BTreeMap<String, u64>,
    /// Requests by latency class ([`Class::name`]).
    pub by_class: BTreeMap<String, u64>,
    /// Answers by HTTP status; connections closed without an answer count under 0.
    #[schemars(with = "BTreeMap<String, u64>")]
    pub by_status: BTreeMap<u16, u64>,
    /// Configuration changes that each Virtual I/O Server went through, by its UUID: of itself and of its volume groups.
    #[schemars(with = "BTreeMap<String, u64>")]
    pub vios_writes: BTreeMap<Uuid, u64>,
    /// Those among them that were updates of the `VirtualIOServer` itself, and so of its mappings.
    #[schemars(with = "BTreeMap<String, u64>")]
    pub mapping_writes: BTreeMap<Uuid, u64>,
    /// File contents received completely.
    pub uploads: u64,
    /// Bytes of file contents received, those of broken uploads included.
    pub upload_bytes: u64,
    /// Changes refused because their `If-Match` was stale (412).
    pub preconditions_failed: u64,
    /// Successful logons.
    pub logons: u64,
    /// Faults that struck.
    pub faults: u64,
}

/// Upper bounds of the classes of durations, in seconds of real time.
pub const BOUNDS: [f64; 10] = [
    0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.05, 0.2, 1.0, 10.0,
];

/// How long requests took, in real time.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Durations {
    /// How many lie at or below each bound and above the one before; the last counts what lies above all.
    pub counts: [u64; BOUNDS.len() + 1],
    /// The sum of all in seconds.
    pub sum: f64,
}

impl Durations {
    fn add(&mut self, seconds: f64) {
        let class = BOUNDS.iter().take_while(|bound| seconds > **bound).count();
        if let Some(count) = self.counts.get_mut(class) {
            *count += 1;
        }
        self.sum += seconds;
    }
}

/// The methods that are counted on their own. What HTTP does not know is counted together, or a client could fill the
/// memory.
const METHODS: [Method; 4] = [Method::GET, Method::PUT, Method::POST, Method::DELETE];
/// What is counted together.
const OTHER: &str = "other";

/// The numbers as they grow.
#[derive(Debug, Default)]
pub struct Tally {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    /// All but what is counted by method and class.
    counters: Counters,
    methods: [u64; METHODS.len() + 1],
    classes: [OfClass; Class::EVERY.len() + 1],
}

/// The requests of one latency class, and last of all those whose URL could not be read.
#[derive(Clone, Copy, Debug, Default)]
struct OfClass {
    requests: u64,
    durations: Durations,
}

impl Tally {
    /// The numbers now.
    #[must_use]
    pub fn snapshot(&self) -> Counters {
        let inner = self.lock();
        let mut counters = inner.counters.clone();
        let methods = METHODS.iter().map(Method::as_str).chain([OTHER]);
        counters.by_method = counted(methods.zip(inner.methods));
        let classes = Class::EVERY.iter().zip(&inner.classes);
        counters.by_class = counted(classes.map(|(class, of)| (class.name(), of.requests)));
        counters
    }

    /// A request with what it was answered (0: nothing), and how long it took in real time.
    pub fn request(&self, method: &Method, class: Option<Class>, status: u16, took: Duration) {
        let mut inner = self.lock();
        let known = METHODS.iter().position(|known| known == method);
        if let Some(requests) = inner.methods.get_mut(known.unwrap_or(METHODS.len())) {
            *requests += 1;
        }
        let class = class.map_or(Class::EVERY.len(), |class| class as usize);
        if let Some(of) = inner.classes.get_mut(class) {
            of.requests += 1;
            of.durations.add(took.as_secs_f64());
        }
        let counters = &mut inner.counters;
        counters.requests += 1;
        *counters.by_status.entry(status).or_default() += 1;
        counters.preconditions_failed += u64::from(status == 412);
    }

    /// How long requests took so far, by latency class; `other` for those whose URL could not be read.
    #[must_use]
    pub fn durations(&self) -> BTreeMap<&'static str, Durations> {
        let inner = self.lock();
        let names = Class::EVERY.iter().map(|class| class.name()).chain([OTHER]);
        names
            .zip(&inner.classes)
            .filter(|(_, of)| of.requests > 0)
            .map(|(name, of)| (name, of.durations))
            .collect()
    }

    /// A configuration change of a Virtual I/O Server; `of_mappings` if it was an update of the server itself.
    pub fn vios_write(&self, server: Uuid, of_mappings: bool) {
        self.change(|counters| {
            *counters.vios_writes.entry(server).or_default() += 1;
            if of_mappings {
                *counters.mapping_writes.entry(server).or_default() += 1;
            }
        });
    }

    /// File contents: how many bytes, and whether they came completely.
    pub fn upload(&self, bytes: u64, complete: bool) {
        self.change(|counters| {
            counters.upload_bytes += bytes;
            counters.uploads += u64::from(complete);
        });
    }

    /// A successful logon.
    pub fn logon(&self) {
        self.change(|counters| counters.logons += 1);
    }

    /// Faults that struck a request.
    pub fn faults(&self, number: usize) {
        self.change(|counters| counters.faults += number as u64);
    }

    fn change(&self, change: impl FnOnce(&mut Counters)) {
        change(&mut self.lock().counters);
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What there is at all, by name.
fn counted<'a>(numbers: impl Iterator<Item = (&'a str, u64)>) -> BTreeMap<String, u64> {
    numbers
        .filter(|(_, number)| *number > 0)
        .map(|(name, number)| (name.to_owned(), number))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_counted_by_what_they_were() {
        let tally = Tally::default();
        let took = Duration::from_millis(3);
        tally.request(&Method::POST, Some(Class::ViosWrite), 412, took);
        tally.request(&Method::from_bytes(b"BREW").unwrap(), None, 405, took);
        tally.upload(7, false);
        let counters = tally.snapshot();
        assert_eq!((counters.requests, counters.preconditions_failed), (2, 1));
        assert_eq!(counters.by_method["other"], 1);
        assert_eq!(counters.by_class["vios_write"], 1);
        assert_eq!((counters.by_class.len(), tally.durations().len()), (1, 2));
        assert_eq!((counters.uploads, counters.upload_bytes), (0, 7));
    }
}
