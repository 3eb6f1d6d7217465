//! Logical units that come with a partition, and go with it.
//!
//! Within one world a unit stays where it is: in the tier that both systems reach. Two processes each have their own
//! list of a tier that is one; the unit is on the list of the process that has its partition.

use std::sync::Arc;

use super::Bundle;
use super::bundle::BundledStorage;
use crate::clock::Millis;
use crate::model::names::{EventKind, LogicalUnitKind};
use crate::model::pool::LogicalUnit;
use crate::model::refusal::Refusal;
use crate::model::resource::Resource;
use crate::model::world::World;

impl World {
    /// Puts the units of a partition on the lists of their tiers, where they are not there yet, and images before the
    /// clones of them. An image of the same name stands in for one that is not there.
    ///
    /// # Errors
    /// No room, or another unit of the same name.
    pub(super) fn bring_units(&mut self, now: Millis, bundle: &Bundle) -> Result<(), Refusal> {
        for (udid, unit, image) in units(bundle) {
            let tier = self.tiers.values().find(|tier| tier.udid == udid);
            let Some(tier) = tier.map(Arc::clone) else {
                continue;
            };
            if tier.unit(&unit.udid).is_some() {
                continue;
            }
            let mut unit = (**unit).clone();
            if let Some(image) = image {
                unit.cloned_from = Some(match tier.unit(&image.udid) {
                    Some(there) => there.udid.clone(),
                    None => match tier.units.named(&image.name).next() {
                        Some(there) if there.kind == LogicalUnitKind::Image => there.udid.clone(),
                        _ => {
                            self.list_unit(now, &tier, (**image).clone())?;
                            image.udid.clone()
                        }
                    },
                });
            }
            let tier = self.tiers.get(&tier.uuid).map(Arc::clone).unwrap_or(tier);
            self.list_unit(now, &tier, unit)?;
        }
        Ok(())
    }

    /// Takes the units of a partition that has left off their lists, but for those that others here still need.
    pub(super) fn let_units_go(&mut self, now: Millis, bundle: &Bundle) {
        for (udid, unit, _) in units(bundle) {
            let tier = self.tiers.values().find(|tier| tier.udid == udid);
            let Some(tier) = tier.map(|tier| tier.uuid) else {
                continue;
            };
            // It refuses what is mapped or the image of others.
            let _ = self.remove_logical_unit(now, tier, unit.uuid);
        }
    }

    fn list_unit(
        &mut self,
        now: Millis,
        tier: &crate::model::pool::Tier,
        unit: LogicalUnit,
    ) -> Result<(), Refusal> {
        if tier.units.named(&unit.name).next().is_some() || tier.units.contains_key(&unit.uuid) {
            return Err(Refusal::logic(format!(
                "The shared storage pool has another logical unit named {}.",
                unit.name
            )));
        }
        self.check_space(tier, unit.capacity, unit.thin)?;
        let unit = LogicalUnit {
            in_use: false,
            version: self.touch(),
            ..unit
        };
        let resource = Resource::LogicalUnit {
            tier: tier.uuid,
            unit: unit.uuid,
        };
        if let Some(tier) = self.tiers.get_mut(&tier.uuid).map(Arc::make_mut) {
            tier.units.insert(unit.uuid, Arc::new(unit));
        }
        self.announce(now, EventKind::AddUri, resource, "LogicalUnit");
        self.touch_pool(now, tier.pool);
        Ok(())
    }
}

/// The logical units of a partition: the UDID of the tier, the unit, its image.
fn units(
    bundle: &Bundle,
) -> impl Iterator<Item = (&str, &Arc<LogicalUnit>, Option<&Arc<LogicalUnit>>)> {
    let devices = bundle.buses.iter().flat_map(|bus| &bus.devices);
    devices.filter_map(|(_, storage)| match storage {
        BundledStorage::LogicalUnit { tier, unit, image } => {
            Some((tier.as_str(), unit, image.as_ref()))
        }
        BundledStorage::PhysicalVolume { .. } | BundledStorage::Local { .. } => None,
    })
}
