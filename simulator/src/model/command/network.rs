//! Requests about network adapters and virtual networks.

use uuid::Uuid;

use super::SlotChoice;
use crate::model::network::{StationInterface, Trunk};
use crate::model::resource::Owner;

/// See [`Command::CreateNetworkAdapter`](super::Command::CreateNetworkAdapter).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreateNetworkAdapter {
    /// The owning partition.
    pub owner: Owner,
    /// Its slot.
    pub slot: SlotChoice,
    /// `MACAddress` as sent; made from the partition's prefix and the slot if nothing was said.
    pub mac: Option<String>,
    /// `PortVLANID`
    pub vlan: u16,
    /// `TaggedVLANIDs`
    pub tagged_vlans: Vec<u16>,
    /// `TaggedVLANSupported`
    pub tagged: Option<bool>,
    /// The last UUID in the link to the switch; the default switch if nothing was said.
    pub switch: Option<Uuid>,
    /// `AllowedOperatingSystemMACAddresses`
    pub allowed_os_macs: Option<String>,
    /// `QualityOfServicePriority`, where it is enabled.
    pub quality_of_service: Option<u8>,
    /// `Enabled`
    pub enabled: Option<bool>,
    /// `RequiredAdapter`
    pub required: Option<bool>,
    /// `VirtualStationInterface…`
    pub station: Option<StationInterface>,
    /// `TrunkPriority` and `DeviceName`
    pub trunk: Option<Trunk>,
    /// `ConfiguredMTU`
    pub mtu: Option<u32>,
    /// `OvsBridge`
    pub ovs_bridge: Option<String>,
    /// `OvsPortExternalIds`
    pub ovs_external_ids: Option<String>,
}

/// See [`Command::UpdateNetworkAdapter`](super::Command::UpdateNetworkAdapter). What is `None` stays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpdateNetworkAdapter {
    /// The owning partition.
    pub owner: Owner,
    /// The adapter.
    pub adapter: Uuid,
    /// `PortVLANID`
    pub vlan: Option<u16>,
    /// `TaggedVLANIDs`
    pub tagged_vlans: Option<Vec<u16>>,
    /// `TaggedVLANSupported`
    pub tagged: Option<bool>,
    /// `AllowedOperatingSystemMACAddresses`
    pub allowed_os_macs: Option<String>,
    /// `QualityOfServicePriority`; the inner none is not enabled.
    pub quality_of_service: Option<Option<u8>>,
    /// `Enabled`
    pub enabled: Option<bool>,
    /// `RequiredAdapter`
    pub required: Option<bool>,
    /// `TrunkPriority` and `DeviceName`
    pub trunk: Option<Trunk>,
    /// `ConfiguredMTU`
    pub mtu: Option<u32>,
    /// `OvsBridge`
    pub ovs_bridge: Option<String>,
    /// `OvsPortExternalIds`
    pub ovs_external_ids: Option<String>,
}

/// See [`Command::CreateNetwork`](super::Command::CreateNetwork).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreateNetwork {
    /// The managed system.
    pub system: Uuid,
    /// The last UUID in the link to the switch.
    pub switch: Uuid,
    /// `NetworkName`
    pub name: String,
    /// `NetworkVLANID`
    pub vlan: u16,
    /// `TaggedNetwork`
    pub tagged: bool,
}
