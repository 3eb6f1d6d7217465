//! `ClientNetworkAdapter`, a child of a partition or a Virtual I/O Server. Recordings `cna_feed`, `cna_feed1`.

use super::context::Context;
use super::writer::{COD, CUA, CUD, CUR, ROR, UOD, UOM, Writer};
use crate::http::group::Group;
use crate::model::names::{PartitionKind, PartitionState};
use crate::model::network::NetworkAdapter;
use crate::model::partition::Partition;

/// The resource's own element.
pub(crate) fn render(cx: &Context<'_>, partition: &Partition, adapter: &NetworkAdapter) -> String {
    let Some(system) = cx.world.systems.get(&partition.system) else {
        return String::new();
    };
    let location = system.machine.slot_location(partition.id, adapter.slot);
    let mut w = cx.writer(4096);
    w.root(
        "ClientNetworkAdapter",
        UOM,
        Some((&adapter.uuid.to_string(), cx.created())),
        |w| {
            w.text("DynamicReconfigurationConnectorName", CUD, &location);
            w.text("LocationCode", ROR, &location);
            w.value("LocalPartitionID", CUR, partition.id);
            w.value("RequiredAdapter", CUD, adapter.required);
            w.flag("VariedOn", CUD.volatile(), true);
            w.value("VirtualSlotNumber", COD, adapter.slot);
            w.value("Enabled", UOD.since("V1_3_0"), adapter.enabled);
            w.text(
                "AllowedOperatingSystemMACAddresses",
                CUD,
                &adapter.allowed_os_macs,
            );
            w.text("MACAddress", CUR, &adapter.mac_text());
            w.value("PortVLANID", CUR, adapter.vlan);
            if let Some(priority) = adapter.quality_of_service {
                w.value("QualityOfServicePriority", CUD, priority);
            }
            w.value(
                "QualityOfServicePriorityEnabled",
                CUD,
                adapter.quality_of_service.is_some(),
            );
            if !adapter.tagged_vlans.is_empty() {
                w.text("TaggedVLANIDs", CUA, &tagged_vlans(adapter));
            }
            w.value("TaggedVLANSupported", CUA, adapter.tagged);
            if let Some(station) = &adapter.station {
                w.text("VirtualStationInterfaceTypeID", ROR, &station.type_id);
                w.text(
                    "VirtualStationInterfaceTypeVersion",
                    ROR,
                    &station.type_version,
                );
                w.text("VirtualStationInterfaceManagerID", ROR, &station.manager_id);
            }
            w.links(
                "AssociatedVirtualSwitch",
                CUD,
                [cx.system_child(system.uuid, "VirtualSwitch", adapter.switch)],
            );
            w.value("VirtualSwitchID", ROR, adapter.switch_id);
            if cx.has(Group::Advanced)
                && let Some(address) = address_of(partition, adapter)
            {
                addresses(w, address);
            }
            if let Some(trunk) = &adapter.trunk {
                if partition.kind != PartitionKind::VirtualIoServer {
                    w.optional("DeviceName", CUD, trunk.device.as_deref());
                }
                w.value("TrunkPriority", CUD, trunk.priority);
            }
            if let Some(mtu) = adapter.mtu {
                w.value("ConfiguredMTU", CUD.since("V1_6_0"), mtu);
            }
            w.optional(
                "OvsBridge",
                CUD.since("V1_6_0"),
                adapter.ovs_bridge.as_deref(),
            );
            w.optional(
                "OvsPortExternalIds",
                CUD.since("V1_6_0"),
                adapter.ovs_external_ids.as_deref(),
            );
            let mine = |vlan: u16| adapter.vlans().any(|own| own == vlan);
            let networks = system
                .networks
                .values()
                .filter(|network| network.switch == adapter.switch && mine(network.vlan));
            w.links(
                "VirtualNetworks",
                CUR,
                networks
                    .map(|network| cx.system_child(system.uuid, "VirtualNetwork", network.uuid)),
            );
        },
    );
    w.finish()
}

/// The address by which RMC reaches the partition belongs to its first client adapter.
fn address_of<'a>(partition: &'a Partition, adapter: &NetworkAdapter) -> Option<&'a str> {
    let clients = partition.network_adapters.values();
    let first = clients
        .filter(|adapter| adapter.trunk.is_none())
        .min_by_key(|adapter| adapter.slot)?;
    let address = partition.rmc_address.as_deref()?;
    (first.uuid == adapter.uuid && partition.state == PartitionState::Running).then_some(address)
}

/// `IPAddress`, `SubnetMask` and `Gateway`.
pub(crate) fn addresses(w: &mut Writer, address: &str) {
    let facets = ROR.since("V1_6_0").group("Advanced");
    let gateway = address
        .rsplit_once('.')
        .map(|(network, _)| format!("{network}.1"));
    w.text("IPAddress", facets, address);
    w.text("SubnetMask", facets, "255.255.255.0");
    w.optional("Gateway", facets, gateway.as_deref());
}

/// `TaggedVLANIDs`: numbers separated by single blanks.
pub(crate) fn tagged_vlans(adapter: &NetworkAdapter) -> String {
    adapter
        .tagged_vlans
        .iter()
        .map(u16::to_string)
        .collect::<Vec<_>>()
        .join(" ")
}
