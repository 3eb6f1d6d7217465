//! Ports that a network service wants connected on this host.

use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};

use super::AgentRound;
use crate::error::{Error, Result};
use crate::network::interface::MAX_VLAN;

/// The most ports that are read.
const MOST: usize = 100_000;

/// A port, as far as the host's network bridges are concerned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WantedPort {
    /// What the network service knows it by.
    #[serde(default, alias = "port_id")]
    pub id: Option<String>,
    /// The physical network that it is on.
    #[serde(default = "default_network", alias = "network")]
    pub physical_network: String,
    /// Its VLAN there, 1 to 4094.
    #[serde(alias = "segmentation_id")]
    pub vlan: u16,
}

fn default_network() -> String {
    "default".to_owned()
}

impl WantedPort {
    /// Reads a list of ports: `[{"physical_network": "default", "vlan": 7}, …]`. Further fields are left alone.
    ///
    /// # Errors
    /// Text that is no such list; a VLAN that is none; too many of them.
    pub fn read_all(text: &str) -> Result<Vec<Self>> {
        let wrong = |why: String| {
            Error::invalid(
                format!("these are no ports: {why}"),
                "write a list such as [{\"physical_network\": \"default\", \"vlan\": 7}]",
            )
        };
        let ports: Vec<Self> =
            serde_json::from_str(text).map_err(|error| wrong(error.to_string()))?;
        if ports.len() > MOST {
            return Err(wrong(format!("more than {MOST}")));
        }
        match ports
            .iter()
            .find(|port| !(1..=MAX_VLAN).contains(&port.vlan))
        {
            Some(port) => Err(wrong(format!("{} is no VLAN", port.vlan))),
            None => Ok(ports),
        }
    }
}

/// Somebody who knows which ports are to be connected on this host besides those of the adapters that are there: a
/// network service, a file.
pub trait PortSource: Send + Sync {
    /// The ports, now. The first call may wait until they are known.
    ///
    /// # Errors
    /// They are not known now; then nothing is pruned.
    fn ports(&self) -> BoxFuture<'_, Result<Vec<WantedPort>>>;

    /// Ends when they may have changed. Dropped and called again, it misses nothing.
    fn changed(&self) -> BoxFuture<'_, ()> {
        Box::pin(std::future::pending())
    }

    /// What the agent has just done: a network service may report that it lives, and that ports are connected.
    fn done<'a>(&'a self, round: &'a AgentRound) -> BoxFuture<'a, ()> {
        let _ = round;
        Box::pin(std::future::ready(()))
    }
}

/// Nobody wants more than what is there.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoPorts;

impl PortSource for NoPorts {
    fn ports(&self) -> BoxFuture<'_, Result<Vec<WantedPort>>> {
        Box::pin(std::future::ready(Ok(Vec::new())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_read_as_network_services_write_them() {
        let text = r#"[{"vlan": 7}, {"id": "p", "physical_network": "prod", "segmentation_id": 8, "x": 1}]"#;
        let ports = WantedPort::read_all(text).unwrap();
        let told: Vec<_> = ports
            .iter()
            .map(|port| (port.physical_network.as_str(), port.vlan))
            .collect();
        assert_eq!(told, [("default", 7), ("prod", 8)]);
        assert_eq!(WantedPort::read_all("[]").unwrap(), []);
    }

    #[test]
    fn what_is_no_port_is_refused() {
        for text in [
            "",
            "{}",
            "[{}]",
            r#"[{"vlan": 0}]"#,
            r#"[{"vlan": 4095}]"#,
            r#"[{"vlan": 70000}]"#,
        ] {
            let error = WantedPort::read_all(text).unwrap_err().to_string();
            assert!(error.contains("these are no ports"), "{text}: {error}");
        }
    }
}
