//! Faults: before and after the change, bodies that break off, connections that close.

use std::time::Duration;

use axum::body::Body;
use http::Method;
use powervm_simulator::weather::Rule;
use tokio::time::Instant;

use crate::client::{Client, partition_body};

const CREATE: &str = "/rest/api/uom/ManagedSystem/*/LogicalPartition";

async fn create(client: &Client, name: &str) -> Result<u16, axum::Error> {
    let url = format!(
        "/rest/api/uom/ManagedSystem/{}/LogicalPartition",
        client.system()
    );
    client
        .try_send(Method::PUT, &url, &[], partition_body(name))
        .await
        .map(|answer| answer.status.as_u16())
}

#[tokio::test]
async fn a_fault_before_the_change_prevents_it_and_one_after_hides_it() {
    let client = Client::new().await;
    let faults = client.simulator.faults();
    let before = faults
        .add(
            Rule::new("PUT", CREATE)
                .nth(1)
                .answer(503, "busy", "HSCL3205 busy"),
        )
        .unwrap();
    let after = faults
        .add(
            Rule::new("PUT", CREATE)
                .nth(2)
                .after()
                .answer(500, "lost", "lost"),
        )
        .unwrap();
    let count = || client.simulator.world().partitions.len();
    let partitions = count();
    assert_eq!(
        (create(&client, "a").await.unwrap(), count()),
        (503, partitions)
    );
    assert_eq!(
        (create(&client, "b").await.unwrap(), count()),
        (500, partitions + 1)
    );
    assert_eq!(
        (create(&client, "c").await.unwrap(), count()),
        (200, partitions + 2)
    );
    assert_eq!(
        (faults.hits(before), faults.hits(after)),
        (Some(1), Some(1))
    );
    assert_eq!(client.simulator.counters().faults, 2);
}

#[tokio::test]
async fn a_closed_connection_is_an_error_in_process_too() {
    let client = Client::new().await;
    let faults = client.simulator.faults();
    let partitions = client.simulator.world().partitions.len();
    faults.add(Rule::new("PUT", CREATE).nth(1).reset()).unwrap();
    faults
        .add(Rule::new("PUT", CREATE).nth(2).after().reset())
        .unwrap();
    assert!(create(&client, "a").await.is_err());
    assert_eq!(client.simulator.world().partitions.len(), partitions);
    assert!(create(&client, "a").await.is_err());
    assert_eq!(client.simulator.world().partitions.len(), partitions + 1);
    assert_eq!(client.simulator.counters().by_status[&0], 2);
}

#[tokio::test]
async fn a_cut_body_announces_its_full_length() {
    let client = Client::new().await;
    client
        .simulator
        .faults()
        .add(Rule::new("GET", "*/ManagedSystem").first(1).cut(100))
        .unwrap();
    let url = "/rest/api/uom/ManagedSystem";
    assert!(
        client
            .try_send(Method::GET, url, &[], Body::empty())
            .await
            .is_err()
    );
    assert_eq!(client.get("ManagedSystem").await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn a_delay_takes_simulated_time() {
    let client = Client::new().await;
    client
        .simulator
        .faults()
        .add(
            Rule::new("GET", "*")
                .first(1)
                .delay(Duration::from_secs(90)),
        )
        .unwrap();
    let began = Instant::now();
    assert_eq!(client.get("ManagedSystem").await.status, 200);
    assert_eq!(began.elapsed().as_secs(), 90);
}

#[tokio::test]
async fn a_logon_can_fail_as_well() {
    let client = Client::new().await;
    client
        .simulator
        .faults()
        .add(
            Rule::new("PUT", "/rest/api/web/Logon")
                .first(1)
                .answer(404, "starting", "starting"),
        )
        .unwrap();
    assert_eq!(client.logon("neo", "x").await.status, 404);
    assert_eq!(client.logon("neo", "x").await.status, 401);
}
