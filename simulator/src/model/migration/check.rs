//! What has to hold before a partition may move, in the order in which a console checks it
//! (`docs/protocol/mobility.md`).

use std::sync::Arc;

use super::{Bundle, Manner, Options};
use crate::model::names::{PartitionKind, PartitionState, SystemState};
use crate::model::partition::Partition;
use crate::model::system::ManagedSystem;
use crate::model::units::ProcUnits;
use crate::model::world::World;

impl World {
    /// The system that a migration goes to.
    pub(super) fn migration_target(
        &self,
        options: &Options,
        manner: Manner,
    ) -> Result<Arc<ManagedSystem>, String> {
        let mut systems = self.systems.values();
        let found = systems.find(|system| system.is_called_by(manner, &options.target));
        let found = found.map(Arc::clone);
        found.ok_or_else(|| match &options.console {
            Some(console) => not_set_up(options, console),
            None => format!("The managed system {} was not found.", options.target),
        })
    }

    /// Whether the console of a partition's system may log on to that of the target. One console for both needs no
    /// logon; two NovaLinks do, also where one process serves both.
    pub(super) fn check_trust(
        &self,
        partition: &Partition,
        target: &ManagedSystem,
        options: &Options,
    ) -> Result<(), String> {
        if self.consoles_trust(partition.system, target.uuid) {
            return Ok(());
        }
        let there = options.console.as_deref().unwrap_or(&target.name);
        Err(not_set_up(options, there))
    }

    /// Whether a partition may leave its system; tells how it would.
    ///
    /// # Errors
    /// Why it may not.
    pub(super) fn check_departure(&self, partition: &Partition) -> Result<Manner, String> {
        let manner = match partition.state {
            PartitionState::Running => Manner::Active,
            PartitionState::NotActivated => Manner::Inactive,
            state => {
                return Err(format!(
                    "HSCL05DF Partition {} is {state}. It must be running or not activated to be migrated.",
                    partition.name
                ));
            }
        };
        if self.migrations.contains_key(&partition.uuid) {
            return Err(format!(
                "HSCL05DF Partition {} is being migrated already.",
                partition.name
            ));
        }
        if partition.is_management {
            return Err("The management partition cannot be migrated.".to_owned());
        }
        if partition.settings.migration_disabled {
            return Err(format!(
                "Migration is disabled for partition {}.",
                partition.name
            ));
        }
        if let Some(system) = self.systems.get(&partition.system) {
            check_mobility(system, partition, manner)?;
            let slots = system.io_slots.iter();
            if let Some(slot) = slots
                .clone()
                .find(|slot| slot.owner == Some(partition.uuid))
            {
                return Err(format!(
                    "Partition {} owns the physical I/O slot {}. Remove it before migrating.",
                    partition.name, slot.location
                ));
            }
            self.check_room_for_migration(system, manner)?;
        }
        if manner == Manner::Active {
            if !partition.rmc.is_up() {
                return Err(format!(
                    "HSCLA246 The management console cannot communicate with partition {}. Either the network connection is not available, or the partition does not have a level of software that supports the operation.",
                    partition.name
                ));
            }
            if !partition.capabilities.dynamic_memory || !partition.capabilities.dynamic_processors
            {
                return Err(format!(
                    "The operating system of partition {} does not support migration.",
                    partition.name
                ));
            }
            self.check_mover(partition.system)?;
        }
        Ok(manner)
    }

    /// Whether a system may take a partition in, but for its storage and networks.
    ///
    /// # Errors
    /// Why it may not.
    pub(super) fn check_entry(
        &self,
        target: &ManagedSystem,
        bundle: &Bundle,
        manner: Manner,
        options: &Options,
    ) -> Result<(), String> {
        let partition = &bundle.partition;
        if target.uuid == partition.system {
            return Err(format!(
                "Partition {} is on system {} already.",
                partition.name, target.name
            ));
        }
        if target.state != SystemState::Operating {
            return Err(format!("System {} is {}.", target.name, target.state));
        }
        check_mobility(target, partition, manner)?;
        self.check_room_for_migration(target, manner)?;
        if manner == Manner::Active {
            self.check_mover(target.uuid)?;
            let mode = partition.current_compatibility;
            if !target.processors.compatibility_modes.contains(&mode) {
                return Err(format!(
                    "The processor compatibility mode {mode} of partition {} is not supported by system {}.",
                    partition.name, target.name
                ));
            }
        }
        let region = bundle.region;
        if region != target.memory.region {
            return Err(format!(
                "The memory region size of {region} MB differs from the {} MB of system {}.",
                target.memory.region, target.name
            ));
        }
        self.check_place(target, partition, options)?;
        let taken = |number: &String| {
            let mut others = self.systems.values();
            others.any(|other| {
                other.uuid != partition.system && other.serial_numbers.contains_key(number)
            })
        };
        if let Some(number) = partition.serial_number.as_ref().filter(|own| taken(own)) {
            return Err(format!(
                "The virtual serial number {number} exists already."
            ));
        }
        if manner.runs_there() {
            self.check_resources(target, partition, manner)?;
        }
        Ok(())
    }

