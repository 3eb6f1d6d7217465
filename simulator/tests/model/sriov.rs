//! SR-IOV ports, logical ports and virtual NICs.

use powervm_simulator::model::command::*;
use powervm_simulator::model::job::JobTarget;
use powervm_simulator::model::names::*;
use powervm_simulator::model::sriov::{Percent, Vnic};
use powervm_simulator::model::{Command, Facets, Flavor, Outcome, Owner, Resource};
use std::sync::Arc;
use uuid::Uuid;

use super::support::{Room, delete_partition};

fn percent(text: &str) -> Option<Percent> {
    Some(Percent::parse(text).unwrap())
}

fn port(room: &mut Room, owner: Owner, change: impl FnOnce(&mut CreateLogicalPort)) -> Uuid {
    let mut request = CreateLogicalPort::on(owner, 1, 0);
    change(&mut request);
    match room.done(Command::CreateLogicalPort(request)) {
        Outcome::Written(Resource::SriovEthernetLogicalPort { port, .. }) => port,
        other => panic!("{other:?}"),
    }
}

fn device(vios: Uuid, port: u16) -> BackingDeviceRequest {
    BackingDeviceRequest {
        vios,
        adapter: 1,
        port,
        capacity: None,
        maximum_capacity: None,
        priority: None,
        logical_port: None,
    }
}

fn nic(partition: Uuid, backing: Vec<BackingDeviceRequest>) -> CreateVnic {
    CreateVnic {
        partition,
        slot: SlotChoice::Next,
        mac: None,
        vlan: 0,
        vlan_priority: 0,
        allowed_vlans: None,
        allowed_os_macs: None,
        auto_failover: None,
        backing,
    }
}

fn make(room: &mut Room, request: CreateVnic) -> Uuid {
    match room.done(Command::CreateVnic(request)) {
        Outcome::Written(Resource::VirtualNic { vnic, .. }) => vnic,
        other => panic!("{other:?}"),
    }
}

fn update(partition: Uuid, vnic: Uuid) -> UpdateVnic {
    UpdateVnic {
        partition,
        vnic,
        vlan: None,
        vlan_priority: None,
        allowed_vlans: None,
        allowed_os_macs: None,
        auto_failover: None,
        backing: None,
    }
}

fn read(room: &Room, partition: Uuid, vnic: Uuid) -> Vnic {
    room.world.vnic(partition, vnic).unwrap().clone()
}

/// The backing devices as a client reads and posts them.
fn posted(vnic: &Vnic) -> Vec<BackingDeviceRequest> {
    let devices = vnic.backing.iter();
    devices
        .map(|backing| BackingDeviceRequest {
            logical_port: Some(backing.port),
            priority: Some(backing.priority),
            ..device(backing.vios, 0)
        })
        .collect()
}

fn set_link(room: &mut Room, port: usize, link: bool) {
    let system = room.system();
    let system = room.world.systems.get_mut(&system).map(Arc::make_mut);
    system.unwrap().sriov_adapters[0].ports[port].link = link;
}

#[test]
fn a_logical_port_is_named_as_recorded() {
    let mut room = Room::novalink();
    let owner = Owner::Partition(room.partition_named("one"));
    let first = port(&mut room, owner, |_| {});
    let second = port(&mut room, owner, |port| port.port = 2);
    let read = |uuid| room.world.logical_port(owner, uuid).unwrap();
    assert_eq!(
        (read(first).drc_index(), read(first).drc_name().as_str()),
        (654_327_809, "PHB 4097")
    );
    assert_eq!(
        (read(second).drc_index(), read(second).drc_name().as_str()),
        (654_327_810, "PHB 4098")
    );
    assert!(
        room.world
            .logical_port_location(room.system(), read(second))
            .ends_with("-P1-C8-T3-S2")
    );
    assert_eq!(
        (read(first).configuration, read(second).configuration),
        (0, 1)
    );
    assert_eq!(read(first).capacity.to_string(), "2.0");
    assert_eq!(room.world.unconfigured_ports(room.system(), 1).len(), 46);
}

