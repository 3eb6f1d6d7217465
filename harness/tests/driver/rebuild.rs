//! Servers that get a new boot disk and a new config drive.

use crate::storage::San;
use crate::support::*;
use powervm_driver::ErrorKind;
use powervm_driver::config::DiskDriver;
use powervm_driver::operations::{
    Control, Metadata, RebuildRequest, ResizeRequest, SpawnRequest, Stop,
};
use powervm_driver::partition::{PartitionUuid, PowerState};
use powervm_driver::storage::image::{Image, ImageSource};
use powervm_driver::storage::media::ConfigDrive;
use powervm_harness::audit::{Inventory, ItemKind};
use powervm_harness::storage::Protocol;
use powervm_harness::target::Content;
use powervm_harness::target::embedded::books;
use powervm_simulator::Flavor;
use powervm_simulator::model::job::incident::Incident;
use powervm_simulator::weather::Rule;
use tokio_util::sync::CancellationToken;

const OTHER: &[u8] = b"another very small disk image, which is not the first one";

fn other_image() -> Image {
    let md5 = "caea4fcd6ec9586f8a036b6091213b77";
    let unchecked = Image::new(
        "debian",
        "",
        0,
        ImageSource::Bytes(bytes::Bytes::from_static(OTHER)),
    );
    Image {
        id: uuid::Uuid::from_u128(0x77),
        checksum: format!("version-{md5}"),
        size: OTHER.len() as u64,
        ..unchecked
    }
}

fn rebuilt() -> RebuildRequest {
    RebuildRequest {
        instance: instance(1),
        name: Some("web-1".to_owned()),
        image: Some(other_image()),
        root_gb: 0,
        config_drive: Some(ConfigDrive::default()),
        networks: Vec::new(),
        metadata: Metadata::new(),
    }
}

fn bytes_on_disk(bench: &Bench) -> u64 {
    match books::content(
        &bench.simulator.world(),
        PartitionUuid::of_instance(instance(1)).as_uuid(),
    ) {
        Content::Sha256 { bytes, .. } => bytes,
        content => panic!("{content:?}"),
    }
}

/// What stays: the partition as the server tells of it, but for names of disks.
async fn identity(bench: &Bench) -> String {
    let slots = bench.driver.keep(instance(1)).await.unwrap().0;
    let mut shown = bench.driver.show(instance(1)).await.unwrap();
    shown.storage.clear();
    shown.reference_code = None;
    shown.summary.rmc.clear();
    format!("{shown:?} {}", slots.to_json())
}

async fn bench(flavor: Flavor, disk: DiskDriver) -> Bench {
    let mut bench = Bench::new(flavor, disk).await;
    let store = powervm_driver::store::MemoryStore::default();
    bench.driver = bench.driver.clone().keeping_in(store);
    bench
}

#[tokio::test(start_paused = true)]
async fn a_server_gets_another_image_and_keeps_all_else() {
    for flavor in FLAVORS {
        for disk in DISKS {
            let bench = bench(flavor, disk).await;
            let empty = bench.world().await;
            bench.spawn(1).await.unwrap();
            let before = identity(&bench).await;
            let control = Control::default();
            for _ in 0..3 {
                bench.driver.rebuild(rebuilt(), &control).await.unwrap();
                assert_eq!(bytes_on_disk(&bench), OTHER.len() as u64);
                assert_eq!(identity(&bench).await, before, "{flavor:?} {disk}");
                let world = bench.world().await;
                let count = |kind| world.items.iter().filter(|item| item.kind == kind).count();
                assert_eq!(count(ItemKind::Media), 1, "one config drive");
                let is_boot = |name: &str| name.starts_with("boot_") || name.starts_with("b_");
                let disks = world.items.iter().filter(|item| {
                    let kinds = [ItemKind::LogicalUnit, ItemKind::VirtualDisk];
                    kinds.contains(&item.kind) && is_boot(&item.name)
                });
                assert_eq!(disks.count(), 1, "one boot disk");
            }
            let state = bench.driver.power_state(instance(1)).await.unwrap();
            assert_eq!(state, PowerState::Running);
            bench.destroy(1).await.unwrap();
            assert_as_before(empty, bench.world().await, "destroyed");
            bench.assert_sound();
        }
    }
}

#[tokio::test(start_paused = true)]
async fn one_that_is_off_stays_off_and_loses_a_drive_that_is_not_wanted() {
    for disk in DISKS {
        let bench = bench(Flavor::Hmc, disk).await;
        bench.spawn(1).await.unwrap();
        let control = Control::default();
        let off = bench.driver.stop(instance(1), Stop::Hard, &control);
        off.await.unwrap();
        let request = RebuildRequest {
            config_drive: None,
            root_gb: 3,
            ..rebuilt()
        };
        bench.driver.rebuild(request, &control).await.unwrap();
        let state = bench.driver.power_state(instance(1)).await.unwrap();
        assert_eq!(state, PowerState::Shutdown);
        let world = bench.world().await;
        assert!(!world.items.iter().any(|item| item.kind == ItemKind::Media));
        assert_eq!(bytes_on_disk(&bench), OTHER.len() as u64);
        // Other operations find the disk under its other name.
        bench.driver.start(instance(1), &control).await.unwrap();
        let grown = ResizeRequest {
            instance: instance(1),
            name: Some("web-1".to_owned()),
            flavor: powervm_driver::partition::Flavor {
                vcpus: 1,
                memory_mb: 1024,
                root_gb: 4,
                extra_specs: std::collections::BTreeMap::new(),
            },
            from_gb: None,
        };
        bench.driver.resize(grown, &control).await.unwrap();
        bench.assert_sound();
    }
}

