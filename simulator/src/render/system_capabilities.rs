//! `AssociatedSystemCapabilities`: what a managed system can do.
//!
//! Flags that the model does not know are those of the recorded POWER8 systems (cassette `refresher.yml`).

use super::context::Context;
use super::writer::{CUD, Facets, ROO, ROR, Writer};
use crate::model::system::SystemCapabilities;

/// Where a flag comes from.
enum Flag {
    /// Always true.
    Yes,
    /// Always false.
    No,
    /// Known to the model.
    Of(fn(&SystemCapabilities) -> bool),
    /// A word instead of a boolean: `Active` or `Inactive`.
    Aix,
}

/// Every flag, in the recorded order.
const FLAGS: &[(&str, Facets, Flag)] = &[
    (
        "ActiveLogicalPartitionMobilityCapable",
        ROO,
        Flag::Of(|can| can.active_mobility),
    ),
    (
        "ActiveLogicalPartitionSharedIdeProcessorsCapable",
        ROO,
        Flag::Yes,
    ),
    ("ActiveMemoryDeduplicationCapable", ROO, Flag::Yes),
    (
        "ActiveMemoryExpansionCapable",
        ROO,
        Flag::Of(|can| can.active_memory_expansion),
    ),
    ("ActiveMemoryMirroringCapable", ROO, Flag::No),
    (
        "ActiveMemorySharingCapable",
        ROO,
        Flag::Of(|can| can.active_memory_sharing),
    ),
    ("ActiveSystemOptimizerCapable", ROO, Flag::No),
    ("AddressBroadcastPolicyCapable", ROO, Flag::No),
    ("AIXCapable", ROO, Flag::Aix),
    ("AutorecoveryPowerOnCapable", ROO, Flag::Yes),
    ("BarrierSynchronizationRegisterCapable", ROO, Flag::No),
    ("CapacityOnDemandMemoryCapable", ROO, Flag::Yes),
    ("CapacityOnDemandProcessorCapable", ROO, Flag::Yes),
    ("CAPICapable", ROR.since("V1_3_0"), Flag::No),
    ("CustomLogicalPartitionPlacementCapable", ROO, Flag::Yes),
    ("ElectronicErrorReportingCapable", ROO, Flag::Yes),
    ("ExternalIntrusionDetectionCapable", ROO, Flag::Yes),
    ("FirmwarePowerSaverCapable", ROO, Flag::Yes),
    ("HardwareDiscoveryCapable", ROO, Flag::Yes),
    ("HardwareMemoryCompressionCapable", ROO, Flag::No),
    ("HardwareMemoryEncryptionCapable", ROO, Flag::Yes),
    ("HardwarePowerSaverCapable", ROO, Flag::Yes),
    ("HostChannelAdapterCapable", ROO, Flag::No),
    ("HugePageMemoryCapable", ROO, Flag::Yes),
    ("HugePageMemoryOverrideCapable", ROO, Flag::Yes),
    ("IBMiCapable", ROO, Flag::Of(|can| can.ibmi)),
    (
        "IBMiLogicalPartitionMobilityCapable",
        ROO,
        Flag::Of(|can| can.ibmi_mobility),
    ),
    ("IBMiLogicalPartitionSuspendCapable", ROO, Flag::Yes),
    ("IBMiNetworkInstallCapable", ROO, Flag::Yes),
    ("IBMiRestrictedIOModeCapable", ROO, Flag::Yes),
    (
        "IBMiNetworkInstallVlanCapable",
        ROR.since("V1_3_0"),
        Flag::Yes,
    ),
    (
        "InactiveLogicalPartitionMobilityCapable",
        ROO,
        Flag::Of(|can| can.inactive_mobility),
    ),
    (
        "IntelligentPlatformManagementInterfaceCapable",
        ROO,
        Flag::Yes,
    ),
    ("LinuxCapable", ROO, Flag::Of(|can| can.linux)),
    ("LogicalHostEthernetAdapterCapable", ROO, Flag::No),
    ("LogicalPartitionAffinityGroupCapable", ROO, Flag::Yes),
    (
        "LogicalPartitionAvailabilityPriorityCapable",
        ROO,
        Flag::Yes,
    ),
    ("LogicalPartitionEnergyManagementCapable", ROO, Flag::No),
    (
        "LogicalPartitionProcessorCompatibilityModeCapable",
        ROO,
        Flag::Yes,
    ),
    ("LogicalPartitionRemoteRestartCapable", ROO, Flag::Yes),
    ("LogicalPartitionSuspendCapable", ROO, Flag::Yes),
    ("MemoryMirroringCapable", ROO, Flag::No),
    ("MicroLogicalPartitionCapable", ROO, Flag::Yes),
    (
        "PowerVMLogicalPartitionSimplifiedRemoteRestartCapable",
        ROO.since("V1_2_0"),
        Flag::Of(|can| can.simplified_remote_restart),
    ),
    ("RedundantErrorPathReportingCapable", ROO, Flag::Yes),
    ("RemoteRestartToggleCapable", ROO, Flag::Yes),
    (
        "ServiceProcessorConcurrentMaintenanceCapable",
        ROO,
        Flag::Yes,
    ),
    ("ServiceProcessorFailoverCapable", ROO, Flag::Yes),
    (
        "ServiceProcessorAutonomicIPLCapable",
        ROO.since("V1_3_0"),
        Flag::Yes,
    ),
    ("SharedEthernetFailoverCapable", ROO, Flag::Yes),
    (
        "SharedProcessorPoolCapable",
        ROO,
        Flag::Of(|can| can.shared_processor_pools),
    ),
    ("SRIOVCapable", ROO, Flag::Yes),
    ("SRIOVRoCECapable", ROR.since("V1_4_0"), Flag::No),
    ("SwitchNetworkInterfaceMessagePassingCapable", ROO, Flag::No),
    (
        "SystemPartitionProcessorLimitCapable",
        ROO.since("V1_3_0"),
        Flag::No,
    ),
    ("Telnet5250ApplicationCapable", ROO, Flag::Yes),
    ("TurboCoreCapable", ROO, Flag::No),
    (
        "VirtualEthernetAdapterDynamicLogicalPartitionCapable",
        ROO,
        Flag::Yes,
    ),
    ("VirtualEthernetQualityOfServiceCapable", ROO, Flag::Yes),
    ("VirtualFiberChannelCapable", ROO, Flag::Yes),
    ("VirtualIOServerCapable", ROO, Flag::Yes),
    (
        "VirtualizationEngineTechnologiesActivationCapable",
        ROO,
        Flag::Yes,
    ),
    ("VirtualServerNetworkingPhase2Capable", ROO, Flag::Yes),
    ("VirtualSwitchCapable", ROO, Flag::Yes),
    ("VirtualTrustedPlatformModuleCapable", ROO, Flag::Yes),
    ("VLANStatisticsCapable", ROO, Flag::Yes),
    (
        "VirtualEthernetCustomMACAddressCapable",
        ROR,
        Flag::Of(|can| can.custom_mac_address),
    ),
    ("ManagementVLANForControlChannelCapable", ROO, Flag::Yes),
    (
        "VirtualNICDedicatedSRIOVCapable",
        ROO.since("V1_3_0"),
        Flag::Of(|can| can.vnic),
    ),
    (
        "VirtualNICSharedSRIOVCapable",
        ROO.since("V1_3_0"),
        Flag::No,
    ),
    (
        "DynamicPlatformOptimizationCapable",
        ROO.since("V1_3_0"),
        Flag::Yes,
    ),
    (
        "VirtualNICFailOverCapable",
        ROO.since("V1_4_0"),
        Flag::Of(|can| can.vnic_failover),
    ),
    (
        "AdvancedBootListSupportCapable",
        ROO.since("V1_5_0"),
        Flag::Yes,
    ),
    (
        "DynamicSimplifiedRemoteRestartToggleCapable",
        ROO.since("V1_5_0"),
        Flag::Of(|can| can.dynamic_simplified_remote_restart),
    ),
    ("IBMiNativeIOCapable", ROO.since("V1_5_0"), Flag::Yes),
    (
        "CustomPhysicalPageTableRatioCapable",
        ROO.since("V1_6_0"),
        Flag::Of(|can| can.physical_page_table_ratio),
    ),
    (
        "PartitionSecureBootCapable",
        ROO.since("V1_8_0"),
        Flag::Of(|can| can.secure_boot),
    ),
    (
        "IOSlotOwnerAssignmentCapable",
        ROO.since("V1_6_0"),
        Flag::Of(|can| can.io_slot_owner_assignment),
    ),
    (
        "DedicatedProcessorPartitionCapable",
        ROO.since("V1_8_0"),
        Flag::Of(|can| can.dedicated_processors),
    ),
];

