//! The event long poll.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::response::Response;
use futures_util::StreamExt;
use powervm_driver::rest::{Notice, ServiceTransport, Session};
use tokio::time::{Instant, timeout};

use crate::fake::{answer, endpoint, feed, options, resource, token_answer};

fn event(number: usize, kind: &str, data: &str, detail: &str) -> String {
    let inner = format!(
        "<EventType>{kind}</EventType><EventID>{number}</EventID><EventData>{data}</EventData><EventDetail>{detail}</EventDetail>"
    );
    resource("Event", &number.to_string(), "", "1", &inner)
}

/// A server whose polls are answered by the closure, for the number of the poll from 0, after its pause.
async fn session(
    poll: impl Fn(usize) -> (u64, Response) + Clone + Send + Sync + 'static,
) -> (Session, Arc<AtomicUsize>) {
    let polls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&polls);
    let router = Router::new().fallback(move |request: Request| {
        let (counted, poll) = (Arc::clone(&counted), poll.clone());
        async move {
            if request.uri().path().ends_with("Logon") {
                return token_answer("abc");
            }
            // md5("abc"), the example of RFC 1321.
            let query = "QUEUE_CLIENTKEY_METHOD=USE_APPLICATIONID&QUEUE_APPLICATIONID=900150983cd24fb0d6963f7d28e17f72&group=None";
            assert_eq!(request.uri().query(), Some(query));
            let (pause, response) = poll(counted.fetch_add(1, Ordering::SeqCst));
            tokio::time::sleep(Duration::from_secs(pause)).await;
            response
        }
    });
    let session = Session::logon(
        endpoint(),
        Arc::new(ServiceTransport::new(router)),
        options(),
    )
    .await
    .unwrap();
    (session, polls)
}

#[tokio::test(start_paused = true)]
async fn all_listeners_share_one_poll() {
    let (session, polls) = session(|number| match number {
        0 => (0, answer(200, feed(&[event(1, "NEW_CLIENT", "", "")]))),
        1 => {
            let data = "http://localhost:12080/rest/api/uom/LogicalPartition/1";
            (
                3,
                answer(
                    200,
                    feed(&[
                        event(2, "MODIFY_URI", data, "PartitionState,Other"),
                        event(3, "CACHE_CLEARED", "", ""),
                        event(4, "MISSING_EVENTS", "", ""),
                    ]),
                ),
            )
        }
        _ => (10, answer(204, "")),
    })
    .await;
    let mut first = session.events();
    let mut second = session.events().into_stream().boxed();
    assert_eq!(first.next().await, Some(Notice::Resync));
    let Some(Notice::Event(event)) = first.next().await else {
        panic!("an event")
    };
    assert_eq!(
        (event.kind.as_str(), event.id.as_str()),
        ("MODIFY_URI", "2")
    );
    assert!(event.concerns("PartitionState") && !event.concerns("Partition"));
    assert!(event.data.ends_with("/rest/api/uom/LogicalPartition/1"));
    assert_eq!(first.next().await, Some(Notice::Resync));
    assert_eq!(first.next().await, Some(Notice::Resync));
    assert_eq!(second.next().await, Some(Notice::Resync));
    assert!(matches!(second.next().await, Some(Notice::Event(_))));
    drop((first, second));
    tokio::time::sleep(Duration::from_secs(60)).await;
    let after = polls.load(Ordering::SeqCst);
    assert!(after <= 3, "polling stops with the last listener: {after}");
    // And starts again with the next.
    let _third = session.events();
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(polls.load(Ordering::SeqCst), after + 1);
}

#[tokio::test(start_paused = true)]
async fn an_idle_server_that_answers_at_once_is_not_hammered() {
    let (session, polls) = session(|_| (0, answer(204, ""))).await;
    let mut events = session.events();
    assert!(
        timeout(Duration::from_secs(60), events.next())
            .await
            .is_err()
    );
    assert!((58..=62).contains(&polls.load(Ordering::SeqCst)));
}

#[tokio::test(start_paused = true)]
async fn a_failed_poll_means_read_everything_again() {
    let (session, _) = session(|number| match number {
        0 => (0, answer(500, "<html>")),
        1 => (0, answer(200, "garbage")),
        2 => (0, answer(200, feed(&[event(9, "ADD_URI", "x", "")]))),
        _ => (10, answer(204, "")),
    })
    .await;
    let start = Instant::now();
    let mut events = session.events();
    assert_eq!(events.next().await, Some(Notice::Resync));
    assert_eq!(events.next().await, Some(Notice::Resync));
    assert!(matches!(events.next().await, Some(Notice::Event(_))));
    assert_eq!(start.elapsed().as_secs(), 10);
}

#[tokio::test(start_paused = true)]
async fn a_slow_listener_is_told_that_it_missed_something() {
    let many: Vec<String> = (0..5000)
        .map(|number| event(number, "MODIFY_URI", "x", ""))
        .collect();
    let many = feed(&many);
    let (session, _) = session(move |number| {
        if number == 0 {
            (0, answer(200, many.clone()))
        } else {
            (10, answer(204, ""))
        }
    })
    .await;
    let mut events = session.events();
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(events.next().await, Some(Notice::Resync));
    let Some(Notice::Event(event)) = events.next().await else {
        panic!("an event")
    };
    assert_eq!(event.id, (5000 - 4096).to_string());
}

#[tokio::test(start_paused = true)]
async fn the_stream_ends_with_the_session() {
    let (session, _) = session(|_| (10, answer(204, ""))).await;
    let mut events = session.events();
    session.logoff().await.unwrap();
    assert_eq!(
        timeout(Duration::from_secs(60), events.next()).await,
        Ok(None)
    );
}
