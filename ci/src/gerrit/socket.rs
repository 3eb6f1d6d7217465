//! The transport of production: HTTP/1.1 over TCP or TLS, by reqwest.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::future::BoxFuture;
use http::{Request, Response};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use rustls_platform_verifier::Verifier;

use super::transport::{MOST_BYTES, Transport, TransportError};

/// How long a connection may take to come about, TLS included.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(20);

/// The client cannot be made.
#[derive(Debug, thiserror::Error)]
#[error("the HTTP client cannot be made: {0}; see [gerrit] ca, and the proxy variables")]
pub struct SocketError(String);

/// Talks over sockets. Redirects are not followed: a password must not travel to wherever a server points.
#[derive(Debug, Clone)]
pub struct Sockets {
    client: reqwest::Client,
}

impl Sockets {
    /// A client that trusts what the system trusts, or the authority in this PEM file.
    ///
    /// # Errors
    /// The certificates cannot be read.
    pub fn new(authority: Option<&Path>) -> Result<Self, SocketError> {
        let client = reqwest::Client::builder()
            .user_agent(concat!("powervm-ci/", env!("CARGO_PKG_VERSION")))
            .tls_backend_preconfigured(tls(authority)?)
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT_TIMEOUT)
            .retry(reqwest::retry::never())
            .referer(false);
        let client = client
            .build()
            .map_err(|error| SocketError(error.to_string()))?;
        Ok(Self { client })
    }
}

fn tls(authority: Option<&Path>) -> Result<ClientConfig, SocketError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier: Arc<dyn ServerCertVerifier> = match authority {
        None => Arc::new(
            Verifier::new(Arc::clone(&provider)).map_err(|error| SocketError(error.to_string()))?,
        ),
        Some(file) => {
            let unusable = |error: String| SocketError(format!("{}: {error}", file.display()));
            let mut roots = RootCertStore::empty();
            for certificate in
                CertificateDer::pem_file_iter(file).map_err(|error| unusable(error.to_string()))?
            {
                let certificate = certificate.map_err(|error| unusable(error.to_string()))?;
                roots
                    .add(certificate)
                    .map_err(|error| unusable(error.to_string()))?;
            }
            WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
                .build()
                .map_err(|error| unusable(error.to_string()))?
        }
    };
    Ok(ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| SocketError(error.to_string()))?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth())
}

impl Transport for Sockets {
    fn call(
        &self,
        request: Request<Bytes>,
    ) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>> {
        Box::pin(async move {
            let request =
                reqwest::Request::try_from(request.map(reqwest::Body::from)).map_err(classified)?;
            let mut answer = self.client.execute(request).await.map_err(classified)?;
            let mut body = BytesMut::new();
            while let Some(piece) = answer.chunk().await.map_err(classified)? {
                if body.len() + piece.len() > MOST_BYTES {
                    return Err(TransportError::Lost(format!(
                        "the answer has more than {MOST_BYTES} bytes"
                    )));
                }
                body.extend_from_slice(&piece);
            }
            let mut whole = Response::new(body.freeze());
            *whole.status_mut() = answer.status();
            *whole.headers_mut() = answer.headers().clone();
            Ok(whole)
        })
    }
}

/// The address is left out: it could hold a name and a password that somebody put there.
fn classified(error: reqwest::Error) -> TransportError {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    if error.is_connect() || error.is_builder() {
        TransportError::Unreachable(text)
    } else {
        TransportError::Lost(text)
    }
}
