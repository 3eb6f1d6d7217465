//! Requests of the storage's administrator; not part of the REST API.

use std::collections::BTreeSet;
use uuid::Uuid;

use crate::model::san::Protocol;
use crate::model::storage::Content;

/// See [`Command::CreateSanVolume`](super::Command::CreateSanVolume).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreateSanVolume {
    /// Its identifier.
    pub uuid: Uuid,
    /// Its name on the storage.
    pub name: String,
    /// Its size.
    pub megabytes: u64,
    /// How it is reached.
    pub protocol: Protocol,
    /// The target's IQN, the file's path or the image's `pool/image`; made from identifier or name if nothing was said.
    pub external: Option<String>,
    /// Whether it tells its NAA name; a volume that does not is found, but has no UDID.
    pub identified: bool,
    /// What lies on it.
    pub content: Option<Content>,
}

/// A host as storage drivers know it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Connector {
    /// Its Fibre Channel port names.
    pub wwpns: BTreeSet<u64>,
    /// Its iSCSI initiator name.
    pub initiator: Option<String>,
    /// Whether its iSCSI initiator has to prove its identity.
    pub chap: bool,
}
