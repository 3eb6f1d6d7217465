//! World wide port names: Cinder writes them in lower case and some of its drivers with colons, the
//! REST API in either case without.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use thiserror::Error;

/// The name of a Fibre Channel port. Displayed as Cinder writes it: 16 lower-case digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Wwpn(u64);

/// Text that is no port name.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "'{text}' is no Fibre Channel port name; write it as 16 hexadecimal digits, with or without colons"
)]
pub struct WwpnError {
    /// The text, cut to what fits on a line.
    pub text: String,
}

impl Wwpn {
    /// As the REST API has it: 16 upper-case hexadecimal digits.
    #[must_use]
    pub fn rest(self) -> String {
        format!("{:016X}", self.0)
    }
}

impl FromStr for Wwpn {
    type Err = WwpnError;

    fn from_str(text: &str) -> Result<Self, WwpnError> {
        let digits: String = text.trim().chars().filter(|c| *c != ':').take(17).collect();
        let is_name = digits.len() == 16 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        u64::from_str_radix(&digits, 16)
            .ok()
            .filter(|_| is_name)
            .map(Self)
            .ok_or_else(|| WwpnError {
                text: text.chars().take(40).collect(),
            })
    }
}

impl fmt::Display for Wwpn {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:016x}", self.0)
    }
}

impl fmt::Debug for Wwpn {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl Serialize for Wwpn {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Wwpn {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colons_and_case_do_not_matter() {
        let name: Wwpn = "10:00:00:90:FA:1B:6A:3C".parse().unwrap();
        assert_eq!(Ok(name), "10000090fa1b6a3c".parse());
        assert_eq!(
            (name.to_string().as_str(), name.rest().as_str()),
            ("10000090fa1b6a3c", "10000090FA1B6A3C")
        );
    }

    #[test]
    fn what_is_none_is_refused() {
        for text in [
            "",
            "1",
            "10000090fa1b6a3",
            "10000090fa1b6a3c0",
            "+0000090fa1b6a3c",
            "größer",
        ] {
            assert!(text.parse::<Wwpn>().is_err(), "{text}");
        }
    }
}
