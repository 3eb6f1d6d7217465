//! What befalls partitions and Virtual I/O Servers at once, by their names.

use axum::extract::{Request, State};
use axum::response::Response;
use http::StatusCode;
use schemars::JsonSchema;
use serde::Deserialize;
use uuid::Uuid;

use super::operation::Operation;
use super::{Admin, read, refusal, reply};
use crate::model::World;
use crate::model::job::incident::Incident;

/// An incident to be.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Order {
    /// What happens.
    incident: What,
    /// To which partition or Virtual I/O Server: its name or UUID.
    target: String,
    /// For how long, in milliseconds of simulated time; until somebody undoes it if absent.
    for_ms: Option<u64>,
}

#[derive(Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum What {
    /// It goes down at once.
    Down,
    /// It starts again.
    Up,
    /// Its RMC connection is lost.
    RmcLost,
    /// The connection comes back.
    RmcBack,
}

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::post(
            "/incidents",
            "Let a partition or Virtual I/O Server go down or lose its RMC connection, or undo that",
            strike,
        )
        .takes::<Order>()
        .nothing(),
        Operation::post(
            "/incidents/lost-events",
            "Drop the events of the REST API that clients have not read yet: their next polls say MISSING_EVENTS",
            lose_events,
        )
        .nothing(),
    ]
}

async fn lose_events(State(admin): State<Admin>) -> Response {
    match admin.simulator.lose_events() {
        Ok(()) => reply::nothing(),
        Err(why) => reply::refused(&why),
    }
}

async fn strike(State(admin): State<Admin>, request: Request) -> Response {
    let order: Order = match read(request).await {
        Ok(order) => order,
        Err(refusal) => return refusal,
    };
    let incident = match order.incident {
        What::Down => Incident::Down,
        What::Up => Incident::Up,
        What::RmcLost => Incident::RmcLost,
        What::RmcBack => Incident::RmcBack,
    };
    let whom = match find(&admin.simulator.world(), &order.target) {
        Ok(whom) => whom,
        Err(why) => return refusal(StatusCode::BAD_REQUEST, &why),
    };
    match admin.simulator.befall(whom, incident, order.for_ms) {
        Ok(()) => reply::nothing(),
        Err(why) => reply::refused(&why),
    }
}

/// The partition or Virtual I/O Server with this UUID or name.
///
/// # Errors
/// There is none, or several have the name.
pub(super) fn find(world: &World, target: &str) -> Result<Uuid, String> {
    let shown: String = target.chars().take(80).collect();
    if let Ok(uuid) = Uuid::try_parse(target) {
        return match world.owner(uuid) {
            Some(_) => Ok(uuid),
            None => Err(format!("no partition has the UUID {uuid}")),
        };
    }
    let mut named = world
        .systems
        .keys()
        .flat_map(|system| world.all_partitions_of(*system))
        .filter(|partition| partition.name == target)
        .map(|partition| partition.uuid);
    match (named.next(), named.next()) {
        (Some(uuid), None) => Ok(uuid),
        (None, _) => Err(format!("no partition is named {shown:?}")),
        _ => Err(format!(
            "several partitions are named {shown:?}; give the UUID"
        )),
    }
}