#[test]
fn capacity_has_rules() {
    let mut room = Room::novalink();
    let owner = Owner::Partition(room.partition_named("one"));
    port(&mut room, owner, |port| {
        port.capacity = percent("60");
        port.promiscuous = true;
        port.configuration = Some(7);
    });
    type Change = fn(&mut CreateLogicalPort);
    let refusals: [(&str, Change); 9] = [
        ("HSCL1293", |port| port.capacity = percent("42")),
        ("HSCL1294", |port| port.capacity = percent("3")),
        ("HSCL1295", |port| port.capacity = percent("0.5")),
        ("HSCL1295", |port| port.capacity = percent("102")),
        ("HSCL1295", |port| port.maximum_capacity = percent("1.5")),
        ("HSCL1257", |port| port.promiscuous = true),
        ("HSCL1288", |port| port.configuration = Some(7)),
        ("no SR-IOV adapter", |port| port.adapter = 2),
        ("no physical port 9", |port| port.port = 9),
    ];
    for (code, change) in refusals {
        let mut request = CreateLogicalPort::on(owner, 1, 0);
        change(&mut request);
        let message = room.refused(Command::CreateLogicalPort(request));
        assert!(message.contains(code), "{code}: {message}");
        if code.starts_with("HSCL12") {
            assert!(message.contains("HSCL127D"), "{message}");
        }
    }
    for vlan in [1, 4095] {
        let request = CreateLogicalPort {
            vlan,
            ..CreateLogicalPort::on(owner, 1, 0)
        };
        room.refused(Command::CreateLogicalPort(request));
    }
    port(&mut room, owner, |port| port.capacity = percent("40"));
    assert_eq!(
        room.world.allocated_capacity(room.system(), 1, 0),
        Percent::WHOLE
    );
    // Port 2 takes four logical ports.
    for _ in 0..4 {
        port(&mut room, owner, |port| port.port = 2);
    }
    let message = room.refused(Command::CreateLogicalPort(CreateLogicalPort::on(
        owner, 1, 2,
    )));
    assert!(message.contains("maximum of 4"), "{message}");
}

#[test]
fn a_logical_port_of_a_server_can_be_bridged() {
    let mut room = Room::novalink();
    let (system, server) = (room.system(), room.vioses()[0]);
    let owner = Owner::Vios(server);
    let plain = port(&mut room, owner, |_| {});
    let promiscuous = port(&mut room, owner, |port| port.promiscuous = true);
    let name = |uuid: Uuid| {
        let port = room.world.logical_port(owner, uuid).unwrap();
        port.device.clone().unwrap()
    };
    let create = |device: String| {
        Command::CreateNetworkBridge(CreateNetworkBridge {
            system,
            vlan: 600,
            failover: None,
            load_balancing: false,
            control_channel: None,
            adapters: vec![SharedEthernetRequest {
                vios: Some(server),
                backing_device: Some(device),
                ..SharedEthernetRequest::default()
            }],
        })
    };
    let (plain_name, promiscuous_name) = (name(plain), name(promiscuous));
    assert!(room.refused(create(plain_name)).contains("not promiscuous"));
    let Outcome::Written(Resource::NetworkBridge { bridge, .. }) =
        room.done(create(promiscuous_name.clone()))
    else {
        panic!("no bridge");
    };
    assert!(room.refused(create(promiscuous_name)).contains("in use"));
    let delete = Command::DeleteLogicalPort {
        owner,
        port: promiscuous,
    };
    assert!(
        room.refused(delete.clone())
            .contains("behind a shared Ethernet adapter")
    );
    room.done(Command::DeleteNetworkBridge { system, bridge });
    room.done(delete);
}

