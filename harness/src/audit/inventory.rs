//! What there is on a host, by kind, name and place.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize, Serializer};

/// The kinds of things that an operation can leave behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ItemKind {
    /// A logical partition.
    Partition,
    /// A virtual Ethernet, SCSI or Fibre Channel adapter.
    Adapter,
    /// A SCSI or Fibre Channel mapping of a Virtual I/O Server.
    Mapping,
    /// A logical unit of a shared storage pool, image and marker units included.
    LogicalUnit,
    /// A virtual disk of a volume group.
    VirtualDisk,
    /// A media repository.
    MediaRepository,
    /// A virtual optical medium of a media repository.
    Media,
    /// The record of a file upload.
    File,
    /// A job that was not deleted.
    Job,
    /// A virtual network: a VLAN that a switch knows.
    VirtualNetwork,
    /// A disk in the list of a Virtual I/O Server.
    Disk,
    /// A VLAN that a trunk adapter carries.
    BridgedVlan,
    /// A share of an SR-IOV port.
    LogicalPort,
}

impl ItemKind {
    /// One of them and several of them, in words.
    #[must_use]
    pub fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Partition => ("partition", "partitions"),
            Self::Adapter => ("adapter", "adapters"),
            Self::Mapping => ("mapping", "mappings"),
            Self::LogicalUnit => ("logical unit", "logical units"),
            Self::VirtualDisk => ("virtual disk", "virtual disks"),
            Self::MediaRepository => ("media repository", "media repositories"),
            Self::Media => ("medium", "media"),
            Self::File => ("file", "files"),
            Self::Job => ("job", "jobs"),
            Self::VirtualNetwork => ("virtual network", "virtual networks"),
            Self::Disk => ("disk", "disks"),
            Self::BridgedVlan => ("bridged VLAN", "bridged VLANs"),
            Self::LogicalPort => ("logical port", "logical ports"),
        }
    }
}

/// One thing on the host.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Item {
    /// What it is.
    pub kind: ItemKind,
    /// What people call it.
    pub name: String,
    /// Where it is: a partition, a Virtual I/O Server, a volume group, a tier; empty for the host itself.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub place: String,
}

impl fmt::Display for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind.words().0, self.name)?;
        if self.place.is_empty() {
            Ok(())
        } else {
            write!(f, " in {}", self.place)
        }
    }
}

/// An amount that an operation and its opposite leave as it was.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Quantity {
    /// What it is and in which unit, for example `free memory, MB`.
    pub name: String,
    /// Where; empty for the host itself.
    pub place: String,
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        if self.place.is_empty() {
            Ok(())
        } else {
            write!(f, " of {}", self.place)
        }
    }
}

impl Serialize for Quantity {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// The whole inventory, as one way of looking at the host shows it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Inventory {
    /// The way of looking: `REST`, or the simulator's own books.
    pub view: String,
    /// Everything there is.
    pub items: Vec<Item>,
    /// Amounts that have to come back to what they were.
    pub quantities: BTreeMap<Quantity, u64>,
}

impl Inventory {
    /// An empty inventory.
    #[must_use]
    pub fn new(view: String) -> Self {
        Self {
            view,
            ..Self::default()
        }
    }

    /// Adds a thing.
    pub fn add(&mut self, kind: ItemKind, name: impl Into<String>, place: impl Into<String>) {
        self.items.push(Item {
            kind,
            name: name.into(),
            place: place.into(),
        });
    }

    /// Notes an amount.
    pub fn measure(&mut self, name: impl Into<String>, place: impl Into<String>, amount: u64) {
        self.quantities.insert(
            Quantity {
                name: name.into(),
                place: place.into(),
            },
            amount,
        );
    }

    /// How many there are of each kind, in one line.
    #[must_use]
    pub fn describe(&self) -> String {
        let mut counts: BTreeMap<ItemKind, usize> = BTreeMap::new();
        for item in &self.items {
            *counts.entry(item.kind).or_default() += 1;
        }
        let counts: Vec<String> = counts
            .into_iter()
            .map(|(kind, count)| {
                format!(
                    "{count} {}",
                    if count == 1 {
                        kind.words().0
                    } else {
                        kind.words().1
                    }
                )
            })
            .collect();
        format!(
            "{}: {}",
            self.view,
            if counts.is_empty() {
                "nothing".to_owned()
            } else {
                counts.join(", ")
            }
        )
    }
}
