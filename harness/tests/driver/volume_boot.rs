//! Servers that have volumes from the start, or boot from one, and their removal.

use crate::storage::*;
use crate::support::*;
use powervm_driver::config::DiskDriver;
use powervm_driver::operations::{Control, DestroyRequest, SpawnRequest, StorageKind};
use powervm_driver::{Error, ErrorKind};
use powervm_harness::storage::Protocol;
use powervm_simulator::Flavor;
use powervm_simulator::weather::Rule;

fn with_volumes(san: &San, image: bool) -> SpawnRequest {
    let mut request = request(1);
    request.volumes = san.connections.clone();
    if !image {
        request.image = None;
    }
    request
}

#[tokio::test(start_paused = true)]
async fn a_server_has_its_volumes_from_the_start_and_they_go_with_it() {
    for flavor in FLAVORS {
        for disk in DISKS {
            let bench = Bench::new(flavor, disk).await;
            let san = San::new(&bench, 2, Protocol::FibreChannel).await;
            let before = bench.world().await;
            let server = bench
                .driver
                .spawn(with_volumes(&san, true), &Control::default())
                .await
                .unwrap();
            let volumes = server
                .storage
                .iter()
                .filter(|storage| storage.kind == StorageKind::PhysicalVolume);
            assert_eq!(volumes.count(), 4, "two volumes through two servers");
            // Nothing says which volumes it has: they are known by their tags.
            bench.destroy(1).await.unwrap();
            assert_same(
                &without_caches(before),
                &without_caches(bench.world().await),
                &format!("{flavor:?} {disk}"),
            );
            bench.assert_sound();
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_boots_from_a_volume_and_has_no_disk_of_its_own() {
    let bench = Bench::new(Flavor::NovaLink, DiskDriver::Ssp).await;
    let san = San::new(&bench, 2, Protocol::FibreChannel).await;
    let before = bench.world().await;
    let server = bench
        .driver
        .spawn(with_volumes(&san, false), &Control::default())
        .await
        .unwrap();
    assert!(
        server
            .storage
            .iter()
            .all(|storage| storage.kind != StorageKind::LogicalUnit)
    );
    let during = bench.world().await;
    assert_eq!(count(&during, &before, ItemKind::LogicalUnit), 0);
    // The first volume stands first on the bus.
    let world = bench.simulator.world();
    let vios = world.vioses.values().next().unwrap();
    let client = partition(1).as_uuid();
    let bus = vios
        .buses
        .values()
        .find(|bus| {
            bus.client
                .as_ref()
                .is_some_and(|own| own.partition == client)
        })
        .unwrap();
    let powervm_simulator::model::vios::Backing::PhysicalVolume { name } = &bus.devices[0].backing
    else {
        panic!("{bus:?}")
    };
    let label = vios.physical_volume(name).unwrap().label.clone();
    assert_eq!(label.as_deref(), Some("volume-0"));
    bench.destroy(1).await.unwrap();
    assert_same(
        &without_caches(before),
        &without_caches(bench.world().await),
        "gone",
    );
}

#[tokio::test(start_paused = true)]
async fn neither_image_nor_volume_is_refused() {
    let bench = Bench::new(Flavor::NovaLink, DiskDriver::Ssp).await;
    let mut nothing = request(1);
    nothing.image = None;
    let refused = bench
        .driver
        .spawn(nothing, &Control::default())
        .await
        .unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Invalid, "{refused}");
}

#[tokio::test(start_paused = true)]
async fn a_removal_that_broke_off_finds_the_disks_when_it_is_told_of_the_volumes() {
    let bench = Bench::new(Flavor::NovaLink, DiskDriver::Ssp).await;
    let mut san = San::new(&bench, 1, Protocol::FibreChannel).await;
    let before = bench.world().await;
    bench
        .driver
        .spawn(with_volumes(&san, true), &Control::default())
        .await
        .unwrap();
    let attached = san.attach(&bench, 0..1).await.unwrap();
    san.connections[0].target_udid = attached.volumes[0].target_udid.clone();
    bench
        .simulator
        .faults()
        .add(Rule::new("PUT", "*/do/RemoveDevice").answer(500, "no", "HSCL9999 no"))
        .unwrap();
    bench.destroy(1).await.unwrap();
    bench.simulator.faults().clear();
    assert_eq!(count(&bench.world().await, &before, ItemKind::Disk), 2);
    let request = DestroyRequest {
        volumes: san.connections.clone(),
        ..DestroyRequest::of(instance(1))
    };
    bench
        .driver
        .destroy(request, &Control::default())
        .await
        .unwrap();
    assert_same(
        &without_caches(before),
        &without_caches(bench.world().await),
        "gone",
    );
}

/// The two hardest fates of any request of a deploy with volumes.
#[tokio::test(start_paused = true)]
async fn a_deploy_with_volumes_survives_any_failure() {
    for image in [true, false] {
        let bench = Bench::new(Flavor::NovaLink, DiskDriver::Ssp).await;
        let san = San::new(&bench, 2, Protocol::FibreChannel).await;
        bench.calls.take();
        bench
            .driver
            .spawn(with_volumes(&san, image), &Control::default())
            .await
            .unwrap();
        let requests = bench.calls.take().len() as u64;
        for number in 1..=requests {
            let refused = |rule: Rule| rule.after().answer(500, "no", "HSCL9999 out of sorts");
            let lost = |rule: Rule| rule.after().reset();
            for strike in [&refused as &dyn Fn(Rule) -> Rule, &lost] {
                let bench = Bench::new(Flavor::NovaLink, DiskDriver::Ssp).await;
                let san = San::new(&bench, 2, Protocol::FibreChannel).await;
                let before = bench.world().await;
                bench.calls.take();
                bench
                    .simulator
                    .faults()
                    .add(strike(Rule::new("*", "*").nth(number)))
                    .unwrap();
                let outcome = bench
                    .driver
                    .spawn(with_volumes(&san, image), &Control::default())
                    .await;
                let calls = bench.calls.take();
                let about = format!("request {number} ({:?})", calls.get(number as usize - 1));
                bench.simulator.faults().clear();
                match outcome {
                    Ok(_) => bench.destroy(1).await.unwrap(),
                    Err(Error::Saga(failure)) => {
                        assert!(failure.left_behind.is_empty(), "{about}: {failure:?}")
                    }
                    Err(_) => {}
                }
                assert_same(
                    &without_caches(before),
                    &without_caches(bench.world().await),
                    &about,
                );
                bench.assert_sound();
            }
        }
    }
}
