//! What the host has, what is left of it, and who manages it.

use serde::Serialize;

use super::driver::{Disks, Driver};
use crate::config::DiskDriver;
use crate::error::Result;
use crate::host::{System, Vios};
use crate::rest::Flavor;
use crate::storage::Capacity;

/// The host as a scheduler wants it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct HostCapacity {
    /// Processors of which partitions can have shares: processing units, rounded up.
    pub vcpus: u64,
    /// Of those, taken.
    pub vcpus_used: u64,
    /// Processing units.
    pub proc_units: f64,
    /// Of those, taken.
    pub proc_units_used: f64,
    /// Memory in MB.
    pub memory_mb: u64,
    /// Of that, taken.
    pub memory_mb_used: u64,
    /// Memory comes in blocks of this many MB.
    pub memory_block_mb: u64,
    /// Space for boot disks. Every host of a shared storage pool reports the same space.
    pub disk: Capacity,
}

/// The host as people want it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct HostInfo {
    /// Name of the system.
    pub name: String,
    /// UUID of the system.
    pub id: String,
    /// Machine type, model and serial number.
    pub machine: String,
    /// Who serves the REST API: `hmc` or `novalink`.
    pub managed_by: &'static str,
    /// Where boot disks live: `ssp` or `localdisk`.
    pub disk_driver: String,
    /// The pool or volume group of the boot disks.
    pub disk_location: String,
    /// UUID of the shared storage pool, where boot disks are in one: hosts of the same pool reach the same disks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pool: Option<String>,
    /// What there is and what is left.
    #[serde(flatten)]
    pub capacity: HostCapacity,
    /// The Virtual I/O Servers.
    pub virtual_io_servers: Vec<Vios>,
}

impl Driver {
    /// What the host has and what is left, read now.
    ///
    /// # Errors
    /// Those of the requests.
    pub async fn capacity(&self) -> Result<HostCapacity> {
        let shared = &self.shared;
        let disk = async {
            match &shared.disks {
                Disks::Ssp { pool, .. } => pool.capacity(&shared.session).await,
                Disks::Local(disks) => disks.capacity().await,
            }
        };
        let (system, disk) =
            futures_util::try_join!(System::refresh(&shared.session, &shared.system.uuid), disk)?;
        let free_units = system.room.proc_units.as_f64();
        let used_units = (system.total.proc_units - free_units).max(0.0);
        Ok(HostCapacity {
            vcpus: ceil(system.total.proc_units),
            vcpus_used: ceil(used_units),
            proc_units: system.total.proc_units,
            proc_units_used: (used_units * 100.0).round() / 100.0,
            memory_mb: system.total.memory_mb,
            memory_mb_used: system.total.memory_mb.saturating_sub(system.room.memory_mb),
            memory_block_mb: system.limits.memory_block_mb,
            disk,
        })
    }

    /// The host with its Virtual I/O Servers, read now.
    ///
    /// # Errors
    /// Those of the requests.
    pub async fn host(&self) -> Result<HostInfo> {
        let shared = &self.shared;
        let servers = Vios::all(&shared.session, &shared.system.uuid);
        let (capacity, mut virtual_io_servers) = futures_util::try_join!(self.capacity(), servers)?;
        virtual_io_servers.sort_by(|a, b| a.name.cmp(&b.name));
        let (disk_driver, disk_location, pool) = match &shared.disks {
            Disks::Ssp { pool, .. } => (
                DiskDriver::Ssp,
                format!("{}/{}/{}", pool.cluster, pool.name, pool.tier),
                Some(pool.uuid.clone()),
            ),
            Disks::Local(disks) => (DiskDriver::LocalDisk, disks.name.clone(), None),
        };
        Ok(HostInfo {
            name: shared.system.name.clone(),
            id: shared.system.uuid.clone(),
            machine: shared.system.machine.clone(),
            managed_by: match shared.session.flavor() {
                Flavor::Hmc => "hmc",
                Flavor::NovaLink => "novalink",
            },
            disk_driver: disk_driver.to_string(),
            disk_location,
            pool,
            capacity,
            virtual_io_servers,
        })
    }
}

fn ceil(units: f64) -> u64 {
    // Processing units are small and not negative.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let whole = units.max(0.0).ceil() as u64;
    whole
}
