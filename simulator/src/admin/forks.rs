//! Forks: simulators of their own that go on from a snapshot, each on ports of its own.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use axum::extract::{Path, State};
use axum::response::Response;
use http::StatusCode;
use schemars::JsonSchema;
use serde::Serialize;

use super::operation::Operation;
use super::reply::nothing;
use super::{Admin, answer, refusal, snapshots};
use crate::serve::{Serving, serve_fork};

/// How many forks there may be at a time.
const MOST_FORKS: usize = 8;

/// The forks of one simulator.
#[derive(Debug, Default)]
pub(super) struct Forks {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    running: BTreeMap<u64, Fork>,
    /// Places of forks that are being made.
    reserved: usize,
    next: u64,
}

#[derive(Debug)]
struct Fork {
    serving: Serving,
    snapshot: String,
}

/// A fork that runs. User and password are those of the simulator, the admin API's token as well.
#[derive(Serialize, JsonSchema)]
struct Running {
    id: u64,
    /// The snapshot that it went on from.
    snapshot: String,
    /// The URL of its REST API.
    http: Option<String>,
    /// The URL of its admin API.
    admin: Option<String>,
}

impl Forks {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn reserve(&self) -> bool {
        let mut inner = self.lock();
        let room = inner.running.len() + inner.reserved < MOST_FORKS;
        inner.reserved += usize::from(room);
        room
    }
}

impl Running {
    fn of(id: u64, fork: &Fork) -> Self {
        let url = |address: std::net::SocketAddr| format!("http://{address}");
        Self {
            id,
            snapshot: fork.snapshot.clone(),
            http: fork.serving.http.map(url),
            admin: fork.serving.admin.map(url),
        }
    }
}

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::post(
            "/snapshots/{name}/fork",
            "Go on from a snapshot in a simulator of its own, on free ports of the loopback interface; \"now\" is the present",
            fork,
        )
        .gives::<Running>()
        .refuses(404, "there is no such snapshot")
        .refuses(409, "there are 8 forks already, or this is a fork itself"),
        Operation::get("/forks", "The forks that run", list).gives::<Vec<Running>>(),
        Operation::delete("/forks/{id}", "End a fork", end).refuses(404, "there is no such fork"),
    ]
}

async fn fork(State(admin): State<Admin>, Path(name): Path<String>) -> Response {
    let Some(forks) = &admin.forks else {
        return refusal(StatusCode::CONFLICT, "forks have no forks of their own");
    };
    let saved = match snapshots::find(&admin, &name) {
        Ok(saved) => saved,
        Err(refusal) => return *refusal,
    };
    if !forks.reserve() {
        return refusal(
            StatusCode::CONFLICT,
            &format!("there are {MOST_FORKS} forks already; end one first"),
        );
    }
    let simulator = admin.simulator.fork(&saved);
    let serving = serve_fork(&simulator, admin.token.clone()).await;
    let mut inner = forks.lock();
    inner.reserved -= 1;
    match serving {
        Ok(serving) => {
            inner.next += 1;
            let id = inner.next;
            let fork = Fork {
                serving,
                snapshot: name,
            };
            let running = Running::of(id, &fork);
            inner.running.insert(id, fork);
            answer(&running)
        }
        Err(error) => refusal(StatusCode::CONFLICT, &error.to_string()),
    }
}

async fn list(State(admin): State<Admin>) -> Response {
    let running = admin.forks.iter().flat_map(|forks| {
        let inner = forks.lock();
        let running = inner
            .running
            .iter()
            .map(|(id, fork)| Running::of(*id, fork));
        running.collect::<Vec<_>>()
    });
    answer(&running.collect::<Vec<_>>())
}

async fn end(State(admin): State<Admin>, Path(id): Path<String>) -> Response {
    let ended = id.parse().ok().and_then(|id: u64| {
        let mut inner = admin.forks.as_ref()?.lock();
        inner.running.remove(&id)
    });
    match ended {
        Some(fork) => {
            fork.serving.stop().await;
            nothing()
        }
        None => refusal(StatusCode::NOT_FOUND, "there is no fork with this number"),
    }
}
