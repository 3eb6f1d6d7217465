//! Virtual Fibre Channel: mappings, port names, physical ports, and adapters that lost their clients.

use powervm_simulator::model::command::*;
use powervm_simulator::model::job::JobTarget;
use powervm_simulator::model::names::PartitionState;
use powervm_simulator::model::vios::{Awaited, FcMapping};
use powervm_simulator::model::{Command, Facets, Flavor, Owner, Resource};
use std::sync::Arc;
use uuid::Uuid;

use super::support::{Room, hdisk, mapping};

fn on(client: Uuid, port: &str) -> FcMappingRequest {
    FcMappingRequest {
        client: Some(client),
        port: Some(port.to_owned()),
        ..FcMappingRequest::default()
    }
}

fn mappings(room: &Room, number: usize) -> Vec<Arc<FcMapping>> {
    room.vios(number).fc_mappings.values().cloned().collect()
}

fn available(room: &Room, number: usize, name: &str) -> u16 {
    let vios = room.vios(number);
    vios.available_ports(vios.fc_port(name).unwrap())
}

#[test]
fn a_mapping_gets_slots_names_and_a_port() {
    for flavor in [Flavor::NovaLink, Flavor::Hmc] {
        let mut room = Room::new(flavor);
        let client = room.partition_named("one");
        let system = room.system();
        let before = room.world.systems[&system].available_wwpns;
        room.map_fc(0, vec![on(client, "fcs0"), on(client, "fcs1")])
            .unwrap();
        let made = mappings(&room, 0);
        assert_eq!(made.len(), 2);
        assert_eq!(made[0].adapter_name(), "vfchost0");
        assert_eq!(made[1].adapter_name(), "vfchost1");
        let [first, second] = made[0].client.unwrap().wwpns;
        let prefix = room.world.systems[&system].wwpn_prefix;
        assert_eq!(first & !0xffff, prefix);
        assert_eq!(first ^ second, 1);
        assert_eq!(
            first & 1 == 0,
            flavor == Flavor::Hmc,
            "which name comes first"
        );
        assert_eq!(made[0].client.unwrap().slot, 2);
        assert_eq!(made[1].client.unwrap().slot, 3);
        assert_eq!(room.world.systems[&system].available_wwpns, before - 4);
        assert_eq!(available(&room, 0, "fcs0"), 63);
        assert_eq!(available(&room, 1, "fcs0"), 64);
        // Slots are shared with virtual SCSI and network adapters.
        room.map(0, vec![mapping(client, hdisk("hdisk7"))]).unwrap();
        let slots = room.world.used_slots(Owner::Partition(client));
        assert_eq!(slots.into_iter().collect::<Vec<_>>(), [2, 3, 4]);
    }
}

#[test]
fn posting_back_changes_nothing_and_leaving_out_removes() {
    let mut room = Room::novalink();
    let client = room.partition_named("one");
    let vios = room.vioses()[0];
    room.map_fc(0, vec![on(client, "fcs0"), on(client, "fcs1")])
        .unwrap();
    let resource = Resource::VirtualIoServer(vios);
    let facets = Facets {
        fc_mappings: true,
        ..Facets::default()
    };
    let tags = |room: &Room| {
        (
            room.world.etag(&resource, facets),
            room.world.etag(&resource, Facets::default()),
        )
    };
    let before = tags(&room);
    room.map_fc(0, Vec::new()).unwrap();
    assert_eq!(tags(&room), before);
    let mut posted = room.world.posted_fc_mappings(vios);
    posted.remove(0);
    room.post_fc_mappings(0, posted).unwrap();
    assert_ne!(tags(&room).0, before.0);
    assert_eq!(tags(&room).1, before.1, "a mapping is no part of the base");
    assert_eq!(mappings(&room, 0)[0].port.as_deref(), Some("fcs1"));
    assert_eq!(available(&room, 0, "fcs0"), 64);
    // The lowest number is given out again, the names are not.
    let old = mappings(&room, 0)[0].client.unwrap().wwpns;
    room.map_fc(0, vec![on(client, "fcs0")]).unwrap();
    let again = mappings(&room, 0)
        .into_iter()
        .find(|mapping| mapping.vfchost == 0)
        .unwrap();
    assert!(again.client.unwrap().wwpns[1] > old[0]);
}

