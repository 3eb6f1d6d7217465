//! What a logical partition and a Virtual I/O Server have in common, in schema order.
//!
//! Recordings `lpar`, `fake_lpar_feed`, `fake_vios_feed`, the cassette `refresher.yml` (HMC) and
//! `fake_vios_hosting_vios_feed` (NovaLink). Profiles, groups and what is known for a migration are an HMC's. An HMC as
//! old as the cassette's does not tell boot mode, uptime and secure boot; the emulated one has the schema of newer ones.

use jiff::Timestamp;

use super::context::{Context, upper};
use super::writer::{COD, CUD, CUR, ROO, ROR, UOD, Writer};
use super::{io_configuration, logical_port, memory, processors};
use crate::clock::Millis;
use crate::http::group::Group;
use crate::model::Owner;
use crate::model::names::{PartitionKind, PartitionState};
use crate::model::partition::{Partition, ProcessorSetting};
use crate::model::vios::client_uuid;

/// Writes the elements from `AllowPerformanceDataCollection` to `Description`.
pub(crate) fn write(w: &mut Writer, cx: &Context<'_>, partition: &Partition) {
    let owner = owner(partition);
    let settings = &partition.settings;
    let profile = cx.owned(owner, "LogicalPartitionProfile", partition.profile);
    w.flag(
        "AllowPerformanceDataCollection",
        CUD,
        settings.performance_data,
    );
    if cx.is_hmc() {
        w.reference("AssociatedPartitionProfile", CUD, &profile);
    }
    w.value("AvailabilityPriority", UOD, settings.availability_priority);
    w.value(
        "CurrentAllocatedBarrierSynchronizationRegisterArrays",
        ROO,
        0,
    );
    w.value(
        "CurrentProcessorCompatibilityMode",
        ROO,
        partition.current_compatibility,
    );
    w.value("CurrentProfileSync", CUD, settings.profile_sync);
    w.flag("IsCallHomeEnabled", CUD, false);
    // Cassette `refresher.yml`.
    w.flag("IsBootable", ROO.since("V1_3_0"), true);
    w.flag(
        "IsConnectionMonitoringEnabled",
        UOD,
        settings.connection_monitoring,
    );
    w.flag("IsOperationInProgress", ROR, false);
    w.flag(
        "IsRedundantErrorPathReportingEnabled",
        UOD,
        settings.error_path_reporting,
    );
    w.flag("IsTimeReferencePartition", UOD, settings.time_reference);
    w.flag("IsVirtualServiceAttentionLEDOn", ROR, false);
    w.flag(
        "IsVirtualTrustedPlatformModuleEnabled",
        UOD,
        settings.trusted_platform_module,
    );
    w.value("KeylockPosition", CUD, settings.keylock);
    w.text("LogicalSerialNumber", ROR, &partition.logical_serial);
    w.text("OperatingSystemVersion", ROR, &partition.os_version);
    capabilities(w, cx, partition);
    w.value("PartitionID", COD, partition.id);
    io_configuration::write(w, cx, partition);
    memory::write(w, cx, partition);
    w.text("PartitionName", CUR, &partition.name);
    let vios = partition.kind == PartitionKind::VirtualIoServer;
    processors::write(w, &partition.processors, vios);
    if cx.is_hmc() {
        w.links("PartitionProfiles", CUD, [profile]);
    }
    w.value("PartitionState", ROO, partition.state);
    w.value("PartitionType", COD, partition.kind);
    w.value("PartitionUUID", ROO, upper(partition.uuid));
    w.value(
        "PendingProcessorCompatibilityMode",
        CUD,
        settings.compatibility,
    );
    processor_pool(w, cx, partition);
    w.value("ProgressPartitionDataRemaining", ROR, 0);
    w.value("ProgressPartitionDataTotal", ROR, 0);
    match partition.progress {
        Some(progress) => w.value("ProgressState", ROR, progress),
        None if vios => {}
        None => w.text("ProgressState", ROR, "Unknown"),
    }
    w.value("ResourceMonitoringControlState", ROR, partition.rmc);
    w.optional(
        "ResourceMonitoringIPAddress",
        CUD,
        partition.rmc_address.as_deref(),
    );
    w.reference("AssociatedManagedSystem", CUD, &cx.system(partition.system));
    let logical_ports = logical_port::links(cx, owner, partition);
    // Cassette `refresher.yml`, of the partitions that have some.
    if !logical_ports.is_empty() {
        w.links("SRIOVEthernetLogicalPorts", CUD, logical_ports);
    }
    client_network_adapters(w, cx, partition);
    let host_ethernet = if cx.is_hmc() || vios {
        "HostEthernetAdapterLogicalPorts"
    } else {
        "HostEthernetAdapterLogicalPort"
    };
    w.section(host_ethernet, CUD, |_| ());
    w.value("MACAddressPrefix", ROR, partition.mac_prefix);
    w.flag("IsServicePartition", CUD, settings.service_partition);
    if cx.is_hmc() {
        w.flag(
            "PowerVMManagementCapable",
            ROR.since("V1_5_0"),
            partition.is_management,
        );
    }
    w.text("ReferenceCode", ROO.volatile(), &partition.reference_code);
    boot(w, cx, partition, vios);
    groups(w, cx, partition);
    described(w, partition);
    if !vios && cx.is_hmc() {
        migration_data(w, partition);
    }
}

