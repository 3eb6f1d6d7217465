//! `VirtualSCSIMappings`, `VirtualFibreChannelMappings` and `VirtualSCSIBus` as posted.
//!
//! A client sends back the mappings that it read, and new ones either bare (a client partition and a storage element)
//! or as a clone of an existing mapping with another storage. nova's snapshot moves the storage element of the boot
//! mapping into a new one and so posts the old one with an empty `Storage`: its target device tells what it was
//! (docs/protocol/mappings.md).

use powervm_schema::xml::Element;
use uuid::Uuid;

use super::body::{choice, excerpt, flag, href, integer, invalid, required, text, wrong_type};
use super::link::last_uuid;
use crate::model::Refusal;
use crate::model::command::{
    CreateScsiBus, ExternalName, FcMappingRequest, ScsiMapping, SlotChoice, StorageName,
    TargetName, WwpnChoice,
};
use crate::model::names::{BackStoreType, VirtualDiskKind};

/// Every mapping of the container.
pub(crate) fn scsi(container: &Element) -> Result<Vec<ScsiMapping>, Refusal> {
    container
        .children_named("VirtualSCSIMapping")
        .map(mapping)
        .collect()
}

fn mapping(element: &Element) -> Result<ScsiMapping, Refusal> {
    let client = client(element)?;
    let server = element.child("ServerAdapter");
    Ok(ScsiMapping {
        client,
        server_udid: server
            .and_then(|server| text(server, "UniqueDeviceID"))
            .map(str::to_owned),
        client_slot: element
            .child("ClientAdapter")
            .map_or(Ok(SlotChoice::Next), slot)?,
        server_slot: server.map_or(Ok(SlotChoice::Next), slot)?,
        storage: element.child("Storage").map_or(Ok(None), storage)?,
        target: element.child("TargetDevice").and_then(target),
        tag: element.child("Storage").and_then(tag),
    })
}

/// The tag of whatever storage element there is.
fn tag(container: &Element) -> Option<String> {
    let mut storages = container.children();
    storages.find_map(|storage| text(storage, "Tag").map(str::to_owned))
}

/// The devices of a `VirtualSCSIBus`.
pub(crate) fn bus_devices(root: &Element) -> Result<Option<Vec<ScsiMapping>>, Refusal> {
    let Some(list) = root.child("AssociatedMappings") else {
        return Ok(None);
    };
    let device = |element: &Element| {
        Ok(ScsiMapping {
            storage: element.child("Storage").map_or(Ok(None), storage)?,
            target: element.child("TargetDevice").and_then(target),
            tag: element.child("Storage").and_then(tag),
            ..ScsiMapping::default()
        })
    };
    let members = list.children_named("VirtualSCSIStorageAndTargetDevice");
    members.map(device).collect::<Result<_, _>>().map(Some)
}

/// A new `VirtualSCSIBus`.
pub(crate) fn create_bus(root: &Element, vios: Uuid) -> Result<CreateScsiBus, Refusal> {
    let client =
        client(root)?.ok_or_else(|| super::body::incomplete(root, "AssociatedLogicalPartition"))?;
    let end = |name: &str| root.child(name).map_or(Ok(SlotChoice::Next), slot);
    Ok(CreateScsiBus {
        vios,
        client,
        client_slot: end("ClientAdapter")?,
        server_slot: end("ServerAdapter")?,
        devices: bus_devices(root)?.unwrap_or_default(),
    })
}

/// Every virtual Fibre Channel mapping of the container.
pub(crate) fn fibre_channel(container: &Element) -> Result<Vec<FcMappingRequest>, Refusal> {
    container
        .children_named("VirtualFibreChannelMapping")
        .map(fc_mapping)
        .collect()
}

