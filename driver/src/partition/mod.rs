//! Logical partitions: identity, names, sizes, states.
//!
//! Everything here is pure: it turns what a user asked for into what a server accepts, and says
//! precisely why it cannot. What talks to a server stands in [`crate::operations`].

pub mod configuration;
pub mod document;
pub mod flavor;
pub mod host_limits;
pub mod identity;
pub mod name;
pub mod power;
pub mod sizing;
pub mod slots;
pub mod state;

pub use configuration::Configuration;
pub use flavor::Flavor;
pub use host_limits::{HostLimits, HostRoom};
pub use identity::PartitionUuid;
pub use sizing::{Sizing, SizingDefaults, SizingError};
pub use slots::SlotMap;
pub use state::PowerState;
