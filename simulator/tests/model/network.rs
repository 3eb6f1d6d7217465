//! Network adapters, switches, virtual networks.

use powervm_simulator::model::command::*;
use powervm_simulator::model::names::SwitchMode;
use powervm_simulator::model::network::Trunk;
use powervm_simulator::model::{Command, Facets, Flavor, Outcome, Owner, Resource};
use uuid::Uuid;

use super::support::{Room, hdisk, mapping};

fn vlans(room: &Room) -> Vec<(String, u16)> {
    let system = &room.world.systems[&room.system()];
    let mut vlans: Vec<(String, u16)> = system
        .networks
        .values()
        .map(|network| (network.name.clone(), network.vlan))
        .collect();
    vlans.sort();
    vlans
}

#[test]
fn slots_are_shared_with_storage_adapters() {
    let mut room = Room::novalink();
    let client = room.partition_named("one");
    let owner = Owner::Partition(client);
    room.map(0, vec![mapping(client, hdisk("hdisk7"))]).unwrap();
    let next = room.plug(owner, |_| {}).unwrap();
    let high = room
        .plug(owner, |adapter| adapter.slot = SlotChoice::NextHigh)
        .unwrap();
    let given = room
        .plug(owner, |adapter| adapter.slot = SlotChoice::Given(20))
        .unwrap();
    let higher = room
        .plug(owner, |adapter| adapter.slot = SlotChoice::NextHigh)
        .unwrap();
    let slots = [next, high, given, higher]
        .map(|adapter| room.world.network_adapter(owner, adapter).unwrap().slot);
    assert_eq!(slots, [3, 4, 20, 21]);
    assert!(
        room.plug(owner, |adapter| adapter.slot = SlotChoice::Given(2))
            .is_err()
    );
    assert!(
        room.plug(owner, |adapter| adapter.slot = SlotChoice::Given(64))
            .is_err()
    );
}

#[test]
fn addresses_come_from_the_prefix_and_the_slot() {
    let mut room = Room::novalink();
    let client = room.partition_named("one");
    let owner = Owner::Partition(client);
    let adapter = room.plug(owner, |_| {}).unwrap();
    let adapter = room.world.network_adapter(owner, adapter).unwrap();
    assert_eq!(adapter.mac, room.partition(client).mac_prefix | 2);
    assert_eq!(adapter.mac_text().len(), 12);
    let given = room
        .plug(owner, |adapter| {
            adapter.mac = Some("fa:16:3e:00:00:01".to_owned())
        })
        .unwrap();
    assert_eq!(
        room.world.network_adapter(owner, given).unwrap().mac_text(),
        "FA163E000001"
    );
    for bad in [
        "FA163E000001",
        "00000",
        "zzzzzzzzzzzz",
        "01005E000001",
        "000000000000",
        "FA163E0000011",
    ] {
        assert!(
            room.plug(owner, |adapter| adapter.mac = Some(bad.to_owned()))
                .is_err(),
            "{bad}"
        );
    }
}

#[test]
fn vlans_must_be_in_range() {
    let mut room = Room::novalink();
    let owner = Owner::Partition(room.partition_named("one"));
    for vlan in [0, 4095] {
        assert!(room.plug(owner, |adapter| adapter.vlan = vlan).is_err());
        assert!(
            room.plug(owner, |adapter| adapter.tagged_vlans = vec![vlan])
                .is_err()
        );
    }
    assert!(
        room.plug(owner, |adapter| adapter.tagged_vlans = (2..23).collect())
            .unwrap_err()
            .message
            .contains("20")
    );
    assert!(
        room.plug(owner, |adapter| adapter.tagged_vlans = vec![1])
            .is_err()
    );
    assert!(
        room.plug(owner, |adapter| adapter.switch = Some(Uuid::nil()))
            .is_err()
    );
    let adapter = room
        .plug(owner, |adapter| adapter.tagged_vlans = vec![30, 20, 20])
        .unwrap();
    let adapter = room.world.network_adapter(owner, adapter).unwrap();
    assert_eq!(
        (adapter.tagged_vlans.as_slice(), adapter.tagged),
        (&[20, 30][..], true)
    );
}

#[test]
fn a_novalink_derives_networks_from_adapters() {
    let mut room = Room::novalink();
    let before = vlans(&room);
    assert!(
        before.contains(&("ETHERNET0-1".to_owned(), 1))
            && before.contains(&("MGMTSWITCH-4094".to_owned(), 4094))
    );
    let owner = Owner::Partition(room.partition_named("one"));
    let adapter = room
        .plug(owner, |adapter| {
            (adapter.vlan, adapter.tagged_vlans) = (500, vec![501])
        })
        .unwrap();
    let added: Vec<u16> = vlans(&room)
        .into_iter()
        .filter(|network| !before.contains(network))
        .map(|network| network.1)
        .collect();
    assert_eq!(added, [500, 501]);
    let update = UpdateNetworkAdapter {
        owner,
        adapter,
        vlan: Some(600),
        tagged_vlans: Some(Vec::new()),
        tagged: Some(false),
        allowed_os_macs: None,
        quality_of_service: None,
        enabled: None,
        required: None,
        trunk: None,
        mtu: None,
        ovs_bridge: None,
        ovs_external_ids: None,
    };
    room.done(Command::UpdateNetworkAdapter(update));
    assert!(vlans(&room).contains(&("ETHERNET0-600".to_owned(), 600)));
    room.done(Command::DeleteNetworkAdapter { owner, adapter });
    assert_eq!(vlans(&room), before);
    assert_eq!(
        room.apply(Command::DeleteNetworkAdapter { owner, adapter })
            .unwrap_err()
            .status,
        404
    );
    let create = CreateNetwork {
        system: room.system(),
        switch: Uuid::nil(),
        name: "x".to_owned(),
        vlan: 7,
        tagged: true,
    };
    assert_eq!(
        room.apply(Command::CreateNetwork(create))
            .unwrap_err()
            .status,
        400
    );
}

