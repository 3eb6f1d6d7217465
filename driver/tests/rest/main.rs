//! The REST client against small servers, well-behaved and hostile.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod fake;

mod events;
mod hostile;
mod jobs;
mod logon;
mod requests;
mod retries;
mod sockets;
mod together;
mod uploads;
