//! The simulator's own API: JSON over http on a port of its own, for tests and tools, never for PowerVM clients.
//!
//! | request | answer |
//! |---|---|
//! | `GET /health` | version, flavour, simulated time; needs no token |
//! | `GET /counters` | [`crate::counters::Counters`] |
//! | `GET /inventory` | systems, servers, partitions, storage, network, files, jobs: names and identifiers |
//! | `GET /contents` | size and SHA-256 of what lies on each disk, by UDID |
//! | `GET /faults`, `POST /faults`, `DELETE /faults[/<id>]` | fault rules with their hits ([`faults`]) |
//! | `GET /clock`, `POST /clock/advance` `{"milliseconds": n}` | simulated time |
//! | `GET /invariants` | what of the model contradicts itself now |
//!
//! Every request but `GET /health` carries `Authorization: Bearer <token>`.

pub mod faults;
mod inventory;

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderValue, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::http::body;
use crate::http::sessions::same;
use crate::simulator::Simulator;

#[derive(Clone)]
struct Admin {
    simulator: Simulator,
    token: SecretString,
}

/// The admin API as an HTTP service. `token` is what its users have to know.
pub fn router(simulator: &Simulator, token: SecretString) -> Router {
    let admin = Admin {
        simulator: simulator.clone(),
        token,
    };
    let guarded = Router::new()
        .route("/counters", get(counters))
        .route("/inventory", get(list))
        .route("/contents", get(contents))
        .route(
            "/faults",
            get(list_faults).post(add_fault).delete(clear_faults),
        )
        .route("/faults/{id}", delete(remove_fault))
        .route("/clock", get(clock))
        .route("/clock/advance", post(advance))
        .route("/invariants", get(invariants))
        .layer(middleware::from_fn_with_state(admin.clone(), require_token));
    Router::new()
        .route("/health", get(health))
        .merge(guarded)
        .fallback(nothing_here)
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

async fn health(State(admin): State<Admin>) -> Response {
    let simulator = &admin.simulator;
    answer(&json!({
        "status": "ok",
        "version": env!("CARGO_PKG_VERSION"),
        "flavor": simulator.flavor().as_str(),
        "now": simulator.now().to_string(),
    }))
}

async fn counters(State(admin): State<Admin>) -> Response {
    answer(&admin.simulator.counters())
}

async fn list(State(admin): State<Admin>) -> Response {
    answer(&inventory::listing(&admin.simulator.world()))
}

async fn contents(State(admin): State<Admin>) -> Response {
    answer(&inventory::contents(&admin.simulator.world()))
}

async fn list_faults(State(admin): State<Admin>) -> Response {
    answer(&faults::list(admin.simulator.faults()))
}

async fn add_fault(State(admin): State<Admin>, request: Request) -> Response {
    let order: faults::Order = match read(request).await {
        Ok(order) => order,
        Err(refusal) => return refusal,
    };
    match order.rule().and_then(|rule| {
        admin
            .simulator
            .faults()
            .add(rule)
            .map_err(|error| error.to_string())
    }) {
        Ok(id) => answer(&json!({ "id": id })),
        Err(message) => refusal(StatusCode::BAD_REQUEST, &message),
    }
}

async fn clear_faults(State(admin): State<Admin>) -> Response {
    admin.simulator.faults().clear();
    StatusCode::NO_CONTENT.into_response()
}

async fn remove_fault(State(admin): State<Admin>, Path(id): Path<String>) -> Response {
    match id.parse() {
        Ok(id) if admin.simulator.faults().remove(id) => StatusCode::NO_CONTENT.into_response(),
        _ => refusal(
            StatusCode::NOT_FOUND,
            "there is no fault rule with this number",
        ),
    }
}

async fn clock(State(admin): State<Admin>) -> Response {
    let clock = admin.simulator.clock();
    let now = clock.now();
    answer(&json!({ "now": now.to_string(), "milliseconds": now.0, "scale": clock.scale() }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Advance {
    milliseconds: u64,
}

/// The longest jump of the clock: a year of simulated time.
const LONGEST_ADVANCE: u64 = 366 * 86_400_000;

async fn advance(State(admin): State<Admin>, request: Request) -> Response {
    let Advance { milliseconds } = match read(request).await {
        Ok(advance) => advance,
        Err(refusal) => return refusal,
    };
    if milliseconds > LONGEST_ADVANCE {
        return refusal(StatusCode::BAD_REQUEST, "the clock jumps by a year at most");
    }
    admin
        .simulator
        .clock()
        .advance(Duration::from_millis(milliseconds));
    clock(State(admin)).await
}

async fn invariants(State(admin): State<Admin>) -> Response {
    let world = admin.simulator.world();
    let now: Vec<String> = world.violations().iter().map(ToString::to_string).collect();
    answer(&json!({ "violations": now, "refused": admin.simulator.violations() }))
}

async fn nothing_here() -> Response {
    refusal(
        StatusCode::NOT_FOUND,
        "there is nothing here; see the list of requests in the documentation of powervm-sim",
    )
}

async fn read<T: for<'de> Deserialize<'de>>(request: Request) -> Result<T, Response> {
    let (parts, body) = request.into_parts();
    let bytes = body::document(&parts.headers, body)
        .await
        .map_err(|problem| {
            let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::BAD_REQUEST);
            refusal(status, &problem.message)
        })?;
    serde_json::from_slice(&bytes).map_err(|error| {
        refusal(
            StatusCode::BAD_REQUEST,
            &format!("the body is not as documented: {error}"),
        )
    })
}

fn answer(value: &impl Serialize) -> Response {
    match serde_json::to_vec(value) {
        Ok(text) => json_response(StatusCode::OK, text.into()),
        Err(error) => refusal(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string()),
    }
}

fn refusal(status: StatusCode, message: &str) -> Response {
    json_response(status, json!({ "error": message }).to_string().into())
}

fn json_response(status: StatusCode, body: Bytes) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
