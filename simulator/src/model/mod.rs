//! The machine room: systems, partitions, Virtual I/O Servers, storage, network and jobs as plain values.
//!
//! [`World`] is one immutable value of persistent maps: a clone costs a few pointers, so whoever reads keeps a whole
//! world, and a refused command is undone by keeping the old one. [`World::apply`] and [`World::advance`] are pure:
//! time is handed in, random choices come from the world's own seeded stream.

mod advance;
pub mod agenda;
pub mod command;
mod console;
pub mod directory;
pub mod etag;
pub mod events;
pub mod file;
pub mod ids;
pub mod invariants;
pub mod job;
pub mod listing;
mod lowest;
pub mod memory_pool;
pub mod migration;
pub mod monitoring;
pub mod names;
pub mod network;
pub mod pace;
mod pairs;
mod part;
pub mod partition;
pub mod pool;
pub mod population;
pub mod processor_pool;
pub mod profile;
pub mod refusal;
pub mod register;
pub mod resource;
pub mod san;
mod secret_text;
pub mod serial_number;
pub mod slots;
pub mod sriov;
pub mod storage;
pub mod system;
mod transaction;
pub mod units;
mod view;
pub mod vios;
pub mod world;
pub mod wwpn;

pub use command::{Command, Outcome};
pub use etag::{Etag, Facets};
pub use invariants::Violation;
pub use names::Flavor;
pub use pace::Pace;
pub use refusal::Refusal;
pub use resource::{Owner, Resource};
pub use world::World;
