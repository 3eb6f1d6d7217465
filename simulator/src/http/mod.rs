//! The wire: URLs, sessions, conditional requests, jobs, events and file contents.
//!
//! Thin by design: a request becomes a [`target::Target`], reads go to the render module, writes through the accept
//! module to the model, and every refusal becomes the product's own error document.
//!
//! The seam with the render and accept modules is [`Target`], [`GroupSet`] and [`Base`] one way, documents and
//! commands the other; only `documents` crosses it.

pub mod base;
pub mod body;
pub mod conditional;
pub mod connection;
mod dispatch;
mod documents;
mod events;
mod exchange;
pub mod group;
pub mod kind;
mod logon;
pub mod monitored;
pub mod problem;
pub mod query;
pub mod respond;
pub mod search;
pub mod sessions;
mod sight;
pub mod target;
mod token_files;
mod upload;
mod write;

pub use base::Base;
pub use group::{Group, GroupSet};
pub use kind::Kind;
pub use problem::Problem;
pub use search::{Comparison, Condition};
pub use target::{Action, Service, Step, Target};

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use http::Request;

use crate::simulator::Simulator;

/// The REST API of a simulator as an HTTP service.
///
/// One handler for every path: the product's URL grammar is not one of fixed routes.
pub fn router(simulator: &Simulator) -> Router {
    let handler = |State(simulator): State<Simulator>, request: Request<Body>| {
        dispatch::answer(simulator, request)
    };
    Router::new()
        .fallback(handler)
        .with_state(simulator.clone())
}
