//! `ManagedSystem`. Recordings `managedsystem`, `sys_with_sriov` (NovaLink) and the cassette `refresher.yml`.
//!
//! What the model does not know is what the recorded POWER8 systems say.

use super::context::Context;
use super::writer::{CUD, CUR, ROO, ROR, UOD, UOM, Writer};
use super::{cluster, system_capabilities, system_io, system_resources};
use crate::clock::Millis;
use crate::http::group::Group;
use crate::model::system::ManagedSystem;

/// The firmware of the recorded systems.
pub(crate) const FIRMWARE: &str = "SV860_FW860.61 (185)";
/// Its level alone.
pub(crate) const FIRMWARE_LEVEL: &str = "185";
/// `ServiceProcessorVersion`
pub(crate) const SERVICE_PROCESSOR: &str = "0008000C";

/// Some of what the recorded systems list.
const CODE_PAGES: [&str; 3] = [
    "37:037 US, Canada, Netherlands, Portugal",
    "273:273 Germany, Austria",
    "930:930 Japanese (Katanaka)",
];

/// The resource's own element.
pub(crate) fn render(cx: &Context<'_>, system: &ManagedSystem) -> String {
    let mut w = cx.writer(48 * 1024);
    w.root(
        "ManagedSystem",
        UOM,
        Some((&system.uuid.to_string(), cx.created())),
        |w| {
            if cx.has(Group::Hypervisor) {
                ipl_configuration(w);
            }
            if cx.is_hmc() {
                w.text("ActivatedLevel", ROR, FIRMWARE_LEVEL);
            }
            let partitions = cx.world.partitions_of(system.uuid);
            w.links(
                "AssociatedLogicalPartitions",
                CUD,
                partitions.map(|partition| cx.partition(system.uuid, partition.uuid)),
            );
            w.links("AssociatedReservedStorageDevicePool", CUD, []);
            system_capabilities::write(w, cx, &system.capabilities);
            system_io::write(w, cx, system);
            system_resources::memory(w, cx, system);
            system_resources::processors(w, cx, system);
            security(w, cx);
            let vioses = cx.world.vioses_of(system.uuid);
            w.links(
                "AssociatedVirtualIOServers",
                CUD,
                vioses.map(|vios| cx.vios(system.uuid, vios.partition.uuid)),
            );
            identity(w, cx, system);
            state(w, cx, system);
            management(w, cx, system);
        },
    );
    w.finish()
}

/// Only with the group `Hypervisor`. The names are the product's own spelling.
fn ipl_configuration(w: &mut Writer) {
    w.section("AssociatedIPLConfiguration", CUD.group("Hypervisor"), |w| {
        w.text(
            "CurrentManufacturingDefaulConfigurationtBootMode",
            ROR,
            "Normal",
        );
        w.text("CurrentPowerOnSide", ROR, "Temporary");
        w.text("CurrentSystemKeylock", ROR, "normal");
        w.flag("CurrentTurbocoreEnabled", ROR, false);
        w.text("MajorBootType", CUD, "Reboot");
        w.value("MinorBootType", CUD, 1);
        w.text(
            "PendingManufacturingDefaulConfigurationtBootMode",
            CUD,
            "Normal",
        );
        w.text("PendingPowerOnSide", CUD, "Temporary");
        w.text("PendingSystemKeylock", CUD, "normal");
        w.text("PowerOnLogicalPartitionStartPolicy", CUD, "autostart");
        w.text("PowerOnOption", CUD, "autostart");
        w.text("PowerOnSpeed", CUD, "fast");
        w.text("PowerOnSpeedOverride", CUD, "none");
        w.flag("PowerOffWhenLastLogicalPartitionIsShutdown", CUD, false);
        w.flag("PendingTurbocoreEnabled", CUD, false);
    });
}

fn security(w: &mut Writer, cx: &Context<'_>) {
    w.section("AssociatedSystemSecurity", CUD, |w| {
        w.value("VirtualTrustedPlatformModuleKeyLength", ROR, 32);
        w.value("VirtualTrustedPlatformModuleKeyStatus", ROR, 2);
        w.value("VirtualTrustedPlatformModuleVersion", ROR, 1);
        if cx.is_hmc() {
            let since = ROO.since("V1_3_0");
            w.value(
                "MaximumSupportedVirtualTrustedPlatformModulePartitions",
                since,
                60,
            );
            w.value("AvailableVirtualTrustedPlatformModulePartitions", since, 60);
        }
    });
}

