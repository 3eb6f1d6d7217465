//! What a real server answered: recorded by a proxy, read from files of several forms, served again.
//!
//! Secrets never reach a recording ([`mask`]); contents of files neither, only their length and digest. The forms are
//! described in `docs/recordings.md`.

mod capture;
mod cassette;
mod journal;
mod links;
pub mod mask;
mod proxy;
mod read;
mod replay;
mod section_text;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};

pub use journal::Journal;
pub use proxy::{Proxy, Trust, UpstreamError};
pub use read::{ReadError, read, read_all};
pub use replay::Replay;

/// Requests with their answers, in the order in which they were answered.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Recording {
    /// The server that was recorded, as far as known.
    pub upstream: Option<String>,
    /// What was asked and answered.
    pub exchanges: Vec<Exchange>,
}

/// A request and its answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Exchange {
    /// When the request came, in milliseconds since the recording began.
    pub at_ms: u64,
    /// How long the answer took, in milliseconds.
    pub took_ms: u64,
    /// The request's method.
    pub method: String,
    /// The request's path and query.
    pub url: String,
    /// The request's headers, in order.
    pub request_headers: Headers,
    /// The request's body.
    pub request_body: Captured,
    /// The answer's status.
    pub status: u16,
    /// The answer's headers, in order.
    pub headers: Headers,
    /// The answer's body.
    pub body: Captured,
}

/// Names and values in their order.
pub type Headers = Vec<(String, String)>;

/// A body as far as it was kept.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Captured {
    /// What was kept: all of it, or nothing.
    pub text: Option<String>,
    /// How many bytes there were.
    pub length: u64,
    /// The SHA-256 of what was not kept, lower-case hexadecimal.
    pub sha256: Option<String>,
}

impl Captured {
    /// A body that is kept.
    #[must_use]
    pub fn kept(text: String) -> Self {
        Self {
            length: text.len() as u64,
            text: Some(text),
            sha256: None,
        }
    }

    /// The text, empty if it was not kept.
    #[must_use]
    pub fn text(&self) -> &str {
        self.text.as_deref().unwrap_or_default()
    }
}

impl Exchange {
    /// A header of the answer.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        find(&self.headers, name)
    }

    /// A header of the request.
    #[must_use]
    pub fn request_header(&self, name: &str) -> Option<&str> {
        find(&self.request_headers, name)
    }

    /// The path without the query.
    #[must_use]
    pub fn path(&self) -> &str {
        self.url.split('?').next().unwrap_or_default()
    }
}

fn find<'a>(headers: &'a Headers, name: &str) -> Option<&'a str> {
    headers
        .iter()
        .find(|(key, _)| key.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.as_str())
}

/// Headers as they are recorded: names in lower case, what is no text left out.
fn recorded(headers: &HeaderMap) -> Headers {
    headers
        .iter()
        .filter_map(|(name, value)| {
            Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
        })
        .collect()
}

/// Headers that concern one connection, and those that whoever sends a body works out anew.
fn concerns_connection(name: &HeaderName) -> bool {
    const NAMES: [&str; 10] = [
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "host",
    ];
    NAMES.contains(&name.as_str())
}

/// Recorded headers for an answer, without those that concern the connection or the body's length.
fn replayed(headers: &Headers) -> impl Iterator<Item = (HeaderName, HeaderValue)> + '_ {
    headers.iter().filter_map(|(name, value)| {
        let name = HeaderName::from_bytes(name.to_ascii_lowercase().as_bytes()).ok()?;
        let value = HeaderValue::from_str(value).ok()?;
        let kept =
            !concerns_connection(&name) && name != "content-length" && name != "content-encoding";
        kept.then_some((name, value))
    })
}

/// An error in words, as an answer of a proxy or a replay.
fn told(status: http::StatusCode, text: &str) -> http::Response<axum::body::Body> {
    let mut response =
        http::Response::new(axum::body::Body::from(Bytes::from(format!("{text}\n"))));
    *response.status_mut() = status;
    let plain = HeaderValue::from_static("text/plain; charset=utf-8");
    response
        .headers_mut()
        .insert(http::header::CONTENT_TYPE, plain);
    response
}
