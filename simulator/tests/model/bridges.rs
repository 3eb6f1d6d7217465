//! Network bridges: what a client of either flavour posts, and what comes of it.

use powervm_simulator::model::command::*;
use powervm_simulator::model::network::NetworkBridge;
use powervm_simulator::model::{Command, Etag, Facets, Flavor, Outcome, Owner, Resource};
use std::sync::Arc;
use uuid::Uuid;

use super::bridging::{posted, update};
use super::support::{Room, hdisk, mapping};

fn bridge(room: &Room) -> Arc<NetworkBridge> {
    let system = &room.world.systems[&room.system()];
    assert_eq!(system.bridges.len(), 1);
    Arc::clone(system.bridges.values().next().unwrap())
}

fn etag(room: &Room, bridge: Uuid) -> Option<Etag> {
    let system = room.system();
    let resource = Resource::NetworkBridge { system, bridge };
    room.world.etag(&resource, Facets::default())
}

/// Port VLAN and tagged VLANs of each load group.
fn groups(room: &Room, bridge: Uuid) -> Vec<(u16, Vec<u16>)> {
    let groups = room.world.load_groups(room.system(), bridge);
    groups
        .iter()
        .map(|group| (group.vlan, group.tagged_vlans.to_vec()))
        .collect()
}

fn with_members(room: &Room, bridge: Uuid, change: impl Fn(&mut Vec<TrunkRequest>)) -> Command {
    let mut adapters = posted(room, bridge);
    for adapter in &mut adapters {
        change(adapter.trunks.as_mut().unwrap());
    }
    Command::UpdateNetworkBridge(UpdateNetworkBridge {
        adapters: Some(adapters),
        ..update(room, bridge)
    })
}

fn new_trunk(vlan: u16, tagged: &[u16]) -> TrunkRequest {
    TrunkRequest {
        slot: SlotChoice::NextHigh,
        mac: None,
        vlan,
        tagged_vlans: Some(tagged.to_vec()),
        tagged: Some(true),
        required: Some(true),
        priority: None,
        switch: None,
        switch_id: Some(0),
    }
}

fn networks(room: &Room) -> Vec<u16> {
    let system = &room.world.systems[&room.system()];
    let mut vlans: Vec<u16> = system
        .networks
        .values()
        .map(|network| network.vlan)
        .collect();
    vlans.sort_unstable();
    vlans
}

#[test]
fn both_servers_make_one_bridge() {
    let room = Room::novalink();
    let bridge = bridge(&room);
    assert!(bridge.failover && !bridge.load_balancing);
    assert_eq!(bridge.availability().as_str(), "auto");
    let members = room.world.bridge_members(room.system(), bridge.uuid);
    assert_eq!(members.len(), 2);
    assert!(members[0].adapter.primary && !members[1].adapter.primary);
    assert_eq!(members[0].vios.partition.uuid, room.vioses()[0]);
    let tagged: Vec<u16> = (100..110).collect();
    assert_eq!(groups(&room, bridge.uuid), [(1, vec![]), (4094, tagged)]);
    let priorities: Vec<u8> = members
        .iter()
        .flat_map(|member| member.trunks())
        .map(|trunk| trunk.trunk.as_ref().unwrap().priority)
        .collect();
    assert_eq!(priorities, [1, 1, 2, 2]);
    let devices: Vec<&str> = room.vios(0).ethernet_devices().collect();
    assert!(
        devices.contains(&"ent0") && devices.contains(&"ent6"),
        "{devices:?}"
    );
}

