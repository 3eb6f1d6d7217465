//! The driver against the in-process simulator, on a paused clock.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, its helpers too"
)]

mod agent;
mod altered;
mod arrivals;
mod bad_input;
mod bridge_peers;
mod bridges;
#[path = "../../../driver/tests/swift/cloud.rs"]
#[expect(dead_code, reason = "the tests of the client ask more of it")]
mod cloud;
mod cold_migration;
mod concurrency;
mod consoles;
mod doctor;
mod doctor_odds;
mod failures;
mod fates;
mod files;
mod gates;
mod held_jobs;
mod hosts;
mod ibmi;
mod images;
mod interfaces;
mod iscsi;
mod kept;
mod lifecycle;
mod live_migration;
mod live_migration_failures;
mod live_migration_ovs;
mod live_migration_volumes;
mod live_resize;
mod meters;
mod neighbours;
mod npiv;
mod operations;
mod options;
mod out_of_reach;
mod out_of_reach_volumes;
mod plug_events;
mod rebuild;
mod reference_defects;
mod remote_restart;
mod removals;
mod rescue;
mod resize;
mod resize_volumes;
mod snapshot_failures;
mod snapshots;
mod states;
mod storage;
mod support;
mod trunks;
mod two_hosts;
mod volume_boot;
mod volume_failures;
mod volume_recovery;
mod volumes;
