//! The repeater's TLS.

use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use tokio_rustls::TlsAcceptor;

use crate::config::VncOptions;
use crate::error::{Error, Result};

/// What TLS the options ask for; none when they ask for none.
///
/// # Errors
/// Files that cannot be read, hold nothing, or do not belong together.
pub fn acceptor(options: &VncOptions) -> Result<Option<TlsAcceptor>> {
    if !options.vnc_use_x509_auth {
        return Ok(None);
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let certificates = certificates("vnc_server_cert", &options.vnc_server_cert)?;
    // What cannot be read of a key is not repeated.
    let key = PrivateKeyDer::from_pem_file(&options.vnc_server_key).map_err(|_| {
        unusable(
            "vnc_server_key",
            &options.vnc_server_key,
            "no key can be read from it",
        )
    })?;
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::internal(format!("there is no TLS: {error}")))?;
    let builder = if options.vnc_ca_certs.as_os_str().is_empty() {
        builder.with_no_client_auth()
    } else {
        let file = &options.vnc_ca_certs;
        let mut roots = RootCertStore::empty();
        for authority in self::certificates("vnc_ca_certs", file)? {
            let added = roots.add(authority);
            added.map_err(|error| unusable("vnc_ca_certs", file, &error.to_string()))?;
        }
        let verifier =
            WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build();
        builder.with_client_cert_verifier(
            verifier.map_err(|error| unusable("vnc_ca_certs", file, &error.to_string()))?,
        )
    };
    let config = builder
        .with_single_cert(certificates, key)
        .map_err(|error| {
            unusable(
                "vnc_server_cert",
                &options.vnc_server_cert,
                &error.to_string(),
            )
        })?;
    Ok(Some(TlsAcceptor::from(Arc::new(config))))
}

fn certificates(key: &str, file: &Path) -> Result<Vec<CertificateDer<'static>>> {
    let read = CertificateDer::pem_file_iter(file)
        .and_then(Iterator::collect::<std::result::Result<Vec<_>, _>>);
    let all = read.map_err(|error| unusable(key, file, &error.to_string()))?;
    if all.is_empty() {
        return Err(unusable(key, file, "it has no certificate"));
    }
    Ok(all)
}

fn unusable(key: &str, file: &Path, why: &str) -> Error {
    Error::invalid(
        format!("{key}, the file {}, cannot be used: {why}", file.display()),
        "name PEM files that belong together",
    )
}
