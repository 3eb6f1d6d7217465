//! From a URL to the resources that it names.

use uuid::Uuid;

use super::context::{Context, upper};
use super::{
    cluster, console, file, managed_system, network_adapter, partition, pool, switch, vios,
    volume_group,
};
use crate::http::group::{Group, GroupSet};
use crate::http::kind::Kind;
use crate::http::problem::Problem;
use crate::http::target::{Target, UNKNOWN_RESOURCE};
use crate::model::etag::Facets;
use crate::model::file::File;
use crate::model::network::{NetworkAdapter, VirtualNetwork, VirtualSwitch};
use crate::model::partition::Partition;
use crate::model::pool::{Cluster, LogicalUnit, SharedStoragePool, Tier};
use crate::model::storage::VolumeGroup;
use crate::model::system::{ManagedSystem, ManagementConsole};
use crate::model::vios::VirtualIoServer;
use crate::model::{Owner, Resource, World};

/// A resource that is there, with the parent that its document needs.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Found<'w> {
    Console(&'w ManagementConsole),
    System(&'w ManagedSystem),
    Partition(&'w Partition),
    Vios(&'w VirtualIoServer),
    VolumeGroup(&'w VirtualIoServer, &'w VolumeGroup),
    Adapter(Owner, &'w Partition, &'w NetworkAdapter),
    Switch(&'w ManagedSystem, &'w VirtualSwitch),
    Network(&'w ManagedSystem, &'w VirtualNetwork),
    Cluster(&'w Cluster),
    Pool(&'w SharedStoragePool),
    Tier(&'w Tier),
    Unit(&'w Tier, &'w LogicalUnit),
    File(&'w File),
}

/// What a path ends in.
pub(crate) enum Selection<'w> {
    Entry(Found<'w>),
    Feed(Vec<Found<'w>>),
}

impl<'w> Selection<'w> {
    /// Follows the path of a target; every resource on the way has to be there.
    ///
    /// # Errors
    /// 404 for a UUID that is none of its type's, or none of its parent's.
    pub(crate) fn of(world: &'w World, target: &Target) -> Result<Self, Problem> {
        let mut parent = None;
        for step in &target.steps {
            let Some(id) = step.id else {
                return Ok(Self::Feed(Found::list(world, parent, step.kind)));
            };
            let found =
                Found::find(world, parent, step.kind, id).ok_or_else(|| unknown(step.kind, id))?;
            parent = Some(found);
        }
        parent
            .map(Self::Entry)
            .ok_or_else(|| Problem::invalid_url("The path names no resource."))
    }
}

/// 404 for a resource that is not there.
fn unknown(kind: Kind, id: Uuid) -> Problem {
    let (kind, name) = (kind.name(), kind);
    if name == Kind::ManagementConsole {
        let message =
            format!("REST020F Unable to find a ROOT ManagementConsole with a UUID equal to {id}.");
        return Problem::new(404, UNKNOWN_RESOURCE, message);
    }
    Problem::new(
        404,
        UNKNOWN_RESOURCE,
        format!("REST029B {UNKNOWN_RESOURCE} There is no {kind} with the UUID {id} here."),
    )
}

impl<'w> Found<'w> {
    /// The resource that a change has just written.
    pub(crate) fn resource(world: &'w World, resource: &Resource) -> Option<Self> {
        Some(match resource {
            Resource::ManagementConsole(_) => Self::Console(&world.console),
            Resource::ManagedSystem(uuid) => Self::System(world.systems.get(uuid)?),
            Resource::LogicalPartition(uuid) => Self::Partition(world.partitions.get(uuid)?),
            Resource::VirtualIoServer(uuid) => Self::Vios(world.vioses.get(uuid)?),
            Resource::VolumeGroup { vios, group } => {
                Self::VolumeGroup(world.vioses.get(vios)?, world.volume_group(*vios, *group)?)
            }
            Resource::ClientNetworkAdapter { owner, adapter } => Self::Adapter(
                *owner,
                world.partition(*owner)?,
                world.network_adapter(*owner, *adapter)?,
            ),
            Resource::VirtualSwitch { system, switch } => {
                let system = world.systems.get(system)?;
                Self::Switch(system, system.switches.get(switch)?)
            }
            Resource::VirtualNetwork { system, network } => {
                let system = world.systems.get(system)?;
                Self::Network(system, system.networks.get(network)?)
            }
            Resource::Cluster(uuid) => Self::Cluster(world.clusters.get(uuid)?),
            Resource::SharedStoragePool(uuid) => Self::Pool(world.pools.get(uuid)?),
            Resource::Tier(uuid) => Self::Tier(world.tiers.get(uuid)?),
            Resource::LogicalUnit { tier, unit } => {
                Self::Unit(world.tiers.get(tier)?, world.logical_unit(*tier, *unit)?)
            }
            Resource::File(uuid) => Self::File(world.files.get(uuid)?),
            Resource::Job(_) => return None,
        })
    }

    fn find(world: &'w World, parent: Option<Self>, kind: Kind, id: Uuid) -> Option<Self> {
        let found = match (kind, parent) {
            (Kind::ManagementConsole, _) => {
                (world.console.uuid == id).then_some(Self::Console(&world.console))?
            }
            (Kind::ManagedSystem, _) => Self::System(world.systems.get(&id)?),
            (Kind::LogicalPartition, _) => Self::Partition(world.partitions.get(&id)?),
            (Kind::VirtualIoServer, _) => Self::Vios(world.vioses.get(&id)?),
            (Kind::VolumeGroup, Some(Self::Vios(vios))) => {
                Self::VolumeGroup(vios, vios.volume_group(id)?)
            }
            (Kind::ClientNetworkAdapter, Some(parent)) => {
                let (owner, partition) = parent.as_owner()?;
                Self::Adapter(owner, partition, partition.network_adapters.get(&id)?)
            }
            (Kind::VirtualSwitch, Some(Self::System(system))) => {
                Self::Switch(system, system.switches.get(&id)?)
            }
            (Kind::VirtualNetwork, Some(Self::System(system))) => {
                Self::Network(system, system.networks.get(&id)?)
            }
            (Kind::Cluster, _) => Self::Cluster(world.clusters.get(&id)?),
            (Kind::SharedStoragePool, _) => Self::Pool(world.pools.get(&id)?),
            (Kind::Tier, _) => Self::Tier(world.tiers.get(&id)?),
            (Kind::LogicalUnit, Some(Self::Tier(tier))) => Self::Unit(tier, tier.units.get(&id)?),
            (Kind::File, _) => Self::File(world.files.get(&id)?),
            _ => return None,
        };
        parent
            .is_none_or(|parent| found.is_under(parent))
            .then_some(found)
    }

    /// Whether the resource belongs to the parent that the path names.
    fn is_under(self, parent: Self) -> bool {
        match (self, parent) {
            (Self::Partition(partition), Self::System(system)) => partition.system == system.uuid,
            (Self::Vios(vios), Self::System(system)) => vios.partition.system == system.uuid,
            (Self::Tier(tier), Self::Pool(pool)) => tier.pool == pool.uuid,
            (Self::Pool(pool), Self::Cluster(cluster)) => pool.cluster == cluster.uuid,
            _ => true,
        }
    }

    /// Every resource of a type under a parent, in a stable order: partitions by number, all others by UUID.
    fn list(world: &'w World, parent: Option<Self>, kind: Kind) -> Vec<Self> {
        let under = |found: &Self| parent.is_none_or(|parent| found.is_under(parent));
        match (kind, parent) {
            (Kind::ManagementConsole, _) => vec![Self::Console(&world.console)],
            (Kind::ManagedSystem, _) => world
                .systems
                .values()
                .map(|system| Self::System(system))
                .collect(),
            (Kind::LogicalPartition, _) => {
                let all = world
                    .partitions
                    .values()
                    .map(|partition| Self::Partition(partition));
                by_number(all.filter(under).collect())
            }
            (Kind::VirtualIoServer, _) => by_number(
                world
                    .vioses
                    .values()
                    .map(|vios| Self::Vios(vios))
                    .filter(under)
                    .collect(),
            ),
            (Kind::VolumeGroup, Some(Self::Vios(vios))) => vios
                .volume_groups
                .iter()
                .map(|group| Self::VolumeGroup(vios, group))
                .collect(),
            (Kind::ClientNetworkAdapter, Some(parent)) => match parent.as_owner() {
                Some((owner, partition)) => partition
                    .network_adapters
                    .values()
                    .map(|adapter| Self::Adapter(owner, partition, adapter))
                    .collect(),
                None => Vec::new(),
            },
            (Kind::VirtualSwitch, Some(Self::System(system))) => system
                .switches
                .values()
                .map(|switch| Self::Switch(system, switch))
                .collect(),
            (Kind::VirtualNetwork, Some(Self::System(system))) => system
                .networks
                .values()
                .map(|network| Self::Network(system, network))
                .collect(),
            (Kind::Cluster, _) => world
                .clusters
                .values()
                .map(|cluster| Self::Cluster(cluster))
                .collect(),
            (Kind::SharedStoragePool, _) => world
                .pools
                .values()
                .map(|pool| Self::Pool(pool))
                .filter(under)
                .collect(),
            (Kind::Tier, Some(Self::Pool(pool))) => world
                .tiers_of(pool.uuid)
                .map(|tier| Self::Tier(tier))
                .collect(),
            (Kind::Tier, _) => world.tiers.values().map(|tier| Self::Tier(tier)).collect(),
            (Kind::LogicalUnit, Some(Self::Tier(tier))) => tier
                .units
                .values()
                .map(|unit| Self::Unit(tier, unit))
                .collect(),
            (Kind::File, _) => world.files.values().map(|file| Self::File(file)).collect(),
            _ => Vec::new(),
        }
    }

    fn as_owner(self) -> Option<(Owner, &'w Partition)> {
        match self {
            Self::Partition(partition) => Some((Owner::Partition(partition.uuid), partition)),
            Self::Vios(vios) => Some((Owner::Vios(vios.partition.uuid), &vios.partition)),
            _ => None,
        }
    }

    /// The partition, also that of a Virtual I/O Server.
    pub(crate) fn as_partition(self) -> Option<&'w Partition> {
        self.as_owner().map(|(_, partition)| partition)
    }

    pub(crate) const fn kind(self) -> Kind {
        match self {
            Self::Console(_) => Kind::ManagementConsole,
            Self::System(_) => Kind::ManagedSystem,
            Self::Partition(_) => Kind::LogicalPartition,
            Self::Vios(_) => Kind::VirtualIoServer,
            Self::VolumeGroup(..) => Kind::VolumeGroup,
            Self::Adapter(..) => Kind::ClientNetworkAdapter,
            Self::Switch(..) => Kind::VirtualSwitch,
            Self::Network(..) => Kind::VirtualNetwork,
            Self::Cluster(_) => Kind::Cluster,
            Self::Pool(_) => Kind::SharedStoragePool,
            Self::Tier(_) => Kind::Tier,
            Self::Unit(..) => Kind::LogicalUnit,
            Self::File(_) => Kind::File,
        }
    }

    /// The identity as documents and links spell it.
    pub(crate) fn id(self) -> String {
        match self {
            Self::Console(console) => console.uuid.to_string(),
            Self::System(system) => system.uuid.to_string(),
            Self::Partition(partition) => upper(partition.uuid),
            Self::Vios(vios) => upper(vios.partition.uuid),
            Self::VolumeGroup(_, group) => group.uuid.to_string(),
            Self::Adapter(_, _, adapter) => adapter.uuid.to_string(),
            Self::Switch(_, switch) => switch.uuid.to_string(),
            Self::Network(_, network) => network.uuid.to_string(),
            Self::Cluster(cluster) => cluster.uuid.to_string(),
            Self::Pool(pool) => pool.uuid.to_string(),
            Self::Tier(tier) => tier.uuid.to_string(),
            Self::Unit(_, unit) => unit.uuid.to_string(),
            Self::File(file) => file.uuid.to_string(),
        }
    }

    /// Its name in the model.
    pub(crate) const fn name(self) -> Resource {
        match self {
            Self::Console(console) => Resource::ManagementConsole(console.uuid),
            Self::System(system) => Resource::ManagedSystem(system.uuid),
            Self::Partition(partition) => Resource::LogicalPartition(partition.uuid),
            Self::Vios(vios) => Resource::VirtualIoServer(vios.partition.uuid),
            Self::VolumeGroup(vios, group) => Resource::VolumeGroup {
                vios: vios.partition.uuid,
                group: group.uuid,
            },
            Self::Adapter(owner, _, adapter) => Resource::ClientNetworkAdapter {
                owner,
                adapter: adapter.uuid,
            },
            Self::Switch(system, switch) => Resource::VirtualSwitch {
                system: system.uuid,
                switch: switch.uuid,
            },
            Self::Network(system, network) => Resource::VirtualNetwork {
                system: system.uuid,
                network: network.uuid,
            },
            Self::Cluster(cluster) => Resource::Cluster(cluster.uuid),
            Self::Pool(pool) => Resource::SharedStoragePool(pool.uuid),
            Self::Tier(tier) => Resource::Tier(tier.uuid),
            Self::Unit(tier, unit) => Resource::LogicalUnit {
                tier: tier.uuid,
                unit: unit.uuid,
            },
            Self::File(file) => Resource::File(file.uuid),
        }
    }

    /// The tag of what a request with these groups sees.
    pub(crate) fn etag(self, world: &World, groups: &GroupSet) -> Option<i32> {
        let facets = Facets {
            scsi_mappings: groups.contains(Group::ViosScsiMapping),
            fc_mappings: groups.contains(Group::ViosFcMapping),
            storage: groups.contains(Group::ViosStorage),
            network: groups.contains(Group::ViosNetwork),
            nvram: groups.contains(Group::Nvram),
        };
        world.etag(&self.name(), facets).map(|etag| etag.0)
    }

    /// What the text depends on beside the etag: the minute where one is shown, and storage inside mappings.
    pub(crate) fn variant(self, cx: &Context<'_>) -> [u64; 2] {
        match self {
            Self::Vios(vios) => {
                let mapped = cx.has(Group::ViosScsiMapping) || cx.has(Group::ViosStorage);
                let versions = vios.storage_version.max(vios.mappings_version);
                [
                    super::base_partition::uptime(&vios.partition, cx.now),
                    if mapped { versions } else { 0 },
                ]
            }
            Self::System(_) if cx.is_hmc() => [managed_system::system_time(cx.now), 0],
            _ => [0; 2],
        }
    }

    /// The resource's own element.
    pub(crate) fn render(self, cx: &Context<'_>) -> String {
        match self {
            Self::Console(console) => console::render(cx, console),
            Self::System(system) => managed_system::render(cx, system),
            Self::Partition(partition) => partition::render(cx, partition),
            Self::Vios(vios) => vios::render(cx, vios),
            Self::VolumeGroup(vios, group) => volume_group::render(cx, vios, group),
            Self::Adapter(_, partition, adapter) => network_adapter::render(cx, partition, adapter),
            Self::Switch(system, switch) => switch::render(cx, system, switch),
            Self::Network(system, network) => switch::render_network(cx, system, network),
            Self::Cluster(cluster) => cluster::render(cx, cluster),
            Self::Pool(pool) => pool::render(cx, pool),
            Self::Tier(tier) => pool::render_tier(cx, tier),
            Self::Unit(_, unit) => pool::render_unit(cx, unit),
            Self::File(file) => file::render(cx, file),
        }
    }
}

fn by_number(mut partitions: Vec<Found<'_>>) -> Vec<Found<'_>> {
    partitions.sort_by_key(|found| {
        found
            .as_partition()
            .map(|partition| (partition.system, partition.id))
    });
    partitions
}
