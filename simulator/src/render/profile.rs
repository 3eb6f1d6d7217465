//! `LogicalPartitionProfile`, a child of a partition or a Virtual I/O Server of an HMC.
//!
//! No recording has one. The elements are those that published clients read and write (IBM's HmcRestClient,
//! a capture of an HMC V10R3 cut to its I/O block); `docs/protocol/profiles.md` lists them with their sources.

use super::context::Context;
use super::processors;
use super::writer::{COR, CUA, CUD, CUR, UOM, Writer};
use crate::model::Owner;
use crate::model::partition::Partition;
use crate::model::profile::Profile;

/// The resource's own element.
pub(crate) fn render(
    cx: &Context<'_>,
    owner: Owner,
    partition: &Partition,
    profile: &Profile,
) -> String {
    let mut w = cx.writer(8 * 1024);
    w.root(
        "LogicalPartitionProfile",
        UOM,
        Some((&profile.uuid.to_string(), cx.created())),
        |w| {
            w.section("IOConfigurationInstance", CUD, |w| {
                w.value("MaximumVirtualIOSlots", CUD, profile.maximum_slots);
                w.section("ProfileVirtualIOAdapters", CUD, |w| {
                    adapters(w, cx, owner, partition)
                });
                w.flag("VirtualOpticonnectPool", CUD, false);
            });
            w.section("ProcessorAttributes", CUD, |w| {
                processors::write_configured(w, &profile.processors)
            });
            w.section("ProfileMemory", CUD, |w| {
                let memory = &profile.memory;
                let expanded = memory.expansion_factor > 0;
                w.value("ActiveMemoryExpansionEnabled", CUD, expanded);
                w.value("ActiveMemorySharingEnabled", CUD, memory.shared.is_some());
                w.value("DesiredMemory", CUD, memory.desired);
                let factor = super::memory::expansion_factor(memory.expansion_factor);
                w.value("ExpansionFactor", CUD, factor);
                w.value("HardwarePageTableRatio", CUD, memory.page_table_ratio);
                w.value("MaximumMemory", CUD, memory.maximum);
                w.value("MinimumMemory", CUD, memory.minimum);
            });
            w.text("ProfileName", CUR, &profile.name);
            w.text("ProfileType", COR, "REG_LPAR_PROFILE_TYPE");
        },
    );
    w.finish()
}

/// The adapters that the partition has now.
fn adapters(w: &mut Writer, cx: &Context<'_>, owner: Owner, partition: &Partition) {
    let Owner::Partition(uuid) = owner else {
        return;
    };
    for vios in cx.world.vioses_of(partition.system) {
        let clients = vios.buses.values().filter_map(|bus| {
            let client = bus.client.filter(|client| client.partition == uuid)?;
            Some((client.slot, bus.slot))
        });
        for (slot, server_slot) in clients {
            w.wrapper("ProfileVirtualIOAdapterSubclass", |w| {
                w.member("ProfileVirtualSCSIClientAdapter", |w| {
                    head(w, slot, partition.id);
                    w.value("RemoteSlotNumber", CUA, server_slot);
                    w.value("RemotePartitionID", CUR, vios.partition.id);
                });
            });
        }
    }
    for adapter in partition.network_adapters.values() {
        w.wrapper("ProfileVirtualIOAdapterSubclass", |w| {
            w.member("ProfileClientNetworkAdapter", |w| {
                head(w, adapter.slot, partition.id);
                w.value("PortVLANID", CUR, adapter.vlan);
                let switch = cx
                    .world
                    .systems
                    .get(&partition.system)
                    .and_then(|system| system.switches.get(&adapter.switch));
                let name = switch.map(|switch| switch.name.as_str());
                w.optional("VirtualSwitchName", CUD, name);
            });
        });
    }
}

fn head(w: &mut Writer, slot: u16, partition_id: u16) {
    w.value("VirtualSlotNumber", CUR, slot);
    w.flag("IsRequired", CUD, false);
    w.text("AdapterType", CUR, "Client");
    w.value("LocalPartitionID", CUR, partition_id);
}
