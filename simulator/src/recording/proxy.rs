//! A proxy before a real HMC or NovaLink that records what passes.
//!
//! Clients are sent to the proxy by its address; links in documents lead to it as well, so that whoever follows them
//! stays with it. Everything else passes as it is.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use bytes::Bytes;
use futures_util::StreamExt as _;
use http::header::{ACCEPT_ENCODING, CONTENT_LENGTH, HOST};
use http::{HeaderMap, Request, Response, StatusCode, Uri};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use tokio::time::Instant;

use super::capture::{self, Passing};
use super::{Captured, Exchange, Journal, concerns_connection, links, recorded, told};
use crate::http::connection::Connection;

/// How long the upstream server may take to accept a connection.
const CONNECT: Duration = Duration::from_secs(30);
/// How long it may be silent: the slowest jobs of real servers take half an hour.
const SILENCE: Duration = Duration::from_secs(1800);

/// Which certificate the upstream server may show.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Trust {
    /// One that the operating system's roots vouch for.
    #[default]
    System,
    /// This one, or one that it vouches for, from a PEM file.
    File(PathBuf),
    /// Any. Whoever sits between can read the password.
    Anything,
}

/// Why there is no proxy.
#[derive(Debug, thiserror::Error)]
pub enum UpstreamError {
    /// The URL is none.
    #[error(
        "{0:?} is no URL of a server: give https://host:12443 or http://host:12080, without a path"
    )]
    Url(String),
    /// The certificate file cannot be used.
    #[error("the certificate cannot be used: {0}")]
    Certificate(String),
    /// There is no HTTP client.
    #[error("no HTTP client: {0}")]
    Client(#[from] reqwest::Error),
}

/// The proxy.
#[derive(Clone)]
pub struct Proxy {
    shared: Arc<Shared>,
}

struct Shared {
    client: reqwest::Client,
    /// `https://host:port`
    upstream: String,
    journal: Journal,
    began: Instant,
}

impl Proxy {
    /// The origin that a URL of an upstream server names.
    ///
    /// # Errors
    /// [`UpstreamError::Url`] if it names more, or less.
    pub fn origin(url: &str) -> Result<String, UpstreamError> {
        let wrong = || UpstreamError::Url(url.chars().take(200).collect());
        let uri: Uri = url.trim().parse().map_err(|_| wrong())?;
        let (scheme, authority) = (uri.scheme_str(), uri.authority());
        match (scheme, authority) {
            (Some(scheme @ ("http" | "https")), Some(authority))
                if uri.path().trim_matches('/').is_empty()
                    && uri.query().is_none()
                    && !authority.as_str().contains('@') =>
            {
                Ok(format!("{scheme}://{authority}"))
            }
            _ => Err(wrong()),
        }
    }

    /// A proxy before the server with this origin that writes to `journal`.
    ///
    /// # Errors
    /// [`UpstreamError`]
    pub fn new(origin: &str, trust: &Trust, journal: Journal) -> Result<Self, UpstreamError> {
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(client_config(trust)?)
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT)
            .read_timeout(SILENCE)
            .build()?;
        Ok(Self {
            shared: Arc::new(Shared {
                client,
                upstream: Self::origin(origin)?,
                journal,
                began: Instant::now(),
            }),
        })
    }

    /// The proxy as an HTTP service.
    pub fn router(&self) -> Router {
        let handler = |State(proxy): State<Self>, request: Request<Body>| async move {
            proxy.pass(request).await
        };
        Router::new().fallback(handler).with_state(self.clone())
    }

    /// How many exchanges were recorded.
    #[must_use]
    pub fn recorded(&self) -> u64 {
        self.shared.journal.written()
    }

    async fn pass(&self, request: Request<Body>) -> Response<Body> {
        let shared = &self.shared;
        let began = Instant::now();
        let (parts, body) = request.into_parts();
        let own = own_origin(&parts);
        let Some(url) = parts.uri.path_and_query().map(ToString::to_string) else {
            return told(StatusCode::BAD_REQUEST, "the request names no path");
        };
        let passing = Passing::default();
        let text = capture::is_text(&parts.headers);
        let (sent, request_body) = if text {
            let Some(bytes) = capture::whole(body).await else {
                return told(
                    StatusCode::PAYLOAD_TOO_LARGE,
                    "the document is larger than 64 MiB, or broke off",
                );
            };
            let bytes = match std::str::from_utf8(&bytes) {
                Ok(text) => Bytes::from(links::point_to(text, &shared.upstream)),
                Err(_) => bytes,
            };
            let captured = capture::captured(&bytes);
            (reqwest::Body::from(bytes), Some(captured))
        } else {
            let stream = passing.through(body.into_data_stream());
            (reqwest::Body::wrap_stream(stream), None)
        };
        let asked = shared
            .client
            .request(parts.method.clone(), format!("{}{url}", shared.upstream))
            .headers(forwarded(&parts.headers, text))
            .body(sent)
            .send()
            .await;
        let answer = match asked {
            Ok(answer) => answer,
            Err(error) => {
                tracing::warn!(%error, "the upstream server did not answer");
                return told(
                    StatusCode::BAD_GATEWAY,
                    &format!(
                        "powervm-sim record: {} did not answer: {error}",
                        shared.upstream
                    ),
                );
            }
        };
        let exchange = Exchange {
            at_ms: milliseconds(began - shared.began),
            took_ms: 0,
            method: parts.method.to_string(),
            url,
            request_headers: recorded(&parts.headers),
            request_body: request_body.unwrap_or_else(|| passing.captured()),
            status: answer.status().as_u16(),
            headers: recorded(answer.headers()),
            body: Captured::default(),
        };
        self.answer(answer, exchange, began, &own).await
    }

    async fn answer(
        &self,
        answer: reqwest::Response,
        mut exchange: Exchange,
        began: Instant,
        own: &str,
    ) -> Response<Body> {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = answer.status();
        let text = capture::is_text(answer.headers());
        for (name, value) in answer.headers() {
            if !concerns_connection(name) && (name != CONTENT_LENGTH || !text) {
                response.headers_mut().append(name, value.clone());
            }
        }
        let stream = answer.bytes_stream();
        if !text {
            *response.body_mut() = self.streamed(stream, exchange, began);
            return response;
        }
        let Some(bytes) = capture::whole(Body::from_stream(stream)).await else {
            return told(
                StatusCode::BAD_GATEWAY,
                "powervm-sim record: the answer is larger than 64 MiB, or broke off",
            );
        };
        exchange.body = capture::captured(&bytes);
        exchange.took_ms = milliseconds(began.elapsed());
        let shown = match exchange.body.text.as_deref() {
            Some(text) => Bytes::from(links::point_to(text, own)),
            None => bytes,
        };
        self.write(exchange);
        *response.body_mut() = Body::from(shown);
        response
    }

    /// A body that passes by; what passed is written at its end, however that comes.
    fn streamed(
        &self,
        stream: impl futures_util::Stream<Item = Result<Bytes, reqwest::Error>> + Send + 'static,
        exchange: Exchange,
        began: Instant,
    ) -> Body {
        let passing = Passing::default();
        let mut ending = Ending {
            proxy: self.clone(),
            passing: passing.clone(),
            exchange: Some(exchange),
            began,
        };
        let stream = passing.through(stream).boxed();
        let last = futures_util::stream::poll_fn(move |_| {
            ending.end();
            std::task::Poll::Ready(None)
        });
        Body::from_stream(stream.chain(last))
    }

    fn write(&self, exchange: Exchange) {
        tracing::info!(
            method = exchange.method,
            url = exchange.path(),
            status = exchange.status,
            "recorded"
        );
        if let Err(error) = self.shared.journal.add(exchange) {
            tracing::error!(%error, "the recording cannot be written");
        }
    }
}

