//! Servers with volumes that get another size while a manager ends the volumes' connections and makes them anew.

use std::sync::Arc;
use std::time::Duration;

use crate::storage::*;
use crate::support::*;
use powervm_driver::Result;
use powervm_driver::config::DiskDriver;
use powervm_driver::journal::{Journal, JournalFile};
use powervm_driver::operations::{
    ArriveRequest, Before, ConfirmRequest, Control, DepartRequest, Departure, Destination, Driver,
    RevertRequest,
};
use powervm_driver::partition::{Flavor as Size, PowerState};
use powervm_harness::storage::Protocol;
use powervm_simulator::Flavor;
use powervm_simulator::weather::Rule;

fn size(vcpus: u32) -> Size {
    Size {
        vcpus,
        memory_mb: 1024,
        root_gb: 1,
        extra_specs: std::collections::BTreeMap::new(),
    }
}

fn leaving(san: &San) -> DepartRequest {
    DepartRequest {
        instance: instance(1),
        name: Some("web-1".to_owned()),
        destination: Destination::SameHost,
        flavor: size(2),
        from_gb: Some(1),
        timeout: None,
        volumes: san.connections.clone(),
        metadata: Default::default(),
    }
}

fn arriving(san: &San) -> ArriveRequest {
    ArriveRequest {
        instance: instance(1),
        name: "web-1".to_owned(),
        flavor: size(2),
        power_on: true,
        volumes: san.connections.clone(),
        metadata: Default::default(),
    }
}

fn back(san: &San, left: Departure) -> RevertRequest {
    RevertRequest {
        instance: instance(1),
        name: Some("web-1".to_owned()),
        before: Before::Kept(Box::new(left.before)),
        power_on: true,
        volumes: san.connections.clone(),
        metadata: Default::default(),
    }
}

async fn with_volumes(protocol: Protocol) -> (Bench, San) {
    let bench = Bench::new(Flavor::NovaLink, DiskDriver::Ssp).await;
    fill(bench, protocol).await
}

async fn fill(bench: Bench, protocol: Protocol) -> (Bench, San) {
    ready(&bench, false).await;
    let san = San::new(&bench, 2, protocol).await;
    san.attach(&bench, 0..2).await.unwrap();
    (bench, san)
}

async fn vcpus(bench: &Bench) -> (u32, PowerState) {
    let server = bench.driver.show(instance(1)).await.unwrap();
    (server.vcpus, server.summary.status)
}

#[tokio::test(start_paused = true)]
async fn volumes_leave_with_a_server_and_arrive_with_it() {
    for protocol in [Protocol::FibreChannel, Protocol::Iscsi] {
        let (bench, san) = with_volumes(protocol).await;
        let attached = bench.world().await;
        let control = Control::default();
        let left = bench
            .driver
            .migrate_disk_and_power_off(leaving(&san), &control)
            .await
            .unwrap();
        let gone = bench.world().await;
        let is_volume = |name: &str| san.ids.iter().any(|id| name.contains(id.as_str()));
        assert!(!gone.items.iter().any(|item| is_volume(&item.name)));
        assert!(gone.items.len() < attached.items.len());
        let arrived = bench
            .driver
            .finish_migration(arriving(&san), &control)
            .await
            .unwrap();
        assert_eq!(arrived.volumes.len(), 2);
        assert!(arrived.volumes.iter().all(|one| !one.paths.is_empty()));
        assert_eq!(vcpus(&bench).await, (2, PowerState::Running));
        // It is not wanted: Nova has the volumes disconnected, and connects them again.
        bench
            .driver
            .finish_revert_migration(back(&san, left), &control)
            .await
            .unwrap();
        assert_eq!(vcpus(&bench).await, (1, PowerState::Running));
        assert_same(&attached, &bench.world().await, "reverted");
        bench.assert_sound();
    }
}

