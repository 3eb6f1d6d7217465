//! The shared memory pool of a system: memory that partitions share, with disks that they page to.
//!
//! Cassette `refresher.yml` (one system of three has one); the rules are `docs/protocol/pools.md`.

use std::sync::Arc;
use uuid::Uuid;

use super::command::{MemoryPoolRequest, Outcome};
use super::names::EventKind;
use super::partition::Partition;
use super::refusal::Refusal;
use super::resource::Resource;
use super::storage::VolumeUsage;
use super::system::ManagedSystem;
use super::units::Gigabytes;
use super::vios::VirtualIoServer;
use super::world::World;
use crate::clock::Millis;

/// What the hypervisor takes of a pool, in megabytes (recorded of a pool of 1024 MB).
const FIRMWARE: u64 = 263;

/// `SharedMemoryPool`, in megabytes.
#[derive(serde::Serialize, serde::Deserialize, Clone, Debug, PartialEq, Eq)]
pub struct SharedMemoryPool {
    /// Its UUID.
    pub uuid: Uuid,
    /// `CurrentPoolMemory` and `PoolSize`
    pub size: u64,
    /// `CurrentMaximumPoolMemory`
    pub maximum: u64,
    /// `MemoryDeduplicationEnabled`
    pub deduplication: bool,
    /// The Virtual I/O Servers that page for it, one or two.
    pub paging_servers: Vec<Uuid>,
    /// Its disks.
    pub devices: Vec<PagingDevice>,
    /// Changes with the document.
    pub version: u64,
}

/// `ReservedStorageDevice`: a physical volume that the pool pages to.
#[derive(serde::Serialize, serde::Deserialize, Clone, Debug, PartialEq, Eq)]
pub struct PagingDevice {
    /// The Virtual I/O Server that sees it under [`PagingDevice::name`].
    pub vios: Uuid,
    /// `DeviceName`
    pub name: String,
    /// `UniqueDeviceID`
    pub udid: String,
    /// `LocationCode`
    pub location: String,
    /// `DeviceSize`
    pub size: Gigabytes,
}

/// What a partition with shared memory has instead of memory of its own.
#[derive(serde::Serialize, serde::Deserialize, Clone, Debug, PartialEq, Eq)]
pub struct SharedMemory {
    /// `DesiredEntitledMemory` in megabytes: what its I/O always gets.
    pub entitled: u64,
    /// `MemoryWeight`
    pub weight: u8,
    /// `UniqueDeviceID` of the disk that it pages to while it is active.
    pub device: Option<String>,
}

impl SharedMemory {
    /// The entitlement that is worked out for a partition, in megabytes (recorded).
    pub const WORKED_OUT: u64 = 60;
}

impl SharedMemoryPool {
    /// `SystemFirmwarePoolMemory`
    #[must_use]
    pub const fn firmware(&self) -> u64 {
        if FIRMWARE < self.size {
            FIRMWARE
        } else {
            self.size
        }
    }
}

impl World {
    /// `CurrentAvailablePoolMemory`: what the hypervisor and the entitlements of active partitions leave.
    #[must_use]
    pub fn available_in_memory_pool(&self, system: Uuid, pool: &SharedMemoryPool) -> u64 {
        pool.size
            .saturating_sub(pool.firmware())
            .saturating_sub(self.entitled_memory(system))
    }

    /// The partition that pages to a disk of the pool.
    #[must_use]
    pub fn paging_partition(&self, system: Uuid, device: &PagingDevice) -> Option<&Partition> {
        let pages = |partition: &&Arc<Partition>| {
            let shared = partition.memory.shared.as_ref();
            shared.and_then(|shared| shared.device.as_ref()) == Some(&device.udid)
        };
        self.partitions_of(system)
            .find(pages)
            .map(|partition| &**partition)
    }

    /// The Virtual I/O Server that a partition with shared memory pages through: that of its disk while it is active,
    /// else the pool's first.
    #[must_use]
    pub fn paging_server(&self, partition: &Partition) -> Option<Uuid> {
        let shared = partition.memory.shared.as_ref()?;
        let pool = self.systems.get(&partition.system)?.memory_pool.as_ref()?;
        let mut devices = pool.devices.iter();
        let own = devices.find(|device| shared.device.as_ref() == Some(&device.udid));
        own.map(|device| device.vios)
            .or_else(|| pool.paging_servers.first().copied())
    }

    /// `PagingServicePartition`: whether a Virtual I/O Server pages for its system's shared memory pool.
    #[must_use]
    pub fn pages(&self, vios: &VirtualIoServer) -> bool {
        let system = self.systems.get(&vios.partition.system);
        let pool = system.and_then(|system| system.memory_pool.as_ref());
        pool.is_some_and(|pool| pool.paging_servers.contains(&vios.partition.uuid))
    }

