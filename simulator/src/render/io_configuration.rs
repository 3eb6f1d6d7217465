//! `PartitionIOConfiguration`: how many slots a partition has and which adapters it owns.

use super::context::Context;
use super::writer::{CUD, CUR, ROR, Writer};
use super::{profile_adapters, slots};
use crate::model::names::PartitionKind;
use crate::model::partition::Partition;
use crate::model::system::IoSlot;

/// Writes the section. Of a Virtual I/O Server it lists the virtual adapters as well (recordings `fake_vios_feed3`,
/// `fake_vios_hosting_vios_feed`); of a partition whether it could have Ethernet adapters (recording `lpar`).
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
        if vios.is_none() {
            w.section("EthernetAdapterCapabilities", CUD, |_| ());
        } else {
            w.section("HostChannelAdapters", ROR, |_| ());
        }
        if ibmi {
            w.flag("HighSpeedLinkOpticonnectPool", CUD, false);
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
            w.flag("VirtualOpticonnectPool", CUD, false);
        }
        if let Some(vios) = vios {
            w.section("ProfileVirtualIOAdapters", CUD, |w| {
                profile_adapters::write_all(w, cx, vios)
            });
        }
        w.value("CurrentMaximumVirtualIOSlots", ROR, partition.maximum_slots);
    });
}
