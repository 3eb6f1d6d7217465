//! Servers that move with several volumes, or boot from one, over each way to a volume.

use crate::hosts::*;
use crate::storage::*;
use crate::support::*;
use powervm_driver::operations::{Control, LiveMigration, StorageKind, VolumeRequest};
use powervm_driver::volume::Connection;
use powervm_harness::storage::{Protocol, Storage};
use powervm_simulator::Flavor;
use powervm_simulator::model::job::gate::Fate;
use powervm_simulator::weather::Rule;

const COUNT: usize = 2;

/// Flavours and protocols; behind a console no Virtual I/O Server has an iSCSI initiator that could be told of.
const WAYS: [(Flavor, Protocol); 3] = [
    (Flavor::NovaLink, Protocol::FibreChannel),
    (Flavor::Hmc, Protocol::FibreChannel),
    (Flavor::NovaLink, Protocol::Iscsi),
];

/// Volumes as the storage shows them to each of the two hosts.
async fn volumes(hosts: &Hosts, protocol: Protocol) -> [Vec<Connection>; 2] {
    let storage = Storage::of(&hosts.simulator);
    let mut shown = [Vec::new(), Vec::new()];
    for number in 0..COUNT {
        let name = format!("moving-{number}");
        let id = storage.create_bootable(&name, 1, protocol).await.unwrap();
        for (driver, shown) in hosts.drivers.iter().zip(&mut shown) {
            let told = driver.volume_connector(instance(1), Default::default());
            let connector = serde_json::to_value(&told.await.unwrap().connector).unwrap();
            let info = storage.map(&id, &connector, true).await.unwrap();
            shown.push(Connection::parse(&info).unwrap());
        }
    }
    shown
}

fn order(hosts: &Hosts, [here, there]: &[Vec<Connection>; 2]) -> LiveMigration {
    LiveMigration {
        volumes: there.clone(),
        source_volumes: here.clone(),
        ..hosts.order()
    }
}

/// The volumes with what the migration has learnt of them.
fn learnt(
    order: &LiveMigration,
    migrated: &powervm_driver::operations::Migrated,
) -> Vec<Connection> {
    let found = migrated.arrived.volumes.iter();
    let known = order
        .volumes
        .iter()
        .zip(found)
        .map(|(volume, found)| Connection {
            target_udid: found.target_udid.clone(),
            ..volume.clone()
        });
    known.collect()
}

#[tokio::test(start_paused = true)]
async fn several_volumes_move_along() {
    for (flavor, protocol) in WAYS {
        let hosts = Hosts::new(flavor).await;
        let empty = hosts.world().await;
        hosts.spawn(1).await;
        let shown = volumes(&hosts, protocol).await;
        let request = VolumeRequest {
            server: instance(1).into(),
            volumes: shown[0].clone(),
            metadata: Default::default(),
        };
        let control = Control::default();
        hosts
            .source()
            .attach_volumes(request, &control)
            .await
            .unwrap();
        let order = order(&hosts, &shown);
        let about = format!("{flavor:?} {protocol:?}");
        let migrated = hosts
            .migrate(&order)
            .await
            .unwrap_or_else(|error| panic!("{about}: {error}"));
        let found = &migrated.arrived.volumes;
        assert_eq!(found.len(), COUNT, "{about}");
        assert!(
            found
                .iter()
                .all(|one| !one.paths.is_empty() && one.target_udid.is_some()),
            "{about}: {found:?}"
        );
        let detach = VolumeRequest {
            server: instance(1).into(),
            volumes: learnt(&order, &migrated),
            metadata: Default::default(),
        };
        hosts
            .destination()
            .detach_volumes(detach, &control)
            .await
            .unwrap();
        hosts.destroy_there(1).await;
        assert_same(&empty, &hosts.world().await, &about);
        hosts.assert_sound();
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_boots_from_a_volume_moves_and_goes_with_its_disks() {
    for (flavor, protocol) in WAYS {
        let hosts = Hosts::new(flavor).await;
        let empty = hosts.world().await;
        let shown = volumes(&hosts, protocol).await;
        let mut request = request(1);
        request.image = None;
        request.volumes = shown[0].clone();
        hosts.spawn_as(request).await;
        let order = order(&hosts, &shown);
        let about = format!("{flavor:?} {protocol:?}");
        let migrated = hosts
            .migrate(&order)
            .await
            .unwrap_or_else(|error| panic!("{about}: {error}"));
        let storage = &migrated.arrived.server.storage;
        let of = |kind| storage.iter().filter(|found| found.kind == kind).count();
        assert!(
            of(StorageKind::PhysicalVolume) >= COUNT,
            "{about}: {storage:?}"
        );
        assert_eq!(of(StorageKind::LogicalUnit), 0, "{about}");
        let destroy = powervm_driver::operations::DestroyRequest {
            volumes: learnt(&order, &migrated),
            ..powervm_driver::operations::DestroyRequest::of(instance(1))
        };
        hosts
            .destination()
            .destroy(destroy, &Control::default())
            .await
            .unwrap();
        assert_same(&empty, &hosts.world().await, &about);
        hosts.nothing_is_pending().await;
        hosts.assert_sound();
    }
}

#[tokio::test(start_paused = true)]
async fn what_the_validation_refuses_leaves_no_disk_on_the_destination() {
    for (flavor, protocol) in WAYS {
        let hosts = Hosts::new(flavor).await;
        let shown = volumes(&hosts, protocol).await;
        let mut request = request(1);
        request.image = None;
        request.volumes = shown[0].clone();
        hosts.spawn_as(request).await;
        let before = hosts.world().await;
        let fault = Rule::new("PUT", "*/do/MigrateValidate")
            .fate(Fate::Failed("HSCLA29A The validation failed.".to_owned()));
        hosts.simulator.faults().add(fault).unwrap();
        let error = hosts.migrate(&order(&hosts, &shown)).await.unwrap_err();
        assert!(error.to_string().contains("HSCLA29A"), "{error}");
        let about = format!("{flavor:?} {protocol:?}");
        assert_same(&before, &hosts.world().await, &about);
        assert_eq!(
            count(&hosts.world().await, &before, ItemKind::Disk),
            0,
            "{about}"
        );
        hosts.nothing_is_pending().await;
        hosts.assert_sound();
    }
}
