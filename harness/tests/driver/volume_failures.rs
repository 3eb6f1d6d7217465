//! A failure of any request of an attachment or a detachment ends in success or leaves everything as it was.

use crate::fates::{FATES, left_behind};
use crate::storage::*;
use crate::support::*;
use powervm_driver::config::DiskDriver;
use powervm_driver::operations::Control;
use powervm_driver::saga::Rehearsal;
use powervm_harness::storage::Protocol;
use powervm_simulator::Flavor;
use powervm_simulator::weather::Rule;

/// A host with a server that is off and two volumes; the second is attached.
async fn scene(flavor: Flavor, protocol: Protocol) -> (Bench, San) {
    let bench = Bench::new(flavor, DiskDriver::Ssp).await;
    let mut san = San::new(&bench, 2, protocol).await;
    ready(&bench, true).await;
    let attached = san.attach(&bench, 1..2).await.unwrap();
    san.connections[1].target_udid = attached.volumes[0].target_udid.clone();
    (bench, san)
}

async fn attachment_survives(flavor: Flavor, protocol: Protocol) {
    let (bench, san) = scene(flavor, protocol).await;
    bench.calls.take();
    san.attach(&bench, 0..2).await.unwrap();
    let requests = bench.calls.take().len() as u64;
    assert!(requests > 4, "{requests}");
    let (mut succeeded, mut failed) = (0, 0);
    for number in 1..=requests {
        for (fate, strike) in FATES {
            let (bench, san) = scene(flavor, protocol).await;
            let before = bench.world().await;
            bench.calls.take();
            let rule = bench
                .simulator
                .faults()
                .add(strike(Rule::new("*", "*").nth(number)))
                .unwrap();
            let outcome = san.attach(&bench, 0..2).await;
            let calls = bench.calls.take();
            let about = format!(
                "{flavor:?} {protocol:?}, request {number} ({:?}) {fate}",
                calls.get(number as usize - 1)
            );
            assert_eq!(bench.simulator.faults().hits(rule), Some(1), "{about}");
            bench.simulator.faults().clear();
            match outcome {
                Ok(report) => {
                    succeeded += 1;
                    assert!(
                        report.volumes.iter().all(|volume| !volume.paths.is_empty()),
                        "{about}: {report:?}"
                    );
                    let mut gone = san.request(0..1);
                    gone.volumes[0].target_udid = report.volumes[0].target_udid.clone();
                    bench
                        .driver
                        .detach_volumes(gone, &Control::default())
                        .await
                        .unwrap();
                }
                Err(error) => {
                    failed += 1;
                    assert_eq!(left_behind(&error), 0, "{about}: {error}");
                }
            }
            assert_same(&before, &bench.world().await, &about);
            bench.assert_sound();
        }
    }
    assert!(
        succeeded > 0 && failed > 0,
        "{succeeded} succeeded, {failed} failed"
    );
}

