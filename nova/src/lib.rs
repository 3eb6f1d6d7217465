//! The driver as Nova's compute driver: what of it is Rust.
//!
//! Python has what is Nova's, and hands plain data over: JSON in, JSON out, one call an operation. A call runs on a
//! runtime of this library's own; Python waits for it without holding its interpreter, in a thread, or in a green thread
//! by a file descriptor that becomes readable.

pub mod call;
pub mod feed;
pub mod host;
pub mod log;
mod migration;
pub mod operations;
pub mod outlet;
pub mod plugs;
#[cfg(feature = "python")]
mod python;
pub mod request;
pub mod settings;
pub mod trouble;
