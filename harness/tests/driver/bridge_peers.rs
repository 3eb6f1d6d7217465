//! Bridges of one switch, which take VLANs from each other, and load groups that share the load.

use std::collections::BTreeSet;

use crate::support::*;
use powervm_driver::config::{Config, DiskDriver};
use powervm_driver::operations::{BridgeInfo, BridgeRef, Control, Prune};
use powervm_driver::{Error, ErrorKind, Result};
use powervm_simulator::inventory::{Inventory as Room, Sizes};
use powervm_simulator::weather::{Rule, Weather};
use powervm_simulator::{Flavor, Simulator};

/// A host whose two Virtual I/O Servers have a bridge each, with the port VLANs 1 and 2, on the default switch.
async fn bench(flavor: Flavor) -> Bench {
    let sizes = Sizes {
        partitions: 0,
        ..Sizes::default()
    };
    let mut room = Room::sized(flavor, sizes);
    for system in &mut room.systems {
        for (number, vios) in (0..).zip(&mut system.vioses) {
            let network = vios.network.as_mut().unwrap();
            (network.vlan, network.priority, network.control_channel) = (1 + number, 1, None);
            network.tagged_vlans.clear();
        }
    }
    let simulator = Simulator::builder()
        .flavor(flavor)
        .inventory(room)
        .seed(7)
        .check_invariants(true)
        .build()
        .unwrap();
    Bench::with(simulator, config(DiskDriver::Ssp)).await
}

async fn bridge(bench: &Bench, port_vlan: u16) -> BridgeInfo {
    let mut all = bench.driver.bridges().await.unwrap().into_iter();
    all.find(|bridge| bridge.port_vlan == port_vlan).unwrap()
}

async fn ensure(bench: &Bench, port_vlan: u16, vlans: &[u16]) -> Result<BridgeInfo> {
    let which: BridgeRef = bridge(bench, port_vlan).await.id.parse().unwrap();
    let vlans = vlans.iter().copied().collect();
    let control = Control::default();
    bench.driver.provision(&which, &vlans, &control).await
}

/// VLANs on the trunk adapters of the Virtual I/O Server whose bridge has this port VLAN.
fn carried(bench: &Bench, port_vlan: u16) -> BTreeSet<u16> {
    let world = bench.simulator.world();
    let trunks_of = |vios: &powervm_simulator::model::vios::VirtualIoServer| {
        let adapters = vios.partition.network_adapters.values();
        let trunks = adapters.filter(|adapter| adapter.trunk.is_some());
        trunks
            .flat_map(|trunk| std::iter::once(trunk.vlan).chain(trunk.tagged_vlans.clone()))
            .collect::<BTreeSet<u16>>()
    };
    let mut all = world.vioses.values().map(|vios| trunks_of(vios));
    all.find(|vlans| vlans.contains(&port_vlan)).unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_vlan_of_a_peer_moves_and_is_on_one_of_them_only() {
    for flavor in FLAVORS {
        let bench = bench(flavor).await;
        assert_eq!(bench.driver.bridges().await.unwrap().len(), 2, "{flavor:?}");
        ensure(&bench, 2, &[500, 501]).await.unwrap();
        assert!(carried(&bench, 2).is_superset(&[500, 501].into()));
        assert!(!carried(&bench, 1).contains(&500));
        let after = ensure(&bench, 1, &[500]).await.unwrap();
        assert!(after.vlans.contains(&500));
        assert!(carried(&bench, 1).contains(&500), "{flavor:?}");
        let left = carried(&bench, 2);
        assert!(!left.contains(&500) && left.contains(&501), "{flavor:?}");
        assert_eq!(bridge(&bench, 1).await.vlans, [1, 500].into());
        assert_eq!(bridge(&bench, 2).await.vlans, [2, 501].into());
        // What is the peer's own is not to be had.
        let before = bench.world().await;
        let refused = ensure(&bench, 1, &[2, 600]).await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Precondition, "{refused}");
        assert!(refused.to_string().contains("primary"), "{refused}");
        assert_same(&before, &bench.world().await, "refused");
        bench.assert_sound();
    }
}

