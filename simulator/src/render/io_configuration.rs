//! `PartitionIOConfiguration`: how many slots a partition has and which adapters it owns.

use super::context::Context;
use super::slots;
use super::writer::{CUA, CUD, CUR, ROR, Writer};
use crate::model::names::PartitionKind;
use crate::model::network::NetworkAdapter;
use crate::model::partition::Partition;
use crate::model::system::IoSlot;

/// Writes the section. A NovaLink lists the virtual adapters of a Virtual I/O Server's profile as well (recording
/// `fake_vios_hosting_vios_feed`).
pub(crate) fn write(w: &mut Writer, cx: &Context<'_>, partition: &Partition) {
    let vios = cx.world.vioses.get(&partition.uuid).map(|vios| &**vios);
    let ibmi = partition.kind == PartitionKind::IbmI;
    let slots: Vec<&IoSlot> = cx
        .world
        .systems
        .get(&partition.system)
        .map(|system| {
            system
                .io_slots
                .iter()
                .filter(|slot| slot.owner == Some(partition.uuid))
                .collect()
        })
        .unwrap_or_default();
    w.section("PartitionIOConfiguration", CUD, |w| {
        if vios.is_some() && !cx.is_hmc() {
            w.section("HostChannelAdapters", ROR, |_| ());
        }
        if ibmi {
            w.value("HighSpeedLinkOpticonnectPool", CUD, false);
        }
        w.value("MaximumVirtualIOSlots", CUD, partition.maximum_slots);
        w.section("ProfileIOSlots", CUD, |w| {
            slots::profile_slots(w, cx, &slots, vios)
        });
        if ibmi {
            w.section("TaggedIO", CUD, |w| {
                let tagged = &partition.settings.tagged;
                if let Some(console) = &tagged.alternate_console {
                    w.text("AlternateConsole", CUD, console);
                }
                w.text("AlternateLoadSource", CUD, &tagged.alternate_load_source);
                w.text("Console", CUR, &tagged.console);
                w.text("LoadSource", CUR, &tagged.load_source);
                if let Some(console) = &tagged.operations_console {
                    w.text("OperationsConsole", CUD, console);
                }
            });
            w.value("VirtualOpticonnectPool", CUD, false);
        }
        if vios.is_some() && !cx.is_hmc() {
            w.section("ProfileVirtualIOAdapters", CUD, |w| {
                virtual_adapters(w, partition)
            });
        }
        w.value("CurrentMaximumVirtualIOSlots", ROR, partition.maximum_slots);
    });
}

fn virtual_adapters(w: &mut Writer, partition: &Partition) {
    let (trunks, clients): (Vec<_>, Vec<_>) = partition
        .network_adapters
        .values()
        .partition(|adapter| adapter.trunk.is_some());
    for adapter in trunks.into_iter().chain(clients) {
        w.wrapper("ProfileVirtualIOAdapterSubclass", |w| {
            profile_adapter(w, partition.id, adapter)
        });
    }
}

fn profile_adapter(w: &mut Writer, partition_id: u16, adapter: &NetworkAdapter) {
    let (name, end) = match adapter.trunk {
        Some(_) => ("ProfileTrunkAdapter", "Server"),
        None => ("ProfileClientNetworkAdapter", "Client"),
    };
    w.member(name, |w| {
        w.value("VirtualSlotNumber", CUR, adapter.slot);
        w.text("AdapterType", CUR, end);
        w.value("LocalPartitionID", CUR, partition_id);
        w.text("MaCAddressValue", CUD, &adapter.mac_text());
        w.value("PortVLANID", CUR, adapter.vlan);
        w.text(
            "TaggedVLANIDs",
            CUA,
            &super::network_adapter::tagged_vlans(adapter),
        );
        w.value("VirtualSwitchID", ROR, adapter.switch_id);
        if let Some(trunk) = &adapter.trunk {
            w.value("TrunkPriority", CUD, trunk.priority);
        }
    });
}
