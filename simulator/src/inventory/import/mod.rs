//! From recorded documents of a real host to an inventory of it.
//!
//! What the documents say is taken over: names, numbers, identities, sizes, adapters, mappings. What an inventory
//! cannot express, what the documents leave open, and what the model refuses is left out or filled in, with a remark.

mod adapters;
mod cluster;
mod documents;
mod equipment;
mod mappings;
mod partition;
mod repair;
mod server;
mod system;

use std::collections::BTreeMap;

use uuid::Uuid;

use super::Inventory;
use crate::model::Flavor;
use crate::recording::Recording;
use documents::Documents;

/// An inventory made of recordings.
#[derive(Clone, Debug, PartialEq)]
pub struct Imported {
    /// The inventory; it makes a world.
    pub inventory: Inventory,
    /// Which product it was, as far as the recordings tell.
    pub flavor: Flavor,
    /// What was left out or filled in.
    pub remarks: Vec<String>,
}

/// Why no inventory comes of recordings.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// There is no document of a system, partition or Virtual I/O Server.
    #[error(
        "the recordings hold no ManagedSystem, VirtualIOServer or LogicalPartition document: record at least a GET of each feed, the Virtual I/O Servers' with ?group=All"
    )]
    Nothing,
    /// There is no such system.
    #[error("there is no system {asked:?} in the recordings; there are {known}")]
    System {
        /// The name or UUID that was asked for.
        asked: String,
        /// Those that there are.
        known: String,
    },
    /// The inventory cannot be written.
    #[error("the inventory cannot be written as TOML: {0}")]
    Toml(String),
}

impl Imported {
    /// The inventory as a file, with a comment that tells how to serve it.
    ///
    /// # Errors
    /// [`ImportError::Toml`], which would be a bug.
    pub fn to_toml(&self) -> Result<String, ImportError> {
        let text = toml::to_string(&self.inventory)
            .map_err(|error| ImportError::Toml(error.to_string()))?;
        Ok(format!(
            "# Made by powervm-sim inventory import.\n# Serve it with: powervm-sim serve --flavor {} --inventory FILE\n\n{text}",
            self.flavor
        ))
    }
}

/// Makes an inventory of what was recorded; of all systems, or of the one with this name or UUID.
///
/// # Errors
/// [`ImportError`]
pub fn import(recording: &Recording, system: Option<&str>) -> Result<Imported, ImportError> {
    let mut remarks = Vec::new();
    let documents = Documents::gather(recording, &mut remarks);
    let mut found = system::systems(&documents, &mut remarks);
    if found.is_empty() {
        return Err(ImportError::Nothing);
    }
    if let Some(asked) = system {
        let uuid = Uuid::try_parse(asked).ok();
        let mut known: Vec<_> = found.values().map(|system| system.name.clone()).collect();
        known.sort();
        let known = known.join(", ");
        found.retain(|key, system| system.name == asked || Some(*key) == uuid);
        if found.is_empty() {
            let asked = asked.to_owned();
            return Err(ImportError::System { asked, known });
        }
    }
    let managed = documents
        .all("LogicalPartition")
        .any(|item| item.text("IsManagementPartition") == Some("true"));
    let novalink = found.len() == 1 && (documents.novalink || managed);
    let flavor = if novalink {
        Flavor::NovaLink
    } else {
        Flavor::Hmc
    };
    server::servers(&documents, &mut found, flavor, &mut remarks);
    partition::partitions(&documents, &mut found, flavor, &mut remarks);
    adapters::adapters(&documents, &mut found);
    let mut volumes = server::Volumes::default();
    server::storage(&documents, &mut found, &mut volumes, &mut remarks);
    equipment::equipment(&documents, &mut found, &mut remarks);
    mappings::mappings(&documents, &mut found, &mut remarks);
    let clusters = cluster::clusters(&documents, &mut found, &mut volumes, &mut remarks);
    let console = documents.all("ManagementConsole").next();
    let console = console.and_then(|item| item.text("ManagementConsoleName").map(str::to_owned));
    let mut systems: Vec<_> = found.into_values().collect();
    system::make_room(&mut systems, &mut remarks);
    let wished = Inventory {
        console,
        authorized_keys: Vec::new(),
        systems,
        clusters,
        san: super::SanInventory::default(),
        groups: Vec::new(),
        enterprise_pools: Vec::new(),
        templates: Vec::new(),
        peers: Vec::new(),
    };
    let inventory = repair::repair(wished, flavor, &mut remarks);
    Ok(Imported {
        inventory,
        flavor,
        remarks,
    })
}

/// The systems that are being made, by their UUIDs.
type Systems = BTreeMap<Uuid, super::SystemInventory>;

#[cfg(test)]
mod tests;
