//! Live migration: a server moves to another host while it runs.
//!
//! Whoever leads it calls, in this order: [`check_migration_destination`](Driver::check_migration_destination) there,
//! [`check_migration_source`](Driver::check_migration_source) here,
//! [`pre_live_migration`](Driver::pre_live_migration) there, [`live_migration`](Driver::live_migration) here, and
//! [`post_live_migration_at_destination`](Driver::post_live_migration_at_destination) or
//! [`rollback_live_migration_at_destination`](Driver::rollback_live_migration_at_destination) there, and hands
//! [`MigrationData`] from one to the next. [`live_migrate`](Driver::live_migrate) does all of it with two drivers.
//!
//! Checks change nothing. What is changed on a host is in the journal of that host's driver.

mod adapters;
mod arrive;
mod arrived;
mod cold;
mod console;
pub(in crate::operations) mod course;
mod data;
mod depart;
mod destination;
mod lead;
mod networks;
mod settle;
mod source;
pub(in crate::operations) mod tidy;

pub(in crate::operations) use arrive::Arrive;
pub(in crate::operations) use cold::Away;
pub(in crate::operations) use depart::Depart;
pub(in crate::operations) use lead::{HERE, PREPARE, THERE};
pub(in crate::operations) use settle::Settle;

pub use arrived::Arrived;
pub use cold::ColdMigration;
pub use data::{
    ConsoleAccess, DestinationHost, LiveMigration, MigrationData, MigrationOptions, Prepared,
    SourceBus, SourceDisk, SourceHost, SourceInterface, SourcePort, SourceTrunk,
};
pub use lead::Migrated;

#[cfg(doc)]
use super::Driver;
use crate::error::{Error, ErrorKind};

/// The server cannot move: what keeps it.
fn refused(server: &str, why: impl std::fmt::Display, remedy: impl Into<String>) -> Error {
    Error::operation(
        ErrorKind::Precondition,
        format!("{server} cannot be migrated: {why}"),
        remedy,
    )
}
