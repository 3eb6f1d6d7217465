//! What went over a partition's virtual adapters: counters that only rise.

use serde_json::{Value, json};

use super::super::context::Context;
use crate::model::monitoring::load::{Sum, in_waves, trait_of};
use crate::model::partition::Partition;

/// The virtual Ethernet adapters of a partition.
pub(super) fn network(cx: &Context<'_>, partition: &Partition, sum: &Sum) -> Vec<Value> {
    let Some(system) = cx.world.systems.get(&partition.system) else {
        return Vec::new();
    };
    let adapters = partition.network_adapters.values();
    let adapters = adapters.map(|adapter| {
        let (received, sent) = packets(partition, adapter.slot, sum);
        json!({
            "vlanId": adapter.vlan,
            "vswitchId": adapter.switch_id,
            "physicalLocation": system.machine.slot_location(partition.id, adapter.slot),
            "isPortVLANID": true,
            "receivedPackets": received,
            "sentPackets": sent,
            "droppedPackets": received / 100_000,
            "sentBytes": sent.saturating_mul(600),
            "receivedBytes": received.saturating_mul(800),
            "receivedPhysicalPackets": received / 2,
            "sentPhysicalPackets": sent / 2,
            "droppedPhysicalPackets": 0,
            "sentPhysicalBytes": (sent / 2).saturating_mul(600),
            "receivedPhysicalBytes": (received / 2).saturating_mul(800),
        })
    });
    adapters.collect()
}

/// Packets received and sent by the adapter in a slot.
pub(super) fn packets(partition: &Partition, slot: u16, sum: &Sum) -> (u64, u64) {
    let purpose = u8::try_from(slot % 200).unwrap_or(0);
    let received = in_waves(sum.ran, 20 + trait_of(partition.uuid, purpose));
    let sent = in_waves(
        sum.ran,
        10 + trait_of(partition.uuid, purpose.wrapping_add(50)) / 2,
    );
    (received, sent)
}

/// Reads and writes through the adapter in a slot.
pub(super) fn transfers(partition: &Partition, slot: u16, sum: &Sum) -> (u64, u64) {
    let purpose = u8::try_from(slot % 200).unwrap_or(0).wrapping_add(100);
    let reads = in_waves(sum.ran, 2 + trait_of(partition.uuid, purpose) / 10);
    let writes = in_waves(
        sum.ran,
        4 + trait_of(partition.uuid, purpose.wrapping_add(9)) / 8,
    );
    (reads, writes)
}

/// The virtual SCSI and Fibre Channel adapters of a partition; lists without any are left out.
pub(super) fn storage(cx: &Context<'_>, partition: &Partition) -> serde_json::Map<String, Value> {
    let mut storage = serde_json::Map::new();
    let Some(system) = cx.world.systems.get(&partition.system) else {
        return storage;
    };
    let location = |slot: u16| system.machine.slot_location(partition.id, slot);
    let (mut generic, mut fibre) = (Vec::new(), Vec::new());
    for vios in cx.world.vioses_of(partition.system) {
        let id = vios.partition.id;
        let of_partition = |uuid: uuid::Uuid| uuid == partition.uuid;
        for bus in vios.buses.of(partition.uuid) {
            if let Some(client) = bus.client {
                generic.push(json!({
                    "physicalLocation": location(client.slot),
                    "viosId": id,
                    "viosAdapterSlotId": bus.slot,
                }));
            }
        }
        for mapping in vios.fc_mappings.values() {
            if let Some(client) = mapping
                .client
                .filter(|client| of_partition(client.partition))
            {
                fibre.push(json!({
                    "wwpnPair": client.wwpns,
                    "viosId": id,
                    "physicalLocation": location(client.slot),
                }));
            }
        }
    }
    if !generic.is_empty() {
        storage.insert("genericVirtualAdapters".to_owned(), Value::Array(generic));
    }
    if !fibre.is_empty() {
        storage.insert(
            "virtualFiberChannelAdapters".to_owned(),
            Value::Array(fibre),
        );
    }
    storage
}
