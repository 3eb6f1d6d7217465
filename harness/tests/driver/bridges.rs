//! VLANs of network bridges, and the health of SR-IOV ports.

use std::collections::BTreeSet;

use crate::storage::*;
use crate::support::*;
use futures_util::future::join_all;
use powervm_driver::config::DiskDriver;
use powervm_driver::operations::{BridgeInfo, BridgeRef, Control, Prune};
use powervm_driver::{Error, ErrorKind, Result};
use powervm_simulator::inventory::{Inventory as Room, Sizes, SriovInventory};
use powervm_simulator::weather::Rule;
use powervm_simulator::{Flavor, Simulator};
use uuid::Uuid;

async fn ensure(bench: &Bench, vlans: impl IntoIterator<Item = u16>) -> Result<BridgeInfo> {
    let vlans = vlans.into_iter().collect();
    bench
        .driver
        .provision(&BridgeRef::Only, &vlans, &Control::default())
        .await
}

async fn prune(bench: &Bench, keep: &[u16], limit: usize) -> BTreeSet<u16> {
    let prune = Prune {
        keep: keep.iter().copied().collect(),
        limit,
    };
    let pruned = bench
        .driver
        .prune(&BridgeRef::Only, &prune, &Control::default())
        .await;
    pruned.unwrap().removed
}

fn updates(bench: &Bench) -> usize {
    let calls = bench.calls.take();
    let posts = calls
        .iter()
        .filter(|(method, path)| method == "POST" && path.contains("/NetworkBridge/"));
    posts.count()
}

#[tokio::test(start_paused = true)]
async fn vlans_come_onto_every_adapter_of_the_bridge_and_go_again() {
    for flavor in FLAVORS {
        let bench = Bench::new(flavor, DiskDriver::Ssp).await;
        let before = bench.driver.bridges().await.unwrap().remove(0);
        let wanted: BTreeSet<u16> = (500..530).collect();
        bench.calls.take();
        let bridge = ensure(&bench, wanted.clone()).await.unwrap();
        assert_eq!(updates(&bench), 1, "{flavor:?}");
        assert!(bridge.vlans.is_superset(&wanted), "{flavor:?}: {bridge:?}");
        assert!(bridge.vlans.is_superset(&before.vlans));
        assert!(bridge.groups.iter().all(|group| group.vlans.len() <= 20));
        assert_eq!(
            bridge.groups[0], before.groups[0],
            "the primary one is left alone"
        );
        let world = bench.simulator.world();
        for vios in world.vioses.values() {
            let carried: BTreeSet<u16> = vios
                .partition
                .network_adapters
                .values()
                .flat_map(|adapter| adapter.tagged_vlans.clone())
                .collect();
            assert!(
                carried.is_superset(&wanted),
                "{flavor:?} {}",
                vios.partition.name
            );
        }
        assert_eq!(
            ensure(&bench, wanted.clone()).await.unwrap(),
            bridge,
            "again"
        );
        assert_eq!(updates(&bench), 0);
        let kept: Vec<u16> = before.vlans.iter().copied().collect();
        assert_eq!(prune(&bench, &kept, 3).await, [500, 501, 502].into());
        assert_eq!(prune(&bench, &kept, 99).await, (503..530).collect());
        assert_eq!(prune(&bench, &kept, 99).await, BTreeSet::new());
        let after = bench.driver.bridges().await.unwrap().remove(0);
        assert_eq!(after.vlans, before.vlans);
        bench.assert_sound();
    }
}

#[tokio::test(start_paused = true)]
async fn ten_at_once_share_updates() {
    for flavor in FLAVORS {
        let bench = Bench::new(flavor, DiskDriver::Ssp).await;
        bench.calls.take();
        let all = (500..510).map(|vlan| ensure(&bench, [vlan]));
        for outcome in join_all(all).await {
            outcome.unwrap();
        }
        assert!(updates(&bench) <= 2, "{flavor:?}");
        let bridge = bench.driver.bridges().await.unwrap().remove(0);
        assert!(bridge.vlans.is_superset(&(500..510).collect()));
        bench.assert_sound();
    }
}

