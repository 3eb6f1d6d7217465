//! The last requests with their timings, for tests and people who look for what a client did.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use http::uri::PathAndQuery;
use http::{Method, Uri};
use schemars::JsonSchema;
use serde::Serialize;
use smol_str::SmolStr;

use crate::clock::Millis;

/// How many requests are kept.
pub const KEPT: usize = 4096;
/// How much of a URL is kept, in bytes.
const KEPT_URL: usize = 500;
/// How much of a method that nobody knows is kept, in bytes.
const KEPT_METHOD: usize = 16;

/// One request as it was answered.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Logged {
    /// Its number, counted from 1.
    pub number: u64,
    /// When it came, in milliseconds of simulated time since 1970.
    #[schemars(with = "u64")]
    pub at: Millis,
    /// Its method.
    pub method: Cow<'static, str>,
    /// Path and query, cut to 500 bytes.
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
    #[schemars(with = "String")]
    pub transaction: SmolStr,
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

/// A request's method as it is kept.
#[must_use]
pub fn name(method: &Method) -> Cow<'static, str> {
    match *method {
        Method::GET => "GET".into(),
        Method::POST => "POST".into(),
        Method::PUT => "PUT".into(),
        Method::DELETE => "DELETE".into(),
        _ => beginning(method.as_str(), KEPT_METHOD).to_owned().into(),
    }
}

/// A request's URL as it is kept.
#[must_use]
pub fn url(uri: &Uri) -> String {
    let url = uri.path_and_query().map_or("", PathAndQuery::as_str);
    beginning(url, KEPT_URL).to_owned()
}

fn beginning(text: &str, most: usize) -> &str {
    text.get(..text.floor_char_boundary(most)).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(url: &str) -> Logged {
        Logged {
            number: 0,
            at: Millis::EPOCH,
            method: name(&Method::GET),
            url: url.to_owned(),
            class: Some("entry"),
            status: 200,
            simulated_ms: 0,
            real_us: 0,
            sent: None,
            received: Some(1),
            transaction: SmolStr::new_static("XT1"),
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
    fn long_names_are_cut() {
        let long = Uri::try_from(format!("/{}", "x".repeat(10_000))).unwrap();
        assert_eq!(url(&long).len(), KEPT_URL);
        let method = Method::from_bytes(&[b'B'; 40]).unwrap();
        assert_eq!(name(&method).len(), KEPT_METHOD);
        assert_eq!(beginning("aä", 2), "a");
    }
}
