//! `VolumeGroup`, a child of its Virtual I/O Server. Recordings `fake_volume_group2`, `get_volume_group`.

use super::context::Context;
use super::writer::{CUD, CUR, ROR, UOM};
use super::{media_repository, physical_volume, storage};
use crate::model::Owner;
use crate::model::storage::VolumeGroup;
use crate::model::vios::VirtualIoServer;

/// The resource's own element.
pub(crate) fn render(cx: &Context<'_>, vios: &VirtualIoServer, group: &VolumeGroup) -> String {
    let own = cx.owned(Owner::Vios(vios.partition.uuid), "VolumeGroup", group.uuid);
    let mut w = cx.writer(4096 + group.disks.len() * 768);
    w.root(
        "VolumeGroup",
        UOM,
        Some((&group.uuid.to_string(), cx.created())),
        |w| {
            let free = group.free();
            w.value("AvailableSize", ROR, free);
            w.value("FreeSpace", ROR, free);
            w.value("GroupCapacity", CUR, group.capacity);
            w.text("GroupName", CUR, &group.name);
            w.text("GroupSerialID", ROR, &group.serial);
            w.value("MaximumLogicalVolumes", ROR, group.maximum_volumes);
            w.section("MediaRepositories", CUD, |w| {
                media_repository::write_all(w, group.repository.as_ref())
            });
            w.value("PartitionSize", CUR, group.partition_size);
            w.section("PhysicalVolumes", CUD, |w| {
                for volume in group
                    .physical_volumes
                    .iter()
                    .filter_map(|name| vios.physical_volume(name))
                {
                    physical_volume::write(w, volume, false);
                }
            });
            w.text("UniqueDeviceID", ROR, &group.udid());
            w.section("VirtualDisks", CUD, |w| {
                for disk in group.disks.values() {
                    storage::virtual_disk(w, disk, Some(&own));
                }
            });
        },
    );
    w.finish()
}