    /// The disk that a partition will page to when it is activated; it has to hold all of the partition's memory.
    ///
    /// # Errors
    /// The pool has not enough memory left, or no such disk.
    pub(super) fn paging_device_for(
        &self,
        partition: &Partition,
    ) -> Result<Option<String>, String> {
        let Some(shared) = &partition.memory.shared else {
            return Ok(None);
        };
        let pool = self
            .systems
            .get(&partition.system)
            .and_then(|system| system.memory_pool.as_ref())
            .ok_or("The system has no shared memory pool.")?;
        let available = self.available_in_memory_pool(partition.system, pool);
        if shared.entitled > available {
            return Err(format!(
                "HSCL03EC There is not enough memory in the shared memory pool to activate partition {}: it is entitled to {} MB, and {available} MB are available.",
                partition.name, shared.entitled
            ));
        }
        let mut free: Vec<&PagingDevice> = pool
            .devices
            .iter()
            .filter(|device| device.size.megabytes() >= partition.memory.maximum)
            .filter(|device| self.paging_partition(partition.system, device).is_none())
            .collect();
        free.sort_by_key(|device| device.size);
        free.first().map(|device| Some(device.udid.clone())).ok_or_else(|| {
            format!(
                "HSCL0617 The shared memory pool has no free paging device of at least {} MB for partition {}.",
                partition.memory.maximum, partition.name
            )
        })
    }

    fn entitled_memory(&self, system: Uuid) -> u64 {
        let active = self
            .partitions_of(system)
            .filter(|partition| partition.memory.active);
        active
            .filter_map(|partition| partition.memory.shared.as_ref())
            .map(|shared| shared.entitled)
            .sum()
    }

    /// Memory that the pool of a system takes from it, in megabytes.
    #[must_use]
    pub fn pooled_memory(&self, system: Uuid) -> u64 {
        let system = self.systems.get(&system);
        system
            .and_then(|system| system.memory_pool.as_ref())
            .map_or(0, |pool| pool.size)
    }

    pub(super) fn create_memory_pool(
        &mut self,
        now: Millis,
        request: MemoryPoolRequest,
    ) -> Result<Outcome, Refusal> {
        let system = self.system(request.system)?;
        if !system.capabilities.active_memory_sharing {
            return Err(Refusal::logic(format!(
                "System {} does not support shared memory pools.",
                system.name
            )));
        }
        if system.memory_pool.is_some() {
            return Err(Refusal::logic(format!(
                "HSCL0617 System {} has a shared memory pool already.",
                system.name
            )));
        }
        let size = request.size.ok_or_else(|| {
            Refusal::logic("These attributes are missing: PoolSize or PendingPoolMemory")
        })?;
        let servers = request.paging_servers.unwrap_or_default();
        let pool = SharedMemoryPool {
            uuid: Uuid::new_v3(&system.uuid, b"SharedMemoryPool/0"),
            size,
            maximum: request.maximum.unwrap_or(size),
            deduplication: request.deduplication.unwrap_or(false),
            devices: self.paging_devices(&servers, request.devices.unwrap_or_default())?,
            paging_servers: servers,
            version: self.touch(),
        };
        self.check_memory_pool(&system, &pool)?;
        self.put_memory_pool(now, &system, pool, EventKind::AddUri)
    }

    pub(super) fn update_memory_pool(
        &mut self,
        now: Millis,
        request: MemoryPoolRequest,
    ) -> Result<Outcome, Refusal> {
        let system = self.system(request.system)?;
        let before = system
            .memory_pool
            .clone()
            .ok_or_else(|| Refusal::not_found("SharedMemoryPool", request.system))?;
        let mut after = (*before).clone();
        after.size = request.size.unwrap_or(after.size);
        after.maximum = request.maximum.unwrap_or(after.maximum);
        after.deduplication = request.deduplication.unwrap_or(after.deduplication);
        after.paging_servers = request.paging_servers.unwrap_or(after.paging_servers);
        if let Some(names) = request.devices {
            let kept = |udid: &String| before.devices.iter().any(|device| device.udid == *udid);
            let (known, new): (Vec<String>, Vec<String>) = names.into_iter().partition(kept);
            after.devices.retain(|device| known.contains(&device.udid));
            let added = self.paging_devices(&after.paging_servers, new)?;
            after.devices.extend(added);
        }
        if after == *before {
            return Ok(Outcome::Written(Resource::SharedMemoryPool {
                system: system.uuid,
                pool: after.uuid,
            }));
        }
        self.check_memory_pool(&system, &after)?;
        after.version = self.touch();
        self.put_memory_pool(now, &system, after, EventKind::ModifyUri)
    }

    pub(super) fn delete_memory_pool(
        &mut self,
        now: Millis,
        system: Uuid,
    ) -> Result<Outcome, Refusal> {
        let there = self.system(system)?;
        let pool = there
            .memory_pool
            .clone()
            .ok_or_else(|| Refusal::not_found("SharedMemoryPool", system))?;
        if let Some(user) = self
            .partitions_of(system)
            .find(|partition| partition.memory.shared.is_some())
        {
            return Err(Refusal::logic(format!(
                "HSCL05DF Partition {} uses the shared memory pool.",
                user.name
            )));
        }
        let resource = Resource::SharedMemoryPool {
            system,
            pool: pool.uuid,
        };
        self.mark_paging_devices(&there, &pool.devices, VolumeUsage::Unused);
        self.edit_system(system, |system| system.memory_pool = None);
        self.announce(now, EventKind::DeleteUri, resource, "");
        self.touch_system(now, system);
        Ok(Outcome::Deleted(resource))
    }