#[test]
fn a_novalink_follows_the_trunk_adapters() {
    let mut room = Room::novalink();
    let bridge = bridge(&room).uuid;
    room.done(with_members(&room, bridge, |trunks| {
        trunks[1].tagged_vlans.as_mut().unwrap().push(200);
    }));
    assert!(groups(&room, bridge)[1].1.contains(&200));
    assert!(networks(&room).contains(&200));

    room.done(with_members(&room, bridge, |trunks| {
        trunks.push(new_trunk(4093, &[300]));
    }));
    assert_eq!(groups(&room, bridge)[2], (4093, vec![300]));
    let group = &room.world.load_groups(room.system(), bridge)[2];
    assert_eq!(group.trunks.len(), 2);
    let slots: Vec<u16> = group.trunks.iter().map(|(_, trunk)| trunk.slot).collect();
    assert!(slots.iter().all(|slot| *slot > 3), "{slots:?}");

    // A placeholder moves out of the way, and the VLAN that it had can be carried.
    room.done(with_members(&room, bridge, |trunks| trunks[2].vlan = 4092));
    assert_eq!(groups(&room, bridge)[2], (4092, vec![300]));

    room.done(with_members(&room, bridge, |trunks| {
        trunks.truncate(2);
        trunks[1]
            .tagged_vlans
            .as_mut()
            .unwrap()
            .retain(|vlan| *vlan != 200);
    }));
    assert_eq!(groups(&room, bridge).len(), 2);
    assert!(!networks(&room).contains(&200) && !networks(&room).contains(&300));
}

#[test]
fn a_novalink_ignores_load_groups_and_refuses_unequal_members() {
    let mut room = Room::novalink();
    let bridge = bridge(&room).uuid;
    let before = groups(&room, bridge);
    let tag = etag(&room, bridge);
    room.done(Command::UpdateNetworkBridge(UpdateNetworkBridge {
        load_groups: Some(Vec::new()),
        adapters: Some(posted(&room, bridge)),
        ..update(&room, bridge)
    }));
    assert_eq!(groups(&room, bridge), before);
    assert_eq!(etag(&room, bridge), tag, "the echo of a read is no change");

    let mut adapters = posted(&room, bridge);
    adapters[0].trunks.as_mut().unwrap()[1]
        .tagged_vlans
        .as_mut()
        .unwrap()
        .push(200);
    let message = room.refused(Command::UpdateNetworkBridge(UpdateNetworkBridge {
        adapters: Some(adapters),
        ..update(&room, bridge)
    }));
    assert!(message.contains("same VLANs"), "{message}");
}

#[test]
fn trunk_adapters_have_limits() {
    let mut room = Room::novalink();
    let bridge = bridge(&room).uuid;
    let refused = |room: &mut Room, change: &dyn Fn(&mut Vec<TrunkRequest>)| {
        let command = with_members(room, bridge, change);
        room.refused(command)
    };
    let message = refused(&mut room, &|trunks| {
        trunks[1].tagged_vlans = Some((100..121).collect());
    });
    assert!(message.contains("at most 20 tagged"), "{message}");
    let message = refused(&mut room, &|trunks| trunks.push(new_trunk(4093, &[100])));
    assert!(
        message.contains("VLAN 100 is on more than one"),
        "{message}"
    );
    let message = refused(&mut room, &|trunks| {
        trunks.remove(0);
    });
    assert!(
        message.contains("exactly one trunk adapter with the port VLAN 1"),
        "{message}"
    );
    let message = refused(&mut room, &|trunks| {
        trunks.extend((0..15).map(|number| new_trunk(3000 + number, &[])));
    });
    assert!(message.contains("at most 16"), "{message}");
    let message = refused(&mut room, &|trunks| trunks[1].vlan = 5000);
    assert!(message.contains("VLAN ID 5000 is not valid"), "{message}");
}

