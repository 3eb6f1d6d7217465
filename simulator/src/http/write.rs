//! Changes: a body becomes a command, the command a new world, the new world an answer.

use std::sync::Arc;

use axum::body::Body;
use bytes::Bytes;
use http::Response;

use super::body;
use super::documents;
use super::exchange::Exchange;
use super::kind::Kind;
use super::problem::Problem;
use super::sight;
use super::target::Target;
use crate::model::Pace;
use crate::model::pace::Span;
use crate::weather::{Class, Draw};

/// Reads the body and carries the change out.
///
/// What has begun is finished also if the client goes away, as on a real server; so the change runs as a task of its
/// own.
pub(crate) async fn perform(
    exchange: &Arc<Exchange>,
    target: Target,
    draw: Draw,
    body: Body,
) -> Result<Response<Body>, Problem> {
    let body = body::document(&exchange.headers, body).await?;
    let exchange = Arc::clone(exchange);
    match tokio::spawn(async move { carry_out(&exchange, &target, &draw, body).await }).await {
        Ok(answered) => answered,
        Err(_) => Err(Problem::new(
            500,
            crate::weather::UNKNOWN_ERROR,
            "The request failed inside the simulator, which is a bug of the simulator.",
        )),
    }
}

async fn carry_out(
    exchange: &Exchange,
    target: &Target,
    draw: &Draw,
    body: Bytes,
) -> Result<Response<Body>, Problem> {
    let simulator = &exchange.simulator;
    let shared = simulator.shared();
    let change = documents::change(exchange, target, body)?;
    let server = match Class::of(&exchange.method, target) {
        Class::ViosWrite => target
            .id_of(Kind::VirtualIoServer)
            .filter(|server| simulator.world().vioses.contains_key(server)),
        _ => None,
    };
    match server {
        Some(server) => {
            let end = shared
                .queues
                .occupy(&shared.clock, server, draw.latency)
                .await;
            if let Err(stale) = change.require_match(exchange, target, &simulator.world()) {
                shared.queues.release(server, end, simulator.now());
                return Err(stale);
            }
            shared.clock.sleep_until(end).await;
        }
        None => shared.clock.sleep(draw.latency).await,
    }
    let outcome = simulator.commit(|world, now| {
        let seen = simulator.sight(world);
        sight::require(target, &seen)?;
        change.require_match(exchange, target, &seen)?;
        let command = change.command(target, &seen)?;
        sight::require_named(&command, &seen)?;
        drop(seen);
        let usual = slowed(&world.pace, draw.job_factor)
            .map(|slow| std::mem::replace(&mut world.pace, slow));
        world.doom_next_job(draw.fate.clone());
        let outcome = world.apply(now, command).map_err(Problem::from);
        world.doom_next_job(None);
        if let Some(usual) = usual {
            world.pace = usual;
        }
        outcome
    })?;
    if let Some(server) = server {
        shared
            .tally
            .vios_write(server, target.kind() == Some(Kind::VirtualIoServer));
    }
    documents::written(exchange, target, &outcome)
}

/// The pace of a slow job; none for the usual one.
fn slowed(pace: &Pace, factor: f64) -> Option<Pace> {
    let longer = |span: Span| {
        Span::ms(
            (span.low as f64 * factor) as u64,
            (span.high as f64 * factor) as u64,
        )
    };
    (factor > 1.0).then(|| Pace {
        power_on: longer(pace.power_on),
        power_off_immediate: longer(pace.power_off_immediate),
        power_off: longer(pace.power_off),
        os_shutdown: longer(pace.os_shutdown),
        migration: longer(pace.migration),
        migration_gigabyte: longer(pace.migration_gigabyte),
        suspend_step: longer(pace.suspend_step),
        other_job: longer(pace.other_job),
        ..pace.clone()
    })
}
