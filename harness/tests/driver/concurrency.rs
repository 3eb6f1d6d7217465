//! Many deploys at once: how long they take, what they cost, and what they leave.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::support::*;
use futures_util::future::join_all;
use powervm_driver::config::DiskDriver;
use powervm_driver::operations::{Control, DestroyRequest, Driver, Progress};
use powervm_harness::audit::ItemKind;
use powervm_simulator::Flavor;
use powervm_simulator::weather::Weather;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

async fn deploys(bench: &Bench, count: u32) -> Duration {
    let start = Instant::now();
    for outcome in join_all((1..=count).map(|number| bench.spawn(number))).await {
        outcome.unwrap();
    }
    start.elapsed()
}

async fn time_of(flavor: Flavor, disk: DiskDriver, count: u32) -> (Duration, Bench) {
    let bench = Bench::with(simulator(flavor, Weather::Typical), config(disk)).await;
    let took = deploys(&bench, count).await;
    (took, bench)
}

#[tokio::test(start_paused = true)]
async fn ten_deploys_take_little_longer_than_one() {
    for flavor in FLAVORS {
        for disk in DISKS {
            let (one, _) = time_of(flavor, disk, 1).await;
            let (ten, bench) = time_of(flavor, disk, 10).await;
            let ratio = ten.as_secs_f64() / one.as_secs_f64();
            println!("{flavor:?} {disk}: one {one:?}, ten {ten:?}, {ratio:.2}");
            assert!(
                ratio <= 1.3,
                "{flavor:?} {disk}: one {one:?}, ten {ten:?}, {ratio:.2}"
            );
            let counters = bench.simulator.counters();
            assert_eq!(counters.uploads, 11, "one image and ten config drives");
            for (vios, writes) in &counters.mapping_writes {
                assert!(
                    *writes <= 3,
                    "{vios}: {writes} mapping writes for ten deploys"
                );
            }
            assert_eq!(counters.preconditions_failed, 0);
            let calls = bench.calls.take();
            let names = calls
                .iter()
                .filter(|(_, path)| path.ends_with("/quick/All"));
            assert_eq!(names.count(), 1, "the names that are taken are read once");
            bench.assert_sound();
        }
    }
}

