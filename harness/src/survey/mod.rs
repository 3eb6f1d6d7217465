//! A host as its REST API shows it, read by the auditor itself.
//!
//! The audit does not ask the driver what there is: what the audited code overlooks, the audit would overlook too.

mod devices;
mod read;
mod suspicion;

use crate::audit::{Inventory, ItemKind};
use crate::scenario::Disk;
use crate::target::Capacity;

pub use self::suspicion::Suspicion;

/// What reports call this view of a host.
pub const VIEW: &str = "REST API";

/// Everything that the REST API shows of a host.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Survey {
    /// The managed systems.
    pub systems: Vec<SystemFacts>,
    /// Logical partitions and Virtual I/O Servers.
    pub partitions: Vec<PartitionFacts>,
    /// Network adapters of logical partitions.
    pub network_adapters: Vec<NetworkAdapterFacts>,
    /// SCSI mappings of all Virtual I/O Servers.
    pub mappings: Vec<MappingFacts>,
    /// Volume groups of all Virtual I/O Servers.
    pub volume_groups: Vec<VolumeGroupFacts>,
    /// Shared storage pools.
    pub pools: Vec<PoolFacts>,
    /// Virtual networks, by the name of their system and their own.
    pub virtual_networks: Vec<(String, String)>,
    /// Names of file records.
    pub files: Vec<String>,
    /// Disks, Fibre Channel mappings, VLANs of trunk adapters and virtual NICs: kind, name and what has them.
    pub devices: Vec<(ItemKind, String, String)>,
}

/// A managed system.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SystemFacts {
    /// Its name.
    pub name: String,
    /// Free memory in MB.
    pub memory_free_mb: u64,
    /// Memory is handed out in multiples of this, MB.
    pub memory_region_mb: u64,
    /// Free processing units in hundredths.
    pub units_free: u64,
}

/// A logical partition or Virtual I/O Server.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PartitionFacts {
    /// Its UUID in upper case.
    pub uuid: String,
    /// Its number.
    pub id: Option<u32>,
    /// Its name.
    pub name: String,
    /// Whether it is a Virtual I/O Server.
    pub is_vios: bool,
}

/// A network adapter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NetworkAdapterFacts {
    /// The name of its partition.
    pub partition: String,
    /// Its MAC address.
    pub mac: String,
    /// Its slot.
    pub slot: Option<u32>,
}

/// A SCSI mapping.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MappingFacts {
    /// The name of the Virtual I/O Server.
    pub vios: String,
    /// The server adapter, `vhost0`.
    pub adapter: String,
    /// Whether there is a client adapter.
    pub has_client: bool,
    /// The number of the client partition, as the server adapter has it.
    pub client_id: Option<u32>,
    /// Whether any client may use the adapter.
    pub for_anybody: bool,
    /// The name of the storage; none without any.
    pub storage: Option<String>,
    /// The UDID of the storage.
    pub storage_udid: Option<String>,
}

/// A volume group.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VolumeGroupFacts {
    /// Its name.
    pub name: String,
    /// The name of its Virtual I/O Server.
    pub vios: String,
    /// Free space in millionths of a gigabyte.
    pub free: u64,
    /// Names and UDIDs of its virtual disks.
    pub disks: Vec<(String, String)>,
    /// The name of its media repository, with names and UDIDs of its media.
    pub repository: Option<(String, Vec<(String, String)>)>,
}

/// A shared storage pool.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PoolFacts {
    /// Its name.
    pub name: String,
    /// Free space in millionths of a gigabyte.
    pub free: u64,
    /// Its logical units.
    pub units: Vec<UnitFacts>,
}

/// A logical unit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UnitFacts {
    /// The name of its tier.
    pub tier: String,
    /// Its name.
    pub name: String,
    /// Its UDID.
    pub udid: String,
    /// Whether it is an image.
    pub is_image: bool,
    /// The UDID of the image that it is a clone of.
    pub cloned_from: Option<String>,
    /// Whether some Virtual I/O Server of the cluster has it mapped.
    pub in_use: bool,
}

