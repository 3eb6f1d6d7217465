//! Ports of Open vSwitch: what an interface on one is to have, and what is written on its trunk adapter.
//!
//! An interface on Open vSwitch is a pair of adapters on a VLAN of their own, on a switch that nothing else bridges: the
//! server's, and a trunk adapter of the management partition. NovaLink itself makes the trunk adapter's device a port of
//! the bridge that the adapter names, so no command has to run on the management partition.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::mac::Mac;

/// The longest name of a network device on Linux, whose names these are.
const DEVICE_LENGTH: usize = 15;
/// How much of a port's name goes into the device of one that names none.
const GIVEN_LENGTH: usize = 14;
/// The longest name of a bridge or a port.
const NAME_LENGTH: usize = 64;
/// The external id of a trunk adapter whose server is still on its way to this host.
const ARRIVING: &str = "powervm-arriving";

/// What an interface on Open vSwitch is to have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OvsPort {
    /// The bridge: `br-int`.
    pub bridge: String,
    /// What the network service knows the port by, an OpenStack port's UUID: `iface-id`.
    pub interface: String,
    /// Name of the device on the management partition, at most 15 characters; none derives it from the port.
    pub device: Option<String>,
}

impl OvsPort {
    /// This port on this bridge.
    #[must_use]
    pub fn new(bridge: impl Into<String>, interface: impl Into<String>) -> Self {
        Self {
            bridge: bridge.into(),
            interface: interface.into(),
            device: None,
        }
    }

    /// What of it cannot be: its words end up in a list of `key=value` and as the name of a device.
    ///
    /// # Errors
    /// What is wrong with which of them.
    pub fn check(&self) -> Result<(), String> {
        let device = self.device.as_deref();
        let words = [
            ("a bridge", Some(self.bridge.as_str()), NAME_LENGTH),
            ("a port's id", Some(self.interface.as_str()), NAME_LENGTH),
            ("a device", device, DEVICE_LENGTH),
        ];
        for (what, word, most) in words {
            let Some(word) = word else { continue };
            let is_fine = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
            if word.is_empty() || word.len() > most || !word.bytes().all(is_fine) {
                return Err(format!(
                    "{what} is named with 1 to {most} letters, digits, '-', '_' and '.', not '{}'",
                    word.chars().take(80).collect::<String>()
                ));
            }
        }
        Ok(())
    }

    /// Name of the device: as given, else `nic` and the beginning of the port's id. Network agents look for it by the
    /// same rule.
    #[must_use]
    pub fn device_name(&self) -> String {
        let derived = || {
            format!("nic{}", self.interface)
                .chars()
                .take(GIVEN_LENGTH)
                .collect()
        };
        self.device.clone().unwrap_or_else(derived)
    }

    /// What Open vSwitch is told of the port: `iface-id=…,iface-status=active,attached-mac=…,vm-uuid=…`.
    pub(crate) fn external_ids(&self, mac: Mac, instance: Uuid) -> ExternalIds {
        let ids = [
            ("iface-id", self.interface.clone()),
            ("iface-status", "active".to_owned()),
            ("attached-mac", mac.to_string()),
            ("vm-uuid", instance.to_string()),
        ];
        ExternalIds(ids.map(|(key, value)| (key.to_owned(), value)).to_vec())
    }
}

/// External ids of a port of Open vSwitch, in their order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct ExternalIds(Vec<(String, String)>);

impl ExternalIds {
    /// Reads `key=value,key=value`. What is no pair is left out.
    pub(crate) fn read(text: &str) -> Self {
        let pairs = text.split(',').filter_map(|pair| pair.split_once('='));
        Self(
            pairs
                .map(|(key, value)| (key.trim().to_owned(), value.trim().to_owned()))
                .collect(),
        )
    }

    pub(crate) fn get(&self, key: &str) -> Option<&str> {
        let mut found = self.0.iter().filter(|(name, _)| name == key);
        found.next().map(|(_, value)| value.as_str())
    }

    /// The address of the server's adapter.
    pub(crate) fn mac(&self) -> Option<Mac> {
        self.get("attached-mac")?.parse().ok()
    }

    /// The server.
    pub(crate) fn instance(&self) -> Option<Uuid> {
        Uuid::try_parse(self.get("vm-uuid")?).ok()
    }

    /// Says that the server is on its way here, so that an adapter without a partner is no orphan yet.
    pub(crate) fn arriving(mut self) -> Self {
        self.0.push((ARRIVING.to_owned(), "true".to_owned()));
        self
    }

    /// Says that it has arrived.
    pub(crate) fn arrived(mut self) -> Self {
        self.0.retain(|(key, _)| key != ARRIVING);
        self
    }

    pub(crate) fn is_arriving(&self) -> bool {
        self.get(ARRIVING).is_some()
    }

    pub(crate) fn text(&self) -> String {
        let pairs: Vec<String> = self
            .0
            .iter()
            .map(|(key, value)| format!("{key}={value}"))
            .collect();
        pairs.join(",")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_is_named_after_its_port_unless_it_is_named() {
        let port = OvsPort::new("br-int", "1b2c3d4e-5f60-4a70-8b90-a0b1c2d3e4f5");
        assert_eq!(port.device_name(), "nic1b2c3d4e-5f");
        let named = OvsPort {
            device: Some("tap1b2c3d4e-5f".to_owned()),
            ..port
        };
        assert_eq!(named.device_name(), "tap1b2c3d4e-5f");
    }

    #[test]
    fn external_ids_are_written_in_order_and_read_again() {
        let mac = "fa:16:3e:00:00:01".parse().unwrap();
        let ids = OvsPort::new("br-int", "port").external_ids(mac, Uuid::from_u128(7));
        let text = "iface-id=port,iface-status=active,attached-mac=fa:16:3e:00:00:01,\
                    vm-uuid=00000000-0000-0000-0000-000000000007";
        assert_eq!(ids.text(), text);
        let read = ExternalIds::read(text);
        assert_eq!(
            (read.mac(), read.instance()),
            (Some(mac), Some(Uuid::from_u128(7)))
        );
        assert!(read.clone().arriving().is_arriving());
        assert_eq!(read.clone().arriving().arrived(), read);
    }

    #[test]
    fn words_that_would_be_more_than_one_are_refused() {
        let good = OvsPort::new("br-int", "port");
        assert_eq!(good.check(), Ok(()));
        let bad = |change: fn(&mut OvsPort)| {
            let mut port = good.clone();
            change(&mut port);
            port.check().unwrap_err()
        };
        assert!(bad(|port| port.bridge = "br,vm-uuid=x".to_owned()).contains("a bridge"));
        assert!(bad(|port| port.interface = String::new()).contains("a port's id"));
        assert!(bad(|port| port.device = Some("d".repeat(16))).contains("1 to 15"));
    }

    #[test]
    fn what_is_no_pair_is_no_id() {
        let ids = ExternalIds::read("x,=y,attached-mac=none, vm-uuid = 1 ");
        assert_eq!((ids.mac(), ids.instance()), (None, None));
    }
}
