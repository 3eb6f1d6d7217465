//! The canonical path of a resource below its service.

use super::context::upper;
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
        Resource::Cluster(uuid) => format!("Cluster/{uuid}"),
        Resource::SharedStoragePool(uuid) => format!("SharedStoragePool/{uuid}"),
        Resource::Tier(uuid) => format!("Tier/{uuid}"),
        Resource::LogicalUnit { tier, unit } => format!("Tier/{tier}/LogicalUnit/{unit}"),
        Resource::File(uuid) => format!("File/{uuid}"),
        Resource::Job(id) => format!("jobs/{id}"),
    }
}