#[test]
fn an_hmc_follows_the_load_groups() {
    let mut room = Room::new(Flavor::Hmc);
    let bridge = bridge(&room);
    assert_eq!(bridge.control_channel, Some(99));
    let bridge = bridge.uuid;
    // The HMC has networks for all that is bridged.
    let tagged: Vec<u16> = (100..110).collect();
    assert_eq!(
        networks(&room),
        [vec![1], tagged.clone(), vec![4094]].concat()
    );
    let network = |room: &mut Room, vlan: u16, tagged: bool| {
        let switch = room.world.systems[&room.system()]
            .switch_by_id(0)
            .unwrap()
            .uuid;
        let outcome = room.done(Command::CreateNetwork(CreateNetwork {
            system: room.system(),
            switch,
            name: format!("VLAN{vlan}-ETHERNET0"),
            vlan,
            tagged,
        }));
        match outcome {
            Outcome::Written(Resource::VirtualNetwork { network, .. }) => network,
            other => panic!("{other:?}"),
        }
    };
    let read = |room: &Room| -> Vec<LoadGroupRequest> {
        let bridge = &room.world.systems[&room.system()].bridges[&bridge];
        let groups = room.world.load_groups(room.system(), bridge.uuid);
        groups
            .iter()
            .map(|group| LoadGroupRequest {
                vlan: group.vlan,
                networks: Some(room.world.networks_of_group(room.system(), bridge, group)),
            })
            .collect()
    };
    let post = |room: &mut Room, groups: Vec<LoadGroupRequest>| {
        // The client sends the adapters as it read them, too.
        let adapters = Some(posted(room, bridge));
        Command::UpdateNetworkBridge(UpdateNetworkBridge {
            load_groups: Some(groups),
            adapters,
            ..update(room, bridge)
        })
    };
    assert_eq!(read(&room)[1].networks.as_ref().unwrap().len(), 10);

    let new = network(&mut room, 200, true);
    let mut all = read(&room);
    all[1].networks.as_mut().unwrap().push(new);
    let command = post(&mut room, all);
    room.done(command);
    assert!(groups(&room, bridge)[1].1.contains(&200));
    for member in room.world.bridge_members(room.system(), bridge) {
        let trunk = member.trunks().nth(1).unwrap();
        assert!(trunk.tagged_vlans.contains(&200));
    }

    let (placeholder, carried) = (
        network(&mut room, 4093, false),
        network(&mut room, 300, true),
    );
    let mut all = read(&room);
    all.push(LoadGroupRequest {
        vlan: 4093,
        networks: Some(vec![placeholder, carried]),
    });
    let command = post(&mut room, all);
    room.done(command);
    assert_eq!(groups(&room, bridge)[2], (4093, vec![300]));

    // What is bridged stays; a placeholder's network may go.
    let system = room.system();
    let delete = |network| Command::DeleteNetwork { system, network };
    assert!(room.refused(delete(carried)).contains("is bridged"));
    room.done(delete(placeholder));
    let mut all = read(&room);
    all.truncate(2);
    let command = post(&mut room, all);
    room.done(command);
    assert_eq!(groups(&room, bridge).len(), 2);
    room.done(delete(carried));

    let untagged = network(&mut room, 400, false);
    let mut all = read(&room);
    all[1].networks.as_mut().unwrap().push(untagged);
    let command = post(&mut room, all);
    assert!(room.refused(command).contains("untagged"));
    let mut all = read(&room);
    all[1].networks.as_mut().unwrap().push(Uuid::from_u128(7));
    let command = post(&mut room, all);
    assert!(room.refused(command).contains("does not exist"));
}

#[test]
fn the_tag_is_of_the_bridge_alone() {
    let mut room = Room::novalink();
    let bridge = bridge(&room).uuid;
    let tag = etag(&room, bridge);
    let client = room.partition_named("one");
    room.plug(Owner::Partition(client), |adapter| adapter.vlan = 700)
        .unwrap();
    room.map(0, vec![mapping(client, hdisk("hdisk7"))]).unwrap();
    let server = room.vioses()[0];
    room.plug(Owner::Vios(server), |adapter| adapter.vlan = 701)
        .unwrap();
    assert_eq!(etag(&room, bridge), tag);
    let mut adapters = posted(&room, bridge);
    adapters[1].settings.jumbo_frames = Some(true);
    room.done(Command::UpdateNetworkBridge(UpdateNetworkBridge {
        adapters: Some(adapters),
        ..update(&room, bridge)
    }));
    assert_ne!(etag(&room, bridge), tag);
    let members = room.world.bridge_members(room.system(), bridge);
    assert!(members[1].adapter.settings.jumbo_frames && !members[0].adapter.settings.jumbo_frames);
}

#[test]
fn what_is_bridged_changes_with_its_bridge_only() {
    let mut room = Room::new(Flavor::Hmc);
    let server = room.vioses()[0];
    let sea = room.vios(0).shared_ethernet[0].clone();
    let channel = sea.control_channel.unwrap().adapter;
    for adapter in [sea.trunks[1], channel] {
        let message = room.refused(Command::DeleteNetworkAdapter {
            owner: Owner::Vios(server),
            adapter,
        });
        assert!(message.contains("by itself"), "{message}");
    }
}

