//! Interfaces on Open vSwitch: pairs of adapters, one of them on the management partition.

use std::collections::BTreeSet;

use crate::storage::*;
use crate::support::*;
use futures_util::future::join_all;
use powervm_driver::config::DiskDriver;
use powervm_driver::network::{Mac, NetworkInterface};
use powervm_driver::operations::{Control, DestroyRequest, SpawnRequest, vlan_mappings};
use powervm_driver::{ErrorKind, Result};
use powervm_simulator::Flavor;
use powervm_simulator::model::network::NetworkAdapter;
use powervm_simulator::weather::Rule;

const WISH: &str =
    "ovs=br-int,id=5d1c9a70-0000-4000-8000-000000000009,mtu=1450,mac=fa:16:3e:00:00:09";
const MAC: &str = "fa:16:3e:00:00:09";

fn wish() -> NetworkInterface {
    WISH.parse().unwrap()
}

fn wish_number(number: u32) -> NetworkInterface {
    format!("ovs=br-int,id=port-{number},mac=fa:16:3e:00:01:{number:02x}")
        .parse()
        .unwrap()
}

fn on_ovs(number: u32) -> SpawnRequest {
    SpawnRequest {
        networks: vec![wish_number(number)],
        ..request(number)
    }
}

/// The trunk adapters of the management partition.
fn trunks(bench: &Bench) -> Vec<NetworkAdapter> {
    let world = bench.simulator.world();
    let management = world.partitions.values().find(|one| one.is_management);
    let adapters = management.unwrap().network_adapters.values();
    let trunks = adapters.filter(|adapter| adapter.trunk.is_some());
    trunks.map(|adapter| (**adapter).clone()).collect()
}

async fn bench() -> Bench {
    Bench::new(Flavor::NovaLink, DiskDriver::Ssp).await
}

