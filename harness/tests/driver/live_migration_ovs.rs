//! Servers on Open vSwitch that move: their trunk adapters are made on the destination before, and go on the source
//! after.

use crate::hosts::*;
use crate::support::*;
use powervm_driver::ErrorKind;
use powervm_driver::config::DiskDriver;
use powervm_driver::operations::{Control, MigrationData, SpawnRequest};
use powervm_simulator::Flavor;
use powervm_simulator::model::job::gate::Fate;
use powervm_simulator::model::network::NetworkAdapter;
use powervm_simulator::weather::Rule;

const PORTS: [&str; 2] = [
    "ovs=br-int,id=port-1,device=tap1,mtu=1450,mac=fa:16:3e:00:00:01",
    "ovs=br-int,id=port-2,mac=fa:16:3e:00:00:02",
];

fn on_ovs(number: u32, ports: &[&str]) -> SpawnRequest {
    let mut request = request(number);
    let ports = ports.iter().map(|port| port.parse().unwrap());
    request.networks.extend(ports);
    request
}

/// The trunk adapters of a host.
fn trunks(hosts: &Hosts, number: usize) -> Vec<NetworkAdapter> {
    let world = hosts.simulator.world();
    let mut partitions = world.all_partitions_of(hosts.systems[number]);
    let management = partitions.find(|one| one.is_management).unwrap();
    let adapters = management.network_adapters.values();
    let trunks = adapters.filter(|adapter| adapter.ovs_bridge.is_some());
    let mut trunks: Vec<_> = trunks.map(|adapter| (**adapter).clone()).collect();
    trunks.sort_by_key(|trunk| trunk.vlan);
    trunks
}

async fn hosts() -> Hosts {
    let hosts = Hosts::new(Flavor::NovaLink).await;
    hosts.spawn_as(on_ovs(1, &PORTS)).await;
    hosts
}

#[tokio::test(start_paused = true)]
async fn its_trunk_adapters_change_places() {
    let hosts = Hosts::new(Flavor::NovaLink).await;
    // Somebody has the first VLANs of the destination.
    let there = "ovs=br-int,id=port-9,mac=fa:16:3e:00:00:09";
    hosts
        .destination()
        .spawn(on_ovs(2, &[there]), &Control::default())
        .await
        .unwrap();
    let empty = hosts.world().await;
    hosts.spawn_as(on_ovs(1, &PORTS)).await;
    let vlans =
        |trunks: &[NetworkAdapter]| -> Vec<u16> { trunks.iter().map(|of| of.vlan).collect() };
    assert_eq!(vlans(&trunks(&hosts, 0)), [1, 2]);
    let was = trunks(&hosts, 0);
    let migrated = hosts.migrate(&hosts.order()).await.unwrap();
    assert_eq!(trunks(&hosts, 0), []);
    let came = trunks(&hosts, 1);
    assert_eq!(vlans(&came), [1, 2, 3]);
    for (was, came) in was.iter().zip(&came[1..]) {
        assert_eq!(was.ovs_external_ids, came.ovs_external_ids);
        assert_eq!((&was.ovs_bridge, was.mtu), (&came.ovs_bridge, came.mtu));
        let device = |of: &NetworkAdapter| of.trunk.as_ref().unwrap().device.clone();
        assert_eq!(device(was), device(came));
    }
    let vlan_of = |mac: &str| {
        let mac = Some(mac.parse().unwrap());
        let interfaces = &migrated.arrived.server.interfaces;
        let found = interfaces.iter().find(|found| found.mac == mac).unwrap();
        found.vlan
    };
    assert_eq!(vlan_of("fa:16:3e:00:00:01"), Some(2));
    assert_eq!(vlan_of("fa:16:3e:00:00:02"), Some(3));
    assert!(hosts.destination().sweep_trunks().await.unwrap().is_empty());
    let listed = hosts.destination().trunks().await.unwrap();
    assert!(listed.iter().all(|trunk| !trunk.arriving && !trunk.alone));
    hosts.nothing_is_pending().await;
    hosts.destroy_there(1).await;
    assert_same(&empty, &hosts.world().await, "destroyed there");
    hosts.assert_sound();
}

