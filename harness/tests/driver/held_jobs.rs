//! Jobs that never begin: they are cancelled, and none of them strikes later.

use std::time::Duration;

use crate::support::*;
use powervm_driver::ErrorKind;
use powervm_driver::config::DiskDriver;
use powervm_driver::operations::Control;
use powervm_driver::partition::PowerState;
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
