//! From a URL to the resources that it names.

use uuid::Uuid;

use super::context::{Context, upper};
use super::envelope::Sealed;
use super::feeds::is_seen;
use super::fragments::Fragments;
use super::{
    client_adapter, cluster, console, enterprise_pool, file, group, logical_port, managed_system,
    memory_pool, network_adapter, network_bridge, partition, pool, processor_pool, profile,
    scsi_bus, serial_number, switch, template, vios, vnic, volume_group,
};
use crate::http::group::{Group as Part, GroupSet};
use crate::http::kind::Kind;
use crate::http::problem::Problem;
use crate::http::target::{Target, UNKNOWN_RESOURCE};
use crate::model::directory::{EnterprisePool, EnterprisePoolMember, Group, PartitionTemplate};
use crate::model::etag::Facets;
use crate::model::file::File;
use crate::model::memory_pool::SharedMemoryPool;
use crate::model::network::{NetworkAdapter, NetworkBridge, VirtualNetwork, VirtualSwitch};
use crate::model::partition::Partition;
use crate::model::pool::{Cluster, LogicalUnit, SharedStoragePool, Tier};
use crate::model::processor_pool::SharedProcessorPool;
use crate::model::profile::Profile;
use crate::model::serial_number::VirtualSerialNumber;
use crate::model::sriov::{LogicalPort, Vnic};
use crate::model::storage::VolumeGroup;
use crate::model::system::{ManagedSystem, ManagementConsole};
use crate::model::vios::{FcMapping, ScsiBus, VirtualIoServer, bus_uuid, client_uuid};
use crate::model::{Flavor, Owner, World};

