//! SR-IOV: adapters that are shared in hardware, the logical ports that partitions have of them, and virtual NICs that
//! Virtual I/O Servers serve from logical ports (`docs/protocol/network.md`).

mod adapter;
mod capacity;
mod listing;
mod logical_port;
mod percent;
mod rules;
mod status;
mod vnic;
mod vnic_change;

use uuid::Uuid;

use super::names::{
    LogicalPortUsage, SriovMode, SriovPersonality, SriovPortKind, SriovSpeed, SriovState,
    SwitchMode,
};

pub use percent::Percent;
pub use status::BackingStatus;

/// The most backing devices of a virtual NIC (`MaximumBackingDevicesPerVNIC`).
pub const BACKING_DEVICES: usize = 6;
/// The logical ports that an adapter has (`MaximumLogicalPortsSupported`).
pub const LOGICAL_PORTS: u16 = 48;

/// `SRIOVAdapter`
#[derive(serde::Serialize, serde::Deserialize, Clone, Debug, PartialEq, Eq)]
pub struct SriovAdapter {
    /// `SRIOVAdapterID`, from 1; none of an adapter that is not shared.
    pub id: Option<u16>,
    /// `AdapterID`: the index of its slot.
    pub drc_index: u32,
    /// `Description`
    pub description: String,
    /// `PhysicalLocation`, such as `U78CB.001.WZS007Y-P1-C8`.
    pub location: String,
    /// `AdapterMode`
    pub mode: SriovMode,
    /// `AdapterState`
    pub state: SriovState,
    /// `Personality`
    pub personality: SriovPersonality,
    /// Its physical ports by number.
    pub ports: Vec<SriovPort>,
}

/// A physical port of an SR-IOV adapter.
#[derive(serde::Serialize, serde::Deserialize, Clone, Debug, PartialEq, Eq)]
pub struct SriovPort {
    /// `PhysicalPortID`, from 0.
    pub id: u16,
    /// What kind it is.
    pub kind: SriovPortKind,
    /// `LocationCode`: that of the adapter and `-T1` on.
    pub location: String,
    /// `LinkStatus`
    pub link: bool,
    /// The speed that it runs at while it has a link.
    pub speed: SriovSpeed,
    /// `PortLogicalPortLimit` and `MaxSupportedEthernetLogicalPorts`
    pub limit: u16,
    /// `MinimumEthernetCapacityGranularity`
    pub granularity: Percent,
    /// What clients set and read back.
    pub settings: SriovPortSettings,
}

/// What clients set on a physical port and read back.
#[derive(serde::Serialize, serde::Deserialize, Clone, Debug, PartialEq, Eq)]
pub struct SriovPortSettings {
    /// `Label`: the physical network.
    pub label: String,
    /// `SubLabel`
    pub sublabel: String,
    /// `ConfiguredMTU`: `E_1500` or `E_9000`.
    pub jumbo_frames: bool,
    /// `ConfiguredFlowControl`
    pub flow_control: bool,
    /// `ConfiguredPortSwitchMode`
    pub switch_mode: SwitchMode,
    /// `ConfiguredMaxEthernetLogicalPorts`
    pub maximum_ports: u16,
}

