//! The one seam between the driver and the network: something that turns an HTTP request into an answer.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::{Request, Response};
use tower::{Service, ServiceExt};

use super::body::{Body, BodyError};
use crate::error::seconds;

/// Carries requests to one server. Production uses [`HttpTransport`](super::HttpTransport), tests and embedded
/// simulators [`ServiceTransport`].
pub trait Transport: Send + Sync {
    /// Sends one request. The answer's body may still be on its way when this returns.
    ///
    /// # Errors
    /// Only for requests without an answer; error statuses are answers.
    fn call(&self, request: Request<Body>)
    -> BoxFuture<'_, Result<Response<Body>, TransportError>>;
}

impl<T: Transport + ?Sized> Transport for Arc<T> {
    fn call(
        &self,
        request: Request<Body>,
    ) -> BoxFuture<'_, Result<Response<Body>, TransportError>> {
        (**self).call(request)
    }
}

/// How a request came to have no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransportFailure {
    /// No connection: refused, no route, no such host, not in time.
    Connect,
    /// The server's certificate was not trusted, or TLS failed otherwise before the request was sent.
    Tls,
    /// The connection broke after the request may have been sent.
    Broken,
    /// The answer did not come, or stopped coming, for this long.
    Timeout(Duration),
    /// An answer came, but nothing could be read out of it.
    Garbled,
}

/// A request without a usable answer.
#[derive(Debug, Clone)]
pub struct TransportError {
    failure: TransportFailure,
    cause: Option<Arc<dyn StdError + Send + Sync>>,
}

impl TransportError {
    /// A failure with its cause.
    pub fn new(failure: TransportFailure, cause: impl Into<BodyError>) -> TransportError {
        TransportError {
            failure,
            cause: Some(Arc::from(cause.into())),
        }
    }

    /// Nothing came for this long.
    pub fn timeout(after: Duration) -> TransportError {
        TransportError {
            failure: TransportFailure::Timeout(after),
            cause: None,
        }
    }

    /// What kind of failure it was.
    pub fn failure(&self) -> TransportFailure {
        self.failure
    }

    /// Whether the server may have seen the request.
    pub fn may_have_arrived(&self) -> bool {
        !matches!(
            self.failure,
            TransportFailure::Connect | TransportFailure::Tls
        )
    }
}

impl fmt::Display for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.failure {
            TransportFailure::Connect => f.write_str("connection failed")?,
            TransportFailure::Tls => f.write_str("TLS failed")?,
            TransportFailure::Broken => f.write_str("connection broke")?,
            TransportFailure::Timeout(after) => write!(f, "nothing came for {}", seconds(after))?,
            TransportFailure::Garbled => f.write_str("unreadable answer")?,
        }
        let mut last = String::new();
        let mut cause: Option<&(dyn StdError + 'static)> =
            self.cause.as_deref().map(|cause| cause as _);
        while let Some(error) = cause {
            let text = error.to_string();
            if !last.contains(&text) {
                write!(f, ": {text}")?;
            }
            last = text;
            cause = error.source();
        }
        Ok(())
    }
}

impl StdError for TransportError {}

/// Calls a tower service of HTTP requests, such as an axum router, in this process and without a socket.
#[derive(Clone, Debug)]
pub struct ServiceTransport<S>(S);

impl<S> ServiceTransport<S> {
    /// Each call goes to a clone of this service.
    pub fn new(service: S) -> ServiceTransport<S> {
        ServiceTransport(service)
    }
}

impl<S, B> Transport for ServiceTransport<S>
where
    S: Service<Request<Body>, Response = Response<B>> + Clone + Send + Sync + 'static,
    S::Future: Send,
    S::Error: Into<BodyError>,
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BodyError>,
{
    fn call(
        &self,
        request: Request<Body>,
    ) -> BoxFuture<'_, Result<Response<Body>, TransportError>> {
        let service = self.0.clone();
        Box::pin(async move {
            let answer = service.oneshot(request).await;
            let answer =
                answer.map_err(|error| TransportError::new(TransportFailure::Broken, error))?;
            Ok(answer.map(Body::streamed))
        })
    }
}
