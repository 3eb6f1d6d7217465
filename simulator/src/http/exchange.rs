//! One request with what is known of it before its body is read.

use http::header::HOST;
use http::{HeaderMap, Method, Response, Uri};

use axum::body::Body;
use bytes::Bytes;
use http_body_util::BodyExt as _;
use smol_str::SmolStr;

use super::base::Base;
use super::connection::{Connection, aborted, broken_body};
use super::problem::{NOT_A_URL, Problem};
use super::respond;
use crate::model::Flavor;
use crate::render::{ErrorDocument, schema_version};
use crate::simulator::Simulator;
use crate::weather::Fault;

/// A request on its way to its answer.
pub(crate) struct Exchange {
    pub(crate) simulator: Simulator,
    pub(crate) method: Method,
    pub(crate) headers: HeaderMap,
    /// The URL as sent.
    pub(crate) uri: Uri,
    /// The origin that links get.
    pub(crate) base: Base,
    /// `XT10000001`, or what the client chose.
    pub(crate) transaction: SmolStr,
}

/// The longest transaction number that a client may choose, in bytes.
const LONGEST_TRANSACTION: usize = 64;

impl Exchange {
    pub(crate) fn new(simulator: &Simulator, parts: http::request::Parts) -> Self {
        let connection = parts.extensions.get::<Connection>();
        let secure = match connection {
            Some(connection) => connection.secure,
            // In process the URL is all that tells.
            None => parts.uri.scheme_str() == Some("https"),
        };
        let scheme = if secure { "https" } else { "http" };
        let fallback = || match connection {
            Some(connection) => connection.local.to_string(),
            None => simulator.shared().authority.clone(),
        };
        let host = parts.headers.get(HOST).and_then(|host| host.to_str().ok());
        let host = host.or_else(|| parts.uri.authority().map(http::uri::Authority::as_str));
        let chosen = parts
            .headers
            .get("x-transaction-id")
            .and_then(|id| id.to_str().ok());
        let chosen = chosen.filter(|id| {
            !id.is_empty()
                && id.len() <= LONGEST_TRANSACTION
                && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        });
        Self {
            simulator: simulator.clone(),
            base: Base::from_host(scheme, host, fallback),
            transaction: chosen.map_or_else(|| simulator.transaction(), SmolStr::new),
            uri: parts.uri,
            method: parts.method,
            headers: parts.headers,
        }
    }

    /// The session token that the request carries.
    pub(crate) fn token(&self) -> Option<&str> {
        self.headers
            .get("x-api-session")
            .and_then(|token| token.to_str().ok())
            .map(str::trim)
    }

    /// The error document for a refusal. An HMC of the recorded level has one message for every resource that is not
    /// there; later levels and the NovaLink here tell more.
    pub(crate) fn refuse(&self, problem: &Problem) -> Response<Body> {
        let vague = self.flavor() == Flavor::Hmc && problem.message.starts_with("REST029B");
        let message = if vague { NOT_A_URL } else { &problem.message };
        let headers: Vec<(&str, &str)> = self
            .headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.to_str().unwrap_or("?")))
            .collect();
        let document = ErrorDocument {
            status: problem.status,
            reason: &problem.reason,
            message,
            uri: self.uri.path(),
            headers: &headers,
            transaction: &self.transaction,
        };
        respond::error(
            problem,
            document.render(self.schema_version(), self.simulator.now()),
        )
    }

    /// The headers that every answer has.
    pub(crate) fn stamp(&self, response: &mut Response<Body>) {
        respond::stamp(
            response.headers_mut(),
            self.flavor(),
            self.schema_version(),
            &self.transaction,
        );
    }

    /// Does to an answer what a fault demands after the fact.
    pub(crate) async fn strike(&self, response: Response<Body>, fault: &Fault) -> Response<Body> {
        match fault {
            Fault::Delay(duration) => {
                self.simulator.clock().sleep(*duration).await;
                response
            }
            Fault::Answer(problem) => self.refuse(problem),
            Fault::Reset => aborted(),
            Fault::Cut(bytes) => cut(response, *bytes).await,
            // A job that was submitted goes its way, and who is befallen is no part of the answer.
            Fault::Job(_) | Fault::Befall { .. } => response,
        }
    }

    pub(crate) fn flavor(&self) -> Flavor {
        self.simulator.flavor()
    }

    fn schema_version(&self) -> &'static str {
        schema_version(self.flavor())
    }
}

/// The same answer with a body that breaks off: its length is announced in full.
async fn cut(response: Response<Body>, bytes: usize) -> Response<Body> {
    let (mut parts, body) = response.into_parts();
    let Ok(body) = body
        .collect()
        .await
        .map(http_body_util::Collected::to_bytes)
    else {
        return aborted();
    };
    if body.is_empty() {
        return aborted();
    }
    let begin: Bytes = body.slice(..bytes.min(body.len().saturating_sub(1)));
    parts
        .headers
        .insert(http::header::CONTENT_LENGTH, body.len().into());
    Response::from_parts(parts, broken_body(begin))
}
