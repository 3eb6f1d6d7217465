//! The network interfaces that a server is asked to have.

use std::net::IpAddr;
use std::str::FromStr;

use thiserror::Error;

use super::mac::Mac;
use super::ovs::OvsPort;

/// The highest VLAN that a network may have.
pub const MAX_VLAN: u16 = 4094;

/// What is between an interface and its network.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Attachment {
    /// A shared Ethernet adapter that bridges its switch.
    #[default]
    SharedEthernet,
    /// A port of Open vSwitch on the management partition.
    Ovs(OvsPort),
    /// An SR-IOV port.
    Sriov(SriovWish),
}

/// What an interface on SR-IOV ports is to have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SriovWish {
    /// The physical network: the label of its ports, `default` for those without one.
    pub network: String,
    /// How many ports stand behind it, 1 to 6; all but one are there in case it fails.
    pub redundancy: u8,
    /// Share of a port that it has at least, in hundredths of a percent; none is the port's least share.
    pub capacity: Option<u32>,
    /// Share of a port that it has at most, in hundredths of a percent.
    pub max_capacity: Option<u32>,
}

impl SriovWish {
    /// One port of this physical network.
    #[must_use]
    pub fn on(network: impl Into<String>) -> Self {
        Self {
            network: network.into(),
            redundancy: 1,
            capacity: None,
            max_capacity: None,
        }
    }

    /// What of it cannot be.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn check(&self) -> Result<(), String> {
        if !(1..=6).contains(&self.redundancy) {
            return Err(format!(
                "redundancy is a number from 1 to 6, not {}",
                self.redundancy
            ));
        }
        let shares = [
            ("capacity", self.capacity),
            ("maxcapacity", self.max_capacity),
        ];
        for (name, share) in shares {
            if share.is_some_and(|share| !(1..=10_000).contains(&share)) {
                return Err(format!(
                    "{name} is more than nothing and at most a whole port"
                ));
            }
        }
        if self
            .max_capacity
            .is_some_and(|most| most < self.capacity.unwrap_or(0))
        {
            return Err("maxcapacity is below capacity".to_owned());
        }
        Ok(())
    }
}

/// One interface of a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NetworkInterface {
    /// VLAN of the network, 1 to 4094; 0, which is none, on SR-IOV ports and on Open vSwitch, which tags by itself.
    pub vlan: u16,
    /// What is between it and the network.
    pub attachment: Attachment,
    /// Its address; without one, an address is derived from the instance.
    pub mac: Option<Mac>,
    /// Its name in the config drive, an OpenStack port's UUID for instance.
    pub id: Option<String>,
    /// The network's name in the config drive, an OpenStack network's UUID for instance.
    pub network: Option<String>,
    /// MTU that the guest is told, and Open vSwitch.
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
            attachment: Attachment::SharedEthernet,
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

    /// Reads `vlan=N[,mac=ADDRESS]`, or a VLAN alone; for SR-IOV ports
    /// `sriov=NETWORK[,vlan=N][,mac=ADDRESS][,redundancy=N][,capacity=SHARE][,maxcapacity=SHARE]`, shares from
    /// 0 to 1; for Open vSwitch `ovs=BRIDGE,id=PORT[,device=NAME][,mtu=N][,mac=ADDRESS]`.
    fn from_str(text: &str) -> Result<Self, InterfaceError> {
        let error = |why: String| InterfaceError {
            text: text.to_owned(),
            why,
        };
        if text.trim_start().starts_with("ovs=") {
            return on_ovs(text).map_err(error);
        }
        let (mut vlan, mut mac, mut sriov) = (None, None, None::<SriovWish>);
        let mut shares = Vec::new();
        for part in text.split(',') {
            match part.split_once('=').unwrap_or(("vlan", part)) {
                ("vlan", value) => vlan = Some(read_vlan(value).map_err(error)?),
                ("mac", value) => {
                    mac = Some(value.parse::<Mac>().map_err(|bad| error(bad.to_string()))?)
                }
                ("sriov", network) => sriov = Some(SriovWish::on(network.trim())),
                (key @ ("redundancy" | "capacity" | "maxcapacity"), value) => {
                    shares.push((key, value))
                }
                (key, _) => return Err(error(format!("'{key}' is unknown"))),
            }
        }
        let Some(mut wish) = sriov else {
            if let Some((key, _)) = shares.first() {
                return Err(error(format!("'{key}' is for SR-IOV ports")));
            }
            let vlan = vlan.ok_or_else(|| error("it has no vlan".to_owned()))?;
            return Ok(Self {
                mac,
                ..Self::on_vlan(vlan)
            });
        };
        for (key, value) in shares {
            match key {
                "redundancy" => wish.redundancy = read_redundancy(value).map_err(error)?,
                "capacity" => wish.capacity = Some(read_share(value).map_err(error)?),
                _ => wish.max_capacity = Some(read_share(value).map_err(error)?),
            }
        }
        wish.check().map_err(error)?;
        Ok(Self {
            mac,
            attachment: Attachment::Sriov(wish),
            ..Self::on_vlan(vlan.unwrap_or(0))
        })
    }
}

