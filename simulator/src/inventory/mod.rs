//! Inventory files: what stands in the machine room when the simulator starts.
//!
//! A file is TOML. Everything has a default, unknown keys are refused by name, and one seed makes one world.

mod build;
mod cluster;
mod defaults;
mod directory;
mod exact;
mod existing;
mod furnish;
mod furnished;
mod hardware;
mod import;
mod network;
mod places;
mod san;
mod server;

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::clock::Millis;
use crate::model::{Flavor, Refusal, World};

pub use defaults::Sizes;
pub use directory::{
    EnterprisePoolInventory, EnterprisePoolMemberInventory, GroupInventory, MemoryPoolInventory,
    TemplateInventory,
};
pub use exact::{
    AdapterInventory, FcMappingInventory, LogicalUnitInventory, MappingInventory, MediumInventory,
    ProcessorInventory, VirtualDiskInventory,
};
pub use import::{ImportError, Imported, import};
pub use network::{NetworkInventory, SriovInventory, SriovPortInventory, SriovPortType};
pub use places::Located;
pub use san::SanInventory;

/// An inventory file with everything that one can hold, with comments.
pub const EXAMPLE: &str = include_str!("example.toml");

/// Why an inventory makes no world.
#[derive(Debug, thiserror::Error)]
pub enum InventoryError {
    /// The file is no TOML, or has a key that does not exist.
    #[error("the inventory file cannot be read: {0}")]
    Syntax(String),
    /// Something refers to what is not there, or is there twice.
    #[error("the inventory contradicts itself: {0}")]
    Inconsistent(String),
    /// The model refused something that the inventory asks for.
    #[error("the inventory asks for what a server would refuse: {}", .0.message)]
    Refused(Refusal),
}

impl From<Refusal> for InventoryError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

/// What stands in the machine room.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Inventory {
    /// The name of the management console; `novalink` of a NovaLink and `hmc` of an HMC if nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub console: Option<String>,
    /// SSH keys that the management console knows.
    #[serde(default)]
    pub authorized_keys: Vec<String>,
    /// The managed systems; each has a NovaLink of its own in that flavour.
    pub systems: Vec<SystemInventory>,
    /// The clusters with their shared storage pools.
    #[serde(default)]
    pub clusters: Vec<ClusterInventory>,
    /// The storage area network.
    #[serde(default)]
    pub san: SanInventory,
    /// Groups of partitions and systems.
    #[serde(default)]
    pub groups: Vec<GroupInventory>,
    /// Power enterprise pools.
    #[serde(default)]
    pub enterprise_pools: Vec<EnterprisePoolInventory>,
    /// Partition templates besides those that an HMC comes with.
    #[serde(default)]
    pub templates: Vec<TemplateInventory>,
    /// Other simulators that partitions can move to.
    #[serde(default)]
    pub peers: Vec<PeerInventory>,
}

/// Another simulator.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PeerInventory {
    /// What migrations give as `TargetRemoteHMCIPAddress`.
    pub name: String,
    /// The file that it tells its admin API in (`--ready-file`). It is read when it is needed.
    pub ready_file: PathBuf,
}

/// A POWER server.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SystemInventory {
    /// Its name.
    pub name: String,
    /// Its UUID; drawn if nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uuid: Option<Uuid>,
    /// Its machine type, four characters.
    #[serde(default = "defaults::machine_type")]
    pub machine_type: String,
    /// Its model, three characters.
    #[serde(default = "defaults::model")]
    pub model: String,
    /// Its serial number, seven characters.
    pub serial: String,
    /// What it is for.
    #[serde(default)]
    pub description: String,
    /// Where it stands.
    #[serde(default)]
    pub location: String,
    /// Its memory in megabytes.
    #[serde(default = "defaults::memory_mb")]
    pub memory_mb: u64,
    /// What the hypervisor takes of it while no partition is active, in megabytes.
    #[serde(default = "defaults::hypervisor_mb")]
    pub hypervisor_mb: u64,
    /// The memory region size in megabytes.
    #[serde(default = "defaults::memory_region_mb")]
    pub memory_region_mb: u64,
    /// Its processor cores.
    #[serde(default = "defaults::processors")]
    pub processors: u32,
    /// Processor compatibility modes besides `default`.
    #[serde(default = "defaults::compatibility_modes")]
    pub compatibility_modes: Vec<String>,
    /// Names of virtual switches besides the default one.
    #[serde(default = "defaults::switches")]
    pub switches: Vec<String>,
    /// Names of shared processor pools besides the default one, numbered from 1.
    #[serde(default)]
    pub processor_pools: Vec<String>,
    /// Its shared memory pool.
    #[serde(default)]
    pub memory_pool: Option<MemoryPoolInventory>,
    /// Virtual serial numbers that its partitions may get, seven capital letters and digits each.
    #[serde(default)]
    pub serial_numbers: Vec<String>,
    /// Its SR-IOV adapters.
    #[serde(default)]
    pub sriov: Vec<SriovInventory>,
    /// The NovaLink partition; none behind an HMC.
    #[serde(default)]
    pub management_partition: Option<ManagementInventory>,
    /// Its Virtual I/O Servers.
    pub vioses: Vec<ViosInventory>,
    /// Partitions that are there already.
    #[serde(default)]
    pub partitions: Vec<PartitionInventory>,
}

