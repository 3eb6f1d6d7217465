//! What one NovaLink sees of a machine room that has several: its own system, and the storage that all share.
//!
//! A NovaLink manages the system that it runs on. Several of them, each with an endpoint of its own, are how partitions
//! move between systems without an HMC (`docs/protocol/mobility.md`).

use std::sync::Arc;
use uuid::Uuid;

use super::events::{Event, EventData};
use super::resource::{Owner, Resource};
use super::world::World;

impl World {
    /// The world as the NovaLink of `system` tells it: its own console, its system, and neither other systems nor what
    /// belongs to those. Storage pools and the storage network are everybody's; of the nodes of a cluster on other
    /// systems it tells only where they are.
    #[must_use]
    pub fn of_system(&self, system: Uuid) -> Self {
        let mut seen = self.clone();
        seen.whole = Some(Arc::new(self.clone()));
        seen.console = Arc::clone(self.console_of(system));
        seen.neighbours = imbl::OrdMap::new();
        seen.systems = only(&self.systems, |uuid, _| *uuid == system);
        let partitions = self.partitions.of(system);
        seen.partitions = partitions
            .map(|partition| (partition.uuid, Arc::clone(partition)))
            .collect();
        let vioses = self.vioses.of(system);
        seen.vioses = vioses
            .map(|vios| (vios.partition.uuid, Arc::clone(vios)))
            .collect();
        seen.migrations = only(&self.migrations, |_, migration| {
            migration.source == system || migration.target == system
        });
        seen.jobs = self
            .jobs
            .iter()
            .filter(|(_, job)| job.system.is_none_or(|own| own == system))
            .map(|(id, job)| (*id, Arc::clone(job)))
            .collect();
        seen.files = only(&self.files, |_, file| seen.vioses.contains_key(&file.vios));
        seen
    }

    /// Whether the NovaLink of `system` tells this event. A client's own text may be about anything, and what is gone
    /// belongs to nobody any more: these are told to all.
    #[must_use]
    pub fn concerns(&self, system: Uuid, event: &Event) -> bool {
        let of = |owner: Option<Uuid>| owner.is_none_or(|owner| owner == system);
        match event.data {
            EventData::None | EventData::Text(_) => true,
            EventData::Resource {
                system: told @ Some(_),
                ..
            } => of(told),
            EventData::Resource { resource, .. } => of(self.system_of(resource)),
        }
    }

    /// The system that a resource belongs to, where it belongs to one and is there.
    fn system_of(&self, resource: Resource) -> Option<Uuid> {
        let of_owner = |owner: Owner| Some(self.partition(owner)?.system);
        match resource {
            Resource::ManagedSystem(system)
            | Resource::PcmPreference(system)
            | Resource::VirtualSwitch { system, .. }
            | Resource::VirtualNetwork { system, .. }
            | Resource::NetworkBridge { system, .. }
            | Resource::SharedProcessorPool { system, .. }
            | Resource::SharedMemoryPool { system, .. }
            | Resource::VirtualSerialNumber { system, .. } => Some(system),
            Resource::LogicalPartition(partition)
            | Resource::VirtualScsiClientAdapter { partition, .. }
            | Resource::VirtualFibreChannelClientAdapter { partition, .. }
            | Resource::VirtualNic { partition, .. } => of_owner(Owner::Partition(partition)),
            Resource::VirtualIoServer(vios)
            | Resource::VolumeGroup { vios, .. }
            | Resource::VirtualScsiBus { vios, .. } => of_owner(Owner::Vios(vios)),
            Resource::ClientNetworkAdapter { owner, .. }
            | Resource::LogicalPartitionProfile { owner, .. }
            | Resource::SriovEthernetLogicalPort { owner, .. } => of_owner(owner),
            Resource::ManagementConsole(console) => self.console_named(console)?.system,
            Resource::Job(job) => self.jobs.get(&job)?.system,
            Resource::File(file) => of_owner(Owner::Vios(self.files.get(&file)?.vios)),
            Resource::Group(_)
            | Resource::PowerEnterprisePool(_)
            | Resource::PowerEnterprisePoolMember { .. }
            | Resource::PartitionTemplate(_)
            | Resource::Cluster(_)
            | Resource::SharedStoragePool(_)
            | Resource::Tier(_)
            | Resource::LogicalUnit { .. } => None,
        }
    }
}

fn only<T>(
    all: &imbl::OrdMap<Uuid, Arc<T>>,
    wanted: impl Fn(&Uuid, &T) -> bool,
) -> imbl::OrdMap<Uuid, Arc<T>> {
    all.iter()
        .filter(|(uuid, value)| wanted(uuid, value))
        .map(|(uuid, value)| (*uuid, Arc::clone(value)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::{Inventory, Sizes};
    use crate::model::Flavor;
    use crate::simulator::Simulator;

    fn room() -> Arc<World> {
        let sizes = Sizes {
            systems: 2,
            partitions: 2,
            ..Sizes::default()
        };
        let inventory = Inventory::sized(Flavor::NovaLink, sizes).with_shared_storage();
        let simulator = Simulator::builder()
            .inventory(inventory)
            .check_invariants(true)
            .build()
            .unwrap();
        simulator.world()
    }

    #[test]
    fn a_novalink_sees_its_own_system_and_the_common_storage() {
        let room = room();
        let [one, other] = room.systems.keys().copied().collect::<Vec<_>>()[..] else {
            panic!("two systems");
        };
        let seen = room.of_system(one);
        assert!(seen.systems.keys().eq([&one]));
        assert_eq!(seen.vioses.len(), 2);
        assert_eq!(seen.partitions.len() * 2, room.partitions.len());
        assert!(
            seen.partitions
                .values()
                .all(|partition| partition.system == one)
        );
        assert_eq!(seen.clusters, room.clusters);
        assert_eq!(seen.tiers, room.tiers);
        assert_ne!(seen.partitions, room.of_system(other).partitions);
    }

    #[test]
    fn an_event_is_told_where_it_happened() {
        let room = room();
        let [one, other] = room.systems.keys().copied().collect::<Vec<_>>()[..] else {
            panic!("two systems");
        };
        let event = |resource, system| Event {
            id: 1,
            at: room.now,
            kind: crate::model::names::EventKind::ModifyUri,
            data: EventData::Resource { resource, system },
            detail: String::new(),
        };
        let partition = room.partitions_of(one).next().unwrap().uuid;
        let vios = room.vioses_of(other).next().unwrap().partition.uuid;
        let gone = event(Resource::LogicalPartition(partition), Some(other));
        assert!(room.concerns(other, &gone));
        assert!(!room.concerns(one, &gone));
        let bus = event(Resource::VirtualScsiBus { vios, slot: 2 }, None);
        assert!(room.concerns(other, &bus));
        assert!(!room.concerns(one, &bus));
        let pool = *room.pools.keys().next().unwrap();
        let pool = event(Resource::SharedStoragePool(pool), None);
        assert!(room.concerns(one, &pool) && room.concerns(other, &pool));
    }
}
