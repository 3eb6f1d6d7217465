//! The network interfaces that a server is asked to have.

use std::net::IpAddr;
use std::str::FromStr;

use thiserror::Error;

use super::mac::Mac;

/// The highest VLAN that a network may have.
pub const MAX_VLAN: u16 = 4094;

/// One interface of a server on a network that a shared Ethernet adapter bridges.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NetworkInterface {
    /// VLAN of the network, 1 to 4094.
    pub vlan: u16,
    /// Its address; without one, an address is derived from the instance.
    pub mac: Option<Mac>,
    /// Its name in the config drive, an OpenStack port's UUID for instance.
    pub id: Option<String>,
    /// The network's name in the config drive, an OpenStack network's UUID for instance.
    pub network: Option<String>,
    /// MTU that the guest is told.
    pub mtu: Option<u32>,
    /// Fixed addresses that the guest is told; none means DHCP.
    pub addresses: Vec<FixedAddress>,
}

/// A fixed address as a guest is told it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FixedAddress {
    /// The address.
    pub address: IpAddr,
    /// Length of the network prefix in bits.
    pub prefix: u8,
    /// Where other networks are reached.
    pub gateway: Option<IpAddr>,
    /// Name servers.
    pub name_servers: Vec<IpAddr>,
}

/// Why text describes no interface.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("'{text}' describes no network interface: {why}; write vlan=N[,mac=ADDRESS]")]
pub struct InterfaceError {
    /// The text.
    pub text: String,
    /// What is wrong with it.
    pub why: String,
}

impl NetworkInterface {
    /// An interface on this VLAN, everything else left to the driver and to DHCP.
    #[must_use]
    pub fn on_vlan(vlan: u16) -> Self {
        Self {
            vlan,
            mac: None,
            id: None,
            network: None,
            mtu: None,
            addresses: Vec::new(),
        }
    }
}

impl FromStr for NetworkInterface {
    type Err = InterfaceError;

    /// Reads `vlan=N[,mac=ADDRESS]`, or a VLAN alone.
    fn from_str(text: &str) -> Result<Self, InterfaceError> {
        let error = |why: String| InterfaceError {
            text: text.to_owned(),
            why,
        };
        let (mut vlan, mut mac) = (None, None);
        for part in text.split(',') {
            match part.split_once('=').unwrap_or(("vlan", part)) {
                ("vlan", value) => vlan = Some(read_vlan(value).map_err(error)?),
                ("mac", value) => {
                    mac = Some(value.parse::<Mac>().map_err(|bad| error(bad.to_string()))?)
                }
                (key, _) => return Err(error(format!("'{key}' is unknown"))),
            }
        }
        let vlan = vlan.ok_or_else(|| error("it has no vlan".to_owned()))?;
        Ok(Self {
            mac,
            ..Self::on_vlan(vlan)
        })
    }
}

fn read_vlan(text: &str) -> Result<u16, String> {
    match text.trim().parse() {
        Ok(vlan) if (1..=MAX_VLAN).contains(&vlan) => Ok(vlan),
        _ => Err(format!(
            "a VLAN is a number from 1 to {MAX_VLAN}, not '{text}'"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_people_type() {
        assert_eq!("2227".parse(), Ok(NetworkInterface::on_vlan(2227)));
        let full: NetworkInterface = "vlan=1,mac=fa:16:3e:00:00:01".parse().unwrap();
        assert_eq!(
            (full.vlan, full.mac.unwrap().rest().as_str()),
            (1, "FA163E000001")
        );
    }

    #[test]
    fn says_what_is_wrong() {
        for (text, part) in [
            ("0", "1 to 4094"),
            ("4095", "1 to 4094"),
            ("mac=fa:16:3e:00:00:01", "no vlan"),
            ("vlan=1,mac=x", "no MAC"),
            ("vlan=1,net=a", "'net' is unknown"),
        ] {
            let message = text.parse::<NetworkInterface>().unwrap_err().to_string();
            assert!(message.contains(part), "{message}");
        }
    }
}