fn fc_mapping(element: &Element) -> Result<FcMappingRequest, Refusal> {
    let (client_end, server) = (
        element.child("ClientAdapter"),
        element.child("ServerAdapter"),
    );
    let port = element
        .child("Port")
        .and_then(|port| text(port, "PortName"));
    let map_port = || server.and_then(|server| text(server, "MapPort"));
    Ok(FcMappingRequest {
        client: client(element)?,
        server_udid: server
            .and_then(|server| text(server, "UniqueDeviceID"))
            .map(str::to_owned),
        client_slot: client_end.map_or(Ok(SlotChoice::Next), slot)?,
        server_slot: server.map_or(Ok(SlotChoice::Next), slot)?,
        wwpns: client_end.map_or(Ok(WwpnChoice::Next), wwpns)?,
        port: port.or_else(map_port).map(str::to_owned),
    })
}

/// Two port names in hexadecimal digits, or `-1 -1` for any.
fn wwpns(adapter: &Element) -> Result<WwpnChoice, Refusal> {
    let Some(found) = text(adapter, "WWPNs") else {
        return Ok(WwpnChoice::Next);
    };
    let names: Vec<&str> = found.split_whitespace().collect();
    let number = |text: &str| match text.len() {
        16 => u64::from_str_radix(text, 16).ok(),
        _ => None,
    };
    match names.as_slice() {
        ["-1", "-1"] => Ok(WwpnChoice::Next),
        [first, second] => match (number(first), number(second)) {
            (Some(first), Some(second)) => Ok(WwpnChoice::Given([first, second])),
            _ => Err(wrong_type("WWPNs", found, "WWPN pair")),
        },
        _ => Err(wrong_type("WWPNs", found, "WWPN pair")),
    }
}

/// The last UUID in the link to the client partition.
fn client(element: &Element) -> Result<Option<Uuid>, Refusal> {
    let Some(link) = href(element, "AssociatedLogicalPartition") else {
        return Ok(None);
    };
    let uuid = last_uuid(link).ok_or_else(|| {
        invalid(format!(
            "AssociatedLogicalPartition names no partition: '{}'.",
            excerpt(link)
        ))
    })?;
    Ok(Some(uuid))
}

/// The slot that an adapter asks for: the next one, the next above all others, or the one it names.
pub(crate) fn slot(adapter: &Element) -> Result<SlotChoice, Refusal> {
    if flag(adapter, "UseNextAvailableHighSlotID")? == Some(true) {
        return Ok(SlotChoice::NextHigh);
    }
    if flag(adapter, "UseNextAvailableSlotID")? == Some(true) {
        return Ok(SlotChoice::Next);
    }
    Ok(integer(adapter, "VirtualSlotNumber")?.map_or(SlotChoice::Next, SlotChoice::Given))
}

/// The one storage element; an empty `Storage` names none.
fn storage(container: &Element) -> Result<Option<StorageName>, Refusal> {
    let Some(element) = container
        .children()
        .find(|child| child.local_name() != "Metadata")
    else {
        return Ok(None);
    };
    let owned = |name: &str| text(element, name).map(str::to_owned);
    let named = match element.local_name() {
        "LogicalUnit" => StorageName::LogicalUnit {
            udid: owned("UniqueDeviceID"),
            name: owned("UnitName"),
        },
        "PhysicalVolume" => StorageName::PhysicalVolume {
            udid: owned("UniqueDeviceID"),
            name: owned("VolumeName"),
        },
        "VirtualDisk" => virtual_disk(element)?,
        "VirtualOpticalMedia" => StorageName::OpticalMedium {
            name: required(element, "MediaName")?.to_owned(),
        },
        other => {
            let other = excerpt(other);
            return Err(invalid(format!(
                "cvc-complex-type.2.4.a: Invalid content was found starting with element '{other}' in 'Storage'."
            )));
        }
    };
    match &named {
        StorageName::LogicalUnit {
            udid: None,
            name: None,
        }
        | StorageName::PhysicalVolume {
            udid: None,
            name: None,
        }
        | StorageName::VirtualDisk {
            udid: None,
            name: None,
        } => Err(invalid(format!(
            "{} in a mapping needs its name or its UniqueDeviceID.",
            element.local_name()
        ))),
        _ => Ok(Some(named)),
    }
}

