//! What the operations of a resize and of a cold migration are asked for, and what they tell.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::operations::volume::Metadata;
use crate::partition::{Configuration, Flavor};
use crate::volume::Connection;

/// A server that is to have another size, on the host where it is.
#[derive(Debug, Clone)]
pub struct ResizeRequest {
    /// The instance's UUID.
    pub instance: Uuid,
    /// The server's name as it was made with; the partition's own serves otherwise.
    pub name: Option<String>,
    /// Its new size. A boot disk of 0 GB stays as it is.
    pub flavor: Flavor,
    /// Boot disk in GB of the size that it has, where that is known: an image may have made the disk larger.
    pub from_gb: Option<u64>,
}

/// Where a server is to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Destination {
    /// It stays and gets another size.
    SameHost,
    /// To another host, which reaches the same disk.
    OtherHost,
}

/// A server that is to leave for another size or another host: the first half of a resize or a cold migration.
#[derive(Debug, Clone)]
pub struct DepartRequest {
    /// The instance's UUID.
    pub instance: Uuid,
    /// The server's name as it was made with; the partition's own serves otherwise.
    pub name: Option<String>,
    /// Where it goes.
    pub destination: Destination,
    /// Its new size; it counts where it stays on this host, and for the boot disk.
    pub flavor: Flavor,
    /// Boot disk in GB of the size that it has, where that is known.
    pub from_gb: Option<u64>,
    /// How long the guest may take to shut down; the configured time without.
    pub timeout: Option<Duration>,
    /// Volumes whose connections end: they are detached.
    pub volumes: Vec<Connection>,
    /// What is kept for the instance, for its volumes.
    pub metadata: Metadata,
}

/// What became of it: to be kept until the move is confirmed or reverted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Departure {
    /// What it was before, to go back to.
    pub before: Configuration,
    /// Whether it ran.
    pub was_on: bool,
    /// Where its boot disk is, for a host that it goes to; nothing where it stays or boots from a volume.
    pub disk: Option<DiskInfo>,
}

/// Where a boot disk is: in a pool that several hosts share.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiskInfo {
    /// Name of the cluster.
    pub cluster_name: String,
    /// Name of the shared storage pool.
    pub ssp_name: String,
    /// UUID of the shared storage pool.
    pub ssp_uuid: String,
}

/// A server that arrives in its new size on the host that it left: the second half of a resize.
#[derive(Debug, Clone)]
pub struct ArriveRequest {
    /// The instance's UUID.
    pub instance: Uuid,
    /// The server's name as it was made with.
    pub name: String,
    /// Its new size.
    pub flavor: Flavor,
    /// Whether to power it on in the end.
    pub power_on: bool,
    /// Volumes as the storage shows them now: they are attached.
    pub volumes: Vec<Connection>,
    /// What is kept for the instance, for its volumes.
    pub metadata: Metadata,
}

/// A resize or a cold migration that is good.
#[derive(Debug, Clone)]
pub struct ConfirmRequest {
    /// The instance's UUID.
    pub instance: Uuid,
    /// The server's name as it was made with; what the journal kept of the resize serves otherwise.
    pub name: Option<String>,
}

/// A resize or a cold migration that is not wanted: on the host that the server left.
#[derive(Debug, Clone)]
pub struct RevertRequest {
    /// The instance's UUID.
    pub instance: Uuid,
    /// The server's name as it was made with; what was kept of the resize serves otherwise.
    pub name: Option<String>,
    /// What it was before.
    pub before: Before,
    /// Whether to power it on in the end.
    pub power_on: bool,
    /// Volumes as the storage shows them now: they are attached.
    pub volumes: Vec<Connection>,
    /// What is kept for the instance, for its volumes.
    pub metadata: Metadata,
}

/// What a server was before its resize.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Before {
    /// As [`Departure::before`] has it.
    Kept(Box<Configuration>),
    /// A server of this size; what that does not name stays as it is now.
    Flavor(Box<Flavor>),
    /// As the journal of this host has it.
    Journal,
}
