//! The rules of the model, one by one, and all of them under random commands.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that meets the unexpected shall fail"
)]

mod bridges;
mod bridging;
mod clusters;
mod events;
mod fibre_channel;
mod files;
mod invariants;
mod inventory;
mod iscsi;
mod jobs;
mod mappings;
mod migration;
mod network;
mod operations;
mod partitions;
mod pools;
mod random;
mod requests;
mod san;
mod servers;
mod shares;
mod sriov;
mod storage;
mod storage_use;
mod support;
