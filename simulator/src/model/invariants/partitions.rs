//! Systems, partitions and networks.

use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

use super::Found;
use crate::model::names::{Flavor, PartitionKind, PartitionState};
use crate::model::partition::Partition;
use crate::model::resource::Owner;
use crate::model::slots;
use crate::model::system::ManagedSystem;
use crate::model::units::ProcUnits;
use crate::model::world::World;

pub(super) fn check(world: &World, found: &mut Found) {
    let manages = world.flavor == Flavor::Hmc || !world.systems.is_empty();
    found.require(manages, "novalink-without-a-system", String::new);
    let uuids = world.partitions.keys().chain(world.vioses.keys());
    found.unique("partition-uuid-twice", "the console", uuids);
    for system in world.systems.values() {
        check_capacity(world, system, found);
        check_identities(world, system, found);
        check_networks(world, system, found);
    }
    for (uuid, partition) in &world.partitions {
        found.require(
            *uuid == partition.uuid,
            "partition-under-wrong-uuid",
            || partition.name.clone(),
        );
        found.require(
            partition.kind != PartitionKind::VirtualIoServer,
            "server-among-partitions",
            || partition.name.clone(),
        );
    }
    let orphan = |partition: &&Partition| !world.systems.contains_key(&partition.system);
    let all = world
        .partitions
        .values()
        .map(|partition| &**partition)
        .chain(world.vioses.values().map(|vios| &vios.partition));
    for partition in all.filter(orphan) {
        found.require(false, "partition-without-system", || partition.name.clone());
    }
    check_slots(world, found);
}

fn check_capacity(world: &World, system: &ManagedSystem, found: &mut Found) {
    let active = || {
        world
            .all_partitions_of(system.uuid)
            .filter(|partition| partition.memory.active)
    };
    let memory: u64 = active()
        .filter(|partition| partition.memory.shared.is_none())
        .map(|partition| partition.memory.current)
        .sum::<u64>()
        + world.hypervisor_memory(system.uuid)
        + world.pooled_memory(system.uuid)
        + world.memory_kept_for_arrivals(system.uuid);
    found.require(
        memory <= system.memory.configurable,
        "memory-over-committed",
        || {
            format!(
                "{memory} MB of {} MB on {}",
                system.memory.configurable, system.name
            )
        },
    );
    let running = world
        .all_partitions_of(system.uuid)
        .filter(|partition| partition.processors.active);
    let units = running
        .map(|partition| partition.processors.current.desired_units())
        .sum::<ProcUnits>()
        .plus(world.reserved_by_processor_pools(system.uuid))
        .plus(world.processors_kept_for_arrivals(system.uuid));
    found.require(
        units <= system.processors.configurable,
        "processors-over-committed",
        || {
            format!(
                "{units} of {} units on {}",
                system.processors.configurable, system.name
            )
        },
    );
    for partition in world.all_partitions_of(system.uuid) {
        check_state(partition, system, found);
    }
}

fn check_state(partition: &Partition, system: &ManagedSystem, found: &mut Found) {
    let memory = &partition.memory;
    let place = || format!("{} ({})", partition.name, partition.state);
    let off = partition.state == PartitionState::NotActivated;
    found.require(
        !off || !memory.active && !partition.processors.active,
        "resources-while-off",
        place,
    );
    let up = matches!(
        partition.state,
        PartitionState::Running
            | PartitionState::OpenFirmware
            | PartitionState::Starting
            | PartitionState::ShuttingDown
            | PartitionState::Suspending
            | PartitionState::Resuming
            | PartitionState::MigratingRunning
    );
    let error = partition.state == PartitionState::Error;
    found.require(
        !up || memory.active || error || partition.state == PartitionState::ShuttingDown,
        "running-without-memory",
        place,
    );
    found.require(
        memory.active == partition.processors.active,
        "memory-without-processors",
        place,
    );
    found.require(
        !partition.rmc.is_up()
            || matches!(
                partition.state,
                PartitionState::Running
                    | PartitionState::MigratingRunning
                    | PartitionState::Suspending
                    | PartitionState::Resuming
            ),
        "rmc-while-not-running",
        place,
    );
    found.require(
        memory.minimum <= memory.desired && memory.desired <= memory.maximum,
        "memory-out-of-order",
        place,
    );
    found.require(
        memory.minimum <= memory.current && memory.current <= memory.maximum,
        "memory-out-of-bounds",
        place,
    );
    found.require(
        memory.current.is_multiple_of(system.memory.region),
        "memory-not-whole-regions",
        place,
    );
    let (processors, configured) = (
        &partition.processors.current,
        &partition.processors.configured,
    );
    found.require(
        processors.desired_units() <= configured.desired_units(),
        "more-processors-than-configured",
        place,
    );
    found.require(
        processors.desired_units() >= configured.minimum_units(),
        "fewer-processors-than-minimum",
        place,
    );
}

