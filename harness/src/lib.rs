//! Replays deploy scenarios against a PowerVM endpoint, audits for leaks and reports.
//!
//! - [`scenario`]: what is done, read from files.
//! - [`target`]: where it is done.
//! - [`engine`]: does it, and checks what comes out.
//! - [`audit`]: what was left behind.
//! - [`report`]: tells it.
//! - [`storage`]: the storage behind a simulator, as Cinder would use it.

pub mod audit;
pub mod cli;
pub mod engine;
pub mod image;
pub mod leaks;
pub mod live;
pub mod matrix;
pub mod mixed;
pub mod report;
pub mod runtime;
pub mod scenario;
pub mod soak;
pub mod stats;
pub mod storage;
pub mod survey;
pub mod target;
pub mod wall;