/// The NovaLink partition. It boots from a virtual disk on each Virtual I/O Server.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ManagementInventory {
    /// Its name.
    #[serde(default = "defaults::management_name")]
    pub name: String,
    /// Its UUID; drawn if nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uuid: Option<Uuid>,
    /// Its number; 1 if nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<u16>,
    /// Its memory in megabytes.
    #[serde(default = "defaults::management_memory_mb")]
    pub memory_mb: u64,
    /// The size of its virtual disk on the first volume group of each Virtual I/O Server, in gigabytes.
    #[serde(default = "defaults::management_disk_gb")]
    pub disk_gb: u64,
}

/// A Virtual I/O Server.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ViosInventory {
    /// Its name, unique in its system and in clusters.
    pub name: String,
    /// Its UUID; drawn if nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uuid: Option<Uuid>,
    /// Its number; the next one if nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<u16>,
    /// Its level, such as `2.2.6.10`.
    #[serde(default = "defaults::vios_level")]
    pub level: String,
    /// Its memory in megabytes.
    #[serde(default = "defaults::vios_memory_mb")]
    pub memory_mb: u64,
    /// Its share of processors in hundredths.
    #[serde(default = "defaults::vios_units")]
    pub processor_units_hundredths: u32,
    /// How many whole processors it has, in the place of a share.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dedicated_processors: Option<u16>,
    /// Its disks.
    pub disks: Vec<DiskInventory>,
    /// Its volume groups, `rootvg` first.
    pub volume_groups: Vec<VolumeGroupInventory>,
    /// How many Fibre Channel ports it has, two on an adapter.
    #[serde(default = "defaults::fc_ports")]
    pub fc_ports: u16,
    /// Whether it has an iSCSI initiator.
    #[serde(default = "defaults::iscsi")]
    pub iscsi: bool,
    /// Whether NovaLink runs on it: it is the management partition then, and its system has no other.
    #[serde(default)]
    pub is_management: bool,
    /// Its shared Ethernet adapter.
    #[serde(default)]
    pub network: Option<NetworkInventory>,
}

/// A disk as a Virtual I/O Server sees it.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DiskInventory {
    /// Such as `hdisk0`.
    pub name: String,
    /// Its size in gigabytes.
    pub gb: u64,
    /// Its UDID; made up if nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub udid: Option<String>,
    /// The name of the SAN volume that it is; the same volume may be seen by several Virtual I/O Servers. A disk
    /// without one is local.
    #[serde(default)]
    pub san: Option<String>,
    /// Who may write to it: `NoReserve` if nothing is said, as several Virtual I/O Servers may serve it then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reserve_policy: Option<String>,
    /// How many reads a second it is limited to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_iops: Option<u32>,
    /// How many writes a second it is limited to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub write_iops: Option<u32>,
    /// Whether its Virtual I/O Server encrypts it (LUKS).
    #[serde(default)]
    pub encrypted: bool,
}

/// A volume group.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VolumeGroupInventory {
    /// Such as `rootvg`.
    pub name: String,
    /// The names of its disks.
    pub disks: Vec<String>,
    /// What the Virtual I/O Server itself takes of it, in gigabytes.
    #[serde(default)]
    pub reserved_gb: u64,
    /// The size of the media repository in it, in gigabytes; none without.
    #[serde(default)]
    pub repository_gb: Option<u64>,
    /// Virtual disks in it.
    #[serde(default)]
    pub virtual_disks: Vec<VirtualDiskInventory>,
    /// Media in its repository.
    #[serde(default)]
    pub media: Vec<MediumInventory>,
}

