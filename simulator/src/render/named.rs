//! Between the model's names of resources and what is there.

use super::feeds::is_seen;
use super::found::Found;
use crate::model::{Resource, World};

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
            Resource::VirtualScsiBus { vios, slot } => {
                let vios = world.vioses.get(vios)?;
                Self::Bus(vios, vios.buses.get(slot)?)
            }
            Resource::VirtualScsiClientAdapter { partition, slot } => {
                let (vios, bus) = world.scsi_client_adapter(*partition, *slot)?;
                Self::ScsiClient(world.partitions.get(partition)?, *slot, vios, bus)
            }
            Resource::VirtualFibreChannelClientAdapter { partition, slot } => {
                let (vios, mapping) = world.fc_client_adapter(*partition, *slot)?;
                Self::FcClient(world.partitions.get(partition)?, *slot, vios, mapping)
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
            Resource::NetworkBridge { system, bridge } => {
                let system = world.systems.get(system)?;
                Self::Bridge(system, system.bridges.get(bridge)?)
            }
            Resource::SriovEthernetLogicalPort { owner, port } => Self::LogicalPort(
                *owner,
                world.partition(*owner)?,
                world.logical_port(*owner, *port)?,
            ),
            Resource::VirtualNic { partition, vnic } => Self::Vnic(
                world.partitions.get(partition)?,
                world.vnic(*partition, *vnic)?,
            ),
            Resource::LogicalPartitionProfile { owner, profile } => Self::Profile(
                *owner,
                world.partition(*owner)?,
                world.profile(*owner, *profile)?,
            ),
            Resource::SharedProcessorPool { system, pool } => {
                let system = world.systems.get(system)?;
                Self::ProcessorPool(system, system.processor_pool(*pool)?)
            }
            Resource::SharedMemoryPool { system, .. } => {
                let system = world.systems.get(system)?;
                Self::MemoryPool(system, system.memory_pool.as_deref()?)
            }
            Resource::VirtualSerialNumber { system, number } => {
                let system = world.systems.get(system)?;
                let mut numbers = system.serial_numbers.values();
                Self::SerialNumber(system, numbers.find(|own| own.uuid == *number)?)
            }
            Resource::Group(uuid) => Self::Group(world.groups.get(uuid)?),
            Resource::PowerEnterprisePool(uuid) => {
                Self::EnterprisePool(world.enterprise_pools.get(uuid)?)
            }
            Resource::PowerEnterprisePoolMember { pool, member } => {
                let pool = world.enterprise_pools.get(pool)?;
                let member = pool
                    .member(*member)
                    .filter(|member| is_seen(world, member))?;
                Self::EnterprisePoolMember(pool, member)
            }
            Resource::PartitionTemplate(uuid) => Self::Template(world.templates.get(uuid)?),
            // Preferences have a service, and so an answer, of their own.
            Resource::PcmPreference(_) => return None,
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
            Self::Bus(vios, bus) => Resource::VirtualScsiBus {
                vios: vios.partition.uuid,
                slot: bus.slot,
            },
            Self::ScsiClient(partition, slot, ..) => Resource::VirtualScsiClientAdapter {
                partition: partition.uuid,
                slot,
            },
            Self::FcClient(partition, slot, ..) => Resource::VirtualFibreChannelClientAdapter {
                partition: partition.uuid,
                slot,
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
            Self::Bridge(system, bridge) => Resource::NetworkBridge {
                system: system.uuid,
                bridge: bridge.uuid,
            },
            Self::LogicalPort(owner, _, port) => Resource::SriovEthernetLogicalPort {
                owner,
                port: port.uuid,
            },
            Self::Vnic(partition, nic) => Resource::VirtualNic {
                partition: partition.uuid,
                vnic: nic.uuid,
            },
            Self::Profile(owner, _, profile) => Resource::LogicalPartitionProfile {
                owner,
                profile: profile.uuid,
            },
            Self::ProcessorPool(system, pool) => Resource::SharedProcessorPool {
                system: system.uuid,
                pool: pool.uuid,
            },
            Self::MemoryPool(system, pool) => Resource::SharedMemoryPool {
                system: system.uuid,
                pool: pool.uuid,
            },
            Self::SerialNumber(system, number) => Resource::VirtualSerialNumber {
                system: system.uuid,
                number: number.uuid,
            },
            Self::Group(group) => Resource::Group(group.uuid),
            Self::EnterprisePool(pool) => Resource::PowerEnterprisePool(pool.uuid),
            Self::EnterprisePoolMember(pool, member) => Resource::PowerEnterprisePoolMember {
                pool: pool.uuid,
                member: member.uuid,
            },
            Self::Template(template) => Resource::PartitionTemplate(template.uuid),
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
}
