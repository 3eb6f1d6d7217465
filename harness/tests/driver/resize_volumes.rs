//! Servers with volumes that get another size while a manager ends the volumes' connections and makes them anew.

use crate::storage::*;
use crate::support::*;
use powervm_driver::config::DiskDriver;
use powervm_driver::operations::{
    ArriveRequest, Before, ConfirmRequest, Control, DepartRequest, Departure, Destination,
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