#[tokio::test(start_paused = true)]
async fn a_failure_leaves_the_server_running_from_its_own_disk() {
    for disk in DISKS {
        for step in [
            "create the new boot disk",
            "upload the new config drive",
            "exchange disk and config drive",
            "power on",
        ] {
            let bench = bench(Flavor::NovaLink, disk).await;
            bench.spawn(1).await.unwrap();
            let before = bench.world().await;
            let stop = CancellationToken::new();
            let cancel = stop.clone();
            let control = Control::default()
                .watched_by(at_step(step, move || cancel.cancel()))
                .cancelled_by(stop);
            let failed = bench.driver.rebuild(rebuilt(), &control).await;
            assert_eq!(failed.unwrap_err().kind(), ErrorKind::Cancelled, "{step}");
            assert_as_before(before, bench.world().await, step);
            assert_eq!(bytes_on_disk(&bench), IMAGE.len() as u64);
            bench.assert_sound();
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_cannot_go_at_the_end_goes_with_the_same_call() {
    let bench = bench(Flavor::NovaLink, DiskDriver::Ssp).await;
    bench.spawn(1).await.unwrap();
    let rule = Rule::new("DELETE", "*/LogicalUnit/*").answer(500, "no", "HSCL9999 no");
    bench.simulator.faults().add(rule.first(1)).unwrap();
    bench
        .driver
        .rebuild(rebuilt(), &Control::default())
        .await
        .unwrap();
    let world = bench.world().await;
    let boots = world
        .items
        .iter()
        .filter(|item| item.kind == ItemKind::LogicalUnit && item.name.starts_with("boot_"));
    assert_eq!(boots.count(), 1);
    assert_eq!(bytes_on_disk(&bench), OTHER.len() as u64);
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_rebuilt_is_refused_before_anything_is_touched() {
    let bench = bench(Flavor::NovaLink, DiskDriver::Ssp).await;
    let control = Control::default();
    let missing = bench.driver.rebuild(rebuilt(), &control).await.unwrap_err();
    assert!(missing.is_not_found(), "{missing}");
    bench.spawn(1).await.unwrap();
    let before = bench.world().await;
    let without = RebuildRequest {
        image: None,
        ..rebuilt()
    };
    let error = bench.driver.rebuild(without, &control).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    let ibmi = RebuildRequest {
        metadata: [("image_os_distro".to_owned(), "ibmi".to_owned())].into(),
        ..rebuilt()
    };
    let error = bench.driver.rebuild(ibmi, &control).await.unwrap_err();
    assert!(error.to_string().contains("operating system"), "{error}");
    assert_same(&before, &bench.world().await, "refused");

    let served = bench.driver.show(instance(1)).await.unwrap().storage;
    let away = bench.simulator.world();
    let vios = away
        .vioses
        .values()
        .find(|vios| {
            served
                .iter()
                .any(|one| one.served_by == vios.partition.name)
        })
        .unwrap();
    let uuid = vios.partition.uuid;
    bench.simulator.befall(uuid, Incident::Down, None).unwrap();
    let error = bench.driver.rebuild(rebuilt(), &control).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Precondition);
    assert!(error.to_string().contains("cannot be exchanged"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_server_on_a_volume_gets_a_new_config_drive_alone() {
    let bench = bench(Flavor::NovaLink, DiskDriver::Ssp).await;
    let san = San::new(&bench, 1, Protocol::FibreChannel).await;
    let order = SpawnRequest {
        image: None,
        volumes: san.connections.clone(),
        ..request(1)
    };
    let control = Control::default();
    bench.driver.spawn(order, &control).await.unwrap();
    let before = bench.world().await;
    let error = bench.driver.rebuild(rebuilt(), &control).await.unwrap_err();
    assert!(error.to_string().contains("boots from a volume"), "{error}");
    assert_same(&before, &bench.world().await, "refused");
    let drive = RebuildRequest {
        image: None,
        ..rebuilt()
    };
    bench.driver.rebuild(drive, &control).await.unwrap();
    let media = |world: &Inventory| {
        let media = world
            .items
            .iter()
            .filter(|item| item.kind == ItemKind::Media);
        media.map(|item| item.name.clone()).collect::<Vec<_>>()
    };
    let after = bench.world().await;
    assert_eq!(media(&after).len(), 1);
    assert_ne!(media(&after), media(&before));
    assert_eq!(
        bench.driver.power_state(instance(1)).await.unwrap(),
        PowerState::Running
    );
    bench.assert_sound();
}