/// A cluster and its pool.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClusterInventory {
    /// Its name.
    pub name: String,
    /// The name of its pool.
    pub pool: String,
    /// The names of its Virtual I/O Servers, each as `system/vios`.
    pub nodes: Vec<String>,
    /// The SAN volume that is its repository.
    pub repository: String,
    /// The SAN volumes that make up the pool.
    pub volumes: Vec<String>,
    /// How much of the pool's capacity may be promised to logical units, in percent.
    #[serde(default = "defaults::overcommit_percent")]
    pub overcommit_percent: u32,
    /// Logical units in it, images before their clones.
    #[serde(default)]
    pub logical_units: Vec<LogicalUnitInventory>,
}

/// A partition that is there already, with one interface on the default switch. With a boot disk it has a logical unit
/// of the first pool that its system reaches, mapped by every Virtual I/O Server of that pool.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PartitionInventory {
    /// Its name.
    pub name: String,
    /// Its UUID; drawn if nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uuid: Option<Uuid>,
    /// Its number; the next one if nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<u16>,
    /// `AIX/Linux`, or `OS400` for IBM i.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// The least memory that it starts with, in megabytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_minimum_mb: Option<u64>,
    /// The most memory that it may get while it runs, in megabytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_maximum_mb: Option<u64>,
    /// How many virtual slots it has; 64 if nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maximum_slots: Option<u32>,
    /// Its processors in full, in the place of `virtual_processors` and `processor_units_hundredths`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub processors: Option<ProcessorInventory>,
    /// Its network adapters, in the place of the one on `vlan`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adapters: Option<Vec<AdapterInventory>>,
    /// Storage that Virtual I/O Servers show to it, besides its boot disk.
    #[serde(default)]
    pub mappings: Vec<MappingInventory>,
    /// Its virtual Fibre Channel adapters, besides those that `fc_adapters` counts.
    #[serde(default)]
    pub fc_mappings: Vec<FcMappingInventory>,
    /// Its memory in megabytes.
    #[serde(default = "defaults::partition_memory_mb")]
    pub memory_mb: u64,
    /// Its virtual processors.
    #[serde(default = "defaults::partition_processors")]
    pub virtual_processors: u16,
    /// Its share of processors in hundredths.
    #[serde(default = "defaults::partition_units")]
    pub processor_units_hundredths: u32,
    /// The VLAN of its interface.
    #[serde(default = "defaults::vlan")]
    pub vlan: u16,
    /// The size of its boot disk in gigabytes; none without.
    #[serde(default)]
    pub disk_gb: Option<u64>,
    /// Whether it has a virtual NIC and an SR-IOV logical port.
    #[serde(default)]
    pub sriov: bool,
    /// Whether it runs; it needs a boot disk for that.
    #[serde(default)]
    pub running: bool,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Whether its memory comes from its system's shared memory pool.
    #[serde(default)]
    pub shared_memory: bool,
    /// The physical slots that it owns, such as `C12`.
    #[serde(default)]
    pub io_slots: Vec<String>,
    /// The virtual serial number that it has, one of its system's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serial_number: Option<String>,
    /// How many virtual Fibre Channel adapters it has, spread over the ports of its system's Virtual I/O Servers.
    #[serde(default)]
    pub fc_adapters: u16,
}

impl Inventory {
    /// Reads a file.
    ///
    /// # Errors
    /// [`InventoryError::Syntax`] with the place and the name of what is wrong.
    pub fn from_toml(text: &str) -> Result<Self, InventoryError> {
        toml::from_str(text).map_err(|error| InventoryError::Syntax(error.to_string()))
    }

    /// The JSON schema of inventory files, for editors and checkers.
    #[must_use]
    pub fn schema() -> schemars::Schema {
        schemars::schema_for!(Self)
    }

    /// What the simulator starts with if nothing else is said: a deploy works on it at once.
    #[must_use]
    pub fn default_for(flavor: Flavor) -> Self {
        Self::sized(flavor, Sizes::default())
    }

    /// The world of this inventory. Everything made up for it comes from `seed`.
    ///
    /// # Errors
    /// [`InventoryError::Inconsistent`] or [`InventoryError::Refused`], naming what is wrong.
    pub fn world(&self, flavor: Flavor, seed: u64, now: Millis) -> Result<World, InventoryError> {
        build::world(self, flavor, seed, now)
    }
}

#[cfg(test)]
mod tests;
