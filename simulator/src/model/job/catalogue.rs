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
    /// `ConfigDevice` of a Virtual I/O Server: it looks for new disks.
    ConfigDevice,
    /// `GetFreePhysicalVolumes` of a Virtual I/O Server.
    GetFreePhysicalVolumes,
    /// `RescanVirtualDisk` of a Virtual I/O Server: a disk learns that it has grown.
    RescanVirtualDisk,
    /// `RBDExists` of a Virtual I/O Server.
    RbdExists,
    /// `LUARecovery` of a Virtual I/O Server: discovery of Fibre Channel disks, and their inventory.
    LuaRecovery,
    /// `ISCSIDiscovery` of a Virtual I/O Server.
    IscsiDiscovery,
    /// `ISCSIRemove` of a Virtual I/O Server.
    IscsiRemove,
    /// `GetNextWWPNs` of a managed system.
    GetNextWwpns,
    /// `CLIRunner` of a management console.
    CliRunner,
    /// `Create` of `Cluster`.
    CreateCluster,
    /// `Delete` of a cluster.
    DeleteCluster,
    /// `CreateLogicalUnit` of a cluster.
    CreateLogicalUnit,
    /// `DeleteLogicalUnit` of a cluster.
    DeleteLogicalUnit,
    /// `GrowLogicalUnit` of a cluster.
    GrowLogicalUnit,
    /// `LULinkedClone` of a cluster.
    LinkedClone,
    /// `ActivateCurrentProfile` of a partition: it starts with what it has.
    ActivateCurrentProfile,
    /// `GetNetworkBootDevices` of a partition of either kind.
    NetworkBootDevices,
    /// `Migrate` of a partition to another system.
    Migrate,
    /// `MigrateValidate` of a partition.
    MigrateValidate,
    /// `MigrateAbort` of a partition.
    MigrateAbort,
    /// `MigrateRecover` of a partition.
    MigrateRecover,
    /// `RemoteRestart` of a partition whose system has failed.
    RemoteRestart,
    /// `Suspend` of a partition.
    Suspend,
    /// `SuspendValidate` of a partition.
    SuspendValidate,
    /// `Resume` of a partition.
    Resume,
    /// `ResumeValidate` of a partition.
    ResumeValidate,
    /// `CloneUUID` of a partition.
    CloneUuid,
    /// `AddLicense` of an IBM i partition.
    AddLicense,
    /// `PanelFunction` of an IBM i partition.
    PanelFunction,
    /// `SaveCurrentConfig` of a partition of either kind.
    SaveCurrentConfig,
    /// `ChangeDefaultProfileName` of a partition of either kind.
    ChangeDefaultProfileName,
    /// `RequestMaster` of a managed system.
    RequestMaster,
    /// `RequestController` of a managed system.
    RequestController,
    /// `ReleaseMaster` and `ReleaseController` of a managed system.
    ReleaseController,
    /// `PowerOn` of a managed system.
    PowerOnSystem,
    /// `PowerOff` of a managed system.
    PowerOffSystem,
    /// `GetDPOStatus` of a managed system.
    GetDpoStatus,
    /// `ModifySRIOVAdapterMode` of a managed system.
    ModifySriovMode,
    /// `AddVSN` of a managed system.
    AddSerialNumber,
    /// `RemoveVSN` of a managed system.
    RemoveSerialNumber,
    /// `TransferVSN` of a managed system.
    TransferSerialNumber,
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
            (JobTarget::ManagedSystem(_), "GetNextWWPNs") => Self::GetNextWwpns,
            (JobTarget::Cluster(None), "Create") => Self::CreateCluster,
            (JobTarget::Cluster(Some(_)), name) => Self::of_cluster(flavor, name)?,
            (JobTarget::LogicalPartition(_), name) => Self::of_partition(flavor, name)?,
            (JobTarget::VirtualIoServer(_), name) => {
                Self::of_storage(flavor, name).or_else(|| Self::of_profiled(flavor, name))?
            }
            (JobTarget::ManagedSystem(_), name) => Self::of_system(flavor, name)?,
            _ => return None,
        })
    }

    /// Mobility is on both products, suspension and profiles on an HMC, the rest on a NovaLink.
    fn of_partition(flavor: Flavor, name: &str) -> Option<Self> {
        Some(match (name, flavor) {
            ("Migrate", _) => Self::Migrate,
            ("MigrateValidate", _) => Self::MigrateValidate,
            ("MigrateAbort", _) => Self::MigrateAbort,
            ("MigrateRecover", _) => Self::MigrateRecover,
            ("ActivateCurrentProfile", Flavor::Hmc) => Self::ActivateCurrentProfile,
            ("RemoteRestart", Flavor::Hmc) => Self::RemoteRestart,
            ("Suspend", Flavor::Hmc) => Self::Suspend,
            ("SuspendValidate", Flavor::Hmc) => Self::SuspendValidate,
            ("Resume", Flavor::Hmc) => Self::Resume,
            ("ResumeValidate", Flavor::Hmc) => Self::ResumeValidate,
            ("CloneUUID", Flavor::NovaLink) => Self::CloneUuid,
            ("AddLicense", _) => Self::AddLicense,
            ("PanelFunction", _) => Self::PanelFunction,
            _ => return Self::of_profiled(flavor, name),
        })
    }

    /// Discovery over Fibre Channel is on both products, what only a Linux server can do on a NovaLink.
    fn of_storage(flavor: Flavor, name: &str) -> Option<Self> {
        Some(match (name, flavor) {
            ("LUARecovery", _) => Self::LuaRecovery,
            ("ConfigDevice", _) => Self::ConfigDevice,
            ("GetFreePhysicalVolumes", _) => Self::GetFreePhysicalVolumes,
            ("RescanVirtualDisk", Flavor::NovaLink) => Self::RescanVirtualDisk,
            ("RBDExists", Flavor::NovaLink) => Self::RbdExists,
            ("ISCSIDiscovery", Flavor::NovaLink) => Self::IscsiDiscovery,
            ("ISCSIRemove", Flavor::NovaLink) => Self::IscsiRemove,
            _ => return None,
        })
    }

    /// Clones are on both products, what IBM documents for the HMC is on an HMC.
    fn of_cluster(flavor: Flavor, name: &str) -> Option<Self> {
        Some(match (name, flavor) {
            ("LULinkedClone", _) => Self::LinkedClone,
            ("Delete", Flavor::Hmc) => Self::DeleteCluster,
            ("CreateLogicalUnit", Flavor::Hmc) => Self::CreateLogicalUnit,
            ("DeleteLogicalUnit", Flavor::Hmc) => Self::DeleteLogicalUnit,
            ("GrowLogicalUnit", Flavor::Hmc) => Self::GrowLogicalUnit,
            _ => return None,
        })
    }

    fn of_profiled(flavor: Flavor, name: &str) -> Option<Self> {
        Some(match (name, flavor) {
            ("GetNetworkBootDevices", Flavor::Hmc) => Self::NetworkBootDevices,
            ("SaveCurrentConfig", Flavor::Hmc) => Self::SaveCurrentConfig,
            ("ChangeDefaultProfileName", Flavor::Hmc) => Self::ChangeDefaultProfileName,
            _ => return None,
        })
    }

    fn of_system(flavor: Flavor, name: &str) -> Option<Self> {
        Some(match (name, flavor) {
            ("RequestMaster", _) => Self::RequestMaster,
            ("RequestController", _) => Self::RequestController,
            ("ReleaseMaster" | "ReleaseController", _) => Self::ReleaseController,
            ("PowerOn", Flavor::Hmc) => Self::PowerOnSystem,
            ("PowerOff", Flavor::Hmc) => Self::PowerOffSystem,
            ("GetDPOStatus", _) => Self::GetDpoStatus,
            ("ModifySRIOVAdapterMode", Flavor::Hmc) => Self::ModifySriovMode,
            ("AddVSN", Flavor::NovaLink) => Self::AddSerialNumber,
            ("RemoveVSN", Flavor::NovaLink) => Self::RemoveSerialNumber,
            ("TransferVSN", Flavor::NovaLink) => Self::TransferSerialNumber,
            _ => return None,
        })
    }
}
