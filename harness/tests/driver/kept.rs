//! Slot maps and NVRAM that are kept, and servers that are made anew with them.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::cloud::{self, Cloud, Ill};
use crate::hosts::*;
use crate::storage::*;
use crate::support::*;
use powervm_driver::config::{DiskDriver, StoreOptions};
use powervm_driver::network::NetworkInterface;
use powervm_driver::operations::{Control, DestroyRequest, Driver, SpawnRequest, Stop};
use powervm_driver::partition::slots::{Occupant, SlotMap};
use powervm_driver::rest::{Groups, ServiceTransport};
use powervm_driver::store::{MemoryStore, Store, SwiftOptions, SwiftStore};
use powervm_driver::{Error, ErrorKind};
use powervm_harness::storage::Protocol;
use powervm_schema::partition::LogicalPartition;
use powervm_simulator::Flavor;
use powervm_simulator::weather::Rule;
use secrecy::SecretString;

async fn keeping(flavor: Flavor, disk: DiskDriver) -> (Bench, MemoryStore) {
    let store = MemoryStore::default();
    let bench = Bench::new(flavor, disk).await;
    let driver = bench.driver.clone().keeping_in(store.clone());
    (Bench { driver, ..bench }, store)
}

async fn kept(driver: &Driver) -> SlotMap {
    driver.slot_map(instance(1)).await.unwrap().unwrap()
}

/// The slots of disks and interfaces, without addresses on buses.
fn seats(map: &SlotMap) -> BTreeSet<(u32, String)> {
    let all = map
        .slots
        .iter()
        .flat_map(|(slot, all)| all.iter().map(|occupant| (*slot, occupant)));
    all.map(|(slot, occupant)| match occupant {
        Occupant::Adapter { mac, .. } | Occupant::VirtualNic { mac } => (slot, mac.to_string()),
        Occupant::Disk { disk, .. } => (slot, disk.clone()),
        Occupant::Port { names } => (slot, format!("{names:?}")),
    })
    .collect()
}

async fn write_nvram(driver: &Driver, text: &str) {
    let path = format!("LogicalPartition/{}", partition(1));
    let groups = Groups::Named(&["NVRAM"]);
    let mut entry = driver.session().get_entry(&path, groups).await.unwrap();
    LogicalPartition(&mut entry.content)
        .partition_mut()
        .set_nvram(text);
    let etag = entry.etag.as_deref();
    let posted = driver
        .session()
        .post(&path, groups, &entry.content, etag)
        .await;
    posted.unwrap();
}

async fn nvram(driver: &Driver) -> Option<String> {
    let path = format!("LogicalPartition/{}", partition(1));
    let groups = Groups::Named(&["NVRAM"]);
    let entry = driver.session().get_entry(&path, groups).await.unwrap();
    let document = LogicalPartition(&entry.content);
    document.partition().nvram().map(str::to_owned)
}

