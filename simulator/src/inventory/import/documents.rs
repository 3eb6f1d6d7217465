//! All documents of a recording, by type and identity: the same resource may have been read several times, with
//! different groups.

use std::collections::BTreeMap;

use powervm_schema::atom::{Body, Entry};
use powervm_schema::xml::Element;
use uuid::Uuid;

use crate::recording::{Exchange, Recording};

/// The documents of a recording.
#[derive(Debug, Default)]
pub(super) struct Documents {
    items: BTreeMap<(String, Uuid), Item>,
    /// Whether a NovaLink answered, as far as headers tell.
    pub(super) novalink: bool,
}

/// One resource.
#[derive(Debug, Default)]
pub(super) struct Item {
    pub(super) uuid: Uuid,
    /// The resources above it in its URL: types with identities.
    above: Vec<(String, Uuid)>,
    /// What was read of it, the latest last.
    documents: Vec<Element>,
}

/// The types that an inventory is made of.
const TYPES: [&str; 15] = [
    "ManagementConsole",
    "ManagedSystem",
    "LogicalPartition",
    "VirtualIOServer",
    "VolumeGroup",
    "ClientNetworkAdapter",
    "VirtualSwitch",
    "NetworkBridge",
    "SharedProcessorPool",
    "SharedMemoryPool",
    "VirtualSerialNumberInformation",
    "Cluster",
    "SharedStoragePool",
    "Tier",
    "LogicalUnit",
];

impl Documents {
    /// Reads what can be read; what is damaged is told.
    pub(super) fn gather(recording: &Recording, remarks: &mut Vec<String>) -> Self {
        let mut documents = Self::default();
        for exchange in &recording.exchanges {
            documents.novalink |= exchange.header("x-mc-type") == Some("PVM");
            let text = exchange.body.text().trim_start();
            if !(200..300).contains(&exchange.status) || !text.starts_with('<') {
                continue;
            }
            match Body::parse(text.as_bytes()) {
                Ok(Body::Feed(feed)) => {
                    for entry in feed.entries {
                        documents.add(exchange, entry);
                    }
                }
                Ok(Body::Entry(entry)) => documents.add(exchange, entry),
                Ok(Body::Bare(_)) => {}
                Err(error) if exchange.url.contains("/uom/") => {
                    remarks.push(format!(
                        "the answer to {} is passed over: {error}",
                        exchange.url
                    ));
                }
                Err(_) => {}
            }
        }
        documents
    }

    fn add(&mut self, exchange: &Exchange, entry: Entry) {
        let name = entry.content.local_name().to_owned();
        if !TYPES.contains(&name.as_str()) {
            return;
        }
        let own = entry.self_href().map(str::to_owned);
        let mut path = own.as_deref().map(steps).unwrap_or_default();
        let asked = steps(&exchange.url);
        if path.len() < asked.len() {
            path = asked;
        }
        let own_uuid = ["PartitionUUID", "UniqueDeviceID"]
            .first()
            .and_then(|name| entry.content.child_value(name));
        let uuid = own_uuid
            .and_then(|text| Uuid::try_parse(text).ok())
            .or_else(|| Uuid::try_parse(&entry.id).ok());
        let Some(uuid) = uuid else {
            return;
        };
        path.retain(|(kind, id)| *kind != name && *id != uuid);
        let item = self.items.entry((name, uuid)).or_default();
        item.uuid = uuid;
        if path.len() > item.above.len() {
            item.above = path;
        }
        item.documents.push(entry.content);
    }

    /// All resources of a type, by identity.
    pub(super) fn all(&self, kind: &str) -> impl Iterator<Item = &Item> {
        let first = (kind.to_owned(), Uuid::nil());
        let last = (kind.to_owned(), Uuid::max());
        self.items.range(first..=last).map(|(_, item)| item)
    }

    /// The resource of a type with this identity.
    pub(super) fn get(&self, kind: &str, uuid: Uuid) -> Option<&Item> {
        self.items.get(&(kind.to_owned(), uuid))
    }
}

