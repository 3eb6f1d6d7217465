//! Whether a host could take a server in.

use powervm_schema::system::ManagedSystem;
use powervm_schema::xml::Element;
use uuid::Uuid;

use super::console::Console;
use super::data::{ConsoleAccess, DestinationHost, MigrationData};
use super::refused;
use crate::error::{Error, ErrorKind, Result};
use crate::host::required;
use crate::operations::driver::{Disks, Driver, path_of};
use crate::partition::PartitionUuid;
use crate::rest::Groups;

/// A system's abilities and its migrations, as they are now.
pub(super) struct Mobility {
    pub(super) is_capable: bool,
    pub(super) takes_ibmi: bool,
    pub(super) restricts_ibmi: bool,
    pub(super) memory_region_mb: u64,
    pub(super) compatibility_modes: Vec<String>,
    in_progress: u32,
    most: u32,
}

impl Mobility {
    /// Reads the driver's system.
    ///
    /// # Errors
    /// Those of the request.
    pub(super) async fn of(driver: &Driver) -> Result<Self> {
        let path = format!("ManagedSystem/{}", driver.shared.system.uuid);
        let entry = driver.session().get_entry(&path, Groups::None).await?;
        Self::read(&ManagedSystem(&entry.content))
    }

    fn read(system: &ManagedSystem<&Element>) -> Result<Self> {
        let capabilities = system.capabilities();
        let can =
            |flag: fn(&powervm_schema::system::SystemCapabilities<&Element>) -> Option<bool>| {
                capabilities.as_ref().and_then(flag).unwrap_or(false)
            };
        let memory = system.memory();
        let region = memory.map_or(Ok(None), |memory| memory.memory_region_size());
        let modes = system.processors();
        let modes = modes
            .iter()
            .flat_map(|processors| processors.supported_partition_processor_compatibility_modes());
        let migration = system.migration();
        let count = |number: fn(
            &powervm_schema::system::SystemMigrationInformation<&Element>,
        ) -> Option<u32>| migration.as_ref().and_then(number).unwrap_or(0);
        Ok(Self {
            is_capable: can(|can| {
                can.active_logical_partition_mobility_capable()
                    .ok()
                    .flatten()
            }),
            takes_ibmi: can(|can| can.ibmi_logical_partition_mobility_capable().ok().flatten()),
            restricts_ibmi: can(|can| can.ibmi_restricted_io_mode_capable().ok().flatten()),
            memory_region_mb: required("the memory block size", region)?,
            compatibility_modes: modes.map(str::to_owned).collect(),
            in_progress: count(|of| of.number_of_active_migrations_in_progress().ok().flatten()),
            most: count(|of| of.maximum_active_migrations().ok().flatten()),
        })
    }

    /// Why nothing may leave or reach the system now.
    pub(super) fn obstacle(&self, system: &str) -> Option<String> {
        if !self.is_capable || self.most == 0 {
            Some(format!("{system} is not capable of live migrations"))
        } else if self.in_progress >= self.most {
            let (most, now) = (self.most, self.in_progress);
            Some(format!(
                "{system} takes part in {most} live migrations at a time, and {now} are going on"
            ))
        } else {
            None
        }
    }

    /// Whether any are going on.
    pub(super) fn is_busy(&self) -> bool {
        self.in_progress > 0
    }
}

impl Driver {
    /// Whether this host could take an instance in, as far as that can be said without knowing more of it. Changes
    /// nothing and remembers nothing.
    ///
    /// # Errors
    /// Why it could not; those of the requests.
    pub async fn check_migration_destination(
        &self,
        instance: Uuid,
        access: ConsoleAccess,
    ) -> Result<MigrationData> {
        let (shared, uuid) = (&self.shared, PartitionUuid::of_instance(instance));
        let name = instance.to_string();
        shared.vioses.forget().await;
        let (mobility, _) = futures_util::try_join!(Mobility::of(self), self.active_vioses())?;
        if let Some(why) = mobility.obstacle(&shared.system.name) {
            return Err(refused(&name, why, "choose another host, or wait"));
        }
        if self.has(uuid).await? {
            return Err(Error::operation(
                ErrorKind::Exists,
                format!("{} has a partition for {name} already", shared.system.name),
                "see which host the instance is on",
            ));
        }
        self.describe(instance, access).await
    }

    /// What there is to know of this host for a migration to it.
    pub(super) async fn describe(
        &self,
        instance: Uuid,
        access: ConsoleAccess,
    ) -> Result<MigrationData> {
        let shared = &self.shared;
        let (mobility, console) = futures_util::try_join!(Mobility::of(self), Console::of(self))?;
        Ok(MigrationData {
            instance,
            destination: DestinationHost {
                system: shared.system.name.clone(),
                system_uuid: shared.system.uuid.clone(),
                console: console.uuid,
                access,
                memory_region_mb: mobility.memory_region_mb,
                compatibility_modes: mobility.compatibility_modes,
                takes_ibmi: mobility.takes_ibmi,
                pool: match &shared.disks {
                    Disks::Ssp { pool, .. } => Some(pool.uuid.clone()),
                    Disks::Local(_) => None,
                },
            },
            source: None,
            prepared: None,
        })
    }

    /// Whether the partition is on this driver's system. That it is not is asked twice.
    pub(in crate::operations) async fn has(&self, uuid: PartitionUuid) -> Result<bool> {
        for _ in 0..2 {
            match self.session().get_entry(&path_of(uuid), Groups::None).await {
                Ok(entry) => return Ok(self.refuse_others(&entry.content).is_ok()),
                Err(error) if error.is_not_found() => {}
                Err(error) => return Err(error),
            }
        }
        Ok(false)
    }
}
