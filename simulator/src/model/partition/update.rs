//! A partition is changed: by configuration while it is off, dynamically while it runs.

use std::sync::Arc;

use super::rules;
use super::{Partition, PartitionMemory, PartitionSettings, ProcessorSetting};
use crate::clock::Millis;
use crate::model::command::{Outcome, UpdatePartition};
use crate::model::names::PartitionState;
use crate::model::profile;
use crate::model::refusal::Refusal;
use crate::model::resource::{Owner, Resource};
use crate::model::system::ManagedSystem;
use crate::model::world::World;

impl World {
    pub(in crate::model) fn update_partition(
        &mut self,
        now: Millis,
        request: UpdatePartition,
    ) -> Result<Outcome, Refusal> {
        let owner = request.owner;
        let resource = Resource::from(owner);
        let kind = if matches!(resource, Resource::LogicalPartition(_)) {
            "LogicalPartition"
        } else {
            "VirtualIOServer"
        };
        let before = self
            .partition(owner)
            .cloned()
            .ok_or_else(|| Refusal::not_found(kind, owner.uuid()))?;
        let system = self.systems.get(&before.system).map(Arc::clone);
        let system = system.ok_or_else(|| Refusal::not_found("ManagedSystem", before.system))?;
        if before.is_in_hand() {
            return Err(in_state(&before, "its configuration"));
        }
        let mut after = before.clone();
        let mut details = Vec::new();
        if let Some(name) = request.name.filter(|name| *name != before.name) {
            rules::check_name(&name)?;
            self.check_name_is_free(system.uuid, Some(before.uuid), &name)?;
            after.name = name;
            details.push("PartitionName");
        }
        if let Some(description) = request.description {
            rules::check_description(&description)?;
            after.description = Some(description).filter(|description| !description.is_empty());
        }
        if let Some(slots) = request
            .maximum_slots
            .filter(|slots| *slots != before.maximum_slots)
        {
            rules::check_slots(slots)?;
            self.check_slots_can_change(&before, owner, slots)?;
            after.maximum_slots = slots;
        }
        after.memory = rules::memory(&system, &before.memory, &request.memory)?;
        if let Some(wish) = &request.processors {
            after.processors.configured =
                rules::processors(&system, Some(&before.processors.configured), wish)?;
            if after.processors.configured != before.processors.configured {
                self.check_processor_pool(
                    &system,
                    Some(before.uuid),
                    &after.processors.configured,
                )?;
            }
        }
        if before.state.holds_resources() {
            self.change_while_active(&system, &before, &mut after, request.force)?;
        } else {
            after.follow_configuration();
        }
        if let Some(settings) = request.settings {
            check_settings_can_change(&system, &before, &settings)?;
            after.settings = settings;
        }
        let nvram = request
            .nvram
            .filter(|nvram| Some(nvram) != before.nvram.as_ref());
        let version = self.touch();
        if after != before {
            profile::follow(&mut after, version);
        }
        if let Some(nvram) = nvram {
            rules::check_nvram(&nvram)?;
            after.nvram = Some(nvram);
            after.nvram_version = version;
            details.push("NVRAM");
        }
        self.change_mover(now, owner, request.mover);
        if let Some(wish) = &request.serial_number {
            self.change_serial_number(now, owner.uuid(), wish, request.reset_serial_number)?;
            after.serial_number = self
                .partition(owner)
                .and_then(|partition| partition.serial_number.clone());
        }
        let slots_moved = match &request.io_slots {
            Some(wishes) => self.assign_io_slots(&before, wishes)?,
            None => false,
        };
        if after == before && !slots_moved {
            return Ok(Outcome::Written(resource));
        }
        details.push("Other");
        let resources_moved =
            slots_moved || before.memory != after.memory || before.processors != after.processors;
        self.edit_partition(owner, |partition| *partition = after);
        self.announce_partition(now, owner, &details.join(","));
        if resources_moved {
            self.touch_system(now, system.uuid);
        }
        Ok(Outcome::Written(resource))
    }

    /// `MoverServicePartition` of a Virtual I/O Server.
    fn change_mover(&mut self, now: Millis, owner: Owner, mover: Option<bool>) {
        let Owner::Vios(vios) = owner else {
            return;
        };
        let there = self.vioses.get(&vios).map(|vios| vios.mover);
        if let Some(mover) = mover.filter(|mover| Some(*mover) != there) {
            self.edit_vios(vios, |vios, version| {
                vios.mover = mover;
                vios.partition.version = version;
            });
            self.announce_partition(now, owner, "Other");
        }
    }

