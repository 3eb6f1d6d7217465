//! Fibre Channel volumes that servers reach through ports of their own.

use std::collections::BTreeSet;

use crate::storage::*;
use crate::support::*;
use powervm_driver::config::{Config, DiskDriver, FcStrategy};
use powervm_driver::operations::{ConnectorInfo, Control, DestroyRequest, Metadata, VolumeRequest};
use powervm_driver::rest::Groups;
use powervm_driver::volume::Connection;
use powervm_driver::{Error, ErrorKind};
use powervm_harness::storage::{Protocol, Storage};
use powervm_schema::partition::{KeylockPosition, LogicalPartition};
use powervm_schema::vios::VirtualIoServer;
use powervm_simulator::weather::{Rule, Weather};
use powervm_simulator::{Flavor, Simulator};

/// Fabrics A and B as the simulator's ports are plugged into them.
fn npiv(simulator: &Simulator) -> Config {
    let mut config = config(DiskDriver::Ssp);
    config.volumes.fc_attach_strategy = FcStrategy::Npiv;
    config.volumes.fabrics = vec!["A".to_owned(), "B".to_owned()];
    let world = simulator.world();
    for (number, name) in ["A", "B"].into_iter().enumerate() {
        let ports = world.vioses.values().flat_map(|vios| vios.fc_ports());
        let ports = ports.filter(|port| port.fabric == number);
        let names = ports
            .map(|port| format!("{:016x}", port.wwpn).parse().unwrap())
            .collect();
        config.volumes.fabric_ports.insert(name.to_owned(), names);
    }
    config
}

async fn bench(flavor: Flavor) -> Bench {
    let simulator = simulator(flavor, Weather::Calm);
    let config = npiv(&simulator);
    Bench::with(simulator, config).await
}

async fn told(bench: &Bench, number: u32, kept: &Metadata) -> ConnectorInfo {
    bench
        .driver
        .volume_connector(instance(number), kept.clone())
        .await
        .unwrap()
}

async fn volume_for(bench: &Bench, name: &str, told: &ConnectorInfo) -> Connection {
    let storage = Storage::of(&bench.simulator);
    let id = storage
        .create(name, 1, Protocol::FibreChannel)
        .await
        .unwrap();
    let connector = serde_json::to_value(&told.connector).unwrap();
    Connection::parse(&storage.map(&id, &connector, false).await.unwrap()).unwrap()
}

