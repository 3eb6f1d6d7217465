//! Answers, read within limits, and what they turn out to be.

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, StatusCode, header};
use http_body_util::BodyExt;
use powervm_schema::atom::{self, Entry, Feed};
use powervm_schema::xml::{Element, Limits};

use super::body::Body;
use super::transport::{TransportError, TransportFailure};
use crate::error::{Call, Error, Refusal, Result, printable};

/// An answer with its body read.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

/// Why a body was not read to its end.
#[derive(Debug)]
pub(super) enum ReadFailure {
    TooLarge,
    Transport(TransportError),
}

/// Reads a body up to `limit` bytes; a declared length above it is refused before anything is read.
pub(super) async fn read(
    mut body: Body,
    headers: &HeaderMap,
    limit: u64,
) -> Result<Bytes, ReadFailure> {
    let declared = headers
        .get(header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if declared.is_some_and(|length| length > limit) {
        return Err(ReadFailure::TooLarge);
    }
    let mut all = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| {
            ReadFailure::Transport(TransportError::new(TransportFailure::Broken, error))
        })?;
        if let Ok(data) = frame.into_data() {
            if (all.len() + data.len()) as u64 > limit {
                return Err(ReadFailure::TooLarge);
            }
            all.extend_from_slice(&data);
        }
    }
    Ok(all.freeze())
}

/// When the server says that it answered, in seconds since 1970.
pub(super) fn date(headers: &HeaderMap) -> Option<u64> {
    let date = httpdate::parse_http_date(headers.get(header::DATE)?.to_str().ok()?).ok()?;
    let since = date.duration_since(std::time::UNIX_EPOCH).ok()?;
    Some(since.as_secs())
}

impl Answer {
    /// The etag of the HTTP header, without quotes.
    pub(super) fn etag(&self) -> Option<String> {
        let etag = self
            .headers
            .get(header::ETAG)?
            .to_str()
            .ok()?
            .trim()
            .trim_matches('"');
        (!etag.is_empty()).then(|| etag.to_owned())
    }

    /// The answer as an entry. The etag of a single entry is the header's; the one inside is a copy.
    pub(super) fn entry(&self, limits: &Limits) -> Result<Entry, String> {
        let mut entry = match self.document(limits)? {
            atom::Body::Entry(entry) => entry,
            other => return Err(format!("{} instead of an entry", described(&other))),
        };
        entry.etag = self.etag().or(entry.etag);
        Ok(entry)
    }

    /// The answer as a feed.
    pub(super) fn feed(&self, limits: &Limits) -> Result<Feed, String> {
        match self.document(limits)? {
            atom::Body::Feed(feed) => Ok(feed),
            other => Err(format!("{} instead of a feed", described(&other))),
        }
    }

    /// The answer as a bare element.
    pub(super) fn element(&self, limits: &Limits) -> Result<Element, String> {
        match self.document(limits)? {
            atom::Body::Bare(element) => Ok(element),
            other => Err(format!("{} instead of a bare object", described(&other))),
        }
    }

    fn document(&self, limits: &Limits) -> Result<atom::Body, String> {
        if self.body.is_empty() {
            return Err("no body".to_owned());
        }
        atom::Body::parse_with(&self.body, limits).map_err(|error| match self.content_type() {
            Some(found) if !found.contains("xml") => {
                format!("a body of type {found} instead of a document")
            }
            _ => format!(
                "a body that is no document ({})",
                printable(&error.to_string())
            ),
        })
    }

    fn content_type(&self) -> Option<String> {
        let value = self.headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
        Some(printable(value.split(';').next().unwrap_or_default()))
    }

    /// What the server says of its refusal: the `HttpErrorResponse` in an entry, or bare as PCM has it.
    pub(super) fn refusal(&self, limits: &Limits) -> Refusal {
        let document = match self.document(limits) {
            Ok(atom::Body::Entry(entry)) => Some(entry.content),
            Ok(atom::Body::Bare(element)) => Some(element),
            _ => None,
        };
        let document = document.filter(|element| element.local_name() == "HttpErrorResponse");
        let text = |name| {
            let text = document
                .as_ref()
                .and_then(|document| document.child(name))
                .map(Element::text);
            printable(text.as_deref().unwrap_or_default())
        };
        Refusal {
            status: self.status,
            document_status: text("HTTPStatus").parse().ok(),
            reason: text("ReasonCode"),
            message: text("Message"),
            documented: document.is_some(),
        }
    }
}

fn described(body: &atom::Body) -> String {
    match body {
        atom::Body::Feed(_) => "a feed".to_owned(),
        atom::Body::Entry(_) => "an entry".to_owned(),
        atom::Body::Bare(element) => format!("an element {}", printable(element.local_name())),
    }
}

/// Whether a refusal leaves open what happened: a gateway gave up on the server behind it.
pub(super) fn is_gateway(refusal: &Refusal) -> bool {
    !refusal.documented
        && matches!(
            refusal.status,
            StatusCode::BAD_GATEWAY | StatusCode::GATEWAY_TIMEOUT
        )
}

/// The error for an answer of success that holds no document. After a change it is as good as none.
pub(super) fn unreadable(call: Call, status: StatusCode, problem: String, changes: bool) -> Error {
    if changes {
        let problem = format!("{status} with {problem}");
        return Error::UnknownOutcome {
            call,
            source: TransportError::new(TransportFailure::Garbled, problem),
        };
    }
    Error::BadAnswer {
        call,
        status,
        problem,
    }
}