/// `ovs=BRIDGE,id=PORT[,device=NAME][,mtu=N][,mac=ADDRESS]`
fn on_ovs(text: &str) -> Result<NetworkInterface, String> {
    let mut port = OvsPort::new("", "");
    let mut interface = NetworkInterface::on_vlan(0);
    for part in text.split(',') {
        let (key, value) = part.split_once('=').unwrap_or((part, ""));
        let value = value.trim();
        match key.trim() {
            "ovs" => value.clone_into(&mut port.bridge),
            "id" => value.clone_into(&mut port.interface),
            "device" => port.device = Some(value.to_owned()),
            "mtu" => interface.mtu = Some(read_mtu(value)?),
            "mac" => interface.mac = Some(value.parse::<Mac>().map_err(|bad| bad.to_string())?),
            "vlan" => return Err("Open vSwitch tags by itself: it takes no vlan".to_owned()),
            key => return Err(format!("'{key}' is unknown on Open vSwitch")),
        }
    }
    if port.interface.is_empty() {
        return Err("a port of Open vSwitch needs its id=PORT".to_owned());
    }
    port.check()?;
    interface.id = Some(port.interface.clone());
    interface.attachment = Attachment::Ovs(port);
    Ok(interface)
}

fn read_mtu(text: &str) -> Result<u32, String> {
    let mtu = text.parse().ok().filter(|mtu| (68..=65_535).contains(mtu));
    mtu.ok_or_else(|| format!("an MTU is a number from 68 to 65535, not '{text}'"))
}

fn read_redundancy(text: &str) -> Result<u8, String> {
    let count = text
        .trim()
        .parse()
        .ok()
        .filter(|count| (1..=6).contains(count));
    count.ok_or_else(|| format!("redundancy is a number from 1 to 6, not '{text}'"))
}

/// A share of a port from 0 to 1, in hundredths of a percent.
fn read_share(text: &str) -> Result<u32, String> {
    let share = text
        .trim()
        .parse::<f64>()
        .ok()
        .filter(|share| (0.0001..=1.0).contains(share));
    share
        .map(|share| (share * 10_000.0).round() as u32)
        .ok_or_else(|| format!("a share of a port is a number from 0.0001 to 1, not '{text}'"))
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
    fn a_flat_sriov_network_has_no_vlan() {
        let read: NetworkInterface = "sriov=prod,redundancy=2,capacity=0.025".parse().unwrap();
        let wish = SriovWish {
            redundancy: 2,
            capacity: Some(250),
            ..SriovWish::on("prod")
        };
        assert_eq!((read.vlan, read.attachment), (0, Attachment::Sriov(wish)));
    }

    #[test]
    fn a_port_of_open_vswitch_has_a_bridge_and_an_id() {
        let read: NetworkInterface = "ovs=br-int,id=port-1,mtu=1450,mac=fa:16:3e:00:00:01"
            .parse()
            .unwrap();
        assert_eq!((read.vlan, read.mtu), (0, Some(1450)));
        let port = OvsPort::new("br-int", "port-1");
        assert_eq!(read.attachment, Attachment::Ovs(port));
    }

    #[test]
    fn says_what_is_wrong() {
        for (text, part) in [
            ("0", "1 to 4094"),
            ("4095", "1 to 4094"),
            ("mac=fa:16:3e:00:00:01", "no vlan"),
            ("vlan=1,mac=x", "no MAC"),
            ("vlan=1,net=a", "'net' is unknown"),
            ("vlan=1,redundancy=2", "SR-IOV"),
            ("ovs=br-int", "id=PORT"),
            ("ovs=br-int,id=a,vlan=3", "no vlan"),
            ("ovs=br int,id=a", "a bridge"),
            ("ovs=br-int,id=a,mtu=1", "68 to 65535"),
            ("sriov=prod,redundancy=7", "1 to 6"),
            ("sriov=prod,capacity=2", "0.0001 to 1"),
            ("sriov=prod,capacity=0.5,maxcapacity=0.1", "below"),
        ] {
            let message = text.parse::<NetworkInterface>().unwrap_err().to_string();
            assert!(message.contains(part), "{message}");
        }
    }
}
