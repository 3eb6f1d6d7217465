//! Managed systems and the console that manages them.

use imbl::OrdMap;
use std::sync::Arc;
use uuid::Uuid;

use super::memory_pool::SharedMemoryPool;
use super::monitoring::Monitoring;
use super::names::{CompatibilityMode, SystemState};
use super::network::{NetworkBridge, VirtualNetwork, VirtualSwitch};
use super::processor_pool::SharedProcessorPool;
use super::serial_number::VirtualSerialNumber;
use super::sriov::SriovAdapter;
use super::units::ProcUnits;

/// `MachineTypeModelAndSerialNumber`
#[derive(serde::Serialize, serde::Deserialize, Clone, Debug, PartialEq, Eq)]
pub struct MachineId {
    /// Such as `8247`.
    pub machine_type: String,
    /// Such as `22L`.
    pub model: String,
    /// Such as `2125D4A`.
    pub serial: String,
}

impl MachineId {
    /// As location codes begin: `U8247.22L.2125D4A`.
    #[must_use]
    pub fn location(&self) -> String {
        format!("U{}.{}.{}", self.machine_type, self.model, self.serial)
    }

    /// The location code of a virtual adapter: `U8247.22L.2125D4A-V2-C3`.
    #[must_use]
    pub fn slot_location(&self, partition_id: u16, slot: u16) -> String {
        format!("{}-V{partition_id}-C{slot}", self.location())
    }
}

/// As people and error texts write it: `8247-22L*2125D4A`.
impl std::fmt::Display for MachineId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}-{}*{}", self.machine_type, self.model, self.serial)
    }
}

/// The management console: an HMC, or the NovaLink partition itself.
#[derive(serde::Serialize, serde::Deserialize, Clone, Debug, PartialEq, Eq)]
pub struct ManagementConsole {
    /// Its UUID.
    pub uuid: Uuid,
    /// The system that it runs on and manages, if it is a NovaLink.
    #[serde(default)]
    pub system: Option<Uuid>,
    /// `ManagementConsoleName`
    pub name: String,
    /// Its machine type, model and serial number.
    pub machine: MachineId,
    /// Its interfaces: name and addresses, separated by blanks.
    pub interfaces: Vec<(String, String)>,
    /// `PublicSSHKey` (NovaLink)
    pub public_ssh_key: Option<String>,
    /// `AuthorizedKeys`, in the order of their arrival.
    pub authorized_keys: Vec<String>,
    /// Changes with the document.
    pub version: u64,
}

/// What a managed system can do; the flags that clients decide on.
///
/// Flags that no client reads are constants of the renderer.
#[derive(serde::Serialize, serde::Deserialize, Clone, Debug, PartialEq, Eq)]
pub struct SystemCapabilities {
    /// `ActiveLogicalPartitionMobilityCapable`
    pub active_mobility: bool,
    /// `InactiveLogicalPartitionMobilityCapable`
    pub inactive_mobility: bool,
    /// `IBMiLogicalPartitionMobilityCapable`
    pub ibmi_mobility: bool,
    /// `PowerVMLogicalPartitionSimplifiedRemoteRestartCapable`
    pub simplified_remote_restart: bool,
    /// `DynamicSimplifiedRemoteRestartToggleCapable`
    pub dynamic_simplified_remote_restart: bool,
    /// `ActiveMemoryExpansionCapable`
    pub active_memory_expansion: bool,
    /// `ActiveMemorySharingCapable`
    pub active_memory_sharing: bool,
    /// `CustomPhysicalPageTableRatioCapable`
    pub physical_page_table_ratio: bool,
    /// `SharedProcessorPoolCapable`
    pub shared_processor_pools: bool,
    /// `VirtualNICDedicatedSRIOVCapable`
    pub vnic: bool,
    /// `VirtualNICFailOverCapable`
    pub vnic_failover: bool,
    /// `IBMiCapable`
    pub ibmi: bool,
    /// `AIXCapable`: `Inactive` if false.
    pub aix: bool,
    /// `LinuxCapable`
    pub linux: bool,
    /// `VirtualEthernetCustomMACAddressCapable`
    pub custom_mac_address: bool,
    /// `PartitionSecureBootCapable`
    pub secure_boot: bool,
    /// `IOSlotOwnerAssignmentCapable`
    pub io_slot_owner_assignment: bool,
    /// `DedicatedProcessorPartitionCapable`
    pub dedicated_processors: bool,
}

/// `AssociatedSystemMemoryConfiguration`, in megabytes. What is available is worked out by
/// [`World::available_memory`](super::World::available_memory).
#[derive(serde::Serialize, serde::Deserialize, Clone, Debug, PartialEq, Eq)]
pub struct SystemMemory {
    /// `InstalledSystemMemory`
    pub installed: u64,
    /// `ConfigurableSystemMemory`
    pub configurable: u64,
    /// `MemoryUsedByHypervisor` while no partition is active.
    pub hypervisor: u64,
    /// `MemoryRegionSize`: every partition's memory is a multiple of it.
    pub region: u64,
}

