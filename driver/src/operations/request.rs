//! What the operations are asked for.

use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::volume::Metadata;
use crate::network::NetworkInterface;
use crate::partition::{Flavor, PartitionUuid};
use crate::storage::image::Image;
use crate::storage::media::ConfigDrive;
use crate::volume::Connection;

/// A server to be made.
#[derive(Debug, Clone)]
pub struct SpawnRequest {
    /// The instance's UUID; the partition's follows from it.
    pub instance: Uuid,
    /// The server's name, from which the names of its partition and boot disk follow.
    pub name: String,
    /// Its size.
    pub flavor: Flavor,
    /// What its boot disk holds; without, it boots from its first volume and has no disk of its own.
    pub image: Option<Image>,
    /// Volumes that it has from the start, in the order in which the guest finds them.
    pub volumes: Vec<Connection>,
    /// What is kept for the instance, for the ports that it reaches volumes through.
    pub metadata: Metadata,
    /// Its interfaces, in the order in which the guest finds them.
    pub networks: Vec<NetworkInterface>,
    /// What the guest is told through a config drive; none for no config drive.
    pub config_drive: Option<ConfigDrive>,
    /// Whether to power it on in the end.
    pub power_on: bool,
}

/// A server to be removed.
#[derive(Debug, Clone)]
pub struct DestroyRequest {
    /// The instance's UUID.
    pub instance: Uuid,
    /// The server's name as it was made with. Where it is given, a boot disk of that name that lost
    /// its mapping is found as well; the partition's own name serves otherwise, as long as there
    /// still is a partition.
    pub name: Option<String>,
    /// Whether its disks go too. Volumes are detached in any case, and their contents stay.
    pub destroy_disks: bool,
    /// Its volumes, where they are known: what is attached is found without, but not a disk that was left
    /// on a Virtual I/O Server by a call that broke off.
    pub volumes: Vec<Connection>,
}

impl DestroyRequest {
    /// Removes an instance with its disks.
    #[must_use]
    pub fn of(instance: Uuid) -> Self {
        Self {
            instance,
            name: None,
            destroy_disks: true,
            volumes: Vec::new(),
        }
    }
}

/// How to stop a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stop {
    /// Ask the guest, then insist: see [`crate::partition::power`].
    Graceful,
    /// Take the power away.
    Hard,
}

/// How to reboot a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reboot {
    /// Ask the guest, then insist.
    Soft,
    /// Take the power away and give it back.
    Hard,
}

/// How a server is told from the others of its host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ServerRef {
    /// By its instance's UUID, or its partition's.
    Uuid(Uuid),
    /// By its partition's name.
    Name(String),
}

impl ServerRef {
    /// Reads a UUID as one and everything else as a name.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        Uuid::try_parse(text).map_or_else(|_| Self::Name(text.to_owned()), Self::Uuid)
    }

    /// The partition's UUID, where the reference alone says it.
    #[must_use]
    pub fn partition(&self) -> Option<PartitionUuid> {
        match self {
            Self::Uuid(uuid) => Some(PartitionUuid::of_instance(*uuid)),
            Self::Name(_) => None,
        }
    }
}

impl From<Uuid> for ServerRef {
    fn from(uuid: Uuid) -> Self {
        Self::Uuid(uuid)
    }
}

impl fmt::Display for ServerRef {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Uuid(uuid) => write!(formatter, "{uuid}"),
            Self::Name(name) => write!(formatter, "'{name}'"),
        }
    }
}
