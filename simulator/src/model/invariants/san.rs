//! Fibre Channel, iSCSI and the storage behind both.

use std::collections::BTreeSet;

use super::Found;
use crate::model::san::Access;
use crate::model::vios::{Backing, FcMapping, VirtualIoServer};
use crate::model::world::World;
use crate::model::wwpn::POOL;

pub(super) fn check(world: &World, found: &mut Found) {
    for vios in world.vioses.values() {
        check_server(world, vios, found);
    }
    check_names(world, found);
    check_masks(world, found);
}

fn check_server(world: &World, vios: &VirtualIoServer, found: &mut Found) {
    let name = vios.partition.name.as_str();
    found.unique(
        "port-name-twice",
        name,
        vios.fc_ports().map(|port| port.name.as_str()),
    );
    let mappings = || vios.fc_mappings.values();
    found.unique(
        "vfchost-twice",
        name,
        mappings().map(|mapping| mapping.adapter_name()),
    );
    for (slot, mapping) in &vios.fc_mappings {
        let place = || format!("{} on {name}", mapping.adapter_name());
        found.require(*slot == mapping.slot, "adapter-in-wrong-slot", place);
        let backed = mapping
            .port
            .as_deref()
            .is_none_or(|port| vios.fc_port(port).is_some());
        found.require(backed, "mapping-to-no-port", place);
        check_pair(world, vios, mapping, found);
    }
    for port in vios.fc_ports() {
        let lent = mappings()
            .filter(|mapping| mapping.port.as_ref() == Some(&port.name))
            .count();
        found.require(
            lent <= usize::from(port.total),
            "port-lent-too-often",
            || format!("{} on {name}", port.name),
        );
    }
    for (key, disk) in &vios.external_disks {
        let backing = Backing::External { name: key.clone() };
        found.require(
            *key == disk.name && vios.maps(&backing),
            "external-disk-without-mapping",
            || format!("{key} on {name}"),
        );
    }
    found.require(
        vios.iscsi.sessions.is_empty() || vios.iscsi.initiator.is_some(),
        "session-without-initiator",
        || name.to_owned(),
    );
}

fn check_pair(world: &World, vios: &VirtualIoServer, mapping: &FcMapping, found: &mut Found) {
    let place = || format!("{} on {}", mapping.adapter_name(), vios.partition.name);
    let Some(client) = mapping.client else {
        found.require(mapping.awaited.is_some(), "adapter-without-partner", place);
        return;
    };
    let partner = world.partitions.get(&client.partition);
    found.require(partner.is_some(), "orphan-adapter", place);
    let same = partner.is_none_or(|partner| {
        partner.id == client.partition_id && partner.system == vios.partition.system
    });
    found.require(same, "adapter-with-wrong-partner", place);
}

/// No two ports have one name, and the pools only shrink.
fn check_names(world: &World, found: &mut Found) {
    let physical = world
        .vioses
        .values()
        .flat_map(|vios| vios.fc_ports())
        .map(|port| port.wwpn);
    let mappings = world
        .vioses
        .values()
        .flat_map(|vios| vios.fc_mappings.values());
    let clients = mappings.filter_map(|mapping| mapping.client);
    let all = physical.chain(clients.flat_map(|client| client.wwpns));
    found.unique(
        "port-name-of-the-world-twice",
        "the fabrics",
        all.map(|wwpn| format!("{wwpn:016x}")),
    );
    for system in world.systems.values() {
        found.require(
            system.available_wwpns <= POOL,
            "more-port-names-than-there-are",
            || format!("{} on {}", system.available_wwpns, system.name),
        );
    }
}

/// What shows at a target is what its volume says, and the other way round.
fn check_masks(world: &World, found: &mut Found) {
    let san = &world.san;
    let mut shown: BTreeSet<(u64, u32)> = BTreeSet::new();
    for (uuid, volume) in &san.volumes {
        found.require(
            *uuid == volume.uuid,
            "volume-under-wrong-identifier",
            || volume.name.clone(),
        );
        let Access::FibreChannel(access) = &volume.access else {
            continue;
        };
        for target in &access.targets {
            let there = access.lun.is_some_and(|lun| {
                san.luns.get(&(*target, lun)) == Some(uuid) && san.targets.contains_key(target)
            });
            found.require(there, "volume-does-not-show", || volume.name.clone());
            shown.extend(access.lun.map(|lun| (*target, lun)));
        }
    }
    for (address, volume) in &san.luns {
        found.require(shown.contains(address), "address-of-no-volume", || {
            format!("{volume} at {:016x} under {}", address.0, address.1)
        });
    }
    let names = san.volumes.values().filter_map(|volume| volume.naa.clone());
    found.unique("naa-name-twice", "the storage", names);
}
