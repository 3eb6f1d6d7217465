//! The world: everything a console knows, as one value.

use imbl::{OrdMap, Vector};
use std::collections::BTreeSet;
use std::sync::Arc;
use uuid::Uuid;

use super::agenda::Agenda;
use super::directory::{EnterprisePool, Group, PartitionTemplate};
use super::etag::{Etag, Facets, etag};
use super::events::EventLog;
use super::file::File;
use super::ids::Ids;
use super::job::Job;
use super::job::gate::Gate;
use super::migration::Migration;
use super::migration::journey::{self, Errand};
use super::names::Flavor;
use super::network::NetworkAdapter;
use super::pace::Pace;
use super::partition::Partition;
use super::pool::{Cluster, LogicalUnit, SharedStoragePool, Tier};
use super::population::Population;
use super::resource::{Owner, Resource};
use super::san::San;
use super::storage::VolumeGroup;
use super::system::{ManagedSystem, ManagementConsole};
use super::units::{Gigabytes, ProcUnits};
use super::vios::{VirtualIoServer, bus_uuid, client_uuid};
use crate::clock::Millis;

/// Everything a console knows. Cloning costs a few pointers.
#[derive(serde::Serialize, serde::Deserialize, Clone, Debug, PartialEq, Eq)]
pub struct World {
    /// Which product answers.
    pub flavor: Flavor,
    /// The console itself; of several NovaLinks that of the first system, or of the one that a view is of.
    pub console: Arc<ManagementConsole>,
    /// The consoles of the other systems' NovaLinks by system.
    #[serde(default)]
    pub neighbours: OrdMap<Uuid, Arc<ManagementConsole>>,
    /// The world that a view is of, see [`World::of_system`].
    #[serde(skip)]
    pub whole: Option<Arc<Self>>,
    /// Managed systems by UUID. With NovaLink each has its own, see [`World::of_system`].
    pub systems: OrdMap<Uuid, Arc<ManagedSystem>>,
    /// Logical partitions by UUID, the management partition included.
    pub partitions: Population<Partition>,
    /// Virtual I/O Servers by UUID.
    pub vioses: Population<VirtualIoServer>,
    /// Clusters by UUID.
    pub clusters: OrdMap<Uuid, Arc<Cluster>>,
    /// Shared storage pools by UUID.
    pub pools: OrdMap<Uuid, Arc<SharedStoragePool>>,
    /// Tiers of all pools by UUID.
    pub tiers: OrdMap<Uuid, Arc<Tier>>,
    /// The storage area network.
    pub san: Arc<San>,
    /// Groups by UUID (HMC).
    pub groups: OrdMap<Uuid, Arc<Group>>,
    /// Power enterprise pools by UUID.
    pub enterprise_pools: OrdMap<Uuid, Arc<EnterprisePool>>,
    /// Partition templates by UUID (HMC).
    pub templates: OrdMap<Uuid, Arc<PartitionTemplate>>,
    /// Migrations under way by the UUID of the partition.
    pub migrations: OrdMap<Uuid, Arc<Migration>>,
    /// The names of the consoles of other processes that partitions can move to.
    #[serde(skip)]
    pub peers: Arc<BTreeSet<String>>,
    /// What peers are asked, in its order.
    #[serde(default)]
    pub errands: OrdMap<u64, Arc<Errand>>,
    /// Journeys from peers that have ended, the last ones.
    #[serde(default)]
    pub journeys_ended: Vector<(Uuid, journey::Outcome)>,
    /// Jobs by number.
    pub jobs: OrdMap<u64, Arc<Job>>,
    /// Files by UUID.
    pub files: OrdMap<Uuid, Arc<File>>,
    /// The event log.
    pub events: EventLog,
    /// The moment that everything has happened up to.
    pub now: Millis,
    /// What will happen by itself.
    pub agenda: Agenda,
    /// What holds jobs before their start.
    #[serde(default)]
    pub gate: Gate,
    /// The source of identifiers and random choices.
    pub ids: Ids,
    /// How long things take.
    pub pace: Pace,
    /// Rises with every change; the versions of resources are taken from it.
    pub generation: u64,
}

