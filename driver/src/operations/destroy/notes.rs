//! What a removal was asked for, what it finds, and what the journal keeps of it.

use std::collections::{BTreeMap, BTreeSet};

use powervm_schema::partition::LogicalPartition;
use powervm_schema::xml::Element;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::operations::map::Removed;
use crate::storage::mapping::{Kind, Mapped};
use crate::volume::Connection;

/// What the journal keeps of the order.
#[derive(Debug, Serialize, Deserialize)]
pub(in crate::operations) struct Asked {
    pub(super) instance: Uuid,
    pub(super) name: Option<String>,
    pub(super) destroy_disks: bool,
    /// Without credentials: nothing is logged on to.
    pub(super) volumes: Vec<Connection>,
}

impl Asked {
    pub(super) fn title(&self) -> String {
        self.name
            .clone()
            .unwrap_or_else(|| self.instance.to_string())
    }
}

/// What is known of things only as long as other things are there.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(in crate::operations) struct Gone {
    /// What the partition had, by the UUID of the Virtual I/O Server.
    pub(super) removed: BTreeMap<String, Removed>,
    /// Identifiers of the images that its disks were clones of.
    pub(super) images: BTreeSet<String>,
    /// Whether mappings were about to be taken away.
    pub(super) has_begun: bool,
}

impl Gone {
    /// Adds what an earlier try knew.
    pub(super) fn extend(&mut self, earlier: Self) {
        self.has_begun |= earlier.has_begun;
        self.images.extend(earlier.images);
        self.remember(earlier.removed);
    }

    /// Adds what has been seen on Virtual I/O Servers.
    pub(super) fn remember(&mut self, removed: BTreeMap<String, Removed>) {
        for (vios, removed) in removed {
            self.removed.entry(vios).or_default().extend(removed);
        }
    }

    /// Whether the Virtual I/O Server may still have something that is nowhere else: a logical unit is everywhere.
    pub(super) fn has_something_on(&self, vios: &str) -> bool {
        let is_its_own = |mapped: &Mapped| mapped.kind != Kind::LogicalUnit;
        self.removed
            .get(vios)
            .is_some_and(|removed| removed.mapped.iter().any(is_its_own))
    }
}

/// The partition as it was found.
pub(super) struct Found {
    pub(super) id: Option<u32>,
    pub(super) name: String,
    pub(super) state: String,
    /// Whether it has Fibre Channel ports of its own.
    pub(super) has_ports: bool,
}

impl Found {
    pub(super) fn of(document: &Element) -> Self {
        let document = LogicalPartition(document);
        let partition = document.partition();
        Self {
            has_ports: document
                .virtual_fibre_channel_client_adapters()
                .next()
                .is_some(),
            id: partition.id().ok().flatten(),
            name: partition.name().unwrap_or_default().to_owned(),
            state: partition
                .state()
                .ok()
                .flatten()
                .map(|state| state.to_string())
                .unwrap_or_default(),
        }
    }
}