#[test]
fn a_virtual_nic_brings_logical_ports() {
    let mut room = Room::novalink();
    let before = room.world.listing();
    let client = room.partition_named("one");
    let servers = room.vioses();
    let mut request = nic(client, vec![device(servers[0], 0), device(servers[1], 1)]);
    (request.vlan, request.allowed_vlans) = (7, Some("NONE".to_owned()));
    request.backing[1].capacity = percent("4");
    let made = make(&mut room, request);
    let vnic = read(&room, client, made);
    assert_eq!(
        (vnic.slot, vnic.mac),
        (2, room.partition(client).mac_prefix | 2)
    );
    assert_eq!(vnic.backing.len(), 2);
    for backing in &vnic.backing {
        let port = room
            .world
            .logical_port(Owner::Vios(backing.vios), backing.port)
            .unwrap();
        assert_eq!(port.usage(), LogicalPortUsage::DedicatedVnic);
        assert_eq!((port.vlan, port.allowed_vlans.as_str()), (7, "NONE"));
        let owner = Owner::Vios(backing.vios);
        let port = backing.port;
        let message = room.world.clone();
        let refusal = message
            .clone()
            .apply(room.now, Command::DeleteLogicalPort { owner, port })
            .unwrap_err();
        assert!(refusal.message.contains("backs a virtual NIC"), "{refusal}");
    }
    // Its slot is one of the partition's.
    let adapter = room.plug(Owner::Partition(client), |_| {}).unwrap();
    let adapter = room
        .world
        .network_adapter(Owner::Partition(client), adapter);
    assert_eq!(adapter.unwrap().slot, 3);

    let mut devices = posted(&vnic);
    devices.remove(0);
    devices.push(BackingDeviceRequest {
        priority: Some(10),
        ..device(servers[0], 2)
    });
    room.done(Command::UpdateVnic(UpdateVnic {
        vlan: Some(8),
        backing: Some(devices),
        ..update(client, made)
    }));
    let changed = read(&room, client, made);
    assert_eq!(changed.backing[0], vnic.backing[1]);
    assert!(
        room.world
            .logical_port(Owner::Vios(servers[0]), vnic.backing[0].port)
            .is_none()
    );
    for backing in &changed.backing {
        let port = room
            .world
            .logical_port(Owner::Vios(backing.vios), backing.port)
            .unwrap();
        assert_eq!(port.vlan, 8);
    }
    assert_eq!(room.world.backing_devices_of(servers[0]).count(), 1);

    room.done(delete_partition(client));
    assert_eq!(room.world.listing(), before);
}

#[test]
fn the_active_device_is_the_preferred_one_that_is_well() {
    let mut room = Room::novalink();
    let client = room.partition_named("one");
    let servers = room.vioses();
    let mut backing = vec![device(servers[0], 0), device(servers[1], 1)];
    (backing[0].priority, backing[1].priority) = (Some(20), Some(10));
    let made = make(&mut room, nic(client, backing));
    let shown = |room: &Room| -> Vec<(BackingState, bool)> {
        let statuses = room
            .world
            .backing_statuses(room.world.vnic(client, made).unwrap());
        statuses
            .iter()
            .map(|status| (status.state, status.active))
            .collect()
    };
    let resource = Resource::VirtualNic {
        partition: client,
        vnic: made,
    };
    let tag = room.world.etag(&resource, Facets::default());
    let well = BackingState::Operational;
    assert_eq!(shown(&room), [(well, false), (well, true)]);
    set_link(&mut room, 1, false);
    assert_eq!(
        shown(&room),
        [(well, true), (BackingState::LinkDown, false)]
    );
    assert_ne!(room.world.etag(&resource, Facets::default()), tag);
    set_link(&mut room, 0, false);
    assert_eq!(
        shown(&room),
        [
            (BackingState::LinkDown, false),
            (BackingState::LinkDown, true)
        ]
    );
    set_link(&mut room, 1, true);
    room.submit(
        JobTarget::VirtualIoServer(servers[1]),
        "PowerOff",
        &[("operation", "shutdown"), ("immediate", "true")],
    );
    room.wait(600_000);
    assert_eq!(shown(&room)[1].0, BackingState::PoweredOff);
    let message = room.refused(Command::CreateVnic(nic(
        client,
        vec![device(servers[1], 0)],
    )));
    assert!(message.contains("does not run"), "{message}");
}

#[test]
fn virtual_nics_have_limits() {
    let mut room = Room::novalink();
    let client = room.partition_named("one");
    let server = room.vioses()[0];
    for (change, why) in [
        (vec![], "1 to 6 backing devices"),
        (vec![device(server, 0); 7], "1 to 6 backing devices"),
        (vec![device(Uuid::from_u128(3), 0)], "does not exist"),
        (
            vec![BackingDeviceRequest {
                priority: Some(0),
                ..device(server, 0)
            }],
            "failover priority 0",
        ),
    ] {
        let message = room.refused(Command::CreateVnic(nic(client, change)));
        assert!(message.contains(why), "{message}");
    }
    let mut request = nic(client, vec![device(server, 0)]);
    request.allowed_vlans = Some("7 x".to_owned());
    room.refused(Command::CreateVnic(request));
    let made = make(&mut room, nic(client, vec![device(server, 0)]));
    let message = room.refused(Command::UpdateVnic(UpdateVnic {
        backing: Some(Vec::new()),
        ..update(client, made)
    }));
    assert!(message.contains("1 to 6"), "{message}");
    // A refused second device leaves nothing of the first behind; `refused` compares the worlds.
    let full = BackingDeviceRequest {
        capacity: percent("100"),
        ..device(server, 0)
    };
    let message = room.refused(Command::CreateVnic(nic(
        client,
        vec![device(server, 1), full],
    )));
    assert!(message.contains("HSCL1293"), "{message}");
}

