//! Virtual switches, virtual networks and the adapters that partitions plug into them.

pub mod adapter;
pub mod bridge;
pub mod switch;

use uuid::Uuid;

use super::names::SwitchMode;
pub use bridge::{
    BridgeMember, ControlChannel, LoadGroup, NetworkBridge, SharedEthernetAdapter,
    SharedEthernetSettings,
};

/// `VirtualSwitch`
#[derive(serde::Serialize, serde::Deserialize, Clone, Debug, PartialEq, Eq)]
pub struct VirtualSwitch {
    /// Its UUID.
    pub uuid: Uuid,
    /// `SwitchID`, small and unique in its system.
    pub id: u16,
    /// `SwitchName`; the default switch is `ETHERNET0` here and written `ETHERNET0(Default)`.
    pub name: String,
    /// `SwitchMode`
    pub mode: SwitchMode,
    /// Changes with the document, its list of networks included.
    pub version: u64,
}

impl VirtualSwitch {
    /// The name of the switch that every system has, with number 0.
    pub const DEFAULT: &'static str = "ETHERNET0";
    /// The switch for the management interfaces of a NovaLink system.
    pub const MANAGEMENT: &'static str = "MGMTSWITCH";
}

/// `VirtualNetwork`: a VLAN on a switch.
#[derive(serde::Serialize, serde::Deserialize, Clone, Debug, PartialEq, Eq)]
pub struct VirtualNetwork {
    /// Its UUID.
    pub uuid: Uuid,
    /// The UUID of the switch.
    pub switch: Uuid,
    /// `VswitchID`
    pub switch_id: u16,
    /// `NetworkName`
    pub name: String,
    /// `NetworkVLANID`
    pub vlan: u16,
    /// `TaggedNetwork`
    pub tagged: bool,
    /// Changes with the document.
    pub version: u64,
}

/// `ClientNetworkAdapter`, client or trunk.
#[derive(serde::Serialize, serde::Deserialize, Clone, Debug, PartialEq, Eq)]
pub struct NetworkAdapter {
    /// Its UUID.
    pub uuid: Uuid,
    /// `VirtualSlotNumber`
    pub slot: u16,
    /// `MACAddress`, 48 bits.
    pub mac: u64,
    /// `PortVLANID`
    pub vlan: u16,
    /// `TaggedVLANIDs`, ascending.
    pub tagged_vlans: Vec<u16>,
    /// `TaggedVLANSupported`
    pub tagged: bool,
    /// The UUID of the switch.
    pub switch: Uuid,
    /// `VirtualSwitchID`
    pub switch_id: u16,
    /// `RequiredAdapter`
    pub required: bool,
    /// `AllowedOperatingSystemMACAddresses`, such as `ALL`.
    pub allowed_os_macs: String,
    /// `QualityOfServicePriority`, 0 to 7; none is not enabled.
    pub quality_of_service: Option<u8>,
    /// `Enabled`
    pub enabled: bool,
    /// `VirtualStationInterface…`
    pub station: Option<StationInterface>,
    /// Set on trunk adapters only.
    pub trunk: Option<Trunk>,
    /// `ConfiguredMTU`
    pub mtu: Option<u32>,
    /// `OvsBridge`, as sent.
    pub ovs_bridge: Option<String>,
    /// `OvsPortExternalIds`, as sent.
    pub ovs_external_ids: Option<String>,
    /// Changes with the document.
    pub version: u64,
}

/// What makes an adapter a trunk.
#[derive(serde::Serialize, serde::Deserialize, Clone, Debug, PartialEq, Eq)]
pub struct Trunk {
    /// `TrunkPriority`
    pub priority: u8,
    /// `DeviceName`, such as `ent4`.
    pub device: Option<String>,
}

/// What a switch in VEPA mode knows an adapter by (IEEE 802.1Qbg).
#[derive(serde::Serialize, serde::Deserialize, Clone, Debug, PartialEq, Eq)]
pub struct StationInterface {
    /// `VirtualStationInterfaceTypeID`
    pub type_id: String,
    /// `VirtualStationInterfaceTypeVersion`
    pub type_version: String,
    /// `VirtualStationInterfaceManagerID`
    pub manager_id: String,
}

impl NetworkAdapter {
    /// The MAC address as documents have it: 12 hexadecimal digits, upper case, without separators.
    #[must_use]
    pub fn mac_text(&self) -> String {
        format!("{:012X}", self.mac)
    }

    /// What it carries, and as which of several trunk adapters.
    pub(crate) fn carries(&self) -> (u16, &[u16], bool, Option<u8>) {
        let priority = self.trunk.as_ref().map(|trunk| trunk.priority);
        (self.vlan, &self.tagged_vlans, self.tagged, priority)
    }

    /// The VLANs that the adapter takes part in: its own and the tagged ones.
    pub fn vlans(&self) -> impl Iterator<Item = u16> {
        std::iter::once(self.vlan).chain(self.tagged_vlans.iter().copied())
    }
}
