//! Where the server is, whom it lets in, and how it is recognised.

use std::fmt;
use std::net::IpAddr;

use http::Uri;
use http::uri::{Authority, Scheme};
use secrecy::SecretString;

use super::tls::Trust;
use crate::error::{Error, Result};

/// Port of the REST API without TLS; NovaLink offers it on the loopback interface only.
pub const HTTP_PORT: u16 = 12080;
/// Port of the REST API with TLS.
pub const HTTPS_PORT: u16 = 12443;

/// How to log on.
#[derive(Clone)]
pub enum Credentials {
    /// A user and a password of the HMC or NovaLink.
    Password {
        /// User name.
        user: String,
        /// The user's password.
        password: SecretString,
    },
    /// Proof of being on the NovaLink partition itself: the server writes the session token into a file that only
    /// local administrators can read and names it. Works with NovaLink on a loopback address only, because the
    /// server chooses which file of this machine is read.
    TokenFile,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Credentials::Password { user, .. } => {
                write!(f, "Password {{ user: {user:?}, password: [redacted] }}")
            }
            Credentials::TokenFile => f.write_str("TokenFile"),
        }
    }
}

/// One REST API: address, credentials, trust.
#[derive(Debug, Clone)]
pub struct Endpoint {
    scheme: Scheme,
    authority: Authority,
    credentials: Credentials,
    trust: Trust,
}

impl Endpoint {
    /// Reads `http://HOST[:PORT]` or `https://HOST[:PORT]`, with the ports 12080 and 12443 as defaults. The
    /// credentials start as [`Credentials::TokenFile`] and the trust as [`Trust::System`].
    ///
    /// # Errors
    /// [`Error::Invalid`] for another scheme, for a user or password inside the URL, and for a path other than `/`
    /// or `/rest/api`.
    pub fn new(url: &str) -> Result<Endpoint> {
        let bad = |what: &str| {
            Error::invalid(
                format!("the endpoint URL {what}"),
                "write it as https://HOST:12443 (HMC, NovaLink) or http://127.0.0.1:12080 (on a NovaLink partition)",
            )
        };
        if url.contains('@') {
            return Err(bad(
                "holds a user or password, which belong into the credentials",
            ));
        }
        let uri: Uri = url
            .trim()
            .parse()
            .map_err(|_| bad(&format!("{:?} cannot be read", printable(url))))?;
        let scheme = match uri.scheme_str() {
            Some("http") => Scheme::HTTP,
            Some("https") => Scheme::HTTPS,
            _ => {
                return Err(bad(&format!(
                    "{:?} has neither http:// nor https://",
                    printable(url)
                )));
            }
        };
        if !matches!(uri.path().trim_end_matches('/'), "" | "/rest/api") || uri.query().is_some() {
            return Err(bad(&format!("{:?} has a path", printable(url))));
        }
        let authority = uri.authority().ok_or_else(|| bad("has no host"))?;
        let default = if scheme == Scheme::HTTP {
            HTTP_PORT
        } else {
            HTTPS_PORT
        };
        let authority = match authority.port_u16() {
            Some(_) => authority.clone(),
            None if authority.as_str() != authority.host() => {
                return Err(bad("has a port that is no number"));
            }
            None => format!("{}:{default}", authority.host())
                .parse()
                .map_err(|_| bad("has no usable host"))?,
        };
        Ok(Endpoint {
            scheme,
            authority,
            credentials: Credentials::TokenFile,
            trust: Trust::default(),
        })
    }

    /// Sets how to log on.
    #[must_use]
    pub fn credentials(mut self, credentials: Credentials) -> Endpoint {
        self.credentials = credentials;
        self
    }

    /// Sets which certificate is believed; means nothing over http.
    #[must_use]
    pub fn trust(mut self, trust: Trust) -> Endpoint {
        self.trust = trust;
        self
    }

    /// `scheme://host:port`, without a slash at the end.
    pub fn origin(&self) -> String {
        format!("{}://{}", self.scheme, self.authority)
    }

    /// Whether the connection is encrypted.
    pub fn is_tls(&self) -> bool {
        self.scheme == Scheme::HTTPS
    }

    /// Whether the server is on this machine, by its literal address or the name `localhost`.
    pub fn is_loopback(&self) -> bool {
        let host = self
            .authority
            .host()
            .trim_start_matches('[')
            .trim_end_matches(']');
        host.eq_ignore_ascii_case("localhost")
            || host
                .parse::<IpAddr>()
                .is_ok_and(|address| address.is_loopback())
    }

    pub(crate) fn trusted(&self) -> &Trust {
        &self.trust
    }

    pub(super) fn logon_credentials(&self) -> &Credentials {
        &self.credentials
    }
}

fn printable(text: &str) -> String {
    crate::error::printable(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(url: &str) -> String {
        Endpoint::new(url).unwrap().origin()
    }

    #[test]
    fn ports_have_defaults() {
        assert_eq!(origin("http://localhost"), "http://localhost:12080");
        assert_eq!(origin("https://hmc.example"), "https://hmc.example:12443");
        assert_eq!(origin("https://[::1]/"), "https://[::1]:12443");
        // An HMC listens on 443 as well, which is not the same as no port.
        assert_eq!(origin("https://hmc.example:443"), "https://hmc.example:443");
        assert_eq!(origin("https://[::1]:443"), "https://[::1]:443");
        assert_eq!(
            origin("http://127.0.0.1:8080/rest/api/"),
            "http://127.0.0.1:8080"
        );
    }

    #[test]
    fn loopback_is_told_from_the_literal_host() {
        for (url, expected) in [
            ("http://localhost", true),
            ("http://127.0.0.9", true),
            ("https://[::1]", true),
            ("https://10.0.0.1", false),
            ("https://localhost.example", false),
        ] {
            assert_eq!(Endpoint::new(url).unwrap().is_loopback(), expected, "{url}");
        }
    }

    #[test]
    fn bad_urls_are_refused_without_repeating_a_password() {
        for url in [
            "",
            "hmc",
            "ftp://hmc",
            "http://",
            "http://h:x",
            "http://h/other",
            "http://h?x=1",
            "http://h:99999",
        ] {
            assert!(Endpoint::new(url).is_err(), "{url}");
        }
        let error = Endpoint::new("https://admin:hunter2@hmc")
            .unwrap_err()
            .to_string();
        assert!(!error.contains("hunter2"), "{error}");
    }

    #[test]
    fn passwords_do_not_show() {
        let endpoint = Endpoint::new("https://hmc").unwrap();
        let endpoint = endpoint.credentials(Credentials::Password {
            user: "u".into(),
            password: "hunter2".into(),
        });
        assert!(!format!("{endpoint:?}").contains("hunter2"));
    }
}
