//! Logical units come and go (`docs/protocol/storage.md`).

use std::sync::Arc;
use uuid::Uuid;

use super::{LogicalUnit, Tier};
use crate::clock::Millis;
use crate::model::command::{CreateLogicalUnit, Outcome, PoolUnits, UpdateLogicalUnit, UpdatePool};
use crate::model::names::{EventKind, LogicalUnitKind};
use crate::model::refusal::Refusal;
use crate::model::resource::Resource;
use crate::model::storage::Content;
use crate::model::units::Gigabytes;
use crate::model::vios::Backing;
use crate::model::world::World;

/// The longest `UnitName`.
pub const NAME_LENGTH: usize = 79;

impl World {
    pub(in crate::model) fn create_logical_unit(
        &mut self,
        now: Millis,
        request: CreateLogicalUnit,
    ) -> Result<Outcome, Refusal> {
        let tier = self.tiers.get(&request.tier).map(Arc::clone);
        let tier = tier.ok_or_else(|| Refusal::not_found("Tier", request.tier))?;
        self.check_pool_is_up(tier.pool)?;
        check_name(&request.name)?;
        if tier.units.named(&request.name).next().is_some() {
            return Err(failed(&format!(
                "a logical unit named {} exists already in the pool.",
                request.name
            )));
        }
        if request.capacity == Gigabytes::ZERO {
            return Err(failed(&format!(
                "logical unit {} needs a capacity.",
                request.name
            )));
        }
        let image = request
            .cloned_from
            .as_deref()
            .map(|udid| image(&tier, udid))
            .transpose()?;
        let capacity = request.capacity.max(
            image
                .as_ref()
                .map_or(Gigabytes::ZERO, |image| image.capacity),
        );
        let thin = request.thin.unwrap_or(true);
        self.check_space(&tier, capacity, thin)?;
        let kind = request.kind.unwrap_or(LogicalUnitKind::Disk);
        let prefix = if kind == LogicalUnitKind::Image {
            "29"
        } else {
            "27"
        };
        let unit = LogicalUnit {
            uuid: self.ids.named_uuid(),
            name: request.name,
            udid: format!(
                "{prefix}{}{}",
                pool_serial(&tier),
                self.ids.hex(64 - pool_serial(&tier).len())
            ),
            capacity,
            thin,
            kind,
            cloned_from: image.as_ref().map(|image| image.udid.clone()),
            in_use: false,
            content: image.and_then(|image| image.content),
            version: self.touch(),
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
        Ok(Outcome::Written(resource))
    }

    /// A unit grows and gets another name, mapped or not; its partitions see the new size at once.
    pub(in crate::model) fn update_logical_unit(
        &mut self,
        now: Millis,
        request: UpdateLogicalUnit,
    ) -> Result<Outcome, Refusal> {
        let tier = self.tiers.get(&request.tier).map(Arc::clone);
        let tier = tier.ok_or_else(|| Refusal::not_found("Tier", request.tier))?;
        let before = tier.units.get(&request.unit).map(Arc::clone);
        let before = before.ok_or_else(|| Refusal::not_found("LogicalUnit", request.unit))?;
        let resource = Resource::LogicalUnit {
            tier: tier.uuid,
            unit: before.uuid,
        };
        if request.thin.is_some_and(|thin| thin != before.thin) {
            return Err(failed(&format!(
                "logical unit {} stays thin or thick as it was made.",
                before.name
            )));
        }
        let name = request.name.unwrap_or_else(|| before.name.clone());
        let capacity = request.capacity.unwrap_or(before.capacity);
        if name == before.name && capacity == before.capacity {
            return Ok(Outcome::Written(resource));
        }
        self.check_pool_is_up(tier.pool)?;
        check_name(&name)?;
        let other = tier.units.named(&name).any(|unit| unit.uuid != before.uuid);
        if other {
            return Err(failed(&format!(
                "a logical unit named {name} exists already in the pool."
            )));
        }
        if capacity < before.capacity {
            return Err(failed(&format!(
                "logical unit {name} of {} GB cannot shrink to {capacity} GB.",
                before.capacity
            )));
        }
        self.check_space(&tier, capacity.minus(before.capacity), before.thin)?;
        self.edit_unit(now, tier.uuid, before.uuid, |unit| {
            (unit.name, unit.capacity) = (name, capacity);
        });
        let backing = Backing::LogicalUnit {
            tier: tier.uuid,
            unit: before.uuid,
        };
        for vios in self.servers_where(|vios| vios.maps(&backing)) {
            self.edit_vios(vios, |vios, version| vios.mappings_version = version);
        }
        Ok(Outcome::Written(resource))
    }

    /// A mapped unit stays, and so does an image with clones: they share its blocks.
    pub(in crate::model) fn delete_logical_unit(
        &mut self,
        now: Millis,
        tier: Uuid,
        unit: Uuid,
    ) -> Result<Outcome, Refusal> {
        let there = self
            .tiers
            .get(&tier)
            .map(Arc::clone)
            .ok_or_else(|| Refusal::not_found("Tier", tier))?;
        if !there.units.contains_key(&unit) {
            return Err(Refusal::not_found("LogicalUnit", unit));
        }
        self.check_pool_is_up(there.pool)?;
        self.remove_logical_unit(now, tier, unit)
    }

    /// The same whether a node of the cluster is up or not: it goes to the list of another process.
    pub(in crate::model) fn remove_logical_unit(
        &mut self,
        now: Millis,
        tier: Uuid,
        unit: Uuid,
    ) -> Result<Outcome, Refusal> {
        let there = self
            .tiers
            .get(&tier)
            .map(Arc::clone)
            .ok_or_else(|| Refusal::not_found("Tier", tier))?;
        let gone = there
            .units
            .get(&unit)
            .ok_or_else(|| Refusal::not_found("LogicalUnit", unit))?;
        if gone.in_use {
            return Err(failed(&format!(
                "logical unit {} is mapped to a client. Remove its mappings first.",
                gone.name
            )));
        }
        if there
            .units
            .values()
            .any(|other| other.cloned_from.as_deref() == Some(gone.udid.as_str()))
        {
            return Err(failed(&format!(
                "logical unit {} is the image of linked clones.",
                gone.name
            )));
        }
        let resource = Resource::LogicalUnit { tier, unit };
        if let Some(tier) = self.tiers.get_mut(&tier).map(Arc::make_mut) {
            tier.units.remove(&unit);
        }
        self.announce(now, EventKind::DeleteUri, resource, "LogicalUnit");
        self.touch_pool(now, there.pool);
        Ok(Outcome::Deleted(resource))
    }

    pub(in crate::model) fn update_pool(
        &mut self,
        now: Millis,
        request: UpdatePool,
    ) -> Result<Outcome, Refusal> {
        let pool = self.pools.get(&request.pool).map(Arc::clone);
        let pool = pool.ok_or_else(|| Refusal::not_found("SharedStoragePool", request.pool))?;
        let resource = Resource::SharedStoragePool(request.pool);
        if let Some(units) = request.units {
            self.change_units(now, request.pool, units)?;
        }
        if let Some(volumes) = &request.volumes {
            self.change_pool_volumes(now, request.pool, volumes)?;
        }
        let name = request.name.unwrap_or_else(|| pool.name.clone());
        let alert_threshold = request.alert_threshold.unwrap_or(pool.alert_threshold);
        if name == pool.name && alert_threshold == pool.alert_threshold {
            return Ok(Outcome::Written(resource));
        }
        check_name(&name)?;
        if !(1..=99).contains(&alert_threshold) {
            return Err(failed(
                "the alert threshold of a pool must lie between 1 and 99 percent.",
            ));
        }
        if let Some(pool) = self.pools.get_mut(&request.pool).map(Arc::make_mut) {
            pool.name = name;
            pool.alert_threshold = alert_threshold;
        }
        self.touch_pool(now, request.pool);
        Ok(Outcome::Written(resource))
    }

    /// The list of a pool's document is replaced as a whole: what it leaves out goes, clones before their images.
    fn change_units(&mut self, now: Millis, pool: Uuid, units: PoolUnits) -> Result<(), Refusal> {
        let of_pool = self.tiers.values().filter(|tier| tier.pool == pool);
        let mut gone: Vec<(bool, Uuid, Uuid)> = of_pool
            .flat_map(|tier| tier.units.values().map(|unit| (tier.uuid, unit)))
            .filter(|(_, unit)| !units.kept.contains(&unit.udid))
            .map(|(tier, unit)| (unit.cloned_from.is_none(), tier, unit.uuid))
            .collect();
        gone.sort_unstable();
        for (_, tier, unit) in gone {
            self.delete_logical_unit(now, tier, unit)?;
        }
        let mut of_pool = self.tiers.values().filter(|tier| tier.pool == pool);
        let usual = of_pool.find(|tier| tier.is_default).map(|tier| tier.uuid);
        for unit in units.new {
            let tier = usual.ok_or_else(|| failed("the pool has no default tier."))?;
            self.create_logical_unit(now, CreateLogicalUnit { tier, ..unit })?;
        }
        Ok(())
    }

    /// Makes an existing unit a linked clone of an image of the same pool (job `LULinkedClone`).
    pub(in crate::model) fn link_clone(
        &mut self,
        now: Millis,
        source: &str,
        destination: &str,
    ) -> Result<(), Refusal> {
        let found = self
            .tiers
            .values()
            .find(|tier| tier.unit(source).is_some() && tier.unit(destination).is_some());
        let tier = found
            .map(Arc::clone)
            .ok_or_else(|| failed("source and destination must be logical units of one pool."))?;
        let (Some(image), Some(unit)) = (tier.unit(source), tier.unit(destination)) else {
            return Ok(());
        };
        if unit.in_use || unit.capacity < image.capacity || unit.udid == image.udid {
            return Err(failed(
                "the destination must be an unmapped logical unit at least as large as the source.",
            ));
        }
        let (udid, content) = (image.udid.clone(), image.content);
        self.edit_unit(now, tier.uuid, unit.uuid, |unit| {
            unit.cloned_from = Some(udid);
            unit.content = content;
        });
        Ok(())
    }

    /// Sets `InUse` to what the mappings of all Virtual I/O Servers say.
    pub(in crate::model) fn settle_unit_use(
        &mut self,
        now: Millis,
        tier: Uuid,
        unit: Uuid,
        in_use: bool,
    ) {
        if self
            .logical_unit(tier, unit)
            .is_some_and(|unit| unit.in_use != in_use)
        {
            self.edit_unit(now, tier, unit, |unit| unit.in_use = in_use);
        }
    }

    /// Changes a unit, with new versions for it and its pool.
    pub(crate) fn edit_unit(
        &mut self,
        now: Millis,
        tier: Uuid,
        unit: Uuid,
        change: impl FnOnce(&mut LogicalUnit),
    ) {
        let version = self.touch();
        let Some(holder) = self.tiers.get_mut(&tier).map(Arc::make_mut) else {
            return;
        };
        let pool = holder.pool;
        if let Some(mut unit) = holder.units.get_mut(&unit) {
            let content = unit.content;
            change(&mut unit);
            // What lies on a unit is not in its document: a client whose upload broke off deletes the unit with the
            // entity tag that it got when it made it.
            if unit.content == content {
                unit.version = version;
            }
        }
        self.announce(
            now,
            EventKind::ModifyUri,
            Resource::LogicalUnit { tier, unit },
            "LogicalUnit",
        );
        self.touch_pool(now, pool);
    }

    pub(in crate::model) fn touch_pool(&mut self, now: Millis, pool: Uuid) {
        let version = self.touch();
        if let Some(pool) = self.pools.get_mut(&pool).map(Arc::make_mut) {
            pool.version = version;
        }
        self.announce(
            now,
            EventKind::ModifyUri,
            Resource::SharedStoragePool(pool),
            "LogicalUnit",
        );
    }

    /// Some node must be up to work on the pool.
    pub(in crate::model) fn check_pool_is_up(&self, pool: Uuid) -> Result<(), Refusal> {
        let cluster = self.clusters.values().find(|cluster| cluster.pool == pool);
        let mut nodes = cluster
            .into_iter()
            .flat_map(|cluster| &cluster.nodes)
            .filter_map(|node| self.vioses.get(&node.vios));
        if nodes.any(|vios| self.check_vios_is_ready(vios).is_ok()) {
            return Ok(());
        }
        Err(Refusal::internal(
            "Unexpected error occurred while fetching Cluster/SSP information : no node of the cluster can be reached.",
        ))
    }

    /// What is written to a thin unit takes space of the pool.
    pub(in crate::model) fn check_pool_takes(
        &self,
        tier: Uuid,
        unit: Uuid,
        content: Content,
    ) -> Result<(), Refusal> {
        let (Some(holder), Some(before)) = (self.tiers.get(&tier), self.logical_unit(tier, unit))
        else {
            return Ok(());
        };
        let after = LogicalUnit {
            content: Some(content),
            ..(**before).clone()
        };
        let more = after.allocated().minus(before.allocated());
        let free = self.free_in_pool(holder.pool);
        if more > free {
            return Err(failed(&format!(
                "the shared storage pool has only {free} GB free, {} needs {more} GB.",
                before.name
            )));
        }
        Ok(())
    }

    pub(in crate::model) fn check_space(
        &self,
        tier: &Tier,
        capacity: Gigabytes,
        thin: bool,
    ) -> Result<(), Refusal> {
        let Some(pool) = self.pools.get(&tier.pool) else {
            return Ok(());
        };
        let promised = u128::from(self.promised_by_pool(pool.uuid).plus(capacity).millionths());
        let limit =
            u128::from(pool.capacity.millionths()) * u128::from(pool.overcommit_percent) / 100;
        let free = self.free_in_pool(pool.uuid);
        if promised > limit || (!thin && capacity > free) {
            return Err(failed(&format!(
                "the shared storage pool {} has not enough free space for a logical unit of {capacity} GB ({free} GB free, {} GB promised of {} GB).",
                pool.name,
                self.promised_by_pool(pool.uuid),
                pool.capacity
            )));
        }
        Ok(())
    }
}

fn image(tier: &Tier, udid: &str) -> Result<Arc<LogicalUnit>, Refusal> {
    let image = tier.unit(udid).map(Arc::clone);
    image.ok_or_else(|| failed(&format!("there is no logical unit {udid} to clone.")))
}

/// The part of UDIDs that everything of one pool shares.
fn pool_serial(tier: &Tier) -> &str {
    tier.udid.get(2..34).unwrap_or_default()
}

pub(super) fn check_name(name: &str) -> Result<(), Refusal> {
    if !name.is_empty()
        && name.len() <= NAME_LENGTH
        && name.bytes().all(|byte| byte.is_ascii_graphic())
    {
        return Ok(());
    }
    Err(failed(&format!(
        "a name in a shared storage pool has 1 to {NAME_LENGTH} printable characters without blanks."
    )))
}

pub(super) fn failed(why: &str) -> Refusal {
    Refusal::internal(format!(
        "HSCL2970 The IOServer command has failed because of the following reason: {why}"
    ))
}
