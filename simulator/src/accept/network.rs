//! `ClientNetworkAdapter`, `VirtualSwitch` and `VirtualNetwork`.

use powervm_schema::xml::Element;
use uuid::Uuid;

use super::body::{choice, flag, incomplete, integer, required, text, wrong_type};
use super::link::linked;
use super::mappings::slot;
use crate::model::command::{Command, CreateNetwork, CreateNetworkAdapter, UpdateNetworkAdapter};
use crate::model::names::SwitchMode;
use crate::model::network::{NetworkAdapter, StationInterface, Trunk};
use crate::model::{Owner, Refusal};

/// What an HMC appends to the name of the default switch.
const DEFAULT_MARK: &str = "(Default)";

/// A new adapter.
pub(crate) fn create_adapter(
    root: &Element,
    owner: Owner,
) -> Result<CreateNetworkAdapter, Refusal> {
    let owned = |name: &str| text(root, name).map(str::to_owned);
    Ok(CreateNetworkAdapter {
        owner,
        slot: slot(root)?,
        mac: owned("MACAddress"),
        vlan: integer(root, "PortVLANID")?.ok_or_else(|| incomplete(root, "PortVLANID"))?,
        tagged_vlans: tagged_vlans(root)?.unwrap_or_default(),
        tagged: flag(root, "TaggedVLANSupported")?,
        switch: linked(root, "AssociatedVirtualSwitch")?,
        allowed_os_macs: owned("AllowedOperatingSystemMACAddresses"),
        quality_of_service: quality_of_service(root)?.flatten(),
        enabled: flag(root, "Enabled")?,
        required: flag(root, "RequiredAdapter")?,
        station: station(root),
        trunk: trunk(root)?,
        mtu: integer(root, "ConfiguredMTU")?,
        ovs_bridge: owned("OvsBridge"),
        ovs_external_ids: owned("OvsPortExternalIds"),
    })
}

/// A change of an adapter.
pub(crate) fn update_adapter(
    root: &Element,
    owner: Owner,
    adapter: Uuid,
) -> Result<UpdateNetworkAdapter, Refusal> {
    let owned = |name: &str| text(root, name).map(str::to_owned);
    Ok(UpdateNetworkAdapter {
        owner,
        adapter,
        vlan: integer(root, "PortVLANID")?,
        tagged_vlans: tagged_vlans(root)?,
        tagged: flag(root, "TaggedVLANSupported")?,
        allowed_os_macs: owned("AllowedOperatingSystemMACAddresses"),
        quality_of_service: quality_of_service(root)?,
        enabled: flag(root, "Enabled")?,
        required: flag(root, "RequiredAdapter")?,
        trunk: trunk(root)?,
        mtu: integer(root, "ConfiguredMTU")?,
        ovs_bridge: owned("OvsBridge"),
        ovs_external_ids: owned("OvsPortExternalIds"),
    })
}

/// The change, now that the present adapter is known: a trunk keeps its device where the body names none.
pub(crate) fn complete(
    mut update: UpdateNetworkAdapter,
    present: Option<&NetworkAdapter>,
) -> UpdateNetworkAdapter {
    let there = present
        .and_then(|adapter| adapter.trunk.as_ref())
        .and_then(|trunk| trunk.device.as_ref());
    if let (
        Some(Trunk {
            device: device @ None,
            ..
        }),
        Some(there),
    ) = (&mut update.trunk, there)
    {
        *device = Some(there.clone());
    }
    update
}

/// Numbers between blanks, of which clients put several. An empty element means no VLANs, a missing one no change.
pub(crate) fn tagged_vlans(root: &Element) -> Result<Option<Vec<u16>>, Refusal> {
    let Some(list) = root.child("TaggedVLANIDs") else {
        return Ok(None);
    };
    let text = list.text();
    let numbers = text
        .split([' ', ',', '\n', '\t'])
        .filter(|part| !part.is_empty());
    let numbers = numbers.map(|part| {
        part.parse()
            .map_err(|_| wrong_type("TaggedVLANIDs", part, "integer"))
    });
    numbers.collect::<Result<Vec<u16>, Refusal>>().map(Some)
}

/// The priority, if the body says that it is enabled; the inner none if it says that it is not.
fn quality_of_service(root: &Element) -> Result<Option<Option<u8>>, Refusal> {
    let priority = integer(root, "QualityOfServicePriority")?;
    Ok(match flag(root, "QualityOfServicePriorityEnabled")? {
        Some(true) => Some(Some(priority.unwrap_or(0))),
        Some(false) => Some(None),
        None => None,
    })
}

fn station(root: &Element) -> Option<StationInterface> {
    let owned = |name: &str| text(root, name).map(str::to_owned);
    Some(StationInterface {
        type_id: owned("VirtualStationInterfaceTypeID")?,
        type_version: owned("VirtualStationInterfaceTypeVersion").unwrap_or_default(),
        manager_id: owned("VirtualStationInterfaceManagerID").unwrap_or_default(),
    })
}

fn trunk(root: &Element) -> Result<Option<Trunk>, Refusal> {
    let device = text(root, "DeviceName").map(str::to_owned);
    Ok(integer(root, "TrunkPriority")?.map(|priority| Trunk { priority, device }))
}

/// A new switch.
pub(crate) fn create_switch(root: &Element, system: Uuid) -> Result<Command, Refusal> {
    let mode = choice(root, "SwitchMode", switch_mode)?.unwrap_or(SwitchMode::Veb);
    Ok(Command::CreateSwitch {
        system,
        name: required(root, "SwitchName")?.to_owned(),
        mode,
    })
}

/// A change of a switch.
pub(crate) fn update_switch(
    root: &Element,
    system: Uuid,
    switch: Uuid,
) -> Result<Command, Refusal> {
    let name = text(root, "SwitchName")
        .map(|name| name.strip_suffix(DEFAULT_MARK).unwrap_or(name).to_owned());
    Ok(Command::UpdateSwitch {
        system,
        switch,
        name,
        mode: choice(root, "SwitchMode", switch_mode)?,
    })
}

/// Both spellings of the enumeration are in use (`VEB` in the schema, `Veb` on the wire).
pub(crate) fn switch_mode(text: &str) -> Option<SwitchMode> {
    SwitchMode::EVERY
        .iter()
        .copied()
        .find(|mode| mode.as_str().eq_ignore_ascii_case(text))
}

/// A new network.
pub(crate) fn create_network(root: &Element, system: Uuid) -> Result<CreateNetwork, Refusal> {
    let vlan = integer(root, "NetworkVLANID")?.ok_or_else(|| incomplete(root, "NetworkVLANID"))?;
    Ok(CreateNetwork {
        system,
        switch: linked(root, "AssociatedSwitch")?
            .ok_or_else(|| incomplete(root, "AssociatedSwitch"))?,
        name: required(root, "NetworkName")?.to_owned(),
        vlan,
        tagged: flag(root, "TaggedNetwork")?.unwrap_or(vlan != 1),
    })
}