#[test]
fn bridges_come_and_go() {
    for flavor in [Flavor::NovaLink, Flavor::Hmc] {
        let mut room = Room::new(flavor);
        let before = room.world.listing();
        let (system, servers) = (room.system(), room.vioses());
        let member = |vios: Uuid, device: &str| SharedEthernetRequest {
            vios: Some(vios),
            backing_device: Some(device.to_owned()),
            ..SharedEthernetRequest::default()
        };
        let create = |adapters: Vec<SharedEthernetRequest>| {
            Command::CreateNetworkBridge(CreateNetworkBridge {
                system,
                vlan: 500,
                failover: None,
                load_balancing: false,
                control_channel: None,
                adapters,
            })
        };
        for (adapters, why) in [
            (vec![], "has one shared Ethernet adapter"),
            (vec![member(servers[0], "ent0")], "in use"),
            (vec![member(servers[0], "ent77")], "no free Ethernet device"),
            (
                vec![member(servers[0], "ent1"), member(servers[0], "ent2")],
                "different",
            ),
            (vec![member(Uuid::from_u128(1), "ent1")], "does not exist"),
        ] {
            let message = room.refused(create(adapters));
            assert!(message.contains(why), "{message}");
        }
        let outcome = room.done(create(vec![member(servers[0], "ent1")]));
        let Outcome::Written(Resource::NetworkBridge { bridge, .. }) = outcome else {
            panic!("{outcome:?}");
        };
        assert_eq!(groups(&room, bridge), [(500, vec![])]);
        assert!(
            room.vios(0)
                .free_ports
                .iter()
                .all(|(device, _)| device != "ent1")
        );
        assert!(networks(&room).contains(&500));

        // The second member gets the trunk adapters of the first, and inherits the bridge when that goes.
        let mut both = posted(&room, bridge);
        both.push(member(servers[1], "ent2"));
        room.done(Command::UpdateNetworkBridge(UpdateNetworkBridge {
            failover: Some(true),
            adapters: Some(both),
            ..update(&room, bridge)
        }));
        assert_eq!(room.world.bridge_members(system, bridge).len(), 2);
        let second = posted(&room, bridge).split_off(1);
        let message = room.refused(Command::UpdateNetworkBridge(UpdateNetworkBridge {
            adapters: Some(second.clone()),
            ..update(&room, bridge)
        }));
        assert!(message.contains("needs two"), "{message}");
        room.done(Command::UpdateNetworkBridge(UpdateNetworkBridge {
            failover: Some(false),
            adapters: Some(second),
            ..update(&room, bridge)
        }));
        assert!(room.world.bridge_members(system, bridge)[0].adapter.primary);

        room.done(Command::DeleteNetworkBridge { system, bridge });
        let networks: Vec<Uuid> = room.world.systems[&system]
            .networks
            .values()
            .filter(|network| network.vlan == 500)
            .map(|network| network.uuid)
            .collect();
        for network in networks.into_iter().filter(|_| flavor == Flavor::Hmc) {
            room.done(Command::DeleteNetwork { system, network });
        }
        assert_eq!(room.world.listing(), before);
    }
}

#[test]
fn a_server_out_of_reach_is_not_changed() {
    let mut room = Room::novalink();
    let bridge = bridge(&room).uuid;
    let server = room.vioses()[1];
    room.submit(
        powervm_simulator::model::job::JobTarget::VirtualIoServer(server),
        "PowerOff",
        &[("operation", "shutdown"), ("immediate", "true")],
    );
    room.wait(600_000);
    let off = room.world.vioses[&server].partition.state;
    let command = with_members(&room, bridge, |trunks| {
        trunks[1].tagged_vlans.as_mut().unwrap().push(200);
    });
    // While it is off its adapters may change; while it runs without RMC they may not.
    let result = room.apply(command);
    assert_eq!(result.is_ok(), !off.holds_resources(), "{off}: {result:?}");
}
