//! Weather as clients meet it, on the paused clock.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Body;
use http::Method;
use powervm_schema::atom::Entry;
use powervm_simulator::weather::Weather;
use tokio::time::Instant;

use crate::client::{Client, novalink, partition_body};

/// Ten clients do the same at once; every answer is noted with its moment.
async fn run(seed: u64, weather: Weather) -> Vec<String> {
    let simulator = novalink(weather).seed(seed).build().unwrap();
    let began = Instant::now();
    let log = Arc::new(Mutex::new(Vec::new()));
    let clients: Vec<_> = (0..10)
        .map(|number| {
            let (simulator, log) = (simulator.clone(), Arc::clone(&log));
            tokio::spawn(async move {
                let client = Client::of(&simulator).await;
                let note = |what: &str, status: u16, etag: &str| {
                    log.lock().unwrap().push(format!(
                        "{} {number} {what} {status} {etag}",
                        began.elapsed().as_millis()
                    ));
                };
                let create = client
                    .put(
                        &format!("ManagedSystem/{}/LogicalPartition", client.system()),
                        partition_body(&format!("lpar{number}")),
                    )
                    .await;
                note("create", create.status.as_u16(), create.header("etag"));
                let path = format!("VirtualIOServer/{}?group=ViosSCSIMapping", client.vios());
                let read = client.get(&path).await;
                note("read", read.status.as_u16(), read.header("etag"));
                if let Ok(entry) = Entry::parse(read.body.as_bytes()) {
                    let url = format!("/rest/api/uom/{path}");
                    let write = client
                        .send(
                            Method::POST,
                            &url,
                            &[("If-Match", read.header("etag"))],
                            entry.content.to_xml(),
                        )
                        .await;
                    note("write", write.status.as_u16(), write.header("etag"));
                }
            })
        })
        .collect();
    for client in clients {
        client.await.unwrap();
    }
    assert!(simulator.violations().is_empty());
    Arc::try_unwrap(log).unwrap().into_inner().unwrap()
}

#[tokio::test(start_paused = true)]
async fn the_same_seed_gives_the_same_log() {
    for weather in [Weather::Typical, Weather::Stormy] {
        let one = run(7, weather.clone()).await;
        assert_eq!(one, run(7, weather.clone()).await);
        assert_ne!(one, run(8, weather).await);
    }
}

#[tokio::test(start_paused = true)]
async fn changes_of_one_server_go_one_after_the_other() {
    let client = Client::of(&novalink(Weather::Typical).build().unwrap()).await;
    let path = format!("VirtualIOServer/{}?group=ViosSCSIMapping", client.vios());
    let content = Entry::parse(client.get(&path).await.body.as_bytes())
        .unwrap()
        .content
        .to_xml();
    let began = Instant::now();
    let posts: Vec<_> = (0..3)
        .map(|_| {
            let (client, url, content) = (
                client.clone(),
                format!("/rest/api/uom/{path}"),
                content.clone(),
            );
            tokio::spawn(async move { client.send(Method::POST, &url, &[], content).await.status })
        })
        .collect();
    for post in posts {
        assert_eq!(post.await.unwrap(), 200);
    }
    let took = began.elapsed();
    assert!(
        took > Duration::from_secs(11) && took < Duration::from_secs(20),
        "{took:?}"
    );
    assert_eq!(
        client
            .simulator
            .counters()
            .vios_writes
            .values()
            .sum::<u64>(),
        3
    );
}

#[tokio::test(start_paused = true)]
async fn a_stale_change_is_refused_as_soon_as_its_turn_comes() {
    let client = Client::of(&novalink(Weather::Typical).build().unwrap()).await;
    let url = format!(
        "/rest/api/uom/VirtualIOServer/{}?group=ViosSCSIMapping",
        client.vios()
    );
    let read = client.send(Method::GET, &url, &[], Body::empty()).await;
    let content = Entry::parse(read.body.as_bytes()).unwrap().content.to_xml();
    let began = Instant::now();
    let stale = client
        .send(Method::POST, &url, &[("If-Match", "1")], content)
        .await;
    assert_eq!(stale.status, 412);
    assert!(began.elapsed() < Duration::from_millis(10));
}

#[tokio::test(start_paused = true)]
async fn live_groups_are_asked_of_each_server() {
    let client = Client::of(&novalink(Weather::Typical).build().unwrap()).await;
    let took = async |path: &str| {
        let began = Instant::now();
        assert_eq!(client.get(path).await.status, 200);
        began.elapsed().as_millis()
    };
    assert!((70..200).contains(&took("VirtualIOServer?group=None").await));
    assert!((2000..3600).contains(&took("VirtualIOServer?group=ViosStorage").await));
}

#[tokio::test(start_paused = true)]
async fn a_change_goes_on_when_its_client_goes_away() {
    let client = Client::of(&novalink(Weather::Typical).build().unwrap()).await;
    let partitions = client.simulator.world().partitions.len();
    let url = format!(
        "/rest/api/uom/ManagedSystem/{}/LogicalPartition",
        client.system()
    );
    let request = client.send(Method::PUT, &url, &[], partition_body("lpar1"));
    assert!(
        tokio::time::timeout(Duration::from_millis(100), request)
            .await
            .is_err()
    );
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert_eq!(client.simulator.world().partitions.len(), partitions + 1);
}

#[tokio::test(start_paused = true)]
async fn storms_refuse_in_words_that_clients_know() {
    let simulator = novalink(Weather::Stormy).build().unwrap();
    let client = Client::of(&simulator).await;
    let mut messages = Vec::new();
    for _ in 0..200 {
        let answer = client
            .get(&format!(
                "VirtualIOServer/{}?group=ViosStorage",
                client.vios()
            ))
            .await;
        if answer.status != 200 {
            messages.push((answer.status.as_u16(), answer.text("Message")));
        }
    }
    assert!(
        messages
            .iter()
            .any(|(status, message)| *status == 500 && message.contains("HSCL3205"))
    );
    assert!(
        messages
            .iter()
            .any(|(status, message)| *status == 500 && message.contains("VIOS0014"))
    );
    assert!(messages.len() < 40);
}