/// Groups that the partition is in, if any, each below the partition (cassette `refresher.yml`).
fn groups(w: &mut Writer, cx: &Context<'_>, partition: &Partition) {
    let ours = cx.world.groups.values().filter(|group| {
        group.partitions.contains(&partition.uuid) || group.vioses.contains(&partition.uuid)
    });
    let links: Vec<String> = ours
        .map(|group| cx.owned(owner(partition), "Group", group.uuid))
        .collect();
    if !links.is_empty() {
        w.links("AssociatedGroups", ROO.since("V1_2_0"), links);
    }
}

fn described(w: &mut Writer, partition: &Partition) {
    w.flag(
        "PowerOnWithHypervisor",
        CUD.since("V1_2_0"),
        partition.settings.auto_start,
    );
    // Cassette `refresher.yml`, of the partitions that have one.
    w.optional(
        "Description",
        CUD.since("V1_2_0"),
        partition.description.as_deref(),
    );
}

/// An HMC keeps what it needs to move a partition; of one that has been active it is valid since then.
fn migration_data(w: &mut Writer, partition: &Partition) {
    let since = ROR.since("V1_3_0");
    let taken = partition
        .started
        .filter(|_| partition.state.holds_resources());
    let status = if taken.is_some() { "Valid" } else { "No_Data" };
    w.text("MigrationStorageViosDataStatus", since, status);
    if let Some(taken) = taken {
        let taken = stamp(taken, "%a %b %d %H:%M:%S UTC %Y");
        w.text("MigrationStorageViosDataTimestamp", since, &taken);
    }
}

fn boot(w: &mut Writer, cx: &Context<'_>, partition: &Partition, vios: bool) {
    let settings = &partition.settings;
    w.text(
        "ReferenceCodeFull",
        ROO.volatile(),
        &reference_code_full(partition),
    );
    if partition.is_management || !vios {
        w.flag("IsManagementPartition", ROR, partition.is_management);
    }
    if vios {
        w.flag("AutoStart", CUD, settings.auto_start);
    }
    w.value("BootMode", CUD, settings.boot_mode);
    if cx.has(Group::Nvram) {
        w.optional(
            "PartitionNVRAM",
            CUD.volatile().group("NVRAM"),
            partition.nvram.as_deref(),
        );
    }
    if vios {
        w.value(
            "Uptime",
            ROO.since("V1_5_0").volatile(),
            uptime(partition, cx.now),
        );
    } else {
        w.value(
            "PendingSecureBoot",
            CUD.since("V1_8_0"),
            settings.secure_boot,
        );
        w.value(
            "CurrentSecureBoot",
            ROO.since("V1_8_0"),
            partition.current_secure_boot,
        );
    }
}

/// The partition as the owner of its children.
pub(crate) fn owner(partition: &Partition) -> Owner {
    match partition.kind {
        PartitionKind::VirtualIoServer => Owner::Vios(partition.uuid),
        PartitionKind::AixLinux | PartitionKind::IbmI => Owner::Partition(partition.uuid),
    }
}

