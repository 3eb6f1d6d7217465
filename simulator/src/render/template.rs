//! `PartitionTemplate` of an HMC's templates service. Cassette `refresher.yml` (`PartitionTemplate?detail=full`).
//!
//! Template documents are of a namespace of their own, their elements begin in lower case, and nearly all carry the same
//! annotation. Without `detail=full` only what names the template is told.

use super::context::Context;
use super::writer::{CUD, TEMPLATES, Writer};
use crate::model::directory::{CapturedPartition, PartitionTemplate};
use crate::model::partition::{ProcessorSetting, SharedProcessors};

/// The resource's own element. `detail` asks for all of it.
pub(crate) fn render(cx: &Context<'_>, template: &PartitionTemplate) -> String {
    let mut w = cx.writer(12 * 1024);
    w.identified_root(
        "PartitionTemplate",
        TEMPLATES,
        &template.uuid.to_string(),
        |w| {
            w.text("partitionTemplateName", CUD, &template.name);
            if cx.detail {
                w.section("logicalPartitionConfig", CUD, |w| {
                    configuration(w, template)
                });
            }
            w.flag("isDraft", CUD, false);
            if cx.detail {
                w.text("VFCConfigurationOption", CUD, "DeploymentTime");
                w.text("VSCSIConfigurationOption", CUD, "DeploymentTime");
            }
            w.optional("description", CUD, template.description.as_deref());
            if cx.detail && template.captured.is_none() {
                w.flag("useCaptureInfoForNetwork", CUD, false);
                w.text("VODConfigurationOption", CUD, "DeploymentTime");
            }
        },
    );
    w.finish()
}

fn configuration(w: &mut Writer, template: &PartitionTemplate) {
    let captured = template.captured.as_ref();
    let (id, name, serial) = match captured {
        Some(captured) => (
            captured.id,
            captured.name.as_str(),
            captured.serial.as_str(),
        ),
        None if template.ibmi => (1, "IBMi1", ""),
        None => (1, "aixlinux1", ""),
    };
    w.value("partitionId", CUD, id);
    w.text("partitionName", CUD, name);
    w.text(
        "partitionType",
        CUD,
        if template.ibmi { "OS400" } else { "AIX/Linux" },
    );
    w.text("state", CUD, "not activated");
    w.text("osVersion", CUD, "Unknown");
    w.text("logicalSerialNumber", CUD, serial);
    w.value("currAllocatedBSRArrays", CUD, 0);
    w.value("progressPartitionDataTotal", CUD, 0);
    w.value("progressPartitionDataRemaining", CUD, 0);
    w.text("currProcessorCompatibilityMode", CUD, "POWER8");
    w.text("pendProcessorCompatibilityMode", CUD, "Default");
    w.flag("allowPerformanceDataCollection", CUD, false);
    w.value("availabilityPriority", CUD, 127);
    w.flag("isTimeReferencePartition", CUD, false);
    w.flag("vtpmEnabled", CUD, false);
    w.flag("enableCallHome", CUD, false);
    w.text("syncCurrentProfile", CUD, "Disabled");
    w.flag("isConnectionMonitoringEnabled", CUD, true);
    w.flag("isRedundantErrorPathReportingEnabled", CUD, false);
    w.section("capabilities", CUD, |w| {
        for capability in [
            "isRmcOsShutdownCapable",
            "isDLPARMemoryCapable",
            "isDLPARProcessorCapable",
            "isDLPARIOCapable",
            "isInternalAndExternalIntrusionDetectionCapable",
        ] {
            w.value(capability, CUD, false);
        }
    });
    processors(w, &template.processors);
    memory(w, template);
    w.section("ioConfiguration", CUD, |w| {
        w.value("currMaxVirtualIOSlots", CUD, 64);
        if captured.is_none() {
            w.flag("isUseCapturedPhysicalIOInformationEnabled", CUD, false);
        }
    });
    if let Some(captured) = captured {
        adapters(w, captured);
    }
    w.value("UseCapturedHeaInfo", CUD, captured.is_some());
    if let Some(captured) = captured {
        w.flag("useCapturedSriovInfo", CUD, true);
        w.flag("useCapturedDedicateVNICInfo", CUD, true);
        w.flag("PowerOnWithHypervisor", CUD, false);
        storage(w, captured);
    }
    w.flag("suspendEnable", CUD, false);
    w.text("SimplifiedRemoteRestartEnable", CUD, "DISABLED");
    if captured.is_some() {
        w.flag("MigrationDisable", CUD, false);
    }
}

fn processors(w: &mut Writer, setting: &ProcessorSetting) {
    let dedicated = super::processors::is_dedicated(setting);
    w.section("processorConfiguration", CUD, |w| {
        w.value("hasDedicatedProcessors", CUD, dedicated);
        w.value("sharingMode", CUD, setting.sharing());
        if let ProcessorSetting::Shared(shared) = setting {
            w.section("sharedProcessorConfiguration", CUD, |w| shares(w, shared));
        }
        w.value("currSharingMode", CUD, setting.sharing());
        w.value("currHasDedicatedProcessors", CUD, dedicated);
        w.value("runHasDedicatedProcessors", CUD, dedicated);
        if let ProcessorSetting::Dedicated {
            minimum,
            desired,
            maximum,
            ..
        } = setting
        {
            w.section("dedicatedProcessorConfiguration", CUD, |w| {
                w.value("minProcessors", CUD, minimum);
                w.value("desiredProcessors", CUD, desired);
                w.value("maxProcessors", CUD, maximum);
            });
        }
    });
}

