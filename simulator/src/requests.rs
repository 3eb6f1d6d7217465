//! The last requests with their timings, for tests and people who look for what a client did.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use schemars::JsonSchema;
use serde::Serialize;

use crate::clock::Millis;

/// How many requests are kept.
pub const KEPT: usize = 4096;
/// How much of a URL is kept, in characters.
const KEPT_URL: usize = 500;

/// One request as it was answered.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Logged {
    /// Its number, counted from 1.
    pub number: u64,
    /// When it came, in milliseconds of simulated time since 1970.
    #[schemars(with = "u64")]
    pub at: Millis,
    /// Its method.
    pub method: String,
    /// Path and query, cut to 500 characters.
    pub url: String,
    /// Its latency class, if its URL could be read.
    pub class: Option<&'static str>,
    /// What it was answered with; 0: the connection was closed without an answer.
    pub status: u16,
    /// How long it took in simulated time, in milliseconds.
    pub simulated_ms: u64,
    /// How long it took in real time, in microseconds.
    pub real_us: u64,
    /// The length of the request's body, if it was announced.
    pub sent: Option<u64>,
    /// The length of the answer's body, if it is known.
    pub received: Option<u64>,
    /// `X-Transaction-ID`
    pub transaction: String,
    /// How many faults struck it.
    pub faults: usize,
}

/// The log of one simulator.
#[derive(Debug, Default)]
pub struct RequestLog {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    kept: VecDeque<Logged>,
    logged: u64,
}

impl RequestLog {
    /// Adds a request under the next number; the oldest goes if there are too many.
    pub fn add(&self, mut request: Logged) {
        if request.url.len() > KEPT_URL {
            request.url = request.url.chars().take(KEPT_URL).collect();
        }
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.logged += 1;
        request.number = inner.logged;
        if inner.kept.len() == KEPT {
            inner.kept.pop_front();
        }
        inner.kept.push_back(request);
    }

    /// The first `most` requests with a number above `after` that are kept and wanted, oldest first.
    #[must_use]
    pub fn read(
        &self,
        after: u64,
        most: usize,
        mut wanted: impl FnMut(&Logged) -> bool,
    ) -> Vec<Logged> {
        let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let newer = inner.kept.iter().filter(|request| request.number > after);
        newer
            .filter(|request| wanted(request))
            .take(most)
            .cloned()
            .collect()
    }

    /// How many requests were logged, those included that have gone.
    #[must_use]
    pub fn logged(&self) -> u64 {
        let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.logged
    }

    /// Forgets all; numbers go on.
    pub fn clear(&self) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.kept.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(url: &str) -> Logged {
        Logged {
            number: 0,
            at: Millis::EPOCH,
            method: "GET".to_owned(),
            url: url.to_owned(),
            class: Some("entry"),
            status: 200,
            simulated_ms: 0,
            real_us: 0,
            sent: None,
            received: Some(1),
            transaction: "XT1".to_owned(),
            faults: 0,
        }
    }

    #[test]
    fn the_oldest_go_and_numbers_stay() {
        let log = RequestLog::default();
        for _ in 0..KEPT + 10 {
            log.add(request("/x"));
        }
        let all = log.read(0, usize::MAX, |_| true);
        assert_eq!((all.len(), all[0].number), (KEPT, 11));
        assert_eq!(
            log.read(KEPT as u64, 3, |_| true)
                .iter()
                .map(|request| request.number)
                .collect::<Vec<_>>(),
            [KEPT as u64 + 1, KEPT as u64 + 2, KEPT as u64 + 3]
        );
        log.clear();
        log.add(request("/y"));
        assert_eq!(log.read(0, 9, |_| true)[0].number, KEPT as u64 + 11);
    }

    #[test]
    fn long_urls_are_cut() {
        let log = RequestLog::default();
        log.add(request(&"ä".repeat(10_000)));
        assert_eq!(log.read(0, 1, |_| true)[0].url.chars().count(), KEPT_URL);
    }
}
