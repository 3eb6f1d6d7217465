//! Emulates the PowerVM REST API of an HMC or a NovaLink.

pub mod accept;
pub mod admin;
pub mod builder;
pub mod cli;
pub mod clock;
#[cfg(test)]
mod conforms;
pub mod counters;
mod gather;
pub mod http;
pub mod inventory;
pub mod model;
pub mod peer;
pub mod recording;
pub mod render;
pub mod requests;
mod scope;
pub mod serve;
pub mod simulator;
pub mod state;
pub mod stepping;
pub mod tls;
pub mod weather;

pub use model::Flavor;
pub use simulator::Simulator;