/// The flavor's disk says nothing of a volume: its size is the volume service's to change.
#[tokio::test(start_paused = true)]
async fn a_server_that_boots_from_a_volume_is_resized_without_growing_any_disk() {
    for disk in DISKS {
        let bench = Bench::new(Flavor::NovaLink, disk).await;
        let san = San::new(&bench, 1, Protocol::FibreChannel).await;
        let mut spawn = request(1);
        spawn.image = None;
        spawn.volumes = san.connections.clone();
        let control = Control::default();
        bench.driver.spawn(spawn, &control).await.unwrap();
        let larger = Size {
            root_gb: 7,
            ..size(2)
        };
        let depart = DepartRequest {
            flavor: larger.clone(),
            ..leaving(&san)
        };
        let arrive = ArriveRequest {
            flavor: larger,
            ..arriving(&san)
        };
        bench.calls.take();
        bench
            .driver
            .migrate_disk_and_power_off(depart, &control)
            .await
            .unwrap();
        let arrived = bench
            .driver
            .finish_migration(arrive, &control)
            .await
            .unwrap();
        let calls = bench.calls.take();
        let grows = |(method, path): &(String, String)| {
            method != "GET"
                && [
                    "/LogicalUnit",
                    "/SharedStoragePool",
                    "/VolumeGroup",
                    "/Cluster",
                ]
                .iter()
                .any(|part| path.contains(part))
        };
        assert!(
            calls.iter().any(|(method, _)| method == "POST"),
            "{calls:?}"
        );
        assert!(!calls.iter().any(grows), "{calls:?}");
        assert!(arrived.volumes.iter().all(|one| !one.paths.is_empty()));
        assert_eq!(vcpus(&bench).await, (2, PowerState::Running));
        bench.assert_sound();
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_whose_volumes_cannot_be_detached_stays() {
    let (bench, san) = with_volumes(Protocol::FibreChannel).await;
    let before = bench.world().await;
    let control = Control::default();
    let rule = Rule::new("POST", "*/VirtualIOServer/*").answer(500, "no", "HSCL9999 no");
    bench.simulator.faults().add(rule.first(1)).unwrap();
    bench
        .driver
        .migrate_disk_and_power_off(leaving(&san), &control)
        .await
        .unwrap_err();
    assert_eq!(vcpus(&bench).await, (1, PowerState::Running));
    assert_same(&before, &bench.world().await, "refused");
    bench.assert_sound();
}

#[tokio::test(start_paused = true)]
async fn a_server_that_cannot_arrive_has_no_volumes_and_can_be_confirmed_later() {
    let (bench, san) = with_volumes(Protocol::FibreChannel).await;
    let control = Control::default();
    bench
        .driver
        .migrate_disk_and_power_off(leaving(&san), &control)
        .await
        .unwrap();
    let left = bench.world().await;
    let rule = Rule::new("POST", "*/LogicalPartition/*").answer(500, "no", "HSCL9999 no");
    bench.simulator.faults().add(rule.first(1)).unwrap();
    bench
        .driver
        .finish_migration(arriving(&san), &control)
        .await
        .unwrap_err();
    assert_same(&left, &bench.world().await, "as it left");
    bench
        .driver
        .finish_migration(arriving(&san), &control)
        .await
        .unwrap();
    let confirm = ConfirmRequest {
        instance: instance(1),
        name: Some("web-1".to_owned()),
    };
    bench
        .driver
        .confirm_migration(confirm, &control)
        .await
        .unwrap();
    assert_eq!(vcpus(&bench).await, (2, PowerState::Running));
    bench.assert_sound();
}

/// A bench whose driver keeps a journal.
async fn journalled(protocol: Protocol) -> (Bench, San, JournalFile) {
    let mut bench = Bench::new(Flavor::NovaLink, DiskDriver::Ssp).await;
    let journal = JournalFile::in_memory().unwrap();
    bench.driver = heir(&bench, &journal).await;
    let (bench, san) = fill(bench, protocol).await;
    (bench, san, journal)
}

async fn heir(bench: &Bench, journal: &JournalFile) -> Driver {
    let session = session(&bench.simulator, 2, Arc::clone(&bench.calls)).await;
    let journal = Arc::new(journal.clone());
    Driver::connect_with(session, config(DiskDriver::Ssp), journal)
        .await
        .unwrap()
}

/// Kills the driver where a request meets the rule, and has another one take its journal up.
async fn killed_at<T: std::fmt::Debug>(
    bench: &Bench,
    journal: &JournalFile,
    rule: Rule,
    act: impl Future<Output = Result<T>>,
) -> Driver {
    let rule = rule.delay(Duration::from_secs(24 * 3600));
    let rule = bench.simulator.faults().add(rule).unwrap();
    tokio::select! {
        outcome = act => panic!("it was not killed: {outcome:?}"),
        () = is_met(&bench.simulator, rule) => {}
    }
    bench.simulator.faults().clear();
    let next = heir(bench, journal).await;
    for recovered in next.recover(&Control::default()).await.unwrap() {
        recovered.result.unwrap();
    }
    assert!(journal.pending().await.unwrap().is_empty());
    next
}

#[tokio::test(start_paused = true)]
async fn a_killed_departure_has_left_with_its_volumes_or_not_at_all() {
    for protocol in [Protocol::FibreChannel, Protocol::Iscsi] {
        for (rule, leaves) in [
            (Rule::new("PUT", "*/do/PowerOff").nth(1).after(), false),
            (Rule::new("POST", "*/LogicalPartition/*").nth(1), false),
            (Rule::new("POST", "*/VirtualIOServer/*").nth(1), true),
            (
                Rule::new("POST", "*/VirtualIOServer/*").nth(1).after(),
                true,
            ),
        ] {
            let (bench, san, journal) = journalled(protocol).await;
            let before = bench.world().await;
            let control = Control::default();
            let leave = bench
                .driver
                .migrate_disk_and_power_off(leaving(&san), &control);
            let next = killed_at(&bench, &journal, rule, leave).await;
            let world = bench.world().await;
            let is_volume = |name: &str| san.ids.iter().any(|id| name.contains(id.as_str()));
            let name = next.show(instance(1)).await.unwrap().summary.name;
            assert_eq!(&*name == "resize_web-1", leaves, "{protocol:?}");
            match leaves {
                true => assert!(!world.items.iter().any(|item| is_volume(&item.name))),
                false => assert_same(&before, &world, "undone"),
            }
            bench.assert_sound();
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_killed_arrival_has_not_arrived_and_has_no_volumes() {
    for protocol in [Protocol::FibreChannel, Protocol::Iscsi] {
        for rule in [
            Rule::new("POST", "*/VirtualIOServer/*").nth(1).after(),
            Rule::new("POST", "*/LogicalPartition/*").nth(1),
            Rule::new("PUT", "*/do/PowerOn").nth(1).after(),
        ] {
            let (bench, san, journal) = journalled(protocol).await;
            let control = Control::default();
            let left = bench
                .driver
                .migrate_disk_and_power_off(leaving(&san), &control);
            left.await.unwrap();
            let left = bench.world().await;
            let arrive = bench.driver.finish_migration(arriving(&san), &control);
            let next = killed_at(&bench, &journal, rule, arrive).await;
            assert_same(&left, &bench.world().await, "as it left");
            next.finish_migration(arriving(&san), &control)
                .await
                .unwrap();
            assert_eq!(vcpus(&bench).await, (2, PowerState::Running));
            bench.assert_sound();
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_killed_reversion_is_finished_once_the_volumes_are_attached() {
    for protocol in [Protocol::FibreChannel, Protocol::Iscsi] {
        for (rule, returns) in [
            (Rule::new("PUT", "*/do/PowerOff").nth(1).after(), false),
            (
                Rule::new("POST", "*/VirtualIOServer/*").nth(1).after(),
                false,
            ),
            (Rule::new("POST", "*/LogicalPartition/*").nth(1), true),
            (Rule::new("PUT", "*/do/PowerOn").nth(1).after(), true),
        ] {
            let (bench, san, journal) = journalled(protocol).await;
            let attached = bench.world().await;
            let control = Control::default();
            let left = bench
                .driver
                .migrate_disk_and_power_off(leaving(&san), &control);
            let left = left.await.unwrap();
            let arriving = ArriveRequest {
                volumes: Vec::new(),
                ..arriving(&san)
            };
            bench
                .driver
                .finish_migration(arriving, &control)
                .await
                .unwrap();
            let before = bench.world().await;
            let revert = bench
                .driver
                .finish_revert_migration(back(&san, left.clone()), &control);
            let next = killed_at(&bench, &journal, rule, revert).await;
            if !returns {
                assert_same(&before, &bench.world().await, "undone");
                assert_eq!(vcpus(&bench).await, (2, PowerState::Running));
                let again = next.finish_revert_migration(back(&san, left), &control);
                again.await.unwrap();
            }
            assert_same(&attached, &bench.world().await, "reverted");
            assert_eq!(vcpus(&bench).await, (1, PowerState::Running));
            bench.assert_sound();
        }
    }
}
