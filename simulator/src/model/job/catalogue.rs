//! Which operations there are.

use super::JobTarget;
use crate::model::names::Flavor;

/// An operation that a job can ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// `PowerOn` of a partition of either kind.
    PowerOn,
    /// `PowerOff` of a partition of either kind.
    PowerOff,
    /// `CloseVterm` of a partition.
    CloseVterm,
    /// `RemoveDevice` of a Virtual I/O Server: a physical volume leaves its device list.
    RemoveDevice,
    /// `QueryReservedMemoryRequiredForPartition` of a managed system.
    QueryReservedMemory,
    /// `CLIRunner` of a management console.
    CliRunner,
    /// `LULinkedClone` of a cluster.
    LinkedClone,
}

impl Operation {
    /// The operation with this name, where the target and the product have it.
    #[must_use]
    pub fn find(flavor: Flavor, target: JobTarget, name: &str) -> Option<Self> {
        Some(match (target, name) {
            (JobTarget::LogicalPartition(_) | JobTarget::VirtualIoServer(_), "PowerOn") => {
                Self::PowerOn
            }
            (JobTarget::LogicalPartition(_) | JobTarget::VirtualIoServer(_), "PowerOff") => {
                Self::PowerOff
            }
            (JobTarget::LogicalPartition(_), "CloseVterm") => Self::CloseVterm,
            (JobTarget::VirtualIoServer(_), "RemoveDevice") if flavor == Flavor::NovaLink => {
                Self::RemoveDevice
            }
            (JobTarget::ManagedSystem(_), "QueryReservedMemoryRequiredForPartition") => {
                Self::QueryReservedMemory
            }
            (JobTarget::ManagementConsole(_), "CLIRunner") => Self::CliRunner,
            (JobTarget::Cluster(Some(_)), "LULinkedClone") => Self::LinkedClone,
            _ => return None,
        })
    }
}
