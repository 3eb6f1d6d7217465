//! Volumes that Cinder keeps: attached to servers, detached, grown, and what Cinder has to know of the
//! host before.
//!
//! One file an operation. What they have in common: [`find`] looks for volumes on Virtual I/O Servers,
//! [`forget`] makes the servers forget them, [`stale`] clears what keeps them from being found.

pub(super) mod attach;
mod connector;
pub(super) mod detach;
pub(super) mod extend;
pub(super) mod find;
pub(super) mod forget;
mod iscsi;
pub(super) mod ports;
pub(super) mod report;
pub(super) mod request;
pub(super) mod scene;
pub(super) mod search;
pub(super) mod stale;
pub(super) mod traces;

pub use report::{AttachedVolume, ConnectorInfo, VolumePath, VolumesReport};
pub use request::{Metadata, VolumeRequest};
