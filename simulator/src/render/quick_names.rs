//! The names of the quick properties that a type has: `<Type>/quick` (`docs/protocol/quick.md`).

use super::context::{Context, named};
use super::envelope::Content;
use super::writer::{ROR, WEB};
use super::{Rendered, envelope};
use crate::http::kind::Kind;

/// The names in the order of the objects; none for a type without quick properties.
pub(crate) const fn names(kind: Kind) -> Option<&'static [&'static str]> {
    match kind {
        Kind::ManagedSystem => Some(SYSTEM),
        Kind::LogicalPartition => Some(PARTITION),
        Kind::VirtualIoServer => Some(SERVER),
        Kind::VirtualNetwork => Some(NETWORK),
        _ => None,
    }
}

const SYSTEM: &[&str] = &[
    "Description",
    "ConfigurableSystemMemory",
    "SystemFirmware",
    "ConfigurableSystemProcessorUnits",
    "CurrentAvailableSystemProcessorUnits",
    "SystemName",
    "ManufacturingDefaultConfigurationEnabled",
    "UUID",
    "InstalledSystemProcessorUnits",
    "IsPowerVMManagementMaster",
    "ActivatedLevel",
    "InstalledSystemMemory",
    "CapacityOnDemandProcessorCapable",
    "MTMS",
    "MaximumPartitions",
    "CurrentAvailableSystemMemory",
    "SystemLocation",
    "PhysicalSystemAttentionLEDState",
    "ServiceProcessorVersion",
    "State",
    "MergedReferenceCode",
    "IsNotPowerVMManagementMaster",
    "IsClassicHMCManagement",
    "ReferenceCode",
    "CapacityOnDemandMemoryCapable",
    "IPAddress",
    "MemoryDefragmentationState",
];

const PARTITION: &[&str] = &[
    "ProgressState",
    "Description",
    "MemoryMode",
    "MigrationState",
    "PowerManagementMode",
    "OperatingSystemVersion",
    "PartitionID",
    "IsVirtualServiceAttentionLEDOn",
    "AllocatedVirtualProcessors",
    "PartitionState",
    "ResourceMonitoringIPAddress",
    "HasPhysicalIO",
    "SharingMode",
    "UUID",
    "CurrentProcessors",
    "LastActivatedProfile",
    "RemoteRestartState",
    "PartitionType",
    "PartitionName",
    "RMCState",
    "CurrentMemory",
    "HasDedicatedProcessors",
    "AssociatedManagedSystem",
    "ReferenceCode",
    "CurrentProcessingUnits",
    "MigrationDisable",
];

const SERVER: &[&str] = &[
    "CurrentProcessors",
    "OperatingSystemVersion",
    "PartitionID",
    "PartitionType",
    "VirtualIOServerLicenseAccepted",
    "APICapable",
    "PartitionName",
    "IsVirtualServiceAttentionLEDOn",
    "RMCState",
    "AllocatedVirtualProcessors",
    "CurrentMemory",
    "HasDedicatedProcessors",
    "PartitionState",
    "AssociatedManagedSystem",
    "ResourceMonitoringIPAddress",
    "ReferenceCode",
    "CurrentProcessingUnits",
    "SharingMode",
    "UUID",
];

const NETWORK: &[&str] = &[
    "NetworkName",
    "NetworkVLANID",
    "VswitchID",
    "TaggedNetwork",
    "UUID",
];

/// `QuickPropertySet`: that there is such a list is documented, its form is not; it is that of `SearchParameterSet`.
pub(crate) fn set(cx: &Context<'_>, kind: Kind, names: &[&str]) -> Rendered {
    let mut w = cx.writer(4096);
    w.root("QuickPropertySet", WEB, None, |w| {
        w.text("ElementName", ROR, kind.name());
        w.section("QuickProperties", ROR, |w| {
            for name in names {
                w.member("QuickProperty", |w| w.text("PropertyName", ROR, name));
            }
        });
    });
    let id = named(cx.world.console.uuid, &format!("{}/quick", kind.name())).to_string();
    let content = Content {
        id,
        title: "QuickPropertySet",
        service: "web",
        etag: None,
        xml: w.finish().into(),
    };
    Rendered {
        body: envelope(cx, &None).entry(&content, &[]),
        etag: None,
    }
}
