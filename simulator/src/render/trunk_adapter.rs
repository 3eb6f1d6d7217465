//! `TrunkAdapter`: in the list of a Virtual I/O Server, and inside a shared Ethernet adapter.

use super::context::Context;
use super::network_adapter::tagged_vlans;
use super::writer::{COD, CUA, CUD, CUR, ROR, UOD, Writer};
use crate::model::network::NetworkAdapter;
use crate::model::partition::Partition;
use crate::model::vios::VirtualIoServer;

/// All trunk adapters of a Virtual I/O Server, with their owner and a link to their switch.
pub(crate) fn write_all(w: &mut Writer, cx: &Context<'_>, vios: &VirtualIoServer) {
    for adapter in vios.partition.network_adapters.values() {
        write(w, cx, &vios.partition, adapter, true);
    }
}

/// One trunk adapter; nothing for an adapter that is none. Inside a shared Ethernet adapter it is `listed` as false.
pub(crate) fn write(
    w: &mut Writer,
    cx: &Context<'_>,
    partition: &Partition,
    adapter: &NetworkAdapter,
    listed: bool,
) {
    let (Some(trunk), Some(system)) = (&adapter.trunk, cx.world.systems.get(&partition.system))
    else {
        return;
    };
    let location = system.machine.slot_location(partition.id, adapter.slot);
    w.member("TrunkAdapter", |w| {
        w.text("DynamicReconfigurationConnectorName", CUD, &location);
        w.text("LocationCode", ROR, &location);
        if listed {
            w.value("LocalPartitionID", CUR, partition.id);
        }
        w.value("RequiredAdapter", CUD, adapter.required);
        w.flag("VariedOn", CUD.volatile(), true);
        w.value("VirtualSlotNumber", COD, adapter.slot);
        w.text(
            "AllowedOperatingSystemMACAddresses",
            CUD,
            &adapter.allowed_os_macs,
        );
        if listed {
            w.value("Enabled", UOD.since("V1_3_0"), adapter.enabled);
        }
        w.text("MACAddress", CUR, &adapter.mac_text());
        w.value("PortVLANID", CUR, adapter.vlan);
        w.flag("QualityOfServicePriorityEnabled", CUD, false);
        if !adapter.tagged_vlans.is_empty() {
            w.text("TaggedVLANIDs", CUA, &tagged_vlans(adapter));
        }
        w.value("TaggedVLANSupported", CUA, adapter.tagged);
        if listed {
            let switch = cx.system_child(system.uuid, "VirtualSwitch", adapter.switch);
            w.links("AssociatedVirtualSwitch", CUD, [switch]);
        }
        w.value("VirtualSwitchID", ROR, adapter.switch_id);
        w.optional("DeviceName", ROR, trunk.device.as_deref());
        w.value("TrunkPriority", CUD, trunk.priority);
    });
}
