//! The simulator's own API: JSON over http on a port of its own, for tests and tools, never for PowerVM clients.
//!
//! Every request is one `operation::Operation` of a table that both serves it and describes it:
//! `GET /openapi.json` is the description, `docs/simulator.md` tells how to use it.
//!
//! Every request but `GET /health` and `GET /openapi.json` carries `Authorization: Bearer <token>`.

pub(crate) mod arrivals;
mod basics;
mod connection;
pub mod faults;
mod forks;
mod incidents;
mod inventory;
mod metrics;
mod openapi;
mod operation;
mod reply;
mod requests;
mod snapshots;
mod stored;
mod stream;
mod time;
pub mod volumes;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{self, Next};
use axum::response::Response;
use http::StatusCode;
use http::header::AUTHORIZATION;
use secrecy::{ExposeSecret, SecretString};

use crate::http::sessions::same;
use crate::simulator::Simulator;
use forks::Forks;
use operation::Operation;
use reply::{answer, query, read, refusal};
use stream::Streams;

/// What handlers have.
#[derive(Clone)]
pub(crate) struct Admin {
    simulator: Simulator,
    token: SecretString,
    /// None in a fork: forks have no forks.
    forks: Option<Arc<Forks>>,
    streams: Arc<Streams>,
}

/// The admin API as an HTTP service. `token` is what its users have to know.
pub fn router(simulator: &Simulator, token: SecretString) -> Router {
    serve(Admin {
        simulator: simulator.clone(),
        token,
        forks: Some(Arc::default()),
        streams: Arc::default(),
    })
}

/// The admin API of a fork.
pub(crate) fn router_of_fork(simulator: &Simulator, token: SecretString) -> Router {
    serve(Admin {
        simulator: simulator.clone(),
        token,
        forks: None,
        streams: Arc::default(),
    })
}

/// Every request of the API.
fn operations() -> Vec<Operation> {
    [
        basics::operations(),
        faults::operations(),
        incidents::operations(),
        time::operations(),
        snapshots::operations(),
        forks::operations(),
        requests::operations(),
        stream::operations(),
        volumes::operations(),
        arrivals::operations(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn serve(admin: Admin) -> Router {
    let (open, guarded): (Vec<_>, Vec<_>) = operations()
        .into_iter()
        .partition(|operation| operation.open);
    let route = |router: Router<Admin>, operation: Operation| {
        router.route(operation.path, operation.handler)
    };
    let guarded = guarded
        .into_iter()
        .fold(Router::new(), route)
        .layer(middleware::from_fn_with_state(admin.clone(), require_token));
    open.into_iter()
        .fold(Router::new(), route)
        .merge(guarded)
        .fallback(nothing_here)
        .method_not_allowed_fallback(no_such_method)
        .layer(middleware::from_fn_with_state(
            admin.clone(),
            no_secret_in_url,
        ))
        .with_state(admin)
}

async fn require_token(State(admin): State<Admin>, request: Request, next: Next) -> Response {
    let given = request
        .headers()
        .get(AUTHORIZATION)
        .and_then(|value| value.to_str().ok());
    let given = given
        .and_then(|value| value.strip_prefix("Bearer "))
        .unwrap_or_default();
    if same(given.trim(), admin.token.expose_secret()) {
        next.run(request).await
    } else {
        refusal(
            StatusCode::UNAUTHORIZED,
            "send Authorization: Bearer with the token that the simulator wrote at its start",
        )
    }
}

/// Refuses a token in a URL, be it right or wrong: URLs end up in logs, histories and lists of processes.
async fn no_secret_in_url(State(admin): State<Admin>, request: Request, next: Next) -> Response {
    const NAMES: [&str; 6] = [
        "token",
        "access_token",
        "admin_token",
        "bearer",
        "authorization",
        "api_key",
    ];
    let secret = |text: &str| same(text, admin.token.expose_secret());
    let named = |(name, value): (String, String)| {
        NAMES.contains(&name.to_ascii_lowercase().as_str()) || secret(&name) || secret(&value)
    };
    let in_path = request.uri().path().split('/').any(secret);
    if in_path || query(&request).any(named) {
        return refusal(
            StatusCode::BAD_REQUEST,
            "a token does not belong into a URL: send it as Authorization: Bearer, and take this one for known to others",
        );
    }
    next.run(request).await
}

async fn nothing_here() -> Response {
    refusal(
        StatusCode::NOT_FOUND,
        "there is nothing here; GET /openapi.json lists what there is",
    )
}

async fn no_such_method() -> Response {
    refusal(
        StatusCode::METHOD_NOT_ALLOWED,
        "this has other methods; GET /openapi.json lists them",
    )
}

#[cfg(test)]
mod tests;
