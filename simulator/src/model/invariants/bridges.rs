//! Network bridges, SR-IOV logical ports and virtual NICs.

use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

use super::Found;
use crate::model::network::bridge::TRUNKS;
use crate::model::network::{BridgeMember, NetworkBridge};
use crate::model::sriov::{BACKING_DEVICES, LOGICAL_PORTS, LogicalPort, Percent};
use crate::model::system::ManagedSystem;
use crate::model::vios::VirtualIoServer;
use crate::model::world::World;

pub(super) fn check(world: &World, found: &mut Found) {
    for system in world.systems.values() {
        for bridge in system.bridges.values() {
            check_bridge(world, system, bridge, found);
        }
        check_ports(world, system, found);
        check_addresses(world, system, found);
    }
    for vios in world.vioses.values() {
        check_devices(world, vios, found);
    }
    check_backing(world, found);
}

fn check_bridge(world: &World, system: &ManagedSystem, bridge: &NetworkBridge, found: &mut Found) {
    let place = || format!("bridge of VLAN {} on {}", bridge.vlan, system.name);
    let members = world.bridge_members(system.uuid, bridge.uuid);
    found.require(
        (1..=2).contains(&members.len()),
        "bridge-without-members",
        place,
    );
    let primary = members.iter().filter(|member| member.adapter.primary);
    found.require(primary.count() == 1, "bridge-without-one-primary", place);
    found.unique(
        "bridge-twice-on-a-server",
        &place(),
        members.iter().map(|member| member.vios.partition.uuid),
    );
    let carried = |member: &BridgeMember<'_>| -> BTreeSet<(u16, Vec<u16>)> {
        let trunks = member.trunks();
        trunks
            .map(|trunk| (trunk.vlan, trunk.tagged_vlans.clone()))
            .collect()
    };
    let first = members.first().map(carried);
    for member in &members {
        found.require(
            Some(carried(member)) == first,
            "bridge-members-carry-different-vlans",
            place,
        );
        let count = member.trunks().count();
        found.require(
            count == member.adapter.trunks.len() && (1..=TRUNKS).contains(&count),
            "bridge-without-trunk",
            place,
        );
        let primary = member.trunks().next();
        found.require(
            primary.is_some_and(|trunk| trunk.vlan == bridge.vlan),
            "primary-trunk-of-other-vlan",
            place,
        );
        let fits = member
            .trunks()
            .all(|trunk| trunk.switch == bridge.switch && trunk.trunk.is_some());
        found.require(fits, "bridge-over-several-switches", place);
        let vlans = member
            .trunks()
            .flat_map(|trunk| trunk.vlans().collect::<Vec<_>>());
        found.unique("vlan-twice-on-a-bridge", &place(), vlans);
        let channel = member.adapter.control_channel.as_ref().and_then(|channel| {
            let adapters = &member.vios.partition.network_adapters;
            Some(adapters.get(&channel.adapter)?.vlan)
        });
        found.require(
            channel == bridge.control_channel,
            "control-channel-without-adapter",
            place,
        );
    }
}

fn check_devices(world: &World, vios: &VirtualIoServer, found: &mut Found) {
    let name = vios.partition.name.as_str();
    let system = world.systems.get(&vios.partition.system);
    for sea in &vios.shared_ethernet {
        let there = system.is_some_and(|system| system.bridges.contains_key(&sea.bridge));
        found.require(there, "shared-ethernet-without-bridge", || {
            format!("{} on {name}", sea.device)
        });
    }
    // A bridged logical port is named by the port and by its shared Ethernet adapter.
    let ports = vios.partition.logical_ports.values();
    let logical: BTreeSet<&str> = ports.filter_map(|port| port.device.as_deref()).collect();
    let backing = vios.shared_ethernet.iter();
    let bridged: BTreeSet<&str> = backing.map(|sea| sea.backing_device.as_str()).collect();
    let both = logical.intersection(&bridged).count();
    let names: Vec<&str> = vios.ethernet_devices().collect();
    let different: BTreeSet<&&str> = names.iter().collect();
    found.require(
        names.len() == different.len() + both,
        "ethernet-device-twice",
        || name.to_owned(),
    );
}