#[test]
fn labels_and_limits_of_physical_ports() {
    let mut room = Room::novalink();
    let system = room.system();
    let index = room.world.systems[&system].sriov_adapters[0].drc_index;
    let change = |port: SriovPortChange| {
        Command::UpdateSystem(UpdateSystem {
            name: None,
            system,
            adapters: vec![SriovAdapterChange {
                drc_index: index,
                mode: None,
                ports: vec![port],
            }],
        })
    };
    let resource = Resource::ManagedSystem(system);
    let tag = room.world.etag(&resource, Facets::default());
    room.done(change(SriovPortChange {
        id: 1,
        label: Some("blue".to_owned()),
        sublabel: Some("left".to_owned()),
        jumbo_frames: Some(true),
        ..SriovPortChange::default()
    }));
    let port = |room: &Room| {
        room.world.systems[&system]
            .sriov_port(1, 1)
            .unwrap()
            .clone()
    };
    assert_eq!(port(&room).settings.label, "blue");
    assert!(port(&room).settings.jumbo_frames);
    assert_ne!(room.world.etag(&resource, Facets::default()), tag);
    let events = room.world.events.clone();
    assert!(format!("{events:?}").contains("SRIOVPhysicalPort.ConfigChange"));
    for (bad, why) in [
        (
            SriovPortChange {
                id: 1,
                label: Some("x".repeat(17)),
                ..SriovPortChange::default()
            },
            "at most 16",
        ),
        (
            SriovPortChange {
                id: 1,
                maximum_ports: Some(21),
                ..SriovPortChange::default()
            },
            "at most 20",
        ),
    ] {
        let message = room.refused(change(bad));
        assert!(message.contains(why), "{message}");
    }
    let owner = Owner::Partition(room.partition_named("one"));
    port_on(&mut room, owner, 1);
    let message = room.refused(change(SriovPortChange {
        id: 1,
        maximum_ports: Some(0),
        ..SriovPortChange::default()
    }));
    assert!(message.contains("has 1 logical ports"), "{message}");
    room.done(change(SriovPortChange {
        id: 1,
        label: Some(String::new()),
        ..SriovPortChange::default()
    }));
    assert_eq!(port(&room).settings.label, "");
}

fn port_on(room: &mut Room, owner: Owner, number: u16) -> Uuid {
    port(room, owner, |port| port.port = number)
}

#[test]
fn an_adapter_is_given_back_when_nobody_uses_it() {
    let mut room = Room::new(Flavor::Hmc);
    let system = room.system();
    let index = room.world.systems[&system].sriov_adapters[0].drc_index;
    let owner = Owner::Partition(room.partition_named("one"));
    let made = port_on(&mut room, owner, 0);
    let mode = |room: &mut Room, operation: &str| {
        let index = index.to_string();
        room.submit(
            JobTarget::ManagedSystem(system),
            "ModifySRIOVAdapterMode",
            &[("adapterId", &index), ("operation", operation)],
        );
        room.wait(60_000);
        let adapter = &room.world.systems[&system].sriov_adapters[0];
        (adapter.mode, adapter.state, adapter.id)
    };
    let shared = (SriovMode::Sriov, SriovState::Running, Some(1));
    assert_eq!(mode(&mut room, "remove"), shared);
    room.done(Command::DeleteLogicalPort { owner, port: made });
    assert_eq!(
        mode(&mut room, "remove"),
        (SriovMode::Dedicated, SriovState::NotConfigured, None)
    );
    let message = room.refused(Command::CreateLogicalPort(CreateLogicalPort::on(
        owner, 1, 0,
    )));
    assert!(message.contains("HSCL127D"), "{message}");
    assert_eq!(mode(&mut room, "add"), shared);
}