impl World {
    /// When something will happen by itself next.
    #[must_use]
    pub fn next_due(&self) -> Option<Millis> {
        self.agenda.next()
    }

    /// Whether it would be another one if it advanced to `now`: something is due, or is to be forgotten.
    #[must_use]
    pub fn is_behind(&self, now: Millis) -> bool {
        self.next_due().is_some_and(|due| due <= now) || self.old_job(now).is_some()
    }

    /// A partition of either kind.
    #[must_use]
    pub fn partition(&self, owner: Owner) -> Option<&Partition> {
        match owner {
            Owner::Partition(uuid) => self.partitions.get(&uuid).map(|partition| &**partition),
            Owner::Vios(uuid) => self.vioses.get(&uuid).map(|vios| &vios.partition),
        }
    }

    /// Which kind of partition has this UUID.
    #[must_use]
    pub fn owner(&self, uuid: Uuid) -> Option<Owner> {
        if self.partitions.contains_key(&uuid) {
            Some(Owner::Partition(uuid))
        } else {
            self.vioses.contains_key(&uuid).then_some(Owner::Vios(uuid))
        }
    }

    /// The logical partitions of a system.
    pub fn partitions_of(&self, system: Uuid) -> impl Iterator<Item = &Arc<Partition>> {
        self.partitions.of(system)
    }

    /// The Virtual I/O Servers of a system.
    pub fn vioses_of(&self, system: Uuid) -> impl Iterator<Item = &Arc<VirtualIoServer>> {
        self.vioses.of(system)
    }

    /// All partitions of a system, Virtual I/O Servers included.
    pub fn all_partitions_of(&self, system: Uuid) -> impl Iterator<Item = &Partition> {
        let partitions = self.partitions_of(system).map(|partition| &**partition);
        partitions.chain(self.vioses_of(system).map(|vios| &vios.partition))
    }

    /// A network adapter.
    #[must_use]
    pub fn network_adapter(&self, owner: Owner, adapter: Uuid) -> Option<&Arc<NetworkAdapter>> {
        self.partition(owner)?.network_adapters.get(&adapter)
    }

    /// A volume group.
    #[must_use]
    pub fn volume_group(&self, vios: Uuid, group: Uuid) -> Option<&Arc<VolumeGroup>> {
        self.vioses.get(&vios)?.volume_group(group)
    }

    /// A logical unit.
    #[must_use]
    pub fn logical_unit(&self, tier: Uuid, unit: Uuid) -> Option<&Arc<LogicalUnit>> {
        self.tiers.get(&tier)?.units.get(&unit)
    }

    /// The cluster that a Virtual I/O Server belongs to.
    #[must_use]
    pub fn cluster_of(&self, vios: Uuid) -> Option<&Arc<Cluster>> {
        self.clusters
            .values()
            .find(|cluster| cluster.nodes.iter().any(|node| node.vios == vios))
    }

    /// The tiers of a pool in their order, the default one first.
    pub fn tiers_of(&self, pool: Uuid) -> impl Iterator<Item = &Arc<Tier>> {
        let tiers = self
            .pools
            .get(&pool)
            .map(|pool| pool.tiers.as_slice())
            .unwrap_or_default();
        tiers.iter().filter_map(|tier| self.tiers.get(tier))
    }

    /// `FreeSpace` of a pool.
    #[must_use]
    pub fn free_in_pool(&self, pool: Uuid) -> Gigabytes {
        let allocated: Gigabytes = self.tiers_of(pool).map(|tier| tier.allocated()).sum();
        self.pools
            .get(&pool)
            .map_or(Gigabytes::ZERO, |pool| pool.capacity.minus(allocated))
    }