fn check_ports(world: &World, system: &ManagedSystem, found: &mut Found) {
    let mut shares: BTreeMap<(u16, u16), Vec<&LogicalPort>> = BTreeMap::new();
    for (partition, port) in world.logical_ports_of(system.uuid) {
        let place = || format!("{} of {}", port.drc_name(), partition.name);
        shares
            .entry((port.adapter, port.port))
            .or_default()
            .push(port);
        found.require(
            (1..=LOGICAL_PORTS).contains(&port.number),
            "logical-port-out-of-range",
            place,
        );
        found.require(
            port.capacity <= port.maximum_capacity && port.capacity > Percent::ZERO,
            "logical-port-without-capacity",
            place,
        );
    }
    let numbers = shares.values().flatten();
    found.unique(
        "logical-port-twice",
        &system.name,
        numbers.map(|port| port.drc_index()),
    );
    for ((adapter, port), logical) in shares {
        let place = || format!("port {port} of adapter {adapter} on {}", system.name);
        let physical = system.sriov_port(adapter, port);
        found.require(
            physical.is_some_and(|port| logical.len() <= usize::from(port.settings.maximum_ports)),
            "too-many-logical-ports",
            place,
        );
        let allocated: Percent = logical.iter().map(|port| port.capacity).sum();
        found.require(allocated <= Percent::WHOLE, "port-over-committed", place);
        let promiscuous = logical.iter().filter(|port| port.promiscuous).count();
        found.require(promiscuous <= 1, "several-promiscuous-ports", place);
    }
}

/// No address comes twice on a system.
fn check_addresses(world: &World, system: &ManagedSystem, found: &mut Found) {
    let partitions = world.all_partitions_of(system.uuid);
    let macs = partitions.flat_map(|partition| {
        let adapters = partition
            .network_adapters
            .values()
            .map(|adapter| adapter.mac);
        let ports = partition.logical_ports.values().map(|port| port.mac);
        let nics = partition.vnics.values().map(|nic| nic.mac);
        adapters.chain(ports).chain(nics).collect::<Vec<u64>>()
    });
    found.unique("address-of-two-adapters", &system.name, macs);
}

/// Every backing device has its logical port, and every logical port for a virtual NIC is one of its backing devices.
fn check_backing(world: &World, found: &mut Found) {
    let mut backing: BTreeSet<(Uuid, Uuid)> = BTreeSet::new();
    for partition in world.partitions.values() {
        for nic in partition.vnics.values() {
            let place = || format!("slot {} of {}", nic.slot, partition.name);
            found.require(
                (1..=BACKING_DEVICES).contains(&nic.backing.len()),
                "vnic-without-backing",
                place,
            );
            for device in &nic.backing {
                let server = world.vioses.get(&device.vios);
                let port = server.and_then(|vios| vios.partition.logical_ports.get(&device.port));
                let mine = port
                    .and_then(|port| port.vnic)
                    .is_some_and(|name| (name.partition, name.vnic) == (partition.uuid, nic.uuid));
                let near = server.is_some_and(|vios| vios.partition.system == partition.system);
                found.require(mine && near, "backing-device-without-port", place);
                found.require(
                    backing.insert((device.vios, device.port)),
                    "port-behind-two-devices",
                    place,
                );
            }
        }
    }
    for (uuid, vios) in &world.vioses {
        for port in vios
            .partition
            .logical_ports
            .values()
            .filter(|port| port.is_for_vnic())
        {
            found.require(
                backing.contains(&(*uuid, port.uuid)),
                "stray-backing-port",
                || format!("{} on {}", port.drc_name(), vios.partition.name),
            );
        }
        found.require(vios.partition.vnics.is_empty(), "vnic-of-a-server", || {
            vios.partition.name.clone()
        });
    }
}
