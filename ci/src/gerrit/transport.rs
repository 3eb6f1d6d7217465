//! What carries requests: sockets in production, a Gerrit of our own in the same process in tests.

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::{Request, Response};

/// Largest answer, in bytes: a page of changes with all their messages.
pub const MOST_BYTES: usize = 32 << 20;

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TransportError {
    /// No connection came about: nothing was carried out.
    Unreachable(String),
    /// It broke afterwards, or the answer is too large: whether it was carried out is not known.
    Lost(String),
}

/// Carries requests to Gerrit and whole answers back, of at most [`MOST_BYTES`].
pub trait Transport: Send + Sync {
    /// One request, one answer; no redirect is followed and nothing is repeated.
    fn call(
        &self,
        request: Request<Bytes>,
    ) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>>;
}