#[tokio::test(start_paused = true)]
async fn a_pair_comes_and_goes_while_the_server_runs_and_while_it_is_off() {
    for is_off in [true, false] {
        let bench = bench().await;
        ready(&bench, is_off).await;
        let before = bench.world().await;
        let control = Control::default();
        let attach = || bench.driver.attach_interface(instance(1), wish(), &control);
        let plugged = attach().await.unwrap();
        assert_eq!(plugged.mac, Some(MAC.parse().unwrap()));
        assert_eq!(plugged.switch.as_deref(), Some("NovaLinkVEABridge"));
        let made = trunks(&bench);
        let [trunk] = made.as_slice() else {
            panic!("{made:?}")
        };
        assert_eq!(Some(trunk.vlan), plugged.vlan);
        assert_eq!(trunk.ovs_bridge.as_deref(), Some("br-int"));
        assert_eq!(trunk.mtu, Some(1450));
        assert_eq!(
            trunk.trunk.as_ref().unwrap().device.as_deref(),
            Some("nic5d1c9a70-00")
        );
        let ids = format!(
            "iface-id=5d1c9a70-0000-4000-8000-000000000009,iface-status=active,attached-mac={MAC},vm-uuid={}",
            instance(1)
        );
        assert_eq!(trunk.ovs_external_ids.as_deref(), Some(ids.as_str()));
        assert_eq!(attach().await.unwrap(), plugged, "again");
        assert_eq!(trunks(&bench).len(), 1);
        let gone = bench
            .driver
            .detach_interface(instance(1), MAC.parse().unwrap(), &control)
            .await
            .unwrap();
        assert_eq!(gone, Some(plugged));
        assert_same(&before, &bench.world().await, "detached");
        bench.assert_sound();
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_has_its_pairs_from_the_start_and_they_go_with_it() {
    let bench = bench().await;
    let before = bench.world().await;
    bench
        .driver
        .spawn(on_ovs(1), &Control::default())
        .await
        .unwrap();
    assert_eq!(trunks(&bench).len(), 1);
    bench.destroy(1).await.unwrap();
    assert_same(
        &without_caches(before),
        &without_caches(bench.world().await),
        "destroyed",
    );
}

#[tokio::test(start_paused = true)]
async fn ten_at_once_get_a_vlan_each() {
    let bench = bench().await;
    let control = Control::default();
    let spawns = (1..=10).map(|number| bench.driver.spawn(on_ovs(number), &control));
    for made in join_all(spawns).await {
        made.unwrap();
    }
    let vlans: BTreeSet<u16> = trunks(&bench).iter().map(|trunk| trunk.vlan).collect();
    assert_eq!(vlans, (1..=10).collect());
    let destroys = (1..=10).map(|number| {
        let request = DestroyRequest::of(instance(number));
        bench.driver.destroy(request, &control)
    });
    for gone in join_all(destroys).await {
        gone.unwrap();
    }
    assert_eq!(trunks(&bench), []);
    bench.assert_sound();
}

/// The VLANs are chosen under a lock of one process; another process may choose the same.
#[tokio::test(start_paused = true)]
async fn a_vlan_that_another_process_took_first_is_not_fought_for() {
    let bench = bench().await;
    ready(&bench, true).await;
    let other = powervm_driver::operations::Driver::connect(
        session(&bench.simulator, 2, std::sync::Arc::default()).await,
        config(DiskDriver::Ssp),
    )
    .await
    .unwrap();
    for number in 2..=4 {
        bench.spawn(number).await.unwrap();
    }
    let control = Control::default();
    let theirs = |number| other.attach_interface(instance(number), wish_number(number), &control);
    let ours = |number| {
        bench
            .driver
            .attach_interface(instance(number), wish_number(number), &control)
    };
    let_rmc_come_up().await;
    let (one, two, three, four) = tokio::join!(ours(1), theirs(2), ours(3), theirs(4));
    for plugged in [one, two, three, four] {
        plugged.unwrap();
    }
    let vlans: BTreeSet<u16> = trunks(&bench).iter().map(|trunk| trunk.vlan).collect();
    assert_eq!(vlans.len(), 4);
    bench.assert_sound();
}

/// Time in which servers that were just started come to be reached over RMC.
async fn let_rmc_come_up() {
    tokio::time::sleep(std::time::Duration::from_secs(600)).await;
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_is_refused_before_anything_is_made() {
    let hmc = Bench::new(Flavor::Hmc, DiskDriver::Ssp).await;
    let before = hmc.world().await;
    let control = Control::default();
    let refused = hmc.driver.spawn(on_ovs(1), &control).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Precondition);
    assert!(
        refused.to_string().contains("management partition"),
        "{refused}"
    );
    assert_same(&before, &hmc.world().await, "refused");
}

/// The reference makes the two adapters in two steps of no transaction; what it makes first stays when the second fails.
#[tokio::test(start_paused = true)]
async fn a_failure_between_the_two_adapters_leaves_neither() {
    let fates: [fn(Rule) -> Rule; 3] = [
        |rule| rule.answer(500, "no", "HSCL9999 no"),
        |rule| rule.after().answer(500, "no", "HSCL9999 no"),
        |rule| rule.after().reset(),
    ];
    let seen = bench().await;
    ready(&seen, true).await;
    seen.calls.take();
    let control = Control::default();
    seen.driver
        .attach_interface(instance(1), wish(), &control)
        .await
        .unwrap();
    let calls = seen.calls.take().len() as u64;
    for number in 1..=calls {
        for fate in fates {
            let bench = bench().await;
            ready(&bench, true).await;
            let before = bench.world().await;
            let about = format!("request {number}");
            let rule = fate(Rule::new("*", "*").nth(number));
            bench.simulator.faults().add(rule).unwrap();
            let attach = || bench.driver.attach_interface(instance(1), wish(), &control);
            let outcome = attach().await;
            bench.simulator.faults().clear();
            if outcome.is_err() {
                assert_same(&before, &bench.world().await, &about);
                attach().await.unwrap();
            }
            assert_eq!(trunks(&bench).len(), 1, "{about}");
            bench.assert_sound();
        }
    }
}

/// After a restart of the management partition its devices are gone; writing the trunk adapter makes them again.
#[tokio::test(start_paused = true)]
async fn an_interface_that_is_there_is_written_anew_with_another_bridge_and_device() {
    let bench = bench().await;
    ready(&bench, true).await;
    let control = Control::default();
    let plugged = bench
        .driver
        .attach_interface(instance(1), wish(), &control)
        .await
        .unwrap();
    let changed = format!("{WISH},device=tap5d1c9a70").replace("br-int", "br-other");
    let again = bench
        .driver
        .attach_interface(instance(1), changed.parse().unwrap(), &control)
        .await
        .unwrap();
    assert_eq!(plugged, again);
    let trunk = trunks(&bench).remove(0);
    assert_eq!(trunk.ovs_bridge.as_deref(), Some("br-other"));
    assert_eq!(trunk.trunk.unwrap().device.as_deref(), Some("tap5d1c9a70"));
}

#[tokio::test(start_paused = true)]
async fn orphans_are_found_and_removed_and_nothing_else() {
    let bench = bench().await;
    let control = Control::default();
    for number in [1, 2] {
        bench.driver.spawn(on_ovs(number), &control).await.unwrap();
    }
    bench
        .driver
        .prepare_trunks(instance(3), &[wish_number(3)])
        .await
        .unwrap();
    assert_eq!(bench.driver.sweep_trunks().await.unwrap(), []);
    // Somebody removes the server's adapter and forgets its partner.
    let world = bench.simulator.world();
    let partition = world
        .partitions
        .values()
        .find(|partition| partition.name == "web-1")
        .unwrap();
    let adapter = partition
        .network_adapters
        .values()
        .find(|adapter| adapter.mac_text() == "FA163E000101")
        .unwrap();
    let path = format!(
        "LogicalPartition/{}/ClientNetworkAdapter/{}",
        partition.uuid.to_string().to_uppercase(),
        adapter.uuid
    );
    let_rmc_come_up().await;
    bench.driver.session().delete(&path, None).await.unwrap();
    let listed = bench.driver.trunks().await.unwrap();
    let told: Vec<_> = listed
        .iter()
        .map(|trunk| (trunk.instance, trunk.alone, trunk.arriving))
        .collect();
    let expected = [
        (Some(instance(1)), true, false),
        (Some(instance(2)), false, false),
        (Some(instance(3)), true, true),
    ];
    assert_eq!(told, expected);
    let swept = bench.driver.sweep_trunks().await.unwrap();
    assert_eq!(swept.len(), 1);
    assert_eq!(swept[0].instance, Some(instance(1)));
    assert_eq!(trunks(&bench).len(), 2);
}

#[tokio::test(start_paused = true)]
async fn the_destination_of_a_move_prepares_confirms_and_takes_back() {
    let bench = bench().await;
    let control = Control::default();
    bench.driver.spawn(on_ovs(1), &control).await.unwrap();
    let before = bench.world().await;
    let interfaces = [wish_number(2), wish_number(3), NetworkInterface::on_vlan(1)];
    let vlans = bench
        .driver
        .prepare_trunks(instance(2), &interfaces)
        .await
        .unwrap();
    let macs: BTreeSet<Mac> = vlans.keys().copied().collect();
    assert_eq!(
        vlan_mappings(&vlans).as_deref(),
        Some("FA163E000102/2,FA163E000103/3")
    );
    // A second try replaces what the first left, and nothing of a server that is here is touched.
    let again = bench
        .driver
        .prepare_trunks(instance(2), &interfaces)
        .await
        .unwrap();
    assert_eq!(again, vlans);
    assert_eq!(trunks(&bench).len(), 3);
    let all: BTreeSet<Mac> = trunks(&bench)
        .iter()
        .map(|_| "fa:16:3e:00:01:01".parse().unwrap())
        .chain(macs)
        .collect();
    bench.driver.take_back_trunks(&all).await.unwrap();
    assert_same(&before, &bench.world().await, "taken back");

    bench
        .driver
        .prepare_trunks(instance(2), &interfaces)
        .await
        .unwrap();
    bench.driver.confirm_trunks(instance(2)).await.unwrap();
    let trunks = bench.driver.trunks().await.unwrap();
    assert!(trunks.iter().all(|trunk| !trunk.arriving), "{trunks:?}");
}

#[tokio::test(start_paused = true)]
async fn the_source_of_a_move_gives_up_only_what_has_gone() {
    let bench = bench().await;
    let control = Control::default();
    bench.driver.spawn(on_ovs(1), &control).await.unwrap();
    let still = bench.driver.depart_trunks(instance(1)).await.unwrap_err();
    assert!(still.to_string().contains("still has"), "{still}");
    assert_eq!(trunks(&bench).len(), 1);
    // A server that is not here any more leaves its trunk adapters.
    bench
        .driver
        .prepare_trunks(instance(2), &[wish_number(2)])
        .await
        .unwrap();
    bench.driver.depart_trunks(instance(2)).await.unwrap();
    assert_eq!(trunks(&bench).len(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_could_not_be_prepared_as_a_whole_is_not_prepared_at_all() {
    let bench = bench().await;
    let before = bench.world().await;
    let rule = Rule::new("PUT", "**/ClientNetworkAdapter").nth(2);
    bench
        .simulator
        .faults()
        .add(rule.answer(500, "no", "HSCL9999 no"))
        .unwrap();
    let outcome: Result<_> = bench
        .driver
        .prepare_trunks(instance(2), &[wish_number(2), wish_number(3)])
        .await;
    assert!(outcome.is_err());
    assert_same(&before, &bench.world().await, "not prepared");
    let refused = bench
        .driver
        .prepare_trunks(instance(2), &["ovs=br-int,id=a".parse().unwrap()])
        .await
        .unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Invalid);
}