    fn put_memory_pool(
        &mut self,
        now: Millis,
        system: &ManagedSystem,
        pool: SharedMemoryPool,
        kind: EventKind,
    ) -> Result<Outcome, Refusal> {
        let resource = Resource::SharedMemoryPool {
            system: system.uuid,
            pool: pool.uuid,
        };
        if let Some(before) = &system.memory_pool {
            self.mark_paging_devices(system, &before.devices, VolumeUsage::Unused);
        }
        self.mark_paging_devices(system, &pool.devices, VolumeUsage::Paging);
        self.edit_system(system.uuid, |system| {
            system.memory_pool = Some(Arc::new(pool))
        });
        self.announce(now, kind, resource, "Other");
        self.touch_system(now, system.uuid);
        Ok(Outcome::Written(resource))
    }

    fn check_memory_pool(
        &self,
        system: &ManagedSystem,
        pool: &SharedMemoryPool,
    ) -> Result<(), Refusal> {
        let region = system.memory.region.max(1);
        let refuse = |why: String| Err(Refusal::logic(format!("HSCL0617 {why}")));
        if pool.size == 0 || !pool.size.is_multiple_of(region) || pool.size > pool.maximum {
            return refuse(format!(
                "The shared memory pool of {} MB must be a multiple of {region} MB and at most its maximum of {} MB.",
                pool.size, pool.maximum
            ));
        }
        if pool.maximum > system.memory.configurable {
            return refuse(format!(
                "The maximum of {} MB is more than the {} MB that system {} has.",
                pool.maximum, system.memory.configurable, system.name
            ));
        }
        let more = pool
            .size
            .saturating_sub(system.memory_pool.as_ref().map_or(0, |pool| pool.size));
        let available = self.available_memory(system.uuid);
        if more > available {
            return refuse(format!(
                "{more} MB more are needed for the shared memory pool, but only {available} MB are available."
            ));
        }
        if pool.size < pool.firmware() + self.entitled_memory(system.uuid) {
            return refuse(format!(
                "{} MB are less than active partitions and the hypervisor have of the shared memory pool.",
                pool.size
            ));
        }
        if pool.paging_servers.is_empty() || pool.paging_servers.len() > 2 {
            return refuse(
                "A shared memory pool has one or two paging service partitions.".to_owned(),
            );
        }
        let of_system = |server: &Uuid| {
            let vios = self.vioses.get(server);
            vios.is_some_and(|vios| vios.partition.system == system.uuid)
        };
        if !pool.paging_servers.iter().all(of_system) {
            return refuse(
                "A paging service partition must be a Virtual I/O Server of the system.".to_owned(),
            );
        }
        Ok(())
    }

    /// Free physical volumes of the paging servers, named by UDID or by device name.
    fn paging_devices(
        &self,
        servers: &[Uuid],
        names: Vec<String>,
    ) -> Result<Vec<PagingDevice>, Refusal> {
        let mut devices: Vec<PagingDevice> = Vec::new();
        for name in names {
            let found = servers.iter().filter_map(|server| self.vioses.get(server));
            let free = found
                .flat_map(|vios| free_volumes(vios).map(move |volume| (vios, volume)))
                .find(|(_, volume)| volume.udid == name || volume.name == name);
            let Some((vios, volume)) = free else {
                return Err(Refusal::logic(format!(
                    "HSCL0617 No paging service partition has a free device {name}."
                )));
            };
            if devices.iter().all(|device| device.udid != volume.udid) {
                devices.push(PagingDevice {
                    vios: vios.partition.uuid,
                    name: volume.name.clone(),
                    udid: volume.udid.clone(),
                    location: volume.location.clone(),
                    size: Gigabytes::from_megabytes(volume.megabytes),
                });
            }
        }
        Ok(devices)
    }

    /// A paging device is taken on every Virtual I/O Server that sees it.
    fn mark_paging_devices(
        &mut self,
        system: &ManagedSystem,
        devices: &[PagingDevice],
        usage: VolumeUsage,
    ) {
        let ours = |udid: &str| devices.iter().any(|device| device.udid == udid);
        let servers: Vec<Uuid> = self
            .vioses_of(system.uuid)
            .filter(|vios| {
                vios.physical_volumes
                    .iter()
                    .any(|volume| ours(&volume.udid))
            })
            .map(|vios| vios.partition.uuid)
            .collect();
        for server in servers {
            self.edit_vios(server, |vios, version| {
                for volume in &mut vios.physical_volumes {
                    if ours(&volume.udid) {
                        Arc::make_mut(volume).usage = usage;
                    }
                }
                vios.storage_version = version;
            });
        }
    }
}

/// Volumes that neither the Virtual I/O Server itself nor a client uses.
pub fn free_volumes(
    vios: &VirtualIoServer,
) -> impl Iterator<Item = &Arc<super::storage::PhysicalVolume>> {
    vios.physical_volumes
        .iter()
        .filter(|volume| World::is_volume_available(vios, volume))
}