    fn check_place(
        &self,
        target: &ManagedSystem,
        partition: &Partition,
        options: &Options,
    ) -> Result<(), String> {
        let there = || self.all_partitions_of(target.uuid);
        let kept = || {
            self.arriving_at(target.uuid)
                .filter(|migration| migration.partition != partition.uuid)
        };
        if there().any(|other| other.name == partition.name)
            || kept().any(|migration| migration.name == partition.name)
        {
            return Err(format!(
                "HSCL05DE System {} has a partition named {} already.",
                target.name, partition.name
            ));
        }
        if let Some(id) = options.partition_id
            && (id == 0
                || there().any(|other| other.id == id)
                || kept().any(|migration| migration.id == id))
        {
            return Err(format!(
                "HSCL0617 The partition ID {id} is already in use on system {}.",
                target.name
            ));
        }
        let count = there().count() + kept().count();
        if count >= usize::from(target.maximum_partitions) {
            return Err(format!(
                "System {} has its maximum of {} partitions.",
                target.name, target.maximum_partitions
            ));
        }
        let macs = there()
            .flat_map(|other| other.network_adapters.values())
            .map(|adapter| adapter.mac);
        let own = |mac: u64| {
            partition
                .network_adapters
                .values()
                .any(|own| own.mac == mac)
        };
        if let Some(mac) = macs.into_iter().find(|mac| own(*mac)) {
            return Err(format!(
                "The MAC address {mac:012X} is in use on system {}.",
                target.name
            ));
        }
        Ok(())
    }

    fn check_resources(
        &self,
        target: &ManagedSystem,
        partition: &Partition,
        manner: Manner,
    ) -> Result<(), String> {
        let (memory, units) = needs(target, partition, manner);
        let kept = self.migrations.get(&partition.uuid);
        let (kept_memory, kept_units) =
            kept.map_or((0, ProcUnits::ZERO), |kept| (kept.memory, kept.processors));
        let available = self.available_memory(target.uuid) + kept_memory;
        if memory > available {
            return Err(format!(
                "HSCL03EC There is not enough memory on system {} for partition {}: it needs {memory} MB, and {available} MB are available.",
                target.name, partition.name
            ));
        }
        let free = self.available_processors(target.uuid).plus(kept_units);
        if units > free {
            return Err(format!(
                "HSCL03F4 There are not enough processing resources on system {} for partition {}: it needs {units}, and {free} are available.",
                target.name, partition.name
            ));
        }
        Ok(())
    }

    /// A mover service partition copies memory; some Virtual I/O Server has to be up for it.
    pub(super) fn check_mover(&self, system: uuid::Uuid) -> Result<(), String> {
        if self
            .vioses_of(system)
            .any(|vios| vios.mover && self.check_vios_is_ready(vios).is_ok())
        {
            return Ok(());
        }
        let name = self.systems.get(&system).map(|system| system.name.as_str());
        Err(format!(
            "There is no mover service partition on system {} that the management console can communicate with.",
            name.unwrap_or_default()
        ))
    }

    fn check_room_for_migration(
        &self,
        system: &ManagedSystem,
        manner: Manner,
    ) -> Result<(), String> {
        let (active, inactive) = self.migrations_in_progress(system.uuid);
        let (there, most) = match manner {
            Manner::Active => (active, system.migration.active),
            Manner::Inactive | Manner::Restart => (inactive, system.migration.inactive),
        };
        if there < most {
            return Ok(());
        }
        Err(format!(
            "System {} has its maximum of {most} migrations in progress.",
            system.name
        ))
    }
}

pub(super) fn not_set_up(options: &Options, console: &str) -> String {
    format!(
        "HSCL3653 The Secure Shell communication configuration between the source and target management consoles has not been set up properly for the user {} on {console}. Run mkauthkeys and try again.",
        options.user.as_deref().unwrap_or_default()
    )
}

impl ManagedSystem {
    /// Whether a job means this system: by its name, or by type-model*serial.
    pub(super) fn is_called(&self, name: &str) -> bool {
        self.name == name || self.machine.to_string() == name
    }

    /// The same of `RemoteRestart`, which may name its UUID as well.
    pub(super) fn is_called_by(&self, manner: Manner, name: &str) -> bool {
        let uuid = || self.uuid.to_string().eq_ignore_ascii_case(name);
        self.is_called(name) || (manner == Manner::Restart && uuid())
    }
}

/// Memory in megabytes and processing units that a partition takes of a system when it arrives, page table included.
pub(super) fn needs(
    target: &ManagedSystem,
    partition: &Partition,
    manner: Manner,
) -> (u64, ProcUnits) {
    if !manner.runs_there() {
        return (0, ProcUnits::ZERO);
    }
    let overhead = partition.memory.overhead(target.memory.region);
    (
        partition.memory.current.saturating_add(overhead),
        partition.processors.current.desired_units(),
    )
}

fn check_mobility(
    system: &ManagedSystem,
    partition: &Partition,
    manner: Manner,
) -> Result<(), String> {
    let capable = match manner {
        Manner::Active => system.capabilities.active_mobility,
        Manner::Inactive | Manner::Restart => system.capabilities.inactive_mobility,
    };
    let ibmi = partition.kind == PartitionKind::IbmI;
    if !capable || (ibmi && !system.capabilities.ibmi_mobility) {
        return Err(format!(
            "System {} does not support the migration of partition {}.",
            system.name, partition.name
        ));
    }
    if ibmi && !partition.settings.restricted_io {
        return Err(format!(
            "IBM i partition {} must have restricted I/O to be migrated.",
            partition.name
        ));
    }
    if partition.memory.shared.is_some() && system.memory_pool.is_none() {
        return Err(format!(
            "System {} has no shared memory pool for partition {}.",
            system.name, partition.name
        ));
    }
    Ok(())
}