impl VolumeGroupFacts {
    fn place(&self) -> String {
        format!("{} of {}", self.name, self.vios)
    }
}

impl Survey {
    /// The inventory of the leak audit.
    #[must_use]
    pub fn inventory(&self) -> Inventory {
        let mut inventory = Inventory::new(VIEW.to_owned());
        for system in &self.systems {
            inventory.measure("free memory, MB", &system.name, system.memory_free_mb);
            inventory.measure(
                "free processing units, 1/100",
                &system.name,
                system.units_free,
            );
        }
        for partition in &self.partitions {
            inventory.add(ItemKind::Partition, &partition.name, "");
        }
        for adapter in &self.network_adapters {
            let slot = adapter
                .slot
                .map(|slot| format!(" in slot {slot}"))
                .unwrap_or_default();
            inventory.add(
                ItemKind::Adapter,
                format!("Ethernet {}{slot}", adapter.mac),
                &adapter.partition,
            );
        }
        for mapping in &self.mappings {
            let storage = mapping.storage.as_deref().unwrap_or("no storage");
            let name = format!(
                "{} to {}: {storage}",
                mapping.adapter,
                self.client_of(mapping)
            );
            inventory.add(ItemKind::Mapping, name, &mapping.vios);
        }
        for group in &self.volume_groups {
            let place = group.place();
            inventory.measure("free space, GB/1000000", &place, group.free);
            for (name, _) in &group.disks {
                inventory.add(ItemKind::VirtualDisk, basename(name), &place);
            }
            if let Some((repository, media)) = &group.repository {
                inventory.add(ItemKind::MediaRepository, repository, &place);
                for (name, _) in media {
                    inventory.add(ItemKind::Media, name, format!("{repository} in {place}"));
                }
            }
        }
        for pool in &self.pools {
            inventory.measure(
                "free space, GB/1000000",
                format!("pool {}", pool.name),
                pool.free,
            );
            for unit in &pool.units {
                inventory.add(
                    ItemKind::LogicalUnit,
                    &unit.name,
                    format!("tier {}", unit.tier),
                );
            }
        }
        for (kind, name, place) in &self.devices {
            inventory.add(*kind, name, place);
        }
        for (system, network) in &self.virtual_networks {
            inventory.add(ItemKind::VirtualNetwork, network, system);
        }
        for file in &self.files {
            inventory.add(ItemKind::File, file, "");
        }
        inventory
    }

    /// What is left to deploy on, boot disks going to the pool or to a volume group of that name.
    #[must_use]
    pub fn capacity(&self, disk: Disk, volume_group: &str) -> Capacity {
        let disk_free = match disk {
            Disk::Ssp => self.pools.iter().map(|pool| pool.free).max(),
            Disk::Localdisk => {
                let groups = self
                    .volume_groups
                    .iter()
                    .filter(|group| group.name == volume_group);
                groups.map(|group| group.free).max()
            }
        };
        let system = self.systems.first();
        Capacity {
            memory_free_mb: system.map_or(0, |system| system.memory_free_mb),
            memory_region_mb: system.map_or(1, |system| system.memory_region_mb),
            disk_free_gb: disk_free.unwrap_or_default() / 1_000_000,
        }
    }

    /// The client of a mapping, by name where there is one.
    fn client_of(&self, mapping: &MappingFacts) -> String {
        if mapping.for_anybody {
            return "any partition".to_owned();
        }
        let Some(id) = mapping.client_id else {
            return "an unknown partition".to_owned();
        };
        let named = self
            .partitions
            .iter()
            .find(|partition| partition.id == Some(id));
        named.map_or_else(
            || format!("partition {id}, which does not exist"),
            |partition| partition.name.clone(),
        )
    }
}

/// The API may give the name of a disk as a path.
fn basename(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

#[cfg(test)]
mod tests;