async fn detachment_survives(flavor: Flavor, protocol: Protocol) {
    let detach = async |bench: &Bench, san: &San| {
        let mut request = san.request(0..1);
        request.volumes[0] = san.connections[1].clone();
        bench
            .driver
            .detach_volumes(request, &Control::default())
            .await
    };
    let (bench, san) = scene(flavor, protocol).await;
    bench.calls.take();
    detach(&bench, &san).await.unwrap();
    let requests = bench.calls.take().len() as u64;
    let detached = bench.world().await;
    for number in 1..=requests {
        for (fate, strike) in FATES {
            let (bench, san) = scene(flavor, protocol).await;
            let before = bench.world().await;
            bench.calls.take();
            bench
                .simulator
                .faults()
                .add(strike(Rule::new("*", "*").nth(number)))
                .unwrap();
            let outcome = detach(&bench, &san).await;
            let calls = bench.calls.take();
            let about = format!(
                "{flavor:?} {protocol:?}, request {number} ({:?}) {fate}",
                calls.get(number as usize - 1)
            );
            bench.simulator.faults().clear();
            if let Err(error) = &outcome {
                assert_eq!(left_behind(error), 0, "{about}: {error}");
                assert_same(&before, &bench.world().await, &about);
                detach(&bench, &san).await.unwrap();
            }
            assert_same(&detached, &bench.world().await, &about);
            bench.assert_sound();
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_attachment_survives_any_failure_on_novalink() {
    attachment_survives(Flavor::NovaLink, Protocol::FibreChannel).await;
}

#[tokio::test(start_paused = true)]
async fn an_attachment_survives_any_failure_on_an_hmc() {
    attachment_survives(Flavor::Hmc, Protocol::FibreChannel).await;
}

#[tokio::test(start_paused = true)]
async fn a_detachment_survives_any_failure() {
    detachment_survives(Flavor::NovaLink, Protocol::FibreChannel).await;
    detachment_survives(Flavor::Hmc, Protocol::FibreChannel).await;
}

#[tokio::test(start_paused = true)]
async fn every_step_and_every_undo_can_be_repeated() {
    for step in ["find the volumes", "map the volumes"] {
        let (bench, san) = scene(Flavor::NovaLink, Protocol::FibreChannel).await;
        let before = bench.world().await;
        let repeated = Rehearsal {
            repeat_step: Some(step.to_owned()),
            ..Rehearsal::default()
        };
        let control = Control::default().rehearsing(repeated);
        let report = bench
            .driver
            .attach_volumes(san.request(0..2), &control)
            .await
            .unwrap();
        let mut gone = san.request(0..1);
        gone.volumes[0].target_udid = report.volumes[0].target_udid.clone();
        bench
            .driver
            .detach_volumes(gone, &Control::default())
            .await
            .unwrap();
        assert_same(&before, &bench.world().await, step);
        let undone = Rehearsal {
            repeat_undo: Some(step.to_owned()),
            ..Rehearsal::default()
        };
        // One server maps, the other does not.
        let second = bench
            .simulator
            .world()
            .vioses
            .keys()
            .nth(1)
            .unwrap()
            .to_string()
            .to_uppercase();
        let rule = Rule::new("POST", format!("*VirtualIOServer/{second}*")).answer(
            500,
            "no",
            "HSCL9999 no",
        );
        bench.simulator.faults().add(rule).unwrap();
        let control = Control::default().rehearsing(undone);
        let error = bench
            .driver
            .attach_volumes(san.request(0..2), &control)
            .await
            .unwrap_err();
        bench.simulator.faults().clear();
        assert_eq!(left_behind(&error), 0, "{step}: {error}");
        assert_same(&before, &bench.world().await, step);
    }
    for step in ["unmap the volumes", "remove the disks"] {
        let (bench, san) = scene(Flavor::NovaLink, Protocol::FibreChannel).await;
        let repeated = Rehearsal {
            repeat_step: Some(step.to_owned()),
            ..Rehearsal::default()
        };
        let control = Control::default().rehearsing(repeated);
        let before = bench.world().await;
        bench
            .driver
            .detach_volumes(san.request(1..2), &control)
            .await
            .unwrap();
        let after = bench.world().await;
        assert_eq!(count(&before, &after, ItemKind::Disk), 2);
        assert_eq!(count(&before, &after, ItemKind::Mapping), 2);
    }
}

#[tokio::test(start_paused = true)]
async fn a_detachment_of_which_one_half_is_refused_is_taken_back() {
    let (bench, san) = scene(Flavor::NovaLink, Protocol::FibreChannel).await;
    let before = bench.world().await;
    let shown = bench.driver.show(instance(1)).await.unwrap();
    let second = bench
        .simulator
        .world()
        .vioses
        .keys()
        .nth(1)
        .unwrap()
        .to_string()
        .to_uppercase();
    let rule =
        Rule::new("POST", format!("*VirtualIOServer/{second}*")).answer(500, "no", "HSCL9999 no");
    bench.simulator.faults().add(rule).unwrap();
    let undone = Rehearsal {
        repeat_undo: Some("unmap the volumes".to_owned()),
        ..Rehearsal::default()
    };
    let control = Control::default().rehearsing(undone);
    let error = bench
        .driver
        .detach_volumes(san.request(1..2), &control)
        .await
        .unwrap_err();
    assert_eq!(left_behind(&error), 0, "{error}");
    bench.simulator.faults().clear();
    assert_same(&before, &bench.world().await, "taken back");
    assert_eq!(
        bench.driver.show(instance(1)).await.unwrap().storage,
        shown.storage
    );
    san.detach(&bench, 1..2).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_attachment_is_undone() {
    let (bench, san) = scene(Flavor::NovaLink, Protocol::FibreChannel).await;
    let before = bench.world().await;
    let cancel = tokio_util::sync::CancellationToken::new();
    let token = cancel.clone();
    let control = Control::default()
        .watched_by(at_step("map the volumes", move || token.cancel()))
        .cancelled_by(cancel);
    let error = bench
        .driver
        .attach_volumes(san.request(0..2), &control)
        .await
        .unwrap_err();
    assert_eq!(
        error.kind(),
        powervm_driver::ErrorKind::Cancelled,
        "{error}"
    );
    assert_same(&before, &bench.world().await, "cancelled");
}
