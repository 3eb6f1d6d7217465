//! Media in a partition's drives: taken out and put back, while the drives' adapters stay.
//!
//! As the other edits of mappings, these are right when run again on their own result.

use powervm_schema::storage::VirtualOpticalMedia;
use powervm_schema::vios::{VirtualIoServer, VirtualScsiMapping};
use powervm_schema::xml::Element;
use serde::{Deserialize, Serialize};

use super::mapping::{self, Client, Kind, Wanted, client_of, mapped};
use crate::transaction::Changed;

/// A medium in a partition's drive.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Loaded {
    /// The medium's name.
    pub(crate) medium: String,
    /// The adapter's slot in the partition.
    pub(crate) slot: Option<u32>,
    /// The drive's address on the bus.
    pub(crate) address: Option<String>,
}

/// The media in the partition's drives.
pub(crate) fn loaded(vios: &Element, client: &Client) -> Vec<Loaded> {
    VirtualIoServer(vios)
        .scsi_mappings()
        .filter(|mapping| client_of(mapping.as_view()) == Some(client.uuid))
        .filter_map(|mapping| {
            let found =
                mapped(mapping.as_view()).filter(|found| found.kind == Kind::OpticalMedia)?;
            let target = mapping.target_device().and_then(|target| target.device());
            Some(Loaded {
                medium: found.name,
                slot: slot_of(&mapping),
                address: target.and_then(|device| device.lua()).map(str::to_owned),
            })
        })
        .collect()
}

fn slot_of(mapping: &VirtualScsiMapping<&Element>) -> Option<u32> {
    mapping.client_adapter()?.adapter().slot().ok().flatten()
}

/// Takes these media out. Where nothing else is behind an adapter, it stays without storage.
pub(crate) fn eject(vios: &mut Element, client: &Client, these: &[Loaded]) -> Changed {
    let goes = |mapping: &VirtualScsiMapping<&Element>| {
        client_of(mapping.as_view()) == Some(client.uuid)
            && mapped(mapping.as_view()).is_some_and(|found| {
                found.kind == Kind::OpticalMedia
                    && these.iter().any(|this| this.medium == found.name)
            })
    };
    let mut changed = false;
    let mut kept: Vec<Option<u32>> = VirtualIoServer(&*vios)
        .scsi_mappings()
        .filter(|mapping| client_of(mapping.as_view()) == Some(client.uuid) && !goes(mapping))
        .map(|mapping| slot_of(&mapping))
        .collect();
    let mut emptied = Vec::new();
    VirtualIoServer(&mut *vios).retain_scsi_mappings(|mapping| {
        if !goes(&mapping) {
            return true;
        }
        changed = true;
        let slot = slot_of(&mapping);
        if !kept.contains(&slot) {
            kept.push(slot);
            emptied.push(without_storage(&mapping));
        }
        false
    });
    let mut vios = VirtualIoServer(vios);
    for mapping in emptied {
        vios.push_scsi_mapping(mapping);
    }
    changed.into()
}

fn without_storage(mapping: &VirtualScsiMapping<&Element>) -> VirtualScsiMapping {
    let mut element = mapping.element().clone();
    element.remove("Storage");
    element.remove("TargetDevice");
    VirtualScsiMapping(element)
}

/// Puts these media back: behind their adapters, and behind any other where those are gone.
pub(crate) fn insert(vios: &mut Element, client: &Client, these: &[Loaded]) -> Changed {
    let mut changed = false;
    for loaded in these {
        let own = |mapping: &VirtualScsiMapping<&Element>| {
            client_of(mapping.as_view()) == Some(client.uuid)
        };
        let is_there = self::loaded(vios, client)
            .iter()
            .any(|there| there.medium == loaded.medium);
        if is_there {
            continue;
        }
        let behind = VirtualIoServer(&*vios)
            .scsi_mappings()
            .filter(own)
            .find(|mapping| loaded.slot.is_some() && slot_of(mapping) == loaded.slot)
            .map(|mapping| (mapping.storage().is_none(), with_medium(&mapping, loaded)));
        match behind {
            Some((is_empty, mapping)) => {
                let mut vios = VirtualIoServer(&mut *vios);
                vios.retain_scsi_mappings(|other| {
                    !(is_empty && own(&other) && slot_of(&other) == loaded.slot)
                });
                vios.push_scsi_mapping(mapping);
            }
            None => {
                mapping::map(vios, client, &[Wanted::optical_media(&loaded.medium)]);
            }
        }
        changed = true;
    }
    changed.into()
}