#[tokio::test(start_paused = true)]
async fn slots_are_kept_as_they_change_and_go_with_the_server() {
    for flavor in FLAVORS {
        let (bench, store) = keeping(flavor, DiskDriver::Ssp).await;
        let san = San::new(&bench, 1, Protocol::FibreChannel).await;
        ready(&bench, true).await;
        let first = kept(&bench.driver).await;
        let disks = |map: &SlotMap, name: &str| {
            let seats = seats(map);
            seats.iter().filter(|(_, what)| what == name).count()
        };
        assert_eq!(disks(&first, "boot"), 2, "{flavor:?}: {first:?}");
        let volume = san.attach(&bench, 0..1).await.unwrap().volumes.remove(0);
        let udid = volume.target_udid.unwrap();
        assert_eq!(disks(&kept(&bench.driver).await, &udid), 2);
        let mac = "fa:16:3e:01:02:03";
        let interface = NetworkInterface {
            mac: Some(mac.parse().unwrap()),
            ..NetworkInterface::on_vlan(1)
        };
        let control = Control::default();
        let attach = bench
            .driver
            .attach_interface(instance(1), interface, &control);
        let told = attach.await.unwrap();
        let slots = kept(&bench.driver).await;
        assert!(seats(&slots).contains(&(told.slot.unwrap(), mac.to_owned())));
        let detach = bench
            .driver
            .detach_interface(instance(1), mac.parse().unwrap(), &control);
        detach.await.unwrap();
        san.detach(&bench, 0..1).await.unwrap();
        assert_eq!(kept(&bench.driver).await, first);
        // In a shared pool, what others rely on outlives the partition as long as its disks do.
        let keep_disks = DestroyRequest {
            destroy_disks: false,
            ..DestroyRequest::of(instance(1))
        };
        bench.driver.destroy(keep_disks, &control).await.unwrap();
        assert_eq!(kept(&bench.driver).await, first);
        bench.destroy(1).await.unwrap();
        assert_eq!(store.names(), Vec::<String>::new());
        bench.assert_sound();
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_is_kept_of_a_deploy_that_failed() {
    let (bench, store) = keeping(Flavor::Hmc, DiskDriver::Ssp).await;
    let before = bench.world().await;
    let rule = Rule::new("PUT", "*do/PowerOn*").answer(500, "no", "HSCL9999 no");
    bench.simulator.faults().add(rule).unwrap();
    let error = bench.spawn(1).await.unwrap_err();
    assert!(matches!(error, Error::Saga(_)));
    assert_eq!(store.names(), Vec::<String>::new());
    assert_as_before(before, bench.world().await, "failed");
}

#[tokio::test(start_paused = true)]
async fn without_a_store_nothing_is_kept_and_that_is_said() {
    let bench = Bench::new(Flavor::NovaLink, DiskDriver::Ssp).await;
    bench.spawn(1).await.unwrap();
    for error in [
        bench.driver.slot_map(instance(1)).await.unwrap_err(),
        bench.driver.keep(instance(1)).await.unwrap_err(),
        bench.driver.forget_kept(instance(1)).await.unwrap_err(),
    ] {
        assert!(error.to_string().contains("nvram_store"), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn nvram_is_kept_when_it_changes_and_when_the_power_does() {
    for flavor in FLAVORS {
        let (bench, store) = keeping(flavor, DiskDriver::Ssp).await;
        bench.spawn(1).await.unwrap();
        assert!(!bench.driver.has_nvram(instance(1)).await.unwrap());
        let mut events = bench.driver.lifecycle();
        let listening = tokio::spawn(async move { while events.next().await.is_some() {} });
        tokio::time::sleep(std::time::Duration::from_secs(60)).await;
        write_nvram(&bench.driver, "Zmlyc3Q=").await;
        write_nvram(&bench.driver, "c2Vjb25k").await;
        tokio::time::sleep(std::time::Duration::from_secs(120)).await;
        let name = partition(1).as_uuid().to_string();
        assert_eq!(
            store.get(&name).await.unwrap().unwrap(),
            "c2Vjb25k",
            "{flavor:?}"
        );
        listening.abort();
        write_nvram(&bench.driver, "dGhpcmQ=").await;
        let control = Control::default();
        bench
            .driver
            .stop(instance(1), Stop::Hard, &control)
            .await
            .unwrap();
        assert_eq!(store.get(&name).await.unwrap().unwrap(), "dGhpcmQ=");
        bench.destroy(1).await.unwrap();
        assert_eq!(store.get(&name).await.unwrap(), None);
    }
}

#[tokio::test(start_paused = true)]
async fn of_a_server_that_moved_the_slots_are_kept_that_it_has_there() {
    for flavor in FLAVORS {
        let store = MemoryStore::default();
        let mut hosts = Hosts::new(flavor).await;
        for driver in &mut hosts.drivers {
            *driver = driver.clone().keeping_in(store.clone());
        }
        hosts.spawn(1).await;
        for name in store.names() {
            store.delete(&name).await.unwrap();
        }
        hosts.migrate(&hosts.order()).await.unwrap();
        let there = hosts.destination();
        let kept = kept(there).await;
        assert!(!kept.slots.is_empty(), "{flavor:?}");
        assert_eq!(kept, there.keep(instance(1)).await.unwrap().0, "{flavor:?}");
    }
}

fn evacuated() -> SpawnRequest {
    SpawnRequest {
        image: None,
        networks: vec![NetworkInterface::on_vlan(1), NetworkInterface::on_vlan(100)],
        ..request(1)
    }
}

/// Two hosts that keep what they know in one store, and a server on the first that is gone but for its disks.
async fn lost(
    flavor: Flavor,
    text: &str,
) -> (
    Hosts,
    MemoryStore,
    SlotMap,
    powervm_driver::volume::Connection,
) {
    let store = MemoryStore::default();
    let (hosts, slots, volume) = lost_with(flavor, text, || store.clone()).await;
    (hosts, store, slots, volume)
}

/// The same, each host with a client of its own of whatever keeps.
async fn lost_with<S: Store + 'static>(
    flavor: Flavor,
    text: &str,
    store: impl Fn() -> S,
) -> (Hosts, SlotMap, powervm_driver::volume::Connection) {
    let mut hosts = Hosts::new(flavor).await;
    for driver in &mut hosts.drivers {
        *driver = driver.clone().keeping_in(store());
    }
    let request = SpawnRequest {
        image: Some(image()),
        ..evacuated()
    };
    hosts.spawn_as(request).await;
    let shown = hosts.volume(Protocol::FibreChannel).await;
    hosts.attach(&shown.0).await;
    let control = Control::default();
    // The first interface goes, and leaves a hole.
    let first = hosts.source().show(instance(1)).await.unwrap().interfaces;
    let first = first
        .iter()
        .find(|own| own.vlan == Some(1))
        .unwrap()
        .mac
        .unwrap();
    let source = hosts.source();
    source
        .detach_interface(instance(1), first, &control)
        .await
        .unwrap();
    let again = NetworkInterface {
        mac: Some(first),
        ..NetworkInterface::on_vlan(1)
    };
    source
        .attach_interface(instance(1), again, &control)
        .await
        .unwrap();
    source
        .stop(instance(1), Stop::Hard, &control)
        .await
        .unwrap();
    write_nvram(source, text).await;
    let (slots, _) = source.keep(instance(1)).await.unwrap();
    let removal = DestroyRequest {
        destroy_disks: false,
        ..DestroyRequest::of(instance(1))
    };
    source.destroy(removal, &control).await.unwrap();
    (hosts, slots, shown.1)
}

/// As it goes with OpenStack's object store, whose token expires meanwhile and which is busy once.
#[tokio::test(start_paused = true)]
async fn a_server_is_evacuated_with_what_swift_has_kept() {
    for flavor in FLAVORS {
        let cloud = Cloud::default();
        let options = StoreOptions {
            swift_auth_url: "http://keystone:5000/v3".to_owned(),
            ..StoreOptions::default()
        };
        let store = || {
            let password = SecretString::from(cloud::PASSWORD);
            let options = SwiftOptions::with_password(&options, password).unwrap();
            SwiftStore::through(options, Arc::new(ServiceTransport::new(cloud.router())))
        };
        let (hosts, slots, volume) = lost_with(flavor, "Ym9vdCBvcmRlcg==", store).await;
        let id = partition(1).as_uuid();
        let object = |name: &str| cloud.object("powervm_nvram", name);
        let map = object(&format!("{id}_slot_map")).unwrap();
        assert_eq!(map, slots.to_json());
        assert_eq!(object(&id.to_string()).unwrap(), "Ym9vdCBvcmRlcg==");
        let there = hosts.destination();
        let request = || SpawnRequest {
            volumes: vec![volume.clone()],
            ..evacuated()
        };
        let control = Control::default();
        // While nobody can tell the slots that it had, it is not made with others.
        let before = hosts.world().await;
        cloud.befall([Ill::Refuse(503); 8]);
        let refused = there.evacuate(request(), None, &control).await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Busy, "{refused}");
        assert_same(&before, &hosts.world().await, "refused");
        cloud.befall([Ill::Refuse(503)]);
        cloud.expire();
        let server = there.evacuate(request(), None, &control).await.unwrap();
        assert_eq!(server.summary.state, "running");
        assert_eq!(kept(there).await.slots, slots.slots, "{flavor:?}");
        assert_eq!(nvram(there).await.as_deref(), Some("Ym9vdCBvcmRlcg=="));
        hosts.assert_sound();
        there
            .destroy(DestroyRequest::of(instance(1)), &control)
            .await
            .unwrap();
        assert_eq!(object(&format!("{id}_slot_map")), None);
        assert_eq!(object(&id.to_string()), None);
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_is_evacuated_into_the_slots_that_it_had() {
    for flavor in FLAVORS {
        let (hosts, _, slots, volume) = lost(flavor, "Ym9vdCBvcmRlcg==").await;
        let there = hosts.destination();
        let request = SpawnRequest {
            volumes: vec![volume],
            ..evacuated()
        };
        let control = Control::default();
        let server = there.evacuate(request, None, &control).await.unwrap();
        assert_eq!(server.summary.state, "running");
        let now = kept(there).await;
        assert_eq!(seats(&now), seats(&slots), "{flavor:?}");
        assert_eq!(now.slots, slots.slots, "the addresses on the buses as well");
        assert_eq!(nvram(there).await.as_deref(), Some("Ym9vdCBvcmRlcg=="));
        hosts.assert_sound();
        // Once more, on the same host: with the same slots again.
        let (again, _) = there.keep(instance(1)).await.unwrap();
        assert_eq!(again.max_slots, now.max_slots);
    }
}

#[tokio::test(start_paused = true)]
async fn an_evacuation_without_anything_kept_of_the_server_works() {
    let (hosts, store, _, _) = lost(Flavor::NovaLink, "Ym9vdA==").await;
    for name in store.names() {
        store.delete(&name).await.unwrap();
    }
    let there = hosts.destination();
    let server = there
        .evacuate(evacuated(), None, &Control::default())
        .await
        .unwrap();
    assert_eq!(server.summary.state, "running");
    assert_eq!(nvram(there).await, None);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_had_more_paths_is_not_evacuated_and_nothing_is_left() {
    let (hosts, store, mut slots, _) = lost(Flavor::Hmc, "Ym9vdA==").await;
    let before = hosts.world().await;
    for slot in [40, 41, 42] {
        let disk = "boot".to_owned();
        slots.put(
            slot,
            Occupant::Disk {
                disk,
                address: None,
            },
        );
    }
    let name = format!("{}_slot_map", partition(1).as_uuid());
    store.put(&name, slots.to_json().into()).await.unwrap();
    let there = hosts.destination();
    let control = Control::default();
    let error = there
        .evacuate(evacuated(), None, &control)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Precondition);
    assert!(error.to_string().contains("Virtual I/O Server"), "{error}");
    assert_same(&before, &hosts.world().await, "refused");
    assert_eq!(kept(there).await, slots, "what is kept stays");
    store.put(&name, "a pickle".into()).await.unwrap();
    let error = there
        .evacuate(evacuated(), None, &control)
        .await
        .unwrap_err();
    assert!(error.to_string().contains("no slot map"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_evacuated_is_refused_before_anything_is_touched() {
    let bench = Bench::new(Flavor::NovaLink, DiskDriver::LocalDisk).await;
    let before = bench.world().await;
    let control = Control::default();
    let error = bench
        .driver
        .evacuate(evacuated(), None, &control)
        .await
        .unwrap_err();
    assert!(error.to_string().contains("volume group"), "{error}");
    let error = bench
        .driver
        .evacuate(request(1), None, &control)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    let bench_ssp = Bench::new(Flavor::Hmc, DiskDriver::Ssp).await;
    let error = bench_ssp
        .driver
        .evacuate(evacuated(), None, &control)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    bench_ssp.spawn(1).await.unwrap();
    let error = bench_ssp
        .driver
        .evacuate(evacuated(), None, &control)
        .await
        .unwrap_err();
    assert!(matches!(
        error.kind(),
        ErrorKind::Exists | ErrorKind::Precondition
    ));
    assert_same(&before, &bench.world().await, "refused");
}
