//! Networks on the target.

use super::*;

#[test]
fn networks_have_to_be_there_too() {
    let mut pair = Pair::new();
    let client = pair.running("one");
    let switch = match pair.room.done(Command::CreateSwitch {
        system: pair.source,
        name: "PRIVATE".to_owned(),
        mode: SwitchMode::Veb,
    }) {
        Outcome::Written(Resource::VirtualSwitch { switch, .. }) => switch,
        other => panic!("{other:?}"),
    };
    let odd = pair
        .room
        .plug(Owner::Partition(client), |create| {
            create.switch = Some(switch)
        })
        .unwrap();
    assert!(pair.refused(client, &[]).contains("PRIVATE"));
    pair.room.done(Command::DeleteNetworkAdapter {
        owner: Owner::Partition(client),
        adapter: odd,
    });
    let mac = pair
        .room
        .partition(client)
        .network_adapters
        .values()
        .next()
        .unwrap()
        .mac_text();
    // VLAN 777 is bridged nowhere on the target, though that matters only for VLANs that were bridged.
    let mapped = format!("{mac}/777");
    let text = pair.refused(client, &[("VlanMappings", "0123456789AB/5")]);
    assert!(text.contains("0123456789AB"));
    let job = pair.migrate(
        client,
        &[("VlanMappings", &mapped), ("VLANBridgeOverride", "2")],
    );
    pair.room.succeeded(job);
    let moved = pair
        .room
        .partition(client)
        .network_adapters
        .values()
        .next()
        .unwrap();
    assert_eq!((moved.vlan, moved.mac_text()), (777, mac));
    let networks = &pair.room.world.systems[&pair.target].switches;
    assert!(networks.contains_key(&moved.switch));
}

#[test]
fn a_vlan_that_was_bridged_has_to_be_bridged_again() {
    let mut pair = Pair::new();
    let client = pair.running("one");
    for number in 0..2 {
        let server = pair.server(pair.target, number);
        let bridges: Vec<Uuid> = pair.room.world.systems[&pair.target]
            .bridges
            .keys()
            .copied()
            .collect();
        for bridge in bridges {
            let _ = pair.room.apply(Command::DeleteNetworkBridge {
                system: pair.target,
                bridge,
            });
        }
        assert!(pair.room.world.vioses[&server].shared_ethernet.is_empty());
    }
    assert!(pair.refused(client, &[]).contains("is not bridged"));
    let job = pair.migrate(client, &[("VLANBridgeOverride", "2")]);
    pair.room.succeeded(job);
}

fn trunk(pair: &mut Pair, system: Uuid, vlan: u16, bridge: &str) -> (Owner, Uuid) {
    let management = pair
        .room
        .world
        .partitions_of(system)
        .find(|partition| partition.is_management)
        .unwrap()
        .uuid;
    let owner = Owner::Partition(management);
    let adapter = pair.room.plug(owner, |create| {
        create.vlan = vlan;
        create.trunk = Some(powervm_simulator::model::network::Trunk {
            priority: 1,
            device: Some(format!("tap{vlan}")),
        });
        create.ovs_bridge = Some(bridge.to_owned());
    });
    (owner, adapter.unwrap())
}

#[test]
fn an_open_vswitch_has_to_be_reached_on_the_target_too() {
    let mut pair = Pair::novalinks();
    pair.trust();
    let client = pair.running("one");
    let (source, target) = (pair.source, pair.target);
    trunk(&mut pair, source, 2000, "br-int");
    let adapter = pair
        .room
        .plug(Owner::Partition(client), |create| create.vlan = 2000);
    let adapter = adapter.unwrap();
    let mac = pair.room.partition(client).network_adapters[&adapter].mac_text();
    let text = pair.refused(client, &[]);
    assert!(
        text.contains("br-int") && text.contains("VLAN 2000"),
        "{text}"
    );
    let validated = pair.job(client, "MigrateValidate", &[("OVSOverride", "2")]);
    pair.room.succeeded(validated);
    // A trunk to another bridge is none, and neither is one whose VLAN the mapping does not name.
    let (owner, other) = trunk(&mut pair, target, 2000, "br-ex");
    assert!(pair.refused(client, &[]).contains("br-int"));
    pair.room.done(Command::DeleteNetworkAdapter {
        owner,
        adapter: other,
    });
    trunk(&mut pair, target, 2001, "br-int");
    assert!(pair.refused(client, &[]).contains("br-int"));
    let job = pair.migrate(client, &[("VlanMappings", &format!("{mac}/2001"))]);
    pair.room.succeeded(job);
    assert_eq!(
        pair.room.partition(client).network_adapters[&adapter].vlan,
        2001
    );
}

