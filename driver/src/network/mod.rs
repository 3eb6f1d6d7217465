//! Networks of a partition: adapters on switches that a shared Ethernet adapter bridges, pairs of adapters that end in
//! Open vSwitch, and virtual NICs on SR-IOV ports.

pub(crate) mod adapter;
pub(crate) mod bridge;
pub mod interface;
pub mod mac;
pub mod ovs;
pub(crate) mod sriov;
pub(crate) mod trunk;

pub use interface::{Attachment, FixedAddress, NetworkInterface, SriovWish};
pub use mac::Mac;
pub use ovs::OvsPort;
