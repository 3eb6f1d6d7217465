//! Jobs: work that a client asks for and then watches.

mod boot;
pub mod catalogue;
mod cli;
mod cluster;
mod control;
mod device;
pub mod gate;
mod identity;
pub mod incident;
mod iscsi;
pub mod lifecycle;
mod netboot;
mod parameters;
pub mod power;
mod recovery;
mod sriov;
mod suspend;
mod tasks;

pub use parameters::{MASK, Shown, is_secret};
use uuid::Uuid;

use super::names::JobStatus;
use crate::clock::Millis;

/// The resource type that a job's URL names first, also its `GroupName`.
#[derive(
    serde::Serialize, serde::Deserialize, Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash,
)]
pub enum JobTarget {
    /// `LogicalPartition/{uuid}/do/…`
    LogicalPartition(Uuid),
    /// `VirtualIOServer/{uuid}/do/…`
    VirtualIoServer(Uuid),
    /// `ManagedSystem/{uuid}/do/…`
    ManagedSystem(Uuid),
    /// `ManagementConsole/do/…` or `ManagementConsole/{uuid}/do/…`
    ManagementConsole(Option<Uuid>),
    /// `Cluster/do/…` or `Cluster/{uuid}/do/…`
    Cluster(Option<Uuid>),
}

impl JobTarget {
    /// The resource type: `GroupName`, and the root of the URL to submit to.
    #[must_use]
    pub const fn group_name(self) -> &'static str {
        match self {
            Self::LogicalPartition(_) => "LogicalPartition",
            Self::VirtualIoServer(_) => "VirtualIOServer",
            Self::ManagedSystem(_) => "ManagedSystem",
            Self::ManagementConsole(_) => "ManagementConsole",
            Self::Cluster(_) => "Cluster",
        }
    }

    /// The UUID of the resource, if the URL has one.
    #[must_use]
    pub const fn uuid(self) -> Option<Uuid> {
        match self {
            Self::LogicalPartition(uuid)
            | Self::VirtualIoServer(uuid)
            | Self::ManagedSystem(uuid) => Some(uuid),
            Self::ManagementConsole(uuid) | Self::Cluster(uuid) => uuid,
        }
    }
}

/// A job and what became of it.
#[derive(serde::Serialize, serde::Deserialize, Clone, PartialEq, Eq)]
pub struct Job {
    /// `JobID`: 13 decimal digits.
    pub id: u64,
    /// What it works on.
    pub target: JobTarget,
    /// The system that its target belonged to when it was submitted; none if all have a part in the target.
    #[serde(default)]
    pub system: Option<Uuid>,
    /// `OperationName`
    pub operation: String,
    /// The parameters as they came.
    pub parameters: Vec<(String, String)>,
    /// `Status`
    pub status: JobStatus,
    /// When it was submitted.
    pub submitted: Millis,
    /// `TimeStarted`; 0 on the wire until then.
    pub started: Option<Millis>,
    /// `TimeCompleted`; 0 on the wire until then.
    pub completed: Option<Millis>,
    /// `Results`: names and values.
    pub results: Vec<(String, String)>,
    /// `ResponseException/Message`
    pub exception: Option<String>,
    /// How far it has come in percent, where that is told.
    #[serde(default)]
    pub progress: Option<u8>,
    /// How it ends before it does anything, if that was decided at its submission.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub fate: Option<lifecycle::JobEnd>,
    /// Changes with the document.
    pub version: u64,
}

impl Job {
    /// The value of a parameter.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// Whether a boolean parameter is `true`.
    #[must_use]
    pub fn is_set(&self, name: &str) -> bool {
        self.parameter(name)
            .is_some_and(|value| value.trim().eq_ignore_ascii_case("true"))
    }
}
