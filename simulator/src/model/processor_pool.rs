//! Shared processor pools: 64 of a system, of which the first takes whoever names no other.
//!
//! Recordings `shrprocpool` and the cassette `refresher.yml`; the rules are `docs/protocol/pools.md`.

use std::sync::Arc;
use uuid::Uuid;

use super::command::{Outcome, UpdateProcessorPool};
use super::names::EventKind;
use super::partition::{Partition, ProcessorSetting};
use super::refusal::Refusal;
use super::resource::Resource;
use super::system::ManagedSystem;
use super::units::ProcUnits;
use super::world::World;
use crate::clock::Millis;

/// How many pools a system has, used or not (recording `shrprocpool`).
pub const POOLS: u8 = 64;
/// The longest `PoolName`; `m. l ordinateur` of the recorded HMC has 14 characters.
pub const NAME_LENGTH: usize = 14;

/// `SharedProcessorPool`
#[derive(serde::Serialize, serde::Deserialize, Clone, Debug, PartialEq, Eq)]
pub struct SharedProcessorPool {
    /// Its UUID.
    pub uuid: Uuid,
    /// `PoolID`, 0 to 63.
    pub id: u8,
    /// `PoolName`
    pub name: String,
    /// `MaximumProcessingUnits`; zero for the default pool, which has no limit, and for pools that nobody uses.
    pub maximum: ProcUnits,
    /// `CurrentReservedProcessingUnits` and `PendingReservedProcessingUnits`: set aside for its uncapped partitions.
    pub reserved: ProcUnits,
    /// Changes with the settings of the pool.
    pub version: u64,
}

impl SharedProcessorPool {
    /// The name of the pool 0.
    pub const DEFAULT: &'static str = "DefaultPool";

    /// A pool as it comes with the system: the default one, or one that takes no partition yet.
    #[must_use]
    pub fn unused(system: Uuid, id: u8) -> Self {
        Self {
            uuid: Uuid::new_v3(&system, format!("SharedProcessorPool/{id}").as_bytes()),
            id,
            name: if id == 0 {
                Self::DEFAULT.to_owned()
            } else {
                format!("SharedPool{id:02}")
            },
            maximum: ProcUnits::ZERO,
            reserved: ProcUnits::ZERO,
            version: 1,
        }
    }

    /// Whether partitions may be put into it.
    #[must_use]
    pub fn takes_partitions(&self) -> bool {
        self.id == 0 || self.maximum > ProcUnits::ZERO
    }
}

impl ManagedSystem {
    /// The pool with this UUID.
    #[must_use]
    pub fn processor_pool(&self, pool: Uuid) -> Option<&Arc<SharedProcessorPool>> {
        self.processor_pools
            .values()
            .find(|candidate| candidate.uuid == pool)
    }
}

impl World {
    /// The partitions that a pool is configured for, with what each is entitled to.
    pub fn assigned_to_pool(
        &self,
        system: Uuid,
        pool: u8,
    ) -> impl Iterator<Item = (&Partition, ProcUnits)> {
        self.all_partitions_of(system).filter_map(move |partition| {
            match &partition.processors.configured {
                ProcessorSetting::Shared(shared) if shared.pool == pool => {
                    Some((partition, shared.desired_units))
                }
                _ => None,
            }
        })
    }

    /// `AvailableProcUnits`: what reservation and entitlements leave of the maximum; nothing of the default pool.
    #[must_use]
    pub fn available_in_processor_pool(
        &self,
        system: Uuid,
        pool: &SharedProcessorPool,
    ) -> ProcUnits {
        let entitled = self
            .assigned_to_pool(system, pool.id)
            .map(|(_, units)| units)
            .sum();
        pool.maximum.minus(pool.reserved).minus(entitled)
    }

    /// What the pools of a system set aside together.
    #[must_use]
    pub fn reserved_by_processor_pools(&self, system: Uuid) -> ProcUnits {
        let pools = self
            .systems
            .get(&system)
            .into_iter()
            .flat_map(|system| system.processor_pools.values());
        pools.map(|pool| pool.reserved).sum()
    }

    /// Numbers that change when what a pool shows changes: its own version, and each assigned partition's share.
    pub(super) fn processor_pool_versions(
        &self,
        system: Uuid,
        pool: &SharedProcessorPool,
    ) -> Vec<u64> {
        let assigned = self.assigned_to_pool(system, pool.id);
        let shares = assigned.flat_map(|(partition, units)| {
            [
                partition.uuid.as_u64_pair().1,
                u64::from(units.hundredths()),
            ]
        });
        std::iter::once(pool.version).chain(shares).collect()
    }

