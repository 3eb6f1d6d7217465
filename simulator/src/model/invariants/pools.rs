//! Clusters, pools and logical units.

use std::collections::BTreeSet;
use uuid::Uuid;

use super::Found;
use crate::model::pool::Tier;
use crate::model::units::Gigabytes;
use crate::model::vios::Backing;
use crate::model::world::World;

pub(super) fn check(world: &World, found: &mut Found) {
    let mapped: BTreeSet<(Uuid, Uuid)> = world
        .vioses
        .values()
        .flat_map(|vios| vios.devices())
        .filter_map(|(_, device)| match device.backing {
            Backing::LogicalUnit { tier, unit } => Some((tier, unit)),
            _ => None,
        })
        .collect();
    for cluster in world.clusters.values() {
        found.require(
            world.pools.contains_key(&cluster.pool),
            "cluster-without-pool",
            || cluster.name.clone(),
        );
        for node in &cluster.nodes {
            found.require(
                world.vioses.contains_key(&node.vios),
                "node-without-server",
                || format!("{} of {}", node.host, cluster.name),
            );
        }
    }
    for pool in world.pools.values() {
        let tiers = || world.tiers_of(pool.uuid);
        let whole: Gigabytes = tiers().map(|tier| tier.capacity).sum();
        found.require(whole == pool.capacity, "pool-is-not-its-tiers", || {
            pool.name.clone()
        });
        let allocated: Gigabytes = tiers().map(|tier| tier.allocated()).sum();
        found.require(allocated <= pool.capacity, "pool-over-full", || {
            pool.name.clone()
        });
        let free = world.free_in_pool(pool.uuid);
        found.require(
            free.plus(allocated) == pool.capacity,
            "free-is-not-total-minus-allocated",
            || pool.name.clone(),
        );
        let limit =
            u128::from(pool.capacity.millionths()) * u128::from(pool.overcommit_percent) / 100;
        let promised = u128::from(world.promised_by_pool(pool.uuid).millionths());
        found.require(promised <= limit, "pool-over-promised", || {
            pool.name.clone()
        });
        found.require(
            tiers().filter(|tier| tier.is_default).count() == 1,
            "not-one-default-tier",
            || pool.name.clone(),
        );
    }
    for tier in world.tiers.values() {
        check_tier(world, tier, &mapped, found);
    }
}

fn check_tier(world: &World, tier: &Tier, mapped: &BTreeSet<(Uuid, Uuid)>, found: &mut Found) {
    found.require(
        world.pools.contains_key(&tier.pool),
        "tier-without-pool",
        || tier.name.clone(),
    );
    found.unique(
        "unit-name-twice",
        &tier.name,
        tier.units.values().map(|unit| unit.name.as_str()),
    );
    found.unique(
        "unit-udid-twice",
        &tier.name,
        tier.units.values().map(|unit| unit.udid.as_str()),
    );
    let udids: BTreeSet<&str> = tier.units.values().map(|unit| unit.udid.as_str()).collect();
    for (uuid, unit) in &tier.units {
        let place = || format!("{} in {}", unit.name, tier.name);
        found.require(*uuid == unit.uuid, "unit-under-wrong-uuid", place);
        found.require(
            unit.in_use == mapped.contains(&(tier.uuid, unit.uuid)),
            "in-use-is-not-mapped",
            place,
        );
        let image_exists = unit
            .cloned_from
            .as_deref()
            .is_none_or(|udid| udids.contains(udid));
        found.require(image_exists, "clone-without-image", place);
        found.require(
            unit.content
                .is_none_or(|content| content.bytes <= unit.capacity.bytes()),
            "unit-over-full",
            place,
        );
        let hexadecimal = unit.udid.get(2..).is_some_and(|rest| {
            rest.len() == 64 && rest.bytes().all(|byte| byte.is_ascii_hexdigit())
        });
        found.require(hexadecimal, "unit-udid-not-hexadecimal", place);
    }
}