/// Seconds since the partition came to run, down to the minute: a client only asks whether a server has been up for
/// an hour, and a document that changed every second could not be kept.
pub(crate) fn uptime(partition: &Partition, now: Millis) -> u64 {
    match partition.started {
        Some(started) if partition.state.holds_resources() => {
            now.since(started).as_secs() / 60 * 60
        }
        _ => 0,
    }
}

fn capabilities(w: &mut Writer, cx: &Context<'_>, partition: &Partition) {
    let can = partition.capabilities;
    w.section("PartitionCapabilities", ROR, |w| {
        w.flag("DynamicLogicalPartitionIOCapable", ROR, can.dynamic_io);
        w.flag(
            "DynamicLogicalPartitionMemoryCapable",
            ROR,
            can.dynamic_memory,
        );
        if cx.is_hmc() {
            let vios = partition.kind == PartitionKind::VirtualIoServer;
            w.flag(
                "DynamicLogicalPartitionVIOSCapable",
                ROR.since("V1_5_0"),
                vios,
            );
        }
        w.flag(
            "DynamicLogicalPartitionProcessorCapable",
            ROR,
            can.dynamic_processors,
        );
        w.flag(
            "InternalAndExternalIntrusionDetectionCapable",
            CUD,
            can.os_shutdown,
        );
        w.flag(
            "ResourceMonitoringControlOperatingSystemShutdownCapable",
            CUD,
            can.os_shutdown,
        );
    });
}

fn processor_pool(w: &mut Writer, cx: &Context<'_>, partition: &Partition) {
    let ProcessorSetting::Shared(shared) = &partition.processors.configured else {
        return;
    };
    let Some(system) = cx.world.systems.get(&partition.system) else {
        return;
    };
    if let Some(pool) = system.processor_pools.get(&shared.pool) {
        w.reference(
            "ProcessorPool",
            CUD,
            &cx.system_child(system.uuid, "SharedProcessorPool", pool.uuid),
        );
    }
}

fn client_network_adapters(w: &mut Writer, cx: &Context<'_>, partition: &Partition) {
    let owner = owner(partition);
    let clients = partition
        .network_adapters
        .values()
        .filter(|adapter| adapter.trunk.is_none());
    let mut links = clients
        .map(|adapter| cx.owned(owner, "ClientNetworkAdapter", adapter.uuid))
        .peekable();
    if links.peek().is_some() {
        w.links("ClientNetworkAdapters", CUR, links);
    }
}

/// `time_stamp=01/13/2017 19:46:03,refcode=Linux ppc64le`: the code and since when it shows.
fn reference_code_full(partition: &Partition) -> String {
    let since = partition
        .started
        .filter(|_| partition.state != PartitionState::NotActivated)
        .unwrap_or(Millis::EPOCH);
    format!(
        "time_stamp={},refcode={}",
        stamp(since, "%m/%d/%Y %H:%M:%S"),
        partition.reference_code
    )
}

fn stamp(at: Millis, format: &str) -> String {
    i64::try_from(at.0)
        .ok()
        .and_then(|ms| Timestamp::from_millisecond(ms).ok())
        .unwrap_or_default()
        .strftime(format)
        .to_string()
}

/// Links to the virtual SCSI adapters that Virtual I/O Servers serve.
pub(crate) fn scsi_client_adapters(cx: &Context<'_>, partition: &Partition) -> Vec<String> {
    let adapters = cx.world.scsi_client_adapters(partition.uuid).into_iter();
    adapters
        .map(|(slot, ..)| client_adapter(cx, partition, "VirtualSCSIClientAdapter", slot))
        .collect()
}

/// Links to the virtual Fibre Channel adapters that Virtual I/O Servers serve.
pub(crate) fn fc_client_adapters(cx: &Context<'_>, partition: &Partition) -> Vec<String> {
    let adapters = cx.world.fc_client_adapters(partition.uuid).into_iter();
    adapters
        .map(|(slot, ..)| client_adapter(cx, partition, "VirtualFibreChannelClientAdapter", slot))
        .collect()
}

fn client_adapter(cx: &Context<'_>, partition: &Partition, kind: &str, slot: u16) -> String {
    cx.owned(owner(partition), kind, client_uuid(partition.uuid, slot))
}
