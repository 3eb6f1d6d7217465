//! The CI against a small Gerrit of our own.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking; clippy spares functions of tests, and not what they share"
)]

mod client;
mod config;
mod documentation;
mod gerrit;
mod property;
mod run;
mod served;
mod vote;
mod watch;