fn identity(w: &mut Writer, cx: &Context<'_>, system: &ManagedSystem) {
    let most = system.maximum_partitions;
    w.value("CurrentMaximumPartitionsPerHostChannelAdapter", ROR, 16);
    w.text("DetailedState", ROR, "None");
    w.section("AssociatedSystemVirtualStorage", CUD, |_| ());
    w.section("MachineTypeModelAndSerialNumber", ROR, |w| {
        cluster::machine(w, &system.machine)
    });
    w.flag("ManufacturingDefaultConfigurationEnabled", ROR, false);
    w.value("MaximumPartitions", CUD, most);
    w.value("MaximumPowerControlPartitions", CUD, 1);
    w.value("MaximumRemoteRestartPartitions", CUD, most);
    w.value("MaximumSharedProcessorCapablePartitionID", CUD, 65535);
    w.value("MaximumSuspendablePartitions", CUD, most);
    w.value("PendingMaximumPartitionsPerHostChannelAdapter", CUD, 16);
    if cx.is_hmc() {
        w.value("MaximumBackingDevicesPerVNIC", CUD.since("V1_4_0"), 6);
    }
    w.flag("PhysicalSystemAttentionLEDState", ROO, false);
    w.text("PrimaryIPAddress", CUR, &system.ip_address);
    w.flag("ServiceProcessorFailoverEnabled", CUD, false);
    w.text("ServiceProcessorFailoverState", ROO, "Not Ready");
    w.optional(
        "SecondaryIPAddress",
        CUD,
        (!cx.is_hmc()).then_some("169.254.3.147"),
    );
    if cx.is_hmc() {
        w.text("Hostname", ROO.since("V1_2_0"), &system.ip_address);
    }
    w.text("ServiceProcessorVersion", ROR, SERVICE_PROCESSOR);
}

fn state(w: &mut Writer, cx: &Context<'_>, system: &ManagedSystem) {
    w.value("State", ROR, system.state);
    w.text("SystemName", CUR, &system.name);
    w.value("SystemTime", ROR.volatile(), system_time(cx.now));
    w.flag("VirtualSystemAttentionLEDState", ROO, false);
    w.section("SystemMigrationInformation", ROR, |w| {
        if cx.is_hmc() {
            w.text(
                "AllowInactiveSourceStorageVios",
                UOD.since("V1_3_0"),
                "Enabled",
            );
        }
        w.value("MaximumInactiveMigrations", ROR, system.migration.inactive);
        w.value("MaximumActiveMigrations", ROR, system.migration.active);
        let (active, inactive) = cx.world.migrations_in_progress(system.uuid);
        w.value("NumberOfInactiveMigrationsInProgress", ROR, inactive);
        w.value("NumberOfActiveMigrationsInProgress", ROR, active);
        w.value(
            "MaximumFirmwareActiveMigrations",
            ROR,
            system.migration.active,
        );
        if cx.is_hmc() {
            w.text(
                "InactiveProfileMigrationPolicy",
                UOD.since("V1_3_0"),
                "PartitionConfiguration",
            );
        }
        w.flag(
            "LogicalPartitionAffinityCheckCapable",
            ROR.since("V1_9_0"),
            true,
        );
    });
    w.text(
        "ReferenceCode",
        ROO.volatile(),
        if cx.is_hmc() { "" } else { "00000000" },
    );
    if cx.is_hmc() {
        w.text("MergedReferenceCode", ROO.since("V1_2_0").volatile(), "");
        w.text("SystemFirmware", ROO.since("V1_2_0").volatile(), FIRMWARE);
    }
}

fn management(w: &mut Writer, cx: &Context<'_>, system: &ManagedSystem) {
    let (hmc, controller) = (cx.is_hmc(), system.is_controller);
    let novalink = !hmc && controller;
    let since = ROO.since("V1_3_0");
    w.value("IsPowerVMManagementMaster", since, novalink);
    if !hmc {
        w.value(
            "IsPowerVMManagementController",
            ROO.since("V1_12_0"),
            controller,
        );
    }
    if hmc {
        w.value("IsClassicHMCManagement", since, controller);
        w.flag("IsPowerVMManagementWithoutMaster", since, false);
    }
    w.value(
        "IsManagementPartitionPowerVMManagementMaster",
        since,
        novalink,
    );
    w.flag("IsHMCPowerVMManagementMaster", since, false);
    if hmc {
        for (name, holds) in [
            ("IsNotPowerVMManagementMaster", !controller),
            ("IsPowerVMManagementNormalMaster", false),
            ("IsPowerVMManagementPersistentMaster", false),
            (
                "IsPowerVMManagementTemporaryMaster",
                system.is_temporary_controller,
            ),
            ("IsPowerVMManagementPartitionEnabled", false),
        ] {
            w.value(name, since, holds);
        }
        w.text("Description", CUD.since("V1_2_0"), &system.description);
        w.text("SystemLocation", CUD.since("V1_2_0"), &system.location);
    }
    w.text("MeteredPoolID", ROR.since("V1_8_0"), "");
    w.flag("ProcessorThrottling", ROR.since("V1_8_0"), false);
    for page in CODE_PAGES {
        w.text("SupportedIBMiConsoleCodePage", ROO.since("V1_8_0"), page);
    }
    // Recorded empty on systems; a partition's links groups by their own address (cassette `refresher.yml`).
    let groups = cx.world.groups.values();
    let ours = groups.filter(|group| group.systems.contains(&system.uuid));
    w.links(
        "AssociatedGroups",
        ROO.since("V1_2_0"),
        ours.map(|group| cx.href(&format!("Group/{}", group.uuid))),
    );
    w.links("AssociatedTasks", ROO.since("V1_2_0"), []);
}

/// The service processor's clock, down to the minute: a document that changed every second could not be kept.
pub(crate) const fn system_time(now: Millis) -> u64 {
    now.0 / 60_000 * 60_000
}
