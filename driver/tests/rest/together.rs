//! Readings of one feed at the same moment.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::future::{join_all, try_join_all};
use powervm_driver::ErrorKind;
use powervm_driver::rest::Groups;

use crate::fake::{Fake, answer, feed, resource};

const UUID: &str = "0F3D6C2A-1111-4222-8333-444455556666";

fn pool() -> Fake {
    Fake::new(|_, _| answer(200, feed(&[resource("Cluster", UUID, "", "-7", "")])))
}

#[tokio::test(start_paused = true)]
async fn who_asks_at_the_same_moment_shares_a_request() {
    let fake = pool();
    let session = fake.session().await;
    let before = fake.lines().len();
    let asked = (0..10).map(|_| session.get_feed_together("Cluster", Groups::None));
    let read = try_join_all(asked).await.unwrap();
    assert!(read.iter().all(|entries| entries.len() == 1));
    assert_eq!(fake.lines()[before..], ["GET /rest/api/uom/Cluster"]);
    // Another feed, and the same one in other groups, are others.
    let (one, two) = tokio::join!(
        session.get_feed_together("Cluster", Groups::Omitted),
        session.get_feed_together("Tier", Groups::None),
    );
    assert!(one.is_ok() && two.is_ok());
    assert_eq!(fake.lines().len(), before + 3);
}

#[tokio::test(start_paused = true)]
async fn a_reading_that_has_begun_is_nobody_elses() {
    let fake = pool();
    let session = fake.session().await;
    let before = fake.lines().len();
    let later = async {
        tokio::time::sleep(Duration::from_millis(21)).await;
        session.get_feed_together("Cluster", Groups::None).await
    };
    let (first, second) = tokio::join!(session.get_feed_together("Cluster", Groups::None), later);
    assert!(first.is_ok() && second.is_ok());
    assert_eq!(fake.lines().len(), before + 2);
}

#[tokio::test(start_paused = true)]
async fn a_reading_outlives_those_who_give_up() {
    let fake = pool();
    let session = fake.session().await;
    let before = fake.lines().len();
    let impatient = tokio::time::timeout(
        Duration::from_millis(10),
        session.get_feed_together("Cluster", Groups::None),
    );
    let (gave_up, read) = tokio::join!(
        impatient,
        session.get_feed_together("Cluster", Groups::None)
    );
    assert!(gave_up.is_err());
    assert_eq!(read.unwrap().len(), 1);
    // One that nobody waits for any more is not made, and is in nobody's way.
    let abandoned = session.get_feed_together("Cluster", Groups::None);
    assert!(
        tokio::time::timeout(Duration::from_millis(10), abandoned)
            .await
            .is_err()
    );
    tokio::time::sleep(Duration::from_secs(1)).await;
    let read = session.get_feed_together("Cluster", Groups::None).await;
    assert_eq!(read.unwrap().len(), 1);
    assert_eq!(fake.lines().len(), before + 2);
}

#[tokio::test(start_paused = true)]
async fn a_reading_that_fails_fails_for_one() {
    let reads = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&reads);
    let fake = Fake::new(move |_, _| match counted.fetch_add(1, Ordering::SeqCst) {
        0 => answer(200, "no feed"),
        _ => answer(200, feed(&[])),
    });
    let session = fake.session().await;
    let asked = (0..3).map(|_| session.get_feed_together("Cluster", Groups::None));
    let read = join_all(asked).await;
    let failed: Vec<ErrorKind> = read
        .iter()
        .filter_map(|read| read.as_ref().err())
        .map(powervm_driver::Error::kind)
        .collect();
    assert_eq!(failed, [ErrorKind::BadAnswer]);
    assert_eq!(reads.load(Ordering::SeqCst), 3);
}
