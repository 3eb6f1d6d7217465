//! Storage that takes the place of other storage: behind the same adapters, at the same address.
//!
//! As the other edits of mappings, this is right when run again on its own result.

use powervm_schema::vios::{VirtualIoServer, VirtualScsiMapping};
use powervm_schema::xml::Element;
use serde::{Deserialize, Serialize};

use super::mapping::{self, Client, Mapped, Wanted, client_of, mapped};
use crate::transaction::Changed;

/// What a Virtual I/O Server serves to a partition, and where the partition finds it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Seated {
    /// What is mapped.
    pub(crate) mapped: Mapped,
    /// The adapter's slot in the partition.
    pub(crate) slot: Option<u32>,
    /// The address on the bus.
    pub(crate) address: Option<String>,
}

/// One thing that goes, and what comes in its place.
#[derive(Debug, Clone)]
pub(crate) struct Exchange {
    /// What goes; nothing for what only comes.
    pub(crate) goes: Vec<Mapped>,
    /// What comes; nothing for what only goes. Where nothing is there to go, it gets the slot and the address that it
    /// wants.
    pub(crate) comes: Option<Wanted>,
}

/// Everything that the partition has, with its place.
pub(crate) fn seats(vios: &Element, client: &Client) -> Vec<Seated> {
    own(VirtualIoServer(vios), client)
        .filter_map(|mapping| {
            let target = mapping.target_device().and_then(|target| target.device());
            Some(Seated {
                mapped: mapped(mapping.as_view())?,
                slot: slot_of(&mapping),
                address: target.and_then(|device| device.lua()).map(str::to_owned),
            })
        })
        .collect()
}

fn own<'v>(
    vios: VirtualIoServer<&'v Element>,
    client: &Client,
) -> impl Iterator<Item = VirtualScsiMapping<&'v Element>> {
    let uuid = client.uuid;
    let all: Vec<_> = vios.scsi_mappings().collect();
    all.into_iter()
        .filter(move |mapping| client_of(mapping.as_view()) == Some(uuid))
}

fn slot_of(mapping: &VirtualScsiMapping<&Element>) -> Option<u32> {
    mapping.client_adapter()?.adapter().slot().ok().flatten()
}

/// Makes these exchanges. What has come already stays where it is.
pub(crate) fn all(vios: &mut Element, client: &Client, exchanges: &[Exchange]) -> Changed {
    let mut changed = false;
    for exchange in exchanges {
        changed |= one(vios, client, exchange) == Changed::Yes;
    }
    changed.into()
}

fn one(vios: &mut Element, client: &Client, exchange: &Exchange) -> Changed {
    let goes = |mapping: &VirtualScsiMapping<&Element>| {
        let found = mapped(mapping.as_view());
        found.is_some_and(|found| exchange.goes.iter().any(|this| this.is_same(&found)))
    };
    let has_come = |wanted: &Wanted| {
        own(VirtualIoServer(&*vios), client).any(|mapping| {
            mapped(mapping.as_view()).is_some_and(|found| found.is_same(wanted.mapped()))
        })
    };
    let comes = exchange.comes.as_ref().filter(|wanted| !has_come(wanted));
    let place = own(VirtualIoServer(&*vios), client).find(&goes);
    let placed = place.zip(comes).map(|(place, wanted)| {
        let target = place.target_device().and_then(|target| target.device());
        let address = wanted
            .address()
            .or_else(|| target.and_then(|device| device.lua()));
        let address = address.map(str::to_owned);
        mapping::behind(&place, &wanted.clone().at(address))
    });
    let mut changed = false;
    VirtualIoServer(&mut *vios).retain_scsi_mappings(|mapping| {
        let is_gone = client_of(mapping.as_view()) == Some(client.uuid) && goes(&mapping);
        changed |= is_gone;
        !is_gone
    });
    match (placed, comes) {
        (Some(mapping), _) => {
            VirtualIoServer(vios).push_scsi_mapping(mapping);
            Changed::Yes
        }
        (None, Some(wanted)) => {
            mapping::map(vios, client, std::slice::from_ref(wanted));
            Changed::Yes
        }
        (None, None) => changed.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::partition::PartitionUuid;
    use crate::storage::mapping::Kind;

    const UUID: &str = "4EEBE8C1-0D8B-4D16-8E9A-0A1B2C3D4E5F";

    fn client() -> Client {
        Client {
            uuid: PartitionUuid::parse(UUID).unwrap(),
            id: Some(7),
            href: format!("http://h/rest/api/uom/LogicalPartition/{UUID}"),
        }
    }

    fn unit(udid: &str) -> Wanted {
        Wanted::logical_unit("boot_web", udid)
    }

    /// A disk in slot 4.
    fn vios() -> Element {
        let mut vios = VirtualIoServer::new();
        let wanted = unit("27old").at(Some("0x8300".to_owned())).in_slot(4);
        mapping::map(&mut vios.0, &client(), &[wanted]);
        vios.0
    }

    fn exchange(goes: &str, comes: &str) -> Exchange {
        Exchange {
            goes: vec![unit(goes).mapped().clone()],
            comes: Some(unit(comes)),
        }
    }

    #[test]
    fn what_comes_gets_the_place_of_what_goes_and_back() {
        let mut document = vios();
        let before = seats(&document, &client());
        let there = [exchange("27old", "27new")];
        assert_eq!(all(&mut document, &client(), &there), Changed::Yes);
        assert_eq!(all(&mut document, &client(), &there), Changed::No);
        let now = seats(&document, &client());
        assert_eq!(now.len(), 1);
        assert_eq!(now[0].mapped.udid.as_deref(), Some("27new"));
        assert_eq!(
            (now[0].slot, now[0].address.as_deref()),
            (Some(4), Some("0x8300"))
        );
        let back = [exchange("27new", "27old")];
        assert_eq!(all(&mut document, &client(), &back), Changed::Yes);
        assert_eq!(seats(&document, &client()), before);
        assert_eq!(all(&mut document, &client(), &back), Changed::No);
    }

    #[test]
    fn where_nothing_goes_it_comes_all_the_same_and_where_nothing_comes_it_goes() {
        let mut document = VirtualIoServer::new().0;
        let wanted = unit("27new").at(Some("0x81".to_owned())).in_slot(9);
        let come = Exchange {
            goes: vec![unit("27old").mapped().clone()],
            comes: Some(wanted),
        };
        assert_eq!(all(&mut document, &client(), &[come]), Changed::Yes);
        assert_eq!(seats(&document, &client())[0].slot, Some(9));
        let go = Exchange {
            goes: vec![unit("27new").mapped().clone()],
            comes: None,
        };
        assert_eq!(
            all(&mut document, &client(), std::slice::from_ref(&go)),
            Changed::Yes
        );
        assert!(seats(&document, &client()).is_empty());
        assert_eq!(all(&mut document, &client(), &[go]), Changed::No);
        assert_eq!(unit("27new").mapped().kind, Kind::LogicalUnit);
    }
}