/// `AssociatedSystemProcessorConfiguration`. What is available is worked out by
/// [`World::available_processors`](super::World::available_processors).
#[derive(serde::Serialize, serde::Deserialize, Clone, Debug, PartialEq, Eq)]
pub struct SystemProcessors {
    /// `InstalledSystemProcessorUnits`
    pub installed: ProcUnits,
    /// `ConfigurableSystemProcessorUnits`
    pub configurable: ProcUnits,
    /// `MinimumProcessorUnitsPerVirtualProcessor`
    pub minimum_units_per_virtual: ProcUnits,
    /// The most dedicated processors that one partition may ask for.
    pub maximum_per_partition: u16,
    /// The most virtual processors that one partition may ask for.
    pub maximum_virtual_per_partition: u16,
    /// `SupportedPartitionProcessorCompatibilityModes`; `default` is always among them.
    pub compatibility_modes: Vec<CompatibilityMode>,
}

/// `SystemMigrationInformation`
#[derive(serde::Serialize, serde::Deserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub struct MigrationLimits {
    /// `MaximumInactiveMigrations`
    pub inactive: u32,
    /// `MaximumActiveMigrations`
    pub active: u32,
}

/// A physical slot with an adapter in it (`IOSlot`).
#[derive(serde::Serialize, serde::Deserialize, Clone, Debug, PartialEq, Eq)]
pub struct IoSlot {
    /// `Description`, such as `PCIe3 4-port Ethernet Adapter`.
    pub description: String,
    /// `SlotPhysicalLocationCode`, such as `C7`.
    pub location: String,
    /// `IOUnitPhysicalLocation`, such as `U78CB.001.WZS007Y`.
    pub unit_location: String,
    /// `SlotDynamicReconfigurationConnectorIndex`
    pub drc_index: u32,
    /// The PCI class, such as 512 for Ethernet and 3076 for Fibre Channel.
    pub pci_class: u32,
    /// The PCI vendor.
    pub pci_vendor: u32,
    /// The PCI device.
    pub pci_device: u32,
    /// The partition that owns the slot.
    pub owner: Option<Uuid>,
}

impl IoSlot {
    /// `SlotDynamicReconfigurationConnectorName`, such as `U78CB.001.WZS007Y-P1-C7`.
    #[must_use]
    pub fn location_code(&self) -> String {
        format!("{}-P1-{}", self.unit_location, self.location)
    }
}

/// A POWER server.
#[derive(serde::Serialize, serde::Deserialize, Clone, Debug, PartialEq, Eq)]
pub struct ManagedSystem {
    /// Its UUID.
    pub uuid: Uuid,
    /// `SystemName`
    pub name: String,
    /// Its machine type, model and serial number.
    pub machine: MachineId,
    /// `State`: `operating` if partitions may run.
    pub state: SystemState,
    /// `PrimaryIPAddress`
    pub ip_address: String,
    /// `MaximumPartitions`
    pub maximum_partitions: u16,
    /// What it can do.
    pub capabilities: SystemCapabilities,
    /// Its memory.
    pub memory: SystemMemory,
    /// Its processors.
    pub processors: SystemProcessors,
    /// Its limits for partition mobility.
    pub migration: MigrationLimits,
    /// Its physical slots.
    pub io_slots: Vec<IoSlot>,
    /// `WWPNPrefix`: a 64-bit number whose low 16 bits count up.
    pub wwpn_prefix: u64,
    /// `AvailableWWPNs`
    pub available_wwpns: u32,
    /// Its shared processor pools by `PoolID`; pool 0 is the default one.
    pub processor_pools: OrdMap<u8, Arc<SharedProcessorPool>>,
    /// Its shared memory pool, if it has one.
    pub memory_pool: Option<Arc<SharedMemoryPool>>,
    /// Its virtual serial numbers (NovaLink).
    pub serial_numbers: OrdMap<String, Arc<VirtualSerialNumber>>,
    /// What is measured of it.
    pub monitoring: Monitoring,
    /// Its virtual switches by UUID.
    pub switches: OrdMap<Uuid, Arc<VirtualSwitch>>,
    /// Its virtual networks by UUID. On NovaLink there is one for each VLAN in use.
    pub networks: OrdMap<Uuid, Arc<VirtualNetwork>>,
    /// `Description`
    pub description: String,
    /// `SystemLocation`
    pub location: String,
    /// Its network bridges by UUID.
    pub bridges: OrdMap<Uuid, Arc<NetworkBridge>>,
    /// Its SR-IOV adapters, shared or not.
    pub sriov_adapters: Vec<SriovAdapter>,
    /// Whether the answering console is the management controller.
    pub is_controller: bool,
    /// Whether it is so only until it lets go, and the controller before it takes over again.
    pub is_temporary_controller: bool,
    /// Changes with the document, lists of partitions and available memory included.
    pub version: u64,
}

impl ManagedSystem {
    /// The switch with this number.
    #[must_use]
    pub fn switch_by_id(&self, id: u16) -> Option<&Arc<VirtualSwitch>> {
        self.switches.values().find(|switch| switch.id == id)
    }
}
