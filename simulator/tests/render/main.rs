//! Documents out and documents in, without sockets.

// Helpers outside of test functions, too: what goes wrong in them fails the test that called them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod accept;
mod additions;
mod attacks;
mod documents;
mod edits;
mod names;
mod network;
mod quick;
mod servers_off;
mod support;
mod web;
