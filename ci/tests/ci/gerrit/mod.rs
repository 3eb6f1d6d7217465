//! A small Gerrit: its REST dialect, and the ways in which a real one fails.
//!
//! `state` is the Gerrit itself, a plain value; `process` hands requests to it without a socket, for tests on a paused
//! clock; `socket` serves it with axum, for what only sockets can do.

pub(crate) mod process;
pub(crate) mod socket;
pub(crate) mod state;

pub(crate) use process::InProcess;
pub(crate) use state::{FakeGerrit, Trouble};
