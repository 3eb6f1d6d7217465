//! PowerVM REST documents: lossless element trees with typed views.
//!
//! A document is a tree of [`xml::Element`]s, kept exactly as it came; [`atom`] is its envelope. Typed views stand
//! on elements: [`partition::LogicalPartition`], [`vios::VirtualIoServer`], [`storage::LogicalUnit`] … each with
//! getters that parse and setters that insert at the right place (see [`view`]). What a view does not know is left
//! alone, so that an object that was read, edited and sent back has lost nothing.
//!
//! ```
//! use powervm_schema::atom::Entry;
//! use powervm_schema::partition::{LogicalPartition, PartitionState};
//!
//! let mut entry = Entry::parse(
//!     br#"<entry xmlns="http://www.w3.org/2005/Atom"><id>0A</id><title>LogicalPartition</title>
//!         <content type="application/vnd.ibm.powervm.uom+xml; type=LogicalPartition">
//!         <LogicalPartition xmlns="http://www.ibm.com/xmlns/systems/power/firmware/uom/mc/2012_10/"
//!         ><PartitionState>running</PartitionState><Unheard>of</Unheard></LogicalPartition></content></entry>"#,
//! )?;
//! let mut partition = LogicalPartition(&mut entry.content);
//! assert_eq!(partition.partition().state()?, Some(PartitionState::Running));
//! partition.partition_mut().set_name("web-1").memory_mut().set_desired_memory(4096);
//! assert!(entry.to_xml().contains("<PartitionName>web-1</PartitionName><PartitionState>running"));
//! assert!(entry.to_xml().contains("<Unheard>of</Unheard>"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod atom;
pub mod error;
pub mod event;
pub mod file;
pub mod job;
pub mod logon;
pub mod network;
pub mod partition;
pub mod quick;
pub mod sriov;
pub mod storage;
pub mod system;
pub mod units;
pub mod view;
pub mod vios;
pub mod xml;

pub use smol_str::SmolStr;
