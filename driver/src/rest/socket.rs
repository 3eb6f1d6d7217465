//! The transport of production: HTTP/1.1 over TCP or TLS, by reqwest.

use std::error::Error as StdError;
use std::time::Duration;

use futures_util::future::BoxFuture;
use http::{Request, Response};
use http_body_util::BodyDataStream;

use super::body::Body;
use super::endpoint::Endpoint;
use super::tls::client_config;
use super::transport::{Transport, TransportError, TransportFailure};
use crate::error::{Error, Result};

/// Talks to an [`Endpoint`] over sockets.
///
/// Connections are kept and used again. Nagle's algorithm is off, redirects are not followed (a token must not
/// travel to wherever a server points), and proxies of the environment are not used for the loopback interface.
#[derive(Debug, Clone)]
pub struct HttpTransport {
    client: reqwest::Client,
}

/// How long a connection may take to come about, TLS included.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(20);
/// Shorter than servers keep idle connections, so that a request seldom meets one that is being closed.
const IDLE_CONNECTION: Duration = Duration::from_secs(10);

impl HttpTransport {
    /// A client for this endpoint. Connects when first called.
    ///
    /// # Errors
    /// [`Error::Invalid`] when the trusted certificates cannot be read.
    pub fn new(endpoint: &Endpoint) -> Result<HttpTransport> {
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("powervm-driver/", env!("CARGO_PKG_VERSION")))
            .tls_backend_preconfigured(client_config(endpoint.trusted())?)
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT_TIMEOUT)
            .pool_idle_timeout(IDLE_CONNECTION)
            .tcp_nodelay(true)
            .retry(reqwest::retry::never())
            .referer(false);
        if endpoint.is_loopback() {
            builder = builder.no_proxy();
        }
        let client = builder.build().map_err(|error| {
            Error::invalid(
                format!("the HTTP client cannot be made: {error}"),
                "check the TLS settings and the proxy variables",
            )
        })?;
        Ok(HttpTransport { client })
    }
}

impl Transport for HttpTransport {
    fn call(
        &self,
        request: Request<Body>,
    ) -> BoxFuture<'_, Result<Response<Body>, TransportError>> {
        Box::pin(async move {
            let request = request.map(|body| match body.into_whole() {
                Ok(bytes) => reqwest::Body::from(bytes),
                Err(streamed) => reqwest::Body::wrap_stream(BodyDataStream::new(streamed)),
            });
            let request = reqwest::Request::try_from(request).map_err(classified)?;
            let answer = self.client.execute(request).await.map_err(classified)?;
            Ok(Response::from(answer).map(Body::streamed))
        })
    }
}

fn classified(error: reqwest::Error) -> TransportError {
    let mut tls = false;
    let mut cause = error.source();
    while let Some(inner) = cause {
        tls = tls || is_tls(inner);
        cause = inner.source();
    }
    let failure = match () {
        () if error.is_connect() && tls => TransportFailure::Tls,
        () if error.is_connect() || error.is_builder() => TransportFailure::Connect,
        () => TransportFailure::Broken,
    };
    TransportError::new(failure, error.without_url())
}

/// rustls' errors travel inside of io::Error, several deep, which source() skips.
fn is_tls(error: &(dyn StdError + 'static)) -> bool {
    let inner = error
        .downcast_ref::<std::io::Error>()
        .and_then(std::io::Error::get_ref);
    error.is::<rustls::Error>() || inner.is_some_and(|inner| is_tls(inner))
}
