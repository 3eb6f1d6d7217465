//! Lists and shows servers.

use std::collections::BTreeSet;
use std::sync::Arc;

use powervm_schema::atom::Entry;
use powervm_schema::partition::{LogicalPartition, PartitionState, RmcState};
use powervm_schema::vios::VirtualIoServer;
use uuid::Uuid;

use super::driver::{Driver, path_of};
use super::request::ServerRef;
use super::server::{Server, ServerSummary, StorageInfo, StorageKind};
use super::{plug, power};
use crate::error::{Error, ErrorKind, Result};
use crate::partition::{PartitionUuid, PowerState};
use crate::rest::Groups;
use crate::storage::mapping::{self, GROUP, Kind};

impl Driver {
    /// All servers of the host, by name. The management partition is none of them, nor are the
    /// Virtual I/O Servers.
    ///
    /// # Errors
    /// Those of the request.
    pub async fn list(&self) -> Result<Vec<ServerSummary>> {
        let path = format!("ManagedSystem/{}/LogicalPartition", self.shared.system.uuid);
        let feed = self.session().get_feed(&path, Groups::None).await?;
        let mut servers: Vec<ServerSummary> = feed
            .entries
            .iter()
            .filter(|entry| !is_management(entry))
            .filter_map(summary)
            .collect();
        servers.sort_by(|a, b| (&a.name, a.id).cmp(&(&b.name, b.id)));
        Ok(servers)
    }

    /// Those of the instances that have a partition on the host. A partition does not tell which of two instances it
    /// belongs to ([`PartitionUuid::instances`]), so the known ones are asked; a partition of none of them is ignored.
    ///
    /// # Errors
    /// Those of the request.
    pub async fn instances(&self, known: &BTreeSet<Uuid>) -> Result<BTreeSet<Uuid>> {
        let servers = self.list().await?;
        let found = servers.iter().flat_map(|server| server.id.instances());
        Ok(found.filter(|instance| known.contains(instance)).collect())
    }

    /// The power state of a server, with one small request.
    ///
    /// # Errors
    /// No such server; those of the request.
    pub async fn power_state(&self, server: impl Into<ServerRef>) -> Result<PowerState> {
        let partition = self.resolve(&server.into()).await?;
        let state = power::state_of(self.session(), partition).await?;
        Ok(PowerState::of(&state))
    }

    /// A server with its interfaces, disks and media.
    ///
    /// # Errors
    /// No such server; those of the requests.
    pub async fn show(&self, server: impl Into<ServerRef>) -> Result<Server> {
        let partition = self.resolve(&server.into()).await?;
        let path = path_of(partition);
        let (entry, interfaces, vioses) = futures_util::try_join!(
            self.session().get_entry(&path, Groups::None),
            plug::interfaces(self, partition),
            self.mappings(),
        )?;
        let mut server = sized(&entry)?;
        server.interfaces = interfaces.into_iter().map(|plugged| plugged.info).collect();
        for vios in vioses.iter() {
            let document = VirtualIoServer(&vios.content);
            let served_by = document.partition().name().unwrap_or_default();
            for mapping in document.scsi_mappings() {
                if mapping::client_of(mapping.as_view()) == Some(partition) {
                    server
                        .storage
                        .push(storage_of(mapping::mapped(mapping), served_by));
                }
            }
        }
        server.storage.sort();
        Ok(server)
    }

    pub(super) async fn adapters(&self, partition: PartitionUuid) -> Result<Vec<Entry>> {
        let path = format!("{}/ClientNetworkAdapter", path_of(partition));
        Ok(self.session().get_feed(&path, Groups::None).await?.entries)
    }

    /// All Virtual I/O Servers with their SCSI mappings.
    pub(super) async fn mappings(&self) -> Result<Arc<[Entry]>> {
        let path = format!("ManagedSystem/{}/VirtualIOServer", self.shared.system.uuid);
        let groups = Groups::Named(&[GROUP]);
        self.session().get_feed_together(&path, groups).await
    }

    /// The instance's UUID, or else the partition's, that is meant.
    ///
    /// # Errors
    /// No such server; several of that name; those of the request.
    pub async fn instance(&self, server: &ServerRef) -> Result<uuid::Uuid> {
        Ok(self.resolve(server).await?.as_uuid())
    }

