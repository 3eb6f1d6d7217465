//! File contents: hashed as they come, counted, bounded, never kept (`docs/protocol/files.md`).

use std::time::Duration;

use axum::body::Body;
use http::Response;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::body::{announced, chunk, drain};
use super::exchange::Exchange;
use super::problem::Problem;
use super::respond;
use super::target::UNKNOWN_RESOURCE;
use crate::model::file::File;
use crate::model::storage::Content;
use crate::model::{Command, World};
use crate::weather::Draw;

/// How long a client may pause within an upload, in tokio's time.
const PAUSE: Duration = Duration::from_secs(300);

/// PUT or POST `File/contents/<uuid>`. A body that breaks off changes nothing.
pub(crate) async fn receive(
    exchange: &Exchange,
    file: Uuid,
    draw: &Draw,
    mut body: Body,
) -> Result<Response<Body>, Problem> {
    let simulator = &exchange.simulator;
    let world = simulator.world();
    let known = world.files.get(&file).ok_or_else(|| no_such_file(file))?;
    let room = room(&world, known);
    drop(world);
    if announced(&exchange.headers).is_some_and(|length| length > room) {
        drain(body).await;
        return Err(too_much(room));
    }
    let mut digest = Sha256::new();
    let mut bytes: u64 = 0;
    let began = simulator.now();
    let tally = &simulator.shared().tally;
    loop {
        match chunk(&mut body, PAUSE).await {
            Ok(Some(data)) => {
                bytes += data.len() as u64;
                if bytes > room {
                    tally.upload(bytes, false);
                    drain(body).await;
                    return Err(too_much(room));
                }
                digest.update(&data);
            }
            Ok(None) => break,
            Err(problem) => {
                tally.upload(bytes, false);
                return Err(problem);
            }
        }
    }
    let takes = draw.latency + simulator.shared().sky.upload(bytes);
    simulator.clock().sleep_until(began.after(takes)).await;
    let content = Content {
        bytes,
        sha256: digest.finalize().into(),
    };
    let committed = simulator.apply(Command::CommitFile { file, content });
    tally.upload(bytes, committed.is_ok());
    committed?;
    Ok(respond::no_content())
}

/// How many bytes a file may get: what was expected of it if it was said, and never more than its target holds.
fn room(world: &World, file: &File) -> u64 {
    let expected = file.expected_bytes.unwrap_or(u64::MAX);
    let Some(server) = world.vioses.get(&file.vios) else {
        return expected;
    };
    let target = match file.device.as_deref() {
        Some(device) => {
            let unit = world
                .tiers
                .values()
                .find_map(|tier| tier.unit(device))
                .map(|unit| unit.capacity);
            unit.or_else(|| {
                server
                    .volume_groups
                    .iter()
                    .find_map(|group| group.disk(device))
                    .map(|disk| disk.capacity)
            })
        }
        None => server
            .repository_group()
            .and_then(|group| group.repository.as_ref())
            .map(|repository| repository.size),
    };
    target.map_or(expected, |target| expected.min(target.bytes()))
}

fn no_such_file(file: Uuid) -> Problem {
    Problem::new(
        404,
        UNKNOWN_RESOURCE,
        format!("REST029B {UNKNOWN_RESOURCE} There is no File {file}."),
    )
}

fn too_much(room: u64) -> Problem {
    Problem::new(
        413,
        "Request Entity Too Large",
        format!("The contents are larger than the {room} bytes that the file may have."),
    )
}