/// A logical volume, or a file or image that is served as a disk.
fn virtual_disk(element: &Element) -> Result<StorageName, Refusal> {
    let owned = |name: &str| text(element, name).map(str::to_owned);
    let kind = choice(element, "VirtualDiskType", VirtualDiskKind::parse)?;
    match kind.filter(|kind| *kind != VirtualDiskKind::LogicalVolume) {
        Some(kind) => Ok(StorageName::External(ExternalName {
            name: required(element, "DiskName")?.to_owned(),
            kind,
            back_store: choice(element, "BackStoreType", BackStoreType::parse)?,
            rbd_user: owned("RbdUser"),
            tag: owned("Tag"),
        })),
        None => Ok(StorageName::VirtualDisk {
            udid: owned("UniqueDeviceID"),
            name: owned("DiskName"),
        }),
    }
}

fn target(container: &Element) -> Option<TargetName> {
    let device = container
        .children()
        .find(|child| child.local_name() != "Metadata")?;
    let owned = |name: &str| text(device, name).map(str::to_owned);
    Some(TargetName {
        lua: owned("LogicalUnitAddress"),
        name: owned("TargetName"),
        udid: owned("UniqueDeviceID"),
    })
}

#[cfg(test)]
mod tests {
    use powervm_schema::xml::Element;

    use super::*;

    fn parsed(inside: &str) -> Result<Vec<ScsiMapping>, Refusal> {
        let text = format!("<VirtualSCSIMappings>{inside}</VirtualSCSIMappings>");
        scsi(&Element::parse(text.as_bytes()).unwrap())
    }

    #[test]
    fn a_bare_new_mapping() {
        let mappings = parsed(
            r#"<VirtualSCSIMapping>
                 <AssociatedLogicalPartition href="http://h/rest/api/uom/LogicalPartition/0B0BDF5B-5C4D-4F3C-8B5A-0F2C6B6C2B11" rel="related"/>
                 <ClientAdapter><AdapterType>Client</AdapterType><UseNextAvailableSlotID>true</UseNextAvailableSlotID></ClientAdapter>
                 <ServerAdapter><AdapterType>Server</AdapterType><UseNextAvailableSlotID>true</UseNextAvailableSlotID></ServerAdapter>
                 <Storage><VirtualOpticalMedia><MediaName>cfg.iso</MediaName></VirtualOpticalMedia></Storage>
               </VirtualSCSIMapping>"#,
        )
        .unwrap();
        let [mapping] = mappings.as_slice() else {
            panic!("one mapping")
        };
        assert!(
            mapping.client.is_some() && mapping.server_udid.is_none() && mapping.target.is_none()
        );
        assert_eq!(
            mapping.storage,
            Some(StorageName::OpticalMedium {
                name: "cfg.iso".into()
            })
        );
        assert_eq!(mapping.client_slot, SlotChoice::Next);
    }

    #[test]
    fn an_empty_storage_keeps_its_target() {
        let mappings = parsed(
            "<VirtualSCSIMapping><ServerAdapter><UniqueDeviceID>1eX</UniqueDeviceID></ServerAdapter><Storage/>\
             <TargetDevice><X><TargetName>vtscsi0</TargetName><UniqueDeviceID>0a1</UniqueDeviceID></X></TargetDevice>\
             </VirtualSCSIMapping>",
        )
        .unwrap();
        assert_eq!(mappings[0].storage, None);
        assert_eq!(
            mappings[0].target.as_ref().unwrap().udid.as_deref(),
            Some("0a1")
        );
    }

    #[test]
    fn nonsense_is_refused() {
        for inside in [
            r#"<VirtualSCSIMapping><AssociatedLogicalPartition href="http://h/x"/></VirtualSCSIMapping>"#,
            "<VirtualSCSIMapping><Storage><Floppy/></Storage></VirtualSCSIMapping>",
            "<VirtualSCSIMapping><Storage><LogicalUnit/></Storage></VirtualSCSIMapping>",
            "<VirtualSCSIMapping><Storage><VirtualOpticalMedia/></Storage></VirtualSCSIMapping>",
            "<VirtualSCSIMapping><ClientAdapter><VirtualSlotNumber>x</VirtualSlotNumber></ClientAdapter></VirtualSCSIMapping>",
        ] {
            assert_eq!(parsed(inside).unwrap_err().status, 400, "{inside}");
        }
    }
}
