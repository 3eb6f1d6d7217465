//! What is there and how it goes: health, counters, inventory, contents, invariants.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::response::Response;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::inventory::{Listing, Lying};
use super::operation::Operation;
use super::{Admin, answer, inventory, metrics, openapi};
use crate::counters::Counters;

/// A sign of life.
#[derive(Serialize, JsonSchema)]
struct Health {
    /// `ok`
    status: &'static str,
    /// The program's version.
    version: &'static str,
    /// `novalink` or `hmc`.
    flavor: &'static str,
    /// The simulated present, ISO 8601.
    now: String,
}

/// What contradicts itself.
#[derive(Serialize, JsonSchema)]
struct Invariants {
    /// Now.
    violations: Vec<String>,
    /// In changes that were refused for it, oldest first; empty unless invariants are checked.
    refused: Vec<String>,
}

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::get("/health", "Whether it runs", health)
            .gives::<Health>()
            .open(),
        Operation::get("/openapi.json", "This description", description)
            .gives::<Value>()
            .open(),
        Operation::get("/counters", "What happened so far, in numbers", counters)
            .gives::<Counters>(),
        Operation::get("/metrics", "The same for Prometheus", metrics::show)
            .text(metrics::MEDIA_TYPE),
        Operation::get(
            "/inventory",
            "Systems, servers, partitions, storage, files and jobs: names and identifiers",
            list,
        )
        .gives::<Listing>(),
        Operation::get(
            "/contents",
            "Size and SHA-256 of what lies on each disk, by UDID",
            contents,
        )
        .gives::<BTreeMap<String, Lying>>(),
        Operation::get(
            "/invariants",
            "What of the model contradicts itself",
            invariants,
        )
        .gives::<Invariants>(),
    ]
}

async fn health(State(admin): State<Admin>) -> Response {
    let simulator = &admin.simulator;
    answer(&Health {
        status: "ok",
        version: env!("CARGO_PKG_VERSION"),
        flavor: simulator.flavor().as_str(),
        now: simulator.now().to_string(),
    })
}

async fn description() -> Response {
    answer(&openapi::document(&super::operations()))
}

async fn counters(State(admin): State<Admin>) -> Response {
    answer(&admin.simulator.counters())
}

async fn list(State(admin): State<Admin>) -> Response {
    answer(&Listing::of(&admin.simulator.world()))
}

async fn contents(State(admin): State<Admin>) -> Response {
    answer(&inventory::contents(&admin.simulator.world()))
}

async fn invariants(State(admin): State<Admin>) -> Response {
    let world = admin.simulator.world();
    let violations = world.violations().iter().map(ToString::to_string).collect();
    answer(&Invariants {
        violations,
        refused: admin.simulator.violations(),
    })
}