/// A resource that is there, with the parent that its document needs.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Found<'w> {
    Console(&'w ManagementConsole),
    System(&'w ManagedSystem),
    Partition(&'w Partition),
    Vios(&'w VirtualIoServer),
    VolumeGroup(&'w VirtualIoServer, &'w VolumeGroup),
    Bus(&'w VirtualIoServer, &'w ScsiBus),
    ScsiClient(&'w Partition, u16, &'w VirtualIoServer, &'w ScsiBus),
    FcClient(&'w Partition, u16, &'w VirtualIoServer, &'w FcMapping),
    Adapter(Owner, &'w Partition, &'w NetworkAdapter),
    Switch(&'w ManagedSystem, &'w VirtualSwitch),
    Network(&'w ManagedSystem, &'w VirtualNetwork),
    Bridge(&'w ManagedSystem, &'w NetworkBridge),
    LogicalPort(Owner, &'w Partition, &'w LogicalPort),
    Vnic(&'w Partition, &'w Vnic),
    Profile(Owner, &'w Partition, &'w Profile),
    ProcessorPool(&'w ManagedSystem, &'w SharedProcessorPool),
    MemoryPool(&'w ManagedSystem, &'w SharedMemoryPool),
    SerialNumber(&'w ManagedSystem, &'w VirtualSerialNumber),
    Group(&'w Group),
    EnterprisePool(&'w EnterprisePool),
    EnterprisePoolMember(&'w EnterprisePool, &'w EnterprisePoolMember),
    Template(&'w PartitionTemplate),
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
            if step.kind == Kind::VirtualScsiBus && world.flavor == Flavor::Hmc {
                return Err(Problem::invalid_url(
                    "VirtualSCSIBus is no child of VirtualIOServer.",
                ));
            }
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
            (
                Kind::VirtualScsiBus
                | Kind::VirtualScsiClientAdapter
                | Kind::VirtualFibreChannelClientAdapter,
                parent,
            ) => Self::list(world, parent, kind)
                .into_iter()
                .find(|found| found.storage_adapter_uuid() == Some(id))?,
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
            (Kind::NetworkBridge, Some(Self::System(system))) => {
                Self::Bridge(system, system.bridges.get(&id)?)
            }
            (Kind::SriovEthernetLogicalPort, Some(parent)) => {
                let (owner, partition) = parent.as_owner()?;
                Self::LogicalPort(owner, partition, partition.logical_ports.get(&id)?)
            }
            (Kind::VirtualNicDedicated, Some(Self::Partition(partition))) => {
                Self::Vnic(partition, partition.vnics.get(&id)?)
            }
            (Kind::LogicalPartitionProfile, Some(parent)) => {
                let (owner, partition) = parent.as_owner()?;
                Self::Profile(owner, partition, partition.profile(id)?)
            }
            (Kind::SharedProcessorPool, Some(Self::System(system))) => {
                Self::ProcessorPool(system, system.processor_pool(id)?)
            }
            (Kind::SharedMemoryPool, Some(Self::System(system))) => {
                let pool = system.memory_pool.as_deref().filter(|pool| pool.uuid == id);
                Self::MemoryPool(system, pool?)
            }
            (Kind::VirtualSerialNumber, Some(Self::System(system))) => {
                let mut numbers = system.serial_numbers.values();
                Self::SerialNumber(system, numbers.find(|own| own.uuid == id)?)
            }
            (Kind::Group, _) => Self::Group(world.groups.get(&id)?),
            (Kind::PowerEnterprisePool, _) => {
                Self::EnterprisePool(world.enterprise_pools.get(&id)?)
            }
            (Kind::PowerEnterprisePoolMember, Some(Self::EnterprisePool(pool))) => {
                let member = pool.member(id).filter(|member| is_seen(world, member))?;
                Self::EnterprisePoolMember(pool, member)
            }
            (Kind::PartitionTemplate, _) => Self::Template(world.templates.get(&id)?),
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
    pub(super) fn is_under(self, parent: Self) -> bool {
        match (self, parent) {
            (Self::Partition(partition), Self::System(system)) => partition.system == system.uuid,
            (Self::Vios(vios), Self::System(system)) => vios.partition.system == system.uuid,
            (Self::Tier(tier), Self::Pool(pool)) => tier.pool == pool.uuid,
            (Self::Pool(pool), Self::Cluster(cluster)) => pool.cluster == cluster.uuid,
            (Self::Group(group), Self::System(system)) => group.systems.contains(&system.uuid),
            (Self::Group(group), Self::Partition(partition)) => {
                group.partitions.contains(&partition.uuid)
            }
            (Self::Group(group), Self::Vios(vios)) => group.vioses.contains(&vios.partition.uuid),
            _ => true,
        }
    }

    /// The identity of a bus or a client adapter, which is made from its slot.
    fn storage_adapter_uuid(self) -> Option<Uuid> {
        match self {
            Self::Bus(vios, bus) => Some(bus_uuid(vios.partition.uuid, bus.slot)),
            Self::ScsiClient(partition, slot, ..) | Self::FcClient(partition, slot, ..) => {
                Some(client_uuid(partition.uuid, slot))
            }
            _ => None,
        }
    }

    pub(super) fn as_owner(self) -> Option<(Owner, &'w Partition)> {
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
            Self::Bus(..) => Kind::VirtualScsiBus,
            Self::ScsiClient(..) => Kind::VirtualScsiClientAdapter,
            Self::FcClient(..) => Kind::VirtualFibreChannelClientAdapter,
            Self::Adapter(..) => Kind::ClientNetworkAdapter,
            Self::Switch(..) => Kind::VirtualSwitch,
            Self::Network(..) => Kind::VirtualNetwork,
            Self::Bridge(..) => Kind::NetworkBridge,
            Self::LogicalPort(..) => Kind::SriovEthernetLogicalPort,
            Self::Vnic(..) => Kind::VirtualNicDedicated,
            Self::Profile(..) => Kind::LogicalPartitionProfile,
            Self::ProcessorPool(..) => Kind::SharedProcessorPool,
            Self::MemoryPool(..) => Kind::SharedMemoryPool,
            Self::SerialNumber(..) => Kind::VirtualSerialNumber,
            Self::Group(_) => Kind::Group,
            Self::EnterprisePool(_) => Kind::PowerEnterprisePool,
            Self::EnterprisePoolMember(..) => Kind::PowerEnterprisePoolMember,
            Self::Template(_) => Kind::PartitionTemplate,
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
            Self::Bus(..) | Self::ScsiClient(..) | Self::FcClient(..) => {
                self.storage_adapter_uuid().unwrap_or_default().to_string()
            }
            Self::Adapter(_, _, adapter) => adapter.uuid.to_string(),
            Self::Switch(_, switch) => switch.uuid.to_string(),
            Self::Network(_, network) => network.uuid.to_string(),
            Self::Bridge(_, bridge) => bridge.uuid.to_string(),
            Self::LogicalPort(_, _, port) => port.uuid.to_string(),
            Self::Vnic(_, nic) => nic.uuid.to_string(),
            Self::Profile(_, _, profile) => profile.uuid.to_string(),
            Self::ProcessorPool(_, pool) => pool.uuid.to_string(),
            Self::MemoryPool(_, pool) => pool.uuid.to_string(),
            Self::SerialNumber(_, number) => number.uuid.to_string(),
            Self::Group(group) => group.uuid.to_string(),
            Self::EnterprisePool(pool) => pool.uuid.to_string(),
            Self::EnterprisePoolMember(_, member) => member.uuid.to_string(),
            Self::Template(template) => template.uuid.to_string(),
            Self::Cluster(cluster) => cluster.uuid.to_string(),
            Self::Pool(pool) => pool.uuid.to_string(),
            Self::Tier(tier) => tier.uuid.to_string(),
            Self::Unit(_, unit) => unit.uuid.to_string(),
            Self::File(file) => file.uuid.to_string(),
        }
    }

    /// The tag of what a request with these groups sees.
    pub(crate) fn etag(self, world: &World, groups: &GroupSet) -> Option<i32> {
        let facets = Facets {
            scsi_mappings: groups.contains(Part::ViosScsiMapping),
            fc_mappings: groups.contains(Part::ViosFcMapping),
            storage: groups.contains(Part::ViosStorage),
            network: groups.contains(Part::ViosNetwork),
            vnic: groups.contains(Part::Vnic),
            nvram: groups.contains(Part::Nvram),
        };
        world.etag(&self.name(), facets).map(|etag| etag.0)
    }

    /// What the text depends on beside the etag: the minute where one is shown, and storage inside mappings.
    pub(crate) fn variant(self, cx: &Context<'_>) -> [u64; 2] {
        match self {
            Self::Vios(vios) => {
                let mapped = cx.has(Part::ViosScsiMapping) || cx.has(Part::ViosStorage);
                let versions = vios.storage_version.max(vios.mappings_version);
                // The free virtual ports of Fibre Channel ports show in every group.
                let shown = if mapped { versions } else { 0 };
                [
                    super::base_partition::uptime(&vios.partition, cx.now),
                    shown.max(vios.fc_version),
                ]
            }
            // Whether the server can be asked for logins shows in the reasons that it gives.
            Self::FcClient(_, _, vios, _) => [vios.partition.version, 0],
            Self::System(_) if cx.is_hmc() => [managed_system::system_time(cx.now), 0],
            Self::Template(_) => [u64::from(cx.detail), 0],
            _ => [0; 2],
        }
    }

    /// The resource's own element.
    pub(crate) fn render(self, cx: &Context<'_>, fragments: &Fragments) -> Sealed {
        let text = match self {
            Self::Console(console) => console::render(cx, console),
            Self::System(system) => managed_system::render(cx, system),
            Self::Partition(partition) => partition::render(cx, partition),
            Self::Vios(vios) => return vios::render(cx, vios, fragments),
            Self::VolumeGroup(vios, group) => volume_group::render(cx, vios, group),
            Self::Bus(vios, bus) => scsi_bus::render(cx, vios, bus),
            Self::ScsiClient(partition, _, vios, bus) => {
                client_adapter::render_scsi(cx, partition, vios, bus)
            }
            Self::FcClient(partition, _, vios, mapping) => {
                client_adapter::render_fc(cx, partition, vios, mapping)
            }
            Self::Adapter(_, partition, adapter) => network_adapter::render(cx, partition, adapter),
            Self::Switch(system, switch) => switch::render(cx, system, switch),
            Self::Network(system, network) => switch::render_network(cx, system, network),
            Self::Bridge(system, bridge) => network_bridge::render(cx, system, bridge),
            Self::LogicalPort(_, partition, port) => logical_port::render(cx, partition, port),
            Self::Vnic(partition, nic) => vnic::render(cx, partition, nic),
            Self::Profile(owner, partition, own) => profile::render(cx, owner, partition, own),
            Self::ProcessorPool(system, pool) => processor_pool::render(cx, system, pool),
            Self::MemoryPool(system, pool) => memory_pool::render(cx, system, pool),
            Self::SerialNumber(_, number) => serial_number::render(cx, number),
            Self::Group(own) => group::render(cx, own),
            Self::EnterprisePool(pool) => enterprise_pool::render(cx, pool),
            Self::EnterprisePoolMember(_, member) => enterprise_pool::render_member(cx, member),
            Self::Template(own) => template::render(cx, own),
            Self::Cluster(cluster) => cluster::render(cx, cluster),
            Self::Pool(pool) => pool::render(cx, pool),
            Self::Tier(tier) => pool::render_tier(cx, tier),
            Self::Unit(_, unit) => pool::render_unit(cx, unit),
            Self::File(file) => file::render(cx, file),
        };
        text.into()
    }
}
