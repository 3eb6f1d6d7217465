//! File contents.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::body::Body;
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use http::Method;
use powervm_simulator::Simulator;
use powervm_simulator::model::storage::Content;
use powervm_simulator::weather::{Rule, Weather};
use sha2::{Digest as _, Sha256};
use tokio::time::Instant;

use crate::client::{Client, novalink};

const MIB: usize = 1 << 20;

fn unit_content(simulator: &Simulator, udid: &str) -> Option<Content> {
    simulator
        .world()
        .tiers
        .values()
        .find_map(|tier| tier.unit(udid))
        .unwrap()
        .content
}

fn stream_of(chunk: Bytes, number: usize) -> Body {
    Body::from_stream(stream::iter(
        (0..number).map(move |_| Ok::<_, std::io::Error>(chunk.clone())),
    ))
}

fn resident_bytes() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    statm
        .split_whitespace()
        .nth(1)
        .unwrap()
        .parse::<u64>()
        .unwrap()
        * 4096
}

#[tokio::test]
async fn an_image_is_hashed_and_not_kept() {
    let client = Client::new().await;
    let udid = client.logical_unit("image", 1).await;
    let file = client.file("image", Some(&udid), None).await;
    let chunk = Bytes::from((0..MIB).map(|at| at as u8).collect::<Vec<_>>());
    let before = resident_bytes();
    let answer = client.upload(&file, stream_of(chunk.clone(), 300)).await;
    assert_eq!((answer.status.as_u16(), answer.body.as_str()), (204, ""));
    // Other tests run in this process meanwhile; an image that is kept would still show.
    assert!(resident_bytes() < before + 200 * MIB as u64);
    let mut digest = Sha256::new();
    (0..300).for_each(|_| digest.update(&chunk));
    let content = unit_content(&client.simulator, &udid).unwrap();
    assert_eq!(
        (content.bytes, content.sha256),
        (300 * MIB as u64, digest.finalize().into())
    );
    let counters = client.simulator.counters();
    assert_eq!(
        (counters.uploads, counters.upload_bytes),
        (1, 300 * MIB as u64)
    );
    let answer = client
        .send(
            Method::DELETE,
            &format!("/rest/api/web/File/{file}"),
            &[],
            Body::empty(),
        )
        .await;
    assert_eq!(answer.status, 204);
    assert!(unit_content(&client.simulator, &udid).is_some());
}

#[tokio::test]
async fn a_broken_upload_changes_nothing() {
    let client = Client::new().await;
    let udid = client.logical_unit("image", 1).await;
    let file = client.file("image", Some(&udid), None).await;
    let before = client.simulator.world();
    let body = stream::iter([Ok(Bytes::from_static(b"some bytes"))])
        .chain(stream::iter([Err(std::io::Error::other("gone"))]));
    let answer = client.upload(&file, Body::from_stream(body)).await;
    assert_eq!(answer.status, 400);
    assert_eq!(*client.simulator.world(), *before);
    assert_eq!(client.simulator.counters().uploads, 0);
    assert_eq!(client.upload(&file, "now all of it").await.status, 204);
}

#[tokio::test]
async fn more_than_the_target_holds_is_413() {
    let client = Client::new().await;
    let udid = client.logical_unit("image", 1).await;
    let file = client.file("image", Some(&udid), None).await;
    let answer = client
        .upload(&file, stream_of(Bytes::from(vec![0; MIB]), 1025))
        .await;
    assert_eq!(answer.status, 413, "{}", answer.body);
    assert!(unit_content(&client.simulator, &udid).is_none());
}

#[tokio::test]
async fn an_iso_becomes_a_medium_and_its_expected_size_binds() {
    let client = Client::new().await;
    let file = client.file("config.iso", None, Some(10)).await;
    let url = format!("/rest/api/web/File/contents/{file}");
    let announced = client
        .send(
            Method::POST,
            &url,
            &[("Content-Length", "11")],
            "12345678901",
        )
        .await;
    assert_eq!(announced.status, 413);
    let short = client.send(Method::POST, &url, &[], "123").await;
    assert!(short.status.is_client_error(), "{}", short.status);
    assert_eq!(
        client
            .send(Method::POST, &url, &[], "1234567890")
            .await
            .status,
        204
    );
    let world = client.simulator.world();
    let media: Vec<String> = world
        .vioses
        .values()
        .filter_map(|server| server.repository_group())
        .flat_map(|group| {
            group
                .repository
                .as_ref()
                .unwrap()
                .media
                .keys()
                .cloned()
                .collect::<Vec<_>>()
        })
        .collect();
    assert_eq!(media, ["config.iso"]);
}

#[tokio::test]
async fn contents_of_no_file_are_404_and_reading_them_is_405() {
    let client = Client::new().await;
    assert_eq!(
        client
            .upload("5cd8e4b0-083e-4c71-bcff-2432807cfdcc", "x")
            .await
            .status,
        404
    );
    let file = client.file("a.iso", None, None).await;
    let url = format!("/rest/api/web/File/contents/{file}");
    assert_eq!(
        client
            .send(Method::GET, &url, &[], Body::empty())
            .await
            .status,
        405
    );
    client
        .send(
            Method::DELETE,
            &format!("/rest/api/web/File/{file}"),
            &[],
            Body::empty(),
        )
        .await;
    assert_eq!(client.upload(&file, "x").await.status, 404);
}

#[tokio::test(start_paused = true)]
async fn an_upload_takes_its_bytes_time() {
    let client = Client::of(&novalink(Weather::Typical).build().unwrap()).await;
    let udid = client.logical_unit("image", 1).await;
    let file = client.file("image", Some(&udid), None).await;
    let began = Instant::now();
    client
        .upload(&file, stream_of(Bytes::from(vec![0; MIB]), 150))
        .await;
    let took = began.elapsed().as_millis();
    assert!((1040..1200).contains(&took), "{took}");
}

#[tokio::test]
async fn an_upload_that_is_refused_is_read_to_its_end_all_the_same() {
    let client = Client::new().await;
    let udid = client.logical_unit("image", 1).await;
    let file = client.file("image", Some(&udid), None).await;
    let _ = client
        .simulator
        .faults()
        .add(Rule::new("PUT", "*/File/contents/*").first(1))
        .unwrap();
    let sent = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&sent);
    let body = Body::from_stream(stream::iter((0..4).map(move |_| {
        counted.fetch_add(1, Ordering::SeqCst);
        Ok::<_, std::io::Error>(Bytes::from_static(b"piece"))
    })));
    assert_eq!(client.upload(&file, body).await.status, 500);
    assert_eq!(sent.load(Ordering::SeqCst), 4);
}