/// Writes an exchange once its answer has passed, or its reader has gone.
struct Ending {
    proxy: Proxy,
    passing: Passing,
    exchange: Option<Exchange>,
    began: Instant,
}

impl Ending {
    fn end(&mut self) {
        if let Some(mut exchange) = self.exchange.take() {
            exchange.body = self.passing.captured();
            exchange.took_ms = milliseconds(self.began.elapsed());
            self.proxy.write(exchange);
        }
    }
}

impl Drop for Ending {
    fn drop(&mut self) {
        self.end();
    }
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// What passes on of a request's headers. Compressed answers could not be read here.
fn forwarded(headers: &HeaderMap, worked_out: bool) -> HeaderMap {
    let mut forwarded = HeaderMap::new();
    for (name, value) in headers {
        let dropped = concerns_connection(name)
            || name == ACCEPT_ENCODING
            || name == CONTENT_LENGTH && worked_out;
        if !dropped {
            forwarded.append(name, value.clone());
        }
    }
    forwarded
}

/// The origin by which the client knows the proxy.
pub(super) fn own_origin(parts: &http::request::Parts) -> String {
    let connection = parts.extensions.get::<Connection>();
    let scheme = if connection.is_some_and(|connection| connection.secure) {
        "https"
    } else {
        "http"
    };
    let host = parts.headers.get(HOST).and_then(|host| host.to_str().ok());
    let fallback = connection.map_or_else(
        || "localhost".to_owned(),
        |connection| connection.local.to_string(),
    );
    crate::http::Base::from_host(scheme, host, || fallback)
        .as_str()
        .to_owned()
}

fn client_config(trust: &Trust) -> Result<ClientConfig, UpstreamError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let unusable = |error: &dyn std::fmt::Display| UpstreamError::Certificate(error.to_string());
    let verifier: Arc<dyn ServerCertVerifier> = match trust {
        Trust::System => Arc::new(
            rustls_platform_verifier::Verifier::new(Arc::clone(&provider))
                .map_err(|error| unusable(&error))?,
        ),
        Trust::File(file) => {
            let mut roots = RootCertStore::empty();
            let certificates =
                CertificateDer::pem_file_iter(file).map_err(|error| unusable(&error))?;
            let mut exact = Vec::new();
            for certificate in certificates {
                let certificate = certificate.map_err(|error| unusable(&error))?;
                roots
                    .add(certificate.clone())
                    .map_err(|error| unusable(&error))?;
                exact.push(certificate);
            }
            let by_roots =
                WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
                    .build()
                    .map_err(|error| unusable(&error))?;
            Arc::new(Lenient {
                exact,
                otherwise: Some(by_roots),
                provider: Arc::clone(&provider),
            })
        }
        Trust::Anything => Arc::new(Lenient {
            exact: Vec::new(),
            otherwise: None,
            provider: Arc::clone(&provider),
        }),
    };
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| unusable(&error))?;
    Ok(config
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth())
}

/// Takes certificates that it was given, whatever they say: those of HMCs name no host. Others as `otherwise` says.
#[derive(Debug)]
struct Lenient {
    exact: Vec<CertificateDer<'static>>,
    otherwise: Option<Arc<WebPkiServerVerifier>>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Lenient {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        match &self.otherwise {
            Some(otherwise) if !self.exact.iter().any(|known| known == end_entity) => otherwise
                .verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now),
            _ => Ok(ServerCertVerified::assertion()),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(
            message,
            cert,
            dss,
            &self.provider.signature_verification_algorithms,
        )
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(
            message,
            cert,
            dss,
            &self.provider.signature_verification_algorithms,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}
