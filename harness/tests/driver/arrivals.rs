//! Servers whose disk is there already: they come from another host of the pool, or back.

use crate::resize::size;
use crate::support::*;
use powervm_driver::config::DiskDriver;
use powervm_driver::operations::{
    Control, Destination, DestroyRequest, DiskInfo, Server, SpawnRequest,
};
use powervm_driver::partition::PowerState;
use powervm_driver::{Error, ErrorKind};
use powervm_simulator::Flavor;
use powervm_simulator::weather::Rule;

/// Another host of the pool, on which nothing of the server is but its disk.
async fn neighbour(of: &Bench) -> Bench {
    let simulator = of.simulator.fork(&of.simulator.save());
    let host = Bench::with(simulator, config(DiskDriver::Ssp)).await;
    let removal = DestroyRequest {
        destroy_disks: false,
        ..DestroyRequest::of(instance(1))
    };
    host.driver
        .destroy(removal, &Control::default())
        .await
        .unwrap();
    host
}

fn arriving() -> SpawnRequest {
    SpawnRequest {
        image: None,
        ..request(1)
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_arrives_on_another_host_with_its_disk() {
    for flavor in FLAVORS {
        let source = Bench::new(flavor, DiskDriver::Ssp).await;
        let was = source.spawn(1).await.unwrap();
        let left = source
            .depart(Destination::OtherHost, size(2, 2048, 1))
            .await
            .unwrap();
        let host = neighbour(&source).await;
        assert!(
            host.driver
                .instance_on_disk(instance(1), "web-1")
                .await
                .unwrap()
        );
        assert!(
            !host
                .driver
                .instance_on_disk(instance(2), "web-2")
                .await
                .unwrap()
        );
        let empty = host.world().await;
        let mut arriving = arriving();
        arriving.flavor = size(2, 2048, 1);
        let arrived = host
            .driver
            .spawn_from_disk(arriving, left.disk, &Control::default())
            .await
            .unwrap();
        assert_eq!(arrived.summary.name, "web-1");
        assert_eq!(arrived.summary.status, PowerState::Running);
        assert_eq!((arrived.vcpus, arrived.memory_mb), (2, 2048));
        let macs = |server: &Server| -> Vec<_> {
            server
                .interfaces
                .iter()
                .map(|interface| interface.mac)
                .collect()
        };
        assert_eq!(macs(&arrived), macs(&was), "as the guest knows them");
        let boot = |server: &Server| {
            server
                .storage
                .iter()
                .filter(|disk| disk.name == "boot_web_1")
                .count()
        };
        assert_eq!(boot(&arrived), 2);

        // It was not wanted there after all: its disk stays.
        let removal = DestroyRequest {
            destroy_disks: false,
            ..DestroyRequest::of(instance(1))
        };
        host.driver
            .destroy(removal, &Control::default())
            .await
            .unwrap();
        assert_eq!(without_caches(host.world().await), without_caches(empty));
        source.confirm().await.unwrap();
        host.assert_sound();
    }
}

#[tokio::test(start_paused = true)]
async fn an_arrival_that_fails_leaves_the_disk() {
    let source = Bench::new(Flavor::NovaLink, DiskDriver::Ssp).await;
    source.spawn(1).await.unwrap();
    let host = neighbour(&source).await;
    let empty = host.world().await;
    let rule = Rule::new("PUT", "*do/PowerOn*").answer(500, "no", "HSCL9999 no");
    host.simulator.faults().add(rule).unwrap();
    let failed = host
        .driver
        .spawn_from_disk(arriving(), None, &Control::default())
        .await
        .unwrap_err();
    assert!(
        matches!(&failed, Error::Saga(failure) if failure.left_behind.is_empty()),
        "{failed}"
    );
    host.simulator.faults().clear();
    assert_eq!(without_caches(host.world().await), without_caches(empty));
}

#[tokio::test(start_paused = true)]
async fn a_disk_that_is_not_the_servers_is_not_taken() {
    let bench = Bench::new(Flavor::NovaLink, DiskDriver::Ssp).await;
    bench.spawn(1).await.unwrap();
    let control = Control::default();
    // The name of another server that is here.
    let thief = SpawnRequest {
        instance: instance(2),
        ..arriving()
    };
    let taken = bench.driver.spawn_from_disk(thief, None, &control).await;
    assert_eq!(taken.unwrap_err().kind(), ErrorKind::Precondition);
    let nobody = SpawnRequest {
        name: "web-9".to_owned(),
        instance: instance(9),
        ..arriving()
    };
    let missing = bench.driver.spawn_from_disk(nobody, None, &control).await;
    assert_eq!(missing.unwrap_err().kind(), ErrorKind::NotFound);
    let elsewhere = DiskInfo {
        cluster_name: "other".to_owned(),
        ssp_name: "other".to_owned(),
        ssp_uuid: "00000000-0000-0000-0000-000000000000".to_owned(),
    };
    let other_pool = bench
        .driver
        .spawn_from_disk(arriving(), Some(elsewhere), &control)
        .await
        .unwrap_err();
    assert!(other_pool.to_string().contains("no member"), "{other_pool}");
}
