//! Addresses on the command line.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::str::FromStr;

/// Where to listen: `ADDRESS:PORT`, `localhost:PORT`, `PORT`, or `none`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listen(Option<SocketAddr>);

impl Listen {
    /// The address; absent for `none`.
    #[must_use]
    pub const fn address(self) -> Option<SocketAddr> {
        self.0
    }
}

impl FromStr for Listen {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let loopback = |port| SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port);
        if text == "none" {
            return Ok(Self(None));
        }
        if let Ok(address) = text.parse() {
            return Ok(Self(Some(address)));
        }
        let port = text.strip_prefix("localhost:").unwrap_or(text);
        match port.parse() {
            Ok(port) => Ok(Self(Some(loopback(port)))),
            Err(_) => {
                Err("give ADDRESS:PORT, a PORT of the loopback interface, or none".to_owned())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        let address = |text: &str| {
            text.parse::<Listen>()
                .unwrap()
                .address()
                .map(|address| address.to_string())
        };
        assert_eq!(address("0").unwrap(), "127.0.0.1:0");
        assert_eq!(address("localhost:5").unwrap(), "127.0.0.1:5");
        assert_eq!(address("[::1]:5").unwrap(), "[::1]:5");
        assert_eq!(address("0.0.0.0:12443").unwrap(), "0.0.0.0:12443");
        assert_eq!(address("none"), None);
        for text in ["", "host:5", "127.0.0.1", "70000"] {
            assert!(text.parse::<Listen>().is_err(), "{text}");
        }
    }
}
