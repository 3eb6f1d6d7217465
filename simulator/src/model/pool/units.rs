//! The logical units of a tier: by UUID, by name and by UDID, and what they take together.

use std::sync::Arc;

use uuid::Uuid;

use super::LogicalUnit;
use crate::model::register::{Holders, Indexed, Register};
use crate::model::units::Gigabytes;

/// Logical units by UUID.
pub type Units = Register<LogicalUnit>;

/// What a unit is found by, and what it adds to its tier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnitKey {
    name: Arc<str>,
    udid: Arc<str>,
    promised: Gigabytes,
    allocated: Gigabytes,
}

/// Where units are found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UnitIndex {
    names: Holders<Arc<str>, Uuid>,
    udids: Holders<Arc<str>, Uuid>,
    /// In millionths of a gigabyte; wide enough never to run over.
    promised: u128,
    allocated: u128,
}

impl Indexed for LogicalUnit {
    type Id = Uuid;
    type Key = UnitKey;
    type Index = UnitIndex;

    fn key(&self) -> UnitKey {
        UnitKey {
            name: Arc::from(self.name.as_str()),
            udid: Arc::from(self.udid.as_str()),
            promised: self.capacity,
            allocated: self.allocated(),
        }
    }

    fn enter(index: &mut UnitIndex, id: Uuid, key: &UnitKey) {
        index.names.insert(Arc::clone(&key.name), id);
        index.udids.insert(Arc::clone(&key.udid), id);
        index.promised += u128::from(key.promised.millionths());
        index.allocated += u128::from(key.allocated.millionths());
    }

    fn leave(index: &mut UnitIndex, id: Uuid, key: &UnitKey) {
        index.names.remove(Arc::clone(&key.name), id);
        index.udids.remove(Arc::clone(&key.udid), id);
        index.promised -= u128::from(key.promised.millionths());
        index.allocated -= u128::from(key.allocated.millionths());
    }
}

impl Units {
    /// The units with this name.
    pub fn named(&self, name: &str) -> impl Iterator<Item = &Arc<LogicalUnit>> {
        let found = self.index().names.of(Arc::from(name));
        found.filter_map(|uuid| self.get(&uuid))
    }

    /// The unit with this UDID.
    #[must_use]
    pub fn with_udid(&self, udid: &str) -> Option<&Arc<LogicalUnit>> {
        let found = self.index().udids.of(Arc::from(udid)).next();
        found.and_then(|uuid| self.get(&uuid))
    }

    /// What they promise together.
    pub(super) fn promised(&self) -> Gigabytes {
        gigabytes(self.index().promised)
    }

    /// What they take together.
    pub(super) fn allocated(&self) -> Gigabytes {
        gigabytes(self.index().allocated)
    }
}

fn gigabytes(millionths: u128) -> Gigabytes {
    Gigabytes::from_millionths(u64::try_from(millionths).unwrap_or(u64::MAX))
}