    /// `TotalLogicalUnitSize` of a pool.
    #[must_use]
    pub fn promised_by_pool(&self, pool: Uuid) -> Gigabytes {
        self.tiers_of(pool).map(|tier| tier.promised()).sum()
    }

    /// `OverCommitSpace` of a pool: what is promised beyond its capacity.
    #[must_use]
    pub fn overcommitted_by_pool(&self, pool: Uuid) -> Gigabytes {
        let capacity = self
            .pools
            .get(&pool)
            .map_or(Gigabytes::ZERO, |pool| pool.capacity);
        self.promised_by_pool(pool).minus(capacity)
    }

    /// `MemoryUsedByHypervisor` in megabytes: the base and what each active partition costs it.
    #[must_use]
    pub fn hypervisor_memory(&self, system: Uuid) -> u64 {
        let Some(base) = self.systems.get(&system) else {
            return 0;
        };
        let region = base.memory.region;
        base.memory
            .hypervisor
            .saturating_add(self.partitions.page_tables(system, region))
            .saturating_add(self.vioses.page_tables(system, region))
    }

    /// `CurrentAvailableSystemMemory` in megabytes: what no active partition and not the hypervisor has.
    #[must_use]
    pub fn available_memory(&self, system: Uuid) -> u64 {
        let Some(base) = self.systems.get(&system) else {
            return 0;
        };
        base.memory
            .configurable
            .saturating_sub(self.partitions.assigned_memory(system))
            .saturating_sub(self.vioses.assigned_memory(system))
            .saturating_sub(self.pooled_memory(system))
            .saturating_sub(self.memory_kept_for_arrivals(system))
            .saturating_sub(self.hypervisor_memory(system))
    }

    /// `CurrentAvailableSystemProcessorUnits`: what no active partition has.
    #[must_use]
    pub fn available_processors(&self, system: Uuid) -> ProcUnits {
        let Some(base) = self.systems.get(&system) else {
            return ProcUnits::ZERO;
        };
        base.processors
            .configurable
            .minus(self.partitions.assigned_processors(system))
            .minus(self.vioses.assigned_processors(system))
            .minus(self.reserved_by_processor_pools(system))
            .minus(self.processors_kept_for_arrivals(system))
    }

