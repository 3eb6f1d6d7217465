//! A failure of any request of a deploy or a removal leaves nothing behind.

use std::sync::{Arc, Mutex};

use crate::fates::{FATES, Fate, left_behind};
use crate::support::*;
use powervm_driver::ErrorKind;
use powervm_driver::config::DiskDriver;
use powervm_driver::operations::{Control, Progress};
use powervm_driver::saga::{Phase, Rehearsal};
use powervm_simulator::Flavor;
use powervm_simulator::weather::Rule;

/// How many requests a deploy makes.
async fn requests_of_a_deploy(flavor: Flavor, disk: DiskDriver) -> u64 {
    let bench = Bench::new(flavor, disk).await;
    bench.calls.take();
    bench.spawn(1).await.unwrap();
    bench.calls.take().len() as u64
}

/// The two hardest fates strike every request, the others every third one on NovaLink only: the code is the same,
/// and the tests have to end some time.
fn fates(flavor: Flavor, number: u64) -> impl Iterator<Item = Fate> {
    FATES.into_iter().filter(move |(fate, _)| {
        fate.starts_with("done, but ") && !fate.contains("half")
            || flavor == Flavor::NovaLink && number.is_multiple_of(3)
    })
}

async fn deploy_survives(flavor: Flavor, disk: DiskDriver) {
    let requests = requests_of_a_deploy(flavor, disk).await;
    assert!(requests > 15, "{requests}");
    let (mut succeeded, mut failed) = (0, 0);
    for number in 1..=requests {
        for (fate, strike) in fates(flavor, number) {
            let bench = Bench::new(flavor, disk).await;
            let before = bench.world().await;
            bench.calls.take();
            let rule = bench
                .simulator
                .faults()
                .add(strike(Rule::new("*", "*").nth(number)))
                .unwrap();
            let outcome = bench.spawn(1).await;
            let calls = bench.calls.take();
            let about = format!(
                "{flavor:?} {disk}, request {number} ({:?}) {fate}",
                calls.get(number as usize - 1)
            );
            assert_eq!(bench.simulator.faults().hits(rule), Some(1), "{about}");
            bench.simulator.faults().clear();
            match outcome {
                Ok(_) => {
                    succeeded += 1;
                    bench
                        .destroy(1)
                        .await
                        .unwrap_or_else(|error| panic!("{about}: {error}"));
                }
                Err(error) => {
                    failed += 1;
                    assert_eq!(left_behind(&error), 0, "{about}: {error}");
                }
            }
            assert_as_before(before, bench.world().await, &about);
            bench.assert_sound();
        }
    }
    assert!(
        succeeded > 0 && failed > 0,
        "{succeeded} succeeded, {failed} failed"
    );
}

#[tokio::test(start_paused = true)]
async fn a_deploy_to_a_pool_survives_any_failure_on_novalink() {
    deploy_survives(Flavor::NovaLink, DiskDriver::Ssp).await;
}

#[tokio::test(start_paused = true)]
async fn a_deploy_to_a_pool_survives_any_failure_on_an_hmc() {
    deploy_survives(Flavor::Hmc, DiskDriver::Ssp).await;
}

#[tokio::test(start_paused = true)]
async fn a_deploy_to_local_disk_survives_any_failure_on_novalink() {
    deploy_survives(Flavor::NovaLink, DiskDriver::LocalDisk).await;
}

#[tokio::test(start_paused = true)]
async fn a_deploy_to_local_disk_survives_any_failure_on_an_hmc() {
    deploy_survives(Flavor::Hmc, DiskDriver::LocalDisk).await;
}

