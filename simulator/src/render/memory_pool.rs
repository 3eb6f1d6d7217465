//! `SharedMemoryPool`, a child of a managed system. Cassette `refresher.yml`.

use super::context::Context;
use super::writer::{CUA, CUD, CUR, Facets, ROA, ROR, UOM, Writer};
use crate::model::memory_pool::{PagingDevice, SharedMemoryPool, free_volumes};
use crate::model::system::ManagedSystem;
use crate::model::units::Gigabytes;

/// The resource's own element, in megabytes but for `DeviceSize`, which is in gigabytes.
pub(crate) fn render(cx: &Context<'_>, system: &ManagedSystem, pool: &SharedMemoryPool) -> String {
    let available = cx.world.available_in_memory_pool(system.uuid, pool);
    let mut w = cx.writer(6 * 1024);
    w.root(
        "SharedMemoryPool",
        UOM,
        Some((&pool.uuid.to_string(), cx.created())),
        |w| {
            w.value("CurrentAvailablePoolMemory", ROR, available);
            w.value("CurrentMaximumPoolMemory", ROR, pool.maximum);
            w.value("CurrentPoolMemory", ROR, pool.size);
            w.value("MemoryDeduplicationEnabled", CUD, pool.deduplication);
            w.section("PagingDevices", CUR, |w| {
                for device in &pool.devices {
                    w.member("ReservedStorageDevice", |w| used(w, cx, system, device));
                }
            });
            let servers = [
                ("FreeMemoryDevicesFromPagingServicePartitionOne", 0),
                ("FreeMemoryDevicesFromPagingServicePartitionTwo", 1),
            ];
            for (name, number) in servers {
                if let Some(vios) = pool
                    .paging_servers
                    .get(number)
                    .and_then(|vios| cx.world.vioses.get(vios))
                {
                    w.section(name, ROR, |w| {
                        for volume in free_volumes(vios) {
                            w.member("ReservedStorageDevice", |w| {
                                w.text("DeviceName", CUR, &volume.name);
                                let size = Gigabytes::from_megabytes(volume.megabytes);
                                w.value("DeviceSize", CUR, size);
                                identity(w, &volume.location, &volume.udid);
                            });
                        }
                    });
                }
            }
            w.value("PendingAvailablePoolMemory", ROR, available);
            w.value("PendingMaximumPoolMemory", CUD, pool.maximum);
            w.value("PendingPoolMemory", CUD, pool.size);
            w.value("PoolID", ROR, 0);
            w.value("PoolSize", CUR, pool.size);
            let names = ["PagingServicePartitionOne", "PagingServicePartitionTwo"];
            for (name, vios) in names.into_iter().zip(&pool.paging_servers) {
                w.reference(name, CUR, &cx.vios(system.uuid, *vios));
            }
            w.value("SystemFirmwarePoolMemory", ROR, pool.firmware());
        },
    );
    w.finish()
}

const SINCE: Facets = CUA.since("V1_2_0");

fn used(w: &mut Writer, cx: &Context<'_>, system: &ManagedSystem, device: &PagingDevice) {
    let partition = cx.world.paging_partition(system.uuid, device);
    if let Some(partition) = partition {
        w.reference(
            "AssociatedLogicalPartition",
            SINCE,
            &cx.partition(system.uuid, partition.uuid),
        );
    }
    w.text("DeviceName", CUR, &device.name);
    w.text("DeviceSelectionType", ROA, "AUTO_SELECTION");
    w.value("DeviceSize", CUR, device.size);
    let state = if partition.is_some() {
        "Active"
    } else {
        "Inactive"
    };
    w.text("DeviceState", ROR, state);
    identity(w, &device.location, &device.udid);
}

fn identity(w: &mut Writer, location: &str, udid: &str) {
    w.text("DeviceType", ROR, "Phys");
    w.text("LocationCode", ROR, location);
    w.flag("RedundancyCapable", ROR, true);
    w.text("UniqueDeviceID", ROA, udid);
}
