//! An inventory in a file: taken before somebody works on a host, compared with afterwards.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{Inventory, Item};

/// The version of the file's shape.
const FORMAT: u32 = 1;

/// The largest file that is read, in bytes.
const LARGEST: u64 = 256 << 20;

/// An inventory file that cannot be written or read.
#[derive(Debug, Error)]
pub enum SavedError {
    /// The file cannot be written or read.
    #[error("the inventory file {}: {error}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why not.
        error: io::Error,
    },
    /// It is no inventory of this version.
    #[error("{} is no inventory that this version reads: {problem}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Saved {
    format: u32,
    view: String,
    items: Vec<Item>,
    quantities: Vec<Amount>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Amount {
    name: String,
    place: String,
    amount: u64,
}

impl Inventory {
    /// Writes the inventory into a file.
    ///
    /// # Errors
    /// [`SavedError::File`]
    pub fn save(&self, path: &Path) -> Result<(), SavedError> {
        let quantities = self
            .quantities
            .iter()
            .map(|(quantity, amount)| Amount {
                name: quantity.name.clone(),
                place: quantity.place.clone(),
                amount: *amount,
            })
            .collect();
        let mut items = self.items.clone();
        items.sort();
        let saved = Saved {
            format: FORMAT,
            view: self.view.clone(),
            items,
            quantities,
        };
        let failed = |error| SavedError::File {
            path: path.to_owned(),
            error,
        };
        let text = serde_json::to_string_pretty(&saved)
            .map_err(|error| failed(io::Error::other(error)))?;
        fs::write(path, text + "\n").map_err(failed)
    }

    /// Reads an inventory from a file that [`Inventory::save`] wrote.
    ///
    /// # Errors
    /// [`SavedError`]
    pub fn load(path: &Path) -> Result<Self, SavedError> {
        let failed = |error| SavedError::File {
            path: path.to_owned(),
            error,
        };
        let wrong = |problem: String| SavedError::Content {
            path: path.to_owned(),
            problem,
        };
        let size = fs::metadata(path).map_err(failed)?.len();
        if size > LARGEST {
            return Err(wrong(format!("it has {size} bytes")));
        }
        let text = fs::read_to_string(path).map_err(failed)?;
        let saved: Saved = serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))?;
        if saved.format != FORMAT {
            return Err(wrong(format!(
                "its format is {}, not {FORMAT}",
                saved.format
            )));
        }
        let mut inventory = Self::new(saved.view);
        inventory.items = saved.items;
        for amount in saved.quantities {
            inventory.measure(amount.name, amount.place, amount.amount);
        }
        Ok(inventory)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::{Inventory, ItemKind, Policy, compare};
    use super::SavedError;

    #[test]
    fn an_inventory_comes_back_from_its_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("before.json");
        let mut inventory = Inventory::new("REST API".to_owned());
        inventory.add(ItemKind::Partition, "vm", "");
        inventory.add(ItemKind::LogicalUnit, "boot_vm", "tier SYSTEM");
        inventory.measure("free memory, MB", "sys", 7);
        inventory.save(&path).expect("saved");
        let loaded = Inventory::load(&path).expect("loaded");
        assert!(compare(&[inventory], &[loaded], Policy::Ssp).is_clean());
        for text in [
            "",
            "{}",
            "{\"format\": 2, \"view\": \"\", \"items\": [], \"quantities\": []}",
        ] {
            fs::write(&path, text).expect("a file");
            assert!(
                matches!(Inventory::load(&path), Err(SavedError::Content { .. })),
                "{text}"
            );
        }
    }
}
