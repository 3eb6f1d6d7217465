//! Partitions on their way to another system.

use super::Found;
use crate::model::migration::{Manner, Migration, Phase, Side};
use crate::model::names::{MigrationState, PartitionState};
use crate::model::partition::Partition;
use crate::model::world::World;

pub(super) fn check(world: &World, found: &mut Found) {
    for (uuid, migration) in &world.migrations {
        let partition = world.partitions.get(uuid);
        let arriving = matches!(migration.side, Side::Arriving { .. });
        let leaving = matches!(migration.side, Side::Leaving { .. });
        found.require(
            arriving && partition.is_none()
                || !arriving
                    && partition.is_some_and(|partition| {
                        partition.system == migration.source && shows(partition, migration)
                    }),
            "migration-of-nothing",
            || migration.name.clone(),
        );
        found.require(
            migration.source != migration.target
                && world.systems.contains_key(&migration.target) != leaving
                && world.systems.contains_key(&migration.source) != arriving,
            "migration-to-nowhere",
            || migration.name.clone(),
        );
        let kept = || {
            world
                .arriving_at(migration.target)
                .filter(|other| other.partition != *uuid)
        };
        let free = world
            .all_partitions_of(migration.target)
            .all(|there| there.id != migration.id && there.name != migration.name)
            && kept().all(|other| other.id != migration.id && other.name != migration.name);
        found.require(free, "migration-place-taken", || migration.name.clone());
    }
    for partition in world.partitions.values() {
        let shown =
            partition.state.is_migrating() || partition.migration != MigrationState::NotMigrating;
        found.require(
            !shown || world.migrations.contains_key(&partition.uuid),
            "migrating-without-migration",
            || partition.name.clone(),
        );
    }
}

fn shows(partition: &Partition, migration: &Migration) -> bool {
    let state = match migration.manner {
        Manner::Active => PartitionState::MigratingRunning,
        Manner::Inactive | Manner::Restart => PartitionState::MigratingNotActive,
    };
    let progress = match migration.phase {
        Phase::Starting => MigrationState::Starting,
        Phase::InProgress | Phase::ChangingOver => MigrationState::InProgress,
        Phase::Failed => MigrationState::Failed,
    };
    // Its system may fail while only the peer knows where the partition is.
    (partition.state == state || migration.side.is_asked()) && partition.migration == progress
}
