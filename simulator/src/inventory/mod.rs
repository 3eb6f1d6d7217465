//! Inventory files: what stands in the machine room when the simulator starts.
//!
//! A file is TOML. Everything has a default, unknown keys are refused by name, and one seed makes one world.

mod build;
mod cluster;
mod defaults;
mod existing;
mod hardware;
mod server;

use serde::Deserialize;

use crate::clock::Millis;
use crate::model::{Flavor, Refusal, World};

pub use defaults::Sizes;

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
    #[error("the inventory asks for what a server would refuse: {0}")]
    Refused(#[from] Refusal),
}

/// What stands in the machine room.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Inventory {
    /// The name of the management console.
    #[serde(default = "defaults::console")]
    pub console: String,
    /// The managed systems; a NovaLink has exactly one.
    pub systems: Vec<SystemInventory>,
    /// The clusters with their shared storage pools.
    #[serde(default)]
    pub clusters: Vec<ClusterInventory>,
}

/// A POWER server.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SystemInventory {
    /// Its name.
    pub name: String,
    /// Its machine type, four characters.
    #[serde(default = "defaults::machine_type")]
    pub machine_type: String,
    /// Its model, three characters.
    #[serde(default = "defaults::model")]
    pub model: String,
    /// Its serial number, seven characters.
    pub serial: String,
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
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ManagementInventory {
    /// Its name.
    #[serde(default = "defaults::management_name")]
    pub name: String,
    /// Its memory in megabytes.
    #[serde(default = "defaults::management_memory_mb")]
    pub memory_mb: u64,
    /// The size of its virtual disk on the first volume group of each Virtual I/O Server, in gigabytes.
    #[serde(default = "defaults::management_disk_gb")]
    pub disk_gb: u64,
}

/// A Virtual I/O Server.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ViosInventory {
    /// Its name, unique in its system and in clusters.
    pub name: String,
    /// Its memory in megabytes.
    #[serde(default = "defaults::vios_memory_mb")]
    pub memory_mb: u64,
    /// Its share of processors in hundredths.
    #[serde(default = "defaults::vios_units")]
    pub processor_units_hundredths: u32,
    /// Its disks.
    pub disks: Vec<DiskInventory>,
    /// Its volume groups, `rootvg` first.
    pub volume_groups: Vec<VolumeGroupInventory>,
    /// How many Fibre Channel ports it has, two on an adapter.
    #[serde(default = "defaults::fc_ports")]
    pub fc_ports: u16,
    /// Its shared Ethernet adapter.
    #[serde(default)]
    pub network: Option<NetworkInventory>,
}

/// A disk as a Virtual I/O Server sees it.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DiskInventory {
    /// Such as `hdisk0`.
    pub name: String,
    /// Its size in gigabytes.
    pub gb: u64,
    /// The name of the SAN volume that it is; the same volume may be seen by several Virtual I/O Servers. A disk
    /// without one is local.
    #[serde(default)]
    pub san: Option<String>,
}

/// A volume group.
#[derive(Clone, Debug, PartialEq, Deserialize)]
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
}

/// A shared Ethernet adapter on the default switch.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NetworkInventory {
    /// The VLAN of untagged frames.
    #[serde(default = "defaults::vlan")]
    pub vlan: u16,
    /// VLANs that it bridges tagged, at most 20.
    #[serde(default)]
    pub tagged_vlans: Vec<u16>,
    /// The priority of its trunk adapters; the lowest number bridges.
    pub priority: u8,
}

/// A cluster and its pool.
#[derive(Clone, Debug, PartialEq, Deserialize)]
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
}

/// A partition that is there already, with one interface on the default switch. With a boot disk it has a logical unit
/// of the first pool that its system reaches, mapped by every Virtual I/O Server of that pool.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PartitionInventory {
    /// Its name.
    pub name: String,
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
    /// Whether it runs; it needs a boot disk for that.
    #[serde(default)]
    pub running: bool,
}

impl Inventory {
    /// Reads a file.
    ///
    /// # Errors
    /// [`InventoryError::Syntax`] with the place and the name of what is wrong.
    pub fn from_toml(text: &str) -> Result<Self, InventoryError> {
        toml::from_str(text).map_err(|error| InventoryError::Syntax(error.to_string()))
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