#[tokio::test(start_paused = true)]
async fn one_deploy_writes_each_vios_once() {
    for disk in DISKS {
        let bench = Bench::new(Flavor::NovaLink, disk).await;
        bench.spawn(1).await.unwrap();
        let writes = bench.simulator.counters().mapping_writes;
        assert!(
            !writes.is_empty() && writes.values().all(|writes| *writes == 1),
            "{writes:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn ten_deletes_leave_nothing() {
    for disk in DISKS {
        let bench = Bench::with(simulator(Flavor::NovaLink, Weather::Typical), config(disk)).await;
        let before = without_caches(bench.world().await);
        deploys(&bench, 10).await;
        let outcomes = join_all((1..=10).map(|number| bench.destroy(number))).await;
        for outcome in outcomes {
            outcome.unwrap();
        }
        assert_eq!(without_caches(bench.world().await), before);
        bench.assert_sound();
    }
}

#[tokio::test(start_paused = true)]
async fn stormy_weather_is_survived() {
    for disk in DISKS {
        let bench = Bench::with(simulator(Flavor::NovaLink, Weather::Stormy), config(disk)).await;
        let before = without_caches(bench.world().await);
        let mut failures = 0;
        for outcome in join_all((1..=10).map(|number| bench.spawn(number))).await {
            if let Err(error) = outcome {
                failures += 1;
                assert!(error.to_string().contains("removed again"), "{error}");
            }
        }
        assert!(failures <= 2, "{failures} of ten deploys failed");
        // Some may fail in such weather; what they leave, the next call finds.
        join_all((1..=10).map(|number| bench.destroy(number))).await;
        for number in 1..=10 {
            bench.destroy(number).await.unwrap();
        }
        assert_eq!(without_caches(bench.world().await), before);
        bench.assert_sound();
    }
}

/// Two hosts of a pool: two sessions, two drivers, nothing shared but the pool.
#[tokio::test(start_paused = true)]
async fn two_drivers_agree_on_one_upload() {
    let bench = Bench::with(
        simulator(Flavor::NovaLink, Weather::Typical),
        config(DiskDriver::Ssp),
    )
    .await;
    let other = session(&bench.simulator, 2, Arc::default()).await;
    let other = Driver::connect(other, config(DiskDriver::Ssp))
        .await
        .unwrap();
    let waited = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&waited);
    let control = Control::default().watched_by(move |progress: &Progress| {
        if matches!(progress, Progress::Waiting { .. }) {
            counted.fetch_add(1, Ordering::SeqCst);
        }
    });
    let (a, b) = tokio::join!(
        bench.driver.spawn(request(1), &control),
        other.spawn(request(2), &control)
    );
    a.unwrap();
    b.unwrap();
    assert_eq!(
        bench.simulator.counters().uploads,
        3,
        "one image and two config drives"
    );
    assert!(
        waited.load(Ordering::SeqCst) >= 1,
        "one of them waited for the other"
    );
    let images: Vec<_> = bench
        .world()
        .await
        .items
        .into_iter()
        .filter(|item| item.kind == ItemKind::LogicalUnit && item.name.contains("image_"))
        .collect();
    assert_eq!(images.len(), 1, "no second image and no marker: {images:?}");
}

#[tokio::test(start_paused = true)]
async fn cancelled_at_any_moment_a_deploy_leaves_nothing() {
    for disk in DISKS {
        let mut cancelled = 0;
        for milliseconds in (0..30_000).step_by(700) {
            let bench =
                Bench::with(simulator(Flavor::NovaLink, Weather::Typical), config(disk)).await;
            let before = without_caches(bench.world().await);
            let token = CancellationToken::new();
            let control = Control::default().cancelled_by(token.clone());
            let strike = async {
                tokio::time::sleep(Duration::from_millis(milliseconds)).await;
                token.cancel();
            };
            let (outcome, ()) = tokio::join!(bench.driver.spawn(request(1), &control), strike);
            match outcome {
                Ok(_) => bench.destroy(1).await.unwrap(),
                Err(error) => {
                    cancelled += 1;
                    assert_eq!(
                        error.kind(),
                        powervm_driver::ErrorKind::Cancelled,
                        "{error}"
                    );
                }
            }
            assert_eq!(
                without_caches(bench.world().await),
                before,
                "{disk}, after {milliseconds} ms"
            );
            bench.assert_sound();
        }
        assert!(cancelled > 5, "{cancelled}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_dropped_deploy_undoes_itself_and_a_removal_waits_for_it() {
    let bench = Bench::with(
        simulator(Flavor::NovaLink, Weather::Typical),
        config(DiskDriver::Ssp),
    )
    .await;
    let before = without_caches(bench.world().await);
    for seconds in [1, 4, 7, 10] {
        let dropped = tokio::time::timeout(Duration::from_secs(seconds), bench.spawn(1)).await;
        assert!(dropped.is_err(), "done after {seconds} s already");
        bench.destroy(1).await.unwrap();
        assert_eq!(
            without_caches(bench.world().await),
            before,
            "dropped after {seconds} s"
        );
    }
    let (spawned, destroyed) = tokio::join!(bench.spawn(2), async {
        tokio::time::sleep(Duration::from_secs(2)).await;
        bench.destroy(2).await
    });
    spawned.unwrap();
    destroyed.unwrap();
    assert_eq!(without_caches(bench.world().await), before);
}

/// One deploy uploads, nine wait for it; the uploader is cancelled and another takes over.
#[tokio::test(start_paused = true)]
async fn a_cancelled_uploader_is_replaced() {
    let bench = Bench::with(
        simulator(Flavor::NovaLink, Weather::Typical),
        config(DiskDriver::Ssp),
    )
    .await;
    let token = CancellationToken::new();
    let strike = token.clone();
    let control = Control::default()
        .cancelled_by(token)
        .watched_by(move |progress: &Progress| {
            if let Progress::Transfer { what, .. } = progress
                && what.starts_with("image_")
            {
                strike.cancel();
            }
        });
    let first = bench.driver.spawn(request(1), &control);
    let others = join_all((2..=4).map(|number| bench.spawn(number)));
    let (first, others) = tokio::join!(first, others);
    let _ = first;
    for other in others {
        other.unwrap();
    }
    let units: Vec<String> = bench
        .world()
        .await
        .items
        .into_iter()
        .filter(|item| item.kind == ItemKind::LogicalUnit)
        .map(|item| item.name)
        .collect();
    assert_eq!(
        units.iter().filter(|name| name.contains("image_")).count(),
        1,
        "{units:?}"
    );
    for number in 1..=4 {
        bench
            .driver
            .destroy(DestroyRequest::of(instance(number)), &Control::default())
            .await
            .unwrap();
    }
}
