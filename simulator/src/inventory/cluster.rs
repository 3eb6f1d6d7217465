//! Clusters and their pools.

use std::sync::Arc;

use super::hardware::{Named, missing};
use super::{ClusterInventory, Inventory, InventoryError};
use crate::model::World;
use crate::model::pool::Node;
use crate::model::pool::cluster::{Founding, Parts};
use crate::model::storage::{PhysicalVolume, VolumeUsage};

pub(super) fn add_cluster(
    world: &mut World,
    inventory: &ClusterInventory,
    vioses: &Named,
    all: &Inventory,
) -> Result<(), InventoryError> {
    let founding = Founding::draw(&mut world.ids);
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
        VolumeUsage::Repository(founding.cluster),
    )?;
    let mut volumes = Vec::new();
    for name in &inventory.volumes {
        volumes.push(take_volume(
            world,
            all,
            name,
            vioses,
            VolumeUsage::Pool(founding.pool),
        )?);
    }
    let parts = Parts {
        name: inventory.name.clone(),
        pool: inventory.pool.clone(),
        nodes,
        repository,
        volumes,
        overcommit_percent: inventory.overcommit_percent,
    };
    let (cluster, pool, tier) = founding.build(&mut world.ids, parts, 1);
    world.clusters.insert(cluster.uuid, Arc::new(cluster));
    world.pools.insert(pool.uuid, Arc::new(pool));
    world.tiers.insert(tier.uuid, Arc::new(tier));
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
