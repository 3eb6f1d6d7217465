//! Interfaces that come and go, on shared Ethernet adapters and on SR-IOV ports.

use std::collections::BTreeSet;

use crate::storage::*;
use crate::support::*;
use powervm_driver::config::DiskDriver;
use powervm_driver::network::NetworkInterface;
use powervm_driver::operations::{Control, InterfaceInfo};
use powervm_driver::saga::Rehearsal;
use powervm_driver::{Error, ErrorKind, Result};
use powervm_simulator::Flavor;
use powervm_simulator::model::job::incident::Incident;
use powervm_simulator::weather::Rule;

const MAC: &str = "fa:16:3e:00:00:09";
/// What an interface may be on; the simulator's ports have the label `prod` … or none.
const WISHES: [&str; 2] = [
    "vlan=3,mac=fa:16:3e:00:00:09",
    "sriov=default,vlan=3,redundancy=2,mac=fa:16:3e:00:00:09",
];

async fn attach(bench: &Bench, wish: &str) -> Result<InterfaceInfo> {
    let interface: NetworkInterface = wish.parse().unwrap();
    bench
        .driver
        .attach_interface(instance(1), interface, &Control::default())
        .await
}

async fn detach(bench: &Bench) -> Result<Option<InterfaceInfo>> {
    bench
        .driver
        .detach_interface(instance(1), MAC.parse().unwrap(), &Control::default())
        .await
}

/// What an interface on a shared Ethernet adapter of an HMC may leave.
fn without_networks(
    inventory: powervm_harness::audit::Inventory,
) -> powervm_harness::audit::Inventory {
    without_caches(inventory)
}