#[test]
fn an_hmc_is_told_its_networks() {
    let mut room = Room::new(Flavor::Hmc);
    let system = room.system();
    let switch = room.world.systems[&system].switch_by_id(0).unwrap().uuid;
    let owner = Owner::Partition(room.partition_named("one"));
    let adapter = room.plug(owner, |adapter| adapter.vlan = 7).unwrap();
    let before = room.world.etag(
        &Resource::ClientNetworkAdapter { owner, adapter },
        Facets::default(),
    );
    let create = |name: &str, vlan| {
        Command::CreateNetwork(CreateNetwork {
            system,
            switch,
            name: name.to_owned(),
            vlan,
            tagged: true,
        })
    };
    let Outcome::Written(Resource::VirtualNetwork { network, .. }) =
        room.done(create("VLAN7-ETHERNET0", 7))
    else {
        panic!()
    };
    let adapter = Resource::ClientNetworkAdapter { owner, adapter };
    let after = room.world.etag(&adapter, Facets::default());
    assert_ne!(before, after, "the adapter links to its network");
    room.refused(create("VLAN7-ETHERNET0", 8));
    room.refused(create("other", 7));
    room.refused(create("other", 4095));
    room.done(Command::DeleteNetwork { system, network });
    assert_eq!(
        room.apply(Command::DeleteNetwork { system, network })
            .unwrap_err()
            .status,
        404
    );
}

#[test]
fn switches_are_numbered_and_stay_while_used() {
    let mut room = Room::novalink();
    let system = room.system();
    let create = |name: &str| Command::CreateSwitch {
        system,
        name: name.to_owned(),
        mode: SwitchMode::Veb,
    };
    let Outcome::Written(Resource::VirtualSwitch { switch, .. }) =
        room.done(create("NovaLinkVEABridge"))
    else {
        panic!()
    };
    assert_eq!(room.world.systems[&system].switches[&switch].id, 2);
    room.refused(create("NovaLinkVEABridge"));
    room.refused(create(""));
    let owner = Owner::Partition(room.partition_named("one"));
    let adapter = room
        .plug(owner, |adapter| adapter.switch = Some(switch))
        .unwrap();
    room.refused(Command::DeleteSwitch { system, switch });
    room.done(Command::DeleteNetworkAdapter { owner, adapter });
    room.done(Command::UpdateSwitch {
        system,
        switch,
        name: Some("new".to_owned()),
        mode: None,
    });
    room.done(Command::DeleteSwitch { system, switch });
    let default = room.world.systems[&system].switch_by_id(0).unwrap().uuid;
    room.refused(Command::DeleteSwitch {
        system,
        switch: default,
    });
    room.refused(Command::UpdateSwitch {
        system,
        switch: default,
        name: Some("other".to_owned()),
        mode: None,
    });
}

#[test]
fn trunks_of_one_vlan_need_different_priorities() {
    let mut room = Room::novalink();
    let management = room
        .world
        .partitions
        .values()
        .find(|partition| partition.is_management)
        .unwrap()
        .uuid;
    let owner = Owner::Partition(management);
    let trunk = |priority| {
        Some(Trunk {
            priority,
            device: Some("tap0".to_owned()),
        })
    };
    room.plug(owner, |adapter| {
        (adapter.vlan, adapter.trunk) = (900, trunk(1))
    })
    .unwrap();
    assert!(
        room.plug(owner, |adapter| (adapter.vlan, adapter.trunk) =
            (900, trunk(1)))
            .is_err()
    );
    room.plug(owner, |adapter| {
        (adapter.vlan, adapter.trunk) = (900, trunk(2))
    })
    .unwrap();
    let bridged = room.vios(0).shared_ethernet[0].trunks[0];
    let owner = Owner::Vios(room.vioses()[0]);
    assert!(
        room.refused(Command::DeleteNetworkAdapter {
            owner,
            adapter: bridged
        })
        .contains("shared Ethernet")
    );
}

#[test]
fn adapters_of_a_running_partition_need_rmc() {
    let mut room = Room::typical(Flavor::NovaLink);
    let client = room.bootable("one");
    let owner = Owner::Partition(client);
    let adapter = room.plug(owner, |_| {}).unwrap();
    room.power(client, "PowerOn", &[]);
    room.wait(10_000);
    assert!(
        room.plug(owner, |_| {})
            .unwrap_err()
            .message
            .contains("HSCL2957")
    );
    room.refused(Command::DeleteNetworkAdapter { owner, adapter });
    room.wait(100_000);
    room.plug(owner, |_| {}).unwrap();
    room.done(Command::DeleteNetworkAdapter { owner, adapter });
}
