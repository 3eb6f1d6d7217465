//! What the operations of a live migration hand on to each other: plain data, which may travel between two processes
//! and be kept by whoever leads the migration. There is no secret in it.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::network::{Mac, OvsPort};
use crate::operations::request::ServerRef;
use crate::operations::volume::Metadata;
use crate::operations::volume::search::Devices;
use crate::partition::PartitionUuid;
use crate::volume::{Connection, Wwpn};

/// The user under which a NovaLink's console logs on to another one.
const CONSOLE_USER: &str = "wlp";

/// What is known of a live migration. Each operation returns it with what it has found and made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MigrationData {
    /// The instance.
    pub instance: Uuid,
    /// Where it goes.
    pub destination: DestinationHost,
    /// What it is where it comes from; known once the source has been checked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<SourceHost>,
    /// What is ready for it; known once the destination has prepared itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prepared: Option<Prepared>,
}

impl MigrationData {
    pub(in crate::operations) fn partition(&self) -> PartitionUuid {
        PartitionUuid::of_instance(self.instance)
    }

    /// The partition's name, as soon as it is known.
    pub(in crate::operations) fn title(&self) -> String {
        match &self.source {
            Some(source) => source.partition.clone(),
            None => self.instance.to_string(),
        }
    }
}

/// How the source's console reaches the destination's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsoleAccess {
    /// Name or address of the destination's console. Not needed where one console manages both systems.
    pub address: Option<String>,
    /// The user there: `wlp` on NovaLinks, which exchange keys for it; on consoles one for whom `mkauthkeys` was run.
    pub user: String,
}

impl Default for ConsoleAccess {
    fn default() -> Self {
        Self {
            address: None,
            user: CONSOLE_USER.to_owned(),
        }
    }
}

/// What the source has to know of the destination.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DestinationHost {
    /// Name of its system.
    pub system: String,
    /// UUID of its system.
    pub system_uuid: String,
    /// UUID of its console: with another one than the source's, keys are exchanged.
    pub console: String,
    /// How to reach that.
    pub access: ConsoleAccess,
    /// Size of a memory block in MB.
    pub memory_region_mb: u64,
    /// Processor compatibility modes that it has.
    pub compatibility_modes: Vec<String>,
    /// Whether IBM i partitions may come.
    pub takes_ibmi: bool,
    /// UUID of the shared storage pool for boot disks, if it has one.
    pub pool: Option<String>,
}

/// What the destination has to know of the partition and of where it comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceHost {
    /// Name of its system.
    pub system: String,
    /// UUID of its console.
    pub console: String,
    /// The key with which that logs on; consoles other than NovaLinks do not tell theirs.
    pub public_key: Option<String>,
    /// Name of the partition.
    pub partition: String,
    /// Its virtual SCSI adapters.
    pub buses: Vec<SourceBus>,
    /// Its virtual Fibre Channel adapters.
    pub ports: Vec<SourcePort>,
    /// Its interfaces on virtual switches.
    pub interfaces: Vec<SourceInterface>,
}

/// A virtual SCSI adapter and what is behind it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceBus {
    /// Its slot in the partition.
    pub slot: u32,
    /// UUID of the Virtual I/O Server.
    pub vios: String,
    /// What is behind it.
    pub disks: Vec<SourceDisk>,
}

/// A disk behind a virtual SCSI adapter.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SourceDisk {
    /// A logical unit of a shared storage pool.
    Unit,
    /// A volume, by the identifier that it was marked with and the unique device identifier, where they are known.
    Volume {
        /// Cinder's identifier.
        volume: Option<String>,
        /// `target_UDID`
        udid: Option<String>,
    },
    /// Something else.
    Other,
}

/// A virtual Fibre Channel adapter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourcePort {
    /// Its slot in the partition.
    pub slot: u32,
    /// UUID of the Virtual I/O Server: what one of them serves is served by one on the destination.
    pub vios: String,
    /// Its fabric, by its name in the configuration.
    pub fabric: Option<String>,
    /// Its port names; the first one is logged in.
    pub names: Vec<Wwpn>,
}

/// An interface on a virtual switch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceInterface {
    /// Its address.
    pub mac: Mac,
    /// Name of the switch.
    pub switch: String,
    /// Its VLAN there.
    pub vlan: u16,
    /// Its trunk adapter, if it leads to Open vSwitch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trunk: Option<SourceTrunk>,
}

/// What a trunk adapter of the source tells Open vSwitch, and that of the destination is to tell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceTrunk {
    /// The instance that it names.
    pub instance: Uuid,
    /// The port.
    pub port: OvsPort,
    /// The MTU that it was given.
    pub mtu: Option<u32>,
}

/// What the destination has prepared.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prepared {
    /// `VirtualFCMappings` of the job.
    #[serde(default)]
    pub fc_mappings: Vec<String>,
    /// `VirtualSCSIMappings` of the job.
    #[serde(default)]
    pub scsi_mappings: Vec<String>,
    /// `VlanMappings` of the job.
    #[serde(default)]
    pub vlan_mappings: Vec<String>,
    /// Unique device identifiers of the volumes' disks, by volume.
    #[serde(default)]
    pub udids: BTreeMap<String, String>,
    /// Whether the source's key was not known before.
    #[serde(default)]
    pub key_is_new: bool,
    /// What each Virtual I/O Server has found.
    #[serde(default)]
    pub(in crate::operations) found: Devices,
}

/// How the partition is to move.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct MigrationOptions {
    /// A migration that takes longer is aborted.
    pub limit: Duration,
    /// Whether VLANs may lack a bridge on the destination: somebody makes it when the partition is there.
    pub override_vlan_bridge: bool,
    /// Whether the destination has to place the partition's memory and processors as well as the source does.
    pub affinity: bool,
}

impl Default for MigrationOptions {
    /// Two hours, as the known clients give it.
    fn default() -> Self {
        Self {
            limit: Duration::from_secs(7200),
            override_vlan_bridge: false,
            affinity: false,
        }
    }
}

/// A live migration from one driver's host to another's.
#[derive(Debug, Clone)]
pub struct LiveMigration {
    /// The server.
    pub server: ServerRef,
    /// How the source's console reaches the destination's.
    pub access: ConsoleAccess,
    /// Its volumes as the storage shows them to the destination.
    pub volumes: Vec<Connection>,
    /// Its volumes as the storage shows them to the source.
    pub source_volumes: Vec<Connection>,
    /// What is kept for the instance.
    pub metadata: Metadata,
    /// How it is to move.
    pub options: MigrationOptions,
}

impl LiveMigration {
    /// Of a server without volumes, between two systems of one console.
    #[must_use]
    pub fn of(server: impl Into<ServerRef>) -> Self {
        Self {
            server: server.into(),
            access: ConsoleAccess::default(),
            volumes: Vec::new(),
            source_volumes: Vec::new(),
            metadata: Metadata::new(),
            options: MigrationOptions::default(),
        }
    }
}
