//! The leak audit: the whole inventory of a host before and after, and what is not as it was.

mod inventory;
mod policy;
mod saved;

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

pub use self::inventory::{Inventory, Item, ItemKind, Quantity};
pub use self::policy::Policy;
pub use self::saved::SavedError;

/// Something that is not as it was.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(tag = "finding", rename_all = "kebab-case")]
pub enum Finding {
    /// It is there now and was not before.
    LeftBehind {
        /// The thing.
        item: Item,
    },
    /// It was there before and is gone.
    Lost {
        /// The thing.
        item: Item,
    },
    /// An amount that should be what it was, such as free memory, is not.
    Changed {
        /// The amount.
        quantity: Quantity,
        /// What it was.
        before: u64,
        /// What it is.
        after: u64,
    },
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LeftBehind { item } => write!(f, "left behind: {item}"),
            Self::Lost { item } => write!(f, "lost: {item}"),
            Self::Changed {
                quantity,
                before,
                after,
            } => write!(f, "changed: {quantity} was {before}, is {after}"),
        }
    }
}

/// Something new that is meant to stay.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Kept {
    /// The thing.
    pub item: Item,
    /// The policy that keeps it.
    pub policy: &'static str,
}

/// What an audit found.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Audit {
    /// What was compared: one line per view, for example `12 partitions, 24 adapters, …`.
    pub compared: Vec<String>,
    /// What is not as it was; empty when nothing was left behind.
    pub findings: Vec<Finding>,
    /// What is new and meant to stay.
    pub kept: Vec<Kept>,
}

impl Audit {
    /// Whether nothing was left behind and nothing lost.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.findings.is_empty()
    }
}

/// Compares every view of a host with the same view before; a view that is missing after counts as all lost.
#[must_use]
pub fn compare(before: &[Inventory], after: &[Inventory], policy: Policy) -> Audit {
    let mut audit = Audit::default();
    for old in before {
        let empty = Inventory::new(old.view.clone());
        let new = after
            .iter()
            .find(|new| new.view == old.view)
            .unwrap_or(&empty);
        audit.compared.push(old.describe());
        compare_view(old, new, policy, &mut audit);
    }
    audit.findings.sort();
    audit.findings.dedup();
    audit.kept.sort();
    audit.kept.dedup();
    audit
}

fn compare_view(old: &Inventory, new: &Inventory, policy: Policy, audit: &mut Audit) {
    let mut balance: BTreeMap<&Item, i64> = BTreeMap::new();
    for item in &new.items {
        *balance.entry(item).or_default() += 1;
    }
    for item in &old.items {
        *balance.entry(item).or_default() -= 1;
    }
    let mut kept_in = Vec::new();
    for (item, count) in balance {
        for _ in 0..count.unsigned_abs() {
            let item = item.clone();
            if count < 0 {
                audit.findings.push(Finding::Lost { item });
            } else if let Some(policy) = policy.keeps(&item) {
                kept_in.push(item.place.clone());
                audit.kept.push(Kept { item, policy });
            } else {
                audit.findings.push(Finding::LeftBehind { item });
            }
        }
    }
    for (quantity, before) in &old.quantities {
        let after = new.quantities.get(quantity).copied().unwrap_or_default();
        // What a policy keeps takes space where it lies; that much less is free there.
        if after != *before && !kept_in.contains(&quantity.place) {
            audit.findings.push(Finding::Changed {
                quantity: quantity.clone(),
                before: *before,
                after,
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Finding, Inventory, Item, ItemKind, Policy, compare};

    fn inventory(items: &[(ItemKind, &str, &str)]) -> Inventory {
        let mut inventory = Inventory::new("REST".to_owned());
        for (kind, name, place) in items {
            inventory.add(*kind, *name, *place);
        }
        inventory
    }

    #[test]
    fn the_same_inventory_in_any_order_is_clean() {
        let a = inventory(&[
            (ItemKind::Partition, "a", ""),
            (ItemKind::Mapping, "m", "v"),
            (ItemKind::Mapping, "m", "v"),
        ]);
        let b = inventory(&[
            (ItemKind::Mapping, "m", "v"),
            (ItemKind::Mapping, "m", "v"),
            (ItemKind::Partition, "a", ""),
        ]);
        assert!(compare(&[a], &[b], Policy::Ssp).is_clean());
    }

    #[test]
    fn what_is_new_gone_or_changed_is_listed_by_name() {
        let mut before = inventory(&[
            (ItemKind::Partition, "a", ""),
            (ItemKind::Mapping, "m", "v"),
        ]);
        before.measure("free memory, MB", "", 100);
        let mut after = inventory(&[
            (ItemKind::Mapping, "m", "v"),
            (ItemKind::Mapping, "m", "v"),
            (ItemKind::LogicalUnit, "image_x", "tier"),
        ]);
        after.measure("free memory, MB", "", 50);
        let audit = compare(&[before], &[after], Policy::Ssp);
        let texts: Vec<String> = audit.findings.iter().map(ToString::to_string).collect();
        assert_eq!(
            texts,
            [
                "left behind: mapping m in v",
                "left behind: logical unit image_x in tier",
                "lost: partition a",
                "changed: free memory, MB was 100, is 50",
            ]
        );
        assert!(audit.kept.is_empty());
    }

    #[test]
    fn the_image_cache_of_local_disk_is_explained_but_not_that_of_the_pool() {
        let before = {
            let mut inventory = inventory(&[]);
            inventory.measure("free space, MB", "datavg", 100);
            inventory
        };
        let after = {
            let mut inventory = inventory(&[(ItemKind::VirtualDisk, "i_0123456789abc", "datavg")]);
            inventory.measure("free space, MB", "datavg", 92);
            inventory
        };
        let audit = compare(
            std::slice::from_ref(&before),
            std::slice::from_ref(&after),
            Policy::Localdisk,
        );
        assert!(audit.is_clean(), "{:?}", audit.findings);
        assert_eq!(audit.kept.len(), 1);
        let audit = compare(&[before], &[after], Policy::Ssp);
        assert_eq!(audit.findings.len(), 2);
    }

    #[test]
    fn a_view_that_is_missing_afterwards_is_no_pass() {
        let audit = compare(
            &[inventory(&[(ItemKind::Partition, "a", "")])],
            &[],
            Policy::Ssp,
        );
        let item = Item {
            kind: ItemKind::Partition,
            name: "a".to_owned(),
            place: String::new(),
        };
        assert_eq!(audit.findings, [Finding::Lost { item }]);
    }
}