fn request_for(number: u32, volume: &Connection, kept: &Metadata) -> VolumeRequest {
    VolumeRequest {
        server: instance(number).into(),
        volumes: vec![volume.clone()],
        metadata: kept.clone(),
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_gets_its_ports_once_and_keeps_them() {
    for flavor in FLAVORS {
        let bench = bench(flavor).await;
        let empty = bench.world().await;
        let connector = told(&bench, 1, &Metadata::new()).await;
        assert_eq!(
            connector.connector.wwpns.len(),
            2,
            "the first name on each fabric"
        );
        assert!(
            connector
                .connector
                .host
                .ends_with(&format!("_{}", instance(1)))
        );
        assert_eq!(connector.metadata["fabric_state_A"], "unmapped");
        let again = told(&bench, 1, &connector.metadata).await;
        assert_eq!(again, connector, "names that were kept stay");
        assert_ne!(
            told(&bench, 2, &Metadata::new()).await.connector.wwpns,
            connector.connector.wwpns
        );

        ready(&bench, true).await;
        let before = bench.world().await;
        let volume = volume_for(&bench, "one", &connector).await;
        let attach = request_for(1, &volume, &connector.metadata);
        let attached = bench
            .driver
            .attach_volumes(attach, &Control::default())
            .await
            .unwrap();
        assert_eq!(attached.metadata["fabric_state_A"], "inst_mapped");
        assert_eq!(attached.volumes[0].paths.len(), 2);
        let servers: BTreeSet<&String> = attached.volumes[0]
            .paths
            .iter()
            .map(|path| &path.served_by)
            .collect();
        assert_eq!(servers.len(), 2, "two fabrics through two servers");
        assert_eq!(count(&bench.world().await, &before, ItemKind::Mapping), 2);

        // What was kept got lost: the host knows the ports.
        let found = told(&bench, 1, &Metadata::new()).await;
        assert_eq!(found.connector.wwpns, connector.connector.wwpns);

        bench.calls.take();
        let second = volume_for(&bench, "two", &found).await;
        for volume in [&volume, &second] {
            let attach = request_for(1, volume, &attached.metadata);
            bench
                .driver
                .attach_volumes(attach, &Control::default())
                .await
                .unwrap();
        }
        let detach = request_for(1, &volume, &attached.metadata);
        bench
            .driver
            .detach_volumes(detach, &Control::default())
            .await
            .unwrap();
        let calls = bench.calls.take();
        assert!(
            calls.iter().all(|(method, _)| method == "GET"),
            "nothing more to do: {calls:?}"
        );
        assert_eq!(
            count(&bench.world().await, &before, ItemKind::Mapping),
            2,
            "ports live as long as the server"
        );

        bench.destroy(1).await.unwrap();
        assert_same(
            &without_caches(empty),
            &without_caches(bench.world().await),
            "destroyed",
        );
        bench.assert_sound();
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_has_as_many_ports_on_each_fabric_as_configured() {
    let simulator = simulator(Flavor::Hmc, Weather::Calm);
    let mut config = npiv(&simulator);
    config.volumes.ports_per_fabric = 2;
    let bench = Bench::with(simulator, config).await;
    let connector = told(&bench, 1, &Metadata::new()).await;
    let names: BTreeSet<_> = connector.connector.wwpns.iter().collect();
    assert_eq!(names.len(), 4, "two on each of two fabrics");
    ready(&bench, true).await;
    let before = bench.world().await;
    let volume = volume_for(&bench, "one", &connector).await;
    let attach = request_for(1, &volume, &connector.metadata);
    let control = Control::default();
    let attached = bench.driver.attach_volumes(attach, &control);
    assert_eq!(attached.await.unwrap().volumes[0].paths.len(), 4);
    assert_eq!(count(&bench.world().await, &before, ItemKind::Mapping), 4);
    bench.assert_sound();
}

#[tokio::test(start_paused = true)]
async fn without_ports_that_cinder_knows_nothing_is_attached() {
    let bench = bench(Flavor::NovaLink).await;
    ready(&bench, true).await;
    let connector = told(&bench, 1, &Metadata::new()).await;
    let volume = volume_for(&bench, "one", &connector).await;
    let refused = bench
        .driver
        .attach_volumes(
            request_for(1, &volume, &Metadata::new()),
            &Control::default(),
        )
        .await
        .unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Precondition, "{refused}");
    assert!(refused.to_string().contains("connector"), "{refused}");
}

#[tokio::test(start_paused = true)]
async fn a_physical_port_that_has_gone_is_replaced_and_the_names_stay() {
    let bench = bench(Flavor::NovaLink).await;
    ready(&bench, true).await;
    let connector = told(&bench, 1, &Metadata::new()).await;
    let volume = volume_for(&bench, "one", &connector).await;
    let mut kept = connector.metadata.clone();
    let value = kept["npiv_adpt_wwpns_A"].clone();
    let names = value.split_once(',').unwrap().1;
    kept.insert(
        "npiv_adpt_wwpns_A".to_owned(),
        format!("0000000000000001,{names}"),
    );
    let attached = bench
        .driver
        .attach_volumes(request_for(1, &volume, &kept), &Control::default())
        .await
        .unwrap();
    assert!(attached.metadata["npiv_adpt_wwpns_A"].ends_with(names));
    assert!(!attached.metadata["npiv_adpt_wwpns_A"].starts_with("0000000000000001"));
    assert_eq!(attached.volumes[0].paths.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_server_boots_from_a_volume_that_its_ports_see() {
    let bench = bench(Flavor::NovaLink).await;
    let before = bench.world().await;
    let connector = told(&bench, 1, &Metadata::new()).await;
    let volume = volume_for(&bench, "root", &connector).await;
    let mut wanted = request(1);
    wanted.image = None;
    wanted.volumes = vec![volume.clone()];
    wanted.metadata = connector.metadata.clone();
    bench
        .driver
        .spawn(wanted, &Control::default())
        .await
        .unwrap();
    let during = bench.world().await;
    assert_eq!(count(&during, &before, ItemKind::Disk), 0);
    let request = DestroyRequest {
        volumes: vec![volume],
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
        "destroyed",
    );
}

/// It starts from the ports that see the volume, and from no adapter of its config drive.
#[tokio::test(start_paused = true)]
async fn ibmi_starts_from_its_ports() {
    for flavor in FLAVORS {
        let bench = bench(flavor).await;
        let before = bench.world().await;
        let connector = told(&bench, 1, &Metadata::new()).await;
        let volume = volume_for(&bench, "root", &connector).await;
        let mut wanted = request(1);
        wanted.image = None;
        wanted.volumes = vec![volume.clone()];
        wanted.metadata = connector.metadata.clone();
        let distro = ("image_os_distro".to_owned(), "ibmi".to_owned());
        wanted.metadata.extend([distro]);
        let control = Control::default();
        let server = bench.driver.spawn(wanted, &control).await.unwrap();
        assert_eq!(server.summary.state, "running", "{flavor:?}");
        let session = bench.driver.session();
        let groups = Groups::Named(&["ViosFCMapping"]);
        let feed = session.get_feed("VirtualIOServer", groups).await.unwrap();
        let mut ports: Vec<u32> = Vec::new();
        for entry in &feed.entries {
            for mapping in VirtualIoServer(&entry.content).fibre_channel_mappings() {
                let client = mapping.client_adapter().unwrap();
                ports.push(client.adapter().slot().unwrap().unwrap());
            }
        }
        ports.sort_unstable();
        assert_eq!(ports.len(), 2, "one on each fabric");
        let path = format!("LogicalPartition/{}", partition(1));
        let document = session.get_entry(&path, Groups::None).await.unwrap();
        let document = LogicalPartition(&document.content);
        assert_eq!(document.designated_ipl_source(), Some("b"));
        let keylock = document.partition().keylock_position().unwrap();
        assert_eq!(keylock, Some(KeylockPosition::Normal));
        let io = document.partition().io().unwrap();
        let tagged = io.tagged_io().unwrap();
        let told = [tagged.load_source(), tagged.alternate_load_source()];
        let slots = ports.iter().map(ToString::to_string);
        assert_eq!(told.map(Option::unwrap), *slots.collect::<Vec<_>>());
        let request = DestroyRequest {
            volumes: vec![volume],
            ..DestroyRequest::of(instance(1))
        };
        bench.driver.destroy(request, &control).await.unwrap();
        assert_as_before(before, bench.world().await, "destroyed");
        bench.assert_sound();
    }
}

#[tokio::test(start_paused = true)]
async fn ten_servers_share_changes_and_no_names() {
    let bench = bench(Flavor::NovaLink).await;
    let mut requests = Vec::new();
    for number in 1..=10 {
        let mut server = request(number);
        server.power_on = false;
        bench
            .driver
            .spawn(server, &Control::default())
            .await
            .unwrap();
    }
    let kept = Metadata::new();
    let connectors =
        futures_util::future::join_all((1..=10).map(|number| told(&bench, number, &kept))).await;
    let names: BTreeSet<String> = connectors
        .iter()
        .flat_map(|told| &told.connector.wwpns)
        .map(ToString::to_string)
        .collect();
    assert_eq!(names.len(), 20);
    for (number, connector) in (1..=10).zip(&connectors) {
        let volume = volume_for(&bench, &format!("v{number}"), connector).await;
        requests.push(request_for(number, &volume, &connector.metadata));
    }
    bench.calls.take();
    let control = Control::default();
    let attached = requests
        .into_iter()
        .map(|request| bench.driver.attach_volumes(request, &control));
    for report in futures_util::future::join_all(attached).await {
        assert_eq!(report.unwrap().volumes[0].paths.len(), 2);
    }
    let changes = bench.calls.take();
    let changes = changes
        .iter()
        .filter(|(method, path)| method == "POST" && path.contains("VirtualIOServer/"))
        .count();
    assert!(
        changes <= 8,
        "{changes} changes of two servers for ten servers"
    );
    bench.assert_sound();
}

#[tokio::test(start_paused = true)]
async fn an_attachment_survives_any_failure() {
    let scene = async || {
        let bench = bench(Flavor::NovaLink).await;
        ready(&bench, true).await;
        let connector = told(&bench, 1, &Metadata::new()).await;
        let volume = volume_for(&bench, "one", &connector).await;
        (bench, request_for(1, &volume, &connector.metadata))
    };
    let (first, request) = scene().await;
    first.calls.take();
    first
        .driver
        .attach_volumes(request, &Control::default())
        .await
        .unwrap();
    let requests = first.calls.take().len() as u64;
    let fates: [fn(Rule) -> Rule; 4] = [
        |rule| rule.answer(500, "no", "HSCL9999 no"),
        |rule| rule.after().answer(500, "no", "HSCL9999 no"),
        |rule| rule.reset(),
        |rule| rule.after().reset(),
    ];
    for number in 1..=requests {
        for strike in fates {
            let (bench, request) = scene().await;
            let before = bench.world().await;
            bench.calls.take();
            bench
                .simulator
                .faults()
                .add(strike(Rule::new("*", "*").nth(number)))
                .unwrap();
            let outcome = bench
                .driver
                .attach_volumes(request.clone(), &Control::default())
                .await;
            let calls = bench.calls.take();
            let about = format!("request {number} ({:?})", calls.get(number as usize - 1));
            bench.simulator.faults().clear();
            if let Err(error) = outcome {
                if let Error::Saga(failure) = &error {
                    assert!(failure.left_behind.is_empty(), "{about}: {error}");
                }
                assert_same(&before, &bench.world().await, &about);
                bench
                    .driver
                    .attach_volumes(request, &Control::default())
                    .await
                    .unwrap();
            }
            assert_eq!(
                count(&bench.world().await, &before, ItemKind::Mapping),
                2,
                "{about}"
            );
            bench.assert_sound();
        }
    }
}
