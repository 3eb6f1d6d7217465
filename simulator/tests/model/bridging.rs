//! Network bridges as clients post them.

use powervm_simulator::model::command::*;
use uuid::Uuid;

use super::support::Room;

/// The members of a bridge as a client reads and posts them.
pub(crate) fn posted(room: &Room, bridge: Uuid) -> Vec<SharedEthernetRequest> {
    let members = room.world.bridge_members(room.system(), bridge);
    members
        .iter()
        .map(|member| SharedEthernetRequest {
            vios: Some(member.vios.partition.uuid),
            backing_device: Some(member.adapter.backing_device.clone()),
            primary: Some(member.adapter.primary),
            trunks: Some(
                member
                    .trunks()
                    .map(|trunk| TrunkRequest {
                        slot: SlotChoice::Given(trunk.slot),
                        mac: Some(trunk.mac_text()),
                        vlan: trunk.vlan,
                        tagged_vlans: Some(trunk.tagged_vlans.clone()),
                        tagged: Some(trunk.tagged),
                        required: Some(trunk.required),
                        priority: trunk.trunk.as_ref().map(|trunk| trunk.priority),
                        switch: None,
                        switch_id: Some(trunk.switch_id),
                    })
                    .collect(),
            ),
            settings: SharedEthernetSettingsRequest::default(),
        })
        .collect()
}

pub(crate) fn update(room: &Room, bridge: Uuid) -> UpdateNetworkBridge {
    UpdateNetworkBridge {
        system: room.system(),
        bridge,
        failover: None,
        load_balancing: None,
        control_channel: None,
        load_groups: None,
        adapters: None,
    }
}
