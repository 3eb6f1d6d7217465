//! Volumes of the storage, and who may use them over which protocol.

use imbl::OrdMap;
use secrecy::{ExposeSecret, SecretString};
use std::collections::BTreeSet;
use std::fmt;
use uuid::Uuid;

use crate::model::storage::Content;

/// A volume as the storage has it.
#[derive(serde::Serialize, serde::Deserialize, Clone, Debug, PartialEq, Eq)]
pub struct SanVolume {
    /// Its identifier; what Cinder calls the volume's id.
    pub uuid: Uuid,
    /// Its name on the storage: the `StorageLabel` of the disk that it becomes.
    pub name: String,
    /// Its size in megabytes. Whoever uses it learns of growth by a rescan.
    pub megabytes: u64,
    /// What it says of itself in its page 83 descriptor: 32 hexadecimal digits. A volume without one is found but not
    /// recognised.
    pub naa: Option<String>,
    /// How it is reached.
    pub access: Access,
    /// What lies on it, as far as known.
    pub content: Option<Content>,
}

/// The ways to a volume.
#[derive(
    serde::Serialize, serde::Deserialize, Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash,
)]
pub enum Protocol {
    /// Fibre Channel, physical or through NPIV.
    FibreChannel,
    /// iSCSI.
    Iscsi,
    /// A file on a file system of the Virtual I/O Server, such as an NFS share.
    File,
    /// An image in a Ceph pool.
    Rbd,
}

/// How a volume is reached, and by whom.
#[derive(serde::Serialize, serde::Deserialize, Clone, Debug, PartialEq, Eq)]
pub enum Access {
    /// Over Fibre Channel.
    FibreChannel(FibreChannelAccess),
    /// Over iSCSI.
    Iscsi(IscsiAccess),
    /// As a file with this path.
    File(String),
    /// As `pool/image`.
    Rbd(String),
}

/// Masking: at which target ports, under which number, for whom.
#[derive(serde::Serialize, serde::Deserialize, Clone, Debug, Default, PartialEq, Eq)]
pub struct FibreChannelAccess {
    /// The logical unit number, the same at each target; none while nobody may see the volume.
    pub lun: Option<u32>,
    /// The target ports.
    pub targets: BTreeSet<u64>,
    /// The initiators.
    pub hosts: Hosts,
}

/// Initiators that a volume is unmasked for.
#[derive(serde::Serialize, serde::Deserialize, Clone, Debug, PartialEq, Eq)]
pub enum Hosts {
    /// All of them.
    Everyone,
    /// These ports.
    Ports(BTreeSet<u64>),
}

impl Default for Hosts {
    fn default() -> Self {
        Self::Ports(BTreeSet::new())
    }
}

impl Hosts {
    /// Whether this port is among them.
    #[must_use]
    pub fn include(&self, wwpn: u64) -> bool {
        match self {
            Self::Everyone => true,
            Self::Ports(ports) => ports.contains(&wwpn),
        }
    }
}

/// An iSCSI target with one logical unit.
#[derive(serde::Serialize, serde::Deserialize, Clone, Debug, PartialEq, Eq)]
pub struct IscsiAccess {
    /// The name of the target.
    pub iqn: String,
    /// The number of the logical unit.
    pub lun: u32,
    /// Initiators that may log on, each with what it has to know.
    pub initiators: OrdMap<String, Option<Chap>>,
}

/// What an initiator proves its identity with.
#[derive(Clone, serde::Serialize, serde::Deserialize)]
pub struct Chap {
    /// The user's name.
    pub user: String,
    /// The secret.
    #[serde(with = "crate::model::secret_text")]
    pub password: SecretString,
}

impl PartialEq for Chap {
    fn eq(&self, other: &Self) -> bool {
        self.user == other.user && self.password.expose_secret() == other.password.expose_secret()
    }
}

impl Eq for Chap {}

impl fmt::Debug for Chap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Chap")
            .field("user", &self.user)
            .finish_non_exhaustive()
    }
}

impl Access {
    /// The protocol.
    #[must_use]
    pub const fn protocol(&self) -> Protocol {
        match self {
            Self::FibreChannel(_) => Protocol::FibreChannel,
            Self::Iscsi(_) => Protocol::Iscsi,
            Self::File(_) => Protocol::File,
            Self::Rbd(_) => Protocol::Rbd,
        }
    }

    /// The path or name by which a mapping names it as a virtual disk.
    #[must_use]
    pub fn external_name(&self) -> Option<&str> {
        match self {
            Self::File(name) | Self::Rbd(name) => Some(name),
            Self::FibreChannel(_) | Self::Iscsi(_) => None,
        }
    }
}

impl SanVolume {
    /// Whether any host may use it now. Files and images have no such switch.
    #[must_use]
    pub fn is_mapped(&self) -> bool {
        match &self.access {
            Access::FibreChannel(access) => access.lun.is_some(),
            Access::Iscsi(access) => !access.initiators.is_empty(),
            Access::File(_) | Access::Rbd(_) => false,
        }
    }
}

impl Protocol {
    /// The name in the admin API: Cinder's `driver_volume_type`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::FibreChannel => "fibre_channel",
            Self::Iscsi => "iscsi",
            Self::File => "nfs",
            Self::Rbd => "rbd",
        }
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