fn shares(w: &mut Writer, shared: &SharedProcessors) {
    w.value("sharedProcessorPoolId", CUD, shared.pool);
    w.value("uncappedWeight", CUD, shared.uncapped_weight.unwrap_or(0));
    w.value("minProcessingUnits", CUD, shared.minimum_units);
    w.value("desiredProcessingUnits", CUD, shared.desired_units);
    w.value("maxProcessingUnits", CUD, shared.maximum_units);
    w.value("minVirtualProcessors", CUD, shared.minimum_virtual);
    w.value("desiredVirtualProcessors", CUD, shared.desired_virtual);
    w.value("maxVirtualProcessors", CUD, shared.maximum_virtual);
}

fn memory(w: &mut Writer, template: &PartitionTemplate) {
    let memory = &template.memory;
    w.section("memoryConfiguration", CUD, |w| {
        w.value("minMemory", CUD, memory.minimum);
        w.value("desiredMemory", CUD, memory.desired);
        w.value("maxMemory", CUD, memory.maximum);
        w.value("minHugePageCount", CUD, 0);
        w.value("desiredHugePageCount", CUD, 0);
        w.value("maxHugePageCount", CUD, 0);
        w.value("hptRatio", CUD, memory.page_table_ratio);
        w.value("bsrArrays", CUD, 0);
        w.flag("activeMemorySharingEnabled", CUD, false);
        w.flag("activeMemoryExpansionEnabled", CUD, false);
        w.flag("isManualEntitledMode", CUD, false);
        w.text("expansionFactor", CUD, "0.0");
        w.value("currMinMemory", CUD, memory.minimum);
        w.value("runMinMemory", CUD, 0);
        w.value("currMaxMemory", CUD, memory.maximum);
        w.value("runMemory", CUD, 0);
        w.value("currMemory", CUD, memory.desired);
        w.value("currMinHugePageCount", CUD, 0);
        w.value("currHugePageCount", CUD, 0);
        w.value("currMaxHugePageCount", CUD, 0);
        w.value("runHugePageCount", CUD, 0);
        w.value("currHPTRatio", CUD, memory.page_table_ratio);
        w.flag("autoEntitledMemoryEnabled", CUD, false);
        w.flag("isSharedMemory", CUD, false);
        w.text("currExpansionFactor", CUD, "0.0");
        w.text("runExpansionFactor", CUD, "0.0");
        w.flag("isMemoryCompressionHardwareAccessEnabled", CUD, false);
        w.flag("memExpansionEnabled", CUD, false);
        w.value("currBsrArrays", CUD, 0);
        w.flag("redundantErrorPathReportingEnabled", CUD, false);
    });
}

fn adapters(w: &mut Writer, captured: &CapturedPartition) {
    if captured.adapters.is_empty() {
        return;
    }
    w.section("clientNetworkAdapters", CUD, |w| {
        for (slot, mac, vlan, switch) in &captured.adapters {
            w.member("ClientNetworkAdapter", |w| {
                let location = format!("{}-V{}-C{slot}", captured.location, captured.id);
                w.value("VirtualSlotNumber", CUD, slot);
                w.flag("isRequired", CUD, false);
                w.flag("isVariedOn", CUD, true);
                w.text("locationCode", CUD, &location);
                w.text("drcName", CUD, &location);
                w.value("MACAddress", CUD, format_args!("{mac:012X}"));
                w.value("PortVLANID", CUD, vlan);
                w.flag("QualityOfServicePriorityEnabled", CUD, false);
                w.flag("TaggedVLANSupported", CUD, false);
                w.section("clientVirtualNetworks", CUD, |w| {
                    w.member("ClientVirtualNetwork", |w| {
                        w.text("name", CUD, &format!("VLAN{vlan}-{switch}"));
                        w.value("vlanId", CUD, vlan);
                        w.value("isTagged", CUD, *vlan != 1);
                        w.text("associatedSwitchName", CUD, switch);
                    });
                });
            });
        }
    });
}

fn storage(w: &mut Writer, captured: &CapturedPartition) {
    if captured.units.is_empty() && captured.optical_devices.is_empty() {
        return;
    }
    w.section("virtualSCSIClientAdapters", CUD, |w| {
        for unit in &captured.units {
            w.member("VirtualSCSIClientAdapter", |w| {
                w.section("associatedLogicalUnits", CUD, |w| {
                    w.member("LogicalUnit", |w| {
                        w.text("name", CUD, &unit.name);
                        w.text("capacityGB", CUD, &unit.gigabytes);
                        w.flag("isThin", CUD, true);
                        w.text("AssociatedClusterName", CUD, &unit.cluster);
                        w.text("AssociatedClusterId", CUD, &unit.cluster_id);
                        w.text("AssociatedTierId", CUD, &unit.tier_id);
                        w.text("AssociatedTierName", CUD, &unit.tier);
                    });
                });
            });
        }
        for device in &captured.optical_devices {
            w.member("VirtualSCSIClientAdapter", |w| {
                w.section("AssociatedTargetDevices", CUD, |w| {
                    w.member("VirtualOpticalTargetDevice", |w| {
                        w.text("name", CUD, device)
                    });
                });
            });
        }
    });
}
