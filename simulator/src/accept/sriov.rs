//! SR-IOV adapters of a `ManagedSystem`, `SRIOVEthernetLogicalPort` and `VirtualNICDedicated`.

use powervm_schema::xml::Element;
use uuid::Uuid;

use super::body::{choice, flag, incomplete, integer, text, value};
use super::link::linked;
use super::mappings::slot;
use super::network::switch_mode;
use crate::model::command::{
    BackingDeviceRequest, CreateLogicalPort, CreateVnic, SriovAdapterChange, SriovPortChange,
    UpdateLogicalPort, UpdateSystem, UpdateVnic,
};
use crate::model::names::SriovMode;
use crate::model::sriov::Percent;
use crate::model::{Owner, Refusal};

/// The lists of physical ports that an adapter may have.
const PORTS: [(&str, &str); 3] = [
    (
        "ConvergedEthernetPhysicalPorts",
        "SRIOVConvergedNetworkAdapterPhysicalPort",
    ),
    ("EthernetPhysicalPorts", "SRIOVEthernetPhysicalPort"),
    ("SRIOVRoCEPhysicalPorts", "SRIOVRoCEPhysicalPort"),
];

/// A change of a system: labels and settings of SR-IOV ports, and the mode of adapters. Everything else of the document
/// is the echo of a read.
pub(crate) fn update_system(root: &Element, system: Uuid) -> Result<UpdateSystem, Refusal> {
    let list = root.descend(&["AssociatedSystemIOConfiguration", "SRIOVAdapters"]);
    let choices = list
        .into_iter()
        .flat_map(|list| list.children_named("IOAdapterChoice"));
    let adapters = choices.filter_map(|choice| choice.child("SRIOVAdapter"));
    Ok(UpdateSystem {
        system,
        name: text(root, "SystemName").map(str::to_owned),
        adapters: adapters.map(adapter).collect::<Result<_, Refusal>>()?,
    })
}

fn adapter(adapter: &Element) -> Result<SriovAdapterChange, Refusal> {
    let mut ports = Vec::new();
    for (list, name) in PORTS {
        let list = adapter.child(list);
        for port in list.into_iter().flat_map(|list| list.children_named(name)) {
            ports.push(physical_port(port)?);
        }
    }
    Ok(SriovAdapterChange {
        drc_index: integer(adapter, "AdapterID")?
            .ok_or_else(|| incomplete(adapter, "AdapterID"))?,
        mode: choice(adapter, "AdapterMode", SriovMode::parse)?,
        ports,
    })
}

fn physical_port(port: &Element) -> Result<SriovPortChange, Refusal> {
    // An empty label is one: it takes the present one away.
    let label = |name: &str| port.child(name).map(|label| label.text().trim().to_owned());
    let jumbo_frames = choice(port, "ConfiguredMTU", |text| match text {
        "E_1500" => Some(Some(false)),
        "E_9000" => Some(Some(true)),
        "Unknown" => Some(None),
        _ => None,
    })?;
    Ok(SriovPortChange {
        id: integer(port, "PhysicalPortID")?.ok_or_else(|| incomplete(port, "PhysicalPortID"))?,
        label: label("Label"),
        sublabel: label("SubLabel"),
        jumbo_frames: jumbo_frames.flatten(),
        flow_control: flag(port, "ConfiguredFlowControl")?,
        switch_mode: choice(port, "ConfiguredPortSwitchMode", switch_mode)?,
        maximum_ports: integer(port, "ConfiguredMaxEthernetLogicalPorts")?,
    })
}

/// A new logical port.
pub(crate) fn create_port(root: &Element, owner: Owner) -> Result<CreateLogicalPort, Refusal> {
    let needed = |name: &'static str| integer(root, name)?.ok_or_else(|| incomplete(root, name));
    let owned = |name: &str| text(root, name).map(str::to_owned);
    let is = |name: &'static str| Ok::<bool, Refusal>(flag(root, name)?.unwrap_or(false));
    Ok(CreateLogicalPort {
        configuration: integer(root, "ConfigurationID")?,
        capacity: percent(root, "ConfiguredCapacity")?,
        maximum_capacity: percent(root, "ConfiguredMaxCapacity")?,
        vlan: integer(root, "PortVLANID")?.unwrap_or(0),
        priority: integer(root, "IEEE8021QPriority")?.unwrap_or(0),
        promiscuous: is("IsPromiscous")?,
        diagnostic: is("IsDiagnostic")?,
        debug: is("IsDebug")?,
        huge_dma: is("IsHugeDMA")?,
        allowed_macs: owned("AllowedMACAddresses"),
        allowed_vlans: owned("AllowedVLANs"),
        mac: owned("MACAddress"),
        ..CreateLogicalPort::on(owner, needed("AdapterID")?, needed("PhysicalPortID")?)
    })
}

