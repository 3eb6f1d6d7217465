//! What the operations on volumes tell.

use serde::Serialize;

use super::request::Metadata;
use crate::volume::Connector;

/// Volumes of a server after an operation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct VolumesReport {
    /// The partition's name.
    pub server: String,
    /// Each volume, in the order asked for.
    pub volumes: Vec<AttachedVolume>,
    /// What is to be kept for the instance from now on.
    #[serde(skip_serializing_if = "Metadata::is_empty")]
    pub metadata: Metadata,
}

/// A volume of a server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AttachedVolume {
    /// Its identifier.
    pub volume: String,
    /// Unique device identifier of its disk, to be kept as `connection_info.data.target_UDID`. A server
    /// with ports of its own finds the disk by itself; then it is not known.
    pub target_udid: Option<String>,
    /// How the server reaches it, or reached it.
    pub paths: Vec<VolumePath>,
}

/// One way of a server to a volume.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct VolumePath {
    /// Name of the Virtual I/O Server.
    pub served_by: String,
    /// What it is there: a disk, a file, an image, or a Fibre Channel port.
    pub device: String,
    /// Its address on the virtual SCSI bus.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
}

/// What Cinder is told of the host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ConnectorInfo {
    /// For Cinder.
    pub connector: Connector,
    /// What is to be kept for the instance from now on.
    #[serde(skip_serializing_if = "Metadata::is_empty")]
    pub metadata: Metadata,
}
