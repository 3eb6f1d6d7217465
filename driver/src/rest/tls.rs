//! Whom to believe to be the server.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
};
use rustls_platform_verifier::Verifier;
use sha2::{Digest, Sha256};

use crate::error::{Error, Result};

/// Which certificate an https server may show.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Trust {
    /// One that the operating system's roots vouch for, with the endpoint's name in it.
    #[default]
    System,
    /// One that an authority of this PEM file vouches for, with the endpoint's name in it.
    Authority(PathBuf),
    /// Exactly this one, whatever it says: an HMC's or NovaLink's self-signed certificate, pinned.
    Pinned(Fingerprint),
    /// Any. Whoever sits between can read the password; only for throwaway systems.
    Anything,
}

/// SHA-256 of a certificate in DER form.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// The fingerprint of this certificate.
    pub fn of(certificate: &[u8]) -> Fingerprint {
        Fingerprint(Sha256::digest(certificate).into())
    }
}

impl FromStr for Fingerprint {
    type Err = Error;

    /// 64 hexadecimal digits, with or without colons, as `openssl x509 -fingerprint -sha256` prints them.
    fn from_str(text: &str) -> Result<Fingerprint> {
        let bad = || {
            Error::invalid(
                "the certificate fingerprint is not a SHA-256 one",
                "give 64 hexadecimal digits, as `openssl x509 -noout -fingerprint -sha256` prints them",
            )
        };
        let digits: Vec<u32> = text
            .trim()
            .chars()
            .filter(|c| *c != ':')
            .map(|c| c.to_digit(16))
            .collect::<Option<_>>()
            .ok_or_else(bad)?;
        let bytes: Vec<u8> = digits
            .chunks(2)
            .filter_map(|pair| u8::try_from(pair.first()? * 16 + pair.get(1)?).ok())
            .collect();
        let whole = digits.len() == 64;
        whole
            .then_some(bytes)
            .and_then(|bytes| bytes.try_into().ok())
            .map(Fingerprint)
            .ok_or_else(bad)
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, byte) in self.0.iter().enumerate() {
            write!(f, "{}{byte:02X}", if index == 0 { "" } else { ":" })?;
        }
        Ok(())
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fingerprint({self})")
    }
}

/// A TLS client that trusts this and nothing else. The provider is handed in per client, so the process needs no
/// default one and no other crate can change it.
pub(super) fn client_config(trust: &Trust) -> Result<ClientConfig> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier: Arc<dyn ServerCertVerifier> = match trust {
        Trust::System => Arc::new(
            Verifier::new(Arc::clone(&provider)).map_err(|error| unusable("system", error))?,
        ),
        Trust::Authority(file) => {
            let name = file.display().to_string();
            let mut roots = RootCertStore::empty();
            for certificate in
                CertificateDer::pem_file_iter(file).map_err(|error| unusable(&name, error))?
            {
                let certificate = certificate.map_err(|error| unusable(&name, error))?;
                roots
                    .add(certificate)
                    .map_err(|error| unusable(&name, error))?;
            }
            WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
                .build()
                .map_err(|error| unusable(&name, error))?
        }
        Trust::Pinned(fingerprint) => Arc::new(Lenient::new(Some(*fingerprint), &provider)),
        Trust::Anything => Arc::new(Lenient::new(None, &provider)),
    };
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| unusable("TLS", error))?;
    Ok(config
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Telling(verifier)))
        .with_no_client_auth())
}

fn unusable(what: &str, error: impl fmt::Display) -> Error {
    Error::invalid(
        format!("the trusted certificates ({what}) cannot be used: {error}"),
        "name a PEM file of certificate authorities, or pin the server's SHA-256 fingerprint",
    )
}

/// Looks at the fingerprint only, or at nothing. The handshake's signature is still checked, so the server has to
/// own the certificate's key.
#[derive(Debug)]
struct Lenient {
    wanted: Option<Fingerprint>,
    provider: Arc<CryptoProvider>,
}

impl Lenient {
    fn new(wanted: Option<Fingerprint>, provider: &Arc<CryptoProvider>) -> Lenient {
        Lenient {
            wanted,
            provider: Arc::clone(provider),
        }
    }
}

impl ServerCertVerifier for Lenient {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        match self.wanted {
            Some(wanted) if wanted != Fingerprint::of(end_entity) => Err(
                rustls::Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure),
            ),
            _ => Ok(ServerCertVerified::assertion()),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(
            message,
            certificate,
            signature,
            &self.provider.signature_verification_algorithms,
        )
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(
            message,
            certificate,
            signature,
            &self.provider.signature_verification_algorithms,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}

/// Names the certificate that was not believed, so that it can be compared with the server's own and pinned.
#[derive(Debug)]
struct Telling(Arc<dyn ServerCertVerifier>);

impl ServerCertVerifier for Telling {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let verified =
            self.0
                .verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        verified.map_err(|error| {
            let shown = Fingerprint::of(end_entity);
            rustls::Error::General(format!(
                "{error}; if the server's own certificate has the SHA-256 fingerprint {shown}, pin that"
            ))
        })
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.0
            .verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.0
            .verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_verify_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fingerprints_read_as_they_print() {
        let fingerprint = Fingerprint::of(b"certificate");
        assert_eq!(
            fingerprint.to_string().parse::<Fingerprint>().unwrap(),
            fingerprint
        );
        assert_eq!(
            fingerprint
                .to_string()
                .replace(':', "")
                .to_lowercase()
                .parse::<Fingerprint>()
                .unwrap(),
            fingerprint
        );
        for bad in ["", "AB", "zz", &"A".repeat(63), &"A".repeat(66)] {
            assert!(bad.parse::<Fingerprint>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_missing_authority_file_is_named() {
        let error = client_config(&Trust::Authority("/nowhere/ca.pem".into())).unwrap_err();
        assert!(error.to_string().contains("/nowhere/ca.pem"), "{error}");
    }
}
