//! The server's side: a simulator with a few routes beside the API, in one process and on one HTTP stack.
//!
//! `GET /bench/kept/NAME` hands out bytes from memory, `PUT` puts them there; `GET /bench/partition` and
//! `GET /bench/mapping` change a partition and the mappings of a Virtual I/O Server.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context as _, Result};
use axum::Router;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::routing::get;
use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use http_body_util::BodyExt as _;
use powervm_simulator::inventory::{Inventory, Sizes};
use powervm_simulator::model::Command;
use powervm_simulator::model::command::{CreateScsiBus, SlotChoice};
use powervm_simulator::model::job::incident::Incident;
use powervm_simulator::model::names::RmcState;
use powervm_simulator::model::vios::bus_uuid;
use powervm_simulator::serve::{ServeOptions, serve_router};
use powervm_simulator::{Flavor, Simulator};
use secrecy::ExposeSecret as _;

type Kept = Arc<Mutex<BTreeMap<String, Bytes>>>;

/// Serves until standard input ends. Says its address, a user and the password on a line each.
pub(crate) fn run(partitions: Option<&str>, flavor: Option<&str>) -> Result<()> {
    let partitions = partitions
        .context("host needs a number of partitions")?
        .parse()?;
    let flavor = match flavor {
        Some("hmc") => Flavor::Hmc,
        _ => Flavor::NovaLink,
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(serve(partitions, flavor))
}

async fn serve(partitions: u16, flavor: Flavor) -> Result<()> {
    // A system has a thousand partitions at most, Virtual I/O Servers among them.
    let systems = 1 + partitions / 501;
    let sizes = Sizes {
        systems,
        vioses: 1,
        partitions: partitions / systems,
    };
    let simulator = Simulator::builder()
        .flavor(flavor)
        .inventory(Inventory::sized(flavor, sizes))
        .build()?;
    let options = ServeOptions {
        http: Some(SocketAddr::from(([127, 0, 0, 1], 0))),
        ..ServeOptions::default()
    };
    let serving = serve_router(&router(&simulator), &options).await?;
    let credentials = simulator.credentials();
    println!("{}", serving.http.context("it listens nowhere")?);
    println!("{}", credentials.user);
    println!("{}", credentials.password.expose_secret());
    tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new())).await??;
    serving.stop().await;
    Ok(())
}

fn router(simulator: &Simulator) -> Router {
    let own = Router::new()
        .route("/bench/kept/{name}", get(kept).put(keep))
        .with_state(Kept::default());
    let changes = Router::new()
        .route("/bench/partition", get(change_partition))
        .route("/bench/mapping", get(change_mapping))
        .with_state(simulator.clone());
    simulator.router().merge(own).merge(changes)
}

async fn kept(State(kept): State<Kept>, Path(name): Path<String>) -> Response<Body> {
    let bytes = {
        let kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.get(&name).cloned()
    };
    let Some(bytes) = bytes else {
        return status(StatusCode::NOT_FOUND);
    };
    let mut response = Response::new(Body::from(bytes));
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/atom+xml"),
    );
    response
}

async fn keep(State(kept): State<Kept>, Path(name): Path<String>, body: Body) -> Response<Body> {
    let Ok(body) = body.collect().await else {
        return status(StatusCode::BAD_REQUEST);
    };
    kept.lock()
        .unwrap_or_else(PoisonError::into_inner)
        .insert(name, body.to_bytes());
    status(StatusCode::OK)
}

/// A running partition loses its RMC connection, or gets it back.
async fn change_partition(State(simulator): State<Simulator>) -> Response<Body> {
    let world = simulator.world();
    let running = world
        .partitions
        .values()
        .find(|partition| partition.name == crate::room::PARTITION);
    let Some(partition) = running else {
        return status(StatusCode::NOT_FOUND);
    };
    let incident = if partition.rmc == RmcState::Active {
        Incident::RmcLost
    } else {
        Incident::RmcBack
    };
    done(simulator.befall(partition.uuid, incident, None))
}

/// A server adapter without a device comes, or goes again.
async fn change_mapping(State(simulator): State<Simulator>) -> Response<Body> {
    let world = simulator.world();
    // Another one than the partition that loses its RMC connection: nothing is changed at a running one without.
    let client = world.partitions.values().find(|partition| {
        partition.name != crate::room::PARTITION && partition.rmc == RmcState::Active
    });
    let (Some(client), Some(vios)) = (client, world.vioses.values().next()) else {
        return status(StatusCode::NOT_FOUND);
    };
    let uuid = vios.partition.uuid;
    let own = vios.buses.values().find(|bus| bus.devices.is_empty());
    done(simulator.apply(match own {
        Some(bus) => Command::DeleteScsiBus {
            vios: uuid,
            bus: bus_uuid(uuid, bus.slot),
        },
        None => Command::CreateScsiBus(CreateScsiBus {
            vios: uuid,
            client: client.uuid,
            client_slot: SlotChoice::Next,
            server_slot: SlotChoice::Next,
            devices: Vec::new(),
        }),
    }))
}

fn done<T, E: std::fmt::Display>(done: Result<T, E>) -> Response<Body> {
    status(match done {
        Ok(_) => StatusCode::OK,
        Err(refusal) => {
            eprintln!("{refusal}");
            StatusCode::CONFLICT
        }
    })
}

fn status(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}