async fn removal_can_be_repeated(flavor: Flavor, disk: DiskDriver) {
    let bench = Bench::new(flavor, disk).await;
    bench.spawn(1).await.unwrap();
    bench.calls.take();
    bench.destroy(1).await.unwrap();
    let requests = bench.calls.take().len() as u64;
    assert!(requests > 8, "{requests}");
    for number in 1..=requests {
        for (fate, strike) in fates(flavor, number) {
            let bench = Bench::new(flavor, disk).await;
            let before = bench.world().await;
            bench.spawn(1).await.unwrap();
            bench.calls.take();
            bench
                .simulator
                .faults()
                .add(strike(Rule::new("*", "*").nth(number)))
                .unwrap();
            let first = bench.destroy(1).await;
            let calls = bench.calls.take();
            let about = format!(
                "{flavor:?} {disk}, request {number} ({:?}) {fate}",
                calls.get(number as usize - 1)
            );
            bench.simulator.faults().clear();
            if let Err(error) = &first {
                assert!(!error.to_string().contains("removed again"), "{error}");
            }
            bench
                .destroy(1)
                .await
                .unwrap_or_else(|error| panic!("{about}: {error}"));
            assert_as_before(before, bench.world().await, &about);
            bench.assert_sound();
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_removal_from_a_pool_can_be_repeated_after_any_failure() {
    removal_can_be_repeated(Flavor::NovaLink, DiskDriver::Ssp).await;
    removal_can_be_repeated(Flavor::Hmc, DiskDriver::Ssp).await;
}

#[tokio::test(start_paused = true)]
async fn a_removal_from_local_disk_can_be_repeated_after_any_failure() {
    removal_can_be_repeated(Flavor::NovaLink, DiskDriver::LocalDisk).await;
}

#[tokio::test(start_paused = true)]
async fn a_server_that_stays_away_is_reported_with_what_was_left() {
    let bench = Bench::new(Flavor::NovaLink, DiskDriver::Ssp).await;
    let faults = bench.simulator.faults();
    faults
        .add(Rule::new("PUT", "*/do/PowerOn").reset())
        .unwrap();
    faults
        .add(
            Rule::new("DELETE", "/rest/api/uom/LogicalPartition/*").answer(
                500,
                "no",
                "HSCL9999 no",
            ),
        )
        .unwrap();
    let error = bench.spawn(1).await.unwrap_err();
    assert!(left_behind(&error) > 0);
    assert!(
        error.to_string().contains("create the partition"),
        "{error}"
    );
    faults.clear();
    bench.destroy(1).await.unwrap();
    assert_ne!(error.kind(), ErrorKind::Internal);
}

/// The steps of a deploy, as its watcher is told them.
async fn steps_of_a_deploy(disk: DiskDriver) -> Vec<String> {
    let bench = Bench::new(Flavor::NovaLink, disk).await;
    let seen: Arc<Mutex<Vec<String>>> = Arc::default();
    let kept = Arc::clone(&seen);
    let control = Control::default().watched_by(move |progress: &Progress| {
        if let Progress::Step(event) = progress
            && event.phase == Phase::Begin
        {
            kept.lock().unwrap().push(event.step.to_string());
        }
    });
    bench.driver.spawn(request(1), &control).await.unwrap();
    seen.lock().unwrap().clone()
}

#[tokio::test(start_paused = true)]
async fn every_step_and_every_undo_can_be_repeated() {
    for disk in DISKS {
        let steps = steps_of_a_deploy(disk).await;
        assert_eq!(steps.len(), 7, "{steps:?}");
        for step in steps {
            let bench = Bench::new(Flavor::NovaLink, disk).await;
            let before = bench.world().await;
            let repeated = Rehearsal {
                repeat_step: Some(step.clone()),
                ..Rehearsal::default()
            };
            let control = Control::default().rehearsing(repeated);
            let server = bench.driver.spawn(request(1), &control).await.unwrap();
            assert_eq!(
                server.interfaces.len(),
                bench
                    .driver
                    .show(instance(1))
                    .await
                    .unwrap()
                    .interfaces
                    .len()
            );
            bench.destroy(1).await.unwrap();
            assert_as_before(before.clone(), bench.world().await, &step);
            let faults = bench.simulator.faults();
            faults
                .add(Rule::new("PUT", "*/do/PowerOn").answer(500, "no", "HSCL9999 no"))
                .unwrap();
            let undone = Rehearsal {
                repeat_undo: Some(step.clone()),
                ..Rehearsal::default()
            };
            let error = bench
                .driver
                .spawn(request(2), &Control::default().rehearsing(undone))
                .await
                .unwrap_err();
            assert_eq!(left_behind(&error), 0, "{step}: {error}");
            assert_as_before(before, bench.world().await, &step);
            bench.assert_sound();
        }
    }
}
