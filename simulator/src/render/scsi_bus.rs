//! `VirtualSCSIBus`: an adapter pair with all its devices (recording `vscsibus_feed` of a NovaLink).
//!
//! The recorded buses have volumes, disks and media behind them. `LogicalUnit` and its
//! `SharedStoragePoolLogicalUnitVirtualTargetDevice` look as in a mapping (recording `fake_vios_ssp_npiv`).

use super::context::Context;
use super::scsi_mapping::{ScsiEnds, client_href, storage_element, target_device};
use super::writer::{CUR, UOM};
use crate::model::vios::{ScsiBus, VirtualIoServer, bus_uuid};

/// The resource's own element.
pub(crate) fn render(cx: &Context<'_>, vios: &VirtualIoServer, bus: &ScsiBus) -> String {
    let mut w = cx.writer(4 * 1024 + bus.devices.len() * 2 * 1024);
    let Some(system) = cx.world.systems.get(&vios.partition.system) else {
        return String::new();
    };
    let ends = ScsiEnds {
        machine: &system.machine,
        server: &vios.partition,
        bus,
    };
    let since = CUR.since("V1_4_0");
    let id = bus_uuid(vios.partition.uuid, bus.slot).to_string();
    let identity = Some((id.as_str(), cx.created()));
    w.root("VirtualSCSIBus", UOM, identity, |w| {
        if let Some(client) = &bus.client {
            w.reference(
                "AssociatedLogicalPartition",
                since,
                &client_href(cx, system.uuid, client),
            );
            w.section("ClientAdapter", since, |w| {
                ends.bus_client_adapter(w, client)
            });
        }
        w.section("ServerAdapter", since, |w| {
            let backing = ends.backing_name(cx, vios);
            ends.bus_server_adapter(w, backing.as_deref());
        });
        w.section("AssociatedMappings", since, |w| {
            for device in &bus.devices {
                w.member("VirtualSCSIStorageAndTargetDevice", |w| {
                    w.choice("Storage", since, |w| {
                        storage_element(w, cx, vios, &device.backing)
                    });
                    w.choice("TargetDevice", since, |w| target_device(w, device));
                });
            }
        });
    });
    w.finish()
}
