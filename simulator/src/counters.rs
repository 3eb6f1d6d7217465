//! What happened so far, in numbers: for reports, budgets and the admin API.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
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

/// The numbers as they grow.
#[derive(Debug, Default)]
pub struct Tally {
    counters: Mutex<Counters>,
    durations: Mutex<BTreeMap<&'static str, Durations>>,
}

impl Tally {
    /// The numbers now.
    #[must_use]
    pub fn snapshot(&self) -> Counters {
        self.counters
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// A request with what it was answered (0: nothing).
    pub fn request(&self, method: &Method, class: Option<Class>, status: u16) {
        self.change(|counters| {
            counters.requests += 1;
            // Methods are few: what HTTP does not know is counted together, or a client could fill the memory.
            let known = [Method::GET, Method::PUT, Method::POST, Method::DELETE];
            let name = if known.contains(method) {
                method.as_str()
            } else {
                "other"
            };
            add(&mut counters.by_method, name);
            if let Some(class) = class {
                add(&mut counters.by_class, class.name());
            }
            *counters.by_status.entry(status).or_default() += 1;
            if status == 412 {
                counters.preconditions_failed += 1;
            }
        });
    }

    /// How long a request took in real time.
    pub fn took(&self, class: Option<Class>, duration: Duration) {
        let name = class.map_or("other", Class::name);
        let mut durations = self
            .durations
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        durations
            .entry(name)
            .or_default()
            .add(duration.as_secs_f64());
    }

    /// How long requests took so far, by latency class; `other` for those whose URL could not be read.
    #[must_use]
    pub fn durations(&self) -> BTreeMap<&'static str, Durations> {
        self.durations
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
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
        change(&mut self.counters.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

fn add(map: &mut BTreeMap<String, u64>, name: &str) {
    match map.get_mut(name) {
        Some(number) => *number += 1,
        None => {
            map.insert(name.to_owned(), 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_counted_by_what_they_were() {
        let tally = Tally::default();
        tally.request(&Method::POST, Some(Class::ViosWrite), 412);
        tally.request(&Method::from_bytes(b"BREW").unwrap(), None, 405);
        tally.upload(7, false);
        let counters = tally.snapshot();
        assert_eq!((counters.requests, counters.preconditions_failed), (2, 1));
        assert_eq!(counters.by_method["other"], 1);
        assert_eq!(counters.by_class["vios_write"], 1);
        assert_eq!((counters.uploads, counters.upload_bytes), (0, 7));
    }
}
