//! `VirtualIOServer`.
//!
//! Storage, network and mappings appear only with their groups (docs/protocol/groups.md); the elements of a group
//! carry its name. Of a server that is off an HMC knows what the hypervisor knows: its adapters, and nothing of what is behind
//! them (cassette `refresher.yml`, where six of ten are off).

use super::context::{Context, upper};
use super::envelope::Sealed;
use super::fragments::{Fragments, Written};
use super::writer::{CUD, ROR, UOM, Writer};
use super::{
    base_partition, fc_mapping, media_repository, physical_volume, scsi_mapping, shared_ethernet,
    trunk_adapter, vnic,
};
use crate::http::group::Group;
use crate::model::Owner;
use crate::model::vios::VirtualIoServer;

/// The resource's own element. Mappings that are what they were are not written anew.
pub(crate) fn render(cx: &Context<'_>, vios: &VirtualIoServer, fragments: &Fragments) -> Sealed {
    let mut written = if cx.has(Group::ViosScsiMapping) && cx.world.tells_devices(vios) {
        fragments.take(cx, vios)
    } else {
        Written::default()
    };
    let partition = &vios.partition;
    let fc_mappings = if cx.has(Group::ViosFcMapping) {
        vios.fc_mappings.len()
    } else {
        0
    };
    let mut w = cx.writer(32 * 1024 + fc_mappings * 4 * 1024);
    w.root(
        "VirtualIOServer",
        UOM,
        Some((&upper(partition.uuid), cx.created())),
        |w| {
            base_partition::write(w, cx, partition);
            own(w, cx, vios, &mut written);
        },
    );
    let text = Sealed::of(written.pieces(), w.finish());
    fragments.keep(cx, vios, written);
    text
}

fn own(w: &mut Writer, cx: &Context<'_>, vios: &VirtualIoServer, written: &mut Written) {
    let tells = cx.world.tells_devices(vios);
    let storage = tells && cx.has(Group::ViosStorage);
    let network = cx.has(Group::ViosNetwork);
    let nics = cx
        .world
        .systems
        .get(&vios.partition.system)
        .map(|system| &system.capabilities);
    w.value("APICapable", CUD, tells);
    w.value(
        "IsVNICCapable",
        CUD.since("V1_3_0"),
        tells && nics.is_some_and(|capabilities| capabilities.vnic),
    );
    w.value(
        "VNICFailOverCapable",
        CUD.since("V1_4_0"),
        tells && nics.is_some_and(|capabilities| capabilities.vnic_failover),
    );
    // No recorded NovaLink says it.
    if cx.is_hmc() {
        w.flag("ManagerPassthroughCapable", CUD, true);
    }
    if storage {
        let repositories = vios
            .volume_groups
            .iter()
            .filter_map(|group| group.repository.as_ref());
        w.section("MediaRepositories", CUD.group("ViosStorage"), |w| {
            media_repository::write_all(w, repositories)
        });
    }
    w.value("MoverServicePartition", CUD, vios.mover);
    w.value("PagingServicePartition", CUD, cx.world.pages(vios));
    if storage {
        w.section("PhysicalVolumes", CUD.group("ViosStorage"), |w| {
            for volume in &vios.physical_volumes {
                physical_volume::write(w, volume, physical_volume::is_available(vios, volume));
            }
        });
    }
    if network && tells {
        w.section("SharedEthernetAdapters", CUD.group("ViosNetwork"), |w| {
            shared_ethernet::write_all(w, cx, vios)
        });
    }
    if storage {
        let owner = Owner::Vios(vios.partition.uuid);
        let groups = vios
            .volume_groups
            .iter()
            .map(|group| cx.owned(owner, "VolumeGroup", group.uuid));
        w.links("StoragePools", CUD.group("ViosStorage"), groups);
    }
    if network {
        w.section("TrunkAdapters", CUD.group("ViosNetwork"), |w| {
            trunk_adapter::write_all(w, cx, vios)
        });
    }
    if tells {
        w.flag("VirtualIOServerLicenseAccepted", CUD, true);
    }
    if cx.has(Group::ViosFcMapping) {
        w.section(
            "VirtualFibreChannelMappings",
            CUD.group("ViosFCMapping"),
            |w| fc_mapping::write_all(w, cx, vios),
        );
    }
    if cx.has(Group::ViosScsiMapping) {
        w.section("VirtualSCSIMappings", CUD.group("ViosSCSIMapping"), |w| {
            scsi_mapping::write_all(w, cx, vios, written)
        });
    }
    if network && tells {
        shared_ethernet::write_free_ports(w, cx, vios);
    }
    if cx.has(Group::Vnic) {
        vnic::write_backing_devices(w, cx, vios);
    }
    if tells && cx.has(Group::Advanced) {
        // Cassette `refresher.yml`.
        w.section(
            "VirtualIOServerCapabilities",
            ROR.since("V1_3_0").group("Advanced"),
            |w| {
                w.flag("IsTierCapable", ROR.since("V1_3_0"), true);
                w.flag("IsTierMirrorCapable", ROR.since("V1_3_0"), true);
            },
        );
    }
}
