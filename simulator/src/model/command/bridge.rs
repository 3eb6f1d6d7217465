//! Requests about network bridges.

use uuid::Uuid;

use super::SlotChoice;

/// See [`Command::CreateNetworkBridge`](super::Command::CreateNetworkBridge).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreateNetworkBridge {
    /// The managed system.
    pub system: Uuid,
    /// `PortVLANID`
    pub vlan: u16,
    /// `FailoverEnabled`; with two members if nothing was said.
    pub failover: Option<bool>,
    /// `LoadBalancingEnabled`
    pub load_balancing: bool,
    /// `ControlChannelID`
    pub control_channel: Option<u16>,
    /// `SharedEthernetAdapters`
    pub adapters: Vec<SharedEthernetRequest>,
}

/// See [`Command::UpdateNetworkBridge`](super::Command::UpdateNetworkBridge). What is `None` stays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpdateNetworkBridge {
    /// The managed system.
    pub system: Uuid,
    /// The bridge.
    pub bridge: Uuid,
    /// `FailoverEnabled`
    pub failover: Option<bool>,
    /// `LoadBalancingEnabled`
    pub load_balancing: Option<bool>,
    /// `ControlChannelID`
    pub control_channel: Option<u16>,
    /// `LoadGroups`, the whole list.
    pub load_groups: Option<Vec<LoadGroupRequest>>,
    /// `SharedEthernetAdapters`, the whole list.
    pub adapters: Option<Vec<SharedEthernetRequest>>,
}

/// `LoadGroup`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoadGroupRequest {
    /// `PortVLANID`
    pub vlan: u16,
    /// The last UUIDs in the links to virtual networks.
    pub networks: Option<Vec<Uuid>>,
}

/// `SharedEthernetAdapter`
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SharedEthernetRequest {
    /// The last UUID in `AssignedVirtualIOServer`.
    pub vios: Option<Uuid>,
    /// `BackingDeviceChoice/EthernetBackingDevice/DeviceName`
    pub backing_device: Option<String>,
    /// `IsPrimary`
    pub primary: Option<bool>,
    /// `TrunkAdapters`, the whole list.
    pub trunks: Option<Vec<TrunkRequest>>,
    /// What is set on it.
    pub settings: SharedEthernetSettingsRequest,
}

/// What a client sets on a shared Ethernet adapter. What is `None` stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SharedEthernetSettingsRequest {
    /// `JumboFramesEnabled`
    pub jumbo_frames: Option<bool>,
    /// `QueueSize`
    pub queue_size: Option<u32>,
    /// `ThreadModeEnabled`
    pub thread_mode: Option<bool>,
    /// `LargeSend`
    pub large_send: Option<bool>,
    /// `QualityOfServiceMode`
    pub quality_of_service: Option<String>,
    /// `AddressToPing`
    pub address_to_ping: Option<String>,
}

/// `TrunkAdapter`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrunkRequest {
    /// Its slot: given for one that is there.
    pub slot: SlotChoice,
    /// `MACAddress`
    pub mac: Option<String>,
    /// `PortVLANID`
    pub vlan: u16,
    /// `TaggedVLANIDs`
    pub tagged_vlans: Option<Vec<u16>>,
    /// `TaggedVLANSupported`
    pub tagged: Option<bool>,
    /// `RequiredAdapter`
    pub required: Option<bool>,
    /// `TrunkPriority`
    pub priority: Option<u8>,
    /// The last UUID in the link to the switch.
    pub switch: Option<Uuid>,
    /// `VirtualSwitchID`
    pub switch_id: Option<u16>,
}
