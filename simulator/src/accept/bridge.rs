//! `NetworkBridge` with its load groups, shared Ethernet adapters and trunk adapters.
//!
//! Both descriptions of the same VLANs are read; which of them counts is the flavour's affair
//! (`docs/protocol/network.md`).

use powervm_schema::xml::Element;
use uuid::Uuid;

use super::body::{flag, incomplete, integer, text};
use super::link::{linked, links};
use super::mappings::slot;
use super::network::tagged_vlans;
use crate::model::Refusal;
use crate::model::command::{
    CreateNetworkBridge, LoadGroupRequest, SharedEthernetRequest, SharedEthernetSettingsRequest,
    TrunkRequest, UpdateNetworkBridge,
};

/// A new bridge.
pub(crate) fn create(root: &Element, system: Uuid) -> Result<CreateNetworkBridge, Refusal> {
    Ok(CreateNetworkBridge {
        system,
        vlan: integer(root, "PortVLANID")?.ok_or_else(|| incomplete(root, "PortVLANID"))?,
        failover: flag(root, "FailoverEnabled")?,
        load_balancing: flag(root, "LoadBalancingEnabled")?.unwrap_or(false),
        control_channel: integer(root, "ControlChannelID")?,
        adapters: shared_ethernet(root)?
            .ok_or_else(|| incomplete(root, "SharedEthernetAdapters"))?,
    })
}

/// A change of a bridge.
pub(crate) fn update(
    root: &Element,
    system: Uuid,
    bridge: Uuid,
) -> Result<UpdateNetworkBridge, Refusal> {
    Ok(UpdateNetworkBridge {
        system,
        bridge,
        failover: flag(root, "FailoverEnabled")?,
        load_balancing: flag(root, "LoadBalancingEnabled")?,
        control_channel: integer(root, "ControlChannelID")?,
        load_groups: members(root, "LoadGroups", "LoadGroup", load_group)?,
        adapters: shared_ethernet(root)?,
    })
}

fn shared_ethernet(root: &Element) -> Result<Option<Vec<SharedEthernetRequest>>, Refusal> {
    members(
        root,
        "SharedEthernetAdapters",
        "SharedEthernetAdapter",
        adapter,
    )
}

/// The members of a list; none if the list is not there.
fn members<T>(
    parent: &Element,
    list: &str,
    name: &str,
    read: impl Fn(&Element) -> Result<T, Refusal>,
) -> Result<Option<Vec<T>>, Refusal> {
    let Some(list) = parent.child(list) else {
        return Ok(None);
    };
    list.children_named(name)
        .map(read)
        .collect::<Result<Vec<T>, Refusal>>()
        .map(Some)
}

fn load_group(group: &Element) -> Result<LoadGroupRequest, Refusal> {
    Ok(LoadGroupRequest {
        vlan: integer(group, "PortVLANID")?.ok_or_else(|| incomplete(group, "PortVLANID"))?,
        networks: links(group, "VirtualNetworks")?,
    })
}

fn adapter(adapter: &Element) -> Result<SharedEthernetRequest, Refusal> {
    let owned = |name: &str| text(adapter, name).map(str::to_owned);
    let backing = adapter.descend(&["BackingDeviceChoice", "EthernetBackingDevice"]);
    Ok(SharedEthernetRequest {
        vios: linked(adapter, "AssignedVirtualIOServer")?,
        backing_device: backing
            .and_then(|device| text(device, "DeviceName"))
            .map(str::to_owned),
        primary: flag(adapter, "IsPrimary")?,
        trunks: members(adapter, "TrunkAdapters", "TrunkAdapter", trunk)?,
        settings: SharedEthernetSettingsRequest {
            jumbo_frames: flag(adapter, "JumboFramesEnabled")?,
            queue_size: integer(adapter, "QueueSize")?,
            thread_mode: flag(adapter, "ThreadModeEnabled")?,
            large_send: flag(adapter, "LargeSend")?,
            quality_of_service: owned("QualityOfServiceMode"),
            address_to_ping: owned("AddressToPing"),
        },
    })
}

fn trunk(trunk: &Element) -> Result<TrunkRequest, Refusal> {
    Ok(TrunkRequest {
        slot: slot(trunk)?,
        mac: text(trunk, "MACAddress").map(str::to_owned),
        vlan: integer(trunk, "PortVLANID")?.ok_or_else(|| incomplete(trunk, "PortVLANID"))?,
        tagged_vlans: tagged_vlans(trunk)?,
        tagged: flag(trunk, "TaggedVLANSupported")?,
        required: flag(trunk, "RequiredAdapter")?,
        priority: integer(trunk, "TrunkPriority")?,
        switch: linked(trunk, "AssociatedVirtualSwitch")?,
        switch_id: integer(trunk, "VirtualSwitchID")?,
    })
}
