//! Logical units of a tier.

use powervm_schema::atom::Entry;
use powervm_schema::storage::{LogicalUnit, LogicalUnitType};
use powervm_schema::units::Gigabytes;
use powervm_schema::xml::Element;

use crate::error::{Error, ErrorKind, Result};
use crate::rest::{Groups, Session};
use crate::storage::for_want_of_space;
use crate::transaction::{self, Changed};

/// A logical unit as it was when it was read.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Unit {
    /// Path below the API's root.
    pub(crate) path: String,
    /// Name.
    pub(crate) name: String,
    /// Unique device identifier.
    pub(crate) udid: String,
    /// What it is for.
    pub(crate) kind: LogicalUnitType,
    /// Its size.
    pub(crate) capacity: Gigabytes,
    /// Identifier of the image that it is a clone of.
    pub(crate) cloned_from: Option<String>,
    /// Whether it is mapped, on any host.
    pub(crate) is_in_use: bool,
}

/// A logical unit to be made.
#[derive(Debug, Clone)]
pub(crate) struct NewUnit<'a> {
    pub(crate) name: &'a str,
    pub(crate) kind: LogicalUnitType,
    pub(crate) capacity: Gigabytes,
    pub(crate) cloned_from: Option<&'a str>,
}

/// The logical units of one tier.
#[derive(Debug, Clone)]
pub(crate) struct Units {
    session: Session,
    tier: String,
}

impl Units {
    /// Those of the tier at this path.
    pub(crate) fn of(session: Session, tier: String) -> Self {
        Self { session, tier }
    }

    /// All of them.
    pub(crate) async fn list(&self) -> Result<Vec<Unit>> {
        let path = format!("{}/LogicalUnit", self.tier);
        let units = self.session.get_feed_together(&path, Groups::None).await?;
        Ok(units.iter().map(|entry| self.read(entry)).collect())
    }

    /// Makes one.
    pub(crate) async fn create(&self, new: &NewUnit<'_>) -> Result<Unit> {
        let mut unit = LogicalUnit::new();
        unit.set_capacity(new.capacity)
            .set_unit_type(new.kind.clone());
        if let Some(image) = new.cloned_from {
            unit.set_thin(true).set_cloned_from(image);
        }
        unit.set_name(new.name);
        let created = self
            .session
            .create(&format!("{}/LogicalUnit", self.tier), &unit.0)
            .await;
        let entry = created
            .map_err(|error| for_want_of_space(error, &format!("the logical unit {}", new.name)))?;
        let unit = self.read(&entry);
        if unit.udid.is_empty() {
            return Err(Error::operation(
                ErrorKind::BadAnswer,
                format!(
                    "the server does not tell the identifier of the logical unit {} that it made",
                    new.name
                ),
                "check that the endpoint is the REST API of an HMC or NovaLink",
            ));
        }
        Ok(unit)
    }

    /// Lets one grow to this size; one that is as large already stays.
    pub(crate) async fn grow(&self, path: &str, name: &str, to: Gigabytes) -> Result<()> {
        let edit = |unit: &mut Element| {
            let mut unit = LogicalUnit(unit);
            if unit.capacity().ok().flatten().unwrap_or_default() >= to {
                return Ok(Changed::No);
            }
            unit.set_capacity(to);
            Ok(Changed::Yes)
        };
        let edited = transaction::edit(&self.session, path, Groups::None, edit).await;
        edited
            .map(drop)
            .map_err(|error| for_want_of_space(error, &format!("the logical unit {name}")))
    }

    /// Removes one; that it is gone is as good.
    pub(crate) async fn delete(&self, unit: &Unit) -> Result<()> {
        self.session.ensure_deleted(&unit.path).await
    }

    fn read(&self, entry: &Entry) -> Unit {
        let unit = LogicalUnit(&entry.content);
        Unit {
            path: format!("{}/LogicalUnit/{}", self.tier, entry.id),
            name: unit.name().unwrap_or_default().to_owned(),
            udid: unit.udid().unwrap_or_default().to_owned(),
            kind: unit
                .unit_type()
                .ok()
                .flatten()
                .unwrap_or(LogicalUnitType::Disk),
            capacity: unit.capacity().ok().flatten().unwrap_or_default(),
            cloned_from: unit.cloned_from().map(str::to_owned),
            is_in_use: unit.in_use().ok().flatten().unwrap_or(false),
        }
    }
}

impl Unit {
    /// Whether it is a source of clones, or a marker of one.
    pub(crate) fn is_image(&self) -> bool {
        self.kind == LogicalUnitType::Image
    }

    /// Whether this is a clone of the image with that identifier. The first two characters tell
    /// disks from images and do not count.
    pub(crate) fn is_clone_of(&self, image: &str) -> bool {
        self.cloned_from
            .as_deref()
            .is_some_and(|from| same_device(from, image))
    }
}

/// Whether two identifiers mean the same device, whatever kind of unit they say it is.
pub(crate) fn same_device(one: &str, other: &str) -> bool {
    match (one.get(2..), other.get(2..)) {
        (Some(one), Some(other)) if !one.is_empty() => one.eq_ignore_ascii_case(other),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kind_of_a_unit_does_not_tell_devices_apart() {
        assert!(same_device("27ab01", "29AB01"));
        assert!(!same_device("27ab01", "27ab02"));
        assert!(!same_device("27", "29") && !same_device("", "29ab"));
    }
}
