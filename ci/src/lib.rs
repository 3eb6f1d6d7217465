//! A third-party CI: it watches Gerrit for changes of Nova, runs each with our driver on the simulator, and votes.
//!
//! - [`gerrit`] speaks Gerrit's REST dialect,
//! - [`trigger`] tells which patch sets and comments ask for a run,
//! - [`queue`] keeps runs on disk, from their trigger to their vote,
//! - [`watch`] brings them together, for weeks,
//! - [`run`] makes an environment with a change in it and runs the tests there,
//! - [`vote`] says in Gerrit how a run ended, once.
//!
//! Nothing here knows the driver or the simulator: a run starts them as programs. `docs/third-party-ci.md` is the
//! operator's page.

pub mod backoff;
pub mod cli;
pub mod config;
pub mod gerrit;
pub mod glob;
pub mod queue;
pub mod run;
pub mod secret;
pub mod trigger;
pub mod vote;
pub mod watch;