impl Item {
    /// The resource of this type above it in its URL.
    pub(super) fn above(&self, kind: &str) -> Option<Uuid> {
        let mut above = self.above.iter();
        above.find(|(name, _)| name == kind).map(|(_, uuid)| *uuid)
    }

    /// The managed system that it belongs to: by its URL, or by a link in its document.
    pub(super) fn system(&self) -> Option<Uuid> {
        let linked = self
            .child("AssociatedManagedSystem")
            .and_then(|link| link.attribute("href"))
            .and_then(last_uuid);
        linked.or_else(|| self.above("ManagedSystem"))
    }

    /// A part of the latest document that has it with anything in it.
    pub(super) fn child(&self, name: &str) -> Option<&Element> {
        let found = || {
            self.documents
                .iter()
                .rev()
                .filter_map(|document| document.child(name))
        };
        let filled = |element: &&Element| {
            let more = |child: &Element| child.local_name() != "Metadata";
            element.children().any(more) || !element.text().trim().is_empty()
        };
        found().find(filled).or_else(|| found().next())
    }

    /// The text of a part.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        let mut documents = self.documents.iter().rev();
        documents.find_map(|document| text(document, &[name]))
    }

    /// The text at a path whose first step is a part.
    pub(super) fn text_at(&self, path: &[&str]) -> Option<&str> {
        let (first, rest) = path.split_first()?;
        text(self.child(first)?, rest)
    }

    /// The number at a path.
    pub(super) fn number<T: std::str::FromStr>(&self, path: &[&str]) -> Option<T> {
        self.text_at(path)?.parse().ok()
    }

    /// The members of a list.
    pub(super) fn members<'a>(
        &'a self,
        list: &str,
        member: &'a str,
    ) -> impl Iterator<Item = &'a Element> {
        let list = self.child(list).into_iter();
        list.flat_map(move |list| list.children_named(member))
    }

    /// All elements of a name in the latest document that has any.
    pub(super) fn anywhere<'a>(&'a self, name: &'a str) -> Vec<&'a Element> {
        let named = |document: &'a Element| -> Vec<&'a Element> {
            let all = document.descendants();
            all.filter(|element| element.local_name() == name).collect()
        };
        let mut documents = self.documents.iter().rev().map(named);
        documents
            .find(|found| !found.is_empty())
            .unwrap_or_default()
    }
}

/// The text at a path, without blanks around it; none if it is empty.
pub(super) fn text<'a>(element: &'a Element, path: &[&str]) -> Option<&'a str> {
    let (last, before) = match path.split_last() {
        Some((last, before)) => (Some(*last), before),
        None => (None, path),
    };
    let parent = if before.is_empty() {
        element
    } else {
        element.descend(before)?
    };
    let value = match last {
        Some(last) => parent.child_value(last),
        None => parent.value(),
    };
    value.map(str::trim).filter(|value| !value.is_empty())
}

/// The number at a path.
pub(super) fn number<T: std::str::FromStr>(element: &Element, path: &[&str]) -> Option<T> {
    text(element, path)?.parse().ok()
}

/// Megabytes of a size in gigabytes with decimals, rounded up.
pub(super) fn megabytes(gigabytes: &str) -> Option<u64> {
    crate::model::units::Gigabytes::parse(gigabytes).map(crate::model::units::Gigabytes::megabytes)
}

/// The types and identities of a URL's path: `…/uom/ManagedSystem/<uuid>/VirtualSwitch/<uuid>`.
fn steps(url: &str) -> Vec<(String, Uuid)> {
    let path = url.split(['?', '#']).next().unwrap_or_default();
    let segments: Vec<&str> = path
        .split('/')
        .filter(|segment| !segment.is_empty())
        .collect();
    let pairs = segments.windows(2);
    pairs
        .filter_map(|pair| match pair {
            [kind, id] => Some(((*kind).to_owned(), Uuid::try_parse(id).ok()?)),
            _ => None,
        })
        .collect()
}

/// The identity that a link ends in.
pub(super) fn last_uuid(href: &str) -> Option<Uuid> {
    let path = href.split(['?', '#']).next()?;
    Uuid::try_parse(path.trim_end_matches('/').rsplit('/').next()?).ok()
}
