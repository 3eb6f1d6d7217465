//! Performance and capacity monitoring, as a host's monitor reads it.

use std::time::Duration;

use axum::body::Body;
use http::Method;

use crate::client::{Answer, Client};

async fn pcm(client: &Client, method: Method, path: &str, body: impl Into<Body>) -> Answer {
    client
        .send(method, &format!("/rest/api/pcm/{path}"), &[], body)
        .await
}

/// The counter of the newest sample.
async fn counter(client: &Client, system: &str) -> u64 {
    let feed = format!("ManagedSystem/{system}/RawMetrics/LongTermMonitor");
    let feed = pcm(client, Method::GET, &feed, Body::empty()).await;
    let entries = feed
        .body
        .split("<entry>")
        .filter(|entry| entry.contains("_phyp_"));
    let newest = entries
        .last()
        .unwrap_or_else(|| panic!("no sample: {}", feed.body));
    let link = newest.split("href=\"").find_map(|part| {
        let url = part.split('"').next()?;
        let (_, path) = url.split_once("/rest/api/pcm/")?;
        path.ends_with(".json").then_some(path)
    });
    let sample = pcm(client, Method::GET, link.unwrap(), Body::empty()).await;
    let sample: serde_json::Value = serde_json::from_str(&sample.body).unwrap();
    sample["systemUtil"]["utilSample"]["timeBasedCycles"]
        .as_u64()
        .unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_system_counts_its_cycles_since_it_was_switched_on() {
    let client = Client::new().await;
    let system = client.system();
    let preferences = format!("ManagedSystem/{system}/preferences");
    let there = pcm(&client, Method::GET, &preferences, Body::empty()).await;
    let start = there.body.find("<ManagedSystemPcmPreference").unwrap();
    let end = there.body.find("</content>").unwrap();
    let wanted = there.body[start..end].to_owned();
    let on = wanted.replacen(
        "LongTermMonitorEnabled kb=\"UOD\" kxe=\"false\">false",
        "LongTermMonitorEnabled kb=\"UOD\" kxe=\"false\">true",
        1,
    );
    assert_ne!(on, wanted);
    let done = pcm(&client, Method::POST, &preferences, on).await;
    assert_eq!(done.status, 200, "{}", done.body);
    tokio::time::sleep(Duration::from_secs(95)).await;
    let first = counter(&client, &system).await;
    tokio::time::sleep(Duration::from_secs(30)).await;
    let second = counter(&client, &system).await;
    assert_eq!(second - first, 30 * 512_000_000);
    // The recordings have some 10^14: weeks, and not the years since 1970.
    assert!(
        (100_000_000_000_000..1_000_000_000_000_000).contains(&first),
        "{first}"
    );
}