#[test]
fn names_come_from_a_job_and_go_into_mappings() {
    let mut room = Room::novalink();
    let client = room.partition_named("one");
    let target = JobTarget::ManagedSystem(room.system());
    let job = room.submit(target, "GetNextWWPNs", &[("numberPairsRequested", "2")]);
    room.succeeded(job);
    let list = &room
        .job(job)
        .results
        .iter()
        .find(|(name, _)| name == "wwpnList")
        .unwrap()
        .1;
    let names: Vec<u64> = list
        .split(',')
        .map(|text| u64::from_str_radix(text, 16).unwrap())
        .collect();
    assert_eq!(names.len(), 4);
    let pair = [names[0], names[1]];
    let request = FcMappingRequest {
        wwpns: WwpnChoice::Given(pair),
        ..on(client, "fcs0")
    };
    room.map_fc(0, vec![request.clone()]).unwrap();
    assert_eq!(mappings(&room, 0)[0].client.unwrap().wwpns, pair);
    // The same mapping again is the one that is there, in whatever order its names come.
    let flipped = FcMappingRequest {
        wwpns: WwpnChoice::Given([pair[1], pair[0]]),
        ..request.clone()
    };
    room.post_fc_mappings(0, vec![flipped]).unwrap();
    assert_eq!(mappings(&room, 0).len(), 1);
    assert_eq!(mappings(&room, 0)[0].client.unwrap().wwpns, pair);
    // What was handed out is not made again.
    room.map_fc(1, vec![on(client, "fcs0")]).unwrap();
    let made = mappings(&room, 1)[0].client.unwrap().wwpns;
    assert!(names.iter().all(|name| !made.contains(name)), "{made:x?}");
    for count in ["0", "9", "x", "-1", ""] {
        let job = room.submit(target, "GetNextWWPNs", &[("numberPairsRequested", count)]);
        assert!(room.job(job).exception.is_some(), "{count}");
    }
}

#[test]
fn names_that_collide_are_refused() {
    let mut room = Room::novalink();
    let (one, two) = (room.partition_named("one"), room.partition_named("two"));
    let given = |wwpns| WwpnChoice::Given(wwpns);
    let request = |client, wwpns| FcMappingRequest {
        wwpns: given(wwpns),
        ..on(client, "fcs0")
    };
    room.map_fc(0, vec![request(one, [1, 2])]).unwrap();
    let physical = room.vios(0).fc_port("fcs0").unwrap().wwpn;
    for wwpns in [[1, 3], [3, 2], [4, 4], [physical, 5]] {
        let before = room.world.clone();
        room.map_fc(1, vec![request(two, wwpns)]).unwrap_err();
        assert!(room.world == before);
    }
    room.map_fc(1, vec![request(two, [3, 4])]).unwrap();
}

#[test]
fn the_pool_of_names_runs_out() {
    let mut room = Room::novalink();
    let client = room.partition_named("one");
    let system = room.system();
    Arc::make_mut(room.world.systems.get_mut(&system).unwrap()).available_wwpns = 4;
    room.map_fc(0, vec![on(client, "fcs0"), on(client, "fcs0")])
        .unwrap();
    let message = room
        .map_fc(0, vec![on(client, "fcs0")])
        .unwrap_err()
        .message;
    assert!(message.contains("world wide port names"), "{message}");
    let target = JobTarget::ManagedSystem(system);
    let job = room.submit(target, "GetNextWWPNs", &[("numberPairsRequested", "1")]);
    room.failure(job);
}

