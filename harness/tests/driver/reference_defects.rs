//! What `docs/defects.md` says of the reference and no other test looks at.

use std::sync::Arc;
use std::time::Duration;

use powervm_driver::ErrorKind;
use powervm_driver::config::{Config, DiskDriver};
use powervm_driver::operations::Driver;
use powervm_harness::audit::{Inventory, ItemKind};
use powervm_simulator::Flavor;
use powervm_simulator::Simulator;
use powervm_simulator::inventory::{Inventory as Room, Sizes};
use powervm_simulator::model::job::incident::Incident;
use powervm_simulator::weather::Weather;
use tokio::time::Instant;

use crate::support::*;

/// And it waits as long as the configuration says.
#[tokio::test(start_paused = true)]
async fn that_no_virtual_io_server_works_is_said_after_the_configured_wait() {
    for flavor in FLAVORS {
        let simulator = simulator(flavor, Weather::Calm);
        let vioses: Vec<_> = simulator.world().vioses.keys().copied().collect();
        for vios in vioses {
            simulator.befall(vios, Incident::RmcLost, None).unwrap();
        }
        for wait in [7, 90] {
            let config = Config {
                vios_active_wait_timeout: wait,
                ..config(DiskDriver::Ssp)
            };
            let session = session(&simulator, 1, Arc::default()).await;
            let start = Instant::now();
            let error = Driver::connect(session, config).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Precondition, "{error}");
            assert!(error.to_string().contains("Virtual I/O Server"), "{error}");
            let waited = start.elapsed();
            let wait = Duration::from_secs(wait);
            assert!(
                (wait..wait + Duration::from_secs(10)).contains(&waited),
                "{waited:?}"
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_removal_makes_no_media_repository() {
    let repositories = |world: &Inventory| {
        let items = world.items.iter();
        items
            .filter(|item| item.kind == ItemKind::MediaRepository)
            .count()
    };
    for disk in DISKS {
        let simulator = without_repositories(Flavor::NovaLink);
        let bench = Bench::with(simulator, config(disk)).await;
        let without = powervm_driver::operations::SpawnRequest {
            config_drive: None,
            ..request(1)
        };
        let control = powervm_driver::operations::Control::default();
        bench.driver.spawn(without, &control).await.unwrap();
        bench.destroy(1).await.unwrap();
        bench.destroy(1).await.unwrap();
        assert_eq!(repositories(&bench.world().await), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn the_ports_of_a_connector_are_read_each_time() {
    let bench = Bench::new(Flavor::NovaLink, DiskDriver::Ssp).await;
    for _ in 0..2 {
        bench.calls.take();
        let told = bench
            .driver
            .volume_connector(instance(1), Default::default())
            .await
            .unwrap();
        assert!(!told.connector.wwpns.is_empty());
        let is_asked = |(method, path): &(String, String)| {
            method == "GET" && path.contains("/VirtualIOServer")
        };
        assert!(bench.calls.take().iter().any(is_asked));
        // A minute is as long as states are believed.
        tokio::time::sleep(Duration::from_secs(61)).await;
    }
}

/// Without anybody having asked for the host before.
#[tokio::test(start_paused = true)]
async fn what_is_left_of_the_host_is_read_now() {
    for flavor in FLAVORS {
        let bench = Bench::new(flavor, DiskDriver::Ssp).await;
        let before = bench.driver.capacity().await.unwrap();
        bench.spawn(1).await.unwrap();
        let with = bench.driver.capacity().await.unwrap();
        assert!(with.memory_mb_used >= before.memory_mb_used + 1024);
        assert_eq!(with.memory_mb, before.memory_mb);
        bench.destroy(1).await.unwrap();
        let after = bench.driver.capacity().await.unwrap();
        assert_eq!(after.memory_mb_used, before.memory_mb_used);
    }
}

#[tokio::test(start_paused = true)]
async fn of_several_clusters_one_has_to_be_named() {
    let sizes = Sizes {
        systems: 2,
        ..Sizes::default()
    };
    let simulator = Simulator::builder()
        .flavor(Flavor::Hmc)
        .inventory(Room::sized(Flavor::Hmc, sizes))
        .build()
        .unwrap();
    let session = session(&simulator, 1, Arc::default()).await;
    let world = simulator.world();
    let system = world.systems.values().next().unwrap();
    let any = Config {
        managed_system: system.name.clone(),
        ..config(DiskDriver::Ssp)
    };
    let error = Driver::connect(session.clone(), any.clone())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Precondition, "{error}");
    let names: Vec<&str> = world
        .clusters
        .values()
        .map(|cluster| cluster.name.as_str())
        .collect();
    assert_eq!(names.len(), 2);
    let text = error.to_string();
    assert!(
        text.contains("cluster_name") && names.iter().all(|name| text.contains(name)),
        "{text}"
    );
    let mut usable = 0;
    for name in names {
        let named = Config {
            cluster_name: name.to_owned(),
            ..any.clone()
        };
        match Driver::connect(session.clone(), named).await {
            Ok(_) => usable += 1,
            Err(error) => assert!(
                error.to_string().contains("belongs to the cluster"),
                "{error}"
            ),
        }
    }
    assert_eq!(usable, 1, "the other one is of another system's servers");
}
