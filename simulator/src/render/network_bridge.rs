//! `NetworkBridge`, a child of a managed system. Recordings `fake_network_bridge`, `nbbr_network_bridge`,
//! `nbbr_network_bridge_failover` and `nbbr_network_bridge_peer`.

use super::context::Context;
use super::writer::{COR, CUD, CUR, ROR, UOM, Writer};
use super::{shared_ethernet, trunk_adapter};
use crate::model::network::NetworkBridge;
use crate::model::system::ManagedSystem;

/// The resource's own element.
pub(crate) fn render(cx: &Context<'_>, system: &ManagedSystem, bridge: &NetworkBridge) -> String {
    let mut w = cx.writer(16 * 1024);
    w.root(
        "NetworkBridge",
        UOM,
        Some((&bridge.uuid.to_string(), cx.created())),
        |w| {
            if let Some(vlan) = bridge.control_channel {
                w.value("ControlChannelID", CUD, vlan);
            }
            w.value("FailoverEnabled", CUD, bridge.failover);
            w.value("LoadBalancingEnabled", CUD, bridge.load_balancing);
            w.section("LoadGroups", CUD, |w| load_groups(w, cx, system, bridge));
            w.value("PortVLANID", COR, bridge.vlan);
            w.section("SharedEthernetAdapters", CUD, |w| {
                for member in cx.world.bridge_members(system.uuid, bridge.uuid) {
                    shared_ethernet::write(w, cx, member.vios, member.adapter);
                }
            });
            w.value("UniqueDeviceID", ROR, bridge.switch_id);
            let groups = cx.world.load_groups(system.uuid, bridge.uuid);
            let networks = groups
                .iter()
                .flat_map(|group| cx.world.networks_of_group(system.uuid, bridge, group));
            let links: Vec<String> = networks
                .map(|network| cx.system_child(system.uuid, "VirtualNetwork", network))
                .collect();
            w.links("VirtualNetworks", ROR, links);
        },
    );
    w.finish()
}

fn load_groups(w: &mut Writer, cx: &Context<'_>, system: &ManagedSystem, bridge: &NetworkBridge) {
    for group in cx.world.load_groups(system.uuid, bridge.uuid) {
        w.member("LoadGroup", |w| {
            w.value("PortVLANID", CUR, group.vlan);
            w.section("TrunkAdapters", CUD, |w| {
                for (vios, trunk) in &group.trunks {
                    trunk_adapter::write(w, cx, &vios.partition, trunk, false);
                }
            });
            let networks = cx.world.networks_of_group(system.uuid, bridge, &group);
            let links = networks
                .into_iter()
                .map(|network| cx.system_child(system.uuid, "VirtualNetwork", network));
            w.links("VirtualNetworks", CUD, links);
        });
    }
}