#[tokio::test(start_paused = true)]
async fn an_interface_comes_and_goes_while_the_server_runs_and_while_it_is_off() {
    for flavor in FLAVORS {
        for wish in WISHES {
            for is_off in [true, false] {
                let bench = Bench::new(flavor, DiskDriver::Ssp).await;
                ready(&bench, is_off).await;
                let before = bench.world().await;
                let about = format!("{flavor:?} {wish} off {is_off}");
                let plugged = attach(&bench, wish)
                    .await
                    .unwrap_or_else(|error| panic!("{about}: {error}"));
                assert_eq!(
                    (plugged.mac, plugged.vlan),
                    (Some(MAC.parse().unwrap()), Some(3)),
                    "{about}"
                );
                assert!(plugged.slot.is_some());
                assert_eq!(
                    attach(&bench, wish).await.unwrap(),
                    plugged,
                    "{about}: again"
                );
                let shown = bench.driver.show(instance(1)).await.unwrap();
                assert!(shown.interfaces.contains(&plugged), "{about}: {shown:?}");
                assert_eq!(detach(&bench).await.unwrap(), Some(plugged), "{about}");
                assert_eq!(detach(&bench).await.unwrap(), None, "{about}");
                assert_same(
                    &without_networks(before),
                    &without_networks(bench.world().await),
                    &about,
                );
                bench.assert_sound();
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn redundant_ports_are_spread_over_servers_and_ports() {
    let bench = Bench::new(Flavor::NovaLink, DiskDriver::Ssp).await;
    ready(&bench, true).await;
    attach(
        &bench,
        "sriov=default,redundancy=2,capacity=0.02,mac=fa:16:3e:00:00:09",
    )
    .await
    .unwrap();
    let world = bench.simulator.world();
    let nic = world
        .partitions
        .values()
        .flat_map(|partition| partition.vnics.values())
        .next()
        .unwrap()
        .clone();
    let servers: BTreeSet<_> = nic.backing.iter().map(|device| device.vios).collect();
    assert_eq!((nic.backing.len(), servers.len(), nic.vlan), (2, 2, 0));
    let ports: BTreeSet<_> = world
        .vioses
        .values()
        .flat_map(|vios| vios.partition.logical_ports.values())
        .map(|port| (port.adapter, port.port))
        .collect();
    assert_eq!(ports.len(), 2, "no port twice");
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_is_refused_before_anything_is_plugged() {
    let bench = Bench::new(Flavor::NovaLink, DiskDriver::Ssp).await;
    ready(&bench, true).await;
    let before = bench.world().await;
    for (wish, kind, part) in [
        ("sriov=nowhere", ErrorKind::Precondition, "'nowhere'"),
        ("sriov=default,redundancy=6", ErrorKind::NoSpace, "needs 6"),
    ] {
        let refused = attach(&bench, wish).await.unwrap_err();
        assert_eq!(refused.kind(), kind, "{refused}");
        assert!(refused.to_string().contains(part), "{refused}");
    }
    assert_same(&before, &bench.world().await, "refused");
    let running = Bench::new(Flavor::NovaLink, DiskDriver::Ssp).await;
    running.spawn(1).await.unwrap();
    let refused = attach(&running, WISHES[0]).await.unwrap_err();
    assert!(refused.to_string().contains("RMC"), "{refused}");
}

#[tokio::test(start_paused = true)]
async fn a_server_has_its_virtual_nics_from_the_start_and_they_go_with_it() {
    for flavor in FLAVORS {
        let bench = Bench::new(flavor, DiskDriver::Ssp).await;
        let before = bench.world().await;
        let mut wanted = request(1);
        wanted.networks = vec![WISHES[1].parse().unwrap(), NetworkInterface::on_vlan(1)];
        let server = bench
            .driver
            .spawn(wanted, &Control::default())
            .await
            .unwrap();
        assert_eq!(server.interfaces[0].mac, Some(MAC.parse().unwrap()));
        assert_eq!(
            count(&bench.world().await, &before, ItemKind::LogicalPort),
            2
        );
        bench.destroy(1).await.unwrap();
        assert_same(
            &without_caches(before),
            &without_caches(bench.world().await),
            "destroyed",
        );
    }
}

#[tokio::test(start_paused = true)]
async fn ten_at_once_do_not_count_on_the_same_room() {
    let bench = Bench::new(Flavor::NovaLink, DiskDriver::Ssp).await;
    for number in 1..=10 {
        let mut server = request(number);
        server.power_on = false;
        bench
            .driver
            .spawn(server, &Control::default())
            .await
            .unwrap();
    }
    let control = Control::default();
    let wish: NetworkInterface = "sriov=default,capacity=0.3".parse().unwrap();
    let attach = |number| {
        bench
            .driver
            .attach_interface(instance(number), wish.clone(), &control)
    };
    let outcomes = futures_util::future::join_all((1..=10).map(attach)).await;
    let world = bench.simulator.world();
    let made = world
        .partitions
        .values()
        .map(|partition| partition.vnics.len())
        .sum::<usize>();
    let (good, bad): (Vec<_>, Vec<_>) = outcomes.into_iter().partition(Result::is_ok);
    assert_eq!(good.len(), made);
    assert!(good.len() >= 3, "{bad:?}");
    // Whoever found no room was told so by us, and not by the server after a try.
    assert!(
        bad.iter().all(|outcome| outcome
            .as_ref()
            .is_err_and(|error| error.kind() == ErrorKind::NoSpace)),
        "{bad:?}"
    );
    bench.assert_sound();
}

#[tokio::test(start_paused = true)]
async fn any_failure_leaves_the_server_as_it_was() {
    let fates: [fn(Rule) -> Rule; 4] = [
        |rule| rule.answer(500, "no", "HSCL9999 no"),
        |rule| rule.after().answer(500, "no", "HSCL9999 no"),
        |rule| rule.reset(),
        |rule| rule.after().reset(),
    ];
    for wish in WISHES {
        let bench = Bench::new(Flavor::NovaLink, DiskDriver::Ssp).await;
        ready(&bench, true).await;
        bench.calls.take();
        attach(&bench, wish).await.unwrap();
        let attaching = bench.calls.take().len() as u64;
        detach(&bench).await.unwrap();
        let detaching = bench.calls.take().len() as u64;
        for number in 1..=attaching.max(detaching) {
            for strike in fates {
                let bench = Bench::new(Flavor::NovaLink, DiskDriver::Ssp).await;
                ready(&bench, true).await;
                let before = bench.world().await;
                let about = format!("{wish}, request {number}");
                let strike_once = || {
                    bench
                        .simulator
                        .faults()
                        .add(strike(Rule::new("*", "*").nth(number)))
                        .unwrap()
                };
                strike_once();
                let outcome = attach(&bench, wish).await;
                bench.simulator.faults().clear();
                if let Err(error) = outcome {
                    if let Error::Saga(failure) = &error {
                        assert!(failure.left_behind.is_empty(), "{about}: {error}");
                    }
                    assert_same(&before, &bench.world().await, &about);
                    attach(&bench, wish).await.unwrap();
                }
                strike_once();
                let outcome = detach(&bench).await;
                bench.simulator.faults().clear();
                if outcome.is_err() {
                    detach(&bench).await.unwrap();
                }
                assert_same(&before, &bench.world().await, &about);
                bench.assert_sound();
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn plugging_can_be_repeated() {
    let bench = Bench::new(Flavor::NovaLink, DiskDriver::Ssp).await;
    ready(&bench, true).await;
    let before = bench.world().await;
    let repeated = Rehearsal {
        repeat_step: Some("plug the interface".to_owned()),
        ..Rehearsal::default()
    };
    let control = Control::default().rehearsing(repeated);
    bench
        .driver
        .attach_interface(instance(1), WISHES[1].parse().unwrap(), &control)
        .await
        .unwrap();
    assert_eq!(
        count(&bench.world().await, &before, ItemKind::LogicalPort),
        2
    );
    // Without an address it gets one of its own.
    let one = attach(&bench, "4").await.unwrap();
    let two = attach(&bench, "4").await.unwrap();
    assert!(one.mac.is_some() && one.mac != two.mac);
}

/// Adapters are the hypervisor's, and a virtual NIC takes the servers that are there.
#[tokio::test(start_paused = true)]
async fn a_virtual_io_server_that_is_down_keeps_no_interface_from_coming_or_going() {
    for flavor in FLAVORS {
        for wish in WISHES {
            for is_down_before in [true, false] {
                let bench = Bench::new(flavor, DiskDriver::Ssp).await;
                ready(&bench, false).await;
                let first = *bench.simulator.world().vioses.keys().next().unwrap();
                let stop = || bench.simulator.befall(first, Incident::Down, None).unwrap();
                let before = bench.world().await;
                let about = format!("{flavor:?} {wish} before {is_down_before}");
                if is_down_before {
                    stop();
                }
                let plugged = attach(&bench, wish)
                    .await
                    .unwrap_or_else(|error| panic!("{about}: {error}"));
                if !is_down_before {
                    stop();
                }
                assert_eq!(detach(&bench).await.unwrap(), Some(plugged), "{about}");
                bench.simulator.befall(first, Incident::Up, None).unwrap();
                tokio::time::sleep(std::time::Duration::from_secs(3600)).await;
                assert_same(
                    &without_networks(before),
                    &without_networks(bench.world().await),
                    &about,
                );
                bench.assert_sound();
            }
        }
    }
}

/// What cannot be is refused before anything is made, by what it is for want of.
#[tokio::test(start_paused = true)]
async fn a_server_whose_virtual_nics_cannot_be_is_not_begun() {
    for flavor in FLAVORS {
        for (wishes, said) in [
            (vec!["sriov=nowhere"], "'nowhere'"),
            (vec!["sriov=default,capacity=0.0333"], "multiples of"),
            (
                vec![
                    "sriov=default,capacity=1",
                    "sriov=default,redundancy=6,capacity=1",
                ],
                "room",
            ),
        ] {
            let bench = Bench::new(flavor, DiskDriver::Ssp).await;
            let before = bench.world().await;
            let mut request = request(1);
            request.networks = wishes.iter().map(|wish| wish.parse().unwrap()).collect();
            bench.calls.take();
            let refused = bench.driver.spawn(request, &Control::default()).await;
            let refused = refused.unwrap_err();
            assert!(refused.to_string().contains(said), "{flavor:?}: {refused}");
            let calls = bench.calls.take();
            assert!(calls.iter().all(|(method, _)| method == "GET"), "{calls:?}");
            assert_same(&before, &bench.world().await, said);
        }
    }
}
