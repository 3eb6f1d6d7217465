//! Drives a PowerVM host through the REST API of its HMC or NovaLink.

pub mod cli;
pub mod config;
pub mod devices;
pub mod doctor;
pub mod error;
pub mod host;
pub mod journal;
pub mod network;
pub mod operations;
pub mod partition;
pub mod rest;
pub mod saga;
pub mod storage;
pub mod store;
pub mod transaction;
pub mod volume;

pub use error::{Error, ErrorKind, Result};