#[test]
fn ports_are_looked_up_and_counted() {
    let mut room = Room::novalink();
    let client = room.partition_named("one");
    let message = room
        .map_fc(0, vec![on(client, "fcs9")])
        .unwrap_err()
        .message;
    assert!(
        message.contains("HSCL2970") && message.contains("fcs9"),
        "{message}"
    );
    let vios = room.vioses()[0];
    let ports = |room: &mut Room, total: u16| {
        let mut vios = room.world.vioses.get_mut(&vios).unwrap();
        vios.fc_adapters[0].ports[0].total = total;
    };
    ports(&mut room, 1);
    room.map_fc(0, vec![on(client, "fcs0")]).unwrap();
    let message = room
        .map_fc(0, vec![on(client, "fcs0")])
        .unwrap_err()
        .message;
    assert!(message.contains("no virtual port left"), "{message}");
    room.post_fc_mappings(0, Vec::new()).unwrap();
    ports(&mut room, 0);
    let message = room
        .map_fc(0, vec![on(client, "fcs0")])
        .unwrap_err()
        .message;
    assert!(message.contains("NPIV"), "{message}");
}

#[test]
fn a_mapping_may_lack_a_port_and_get_one_later() {
    let mut room = Room::novalink();
    let client = room.partition_named("one");
    let bare = FcMappingRequest {
        client: Some(client),
        ..FcMappingRequest::default()
    };
    room.map_fc(0, vec![bare]).unwrap();
    assert_eq!(mappings(&room, 0)[0].port, None);
    let mut posted = room.world.posted_fc_mappings(room.vioses()[0]);
    posted[0].port = Some("fcs1".to_owned());
    room.post_fc_mappings(0, posted.clone()).unwrap();
    assert_eq!(mappings(&room, 0)[0].port.as_deref(), Some("fcs1"));
    // One that says nothing of its port keeps it.
    posted[0].port = None;
    room.post_fc_mappings(0, posted).unwrap();
    assert_eq!(mappings(&room, 0)[0].port.as_deref(), Some("fcs1"));
}

#[test]
fn nonsense_is_refused_and_changes_nothing() {
    let mut room = Room::novalink();
    let client = room.partition_named("one");
    for request in [
        FcMappingRequest {
            port: Some("fcs0".to_owned()),
            ..FcMappingRequest::default()
        },
        on(Uuid::from_u128(9), "fcs0"),
        FcMappingRequest {
            server_udid: Some("1dnothing".to_owned()),
            ..on(client, "fcs0")
        },
        FcMappingRequest {
            client_slot: SlotChoice::Given(1),
            ..on(client, "fcs0")
        },
    ] {
        room.map_fc(0, vec![request]).unwrap_err();
    }
}

#[test]
fn adapters_of_a_running_client_need_its_operating_system() {
    let mut room = Room::novalink();
    let client = room.partition_named("one");
    room.map_fc(0, vec![on(client, "fcs0")]).unwrap();
    room.power(client, "PowerOn", &[]);
    room.wait(1_000);
    assert_eq!(room.partition(client).state, PartitionState::OpenFirmware);
    let message = room
        .map_fc(0, vec![on(client, "fcs1")])
        .unwrap_err()
        .message;
    assert!(message.contains("HSCL"), "{message}");
    room.post_fc_mappings(0, Vec::new()).unwrap_err();
}

#[test]
fn a_partition_takes_its_adapters_along() {
    let mut room = Room::novalink();
    let client = room.partition_named("one");
    room.map_fc(0, vec![on(client, "fcs0")]).unwrap();
    room.map_fc(1, vec![on(client, "fcs1")]).unwrap();
    room.done(crate::support::delete_partition(client));
    assert!(mappings(&room, 0).is_empty() && mappings(&room, 1).is_empty());
    assert_eq!(available(&room, 0, "fcs0"), 64);
}

