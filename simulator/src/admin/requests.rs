//! The log of requests.

use axum::extract::{Request, State};
use axum::response::Response;
use schemars::JsonSchema;
use serde::Serialize;

use super::operation::Operation;
use super::reply::{nothing, number, parameter};
use super::{Admin, answer};
use crate::requests::Logged;

/// A part of the log.
#[derive(Serialize, JsonSchema)]
struct Page {
    /// How many requests there were so far.
    total: u64,
    /// Oldest first.
    requests: Vec<Logged>,
}

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::get(
            "/requests",
            "The last 4096 requests with their timings",
            show,
        )
        .query("after", "only requests with a higher number; 0 if absent")
        .query("most", "how many; 100 if absent")
        .query("method", "only this method")
        .query("status", "only this status")
        .query("contains", "only URLs with this text")
        .gives::<Page>(),
        Operation::delete("/requests", "Forget them", clear),
    ]
}

async fn show(State(admin): State<Admin>, request: Request) -> Response {
    let read = |name, usual| number(&request, name, usual);
    let (after, most, status) = match (read("after", 0), read("most", 100), read("status", 0)) {
        (Ok(after), Ok(most), Ok(status)) => (after, most, status),
        (Err(refusal), ..) | (_, Err(refusal), _) | (.., Err(refusal)) => return *refusal,
    };
    let asked_status = parameter(&request, "status").map(|_| status);
    let method = parameter(&request, "method");
    let text = parameter(&request, "contains");
    let wanted = |logged: &Logged| {
        method
            .as_ref()
            .is_none_or(|method| logged.method == *method)
            && asked_status.is_none_or(|status| u64::from(logged.status) == status)
            && text.as_ref().is_none_or(|text| logged.url.contains(text))
    };
    let log = admin.simulator.requests();
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    answer(&Page {
        total: log.logged(),
        requests: log.read(after, most, wanted),
    })
}

async fn clear(State(admin): State<Admin>) -> Response {
    admin.simulator.requests().clear();
    nothing()
}
