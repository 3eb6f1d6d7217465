//! `LogicalPartition`.

use super::base_partition;
use super::context::{Context, upper};
use super::processors::is_dedicated;
use super::writer::{CUA, CUD, CUR, ROR, UOD, UOM, Writer};
use crate::http::group::Group;
use crate::model::Owner;
use crate::model::names::PartitionKind;
use crate::model::partition::Partition;

/// The resource's own element.
pub(crate) fn render(cx: &Context<'_>, partition: &Partition) -> String {
    let mut w = cx.writer(12 * 1024);
    w.root(
        "LogicalPartition",
        UOM,
        Some((&upper(partition.uuid), cx.created())),
        |w| {
            base_partition::write(w, cx, partition);
            own(w, cx, partition);
        },
    );
    w.finish()
}

fn own(w: &mut Writer, cx: &Context<'_>, partition: &Partition) {
    let settings = &partition.settings;
    let ibmi = partition.kind == PartitionKind::IbmI;
    w.flag("RemoteRestartCapable", CUA, settings.remote_restart);
    w.flag(
        "SimplifiedRemoteRestartCapable",
        CUD.since("V1_2_0"),
        settings.simplified_remote_restart,
    );
    w.flag(
        "HasDedicatedProcessorsForMigration",
        ROR,
        is_dedicated(&partition.processors.current),
    );
    w.flag("SuspendCapable", CUD, settings.suspend);
    // Cassette `refresher.yml`.
    w.flag(
        "MigrationDisable",
        CUD.since("V1_3_0"),
        settings.migration_disabled,
    );
    w.value("MigrationState", ROR, partition.migration);
    w.text("RemoteRestartState", ROR, partition.remote_restart_state());
    // Cassette `refresher.yml`, of a partition with shared memory.
    if let Some(server) = cx.world.paging_server(partition) {
        let server = cx.vios(partition.system, server);
        w.reference(
            "PrimaryPagingServicePartition",
            CUD.since("V1_3_0"),
            &server,
        );
    }
    w.text("PowerManagementMode", CUR, "None");
    if ibmi {
        w.flag("UsesHighSpeedLinkOpticonnect", CUA, false);
        w.flag("UsesVirtualOpticonnect", CUA, false);
    }
    let fibre_channel = base_partition::fc_client_adapters(cx, partition);
    if !fibre_channel.is_empty() {
        w.links("VirtualFibreChannelClientAdapters", CUR, fibre_channel);
    }
    w.optional(
        "VirtualSerialNumber",
        UOD.since("V1_13_0"),
        partition.serial_number.as_deref(),
    );
    let scsi = base_partition::scsi_client_adapters(cx, partition);
    if !scsi.is_empty() {
        w.links("VirtualSCSIClientAdapters", CUR, scsi);
    }
    if ibmi || settings.restricted_io {
        w.flag("IsRestrictedIOPartition", CUD, settings.restricted_io);
    }
    w.optional("DesignatedIPLSource", CUR, settings.ipl_source.as_deref());
    let nics = partition.vnics.keys();
    let nics: Vec<String> = nics
        .map(|nic| {
            cx.owned(
                Owner::Partition(partition.uuid),
                "VirtualNICDedicated",
                *nic,
            )
        })
        .collect();
    // Cassette `refresher.yml`, of the partitions that have some.
    if !nics.is_empty() {
        w.links("DedicatedVirtualNICs", CUD.since("V1_3_0"), nics);
    }
    if cx.has(Group::Advanced)
        && let Some(pending) = &settings.pending_boot_string
    {
        w.section("BootListInformation", CUD.group("Advanced"), |w| {
            w.text("PendingBootString", CUD, pending)
        });
    }
}
