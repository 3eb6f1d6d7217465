//! Every operation of the driver on the simulator, with both disk drivers and both flavours.

use crate::support::*;
use powervm_driver::ErrorKind;
use powervm_driver::config::DiskDriver;
use powervm_driver::network::NetworkInterface;
use powervm_driver::operations::{Control, DestroyRequest, Reboot, ServerRef, Stop, StorageKind};
use powervm_driver::partition::PowerState;
use powervm_harness::target::Content;
use powervm_harness::target::embedded::books;

#[tokio::test(start_paused = true)]
async fn a_server_lives_and_dies() {
    for flavor in FLAVORS {
        for disk in DISKS {
            let bench = Bench::new(flavor, disk).await;
            let before = bench.world().await;
            let control = Control::default();

            let server = bench.spawn(1).await.unwrap();
            assert_eq!(
                server.summary.status,
                PowerState::Running,
                "{flavor:?} {disk}"
            );
            assert_eq!(server.summary.name, "web-1");
            assert_eq!(
                (server.memory_mb, server.vcpus, server.proc_units),
                (1024, 1, Some(0.1))
            );

            let listed = bench.driver.list().await.unwrap();
            assert_eq!(
                listed.iter().filter(|found| found.name == "web-1").count(),
                1
            );
            let shown = bench
                .driver
                .show(ServerRef::Name("web-1".to_owned()))
                .await
                .unwrap();
            assert_eq!(shown.summary.id, server.summary.id);
            let macs = |server: &powervm_driver::operations::Server| -> Vec<_> {
                server
                    .interfaces
                    .iter()
                    .map(|interface| (interface.mac, interface.vlan))
                    .collect()
            };
            assert_eq!(
                macs(&shown),
                macs(&server),
                "in the order in which they were asked for"
            );
            assert_eq!(shown.storage, server.storage);
            let served = |kind| {
                shown
                    .storage
                    .iter()
                    .filter(|storage| storage.kind == kind)
                    .count()
            };
            let boot = if disk == DiskDriver::Ssp {
                StorageKind::LogicalUnit
            } else {
                StorageKind::VirtualDisk
            };
            assert_eq!(served(boot), if disk == DiskDriver::Ssp { 2 } else { 1 });
            assert_eq!(served(StorageKind::OpticalMedium), 1);

            let partition = server.summary.id.as_uuid();
            assert_eq!(
                bench
                    .driver
                    .stop(partition, Stop::Graceful, &control)
                    .await
                    .unwrap(),
                PowerState::Shutdown
            );
            assert_eq!(
                bench
                    .driver
                    .stop(partition, Stop::Hard, &control)
                    .await
                    .unwrap(),
                PowerState::Shutdown
            );
            assert_eq!(
                bench.driver.start(partition, &control).await.unwrap(),
                PowerState::Running
            );
            assert_eq!(
                bench.driver.start(partition, &control).await.unwrap(),
                PowerState::Running
            );
            for how in [Reboot::Soft, Reboot::Hard] {
                assert_eq!(
                    bench.driver.reboot(partition, how, &control).await.unwrap(),
                    PowerState::Running
                );
            }
            assert_eq!(
                bench
                    .driver
                    .stop(partition, Stop::Hard, &control)
                    .await
                    .unwrap(),
                PowerState::Shutdown
            );
            assert_eq!(
                bench
                    .driver
                    .reboot(partition, Reboot::Soft, &control)
                    .await
                    .unwrap(),
                PowerState::Running
            );

            bench.destroy(1).await.unwrap();
            bench.destroy(1).await.unwrap();
            assert_eq!(
                without_caches(bench.world().await),
                without_caches(before),
                "{flavor:?} {disk}"
            );
            let gone = bench.driver.start(partition, &control).await.unwrap_err();
            assert_eq!(gone.kind(), ErrorKind::NotFound, "{gone}");
            bench.assert_sound();
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_disk_holds_the_image() {
    for disk in DISKS {
        let bench = Bench::new(powervm_simulator::Flavor::NovaLink, disk).await;
        let server = bench.spawn(1).await.unwrap();
        let content = books::content(&bench.simulator.world(), server.summary.id.as_uuid());
        let Content::Sha256 { bytes, .. } = content else {
            panic!("{content:?}")
        };
        assert_eq!(bytes, IMAGE.len() as u64);
    }
}

#[tokio::test(start_paused = true)]
async fn servers_need_neither_network_nor_config_drive_nor_power() {
    for disk in DISKS {
        let bench = Bench::new(powervm_simulator::Flavor::NovaLink, disk).await;
        let before = bench.world().await;
        let mut bare = request(2);
        bare.networks.clear();
        bare.config_drive = None;
        bare.power_on = false;
        let server = bench.driver.spawn(bare, &Control::default()).await.unwrap();
        assert_eq!(server.summary.status, PowerState::Shutdown);
        assert!(
            server
                .storage
                .iter()
                .all(|storage| storage.kind != StorageKind::OpticalMedium)
        );
        bench.destroy(2).await.unwrap();
        assert_eq!(without_caches(bench.world().await), without_caches(before));
    }
}

#[tokio::test(start_paused = true)]
async fn several_interfaces_come_in_order_with_the_addresses_asked_for() {
    for flavor in FLAVORS {
        let bench = Bench::new(flavor, DiskDriver::Ssp).await;
        let mut wanted = request(3);
        let mac = "fa:16:3e:00:00:07".parse().unwrap();
        wanted.networks = vec![
            NetworkInterface {
                mac: Some(mac),
                ..NetworkInterface::on_vlan(1)
            },
            NetworkInterface::on_vlan(2),
            NetworkInterface::on_vlan(2),
        ];
        bench
            .driver
            .spawn(wanted, &Control::default())
            .await
            .unwrap();
        let shown = bench.driver.show(instance(3)).await.unwrap();
        let vlans: Vec<_> = shown
            .interfaces
            .iter()
            .map(|interface| interface.vlan.unwrap())
            .collect();
        assert_eq!(vlans[..3], [1, 2, 2]);
        assert_eq!(shown.interfaces[0].mac, Some(mac));
        let mut twice = request(4);
        twice.networks = vec![
            NetworkInterface {
                mac: Some(mac),
                ..NetworkInterface::on_vlan(1)
            };
            2
        ];
        let refused = bench
            .driver
            .spawn(twice, &Control::default())
            .await
            .unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Invalid, "{refused}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_is_refused_before_anything_is_changed() {
    for disk in DISKS {
        let bench = Bench::new(powervm_simulator::Flavor::NovaLink, disk).await;
        bench.spawn(1).await.unwrap();
        let before = bench.world().await;
        let control = Control::default();
        let refused = |request| {
            let bench = &bench;
            let control = &control;
            async move { bench.driver.spawn(request, control).await.unwrap_err() }
        };
        let mut memory = request(2);
        memory.flavor.memory_mb = 1 << 30;
        assert_eq!(refused(memory).await.kind(), ErrorKind::NoSpace);
        let mut key = request(2);
        key.flavor
            .extra_specs
            .insert("powervm:nonsense".to_owned(), "1".to_owned());
        let error = refused(key).await;
        assert_eq!(error.kind(), ErrorKind::Invalid);
        assert!(error.to_string().contains("powervm:nonsense"), "{error}");
        let mut pool = request(2);
        pool.flavor.extra_specs.insert(
            "powervm:shared_proc_pool_name".to_owned(),
            "none".to_owned(),
        );
        refused(pool).await;
        let error = refused(request(1)).await;
        assert_eq!(error.kind(), ErrorKind::Exists, "{error}");
        let mut name = request(2);
        name.name = "web-1".to_owned();
        let error = refused(name).await;
        assert_eq!(error.kind(), ErrorKind::Exists, "{error}");
        let mut huge = request(2);
        huge.flavor.root_gb = 1 << 20;
        let error = refused(huge).await;
        assert_eq!(error.kind(), ErrorKind::NoSpace, "{error}");
        assert_eq!(bench.world().await, before);
        bench.assert_sound();
    }
}

#[tokio::test(start_paused = true)]
async fn the_host_and_its_inventory_are_told() {
    for flavor in FLAVORS {
        for disk in DISKS {
            let bench = Bench::new(flavor, disk).await;
            let empty = bench.driver.host().await.unwrap();
            let before = bench.driver.inventory().await.unwrap();
            bench.spawn(1).await.unwrap();
            let host = bench.driver.host().await.unwrap();
            assert!(
                host.capacity.memory_mb_used >= empty.capacity.memory_mb_used + 1024,
                "its memory and what the hypervisor needs"
            );
            assert!(host.capacity.proc_units_used > empty.capacity.proc_units_used);
            assert_eq!(host.virtual_io_servers.len(), 2);
            assert_eq!(host.disk_driver, disk.to_string());
            let during = bench.driver.inventory().await.unwrap();
            assert!(during.items.is_sorted());
            let kinds: std::collections::BTreeSet<String> = during
                .beyond(&before)
                .iter()
                .map(|item| format!("{:?}", item.kind))
                .collect();
            for kind in ["Partition", "Adapter", "Mapping", "Medium"] {
                assert!(kinds.contains(kind), "{kind} is missing in {kinds:?}");
            }
            bench.destroy(1).await.unwrap();
            let after = bench.driver.inventory().await.unwrap();
            let left: Vec<_> = after
                .beyond(&before)
                .into_iter()
                .filter(|item| !item.name.starts_with("i_"))
                .collect();
            assert_eq!(left, []);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn disks_stay_when_asked_to() {
    let bench = Bench::new(powervm_simulator::Flavor::NovaLink, DiskDriver::Ssp).await;
    bench.spawn(1).await.unwrap();
    let request = DestroyRequest {
        destroy_disks: false,
        ..DestroyRequest::of(instance(1))
    };
    bench
        .driver
        .destroy(request, &Control::default())
        .await
        .unwrap();
    let names: Vec<String> = bench
        .driver
        .inventory()
        .await
        .unwrap()
        .items
        .into_iter()
        .map(|item| item.name)
        .collect();
    assert!(
        names
            .iter()
            .any(|name| name == "boot_web-1" || name == "boot_web_1"),
        "{names:?}"
    );
    // Given its name, the disk that lost its mapping is found.
    let request = DestroyRequest {
        name: Some("web-1".to_owned()),
        ..DestroyRequest::of(instance(1))
    };
    bench
        .driver
        .destroy(request, &Control::default())
        .await
        .unwrap();
    let left = bench.driver.inventory().await.unwrap();
    assert!(
        !left
            .items
            .iter()
            .any(|item| item.name.contains("web_1") || item.name.starts_with("image_")),
        "{left:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn the_boot_disk_is_as_large_as_asked_for_and_never_smaller_than_the_image() {
    for (disk, root_gb, expected) in [
        (DiskDriver::Ssp, 7, 7168),
        (DiskDriver::LocalDisk, 7, 7168),
        (DiskDriver::Ssp, 0, 11),
        (DiskDriver::LocalDisk, 0, 1024),
    ] {
        let bench = Bench::new(powervm_simulator::Flavor::NovaLink, disk).await;
        let mut sized = request(1);
        sized.flavor.root_gb = root_gb;
        bench
            .driver
            .spawn(sized, &Control::default())
            .await
            .unwrap();
        let world = bench.simulator.world();
        let units = world
            .tiers
            .values()
            .flat_map(|tier| tier.units.values())
            .map(|unit| (unit.name.clone(), unit.capacity));
        let disks = world
            .vioses
            .values()
            .flat_map(|vios| vios.volume_groups.iter());
        let disks = disks
            .flat_map(|group| group.disks.values())
            .map(|disk| (disk.name.clone(), disk.capacity));
        let boot: Vec<_> = units
            .chain(disks)
            .filter(|(name, _)| name.starts_with("b") && name.contains("web"))
            .collect();
        assert_eq!(boot.len(), 1, "{boot:?}");
        assert_eq!(boot[0].1.megabytes(), expected, "{disk}, {root_gb} GB");
    }
}

#[tokio::test(start_paused = true)]
async fn the_config_drive_leaves_the_guest_when_that_is_configured() {
    let simulator = simulator(
        powervm_simulator::Flavor::NovaLink,
        powervm_simulator::weather::Weather::Calm,
    );
    let leaving = powervm_driver::config::Config {
        remove_vopt_media_on_boot: true,
        remove_vopt_media_time: 5,
        ..config(DiskDriver::Ssp)
    };
    let bench = Bench::with(simulator, leaving).await;
    let before = bench.world().await;
    bench.spawn(1).await.unwrap();
    tokio::time::sleep(std::time::Duration::from_secs(3600)).await;
    let shown = bench.driver.show(instance(1)).await.unwrap();
    assert!(
        shown
            .storage
            .iter()
            .all(|storage| storage.kind != StorageKind::OpticalMedium),
        "{shown:?}"
    );
    // It is still deleted with its server.
    bench.destroy(1).await.unwrap();
    assert_eq!(without_caches(bench.world().await), without_caches(before));
}
