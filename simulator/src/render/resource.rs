//! The canonical path of a resource below its service.

use super::context::upper;
use crate::model::vios::{bus_uuid, client_uuid};
use crate::model::{Owner, Resource};

/// The path by which events and jobs name a resource.
#[must_use]
pub fn path(resource: &Resource) -> String {
    match resource {
        Resource::ManagementConsole(uuid) => format!("ManagementConsole/{uuid}"),
        Resource::ManagedSystem(uuid) => format!("ManagedSystem/{uuid}"),
        Resource::LogicalPartition(uuid) => format!("LogicalPartition/{}", upper(*uuid)),
        Resource::VirtualIoServer(uuid) => format!("VirtualIOServer/{}", upper(*uuid)),
        Resource::VolumeGroup { vios, group } => {
            format!("VirtualIOServer/{}/VolumeGroup/{group}", upper(*vios))
        }
        Resource::VirtualScsiBus { vios, slot } => format!(
            "VirtualIOServer/{}/VirtualSCSIBus/{}",
            upper(*vios),
            bus_uuid(*vios, *slot)
        ),
        Resource::VirtualScsiClientAdapter { partition, slot } => format!(
            "LogicalPartition/{}/VirtualSCSIClientAdapter/{}",
            upper(*partition),
            client_uuid(*partition, *slot)
        ),
        Resource::VirtualFibreChannelClientAdapter { partition, slot } => format!(
            "LogicalPartition/{}/VirtualFibreChannelClientAdapter/{}",
            upper(*partition),
            client_uuid(*partition, *slot)
        ),
        Resource::ClientNetworkAdapter {
            owner: Owner::Partition(uuid),
            adapter,
        } => {
            format!(
                "LogicalPartition/{}/ClientNetworkAdapter/{adapter}",
                upper(*uuid)
            )
        }
        Resource::ClientNetworkAdapter {
            owner: Owner::Vios(uuid),
            adapter,
        } => {
            format!(
                "VirtualIOServer/{}/ClientNetworkAdapter/{adapter}",
                upper(*uuid)
            )
        }
        Resource::VirtualSwitch { system, switch } => {
            format!("ManagedSystem/{system}/VirtualSwitch/{switch}")
        }
        Resource::VirtualNetwork { system, network } => {
            format!("ManagedSystem/{system}/VirtualNetwork/{network}")
        }
        Resource::LogicalPartitionProfile { owner, profile } => {
            let owner = path(&Resource::from(*owner));
            format!("{owner}/LogicalPartitionProfile/{profile}")
        }
        Resource::SharedProcessorPool { system, pool } => {
            format!("ManagedSystem/{system}/SharedProcessorPool/{pool}")
        }
        Resource::SharedMemoryPool { system, pool } => {
            format!("ManagedSystem/{system}/SharedMemoryPool/{pool}")
        }
        Resource::VirtualSerialNumber { system, number } => {
            format!("ManagedSystem/{system}/VirtualSerialNumberInformation/{number}")
        }
        Resource::Group(uuid) => format!("Group/{uuid}"),
        Resource::PowerEnterprisePool(uuid) => format!("PowerEnterprisePool/{uuid}"),
        Resource::PowerEnterprisePoolMember { pool, member } => {
            format!("PowerEnterprisePool/{pool}/PowerEnterprisePoolMember/{member}")
        }
        Resource::PartitionTemplate(uuid) => format!("PartitionTemplate/{uuid}"),
        Resource::PcmPreference(uuid) => format!("ManagedSystem/{uuid}/preferences"),
        Resource::NetworkBridge { system, bridge } => {
            format!("ManagedSystem/{system}/NetworkBridge/{bridge}")
        }
        Resource::SriovEthernetLogicalPort { owner, port } => {
            let kind = match owner {
                Owner::Partition(_) => "LogicalPartition",
                Owner::Vios(_) => "VirtualIOServer",
            };
            let owner = upper(owner.uuid());
            format!("{kind}/{owner}/SRIOVEthernetLogicalPort/{port}")
        }
        Resource::VirtualNic { partition, vnic } => {
            format!(
                "LogicalPartition/{}/VirtualNICDedicated/{vnic}",
                upper(*partition)
            )
        }
        Resource::Cluster(uuid) => format!("Cluster/{uuid}"),
        Resource::SharedStoragePool(uuid) => format!("SharedStoragePool/{uuid}"),
        Resource::Tier(uuid) => format!("Tier/{uuid}"),
        Resource::LogicalUnit { tier, unit } => format!("Tier/{tier}/LogicalUnit/{unit}"),
        Resource::File(uuid) => format!("File/{uuid}"),
        Resource::Job(id) => format!("jobs/{id}"),
    }
}
