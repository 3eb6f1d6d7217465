//! Feeds: all resources of a type below a parent.

use super::found::Found;
use crate::http::kind::Kind;
use crate::model::World;
use crate::model::directory::EnterprisePoolMember;

impl<'w> Found<'w> {
    /// Every resource of a type under a parent, in a stable order: partitions by number, all others by UUID.
    pub(super) fn list(world: &'w World, parent: Option<Self>, kind: Kind) -> Vec<Self> {
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
            (Kind::VirtualScsiBus, Some(Self::Vios(vios))) => vios
                .buses
                .values()
                .map(|bus| Self::Bus(vios, bus))
                .collect(),
            (Kind::VirtualScsiClientAdapter, Some(Self::Partition(partition))) => world
                .scsi_client_adapters(partition.uuid)
                .into_iter()
                .map(|(slot, vios, bus)| Self::ScsiClient(partition, slot, vios, bus))
                .collect(),
            (Kind::VirtualFibreChannelClientAdapter, Some(Self::Partition(partition))) => world
                .fc_client_adapters(partition.uuid)
                .into_iter()
                .map(|(slot, vios, mapping)| Self::FcClient(partition, slot, vios, mapping))
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
            (Kind::NetworkBridge, Some(Self::System(system))) => {
                let bridges = system.bridges.values();
                bridges.map(|bridge| Self::Bridge(system, bridge)).collect()
            }
            (Kind::SriovEthernetLogicalPort, Some(parent)) => match parent.as_owner() {
                Some((owner, partition)) => partition
                    .logical_ports
                    .values()
                    .map(|port| Self::LogicalPort(owner, partition, port))
                    .collect(),
                None => Vec::new(),
            },
            (Kind::VirtualNicDedicated, Some(Self::Partition(partition))) => {
                let nics = partition.vnics.values();
                nics.map(|nic| Self::Vnic(partition, nic)).collect()
            }
            (Kind::LogicalPartitionProfile, Some(parent)) => match parent.as_owner() {
                Some((owner, partition)) => {
                    let profiles = partition.profiles.iter();
                    profiles
                        .map(|profile| Self::Profile(owner, partition, profile))
                        .collect()
                }
                None => Vec::new(),
            },
            (Kind::SharedProcessorPool, Some(Self::System(system))) => {
                let pools = system.processor_pools.values();
                pools
                    .map(|pool| Self::ProcessorPool(system, pool))
                    .collect()
            }
            (Kind::SharedMemoryPool, Some(Self::System(system))) => {
                let pool = system.memory_pool.iter();
                pool.map(|pool| Self::MemoryPool(system, pool)).collect()
            }
            (Kind::VirtualSerialNumber, Some(Self::System(system))) => {
                let numbers = system.serial_numbers.values();
                numbers
                    .map(|number| Self::SerialNumber(system, number))
                    .collect()
            }
            (Kind::Group, _) => {
                let groups = world.groups.values().map(|group| Self::Group(group));
                groups.filter(under).collect()
            }
            (Kind::PowerEnterprisePool, _) => {
                let pools = world.enterprise_pools.values();
                pools.map(|pool| Self::EnterprisePool(pool)).collect()
            }
            (Kind::PowerEnterprisePoolMember, Some(Self::EnterprisePool(pool))) => pool
                .members
                .iter()
                .filter(|member| is_seen(world, member))
                .map(|member| Self::EnterprisePoolMember(pool, member))
                .collect(),
            (Kind::PartitionTemplate, _) => {
                let templates = world.templates.values();
                templates.map(|template| Self::Template(template)).collect()
            }
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
}

fn by_number(mut partitions: Vec<Found<'_>>) -> Vec<Found<'_>> {
    partitions.sort_by_key(|found| {
        found
            .as_partition()
            .map(|partition| (partition.system, partition.id))
    });
    partitions
}

/// Whether the member's system is one that this console or NovaLink manages: of others it knows too little to tell.
pub(super) fn is_seen(world: &World, member: &EnterprisePoolMember) -> bool {
    world.systems.contains_key(&member.system)
}
