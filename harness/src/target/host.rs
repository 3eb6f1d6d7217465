//! What the engine asks of a host, in the harness's own words.

use std::fmt;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::audit::Inventory;
use crate::image::Image;
use crate::scenario::{RebootKind, RefusalKind};

use super::Traffic;

/// A server of a scenario, as the host knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instance {
    /// What the scenario calls it.
    pub server: String,
    /// The partition's name.
    pub name: String,
    /// The instance's UUID; its top bit is clear, so that the partition's is the same.
    pub uuid: Uuid,
}

/// A server to be deployed, every amount resolved.
#[derive(Debug, Clone)]
pub struct Order {
    /// The server.
    pub instance: Instance,
    /// Virtual processors.
    pub vcpus: u32,
    /// Memory in MB.
    pub memory_mb: u64,
    /// Boot disk in GB; 0 takes the image's size.
    pub root_gb: u64,
    /// Extra specs of the flavor.
    pub extra_specs: std::collections::BTreeMap<String, String>,
    /// VLANs of the interfaces.
    pub networks: Vec<u16>,
    /// Whether it gets a config drive.
    pub config_drive: bool,
    /// Whether it is powered on.
    pub power_on: bool,
    /// The image it boots from.
    pub image: Image,
}

/// A server, as the host shows it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ServerView {
    /// The partition's name.
    pub name: String,
    /// The partition's state, as the REST API spells it.
    pub state: String,
    /// Virtual processors, where the answer told.
    pub vcpus: Option<u32>,
    /// Memory in MB, where the answer told.
    pub memory_mb: Option<u64>,
}

/// What a host has left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Capacity {
    /// Free memory in MB.
    pub memory_free_mb: u64,
    /// Memory is handed out in multiples of this, MB.
    pub memory_region_mb: u64,
    /// Free space for boot disks in whole GB.
    pub disk_free_gb: u64,
}

/// What lies in a server's boot disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// The disk holds this.
    Sha256 {
        /// The disk's name.
        disk: String,
        /// How many bytes were written to it.
        bytes: u64,
        /// Their SHA-256 in hexadecimal.
        sha256: String,
    },
    /// There is no such disk, or nothing was written to it.
    Missing(String),
    /// This target offers no way to look; why.
    NotCheckable(String),
}

/// An operation that did not succeed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Why, in a word.
    pub kind: RefusalKind,
    /// Why, in the driver's words.
    pub message: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.message, self.kind)
    }
}

/// Sees the steps of an operation begin and end: the name of the step and, at its end, whether it succeeded.
pub type PhaseWatch = Arc<dyn Fn(&str, Option<bool>) + Send + Sync>;

/// A host, opened for one scenario.
///
/// Every operation ends by itself: with a result, or undone with [`RefusalKind::Cancelled`] once `cancel` fires.
pub trait Host: Send + Sync {
    /// Deploys a server.
    fn create<'a>(
        &'a self,
        order: &'a Order,
        watch: PhaseWatch,
        cancel: &'a CancellationToken,
    ) -> BoxFuture<'a, Result<ServerView, Failure>>;

    /// Reads a server.
    fn show<'a>(&'a self, instance: &'a Instance) -> BoxFuture<'a, Result<ServerView, Failure>>;

    /// The names of all servers, the management partition not among them.
    fn list(&self) -> BoxFuture<'_, Result<Vec<String>, Failure>>;

    /// Powers a server off.
    fn stop<'a>(
        &'a self,
        instance: &'a Instance,
        watch: PhaseWatch,
        cancel: &'a CancellationToken,
    ) -> BoxFuture<'a, Result<(), Failure>>;

    /// Powers a server on.
    fn start<'a>(
        &'a self,
        instance: &'a Instance,
        watch: PhaseWatch,
        cancel: &'a CancellationToken,
    ) -> BoxFuture<'a, Result<(), Failure>>;

    /// Reboots a server.
    fn reboot<'a>(
        &'a self,
        instance: &'a Instance,
        kind: RebootKind,
        watch: PhaseWatch,
        cancel: &'a CancellationToken,
    ) -> BoxFuture<'a, Result<(), Failure>>;

    /// Deletes a server with its disks; one that is not there counts as deleted.
    fn delete<'a>(
        &'a self,
        instance: &'a Instance,
        watch: PhaseWatch,
        cancel: &'a CancellationToken,
    ) -> BoxFuture<'a, Result<(), Failure>>;

    /// What is left to deploy on.
    fn capacity(&self) -> BoxFuture<'_, Result<Capacity, Failure>>;

    /// The whole inventory, from every side that this target can be looked at.
    fn inventory(&self) -> BoxFuture<'_, Result<Vec<Inventory>, Failure>>;

    /// What lies in a server's boot disk.
    fn content<'a>(&'a self, instance: &'a Instance) -> BoxFuture<'a, Content>;

    /// What went over the wire so far.
    fn traffic(&self) -> Traffic;

    /// Ends the session. The host is not used afterwards.
    fn close(&self) -> BoxFuture<'_, ()>;
}
