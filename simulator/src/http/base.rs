//! Scheme, host and port that the links of a document carry.

use std::sync::Arc;

use super::target::{Service, Target};

/// The origin of absolute links: `http://localhost:12080`, without a slash at its end.
///
/// Links repeat the host under which the client called, as the real servers do; clients compare some of them as
/// strings (`docs/protocol/urls.md`). A copy costs nothing.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Base(Arc<str>);

/// The longest `Host` header that is taken over into links, in bytes.
const LONGEST_HOST: usize = 255;
/// Room for most links, in bytes.
const LONGEST_USUAL: usize = 192;

impl Base {
    /// The origin for this scheme and authority.
    #[must_use]
    pub fn new(scheme: &str, authority: &str) -> Self {
        Self([scheme, "://", authority].concat().into())
    }

    /// The origin that a request's `Host` header names; that of `fallback` if it holds anything but a host and a port.
    #[must_use]
    pub fn from_host(scheme: &str, host: Option<&str>, fallback: impl FnOnce() -> String) -> Self {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-_:[]".contains(&byte);
        let host = host.filter(|host| {
            !host.is_empty() && host.len() <= LONGEST_HOST && host.bytes().all(plain)
        });
        match host {
            Some(host) => Self::new(scheme, host),
            None => Self::new(scheme, &fallback()),
        }
    }

    /// The origin itself.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The origin without its port, as links inside groups have it.
    #[must_use]
    pub fn without_port(&self) -> &str {
        match self.0.rsplit_once(':') {
            Some((host, port)) if !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()) => {
                host
            }
            _ => &self.0,
        }
    }

    /// The absolute URL of `path` below a service: `href(Service::Uom, "Cluster/…")`.
    #[must_use]
    pub fn href(&self, service: Service, path: &str) -> String {
        self.join(service, &[path])
    }

    /// The same of a path in parts.
    pub(crate) fn join(&self, service: Service, parts: &[&str]) -> String {
        let mut href = self.service(service);
        for part in parts {
            href.push_str(part);
        }
        href
    }

    /// The SELF link of what `target` names: its path as the client sent it, and its groups.
    #[must_use]
    pub fn self_href(&self, target: &Target) -> String {
        let mut href = self.service(target.service);
        target.push_path(&mut href);
        target.groups.push_query(&mut href);
        href
    }

    fn service(&self, service: Service) -> String {
        let mut href = String::with_capacity(LONGEST_USUAL);
        for part in [&self.0, "/rest/api/", service.name(), "/"] {
            href.push_str(part);
        }
        href
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hostile_host_is_not_repeated() {
        let fallback = || "localhost:12080".to_owned();
        let base = Base::from_host("http", Some("evil\"><x>"), fallback);
        assert_eq!(base.as_str(), "http://localhost:12080");
        let base = Base::from_host("https", Some("[::1]:12443"), fallback);
        assert_eq!(base.as_str(), "https://[::1]:12443");
    }
}
