//! Snapshots: kept under a name, put back, compared, taken out and in as a document; and the state file.

use std::collections::BTreeMap;

use axum::extract::{Path, Request, State};
use axum::response::Response;
use http::StatusCode;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::operation::Operation;
use super::reply::{json_response, nothing, read_large};
use super::{Admin, answer, refusal};
use crate::state::{Diff, Saved, Shelf, StateError, diff};

/// The largest document that is taken in, in bytes.
const LARGEST: usize = 256 << 20;

/// A snapshot in short.
#[derive(Serialize, JsonSchema)]
struct Brief {
    /// Its simulated moment, ISO 8601.
    now: String,
    partitions: usize,
    virtual_io_servers: usize,
    jobs: usize,
}

impl Brief {
    fn of(saved: &Saved) -> Self {
        Self {
            now: saved.now.to_string(),
            partitions: saved.world.partitions.len(),
            virtual_io_servers: saved.world.vioses.len(),
            jobs: saved.world.jobs.len(),
        }
    }
}

/// Where a state was saved.
#[derive(Serialize, JsonSchema)]
struct File {
    path: String,
    /// The simulated moment, ISO 8601.
    now: String,
}

pub(super) fn operations() -> Vec<Operation> {
    let none = "there is no such snapshot";
    vec![
        Operation::get("/snapshots", "All snapshots by name", list)
            .gives::<BTreeMap<String, Brief>>(),
        Operation::post("/snapshots/{name}", "Keep the present under a name", keep)
            .gives::<Brief>()
            .refuses(409, "the name does not do, or there are 64 snapshots already"),
        Operation::get("/snapshots/{name}", "A snapshot as a document; \"now\" is the present", take_out)
            .gives::<Value>()
            .refuses(404, none),
        Operation::put("/snapshots/{name}", "Keep a document under a name", take_in)
            .takes::<Value>()
            .gives::<Brief>()
            .refuses(409, "the name does not do, or there are 64 snapshots already")
            .refuses(413, "the document is larger than 256 MiB"),
        Operation::delete("/snapshots/{name}", "Drop a snapshot", remove).refuses(404, none),
        Operation::post(
            "/snapshots/{name}/load",
            "Put a snapshot in the place of the present, its time included",
            load,
        )
        .gives::<Brief>()
        .refuses(404, none)
        .refuses(409, "it is of the other product"),
        Operation::get(
            "/snapshots/{name}/diff/{other}",
            "What differs between two snapshots, from the first to the second; \"now\" is the present",
            compare,
        )
        .gives::<Diff>()
        .refuses(404, none),
        Operation::post("/state/save", "Save the state to the file that --state names", save)
            .gives::<File>()
            .refuses(409, "there is no such file, or it cannot be written"),
    ]
}

async fn list(State(admin): State<Admin>) -> Response {
    let briefs: BTreeMap<String, Brief> = admin
        .simulator
        .snapshots()
        .list()
        .iter()
        .map(|(name, saved)| (name.clone(), Brief::of(saved)))
        .collect();
    answer(&briefs)
}

async fn keep(State(admin): State<Admin>, Path(name): Path<String>) -> Response {
    put(&admin, &name, admin.simulator.save())
}

async fn take_out(State(admin): State<Admin>, Path(name): Path<String>) -> Response {
    let saved = match find(&admin, &name) {
        Ok(saved) => saved,
        Err(refusal) => return *refusal,
    };
    match saved.to_json() {
        Ok(text) => json_response(StatusCode::OK, text.into()),
        Err(error) => refused(&error),
    }
}

async fn take_in(
    State(admin): State<Admin>,
    Path(name): Path<String>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let text = match read_large(&parts.headers, body, LARGEST).await {
        Ok(text) => text,
        Err(refusal) => return refusal,
    };
    match Saved::from_json(&text) {
        Ok(saved) => put(&admin, &name, saved),
        Err(error) => refusal(StatusCode::BAD_REQUEST, &error.to_string()),
    }
}

async fn remove(State(admin): State<Admin>, Path(name): Path<String>) -> Response {
    if admin.simulator.snapshots().remove(&name) {
        nothing()
    } else {
        missing()
    }
}

async fn load(State(admin): State<Admin>, Path(name): Path<String>) -> Response {
    let saved = match find(&admin, &name) {
        Ok(saved) => saved,
        Err(refusal) => return *refusal,
    };
    match admin.simulator.restore(&saved) {
        Ok(()) => answer(&Brief::of(&saved)),
        Err(error) => refused(&error),
    }
}

async fn compare(
    State(admin): State<Admin>,
    Path((one, other)): Path<(String, String)>,
) -> Response {
    match (find(&admin, &one), find(&admin, &other)) {
        (Ok(one), Ok(other)) => match diff(&one, &other) {
            Ok(found) => answer(&found),
            Err(error) => refused(&error),
        },
        (Err(refusal), _) | (_, Err(refusal)) => *refusal,
    }
}

async fn save(State(admin): State<Admin>) -> Response {
    let simulator = admin.simulator.clone();
    // Writing waits for the disk.
    let saved = tokio::task::spawn_blocking(move || simulator.persist()).await;
    match saved.unwrap_or(Ok(None)) {
        Ok(Some(path)) => answer(&File {
            path: path.display().to_string(),
            now: admin.simulator.now().to_string(),
        }),
        Ok(None) => refusal(
            StatusCode::CONFLICT,
            "the simulator was started without --state, so there is no file to save to",
        ),
        Err(error) => refused(&error),
    }
}

/// The snapshot with this name, or the present.
pub(super) fn find(admin: &Admin, name: &str) -> Result<Saved, Box<Response>> {
    if name == Shelf::PRESENT {
        return Ok(admin.simulator.save());
    }
    admin
        .simulator
        .snapshots()
        .get(name)
        .ok_or_else(|| Box::new(missing()))
}

fn put(admin: &Admin, name: &str, saved: Saved) -> Response {
    let brief = Brief::of(&saved);
    match admin.simulator.snapshots().keep(name, saved) {
        Ok(()) => answer(&brief),
        Err(error) => refusal(StatusCode::CONFLICT, &error.to_string()),
    }
}

fn missing() -> Response {
    refusal(
        StatusCode::NOT_FOUND,
        "there is no snapshot with this name; GET /snapshots lists them",
    )
}

fn refused(error: &StateError) -> Response {
    refusal(StatusCode::CONFLICT, &error.to_string())
}