fn with_medium(adapter: &VirtualScsiMapping<&Element>, loaded: &Loaded) -> VirtualScsiMapping {
    let mut mapping = without_storage(adapter);
    let mut medium = VirtualOpticalMedia::new();
    medium.set_name(&loaded.medium);
    mapping.storage_mut().element_mut().push(medium.0);
    if let Some(address) = &loaded.address {
        let mut target = mapping.target_device_mut();
        target.optical_mut().set_lua(address.clone());
    }
    mapping
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::partition::PartitionUuid;

    const UUID: &str = "4EEBE8C1-0D8B-4D16-8E9A-0A1B2C3D4E5F";

    fn client() -> Client {
        Client {
            uuid: PartitionUuid::parse(UUID).unwrap(),
            id: Some(7),
            href: format!("http://h/rest/api/uom/LogicalPartition/{UUID}"),
        }
    }

    /// A disk in slot 4 and a medium in the slot.
    fn vios(slot: u32) -> Element {
        let client = client();
        let mut vios = VirtualIoServer::new();
        for (slot, name) in [(4, None), (slot, Some("cfg"))] {
            let mut mapping = VirtualScsiMapping::new();
            mapping.set_partition_href(&client.href);
            mapping.client_adapter_mut().adapter_mut().set_slot(slot);
            let mut storage = mapping.storage_mut();
            match name {
                Some(name) => {
                    let mut medium = VirtualOpticalMedia::new();
                    medium.set_name(name);
                    storage.element_mut().push(medium.0);
                    let mut target = mapping.target_device_mut();
                    target.optical_mut().set_lua("0x82");
                }
                None => {
                    let mut unit = powervm_schema::storage::LogicalUnit::new();
                    unit.set_name("boot");
                    storage.element_mut().push(unit.0);
                }
            }
            vios.push_scsi_mapping(mapping);
        }
        vios.0
    }

    #[test]
    fn what_was_taken_out_is_put_back_where_it_was() {
        for slot in [4, 5] {
            let mut document = vios(slot);
            let before = loaded(&document, &client());
            assert_eq!(before[0].address.as_deref(), Some("0x82"));
            assert_eq!(eject(&mut document, &client(), &before), Changed::Yes);
            assert_eq!(eject(&mut document, &client(), &before), Changed::No);
            assert!(loaded(&document, &client()).is_empty());
            let left = VirtualIoServer(&document).scsi_mappings().count();
            assert_eq!(left, if slot == 4 { 1 } else { 2 }, "the adapters stay");
            assert_eq!(insert(&mut document, &client(), &before), Changed::Yes);
            assert_eq!(insert(&mut document, &client(), &before), Changed::No);
            assert_eq!(loaded(&document, &client()), before);
            assert_eq!(VirtualIoServer(&document).scsi_mappings().count(), 2);
        }
    }

    #[test]
    fn without_its_adapter_a_medium_gets_another() {
        let mut document = vios(5);
        let before = loaded(&document, &client());
        VirtualIoServer(&mut document).retain_scsi_mappings(|mapping| slot_of(&mapping) == Some(4));
        assert_eq!(insert(&mut document, &client(), &before), Changed::Yes);
        assert_eq!(loaded(&document, &client())[0].medium, "cfg");
    }
}