/// Flags that only HMCs have been seen to tell.
const OF_HMC: [&str; 12] = [
    "AdvancedBootListSupportCapable",
    "CAPICapable",
    "DynamicPlatformOptimizationCapable",
    "IBMiNativeIOCapable",
    "IBMiNetworkInstallVlanCapable",
    "ManagementVLANForControlChannelCapable",
    "RemoteRestartToggleCapable",
    "SRIOVRoCECapable",
    "ServiceProcessorAutonomicIPLCapable",
    "ServiceProcessorConcurrentMaintenanceCapable",
    "SystemPartitionProcessorLimitCapable",
    "VirtualNICSharedSRIOVCapable",
];

/// Writes the section.
pub(crate) fn write(w: &mut Writer, cx: &Context<'_>, can: &SystemCapabilities) {
    w.section("AssociatedSystemCapabilities", CUD, |w| {
        for (name, facets, flag) in FLAGS {
            if !cx.is_hmc() && OF_HMC.contains(name) {
                continue;
            }
            match flag {
                Flag::Yes => w.value(name, *facets, true),
                Flag::No => w.value(name, *facets, false),
                Flag::Of(known) => w.value(name, *facets, known(can)),
                Flag::Aix => w.text(name, *facets, if can.aix { "Active" } else { "Inactive" }),
            }
        }
        w.value("MinimumKeyStoreSize", ROO.since("V1_13_1"), 4);
        w.value("MaximumKeyStoreSize", ROO.since("V1_13_1"), 64);
    });
}