/// A change of a logical port.
pub(crate) fn update_port(
    root: &Element,
    owner: Owner,
    port: Uuid,
) -> Result<UpdateLogicalPort, Refusal> {
    let owned = |name: &str| text(root, name).map(str::to_owned);
    Ok(UpdateLogicalPort {
        owner,
        port,
        capacity: percent(root, "ConfiguredCapacity")?,
        maximum_capacity: percent(root, "ConfiguredMaxCapacity")?,
        vlan: integer(root, "PortVLANID")?,
        priority: integer(root, "IEEE8021QPriority")?,
        promiscuous: flag(root, "IsPromiscous")?,
        diagnostic: flag(root, "IsDiagnostic")?,
        debug: flag(root, "IsDebug")?,
        allowed_macs: owned("AllowedMACAddresses"),
        allowed_vlans: owned("AllowedVLANs"),
    })
}

/// A new virtual NIC.
pub(crate) fn create_vnic(root: &Element, partition: Uuid) -> Result<CreateVnic, Refusal> {
    let details = root
        .child("Details")
        .ok_or_else(|| incomplete(root, "Details"))?;
    let owned = |name: &str| text(details, name).map(str::to_owned);
    Ok(CreateVnic {
        partition,
        slot: slot(root)?,
        mac: owned("MACAddress"),
        vlan: integer(details, "PortVLANID")?.unwrap_or(0),
        vlan_priority: integer(details, "PortVLANIDPriority")?.unwrap_or(0),
        allowed_vlans: owned("AllowedVLANIDs"),
        allowed_os_macs: owned("AllowedOperatingSystemMACAddresses"),
        auto_failover: auto_failover(details)?,
        backing: backing(root)?.ok_or_else(|| incomplete(root, "AssociatedBackingDevices"))?,
    })
}

/// A change of a virtual NIC.
pub(crate) fn update_vnic(
    root: &Element,
    partition: Uuid,
    vnic: Uuid,
) -> Result<UpdateVnic, Refusal> {
    let empty = Element::new(root.namespace().clone(), "Details");
    let details = root.child("Details").unwrap_or(&empty);
    let owned = |name: &str| text(details, name).map(str::to_owned);
    Ok(UpdateVnic {
        partition,
        vnic,
        vlan: integer(details, "PortVLANID")?,
        vlan_priority: integer(details, "PortVLANIDPriority")?,
        allowed_vlans: owned("AllowedVLANIDs"),
        allowed_os_macs: owned("AllowedOperatingSystemMACAddresses"),
        auto_failover: auto_failover(details)?,
        backing: backing(root)?,
    })
}

/// Servers write `AutoPriorityFailover`, pypowervm sends `AutoFailBack`.
fn auto_failover(details: &Element) -> Result<Option<bool>, Refusal> {
    match flag(details, "AutoFailBack")? {
        Some(sent) => Ok(Some(sent)),
        None => flag(details, "AutoPriorityFailover"),
    }
}

/// Some servers put several devices into one choice (recording `vnic_feed`).
fn backing(root: &Element) -> Result<Option<Vec<BackingDeviceRequest>>, Refusal> {
    let Some(list) = root.child("AssociatedBackingDevices") else {
        return Ok(None);
    };
    let choices = list.children_named("VirtualNICBackingDeviceChoice");
    choices
        .flat_map(|choice| choice.children_named("VirtualNICSRIOVBackingDevice"))
        .map(backing_device)
        .collect::<Result<Vec<_>, Refusal>>()
        .map(Some)
}

fn backing_device(device: &Element) -> Result<BackingDeviceRequest, Refusal> {
    let needed =
        |name: &'static str| integer(device, name)?.ok_or_else(|| incomplete(device, name));
    Ok(BackingDeviceRequest {
        vios: linked(device, "AssociatedVirtualIOServer")?
            .ok_or_else(|| incomplete(device, "AssociatedVirtualIOServer"))?,
        adapter: needed("RelatedSRIOVAdapterID")?,
        port: needed("RelatedSRIOVPhysicalPortID")?,
        capacity: percent(device, "CurrentCapacityPercentage")?,
        maximum_capacity: percent(device, "MaxCapacityPercentage")?,
        priority: integer(device, "FailOverPriority")?,
        logical_port: linked(device, "RelatedSRIOVLogicalPort")?,
    })
}

fn percent(parent: &Element, name: &'static str) -> Result<Option<Percent>, Refusal> {
    value(parent, name, "percentage", Percent::parse)
}