    /// The tag of what a request for these parts of a resource sees. `None` if there is no such resource.
    #[must_use]
    pub fn etag(&self, resource: &Resource, facets: Facets) -> Option<Etag> {
        Some(match resource {
            Resource::ManagementConsole(uuid) => etag(*uuid, &[self.console_named(*uuid)?.version]),
            Resource::ManagedSystem(uuid) => etag(*uuid, &[self.systems.get(uuid)?.version]),
            Resource::LogicalPartition(uuid) => {
                let partition = self.partitions.get(uuid)?;
                etag(
                    *uuid,
                    &[
                        partition.version,
                        if facets.nvram {
                            partition.nvram_version
                        } else {
                            0
                        },
                    ],
                )
            }
            Resource::VirtualIoServer(uuid) => self.vioses.get(uuid)?.etag(facets),
            Resource::VolumeGroup { vios, group } => {
                etag(*group, &[self.volume_group(*vios, *group)?.version])
            }
            Resource::VirtualScsiBus { vios, slot } => {
                let version = self.vioses.get(vios)?.buses.get(slot)?.version;
                etag(bus_uuid(*vios, *slot), &[version])
            }
            Resource::VirtualScsiClientAdapter { partition, slot } => {
                let (_, bus) = self.scsi_client_adapter(*partition, *slot)?;
                etag(client_uuid(*partition, *slot), &[bus.version])
            }
            Resource::VirtualFibreChannelClientAdapter { partition, slot } => {
                let (vios, mapping) = self.fc_client_adapter(*partition, *slot)?;
                let client = self.partitions.get(partition)?;
                let versions = [mapping.version, vios.fc_version, client.version];
                etag(client_uuid(*partition, *slot), &versions)
            }
            Resource::ClientNetworkAdapter { owner, adapter } => {
                etag(*adapter, &[self.network_adapter(*owner, *adapter)?.version])
            }
            Resource::VirtualSwitch { system, switch } => etag(
                *switch,
                &[self.systems.get(system)?.switches.get(switch)?.version],
            ),
            Resource::VirtualNetwork { system, network } => etag(
                *network,
                &[self.systems.get(system)?.networks.get(network)?.version],
            ),
            Resource::NetworkBridge { system, bridge } => {
                let there = self.systems.get(system)?.bridges.get(bridge)?;
                etag(*bridge, &self.bridge_versions(*system, there))
            }
            Resource::SriovEthernetLogicalPort { owner, port } => {
                let version = self.logical_port(*owner, *port)?.version;
                etag(*port, &[version])
            }
            Resource::VirtualNic { partition, vnic } => {
                let there = self.vnic(*partition, *vnic)?;
                etag(*vnic, &self.vnic_versions(*partition, there))
            }
            Resource::Cluster(uuid) => etag(*uuid, &[self.clusters.get(uuid)?.version]),
            Resource::SharedStoragePool(uuid) => etag(*uuid, &[self.pools.get(uuid)?.version]),
            Resource::Tier(uuid) => etag(*uuid, &[self.tiers.get(uuid)?.version]),
            Resource::LogicalUnit { tier, unit } => {
                etag(*unit, &[self.logical_unit(*tier, *unit)?.version])
            }
            Resource::LogicalPartitionProfile { owner, profile } => {
                etag(*profile, &[self.profile(*owner, *profile)?.version])
            }
            Resource::SharedProcessorPool { system, pool } => {
                let there = self.systems.get(system)?.processor_pool(*pool)?;
                etag(*pool, &self.processor_pool_versions(*system, there))
            }
            Resource::SharedMemoryPool { system, pool } => {
                let there = self.systems.get(system)?;
                let own = there.memory_pool.as_ref().filter(|own| own.uuid == *pool)?;
                etag(*pool, &[own.version, there.version])
            }
            Resource::VirtualSerialNumber { system, number } => {
                let mut numbers = self.systems.get(system)?.serial_numbers.values();
                etag(*number, &[numbers.find(|own| own.uuid == *number)?.version])
            }
            Resource::Group(uuid) => etag(*uuid, &[self.groups.get(uuid)?.version]),
            Resource::PowerEnterprisePool(uuid) => {
                etag(*uuid, &[self.enterprise_pools.get(uuid)?.version])
            }
            Resource::PowerEnterprisePoolMember { pool, member } => {
                let pool = self.enterprise_pools.get(pool)?;
                let system = self.systems.get(&pool.member(*member)?.system)?;
                etag(*member, &[pool.version, system.version])
            }
            Resource::PartitionTemplate(uuid) => etag(*uuid, &[self.templates.get(uuid)?.version]),
            Resource::PcmPreference(uuid) => {
                etag(*uuid, &[self.systems.get(uuid)?.monitoring.version])
            }
            Resource::File(uuid) => etag(*uuid, &[self.files.get(uuid)?.version]),
            Resource::Job(id) => etag(
                Uuid::from_u128(u128::from(*id)),
                &[self.jobs.get(id)?.version],
            ),
        })
    }
}

impl VirtualIoServer {
    fn etag(&self, facets: Facets) -> Etag {
        let part = |asked: bool, version: u64| if asked { version } else { 0 };
        etag(
            self.partition.uuid,
            &[
                self.partition.version,
                part(facets.scsi_mappings, self.mappings_version),
                part(facets.fc_mappings, self.fc_version),
                part(facets.storage, self.storage_version),
                part(facets.network || facets.vnic, self.network_version),
                part(facets.nvram, self.partition.nvram_version),
            ],
        )
    }
}
