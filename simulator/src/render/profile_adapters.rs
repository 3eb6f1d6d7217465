//! `ProfileVirtualIOAdapters` of a Virtual I/O Server: each of its virtual adapters, in short. Recordings
//! `fake_vios_feed3`, `fake_vios_hosting_vios_feed`.

use super::context::Context;
use super::writer::{CUA, CUD, CUR, ROR, Writer};
use crate::model::network::NetworkAdapter;
use crate::model::vios::VirtualIoServer;

/// Writes trunk adapters, client network adapters, and the servers of virtual SCSI and Fibre Channel.
pub(crate) fn write_all(w: &mut Writer, cx: &Context<'_>, vios: &VirtualIoServer) {
    let partition = &vios.partition;
    let (trunks, clients): (Vec<_>, Vec<_>) = partition
        .network_adapters
        .values()
        .partition(|adapter| adapter.trunk.is_some());
    for adapter in trunks.into_iter().chain(clients) {
        member(w, |w| network_adapter(w, partition.id, adapter));
    }
    let number = |uuid| {
        let owner = cx.world.owner(uuid)?;
        Some(cx.world.partition(owner)?.id)
    };
    for bus in vios.buses.values() {
        let client = bus.client.map(|client| (client.partition, client.slot));
        member(w, |w| {
            w.member("ProfileVirtualSCSIServerAdapter", |w| {
                head(w, bus.slot, "Server", partition.id);
                if let Some((client, slot)) = client {
                    w.count("RemoteSlotNumber", CUA, slot);
                    w.count("RemotePartitionID", CUR, number(client).unwrap_or_default());
                }
            });
        });
    }
    for mapping in vios.fc_mappings.values() {
        let client = mapping.client.as_ref();
        let client = client.map(|client| (client.partition, client.slot));
        member(w, |w| {
            w.member("ProfileVirtualFibreChannelServerAdapter", |w| {
                head(w, mapping.slot, "Server", partition.id);
                if let Some((client, slot)) = client {
                    let id = number(client).unwrap_or_default();
                    w.count("ConnectingVirtualSlotNumber", CUR, slot);
                    w.count("ConnectingPartitionID", CUR, id);
                }
            });
        });
    }
}

fn member(w: &mut Writer, body: impl FnOnce(&mut Writer)) {
    w.wrapper("ProfileVirtualIOAdapterSubclass", body);
}

fn head(w: &mut Writer, slot: u16, end: &str, partition: u16) {
    w.count("VirtualSlotNumber", CUR, slot);
    w.text("AdapterType", CUR, end);
    w.count("LocalPartitionID", CUR, partition);
}

fn network_adapter(w: &mut Writer, partition: u16, adapter: &NetworkAdapter) {
    let (name, end) = match adapter.trunk {
        Some(_) => ("ProfileTrunkAdapter", "Server"),
        None => ("ProfileClientNetworkAdapter", "Client"),
    };
    w.member(name, |w| {
        head(w, adapter.slot, end, partition);
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
