//! Jobs that never begin: they are cancelled, and none of them strikes later.

use std::sync::Arc;
use std::time::Duration;

use crate::support::*;
use powervm_driver::ErrorKind;
use powervm_driver::config::DiskDriver;
use powervm_driver::journal::{Journal, JournalFile};
use powervm_driver::operations::{Control, Driver, Stop};
use powervm_driver::partition::PowerState;
use powervm_driver::rest::Job;
use powervm_simulator::weather::Rule;

/// The job begins just when the server refuses to cancel it. It ends before its work is undone.
#[tokio::test(start_paused = true)]
async fn a_deploy_whose_start_begins_when_it_is_given_up_leaves_nothing() {
    for flavor in FLAVORS {
        let bench = Bench::new(flavor, DiskDriver::Ssp).await;
        let before = bench.world().await;
        let refused = bench
            .simulator
            .faults()
            .add(
                Rule::new("POST", "/rest/api/uom/jobs/*")
                    .nth(1)
                    .answer(412, "x", "not now"),
            )
            .unwrap();
        let simulator = bench.simulator.clone();
        simulator.hold_jobs(true).unwrap();
        let releasing = tokio::spawn(async move {
            while simulator.faults().hits(refused) != Some(1) {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            simulator.hold_jobs(false).unwrap();
        });
        let outcome = bench.spawn(1).await;
        releasing.await.unwrap();
        match outcome {
            // It was done by then.
            Ok(_) => bench.destroy(1).await.unwrap(),
            Err(error) => assert!(error.left_behind().is_empty(), "{flavor:?}: {error}"),
        }
        assert_as_before(before, bench.world().await, &format!("{flavor:?}"));
        bench.assert_sound();
    }
}

/// Nobody was told the number of the job: it is found, and cancelled.
#[tokio::test(start_paused = true)]
async fn a_job_that_nobody_knows_of_and_that_never_begins_is_cancelled() {
    for flavor in FLAVORS {
        let bench = Bench::new(flavor, DiskDriver::Ssp).await;
        let off = powervm_driver::operations::SpawnRequest {
            power_on: false,
            ..request(1)
        };
        bench.driver.spawn(off, &Control::default()).await.unwrap();
        bench.simulator.hold_jobs(true).unwrap();
        bench
            .simulator
            .faults()
            .add(Rule::new("PUT", "*/do/PowerOn").nth(1).after().reset())
            .unwrap();
        let error = bench
            .driver
            .start(instance(1), &Control::default())
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TimedOut, "{error}");
        bench.simulator.hold_jobs(false).unwrap();
        settle().await;
        assert_eq!(
            bench.driver.power_state(instance(1)).await.unwrap(),
            PowerState::Shutdown
        );
        let jobs = bench.simulator.world().jobs.len();
        assert_eq!(jobs, 0, "{flavor:?}");
        bench.assert_sound();
    }
}

/// A server that refuses every look at a job still has it cancelled.
#[tokio::test(start_paused = true)]
async fn a_job_that_nobody_may_look_at_is_cancelled() {
    let bench = Bench::new(FLAVORS[0], DiskDriver::Ssp).await;
    let off = powervm_driver::operations::SpawnRequest {
        power_on: false,
        ..request(1)
    };
    bench.driver.spawn(off, &Control::default()).await.unwrap();
    bench.simulator.hold_jobs(true).unwrap();
    let rule = Rule::new("GET", "/rest/api/uom/jobs/*").answer(412, "x", "not now");
    bench.simulator.faults().add(rule).unwrap();
    let error = bench
        .driver
        .start(instance(1), &Control::default())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict, "{error}");
    bench.simulator.faults().clear();
    bench.simulator.hold_jobs(false).unwrap();
    settle().await;
    assert_eq!(
        bench.driver.power_state(instance(1)).await.unwrap(),
        PowerState::Shutdown
    );
}

/// A job of somebody else that starts the partition, on its way while jobs are held.
async fn somebody_else_starts(bench: &Bench) -> tokio::task::JoinHandle<()> {
    let session = session(&bench.simulator, 2, Arc::default()).await;
    let target = format!("LogicalPartition/{}", crate::storage::partition(1));
    let jobs = bench.simulator.world().jobs.len();
    let theirs = tokio::spawn(async move {
        let _ = session.job(Job::new(target, "PowerOn")).await;
    });
    while bench.simulator.world().jobs.len() == jobs {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    theirs
}

fn waiting(bench: &Bench) -> usize {
    let world = bench.simulator.world();
    let waiting = world.jobs.values().filter(|job| job.started.is_none());
    waiting.count()
}

/// Of two jobs that may be the one whose answer was lost, neither is cancelled, and that is told.
#[tokio::test(start_paused = true)]
async fn a_job_that_may_be_somebody_elses_is_left_alone() {
    let bench = Bench::new(FLAVORS[0], DiskDriver::Ssp).await;
    let off = powervm_driver::operations::SpawnRequest {
        power_on: false,
        ..request(1)
    };
    bench.driver.spawn(off, &Control::default()).await.unwrap();
    bench.simulator.hold_jobs(true).unwrap();
    let theirs = somebody_else_starts(&bench).await;
    let lost = Rule::new("PUT", "*/do/PowerOn").nth(1).after().reset();
    bench.simulator.faults().add(lost).unwrap();
    let control = Control::default();
    let start = bench.driver.start(instance(1), &control).await;
    let error = start.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TimedOut, "{error}");
    assert!(
        error.to_string().contains("may be somebody else's"),
        "{error}"
    );
    assert_eq!(waiting(&bench), 2);
    theirs.abort();
}

/// A driver that takes up a journal cancels nobody's job, and says what it waits for.
#[tokio::test(start_paused = true)]
async fn a_recovery_leaves_a_job_alone_that_may_be_somebody_elses() {
    let journal = JournalFile::in_memory().unwrap();
    let mut bench = Bench::new(FLAVORS[0], DiskDriver::Ssp).await;
    let credentials = session(&bench.simulator, 3, Arc::default()).await;
    let keeping = Arc::new(journal.clone());
    bench.driver = Driver::connect_with(credentials, config(DiskDriver::Ssp), keeping)
        .await
        .unwrap();
    let off = powervm_driver::operations::SpawnRequest {
        power_on: false,
        ..request(1)
    };
    bench.driver.spawn(off, &Control::default()).await.unwrap();
    let control = Control::default();
    bench.driver.start(instance(1), &control).await.unwrap();
    bench
        .driver
        .stop(instance(1), Stop::Hard, &control)
        .await
        .unwrap();
    // As if the driver had been killed in the middle of that start.
    let started = journal.history(2).await.unwrap();
    let started = started
        .iter()
        .find(|one| one.beginning.title.starts_with("start"))
        .unwrap();
    let id = journal.begin(&started.beginning).await.unwrap();
    journal.note(id, &started.events[0]).await.unwrap();
    bench.simulator.hold_jobs(true).unwrap();
    let theirs = somebody_else_starts(&bench).await;
    let recovered = bench.driver.recover(&control).await.unwrap();
    let error = recovered[0].result.as_ref().unwrap_err();
    assert!(
        error.to_string().contains("may be somebody else's"),
        "{error}"
    );
    assert_eq!(waiting(&bench), 1);
    assert_eq!(journal.pending().await.unwrap().len(), 1);
    // It ends, and the rest can be done.
    bench.simulator.hold_jobs(false).unwrap();
    theirs.await.unwrap();
    let recovered = bench.driver.recover(&control).await.unwrap();
    assert!(recovered[0].result.is_ok(), "{recovered:?}");
    assert!(journal.pending().await.unwrap().is_empty());
}
