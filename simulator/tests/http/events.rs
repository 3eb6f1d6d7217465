//! The event queue on the paused clock.

use std::time::Duration;

use powervm_simulator::weather::Weather;
use tokio::time::Instant;

use crate::client::{Client, UOM, job_body, novalink};

fn queue(application: &str) -> String {
    format!(
        "Event?QUEUE_CLIENTKEY_METHOD=USE_APPLICATIONID&QUEUE_APPLICATIONID={application}&group=None"
    )
}

#[tokio::test(start_paused = true)]
async fn a_new_client_is_greeted_at_once_then_waits_ten_seconds() {
    let client = Client::new().await;
    let began = Instant::now();
    let first = client.get(&queue("a")).await;
    assert_eq!(
        (first.status.as_u16(), first.text("EventType")),
        (200, "NEW_CLIENT".to_owned())
    );
    assert_eq!(first.body.matches("<entry>").count(), 1);
    assert!(began.elapsed() < Duration::from_millis(10));
    let second = client.get(&queue("a")).await;
    assert_eq!(second.status, 204);
    assert!(
        (10_000..10_010).contains(&began.elapsed().as_millis()),
        "{:?}",
        began.elapsed()
    );
}

#[tokio::test(start_paused = true)]
async fn a_poll_ends_when_something_happens() {
    let client = Client::new().await;
    client.get(&queue("a")).await;
    let poll = tokio::spawn({
        let client = client.clone();
        async move { (client.get(&queue("a")).await, Instant::now()) }
    });
    let began = Instant::now();
    tokio::time::sleep(Duration::from_secs(3)).await;
    let uuid = client.partition("lpar1").await;
    let (answer, at) = poll.await.unwrap();
    assert!((3_000..3_010).contains(&at.duration_since(began).as_millis()));
    assert!(
        answer.body.contains("ADD_URI") && answer.body.contains(&uuid),
        "{}",
        answer.body
    );
}

#[tokio::test(start_paused = true)]
async fn what_happens_by_itself_comes_at_its_moment() {
    let client = Client::of(&novalink(Weather::Typical).build().unwrap()).await;
    let uuid = client.partition("lpar1").await;
    client.get(&queue("a")).await;
    client
        .put(
            &format!("LogicalPartition/{uuid}/do/PowerOn"),
            job_body("PowerOn", "LogicalPartition", &[]),
        )
        .await;
    let began = Instant::now();
    for _ in 0..30 {
        let answer = client.get(&queue("a")).await;
        if answer.body.contains("PartitionState")
            && client
                .get(&format!("LogicalPartition/{uuid}/quick/PartitionState"))
                .await
                .body
                == "\"running\""
        {
            assert!(
                began.elapsed() > Duration::from_secs(1)
                    && began.elapsed() < Duration::from_secs(20)
            );
            return;
        }
    }
    panic!("the partition never came to run");
}

#[tokio::test(start_paused = true)]
async fn a_clients_own_event_reaches_every_queue() {
    let client = Client::new().await;
    client.get(&queue("a")).await;
    client.get(&queue("b")).await;
    let body = format!(
        r#"<uom:Event xmlns:uom="{UOM}" schemaVersion="V1_0"><uom:EventData>http://localhost/x</uom:EventData><uom:EventDetail>{{"provider":"NOVA_PVM_VIF"}}</uom:EventDetail></uom:Event>"#
    );
    let answer = client.put("Event", body).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(answer.text("EventType"), "CUSTOM_CLIENT_EVENT");
    for application in ["a", "b"] {
        let answer = client.get(&queue(application)).await;
        assert_eq!(answer.text("EventType"), "CUSTOM_CLIENT_EVENT");
        assert!(answer.body.contains("NOVA_PVM_VIF"));
    }
}

#[tokio::test(start_paused = true)]
async fn without_an_application_the_session_is_the_queue() {
    let client = Client::new().await;
    let other = Client::of(&client.simulator).await;
    assert_eq!(client.get("Event").await.text("EventType"), "NEW_CLIENT");
    assert_eq!(other.get("Event").await.text("EventType"), "NEW_CLIENT");
    assert_eq!(client.get("Event").await.status, 204);
}
