//! Network adapters of partitions.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::super::AdapterInventory;
use super::Systems;
use super::documents::{Documents, Item, last_uuid};

/// The adapters of the partitions found. A partition that lists none has none; one whose adapters were not read keeps
/// the usual one.
pub(super) fn adapters(documents: &Documents, found: &mut Systems) {
    let mut of_partition: BTreeMap<Uuid, Vec<AdapterInventory>> = BTreeMap::new();
    for item in documents.all("ClientNetworkAdapter") {
        if let (Some(partition), Some(adapter)) =
            (item.above("LogicalPartition"), adapter(documents, item))
        {
            of_partition.entry(partition).or_default().push(adapter);
        }
    }
    for partition in found.values_mut().flat_map(|system| &mut system.partitions) {
        let Some(uuid) = partition.uuid else {
            continue;
        };
        partition.adapters = of_partition.remove(&uuid).or_else(|| {
            let item = documents.get("LogicalPartition", uuid)?;
            let listed = item
                .members("ClientNetworkAdapters", "link")
                .next()
                .is_some();
            (!listed).then(Vec::new)
        });
        if let Some(adapters) = &mut partition.adapters {
            adapters.sort_by_key(|adapter| adapter.slot);
        }
    }
}

fn adapter(documents: &Documents, item: &Item) -> Option<AdapterInventory> {
    let tagged = item.text("TaggedVLANIDs").unwrap_or_default();
    let switch = item
        .members("AssociatedVirtualSwitch", "link")
        .find_map(|link| last_uuid(link.attribute("href")?))
        .and_then(|uuid| documents.get("VirtualSwitch", uuid))
        .filter(|switch| switch.text("SwitchID") != Some("0"))
        .and_then(|switch| switch.text("SwitchName").map(str::to_owned));
    Some(AdapterInventory {
        vlan: item.text("PortVLANID")?.parse().ok()?,
        tagged_vlans: tagged
            .split_ascii_whitespace()
            .filter_map(|vlan| vlan.parse().ok())
            .collect(),
        mac: item.text("MACAddress").map(str::to_owned),
        slot: item
            .text("VirtualSlotNumber")
            .and_then(|slot| slot.parse().ok()),
        switch,
        quality_of_service: item
            .text("QualityOfServicePriority")
            .filter(|_| item.text("QualityOfServicePriorityEnabled") == Some("true"))
            .and_then(|priority| priority.parse().ok()),
        mtu: item.text("ConfiguredMTU").and_then(|mtu| mtu.parse().ok()),
        ovs_bridge: item.text("OvsBridge").map(str::to_owned),
        ovs_external_ids: item.text("OvsPortExternalIds").map(str::to_owned),
    })
}
