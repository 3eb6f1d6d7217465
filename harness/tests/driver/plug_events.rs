//! Waiting for the network service, and telling the network agents of interfaces.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::hosts::{Hosts, room};
use crate::resize::size;
use crate::support::*;
use futures_util::future::BoxFuture;
use powervm_driver::config::{Config, DiskDriver};
use powervm_driver::network::NetworkInterface;
use powervm_driver::operations::{Before, Control, Destination, Driver, PlugEvents, SpawnRequest};
use powervm_driver::rest::Notice;
use powervm_driver::{ErrorKind, Result};
use powervm_simulator::Flavor;
use powervm_simulator::weather::Weather;
use tokio::time::Instant;
use uuid::Uuid;

const PORT: &str = "5d1c9a70-0000-4000-8000-000000000009";

/// A network service that does the same with every port.
struct Network {
    answer: Answer,
    heard: Mutex<Vec<String>>,
}

#[derive(Clone, Copy, PartialEq)]
enum Answer {
    /// It is connected after so many seconds.
    After(u64),
    /// It cannot be.
    No,
    /// It is active already.
    Active,
    /// Nobody can listen.
    Deaf,
}

impl Network {
    fn of(answer: Answer) -> Arc<Self> {
        Arc::new(Self {
            answer,
            heard: Mutex::default(),
        })
    }

    fn heard(&self) -> Vec<String> {
        self.heard.lock().unwrap().clone()
    }

    fn note(&self, what: &str) {
        self.heard.lock().unwrap().push(what.to_owned());
    }
}

impl PlugEvents for Network {
    fn expect<'a>(&'a self, of: Uuid, ports: &'a [String]) -> BoxFuture<'a, Result<Vec<String>>> {
        assert_eq!((of, ports), (instance(1), [PORT.to_owned()].as_slice()));
        self.note("expect");
        Box::pin(async move {
            match self.answer {
                Answer::Active => Ok(Vec::new()),
                Answer::Deaf => Err(powervm_driver::Error::Cancelled {
                    what: "the connection to the network service".to_owned(),
                }),
                _ => Ok(ports.to_vec()),
            }
        })
    }

    fn plugged<'a>(&'a self, _: Uuid, _: &'a [String]) -> BoxFuture<'a, Result<(), String>> {
        self.note("wait");
        Box::pin(async move {
            match self.answer {
                Answer::After(seconds) => {
                    tokio::time::sleep(Duration::from_secs(seconds)).await;
                    Ok(())
                }
                _ => Err("no binding".to_owned()),
            }
        })
    }

    fn forget(&self, _: Uuid, _: &[String]) {
        self.note("forget");
    }
}

fn with_port() -> NetworkInterface {
    NetworkInterface {
        id: Some(PORT.to_owned()),
        mac: Some("fa:16:3e:00:00:09".parse().unwrap()),
        ..NetworkInterface::on_vlan(1)
    }
}

fn order() -> SpawnRequest {
    SpawnRequest {
        networks: vec![with_port()],
        ..request(1)
    }
}

fn control(network: &Arc<Network>) -> Control {
    Control::default().waiting_for_plugs(network.clone())
}

#[tokio::test(start_paused = true)]
async fn a_server_starts_when_its_ports_are_connected() {
    let bench = Bench::new(Flavor::NovaLink, DiskDriver::Ssp).await;
    let network = Network::of(Answer::After(120));
    let began = Instant::now();
    bench
        .driver
        .spawn(order(), &control(&network))
        .await
        .unwrap();
    assert!(began.elapsed() >= Duration::from_secs(120));
    assert_eq!(network.heard(), ["expect", "wait", "forget"]);
    bench.assert_sound();
}

