//! `VirtualSCSIMappings` as posted.
//!
//! A client sends back the mappings that it read, and new ones either bare (a client partition and a storage element)
//! or as a clone of an existing mapping with another storage. nova's snapshot moves the storage element of the boot
//! mapping into a new one and so posts the old one with an empty `Storage`: its target device tells what it was
//! (docs/protocol/mappings.md).

use powervm_schema::xml::Element;

use super::body::{excerpt, flag, href, integer, invalid, text};
use super::link::last_uuid;
use crate::model::Refusal;
use crate::model::command::{ScsiMapping, SlotChoice, StorageName, TargetName};

/// Every mapping of the container.
pub(crate) fn scsi(container: &Element) -> Result<Vec<ScsiMapping>, Refusal> {
    container
        .children_named("VirtualSCSIMapping")
        .map(mapping)
        .collect()
}

fn mapping(element: &Element) -> Result<ScsiMapping, Refusal> {
    let client = match href(element, "AssociatedLogicalPartition") {
        Some(link) => Some(last_uuid(link).ok_or_else(|| {
            invalid(format!(
                "AssociatedLogicalPartition names no partition: '{}'.",
                excerpt(link)
            ))
        })?),
        None => None,
    };
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
    })
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
        "VirtualDisk" => StorageName::VirtualDisk {
            udid: owned("UniqueDeviceID"),
            name: owned("DiskName"),
        },
        "VirtualOpticalMedia" => StorageName::OpticalMedium {
            name: super::body::required(element, "MediaName")?.to_owned(),
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
