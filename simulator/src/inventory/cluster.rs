//! Clusters and their pools.

use std::sync::Arc;

use super::hardware::{Named, missing};
use super::{ClusterInventory, Inventory, InventoryError};
use crate::model::World;
use crate::model::pool::{Cluster, Node, SharedStoragePool, Tier, Units};
use crate::model::storage::{PhysicalVolume, VolumeUsage};
use crate::model::units::Gigabytes;

pub(super) fn add_cluster(
    world: &mut World,
    inventory: &ClusterInventory,
    vioses: &Named,
    all: &Inventory,
) -> Result<(), InventoryError> {
    let (cluster_uuid, pool_uuid, tier_uuid) = (
        world.ids.named_uuid(),
        world.ids.named_uuid(),
        world.ids.named_uuid(),
    );
    let serial = format!("{}d311e58004000040f2e95d", world.ids.hex(10));
    let mut nodes = Vec::new();
    for (name, number) in inventory.nodes.iter().zip(1_u16..) {
        let vios = *vioses
            .get(name)
            .ok_or_else(|| missing("Virtual I/O Server", name))?;
        let host = format!("{}.example.com", name.replace(['/', '_'], "-"));
        nodes.push(Node {
            vios,
            host,
            address: format!("192.0.2.{}", 150 + number % 100),
        });
    }
    let repository = take_volume(
        world,
        all,
        &inventory.repository,
        vioses,
        VolumeUsage::Repository(cluster_uuid),
    )?;
    let mut volumes = Vec::new();
    for name in &inventory.volumes {
        volumes.push(take_volume(
            world,
            all,
            name,
            vioses,
            VolumeUsage::Pool(pool_uuid),
        )?);
    }
    let capacity = volumes
        .iter()
        .map(|volume| Gigabytes::from_megabytes(volume.megabytes))
        .sum();
    let udid = |prefix: &str, rest: String| format!("{prefix}{serial}{rest}");
    let tier = Tier {
        uuid: tier_uuid,
        pool: pool_uuid,
        name: "SYSTEM".to_owned(),
        udid: udid("25", world.ids.hex(32)),
        is_default: true,
        capacity,
        failure_group: "Default".to_owned(),
        failure_group_udid: udid("26", world.ids.hex(32)),
        units: Units::default(),
        version: 1,
    };
    let pool = SharedStoragePool {
        uuid: pool_uuid,
        cluster: cluster_uuid,
        name: inventory.pool.clone(),
        udid: udid("24", world.ids.hex(32)),
        capacity,
        alert_threshold: 35,
        overcommit_percent: inventory.overcommit_percent,
        physical_volumes: volumes,
        tiers: vec![tier_uuid],
        version: 1,
    };
    let cluster = Cluster {
        uuid: cluster_uuid,
        name: inventory.name.clone(),
        id: udid("22", String::new()),
        repository,
        nodes,
        pool: pool_uuid,
        version: 1,
    };
    world.clusters.insert(cluster_uuid, Arc::new(cluster));
    world.pools.insert(pool_uuid, Arc::new(pool));
    world.tiers.insert(tier_uuid, Arc::new(tier));
    Ok(())
}

/// Marks a SAN volume as taken on every Virtual I/O Server that sees it.
fn take_volume(
    world: &mut World,
    inventory: &Inventory,
    volume: &str,
    vioses: &Named,
    usage: VolumeUsage,
) -> Result<PhysicalVolume, InventoryError> {
    let mut taken = None;
    for system in &inventory.systems {
        for vios in &system.vioses {
            let disk = vios
                .disks
                .iter()
                .find(|disk| disk.san.as_deref() == Some(volume));
            let uuid = vioses.get(&format!("{}/{}", system.name, vios.name));
            let (Some(disk), Some(uuid)) = (disk, uuid) else {
                continue;
            };
            let Some(mut vios) = world.vioses.get_mut(uuid) else {
                continue;
            };
            for physical in vios
                .physical_volumes
                .iter_mut()
                .filter(|physical| physical.name == disk.name)
            {
                if physical.usage != VolumeUsage::Unused {
                    return Err(InventoryError::Inconsistent(format!(
                        "SAN volume {volume} is used twice"
                    )));
                }
                let physical = Arc::make_mut(physical);
                physical.usage = usage;
                taken.get_or_insert_with(|| physical.clone());
            }
        }
    }
    taken.ok_or_else(|| missing("SAN volume", volume))
}