#[tokio::test(start_paused = true)]
async fn a_failed_migration_leaves_no_trunk_adapter_there() {
    for (step, said) in [("MigrateValidate", "HSCLA29A"), ("Migrate", "HSCLA2CF")] {
        let hosts = hosts().await;
        let (before, was) = (hosts.world().await, trunks(&hosts, 0));
        let fault = Rule::new("PUT", format!("*/do/{step}"))
            .fate(Fate::Failed(format!("{said} It failed.")));
        hosts.simulator.faults().add(fault).unwrap();
        let error = hosts.migrate(&hosts.order()).await.unwrap_err();
        assert!(error.to_string().contains(said), "{error}");
        assert_eq!((trunks(&hosts, 0), trunks(&hosts, 1)), (was, Vec::new()));
        assert_same(&before, &hosts.world().await, step);
        hosts.nothing_is_pending().await;
        hosts.simulator.faults().clear();
        hosts.migrate(&hosts.order()).await.unwrap();
        assert_eq!((trunks(&hosts, 0).len(), trunks(&hosts, 1).len()), (0, 2));
        hosts.assert_sound();
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_prepared_is_told_taken_back_and_not_swept_meanwhile() {
    let hosts = hosts().await;
    let before = hosts.world().await;
    let control = Control::default();
    let data = hosts.checked().await.unwrap();
    let there = hosts.destination();
    let data = there.pre_live_migration(data, &[], &control).await.unwrap();
    let mappings = &data.prepared.as_ref().unwrap().vlan_mappings;
    assert_eq!(mappings.join(","), "FA163E000001/1,FA163E000002/2");
    assert!(there.sweep_trunks().await.unwrap().is_empty());
    assert!(there.trunks().await.unwrap().iter().all(|one| one.arriving));
    // Asked again, it is prepared anew; the data is all that is handed on.
    let data = there.pre_live_migration(data, &[], &control).await.unwrap();
    let data: MigrationData = serde_json::from_str(&serde_json::to_string(&data).unwrap()).unwrap();
    assert_eq!(trunks(&hosts, 1).len(), 2);
    there
        .rollback_live_migration_at_destination(&data, &[], &control)
        .await
        .unwrap();
    assert_same(&before, &hosts.world().await, "rolled back");
    hosts.nothing_is_pending().await;
}

#[tokio::test(start_paused = true)]
async fn a_prepared_destination_that_was_killed_is_told_by_where_the_server_is() {
    for moves in [true, false] {
        let hosts = hosts().await;
        let before = hosts.world().await;
        let control = Control::default();
        let data = hosts.checked().await.unwrap();
        let there = hosts.destination();
        let data = there.pre_live_migration(data, &[], &control).await.unwrap();
        if moves {
            let options = hosts.order().options;
            let source = hosts.source();
            let moved = source.live_migration(&data, &[], &options, &control);
            moved.await.unwrap();
        }
        let next = hosts.driver(1, config(DiskDriver::Ssp)).await;
        for recovered in next.recover(&control).await.unwrap() {
            recovered.result.unwrap();
        }
        hosts.nothing_is_pending().await;
        if moves {
            let listed = next.trunks().await.unwrap();
            assert_eq!(listed.len(), 2);
            assert!(listed.iter().all(|trunk| !trunk.arriving && !trunk.alone));
        } else {
            assert_same(&before, &hosts.world().await, "taken back");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_interface_that_lost_its_trunk_adapter_keeps_the_server() {
    let hosts = hosts().await;
    // Without its trunk adapter it reaches nobody, here or there.
    let world = hosts.simulator.world();
    let management = world
        .all_partitions_of(hosts.systems[0])
        .find(|one| one.is_management)
        .unwrap()
        .uuid;
    drop(world);
    let session = hosts.source().session();
    let path = format!("LogicalPartition/{management}/ClientNetworkAdapter");
    let trunk = trunks(&hosts, 0)[0].uuid;
    session
        .ensure_deleted(&format!("{path}/{trunk}"))
        .await
        .unwrap();
    let error = hosts.migrate(&hosts.order()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Precondition, "{error}");
    assert!(error.to_string().contains("no trunk adapter"), "{error}");
}
