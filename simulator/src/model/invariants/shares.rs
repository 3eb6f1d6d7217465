//! What partitions share of a system: processor pools, its memory pool, virtual serial numbers.

use super::Found;
use crate::model::partition::{Partition, ProcessorSetting};
use crate::model::processor_pool::POOLS;
use crate::model::storage::VolumeUsage;
use crate::model::system::ManagedSystem;
use crate::model::world::World;

pub(super) fn check(world: &World, found: &mut Found) {
    for system in world.systems.values() {
        check_processor_pools(world, system, found);
        check_memory_pool(world, system, found);
        check_serial_numbers(world, system, found);
    }
    for partition in world.partitions.values() {
        check_partition(world, partition, found);
    }
}

fn check_processor_pools(world: &World, system: &ManagedSystem, found: &mut Found) {
    let pools = &system.processor_pools;
    let numbered = pools.iter().all(|(id, pool)| *id == pool.id);
    found.require(
        pools.len() == usize::from(POOLS) && numbered,
        "processor-pools-not-numbered",
        || system.name.clone(),
    );
    found.unique(
        "processor-pool-name-twice",
        &system.name,
        pools.values().map(|pool| pool.name.as_str()),
    );
    for pool in pools.values().filter(|pool| pool.id != 0) {
        let entitled = world
            .assigned_to_pool(system.uuid, pool.id)
            .map(|(_, units)| units)
            .sum();
        found.require(
            pool.reserved.plus(entitled) <= pool.maximum,
            "processor-pool-over-committed",
            || format!("{} of {}", pool.name, system.name),
        );
    }
}

fn check_memory_pool(world: &World, system: &ManagedSystem, found: &mut Found) {
    let sharing = || {
        world
            .partitions_of(system.uuid)
            .filter(|partition| partition.memory.shared.is_some() && partition.memory.active)
    };
    let Some(pool) = &system.memory_pool else {
        found.require(
            sharing().next().is_none(),
            "shared-memory-without-pool",
            || system.name.clone(),
        );
        return;
    };
    let entitled: u64 = sharing()
        .filter_map(|partition| partition.memory.shared.as_ref())
        .map(|shared| shared.entitled)
        .sum();
    found.require(
        entitled + pool.firmware() <= pool.size && pool.size <= pool.maximum,
        "memory-pool-over-committed",
        || system.name.clone(),
    );
    let own = |uuid| {
        world
            .vioses
            .get(uuid)
            .is_some_and(|vios| vios.partition.system == system.uuid)
    };
    found.require(
        (1..=2).contains(&pool.paging_servers.len()) && pool.paging_servers.iter().all(own),
        "memory-pool-paging-servers",
        || system.name.clone(),
    );
    found.unique(
        "paging-device-twice",
        &system.name,
        pool.devices.iter().map(|device| device.udid.as_str()),
    );
    for device in &pool.devices {
        let reserved = world
            .vioses
            .get(&device.vios)
            .and_then(|vios| vios.physical_volume(&device.name))
            .is_some_and(|volume| volume.usage == VolumeUsage::Paging);
        found.require(reserved, "paging-device-not-reserved", || {
            device.name.clone()
        });
    }
    for partition in sharing() {
        let device = partition
            .memory
            .shared
            .as_ref()
            .and_then(|shared| shared.device.as_ref());
        let pages = pool.devices.iter().any(|own| Some(&own.udid) == device);
        found.require(pages, "shared-memory-without-paging-device", || {
            partition.name.clone()
        });
    }
    let used = world
        .partitions_of(system.uuid)
        .filter_map(|partition| partition.memory.shared.as_ref()?.device.as_ref());
    found.unique("paging-device-used-twice", &system.name, used);
}

/// Numbers and partitions name each other.
fn check_serial_numbers(world: &World, system: &ManagedSystem, found: &mut Found) {
    for (number, entry) in &system.serial_numbers {
        let mutual = entry.partition.is_none_or(|uuid| {
            world.partitions.get(&uuid).is_some_and(|partition| {
                partition.system == system.uuid && partition.serial_number.as_ref() == Some(number)
            })
        });
        found.require(
            mutual && *number == entry.number,
            "serial-number-of-nobody",
            || number.clone(),
        );
    }
}

fn check_partition(world: &World, partition: &Partition, found: &mut Found) {
    let place = || partition.name.clone();
    let system = world.systems.get(&partition.system);
    if let Some(number) = &partition.serial_number {
        let there = system
            .and_then(|system| system.serial_numbers.get(number))
            .is_some_and(|entry| entry.partition == Some(partition.uuid));
        found.require(there, "serial-number-not-of-system", place);
    }
    if let ProcessorSetting::Shared(shared) = &partition.processors.configured {
        let pool = system.and_then(|system| system.processor_pools.get(&shared.pool));
        found.require(
            pool.is_some_and(|pool| pool.takes_partitions()),
            "partition-in-no-processor-pool",
            place,
        );
    }
    found.unique(
        "profile-name-twice",
        &partition.name,
        partition
            .profiles
            .iter()
            .map(|profile| profile.name.as_str()),
    );
}
