//! Servers that move from one host to another while they run: two drivers, on two systems of one machine room.

use crate::hosts::*;
use crate::storage::*;
use crate::support::*;
use powervm_driver::ErrorKind;
use powervm_driver::config::{Config, DiskDriver, FcStrategy};
use powervm_driver::operations::{Control, MigrationData, StorageKind};
use powervm_harness::storage::Protocol;
use powervm_simulator::{Flavor, Simulator};

#[tokio::test(start_paused = true)]
async fn a_server_moves_and_leaves_nothing_behind() {
    for flavor in FLAVORS {
        let hosts = Hosts::new(flavor).await;
        let empty = hosts.world().await;
        hosts.spawn(1).await;
        let migrated = hosts.migrate(&hosts.order()).await.unwrap();
        assert_eq!(
            (&migrated.from, &migrated.to),
            (&hosts.names[0], &hosts.names[1])
        );
        let server = &migrated.arrived.server;
        assert_eq!(server.summary.state, "running", "{flavor:?}");
        assert!(!server.interfaces.is_empty());
        let of = |kind| {
            server
                .storage
                .iter()
                .filter(|found| found.kind == kind)
                .count()
        };
        assert_eq!(of(StorageKind::LogicalUnit), 2, "through both servers");
        assert_eq!(of(StorageKind::OpticalMedium), 0, "no config drive");
        assert!(hosts.source().list().await.unwrap().is_empty());
        hosts.nothing_is_pending().await;

        let again = hosts.migrate(&hosts.order()).await.unwrap();
        assert_eq!(again, migrated, "it is there already");

        hosts.destroy_there(1).await;
        assert_same(&empty, &hosts.world().await, "destroyed there");
        hosts.assert_sound();
    }
}

#[tokio::test(start_paused = true)]
async fn checks_change_nothing_and_say_why() {
    for flavor in FLAVORS {
        let hosts = Hosts::new(flavor).await;
        hosts.spawn(1).await;
        let before = hosts.world().await;
        hosts.calls.take();
        let data = hosts.checked().await.unwrap();
        let calls = hosts.calls.take();
        assert!(
            calls.iter().all(|(method, _)| method == "GET"),
            "the config drive stays in its drive: {calls:?}"
        );
        assert_same(&before, &hosts.world().await, "checked");

        let source = data.source.as_ref().unwrap();
        assert_eq!(source.partition, "web-1");
        assert_eq!(source.public_key.is_some(), flavor == Flavor::NovaLink);
        assert!(!source.interfaces.is_empty());

        // What travels between two processes is plain data, and comes back as it went.
        let text = serde_json::to_string(&data).unwrap();
        assert_eq!(serde_json::from_str::<MigrationData>(&text).unwrap(), data);

        let mut other = data.clone();
        other.source = None;
        other.destination.memory_region_mb = 7;
        let error = hosts.source().check_migration_source(other).await;
        assert!(error.unwrap_err().to_string().contains("7 MB"));
        let mut other = data.clone();
        other.destination.compatibility_modes = vec!["POWER4".to_owned()];
        let error = hosts.source().check_migration_source(other).await;
        assert!(error.unwrap_err().to_string().contains("POWER4"));
        let mut other = data.clone();
        other.destination.pool = Some("another".to_owned());
        let error = hosts.source().check_migration_source(other).await;
        assert!(error.unwrap_err().to_string().contains("cluster"));
        let unchecked = MigrationData {
            source: None,
            ..data.clone()
        };
        let control = Control::default();
        let error = hosts
            .destination()
            .pre_live_migration(unchecked, &[], &control)
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        let error = hosts
            .source()
            .live_migration(&data, &[], &hosts.order().options, &control)
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid, "not prepared");

        let stop = powervm_driver::operations::Stop::Hard;
        hosts
            .source()
            .stop(instance(1), stop, &control)
            .await
            .unwrap();
        let error = hosts.checked().await.unwrap_err();
        assert!(error.to_string().contains("not activated"), "{error}");
        let token = tokio_util::sync::CancellationToken::new();
        let control = Control::default().cancelled_by(token.clone());
        let refused = hosts
            .source()
            .live_migrate(hosts.destination(), hosts.order(), &control);
        assert!(refused.await.is_err());
        assert!(!token.is_cancelled(), "the caller's own token");
    }
}

