//! What Cinder has to know of a host before it shows it a volume.

use serde::Serialize;

use super::wwpn::Wwpn;

/// A host as Cinder's drivers know it: Nova's `get_volume_connector`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Connector {
    /// Fibre Channel ports that the storage has to let in: those of the Virtual I/O Servers, or with
    /// NPIV the server's own that will log in.
    pub wwpns: Vec<Wwpn>,
    /// Name of the iSCSI initiator of the first Virtual I/O Server that has one.
    pub initiator: Option<String>,
    /// Whether all ways to a volume are wanted.
    pub multipath: bool,
    /// The host's name, under which the storage keeps the ports.
    pub host: String,
}
