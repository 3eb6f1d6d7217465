//! Fibre Channel of a Virtual I/O Server: its adapters, and the virtual ports that it lends to clients
//! (`docs/protocol/fibre-channel.md`).

use uuid::Uuid;

use super::{Awaited, VirtualIoServer};

/// `PhysicalFibreChannelAdapter`
#[derive(serde::Serialize, serde::Deserialize, Clone, Debug, PartialEq, Eq)]
pub struct FcAdapter {
    /// `Description`
    pub description: String,
    /// The location code of the slot, such as `U78CB.001.WZS007Y-P1-C3`.
    pub location: String,
    /// `AdapterID`, also the DRC index of the slot.
    pub id: u32,
    /// Its ports.
    pub ports: Vec<FcPort>,
}

/// `PhysicalFibreChannelPort`
#[derive(serde::Serialize, serde::Deserialize, Clone, Debug, PartialEq, Eq)]
pub struct FcPort {
    /// `PortName`, such as `fcs0`.
    pub name: String,
    /// `LocationCode`; `UniqueDeviceID` is `1a` and this.
    pub location: String,
    /// `WWPN`, 64 bits.
    pub wwpn: u64,
    /// `WWNN`, 64 bits.
    pub wwnn: u64,
    /// `TotalPorts` for virtual clients; 0 for a port that cannot be virtualised.
    pub total: u16,
    /// The fabric that it is plugged into, by its place in the list of fabrics.
    pub fabric: usize,
}

/// `VirtualFibreChannelMapping`: a server adapter (`vfchostN`), the client adapter it is paired with and the physical port
/// behind it.
#[derive(serde::Serialize, serde::Deserialize, Clone, Debug, PartialEq, Eq)]
pub struct FcMapping {
    /// `VirtualSlotNumber` of the server adapter.
    pub slot: u16,
    /// The number in `vfchostN`.
    pub vfchost: u32,
    /// The other end. None: any client, or one that has gone.
    pub client: Option<FcClient>,
    /// Whom the server adapter waits for while it has no client.
    pub awaited: Option<Awaited>,
    /// `MapPort`; none while nothing backs it.
    pub port: Option<String>,
    /// Changes with the mapping.
    pub version: u64,
}

/// The client end of an [`FcMapping`].
#[derive(serde::Serialize, serde::Deserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub struct FcClient {
    /// The UUID of the client partition.
    pub partition: Uuid,
    /// Its `PartitionID`.
    pub partition_id: u16,
    /// `VirtualSlotNumber` of the client adapter.
    pub slot: u16,
    /// `WWPNs`: the one that logs in first, then the one for mobility.
    pub wwpns: [u64; 2],
}

impl FcMapping {
    /// `AdapterName`
    #[must_use]
    pub fn adapter_name(&self) -> String {
        format!("vfchost{}", self.vfchost)
    }

    /// The numbers by which the server adapter names its client: partition and slot.
    #[must_use]
    pub fn connecting(&self) -> Awaited {
        match self.client {
            Some(client) => Awaited {
                partition_id: client.partition_id,
                slot: client.slot,
            },
            None => self.awaited.unwrap_or(Awaited::ANY),
        }
    }
}

impl VirtualIoServer {
    /// All ports of all Fibre Channel adapters.
    pub fn fc_ports(&self) -> impl Iterator<Item = &FcPort> {
        self.fc_adapters.iter().flat_map(|adapter| &adapter.ports)
    }

    /// The Fibre Channel port with this name.
    #[must_use]
    pub fn fc_port(&self, name: &str) -> Option<&FcPort> {
        self.fc_ports().find(|port| port.name == name)
    }

    /// `AvailablePorts`: how many virtual ports a physical one can still lend.
    #[must_use]
    pub fn available_ports(&self, port: &FcPort) -> u16 {
        let lent = self
            .fc_mappings
            .values()
            .filter(|mapping| mapping.port.as_ref() == Some(&port.name))
            .count();
        port.total
            .saturating_sub(u16::try_from(lent).unwrap_or(u16::MAX))
    }
}
