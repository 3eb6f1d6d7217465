//! Volumes that Cinder keeps: how they are described, found and served.
//!
//! Everything here is pure: it reads what Cinder and Virtual I/O Servers say, and writes what they
//! are asked. What talks to a server stands in [`crate::operations`].

pub mod connection;
pub mod connector;
pub(crate) mod discovery;
pub(crate) mod fields;
pub(crate) mod npiv;
pub mod wwpn;

pub use connection::{Connection, FibreChannel, FileVolume, Iscsi, RbdVolume, Transport};
pub use connector::Connector;
pub use wwpn::Wwpn;
