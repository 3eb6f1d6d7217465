//! Certificates: one of the user's, or a self-signed one made at start.

use std::path::PathBuf;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

/// Where certificate and key come from.
#[derive(Clone, Debug, Default)]
pub enum Certificate {
    /// Made at start for `localhost`, the loopback addresses and these other names; never written to disk.
    #[default]
    SelfSigned,
    /// PEM files: the certificate with its chain, and its private key.
    Files {
        /// The certificate, its issuers after it.
        certificate: PathBuf,
        /// The private key.
        key: PathBuf,
    },
}

/// Why there is no TLS.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A PEM file cannot be read.
    #[error("{path}: {source}; give a PEM file")]
    Pem {
        /// The file.
        path: String,
        /// What is wrong with it.
        source: rustls::pki_types::pem::Error,
    },
    /// The self-signed certificate cannot be made.
    #[error("no certificate can be made: {0}")]
    Generation(#[from] rcgen::Error),
    /// Certificate and key are no use together.
    #[error("certificate and key cannot be used: {0}")]
    Unusable(#[from] rustls::Error),
}

/// What a TLS listener needs.
#[derive(Clone, Debug)]
pub struct Identity {
    /// The configuration for the handshakes.
    pub config: Arc<ServerConfig>,
    /// The certificate in PEM if it was made at start, for clients that want to verify it.
    pub certificate_pem: Option<String>,
}

impl Certificate {
    /// Loads or makes the certificate; `names` (host names or addresses) are added to a self-signed one.
    ///
    /// # Errors
    /// [`TlsError`]
    pub fn identity(&self, names: &[String]) -> Result<Identity, TlsError> {
        match self {
            Self::SelfSigned => {
                let mut subjects = vec![
                    "localhost".to_owned(),
                    "127.0.0.1".to_owned(),
                    "::1".to_owned(),
                ];
                subjects.extend(names.iter().filter(|name| !name.is_empty()).cloned());
                subjects.dedup();
                let mut parameters = rcgen::CertificateParams::new(subjects)?;
                // Clients such as pypowervm read the end as a UTCTime only, which 2049 is the last year of.
                parameters.not_after = rcgen::date_time_ymd(2049, 12, 31);
                let signing_key = rcgen::KeyPair::generate()?;
                let certificate = parameters.self_signed(&signing_key)?;
                let key =
                    PrivateKeyDer::from(PrivatePkcs8KeyDer::from(signing_key.serialize_der()));
                let config = config(vec![certificate.der().clone()], key)?;
                Ok(Identity {
                    config,
                    certificate_pem: Some(certificate.pem()),
                })
            }
            Self::Files { certificate, key } => {
                let told = |path: &PathBuf| {
                    let path = path.display().to_string();
                    move |source| TlsError::Pem { path, source }
                };
                let chain: Result<Vec<_>, _> = CertificateDer::pem_file_iter(certificate)
                    .map_err(told(certificate))?
                    .collect();
                let chain = chain.map_err(told(certificate))?;
                let key = PrivateKeyDer::from_pem_file(key).map_err(told(key))?;
                Ok(Identity {
                    config: config(chain, key)?,
                    certificate_pem: None,
                })
            }
        }
    }
}

fn config(
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> Result<Arc<ServerConfig>, TlsError> {
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_can_be_made_written_and_read() {
        let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let (certificate, key) = (folder.path().join("c.pem"), folder.path().join("k.pem"));
        std::fs::write(&certificate, made.cert.pem()).unwrap();
        std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
        let files = Certificate::Files {
            certificate: certificate.clone(),
            key,
        };
        assert!(files.identity(&[]).unwrap().certificate_pem.is_none());
        let pem = Certificate::SelfSigned
            .identity(&["example.test".to_owned()])
            .unwrap()
            .certificate_pem
            .unwrap();
        assert!(pem.starts_with("-----BEGIN CERTIFICATE-----"));
    }

    #[test]
    fn a_missing_file_is_named() {
        let files = Certificate::Files {
            certificate: "/nowhere/c.pem".into(),
            key: "/nowhere/k.pem".into(),
        };
        assert!(
            files
                .identity(&[])
                .unwrap_err()
                .to_string()
                .contains("/nowhere/c.pem")
        );
    }
}