/// The numbers of load groups are placeholders, until a network gets one of them as its VLAN.
#[tokio::test(start_paused = true)]
async fn a_placeholder_makes_room_for_a_network() {
    for flavor in FLAVORS {
        let bench = Bench::new(flavor, DiskDriver::Ssp).await;
        let bridge = ensure(&bench, [500]).await.unwrap();
        let of_500 = |bridge: &BridgeInfo| {
            let mut groups = bridge.groups.iter();
            groups
                .find(|group| group.vlans.contains(&500))
                .unwrap()
                .port_vlan
        };
        let placeholder = of_500(&bridge);
        let bridge = ensure(&bench, [placeholder]).await.unwrap();
        assert!(bridge.vlans.contains(&placeholder) && bridge.vlans.contains(&500));
        assert_ne!(of_500(&bridge), placeholder, "{flavor:?}");
        bench.assert_sound();
    }
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_bridged_is_refused_before_anything_changes() {
    let bench = Bench::new(Flavor::NovaLink, DiskDriver::Ssp).await;
    let before = bench.world().await;
    let bridge = bench.driver.bridges().await.unwrap().remove(0);
    if let Some(control) = bridge.control_channel {
        let refused = ensure(&bench, [500, control]).await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Precondition);
        assert!(refused.to_string().contains("control channel"), "{refused}");
    }
    let refused = ensure(&bench, [0]).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Invalid);
    assert_same(&before, &bench.world().await, "refused");
}

