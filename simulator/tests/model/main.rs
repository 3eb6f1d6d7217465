//! The rules of the model, one by one, and all of them under random commands.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that meets the unexpected shall fail"
)]

mod events;
mod files;
mod invariants;
mod inventory;
mod jobs;
mod mappings;
mod network;
mod partitions;
mod pools;
mod random;
mod storage;
mod support;