#[tokio::test(start_paused = true)]
async fn a_server_whose_ports_are_not_connected_is_taken_back() {
    for flavor in FLAVORS {
        for (answer, kind, said) in [
            (Answer::No, ErrorKind::Refused, "no binding"),
            (Answer::After(301), ErrorKind::TimedOut, PORT),
        ] {
            let bench = Bench::new(flavor, DiskDriver::Ssp).await;
            let before = without_caches(bench.world().await);
            let network = Network::of(answer);
            let failed = bench.driver.spawn(order(), &control(&network)).await;
            let error = failed.unwrap_err();
            assert_eq!(error.kind(), kind, "{error}");
            assert!(error.to_string().contains(said), "{error}");
            assert_same(&before, &without_caches(bench.world().await), said);
            assert_eq!(network.heard(), ["expect", "wait", "forget"]);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_for_ports_that_are_active_or_when_told_not_to() {
    let switched_off = [
        Config {
            vif_plugging_timeout: 0,
            ..config(DiskDriver::Ssp)
        },
        Config {
            vif_plugging_is_fatal: false,
            ..config(DiskDriver::Ssp)
        },
    ];
    for config in switched_off {
        let simulator = simulator(Flavor::NovaLink, Weather::Calm);
        let bench = Bench::with(simulator, config).await;
        let network = Network::of(Answer::No);
        bench
            .driver
            .spawn(order(), &control(&network))
            .await
            .unwrap();
        assert_eq!(network.heard(), [""; 0]);
    }
    let bench = Bench::new(Flavor::NovaLink, DiskDriver::Ssp).await;
    let network = Network::of(Answer::Active);
    bench
        .driver
        .spawn(order(), &control(&network))
        .await
        .unwrap();
    assert_eq!(network.heard(), ["expect"]);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_plugged_when_nobody_can_listen() {
    let bench = Bench::new(Flavor::NovaLink, DiskDriver::Ssp).await;
    let before = without_caches(bench.world().await);
    let network = Network::of(Answer::Deaf);
    let failed = bench.driver.spawn(order(), &control(&network)).await;
    assert!(failed.unwrap_err().to_string().contains("network service"));
    assert_same(&before, &without_caches(bench.world().await), "deaf");
    assert_eq!(network.heard(), ["expect"]);
}

#[tokio::test(start_paused = true)]
async fn an_attached_interface_is_waited_for_once() {
    let bench = Bench::new(Flavor::NovaLink, DiskDriver::Ssp).await;
    let off = SpawnRequest {
        power_on: false,
        ..request(1)
    };
    bench.driver.spawn(off, &Control::default()).await.unwrap();
    let before = bench.world().await;
    let bad = Network::of(Answer::No);
    let attach = |network: &Arc<Network>| {
        let (driver, control) = (bench.driver.clone(), control(network));
        async move {
            driver
                .attach_interface(instance(1), with_port(), &control)
                .await
        }
    };
    let error = attach(&bad).await.unwrap_err();
    assert!(error.to_string().contains("no binding"), "{error}");
    assert_same(&before, &bench.world().await, "taken back");
    let good = Network::of(Answer::After(5));
    attach(&good).await.unwrap();
    assert_eq!(good.heard(), ["expect", "wait", "forget"]);
    attach(&good).await.unwrap();
    assert_eq!(good.heard().len(), 3, "it is there already");
}

/// What agents hear of interfaces: action, address, type, and the path below the root.
async fn heard(events: &mut powervm_driver::rest::EventStream) -> Vec<[String; 4]> {
    let mut all = Vec::new();
    while let Ok(Some(notice)) = tokio::time::timeout(Duration::from_secs(30), events.next()).await
    {
        let Notice::Event(event) = notice else {
            continue;
        };
        if event.kind == "CUSTOM_CLIENT_EVENT" {
            let told: BTreeMap<String, String> = serde_json::from_str(&event.detail).unwrap();
            assert_eq!(told["provider"], "NOVA_PVM_VIF");
            let path = event.data.split("/uom/").nth(1).unwrap().to_owned();
            all.push([
                told["action"].clone(),
                told["mac"].clone(),
                told["type"].clone(),
                path,
            ]);
        }
    }
    all
}

#[tokio::test(start_paused = true)]
async fn agents_are_told_of_what_comes_and_goes_if_they_are_to_be() {
    for flavor in FLAVORS {
        let bench = Bench::with(simulator(flavor, Weather::Calm), announcing()).await;
        let mut events = bench.driver.session().events();
        heard(&mut events).await;
        let off = SpawnRequest {
            power_on: false,
            ..order()
        };
        bench.driver.spawn(off, &Control::default()).await.unwrap();
        let sriov: NetworkInterface = "sriov=default,mac=fa:16:3e:00:00:0a".parse().unwrap();
        let control = Control::default();
        let attached = bench.driver.attach_interface(instance(1), sriov, &control);
        let mac = attached.await.unwrap().mac.unwrap();
        let detached = bench.driver.detach_interface(instance(1), mac, &control);
        detached.await.unwrap();
        bench.destroy(1).await.unwrap();
        let all = heard(&mut events).await;
        let told: Vec<[&str; 3]> = all
            .iter()
            .map(|[action, mac, kind, _]| [action.as_str(), mac.as_str(), kind.as_str()])
            .collect();
        let expected = [
            ["plug", "FA163E000009", "pvm_sea"],
            ["plug", "FA163E00000A", "pvm_sriov"],
            ["unplug", "FA163E00000A", "pvm_sriov"],
            ["unplug", "FA163E000009", "pvm_sea"],
        ];
        let told: Vec<_> = told
            .into_iter()
            .filter(|one| expected.contains(one))
            .collect();
        assert_eq!(told, expected, "{flavor:?}");
        let is_child = |path: &str| path.starts_with("LogicalPartition/");
        assert!(all.iter().all(|[.., path]| is_child(path)), "{all:?}");
        let silent = Bench::new(flavor, DiskDriver::Ssp).await;
        let mut events = silent.driver.session().events();
        silent.spawn(1).await.unwrap();
        assert_eq!(heard(&mut events).await, [[""; 4]; 0], "{flavor:?}");
    }
}

/// A configuration with which agents are told.
fn announcing() -> Config {
    Config {
        announce_interfaces: true,
        ..config(DiskDriver::Ssp)
    }
}

/// The addresses of all interfaces of the first server.
async fn addresses(driver: &Driver) -> Vec<String> {
    let shown = driver.show(instance(1)).await.unwrap();
    let mut all: Vec<String> = shown
        .interfaces
        .iter()
        .map(|interface| interface.mac.unwrap().rest())
        .collect();
    all.sort();
    all
}

/// The addresses of the interfaces of which agents hear that they were plugged.
async fn plugged(events: &mut powervm_driver::rest::EventStream) -> Vec<String> {
    let mut all: Vec<String> = heard(events)
        .await
        .into_iter()
        .filter(|[action, ..]| action == "plug")
        .map(|[_, mac, ..]| mac)
        .collect();
    all.sort();
    all
}

#[tokio::test(start_paused = true)]
async fn agents_of_the_destination_are_told_of_a_server_that_has_come() {
    for flavor in FLAVORS {
        let hosts = Hosts::with(flavor, room(flavor), |_, _| announcing()).await;
        hosts.spawn(1).await;
        let there = hosts.destination();
        let mut events = there.session().events();
        plugged(&mut events).await;
        hosts.migrate(&hosts.order()).await.unwrap();
        let told = plugged(&mut events).await;
        assert!(!told.is_empty(), "{flavor:?}");
        assert_eq!(told, addresses(there).await, "{flavor:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn agents_are_told_of_a_server_that_comes_back_from_another_host() {
    for flavor in FLAVORS {
        let bench = Bench::with(simulator(flavor, Weather::Calm), announcing()).await;
        bench.spawn(1).await.unwrap();
        let mut events = bench.driver.session().events();
        plugged(&mut events).await;
        let mut told = Vec::new();
        for destination in [Destination::SameHost, Destination::OtherHost] {
            let left = bench.depart(destination, size(1, 1024, 1)).await.unwrap();
            let before = Before::Kept(Box::new(left.before));
            bench.revert(before, true).await.unwrap();
            told.push(plugged(&mut events).await);
        }
        assert_eq!(told, [Vec::new(), addresses(&bench.driver).await]);
    }
}
