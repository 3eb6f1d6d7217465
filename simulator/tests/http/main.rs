//! The HTTP side of the simulator: in process through its router, and on sockets.

// Helpers of tests may fail like tests; clippy knows only functions marked as such.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod binary;
mod client;
mod contention;
mod documented;
mod documents;
mod events;
mod faults;
mod hostile;
mod jobs;
mod limits;
mod metrics;
mod mobility;
mod peers;
mod process;
mod recordings;
mod refusals;
mod secrets;
mod sessions;
mod sockets;
mod storage_network;
mod survival;
mod uploads;
mod weather;