    fn check_slots_can_change(
        &self,
        before: &Partition,
        owner: Owner,
        slots: u32,
    ) -> Result<(), Refusal> {
        if before.state.holds_resources() {
            return Err(in_state(before, "the maximum number of virtual I/O slots"));
        }
        let highest = self.used_slots(owner).last().copied().unwrap_or(0);
        if u32::from(highest) >= slots {
            return Err(Refusal::logic(format!(
                "HSCL0617 Virtual slot {highest} is in use, so the maximum cannot be {slots}."
            )));
        }
        Ok(())
    }

    /// Bounds stay; memory and processors between them need the operating system's help.
    fn change_while_active(
        &self,
        system: &ManagedSystem,
        before: &Partition,
        after: &mut Partition,
        force: bool,
    ) -> Result<(), Refusal> {
        let bounds = |memory: &PartitionMemory| (memory.minimum, memory.maximum);
        if after.memory.maximum != before.memory.maximum {
            return Err(Refusal::internal(
                "REST012A cannot modify Maximum Memory in current state",
            ));
        }
        if bounds(&after.memory) != bounds(&before.memory) {
            return Err(in_state(before, "the minimum memory"));
        }
        if after.memory.desired != before.memory.desired {
            self.check_dynamic(before, before.capabilities.dynamic_memory, force)?;
            let more = after.memory.desired.saturating_sub(before.memory.current);
            let available = self.available_memory(system.uuid);
            if more > available {
                return Err(Refusal::logic(format!(
                    "HSCL03EC {more} MB more memory are needed, but only {available} MB are available."
                )));
            }
            after.memory.current = after.memory.desired;
        }
        if after.processors.configured != before.processors.configured {
            if limits(&after.processors.configured) != limits(&before.processors.configured) {
                return Err(in_state(before, "the bounds or the kind of processors"));
            }
            self.check_dynamic(before, before.capabilities.dynamic_processors, force)?;
            let needed = after
                .processors
                .configured
                .desired_units()
                .minus(before.processors.current.desired_units());
            let available = self.available_processors(system.uuid);
            if needed > available {
                return Err(Refusal::logic(format!(
                    "HSCL03F4 {needed} more processing units are needed, but only {available} are available."
                )));
            }
            after.processors.current = after.processors.configured.clone();
        }
        Ok(())
    }

    fn check_dynamic(
        &self,
        partition: &Partition,
        capable: bool,
        force: bool,
    ) -> Result<(), Refusal> {
        if force || (partition.state == PartitionState::Running && partition.rmc.is_up() && capable)
        {
            return Ok(());
        }
        Err(self.no_rmc(partition))
    }

    /// A running partition's adapters or resources cannot be changed without its operating system.
    pub(in crate::model) fn no_rmc(&self, partition: &Partition) -> Refusal {
        if partition.is_in_hand() {
            return in_state(partition, "its adapters");
        }
        let machine = self
            .systems
            .get(&partition.system)
            .map(|system| system.machine.to_string())
            .unwrap_or_default();
        Refusal::logic(format!(
            "HSCL2957 Either there is currently no RMC connection between the management console and the partition {}*{machine}, or the partition does not support dynamic partitioning operations. Check its network and firewall settings and RMC with diagrmc.",
            partition.id
        ))
    }
}

fn limits(setting: &ProcessorSetting) -> (u16, u16, u32, u32, bool) {
    match setting {
        ProcessorSetting::Dedicated {
            minimum, maximum, ..
        } => (*minimum, *maximum, 0, 0, true),
        ProcessorSetting::Shared(shared) => (
            shared.minimum_virtual,
            shared.maximum_virtual,
            shared.minimum_units.hundredths(),
            shared.maximum_units.hundredths(),
            false,
        ),
    }
}

fn check_settings_can_change(
    system: &ManagedSystem,
    before: &Partition,
    settings: &PartitionSettings,
) -> Result<(), Refusal> {
    if *settings == before.settings {
        return Ok(());
    }
    rules::check_settings(system, settings)?;
    let toggled = settings.simplified_remote_restart != before.settings.simplified_remote_restart;
    if toggled
        && before.state.holds_resources()
        && !system.capabilities.dynamic_simplified_remote_restart
    {
        return Err(in_state(before, "simplified remote restart"));
    }
    Ok(())
}

fn in_state(partition: &Partition, what: &str) -> Refusal {
    Refusal::logic(format!(
        "HSCL05DF Partition {} is {}: {what} cannot be changed in this state.",
        partition.name, partition.state
    ))
}
