//! A part of a machine room, of which other processes have the rest.

use std::sync::Arc;
use uuid::Uuid;

use super::ids::Ids;
use super::names::Flavor;
use super::world::World;

impl World {
    /// The world of one system alone, as it stands in a machine room whose other systems are simulated elsewhere. What is
    /// common has the same identities there and here: the storage network, clusters with their pools, images. Of the logical
    /// units that are mapped, those are here that its own partitions have. What is made up later comes from `seed` and
    /// differs from part to part.
    #[must_use]
    pub fn part(&self, system: Uuid, seed: u64) -> Self {
        let mut part = self.of_system(system);
        part.whole = None;
        let (high, low) = system.as_u64_pair();
        part.ids = Ids::new(seed ^ high ^ low, self.now.0);
        if part.flavor == Flavor::Hmc {
            let uuid = part.ids.named_uuid();
            let serial = part.ids.hex(7).to_uppercase();
            let console = Arc::make_mut(&mut part.console);
            (console.uuid, console.machine.serial) = (uuid, serial);
        }
        part.keep_own_storage();
        let pools: Vec<Uuid> = part.enterprise_pools.keys().copied().collect();
        for uuid in pools {
            if let Some(pool) = part.enterprise_pools.get_mut(&uuid).map(Arc::make_mut) {
                pool.members.retain(|member| member.system == system);
            }
        }
        part
    }

    fn keep_own_storage(&mut self) {
        let clusters: Vec<Uuid> = self.clusters.keys().copied().collect();
        for uuid in clusters {
            if let Some(cluster) = self.clusters.get_mut(&uuid).map(Arc::make_mut) {
                let servers = &self.vioses;
                cluster
                    .nodes
                    .retain(|node| servers.contains_key(&node.vios));
            }
        }
        let gone = self
            .clusters
            .values()
            .filter(|cluster| cluster.nodes.is_empty());
        let gone: Vec<(Uuid, Uuid)> = gone.map(|cluster| (cluster.uuid, cluster.pool)).collect();
        for (cluster, pool) in gone {
            let tiers: Vec<Uuid> = self.tiers_of(pool).map(|tier| tier.uuid).collect();
            for tier in tiers {
                self.tiers.remove(&tier);
            }
            self.pools.remove(&pool);
            self.clusters.remove(&cluster);
        }
        let mapped: std::collections::BTreeSet<(Uuid, Uuid)> = self
            .vioses
            .values()
            .flat_map(|vios| vios.devices())
            .filter_map(|(_, device)| match device.backing {
                super::vios::Backing::LogicalUnit { tier, unit } => Some((tier, unit)),
                _ => None,
            })
            .collect();
        let tiers: Vec<Uuid> = self.tiers.keys().copied().collect();
        for uuid in tiers {
            let Some(tier) = self.tiers.get_mut(&uuid).map(Arc::make_mut) else {
                continue;
            };
            let units = tier.units.values();
            let others: Vec<Uuid> = units
                .filter(|unit| unit.in_use && !mapped.contains(&(uuid, unit.uuid)))
                .map(|unit| unit.uuid)
                .collect();
            for unit in others {
                tier.units.remove(&unit);
            }
        }
    }
}