#[tokio::test(start_paused = true)]
async fn a_move_that_fails_half_way_leaves_the_vlan_with_the_peer() {
    for flavor in FLAVORS {
        let bench = bench(flavor).await;
        ensure(&bench, 2, &[500]).await.unwrap();
        let before = bench.world().await;
        // The peer has given it up when the other one refuses to take it.
        let refuse = Rule::new("POST", "*/NetworkBridge/*").nth(2);
        let refuse = refuse.answer(500, "no", "HSCL9999 no");
        bench.simulator.faults().add(refuse).unwrap();
        let failed = ensure(&bench, 1, &[500]).await.unwrap_err();
        assert!(matches!(failed, Error::Saga(_)), "{failed}");
        assert_eq!(failed.left_behind().len(), 0, "{failed}");
        assert!(carried(&bench, 2).contains(&500), "{flavor:?}");
        assert!(!carried(&bench, 1).contains(&500), "{flavor:?}");
        let (before, after) = (without_caches(before), without_caches(bench.world().await));
        assert_same(&before, &after, "taken back");
        bench.simulator.faults().clear();
        ensure(&bench, 1, &[500]).await.unwrap();
        bench.assert_sound();
    }
}

#[tokio::test(start_paused = true)]
async fn a_bridge_is_pruned_of_what_nobody_needs_and_its_peer_is_left_alone() {
    for flavor in FLAVORS {
        let bench = bench(flavor).await;
        ensure(&bench, 1, &[500, 501]).await.unwrap();
        ensure(&bench, 2, &[600, 601]).await.unwrap();
        let which: BridgeRef = bridge(&bench, 1).await.id.parse().unwrap();
        let prune = Prune {
            keep: [501].into(),
            limit: 9,
        };
        let control = Control::default();
        let pruned = bench.driver.prune(&which, &prune, &control).await.unwrap();
        assert_eq!(pruned.removed, [500].into(), "{flavor:?}");
        assert_eq!(bridge(&bench, 1).await.vlans, [1, 501].into());
        assert_eq!(bridge(&bench, 2).await.vlans, [2, 600, 601].into());
        bench.assert_sound();
    }
}

#[tokio::test(start_paused = true)]
async fn the_load_is_spread_over_groups_where_that_is_configured() {
    for flavor in FLAVORS {
        for (spread, groups) in [(false, 1), (true, 3)] {
            let config = Config {
                load_balance_vlan_across_veas: spread,
                ..config(DiskDriver::Ssp)
            };
            let bench = Bench::with(simulator(flavor, Weather::Calm), config).await;
            let wanted: BTreeSet<u16> = [500, 501, 502].into();
            let control = Control::default();
            let only = BridgeRef::Only;
            let before = bench.driver.bridges().await.unwrap().remove(0);
            let provisioned = bench.driver.provision(&only, &wanted, &control);
            let after = provisioned.await.unwrap();
            assert!(after.failover, "a pair that stands in for each other");
            let having =
                |group: &&powervm_driver::operations::GroupInfo| !group.vlans.is_disjoint(&wanted);
            let found = after.groups.iter().filter(having).count();
            assert_eq!(found, groups, "{flavor:?}: {before:?} {after:?}");
            // On both adapters of the pair alike.
            let world = bench.simulator.world();
            for vios in world.vioses.values() {
                let adapters = vios.partition.network_adapters.values();
                let tagged: BTreeSet<u16> = adapters
                    .flat_map(|adapter| adapter.tagged_vlans.clone())
                    .collect();
                assert!(tagged.is_superset(&wanted), "{flavor:?}");
            }
            bench.assert_sound();
        }
    }
}