fn check_identities(world: &World, system: &ManagedSystem, found: &mut Found) {
    let all = || world.all_partitions_of(system.uuid);
    found.unique(
        "partition-id-twice",
        &system.name,
        all().map(|partition| partition.id),
    );
    found.unique(
        "partition-name-twice",
        &system.name,
        all().map(|partition| partition.name.as_str()),
    );
    found.unique(
        "mac-prefix-twice",
        &system.name,
        all().map(|partition| partition.mac_prefix),
    );
    let adapters = || all().flat_map(|partition| partition.network_adapters.values());
    found.unique(
        "mac-address-twice",
        &system.name,
        adapters().map(|adapter| adapter.mac_text()),
    );
    found.unique(
        "network-adapter-uuid-twice",
        &system.name,
        adapters().map(|adapter| adapter.uuid),
    );
}

fn check_networks(world: &World, system: &ManagedSystem, found: &mut Found) {
    found.unique(
        "switch-id-twice",
        &system.name,
        system.switches.values().map(|switch| switch.id),
    );
    found.unique(
        "switch-name-twice",
        &system.name,
        system.switches.values().map(|switch| switch.name.as_str()),
    );
    found.require(
        system.switch_by_id(0).is_some(),
        "no-default-switch",
        || system.name.clone(),
    );
    let adapters = || {
        world
            .all_partitions_of(system.uuid)
            .flat_map(|partition| partition.network_adapters.values())
    };
    for adapter in adapters() {
        let right = system
            .switches
            .get(&adapter.switch)
            .is_some_and(|switch| switch.id == adapter.switch_id);
        found.require(right, "adapter-on-no-switch", || adapter.mac_text());
        found.require(
            adapter.vlans().all(|vlan| (1..=4094).contains(&vlan)),
            "vlan-out-of-range",
            || adapter.mac_text(),
        );
    }
    let present: BTreeSet<(Uuid, u16)> = system
        .networks
        .values()
        .map(|network| (network.switch, network.vlan))
        .collect();
    found.require(
        present.len() == system.networks.len(),
        "virtual-network-twice",
        || system.name.clone(),
    );
    let switches_exist = present
        .iter()
        .all(|(switch, _)| system.switches.contains_key(switch));
    found.require(switches_exist, "virtual-network-on-no-switch", || {
        system.name.clone()
    });
    if world.flavor == Flavor::NovaLink {
        let wanted: BTreeSet<(Uuid, u16)> = adapters()
            .flat_map(|adapter| adapter.vlans().map(|vlan| (adapter.switch, vlan)))
            .collect();
        found.require(
            present == wanted,
            "virtual-networks-are-not-the-vlans-in-use",
            || system.name.clone(),
        );
    }
}

/// One pass over all adapters, so that the check stays cheap with many partitions.
fn check_slots(world: &World, found: &mut Found) {
    let mut used: BTreeMap<Owner, Vec<u16>> = BTreeMap::new();
    for (uuid, partition) in &world.partitions {
        used.entry(Owner::Partition(*uuid)).or_default().extend(
            partition
                .network_adapters
                .values()
                .map(|adapter| adapter.slot),
        );
    }
    for (uuid, partition) in &world.partitions {
        let nics = partition.vnics.values().map(|nic| nic.slot);
        used.entry(Owner::Partition(*uuid))
            .or_default()
            .extend(nics);
    }
    for (uuid, vios) in &world.vioses {
        let slots = used.entry(Owner::Vios(*uuid)).or_default();
        slots.extend(
            vios.partition
                .network_adapters
                .values()
                .map(|adapter| adapter.slot),
        );
        slots.extend(vios.buses.keys());
        slots.extend(vios.fc_mappings.keys());
        for client in vios.buses.values().filter_map(|bus| bus.client) {
            used.entry(Owner::Partition(client.partition))
                .or_default()
                .push(client.slot);
        }
        for client in vios
            .fc_mappings
            .values()
            .filter_map(|mapping| mapping.client)
        {
            used.entry(Owner::Partition(client.partition))
                .or_default()
                .push(client.slot);
        }
    }
    for (owner, slots) in used {
        let Some(partition) = world.partition(owner) else {
            continue;
        };
        let in_range = slots
            .iter()
            .all(|slot| *slot >= slots::FIRST && u32::from(*slot) < partition.maximum_slots);
        found.require(in_range, "slot-out-of-range", || partition.name.clone());
        found.unique("slot-used-twice", &partition.name, slots);
    }
}
