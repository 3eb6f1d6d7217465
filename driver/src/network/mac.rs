//! MAC addresses: OpenStack writes them with colons in lower case, the REST API without in upper.

use std::fmt;
use std::net::Ipv6Addr;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use sha2::{Digest, Sha256};
use thiserror::Error;
use uuid::Uuid;

/// A MAC address. Displayed as OpenStack writes it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mac([u8; 6]);

/// Text that is no MAC address.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("'{text}' is no MAC address; write it as fa:16:3e:01:02:03, with an even first byte")]
pub struct MacError {
    /// The text.
    pub text: String,
}

impl Mac {
    /// An address for an instance's `role` ("mgmt", "nic0" …), always the same one.
    ///
    /// It is locally administered and unicast. Choosing it here, rather than taking what the server
    /// generates, lets the config drive be built before the adapter exists, and gives a rebuilt
    /// instance the address that it had.
    #[must_use]
    pub fn derived(instance: Uuid, role: &str) -> Self {
        let hash = Sha256::new()
            .chain_update(instance.as_bytes())
            .chain_update(role.as_bytes())
            .finalize();
        let mut bytes = [0; 6];
        for (to, from) in bytes.iter_mut().zip(hash.iter()) {
            *to = *from;
        }
        let [first, ..] = &mut bytes;
        *first = (*first & !1) | 2;
        Self(bytes)
    }

    /// As the REST API has it: 12 upper-case hexadecimal digits.
    #[must_use]
    pub fn rest(self) -> String {
        self.0.iter().map(|byte| format!("{byte:02X}")).collect()
    }

    /// The IPv6 link-local address that a guest gives itself for this MAC (modified EUI-64).
    #[must_use]
    pub fn link_local(self) -> Ipv6Addr {
        let [a, b, c, d, e, f] = self.0;
        let word = |high: u8, low: u8| u16::from_be_bytes([high, low]);
        Ipv6Addr::new(
            0xfe80,
            0,
            0,
            0,
            word(a ^ 2, b),
            word(c, 0xff),
            word(0xfe, d),
            word(e, f),
        )
    }
}

impl FromStr for Mac {
    type Err = MacError;

    fn from_str(text: &str) -> Result<Self, MacError> {
        let error = || MacError {
            text: text.to_owned(),
        };
        let digits: Vec<u8> = text
            .trim()
            .bytes()
            .filter(|byte| !matches!(byte, b':' | b'-' | b'.'))
            .collect();
        if digits.len() != 12 {
            return Err(error());
        }
        let mut bytes = [0; 6];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            let pair = str::from_utf8(pair).map_err(|_| error())?;
            *byte = u8::from_str_radix(pair, 16).map_err(|_| error())?;
        }
        let [first, ..] = bytes;
        if first & 1 == 1 {
            Err(error())
        } else {
            Ok(Self(bytes))
        }
    }
}

impl fmt::Display for Mac {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, f] = self.0;
        write!(formatter, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{f:02x}")
    }
}

impl fmt::Debug for Mac {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl Serialize for Mac {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Mac {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_both_spellings_and_writes_each() {
        let mac: Mac = "FA163E0102AB".parse().unwrap();
        assert_eq!(mac, "fa:16:3e:01:02:ab".parse().unwrap());
        assert_eq!(
            (mac.to_string().as_str(), mac.rest().as_str()),
            ("fa:16:3e:01:02:ab", "FA163E0102AB")
        );
    }

    #[test]
    fn refuses_what_is_none() {
        for text in [
            "",
            "fa:16:3e:01:02",
            "fa:16:3e:01:02:0g",
            "01:16:3e:01:02:03",
            "+1163e010203",
            "fä163e010203",
        ] {
            assert!(text.parse::<Mac>().is_err(), "{text}");
        }
    }

    #[test]
    fn link_local_follows_the_eui_64_rule() {
        let mac: Mac = "52:54:00:12:34:56".parse().unwrap();
        assert_eq!(mac.link_local().to_string(), "fe80::5054:ff:fe12:3456");
    }

    #[test]
    fn derived_addresses_are_stable_unicast_and_local() {
        let instance = Uuid::from_u128(7);
        let mac = Mac::derived(instance, "mgmt");
        assert_eq!(mac, Mac::derived(instance, "mgmt"));
        assert_ne!(mac, Mac::derived(instance, "nic0"));
        assert_ne!(mac, Mac::derived(Uuid::from_u128(8), "mgmt"));
        assert_eq!(mac.0[0] & 3, 2);
    }
}