    /// The partition that is meant.
    pub(super) async fn resolve(&self, server: &ServerRef) -> Result<PartitionUuid> {
        let name = match server {
            ServerRef::Uuid(uuid) => return Ok(PartitionUuid::of_instance(*uuid)),
            ServerRef::Name(name) => name,
        };
        // Of this system only: a console may know a partition of that name on another one.
        let servers = self.list().await?;
        let mut found = servers.into_iter().filter(|server| server.name == *name);
        match (found.next(), found.next()) {
            (Some(server), None) => Ok(server.id),
            (None, _) => Err(Error::operation(
                ErrorKind::NotFound,
                format!("there is no server named '{name}'"),
                "list the servers to see their names",
            )),
            (Some(_), Some(_)) => Err(Error::invalid(
                format!("several servers are named '{name}'"),
                "give the server's UUID",
            )),
        }
    }
}

pub(super) fn is_management(entry: &Entry) -> bool {
    LogicalPartition(&entry.content)
        .partition()
        .is_management_partition()
        .ok()
        .flatten()
        .unwrap_or(false)
}

/// What a listing has of a partition; none without a UUID.
fn summary(entry: &Entry) -> Option<ServerSummary> {
    let document = LogicalPartition(&entry.content);
    let partition = document.partition();
    let state = partition
        .state()
        .ok()
        .flatten()
        .unwrap_or(PartitionState::Unknown)
        .to_string();
    Some(ServerSummary {
        id: PartitionUuid::parse(partition.uuid().unwrap_or(&entry.id))?,
        name: partition.name().unwrap_or_default().to_owned(),
        status: PowerState::of(&state),
        state,
        partition_id: partition.id().ok().flatten(),
        rmc: partition
            .rmc_state()
            .ok()
            .flatten()
            .unwrap_or(RmcState::Unknown)
            .to_string(),
    })
}

/// A server without its interfaces and its storage, which stand in other documents.
pub(super) fn sized(entry: &Entry) -> Result<Server> {
    let summary = summary(entry).ok_or_else(|| {
        Error::operation(
            ErrorKind::BadAnswer,
            "the server does not tell a partition's UUID",
            "check that the endpoint is the REST API of an HMC or NovaLink",
        )
    })?;
    let document = LogicalPartition(&entry.content);
    let partition = document.partition();
    let processors = partition.processors();
    let shared = processors
        .as_ref()
        .and_then(|processors| processors.shared());
    let dedicated = processors
        .as_ref()
        .and_then(|processors| processors.dedicated());
    let is_dedicated = processors.as_ref().is_some_and(|processors| {
        processors.has_dedicated_processors().ok().flatten() == Some(true)
    });
    let vcpus = if is_dedicated {
        dedicated.and_then(|dedicated| dedicated.desired_processors().ok().flatten())
    } else {
        shared
            .as_ref()
            .and_then(|shared| shared.desired_virtual_processors().ok().flatten())
    };
    let units = shared
        .filter(|_| !is_dedicated)
        .and_then(|shared| shared.desired_processing_units().ok().flatten());
    Ok(Server {
        summary,
        memory_mb: partition
            .memory()
            .and_then(|memory| memory.desired_memory().ok().flatten())
            .unwrap_or(0),
        vcpus: vcpus.unwrap_or(0),
        proc_units: units.map(|units| units.as_f64()),
        reference_code: partition
            .reference_code()
            .filter(|code| !code.trim().is_empty())
            .map(str::to_owned),
        interfaces: Vec::new(),
        storage: Vec::new(),
    })
}

pub(super) fn storage_of(mapped: Option<mapping::Mapped>, served_by: &str) -> StorageInfo {
    let kind = mapped
        .as_ref()
        .map_or(StorageKind::None, |mapped| match mapped.kind {
            Kind::LogicalUnit => StorageKind::LogicalUnit,
            Kind::VirtualDisk => StorageKind::VirtualDisk,
            Kind::PhysicalVolume => StorageKind::PhysicalVolume,
            Kind::OpticalMedia => StorageKind::OpticalMedium,
        });
    StorageInfo {
        kind,
        name: mapped.map(|mapped| mapped.name).unwrap_or_default(),
        served_by: served_by.to_owned(),
    }
}
