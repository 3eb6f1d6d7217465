//! Networks of a partition: adapters on switches that a shared Ethernet adapter bridges.

pub(crate) mod adapter;
pub mod interface;
pub mod mac;

pub use interface::{FixedAddress, NetworkInterface};
pub use mac::Mac;
