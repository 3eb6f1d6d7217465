//! Requests about SR-IOV adapters, logical ports and virtual NICs.

use uuid::Uuid;

use super::SlotChoice;
use crate::model::names::{SriovMode, SwitchMode};
use crate::model::resource::Owner;
use crate::model::sriov::Percent;

/// See [`Command::UpdateSystem`](super::Command::UpdateSystem).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpdateSystem {
    /// The managed system.
    pub system: Uuid,
    /// `SystemName`
    pub name: Option<String>,
    /// The SR-IOV adapters that the body has.
    pub adapters: Vec<SriovAdapterChange>,
}

/// `SRIOVAdapter`. What is `None` stays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SriovAdapterChange {
    /// `AdapterID`
    pub drc_index: u32,
    /// `AdapterMode`
    pub mode: Option<SriovMode>,
    /// Its physical ports of every kind.
    pub ports: Vec<SriovPortChange>,
}

/// A physical port. What is `None` stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SriovPortChange {
    /// `PhysicalPortID`
    pub id: u16,
    /// `Label`; empty takes it away.
    pub label: Option<String>,
    /// `SubLabel`; empty takes it away.
    pub sublabel: Option<String>,
    /// `ConfiguredMTU`
    pub jumbo_frames: Option<bool>,
    /// `ConfiguredFlowControl`
    pub flow_control: Option<bool>,
    /// `ConfiguredPortSwitchMode`
    pub switch_mode: Option<SwitchMode>,
    /// `ConfiguredMaxEthernetLogicalPorts`
    pub maximum_ports: Option<u16>,
}

/// See [`Command::CreateLogicalPort`](super::Command::CreateLogicalPort).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreateLogicalPort {
    /// The owning partition.
    pub owner: Owner,
    /// `AdapterID`: the number of the SR-IOV adapter.
    pub adapter: u16,
    /// `PhysicalPortID`
    pub port: u16,
    /// `ConfigurationID`; the lowest free one if nothing was said.
    pub configuration: Option<u16>,
    /// `ConfiguredCapacity`; the least that there is if nothing was said.
    pub capacity: Option<Percent>,
    /// `ConfiguredMaxCapacity`; all if nothing was said.
    pub maximum_capacity: Option<Percent>,
    /// `PortVLANID`
    pub vlan: u16,
    /// `IEEE8021QPriority`
    pub priority: u8,
    /// `IsPromiscous`
    pub promiscuous: bool,
    /// `IsDiagnostic`
    pub diagnostic: bool,
    /// `IsDebug`
    pub debug: bool,
    /// `IsHugeDMA`
    pub huge_dma: bool,
    /// `AllowedMACAddresses`
    pub allowed_macs: Option<String>,
    /// `AllowedVLANs`
    pub allowed_vlans: Option<String>,
    /// `MACAddress`
    pub mac: Option<String>,
}

impl CreateLogicalPort {
    /// A plain logical port on a physical port.
    #[must_use]
    pub const fn on(owner: Owner, adapter: u16, port: u16) -> Self {
        Self {
            owner,
            adapter,
            port,
            configuration: None,
            capacity: None,
            maximum_capacity: None,
            vlan: 0,
            priority: 0,
            promiscuous: false,
            diagnostic: false,
            debug: false,
            huge_dma: false,
            allowed_macs: None,
            allowed_vlans: None,
            mac: None,
        }
    }
}

/// See [`Command::UpdateLogicalPort`](super::Command::UpdateLogicalPort). What is `None` stays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpdateLogicalPort {
    /// The owning partition.
    pub owner: Owner,
    /// The logical port.
    pub port: Uuid,
    /// `ConfiguredCapacity`
    pub capacity: Option<Percent>,
    /// `ConfiguredMaxCapacity`
    pub maximum_capacity: Option<Percent>,
    /// `PortVLANID`
    pub vlan: Option<u16>,
    /// `IEEE8021QPriority`
    pub priority: Option<u8>,
    /// `IsPromiscous`
    pub promiscuous: Option<bool>,
    /// `IsDiagnostic`
    pub diagnostic: Option<bool>,
    /// `IsDebug`
    pub debug: Option<bool>,
    /// `AllowedMACAddresses`
    pub allowed_macs: Option<String>,
    /// `AllowedVLANs`
    pub allowed_vlans: Option<String>,
}

/// See [`Command::CreateVnic`](super::Command::CreateVnic).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreateVnic {
    /// The owning partition.
    pub partition: Uuid,
    /// Its slot.
    pub slot: SlotChoice,
    /// `MACAddress`; made from the partition's prefix and the slot if nothing was said.
    pub mac: Option<String>,
    /// `PortVLANID`
    pub vlan: u16,
    /// `PortVLANIDPriority`
    pub vlan_priority: u8,
    /// `AllowedVLANIDs`
    pub allowed_vlans: Option<String>,
    /// `AllowedOperatingSystemMACAddresses`
    pub allowed_os_macs: Option<String>,
    /// `AutoPriorityFailover`
    pub auto_failover: Option<bool>,
    /// `AssociatedBackingDevices`
    pub backing: Vec<BackingDeviceRequest>,
}

/// See [`Command::UpdateVnic`](super::Command::UpdateVnic). What is `None` stays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpdateVnic {
    /// The owning partition.
    pub partition: Uuid,
    /// The virtual NIC.
    pub vnic: Uuid,
    /// `PortVLANID`
    pub vlan: Option<u16>,
    /// `PortVLANIDPriority`
    pub vlan_priority: Option<u8>,
    /// `AllowedVLANIDs`
    pub allowed_vlans: Option<String>,
    /// `AllowedOperatingSystemMACAddresses`
    pub allowed_os_macs: Option<String>,
    /// `AutoPriorityFailover`
    pub auto_failover: Option<bool>,
    /// `AssociatedBackingDevices`, the whole list.
    pub backing: Option<Vec<BackingDeviceRequest>>,
}

/// `VirtualNICSRIOVBackingDevice`
#[derive(serde::Serialize, serde::Deserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub struct BackingDeviceRequest {
    /// The last UUID in `AssociatedVirtualIOServer`.
    pub vios: Uuid,
    /// `RelatedSRIOVAdapterID`
    pub adapter: u16,
    /// `RelatedSRIOVPhysicalPortID`
    pub port: u16,
    /// `CurrentCapacityPercentage`
    pub capacity: Option<Percent>,
    /// `MaxCapacityPercentage`
    pub maximum_capacity: Option<Percent>,
    /// `FailOverPriority`
    pub priority: Option<u8>,
    /// The last UUID in `RelatedSRIOVLogicalPort`: a device that is there.
    pub logical_port: Option<Uuid>,
}