#[test]
fn adapters_that_lost_their_clients_go_on_naming_them() {
    let mut room = Room::novalink();
    let client = room.partition_named("one");
    let id = room.partition(client).id;
    let vios = room.vioses()[0];
    room.map_fc(0, vec![on(client, "fcs0"), on(client, "fcs1")])
        .unwrap();
    room.map(0, vec![mapping(client, hdisk("hdisk7"))]).unwrap();
    let slots: Vec<u16> = mappings(&room, 0)
        .iter()
        .map(|mapping| mapping.slot)
        .collect();
    let bus = room
        .vios(0)
        .buses
        .values()
        .find(|bus| bus.client.unwrap().partition == client)
        .unwrap()
        .slot;
    for (slot, any) in [(slots[0], false), (slots[1], true), (bus, false)] {
        room.done(Command::StrandAdapter { vios, slot, any });
    }
    let named = Awaited {
        partition_id: id,
        slot: 2,
    };
    assert_eq!(mappings(&room, 0)[0].connecting(), named);
    assert_eq!(mappings(&room, 0)[1].connecting(), Awaited::ANY);
    assert_eq!(room.vios(0).buses[&bus].remote().partition_id, id);
    assert!(room.world.fc_client_adapters(client).is_empty());
    // They survive a POST of what was read, and go when they are left out.
    room.map_fc(0, Vec::new()).unwrap();
    room.map(0, Vec::new()).unwrap();
    assert_eq!(mappings(&room, 0).len(), 2);
    room.done(crate::support::delete_partition(client));
    assert_eq!(mappings(&room, 0).len(), 2, "orphans are nobody's");
    room.post_fc_mappings(0, Vec::new()).unwrap();
    let mut posted = room.world.posted_mappings(vios);
    posted.retain(|mapping| mapping.client.is_some());
    room.post_mappings(0, posted).unwrap();
    assert!(mappings(&room, 0).is_empty() && !room.vios(0).buses.contains_key(&bus));
    room.refused(Command::StrandAdapter {
        vios,
        slot: 99,
        any: false,
    });
}

#[test]
fn a_bus_is_a_resource() {
    let mut room = Room::novalink();
    let client = room.partition_named("one");
    let vios = room.vioses()[0];
    let device = |storage| ScsiMapping {
        storage: Some(storage),
        ..ScsiMapping::default()
    };
    let create = CreateScsiBus {
        vios,
        client,
        client_slot: SlotChoice::Given(9),
        server_slot: SlotChoice::Next,
        devices: vec![device(hdisk("hdisk7")), device(hdisk("hdisk8"))],
    };
    let Resource::VirtualScsiBus { slot, .. } = (match room.done(Command::CreateScsiBus(create)) {
        powervm_simulator::model::Outcome::Written(resource) => resource,
        other => panic!("{other:?}"),
    }) else {
        panic!("no bus");
    };
    let bus = powervm_simulator::model::vios::bus_uuid(vios, slot);
    let names = |room: &Room| -> Vec<String> {
        let bus = &room.vios(0).buses[&slot];
        bus.devices
            .iter()
            .map(|device| device.target.clone())
            .collect()
    };
    assert_eq!(names(&room).len(), 2);
    assert_eq!(room.vios(0).buses[&slot].client.unwrap().slot, 9);
    let resource = Resource::VirtualScsiBus { vios, slot };
    let tag = room.world.etag(&resource, Facets::default());
    let update = UpdateScsiBus {
        vios,
        bus,
        devices: vec![device(hdisk("hdisk8")), device(hdisk("hdisk9"))],
    };
    room.done(Command::UpdateScsiBus(update.clone()));
    assert_eq!(names(&room).len(), 2);
    assert_ne!(room.world.etag(&resource, Facets::default()), tag);
    let other = room.partition_named("two");
    room.map(0, vec![mapping(other, hdisk("hdisk10"))]).unwrap();
    let tag = room.world.etag(&resource, Facets::default());
    room.done(Command::UpdateScsiBus(UpdateScsiBus {
        devices: Vec::new(),
        ..update.clone()
    }));
    assert!(names(&room).is_empty());
    assert_ne!(room.world.etag(&resource, Facets::default()), tag);
    room.done(Command::DeleteScsiBus { vios, bus });
    assert!(!room.vios(0).buses.contains_key(&slot));
    assert!(
        room.vios(0)
            .buses
            .values()
            .any(|bus| bus.client.unwrap().partition == other)
    );
    room.refused(Command::DeleteScsiBus { vios, bus });
    room.refused(Command::UpdateScsiBus(update));
}