#[tokio::test(start_paused = true)]
async fn the_parts_can_be_called_one_by_one_and_taken_back() {
    for flavor in FLAVORS {
        let hosts = Hosts::new(flavor).await;
        hosts.spawn(1).await;
        let (before, keys) = (hosts.world().await, hosts.keys());
        let control = Control::default();
        let data = hosts.checked().await.unwrap();
        let there = hosts.destination();
        let data = there.pre_live_migration(data, &[], &control).await.unwrap();
        assert_eq!(hosts.pending().await, 1, "the destination's journal has it");
        assert_eq!(hosts.keys() != keys, flavor == Flavor::NovaLink);
        assert!(
            there.recover(&control).await.unwrap().is_empty(),
            "what this process leads is not recovered"
        );
        there
            .rollback_live_migration_at_destination(&data, &[], &control)
            .await
            .unwrap();
        there
            .rollback_live_migration_at_destination(&data, &[], &control)
            .await
            .unwrap();
        assert_same(&before, &hosts.world().await, "rolled back");
        assert_eq!(hosts.keys(), keys);
        hosts.nothing_is_pending().await;

        let data = there.pre_live_migration(data, &[], &control).await.unwrap();
        // Each part may run in another process: the data is all that is handed on.
        let data: MigrationData =
            serde_json::from_str(&serde_json::to_string(&data).unwrap()).unwrap();
        let options = hosts.order().options;
        hosts
            .source()
            .live_migration(&data, &[], &options, &control)
            .await
            .unwrap();
        hosts
            .source()
            .post_live_migration_at_source(&data, &[])
            .await
            .unwrap();
        let error = there
            .rollback_live_migration_at_destination(&data, &[], &control)
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Precondition, "it is there");
        let arrived = there
            .post_live_migration_at_destination(&data, &[], &Default::default())
            .await
            .unwrap();
        assert_eq!(arrived.server.summary.name, "web-1");
        hosts.nothing_is_pending().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_volume_moves_along_and_its_disks_are_forgotten() {
    for flavor in FLAVORS {
        let hosts = Hosts::new(flavor).await;
        let empty = hosts.world().await;
        hosts.spawn(1).await;
        let (here, there) = hosts.volume(Protocol::FibreChannel).await;
        hosts.attach(&here).await;
        let mut order = hosts.order();
        order.volumes = vec![there.clone()];
        order.source_volumes = vec![here];
        let migrated = hosts.migrate(&order).await.unwrap();
        let volume = &migrated.arrived.volumes[0];
        assert_eq!(volume.paths.len(), 2, "{flavor:?}: {volume:?}");
        assert!(volume.target_udid.is_some());
        let disks =
            |world: &powervm_harness::audit::Inventory| count(world, &empty, ItemKind::Disk);
        assert_eq!(disks(&hosts.world().await), 2, "on the destination alone");
        let mut attached = there;
        attached.target_udid = volume.target_udid.clone();
        hosts.detach_there(&attached).await;
        hosts.destroy_there(1).await;
        assert_same(&empty, &hosts.world().await, "destroyed there");
        hosts.assert_sound();
    }
}

#[tokio::test(start_paused = true)]
async fn the_destination_says_which_server_serves_which_adapter() {
    let hosts = Hosts::new(Flavor::NovaLink).await;
    hosts.spawn(1).await;
    let data = hosts.checked().await.unwrap();
    let data = hosts
        .destination()
        .pre_live_migration(data, &[], &Control::default())
        .await
        .unwrap();
    let mappings = &data.prepared.as_ref().unwrap().scsi_mappings;
    assert_eq!(mappings.len(), 2, "{mappings:?}");
    assert!(mappings.iter().all(|item| item.matches('/').count() == 2));
}

#[tokio::test(start_paused = true)]
async fn local_disks_are_refused() {
    let hosts = Hosts::on(Flavor::NovaLink, DiskDriver::LocalDisk).await;
    hosts.spawn(1).await;
    let before = hosts.world().await;
    let error = hosts.migrate(&hosts.order()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Precondition);
    assert!(error.to_string().contains("logical volume"), "{error}");
    assert_same(&before, &hosts.world().await, "refused");
}

/// The ports of a system's Virtual I/O Servers, on the fabrics that they are plugged into.
fn npiv(hosts: &Simulator, number: usize) -> Config {
    let mut config = config(DiskDriver::Ssp);
    config.volumes.fc_attach_strategy = FcStrategy::Npiv;
    config.volumes.fabrics = vec!["A".to_owned(), "B".to_owned()];
    let world = hosts.world();
    let system = world.systems_in_order()[number].uuid;
    for (fabric, name) in ["A", "B"].into_iter().enumerate() {
        let ports = world.vioses_of(system).flat_map(|vios| vios.fc_ports());
        let names = ports
            .filter(|port| port.fabric == fabric)
            .map(|port| format!("{:016x}", port.wwpn).parse().unwrap())
            .collect();
        config.volumes.fabric_ports.insert(name.to_owned(), names);
    }
    config
}

#[tokio::test(start_paused = true)]
async fn ports_of_the_servers_own_go_along_and_their_names_change_places_once() {
    for flavor in FLAVORS {
        let hosts = Hosts::with(flavor, room(flavor), npiv).await;
        hosts.spawn(1).await;
        let storage = powervm_harness::storage::Storage::of(&hosts.simulator);
        let id = storage
            .create("own", 1, Protocol::FibreChannel)
            .await
            .unwrap();
        let show = async |told: &powervm_driver::operations::ConnectorInfo| {
            let connector = serde_json::to_value(&told.connector).unwrap();
            let info = storage.map(&id, &connector, false).await.unwrap();
            powervm_driver::volume::Connection::parse(&info).unwrap()
        };
        let (source, there) = (hosts.source(), hosts.destination());
        let told = source
            .volume_connector(instance(1), Default::default())
            .await
            .unwrap();
        let volume = show(&told).await;
        let attach = powervm_driver::operations::VolumeRequest {
            server: instance(1).into(),
            volumes: vec![volume.clone()],
            metadata: told.metadata.clone(),
        };
        let attached = source
            .attach_volumes(attach, &Control::default())
            .await
            .unwrap();

        let coming = there
            .arriving_connector(instance(1), attached.metadata.clone())
            .await
            .unwrap();
        assert_eq!(coming.connector.wwpns.len(), 2);
        assert!(
            coming
                .connector
                .wwpns
                .iter()
                .all(|name| !told.connector.wwpns.contains(name)),
            "the other name of each port logs in there"
        );
        let data = hosts.checked().await.unwrap();
        let data = there
            .pre_live_migration(data, &[], &Control::default())
            .await
            .unwrap();
        let mappings = data.prepared.as_ref().unwrap().fc_mappings.clone();
        assert_eq!(mappings.len(), 2, "{mappings:?}");
        assert!(mappings.iter().all(|item| item.contains("//fcs")));

        let mut order = hosts.order();
        order.volumes = vec![show(&coming).await];
        order.source_volumes = vec![volume];
        order.metadata = attached.metadata.clone();
        let migrated = hosts.migrate(&order).await.unwrap();
        let kept = &migrated.arrived.metadata;
        assert_ne!(*kept, attached.metadata);
        assert_eq!(migrated.arrived.volumes[0].paths.len(), 2);
        let now = there
            .volume_connector(instance(1), kept.clone())
            .await
            .unwrap();
        assert_eq!(now.connector.wwpns, coming.connector.wwpns);
        order.metadata = kept.clone();
        let again = hosts.migrate(&order).await.unwrap();
        assert_eq!(again.arrived.metadata, *kept, "once");
        hosts.nothing_is_pending().await;
    }
}