    /// Whether a partition with these processors may be in the pool that it names.
    ///
    /// # Errors
    /// The pool has no maximum yet, or not enough of it is left.
    pub(super) fn check_processor_pool(
        &self,
        system: &ManagedSystem,
        partition: Option<Uuid>,
        setting: &ProcessorSetting,
    ) -> Result<(), Refusal> {
        let ProcessorSetting::Shared(shared) = setting else {
            return Ok(());
        };
        let Some(pool) = system.processor_pools.get(&shared.pool) else {
            return Err(Refusal::logic(format!(
                "HSCL0617 There is no shared processor pool {}.",
                shared.pool
            )));
        };
        if pool.id == 0 {
            return Ok(());
        }
        if !pool.takes_partitions() {
            return Err(Refusal::logic(format!(
                "HSCL0617 The shared processor pool {} has no processing units. Set its maximum first.",
                pool.name
            )));
        }
        let others: ProcUnits = self
            .assigned_to_pool(system.uuid, pool.id)
            .filter(|(other, _)| Some(other.uuid) != partition)
            .map(|(_, units)| units)
            .sum();
        let left = pool.maximum.minus(pool.reserved).minus(others);
        if shared.desired_units > left {
            return Err(Refusal::logic(format!(
                "HSCL0617 The shared processor pool {} has only {left} of its {} processing units left, not {}.",
                pool.name, pool.maximum, shared.desired_units
            )));
        }
        Ok(())
    }

    pub(super) fn update_processor_pool(
        &mut self,
        now: Millis,
        request: UpdateProcessorPool,
    ) -> Result<Outcome, Refusal> {
        let system = self.system(request.system)?;
        let before = system
            .processor_pool(request.pool)
            .ok_or_else(|| Refusal::not_found("SharedProcessorPool", request.pool))?;
        let resource = Resource::SharedProcessorPool {
            system: system.uuid,
            pool: request.pool,
        };
        let mut after = (**before).clone();
        after.name = request.name.unwrap_or(after.name);
        after.maximum = request.maximum.unwrap_or(after.maximum);
        after.reserved = request.reserved.unwrap_or(after.reserved);
        if after == **before {
            return Ok(Outcome::Written(resource));
        }
        if before.id == 0 {
            return Err(Refusal::logic(
                "HSCL0617 The default shared processor pool cannot be changed.",
            ));
        }
        check_name(&system, &after)?;
        self.check_pool_capacity(&system, before, &after)?;
        after.version = self.touch();
        let processors_moved = after.reserved != before.reserved;
        self.edit_system(system.uuid, |system| {
            system.processor_pools.insert(after.id, Arc::new(after));
        });
        self.announce(now, EventKind::ModifyUri, resource, "Other");
        if processors_moved {
            self.touch_system(now, system.uuid);
        }
        Ok(Outcome::Written(resource))
    }

    fn check_pool_capacity(
        &self,
        system: &ManagedSystem,
        before: &SharedProcessorPool,
        after: &SharedProcessorPool,
    ) -> Result<(), Refusal> {
        if after.maximum > system.processors.configurable {
            return Err(Refusal::logic(format!(
                "HSCL0617 The maximum of {} processing units is more than the {} that system {} has.",
                after.maximum, system.processors.configurable, system.name
            )));
        }
        let entitled: ProcUnits = self
            .assigned_to_pool(system.uuid, after.id)
            .map(|(_, units)| units)
            .sum();
        let needed = after.reserved.plus(entitled);
        if needed > after.maximum {
            return Err(Refusal::logic(format!(
                "HSCL0617 The maximum of {} processing units of pool {} is less than the {needed} that it reserves and its partitions are entitled to.",
                after.maximum, after.name
            )));
        }
        let more = after.reserved.minus(before.reserved);
        let available = self.available_processors(system.uuid);
        if more > available {
            return Err(Refusal::logic(format!(
                "HSCL03F4 {more} more processing units are to be reserved, but only {available} are available."
            )));
        }
        Ok(())
    }
}

fn check_name(system: &ManagedSystem, pool: &SharedProcessorPool) -> Result<(), Refusal> {
    let good = |c: char| c == ' ' || c.is_ascii_graphic();
    if pool.name.trim().is_empty() || pool.name.len() > NAME_LENGTH || !pool.name.chars().all(good)
    {
        return Err(Refusal::logic(format!(
            "HSCL0617 The name of a shared processor pool has 1 to {NAME_LENGTH} printable characters."
        )));
    }
    let taken = |other: &Arc<SharedProcessorPool>| other.id != pool.id && other.name == pool.name;
    if system.processor_pools.values().any(taken) {
        return Err(Refusal::logic(format!(
            "HSCL0617 There is another shared processor pool named {}.",
            pool.name
        )));
    }
    Ok(())
}
