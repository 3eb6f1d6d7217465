//! Which bridge is meant: by itself, by one of its adapters, or by the physical network that it is on.

use std::collections::BTreeMap;
use std::str::FromStr;

use super::Driver;
use crate::error::{Error, ErrorKind, Result};
use crate::network::bridge::Bridge;

/// The physical network of a bridge that is the only one.
const DEFAULT: &str = "default";

/// How a bridge is told from the others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BridgeRef {
    /// The only one.
    Only,
    /// By its UUID.
    Id(String),
    /// By a shared Ethernet adapter of a Virtual I/O Server: `ent5` of `vios1`.
    Adapter {
        /// The device.
        device: String,
        /// Name of the server.
        vios: String,
    },
}

impl FromStr for BridgeRef {
    type Err = String;

    /// Reads `ent5:vios1`, or a UUID.
    fn from_str(text: &str) -> std::result::Result<Self, String> {
        match text.trim().split_once(':') {
            Some((device, vios)) if !device.is_empty() && !vios.is_empty() => Ok(Self::Adapter {
                device: device.to_owned(),
                vios: vios.to_owned(),
            }),
            None if !text.trim().is_empty() => Ok(Self::Id(text.trim().to_owned())),
            _ => Err(format!(
                "'{text}' names no bridge; write its UUID or DEVICE:VIOS"
            )),
        }
    }
}

/// The bridges of physical networks, `bridge_mappings` as operators of the SEA agent know it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BridgeMap(BTreeMap<String, BridgeRef>);

impl FromStr for BridgeMap {
    type Err = String;

    /// Reads `NETWORK:DEVICE:VIOS,…`; nothing means the only bridge for the network `default`.
    fn from_str(text: &str) -> std::result::Result<Self, String> {
        let mut map = BTreeMap::new();
        for part in text
            .split(',')
            .map(str::trim)
            .filter(|part| !part.is_empty())
        {
            let wrong = || format!("'{part}' maps no network; write NETWORK:DEVICE:VIOS");
            let (network, bridge) = part.split_once(':').ok_or_else(wrong)?;
            let bridge = match bridge.parse() {
                Ok(bridge @ BridgeRef::Adapter { .. }) if !network.is_empty() => bridge,
                _ => return Err(wrong()),
            };
            if map.insert(network.to_owned(), bridge).is_some() {
                return Err(format!("the network '{network}' is mapped twice"));
            }
        }
        Ok(Self(map))
    }
}

impl BridgeMap {
    /// The bridge of a physical network; none of one that is not mapped, whose VLANs nobody can bridge.
    #[must_use]
    pub fn bridge_of(&self, network: &str) -> Option<BridgeRef> {
        if self.0.is_empty() {
            return (network == DEFAULT).then_some(BridgeRef::Only);
        }
        self.0.get(network).cloned()
    }

    /// All of them with their networks.
    pub fn iter(&self) -> impl Iterator<Item = (&str, BridgeRef)> {
        let only = self.0.is_empty().then_some((DEFAULT, BridgeRef::Only));
        let mapped = self
            .0
            .iter()
            .map(|(network, bridge)| (network.as_str(), bridge.clone()));
        only.into_iter().chain(mapped)
    }
}

impl Driver {
    /// The bridge that is meant.
    pub(in crate::operations) async fn pick(
        &self,
        wanted: &BridgeRef,
        bridges: &[Bridge],
    ) -> Result<Bridge> {
        let found = match wanted {
            BridgeRef::Only => match bridges {
                [only] => return Ok(only.clone()),
                [] => None,
                several => {
                    return Err(Error::invalid(
                        format!("the host has {} network bridges", several.len()),
                        "name the one that is meant: see powervm network bridge list",
                    ));
                }
            },
            BridgeRef::Id(id) => bridges.iter().find(|one| one.uuid.eq_ignore_ascii_case(id)),
            BridgeRef::Adapter { device, vios } => {
                let vioses = self.vioses().await?;
                let server = vioses.iter().find(|one| one.name == *vios).ok_or_else(|| {
                    Error::operation(
                        ErrorKind::NotFound,
                        format!("there is no Virtual I/O Server named '{vios}'"),
                        "correct the name: see powervm host show",
                    )
                })?;
                bridges.iter().find(|bridge| {
                    let mut members = bridge.members.iter();
                    members.any(|member| {
                        member.device == *device && member.vios.eq_ignore_ascii_case(&server.uuid)
                    })
                })
            }
        };
        found.cloned().ok_or_else(|| {
            let what = match wanted {
                BridgeRef::Only => "the host has no network bridge".to_owned(),
                BridgeRef::Id(id) => format!("there is no network bridge {id}"),
                BridgeRef::Adapter { device, vios } => {
                    format!("{vios} has no shared Ethernet adapter {device}")
                }
            };
            Error::operation(ErrorKind::NotFound, what, "see powervm network bridge list")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_are_mapped_to_adapters_or_to_the_only_bridge() {
        let map: BridgeMap = "default:ent5:vios1, prod:ent8:vios2".parse().unwrap();
        let adapter = |device: &str, vios: &str| BridgeRef::Adapter {
            device: device.to_owned(),
            vios: vios.to_owned(),
        };
        assert_eq!(map.bridge_of("prod"), Some(adapter("ent8", "vios2")));
        assert_eq!(map.bridge_of("other"), None);
        assert_eq!(map.iter().count(), 2);
        let empty: BridgeMap = "".parse().unwrap();
        assert_eq!(empty.bridge_of("default"), Some(BridgeRef::Only));
        assert_eq!(empty.bridge_of("prod"), None);
        assert_eq!(empty.iter().count(), 1);
        for bad in ["prod", "prod:ent5", ":ent5:vios1", "a:b:c,a:d:e", "a::c"] {
            assert!(bad.parse::<BridgeMap>().is_err(), "{bad}");
        }
    }
}
