//! One request and its whole answer.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, Uri, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use secrecy::{ExposeSecret, SecretString};

use super::md5_hex;
use crate::error::{Error, ErrorKind, Result};
use crate::rest::{Body, Endpoint, HttpTransport, Transport, TransportFailure, Trust};
use crate::store::LIMIT;

/// How long an answer may take to come whole.
const PATIENCE: Duration = Duration::from_secs(30);

/// The way to the servers.
pub(super) struct Reach(Arc<dyn Transport>);

/// A request.
#[derive(Clone)]
pub(super) struct Ask<'a> {
    pub(super) method: Method,
    pub(super) url: String,
    pub(super) token: Option<&'a SecretString>,
    pub(super) content: Option<Bytes>,
    /// Who is asked.
    pub(super) what: &'static str,
}

/// An answer, read whole.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) content: Bytes,
}

impl Reach {
    pub(super) fn over_network(trust: Trust) -> Result<Self> {
        // It keeps connections by origin; this one only says whom to trust, and that proxies count.
        let anywhere = Endpoint::new("https://swift.invalid")?.trust(trust);
        Ok(Self(Arc::new(HttpTransport::new(&anywhere)?)))
    }

    pub(super) fn through(transport: Arc<dyn Transport>) -> Self {
        Self(transport)
    }

    /// Asks, and reads the answer whole.
    ///
    /// # Errors
    /// No answer, none in time, one that breaks off or is larger than an object may be.
    pub(super) async fn ask(&self, ask: &Ask<'_>) -> Result<Answer> {
        let asked = tokio::time::timeout(PATIENCE, self.ask_patiently(ask)).await;
        asked.unwrap_or_else(|_| {
            Err(Error::operation(
                ErrorKind::TimedOut,
                format!(
                    "{} did not answer within {} s",
                    ask.what,
                    PATIENCE.as_secs()
                ),
                "repeat it when it is well",
            ))
        })
    }

    async fn ask_patiently(&self, ask: &Ask<'_>) -> Result<Answer> {
        let failed = |kind, error: &dyn std::fmt::Display| {
            let what = format!("{} gave no whole answer: {error}", ask.what);
            let remedy = "check swift_auth_url and swift_cacert, and that it runs";
            Error::operation(kind, what, remedy)
        };
        let answer = self.0.call(request(ask)?).await.map_err(|error| {
            let kind = match error.failure() {
                TransportFailure::Tls => ErrorKind::Local,
                TransportFailure::Connect => ErrorKind::Unreachable,
                _ => ErrorKind::Interrupted,
            };
            failed(kind, &error)
        })?;
        let (head, body) = answer.into_parts();
        let read = Limited::new(body, LIMIT).collect().await;
        let content = read.map_err(|error| match error.is::<LengthLimitError>() {
            true => failed(ErrorKind::TooLarge, &error),
            false => failed(ErrorKind::Interrupted, &error),
        })?;
        Ok(Answer {
            status: head.status,
            headers: head.headers,
            content: content.to_bytes(),
        })
    }
}

fn request(ask: &Ask<'_>) -> Result<Request<Body>> {
    let uri = read_url(&ask.url)?;
    let mut request = Request::builder()
        .method(ask.method.clone())
        .uri(uri)
        .header(header::ACCEPT, "*/*");
    if let Some(token) = ask.token {
        request = request.header("X-Auth-Token", sensitive(token)?);
    }
    let content = ask.content.clone();
    if let Some(content) = &content {
        request = request.header(header::CONTENT_LENGTH, content.len());
        if ask.token.is_some() && !content.is_empty() {
            request = request
                .header(header::CONTENT_TYPE, "application/octet-stream")
                .header(header::ETAG, md5_hex(content));
        } else {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
    }
    let body = content.map_or_else(Body::empty, Body::whole);
    request.body(body).map_err(|_| unusable(&ask.url))
}

fn sensitive(token: &SecretString) -> Result<HeaderValue> {
    let mut value = HeaderValue::from_str(token.expose_secret()).map_err(|_| {
        Error::operation(
            ErrorKind::BadAnswer,
            "Keystone gave a token that is no header's value",
            "check swift_auth_url",
        )
    })?;
    value.set_sensitive(true);
    Ok(value)
}

/// A URL without user and password.
pub(super) fn read_url(url: &str) -> Result<Uri> {
    let uri: Uri = url.parse().map_err(|_| unusable(url))?;
    let is_plain = uri
        .authority()
        .is_some_and(|authority| !authority.as_str().contains('@'));
    let is_known = matches!(uri.scheme_str(), Some("http" | "https"));
    match is_known && is_plain && uri.path_and_query().is_none_or(is_path) {
        true => Ok(uri),
        false => Err(unusable(url)),
    }
}

fn is_path(path: &PathAndQuery) -> bool {
    path.query().is_none()
}

fn unusable(url: &str) -> Error {
    // Without what may stand before an '@'.
    let shown: String = url
        .rsplit('@')
        .next()
        .unwrap_or_default()
        .chars()
        .take(200)
        .collect();
    Error::invalid(
        format!("{shown:?} is no usable URL of Keystone or Swift"),
        "give swift_auth_url and swift_storage_url as https://HOST[:PORT]/PATH",
    )
}
