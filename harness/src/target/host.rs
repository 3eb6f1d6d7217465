//! What the engine asks of a host, in the harness's own words.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::audit::Inventory;
use crate::image::Image;
use crate::scenario::{Deed, RefusalKind};

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

/// The size of a server, every amount resolved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Size {
    /// Virtual processors.
    pub vcpus: u32,
    /// Memory in MB.
    pub memory_mb: u64,
    /// Boot disk in GB; 0 takes the image's size.
    pub root_gb: u64,
    /// Extra specs of the flavor.
    pub extra_specs: BTreeMap<String, String>,
}

/// What a server is to be like.
#[derive(Debug, Clone)]
pub struct Order {
    /// The server.
    pub instance: Instance,
    /// Its size.
    pub size: Size,
    /// VLANs of the interfaces.
    pub networks: Vec<u16>,
    /// Whether it gets a config drive.
    pub config_drive: bool,
    /// Whether it is powered on.
    pub power_on: bool,
    /// The image that its boot disk holds; one without boots from its first volume.
    pub image: Option<Image>,
    /// Its volumes, as the scenario names them.
    pub volumes: Vec<String>,
    /// The number of the host that it is on, from 1.
    pub host: usize,
}

/// What is done to a server that is there.
#[derive(Debug, Clone)]
pub struct Task {
    /// What.
    pub deed: Deed,
    /// What the server is to be like afterwards.
    pub order: Order,
    /// The image that it takes: that of a rescue.
    pub image: Option<Image>,
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
    /// VLAN and address of each interface in the order of their slots, where the answer told.
    pub interfaces: Option<Vec<(u16, String)>>,
    /// How many physical volumes it has, where the answer told.
    pub volumes: Option<usize>,
    /// The number of the host that it is on, from 1.
    pub host: usize,
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

/// What the driver counts as in use, of all hosts together.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Usage {
    /// Processing units.
    pub proc_units: f64,
    /// Memory in MB.
    pub memory_mb: i64,
    /// Space for boot disks in whole GB.
    pub disk_gb: i64,
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

    /// Does something to a server that is there. The image is one that was made of it.
    fn perform<'a>(
        &'a self,
        task: &'a Task,
        watch: PhaseWatch,
        cancel: &'a CancellationToken,
    ) -> BoxFuture<'a, Result<Option<Image>, Failure>>;

    /// Deletes a server with its disks; one that is not there counts as deleted.
    fn delete<'a>(
        &'a self,
        instance: &'a Instance,
        watch: PhaseWatch,
        cancel: &'a CancellationToken,
    ) -> BoxFuture<'a, Result<(), Failure>>;

    /// Takes away what was provided for servers: volumes of the storage. Servers are gone by then. Says what it could
    /// not take away.
    fn put_away(&self) -> BoxFuture<'_, Vec<String>>;

    /// What the driver counts as in use.
    fn usage(&self) -> BoxFuture<'_, Result<Usage, Failure>>;

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