#[test]
fn virtual_nics_move_to_ports_with_the_same_labels() {
    let mut pair = Pair::new();
    let client = pair.running("one");
    for system in [pair.source, pair.target] {
        let adapters = &pair.room.world.systems[&system].sriov_adapters;
        let drc_index = adapters[0].drc_index;
        let ports = [(0, "data"), (1, "data"), (2, "other"), (3, "other")];
        let labelled = ports.map(|(id, label)| SriovPortChange {
            id,
            label: Some(label.to_owned()),
            ..SriovPortChange::default()
        });
        pair.room.done(Command::UpdateSystem(UpdateSystem {
            name: None,
            system,
            adapters: vec![SriovAdapterChange {
                drc_index,
                mode: None,
                ports: labelled.to_vec(),
            }],
        }));
    }
    let device = |pair: &Pair, system: Uuid, server: usize, port: u16| BackingDeviceRequest {
        vios: pair.server(system, server),
        adapter: 1,
        port,
        capacity: None,
        maximum_capacity: None,
        priority: Some(50 + u8::try_from(server).unwrap()),
        logical_port: None,
    };
    let backing = vec![
        device(&pair, pair.source, 0, 0),
        device(&pair, pair.source, 1, 1),
    ];
    let made = pair.room.done(Command::CreateVnic(CreateVnic {
        partition: client,
        slot: SlotChoice::Next,
        mac: None,
        vlan: 7,
        vlan_priority: 0,
        allowed_vlans: None,
        allowed_os_macs: None,
        auto_failover: Some(true),
        backing,
    }));
    let Outcome::Written(Resource::VirtualNic { vnic, .. }) = made else {
        panic!("{made:?}");
    };
    let ports = |pair: &Pair, system: Uuid| -> Vec<u16> {
        let servers = pair.room.world.vioses_of(system);
        let mut ports: Vec<u16> = servers
            .flat_map(|vios| vios.partition.logical_ports.values().map(|port| port.port))
            .collect();
        ports.sort_unstable();
        ports
    };
    let before = pair.room.world.vnic(client, vnic).unwrap().clone();
    assert_eq!(
        (ports(&pair, pair.source), ports(&pair, pair.target)),
        (vec![0, 1], vec![])
    );
    let job = pair.migrate(client, &[]);
    pair.room.succeeded(job);
    let after = pair.room.world.vnic(client, vnic).unwrap();
    assert_eq!(
        (after.mac, after.slot, after.vlan, after.auto_failover),
        (before.mac, before.slot, 7, before.auto_failover)
    );
    let servers: Vec<Uuid> = after.backing.iter().map(|device| device.vios).collect();
    assert_eq!(
        servers,
        [pair.server(pair.target, 0), pair.server(pair.target, 1)]
    );
    let priorities = |nic: &[powervm_simulator::model::sriov::BackingDevice]| -> Vec<u8> {
        nic.iter().map(|device| device.priority).collect()
    };
    assert_eq!(priorities(&after.backing), priorities(&before.backing));
    assert_eq!(
        (ports(&pair, pair.source), ports(&pair, pair.target)),
        (vec![], vec![0, 1])
    );
    // Without a label like theirs there is no way back.
    let drc_index = pair.room.world.systems[&pair.source].sriov_adapters[0].drc_index;
    let system = pair.source;
    pair.room.done(Command::UpdateSystem(UpdateSystem {
        name: None,
        system,
        adapters: vec![SriovAdapterChange {
            drc_index,
            mode: None,
            ports: [0, 1]
                .map(|id| SriovPortChange {
                    id,
                    label: Some("gone".to_owned()),
                    ..SriovPortChange::default()
                })
                .to_vec(),
        }],
    }));
    let back = [("TargetManagedSystemName", "neo")];
    let job = pair.room.power(client, "Migrate", &back);
    assert!(pair.room.failure(job).contains("labelled \"data\""));
}

#[test]
fn a_logical_port_of_its_own_keeps_a_partition_where_it_is() {
    let mut pair = Pair::new();
    let client = pair.running("one");
    let owner = Owner::Partition(client);
    let port = pair
        .room
        .done(Command::CreateLogicalPort(CreateLogicalPort::on(
            owner, 1, 0,
        )));
    let Outcome::Written(Resource::SriovEthernetLogicalPort { port, .. }) = port else {
        panic!("{port:?}");
    };
    assert!(pair.refused(client, &[]).contains("SR-IOV logical ports"));
    pair.room.done(Command::DeleteLogicalPort { owner, port });
    let job = pair.migrate(client, &[]);
    pair.room.succeeded(job);
}