/// `SRIOVEthernetLogicalPort`: a share of a physical port, in a partition of either kind.
#[derive(serde::Serialize, serde::Deserialize, Clone, Debug, PartialEq, Eq)]
pub struct LogicalPort {
    /// Its UUID.
    pub uuid: Uuid,
    /// `ConfigurationID`, unique among those of its partition that are its own.
    pub configuration: u16,
    /// Which of the adapter's logical ports it is, from 1.
    pub number: u16,
    /// The number of the adapter.
    pub adapter: u16,
    /// The number of the physical port.
    pub port: u16,
    /// `ConfiguredCapacity`
    pub capacity: Percent,
    /// `ConfiguredMaxCapacity`
    pub maximum_capacity: Percent,
    /// `PortVLANID`; 0 is none.
    pub vlan: u16,
    /// `IEEE8021QPriority`
    pub priority: u8,
    /// `IsPromiscous` (so spelled)
    pub promiscuous: bool,
    /// `IsDiagnostic`
    pub diagnostic: bool,
    /// `IsDebug`
    pub debug: bool,
    /// `IsHugeDMA`
    pub huge_dma: bool,
    /// `AllowedMACAddresses`: `ALL`, `NONE` or addresses.
    pub allowed_macs: String,
    /// `AllowedVLANs`: `ALL`, `NONE` or numbers.
    pub allowed_vlans: String,
    /// `MACAddress`, 48 bits.
    pub mac: u64,
    /// The virtual NIC that it backs.
    pub vnic: Option<VnicName>,
    /// The device of a Virtual I/O Server, such as `ent8`.
    pub device: Option<String>,
    /// Changes with the document.
    pub version: u64,
}

/// Which virtual NIC.
#[derive(serde::Serialize, serde::Deserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub struct VnicName {
    /// The partition that has it.
    pub partition: Uuid,
    /// Its UUID.
    pub vnic: Uuid,
}

/// `VirtualNICDedicated`
#[derive(serde::Serialize, serde::Deserialize, Clone, Debug, PartialEq, Eq)]
pub struct Vnic {
    /// Its UUID.
    pub uuid: Uuid,
    /// `VirtualSlotNumber`
    pub slot: u16,
    /// `MACAddress`, 48 bits.
    pub mac: u64,
    /// `PortVLANID`; 0 is none.
    pub vlan: u16,
    /// `PortVLANIDPriority`, 0 to 7.
    pub vlan_priority: u8,
    /// `AllowedVLANIDs`: `ALL`, `NONE` or numbers.
    pub allowed_vlans: String,
    /// `AllowedOperatingSystemMACAddresses`: `ALL`, `NONE` or addresses.
    pub allowed_os_macs: String,
    /// `AutoPriorityFailover`
    pub auto_failover: bool,
    /// Its backing devices, in the order of their making.
    pub backing: Vec<BackingDevice>,
    /// Changes with what is the NIC's own; whether devices are well is worked out.
    pub version: u64,
}

/// `VirtualNICSRIOVBackingDevice`
#[derive(serde::Serialize, serde::Deserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub struct BackingDevice {
    /// The Virtual I/O Server.
    pub vios: Uuid,
    /// Its logical port.
    pub port: Uuid,
    /// `FailOverPriority`, 1 to 100; the lowest is preferred.
    pub priority: u8,
}

impl LogicalPort {
    /// `VNICPortUsage`
    #[must_use]
    pub const fn usage(&self) -> LogicalPortUsage {
        match self.vnic {
            Some(_) => LogicalPortUsage::DedicatedVnic,
            None => LogicalPortUsage::NotVnic,
        }
    }

    /// Whether it backs a virtual NIC.
    #[must_use]
    pub const fn is_for_vnic(&self) -> bool {
        self.vnic.is_some()
    }

    /// `LogicalPortID`: the index of its connector. Adapter 1 begins at 0x27004001 (recording `sriov_lp_feed`).
    #[must_use]
    pub fn drc_index(&self) -> u32 {
        drc_index(self.adapter, self.number)
    }

    /// `DynamicReconfigurationConnectorName`, such as `PHB 4097`.
    #[must_use]
    pub fn drc_name(&self) -> String {
        drc_name(self.adapter, self.number)
    }
}

/// See [`LogicalPort::drc_index`].
#[must_use]
pub fn drc_index(adapter: u16, number: u16) -> u32 {
    0x2700_0000 + 0x4000 * u32::from(adapter) + u32::from(number)
}

/// See [`LogicalPort::drc_name`].
#[must_use]
pub fn drc_name(adapter: u16, number: u16) -> String {
    format!("PHB {}", 0x1000 * u32::from(adapter) + u32::from(number))
}
