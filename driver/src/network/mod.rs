//! Networks of a partition: adapters on switches that a shared Ethernet adapter bridges.

pub(crate) mod adapter;
pub mod interface;
pub mod mac;
pub(crate) mod sriov;

pub use interface::{Attachment, FixedAddress, NetworkInterface, SriovWish};
pub use mac::Mac;
