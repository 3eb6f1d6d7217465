//! The driver against the in-process simulator, on a paused clock.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, its helpers too"
)]

mod concurrency;
mod failures;
mod hosts;
mod interfaces;
mod iscsi;
mod live_migration;
mod neighbours;
mod npiv;
mod operations;
mod storage;
mod support;
mod volume_boot;
mod volume_failures;
mod volume_recovery;
mod volumes;