/// The reference dies of a Virtual I/O Server's name that does not exist.
#[tokio::test(start_paused = true)]
async fn a_bridge_that_does_not_exist_is_told_by_what_is_missing() {
    let bench = Bench::new(Flavor::NovaLink, DiskDriver::Ssp).await;
    let control = Control::default();
    let known = bench.driver.bridges().await.unwrap().remove(0);
    let vios = &known.adapters[0].virtual_io_server;
    for (bridge, part) in [
        (
            "ent5:nobody".to_owned(),
            "no Virtual I/O Server named 'nobody'",
        ),
        (
            format!("ent99:{vios}"),
            "has no shared Ethernet adapter ent99",
        ),
        (Uuid::nil().to_string(), "no network bridge"),
    ] {
        let bridge: BridgeRef = bridge.parse().unwrap();
        let refused = bench
            .driver
            .provision(&bridge, &[500].into(), &control)
            .await;
        let refused = refused.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::NotFound, "{refused}");
        assert!(refused.to_string().contains(part), "{refused}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_vlan_that_an_adapter_has_is_not_pruned_and_a_dry_run_prunes_nothing() {
    let bench = Bench::new(Flavor::NovaLink, DiskDriver::Ssp).await;
    let kept: Vec<u16> = bench.driver.bridges().await.unwrap()[0]
        .vlans
        .iter()
        .copied()
        .collect();
    ready(&bench, true).await;
    let control = Control::default();
    bench
        .driver
        .attach_interface(instance(1), "500".parse().unwrap(), &control)
        .await
        .unwrap();
    ensure(&bench, [500, 501]).await.unwrap();
    let before = bench.world().await;
    let wanted = Prune {
        keep: kept.iter().copied().collect(),
        limit: 9,
    };
    let outline = bench
        .driver
        .prune(&BridgeRef::Only, &wanted, &Control::default().dry_run())
        .await
        .unwrap_err();
    assert!(matches!(outline, Error::DryRun(_)), "{outline}");
    assert_same(&before, &bench.world().await, "a dry run");
    assert_eq!(prune(&bench, &kept, 9).await, [501].into());
}

#[tokio::test(start_paused = true)]
async fn a_failed_update_leaves_the_bridge_as_it_was() {
    let fates: [fn(Rule) -> Rule; 4] = [
        |rule| rule.answer(500, "no", "HSCL9999 no"),
        |rule| rule.after().answer(500, "no", "HSCL9999 no"),
        |rule| rule.reset(),
        |rule| rule.after().reset(),
    ];
    for flavor in FLAVORS {
        let seen = Bench::new(flavor, DiskDriver::Ssp).await;
        seen.calls.take();
        ensure(&seen, [500]).await.unwrap();
        let calls = seen.calls.take().len() as u64;
        for number in 1..=calls {
            for fate in fates {
                let bench = Bench::new(flavor, DiskDriver::Ssp).await;
                let before = bench.world().await;
                let rule = fate(Rule::new("*", "*").nth(number));
                bench.simulator.faults().add(rule).unwrap();
                let outcome = ensure(&bench, [500]).await;
                bench.simulator.faults().clear();
                let about = format!("{flavor:?}, request {number}");
                if let Err(Error::Saga(_)) = outcome {
                    assert_same(
                        &without_caches(before),
                        &without_caches(bench.world().await),
                        &about,
                    );
                }
                ensure(&bench, [500]).await.unwrap();
                bench.assert_sound();
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn sriov_ports_tell_their_networks_and_what_is_wrong() {
    for flavor in FLAVORS {
        let bench = Bench::new(flavor, DiskDriver::Ssp).await;
        let info = bench.driver.sriov().await.unwrap();
        assert!(!info.ports.is_empty());
        let usable = info.ports.iter().filter(|port| port.usable).count();
        let mapped: usize = info.networks.values().map(BTreeSet::len).sum();
        assert!(usable > 0 && usable <= mapped, "{info:?}");
        let unlabelled = info
            .ports
            .iter()
            .any(|port| port.usable && port.label.is_none());
        assert_eq!(info.networks.contains_key("default"), unlabelled);
        let dark = info
            .ports
            .iter()
            .filter(|port| port.mode == "Sriov" && port.state == "Running" && !port.link);
        let told = info
            .problems
            .iter()
            .filter(|problem| problem.contains("no link"));
        assert_eq!(told.count(), dark.count(), "{info:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn sriov_ports_are_grouped_by_label_and_only_those_that_are_shared_count() {
    for flavor in FLAVORS {
        let mut room = Room::sized(flavor, Sizes::default());
        let mut adapter = SriovInventory::recorded(8);
        for (port, (label, link, logical_ports)) in adapter.ports.iter_mut().zip([
            ("blue", true, None),
            ("blue", true, Some(0)),
            ("green", false, None),
            ("", true, None),
        ]) {
            port.label = label.to_owned();
            port.link = link;
            port.logical_ports = logical_ports;
        }
        let mut unshared = SriovInventory::recorded(9);
        unshared.shared = false;
        room.systems[0].sriov = vec![adapter, unshared];
        room.systems[0].partitions.clear();
        let simulator = Simulator::builder().flavor(flavor).inventory(room);
        let bench = Bench::with(simulator.build().unwrap(), config(DiskDriver::Ssp)).await;
        let info = bench.driver.sriov().await.unwrap();
        let networks: Vec<(&str, usize)> = info
            .networks
            .iter()
            .map(|(network, ports)| (network.as_str(), ports.len()))
            .collect();
        assert_eq!(networks, [("blue", 2), ("default", 1), ("green", 1)]);
        // One has no link, one no room, and four are not shared.
        let usable: Vec<(Option<u16>, Option<u16>)> = info
            .ports
            .iter()
            .filter(|port| port.usable)
            .map(|port| (port.adapter, port.port))
            .collect();
        assert_eq!(usable, [(Some(1), Some(0)), (Some(1), Some(3))], "{info:?}");
        let [dark, unlabelled] = info.problems.as_slice() else {
            panic!("{info:?}");
        };
        assert!(dark.contains("-C8-T3 has no link"), "{dark}");
        assert!(unlabelled.contains("-C8-T4 has no label"), "{unlabelled}");
    }
}
