//! Virtual serial numbers: handed out by IBM for a system, given to partitions, moved between systems.
//!
//! Recording `vsn`; the jobs are those of `docs/protocol/jobs.md`.

use std::sync::Arc;
use uuid::Uuid;

use super::names::EventKind;
use super::refusal::Refusal;
use super::resource::{Owner, Resource};
use super::world::World;
use crate::clock::Millis;

/// `VirtualSerialNumberInformation`
#[derive(serde::Serialize, serde::Deserialize, Clone, Debug, PartialEq, Eq)]
pub struct VirtualSerialNumber {
    /// Its UUID.
    pub uuid: Uuid,
    /// `VirtualSerialNumber`: seven upper-case letters and digits.
    pub number: String,
    /// The partition that has it; `AssociatedPartitionId` is 65535 without one.
    pub partition: Option<Uuid>,
    /// `IsAutoAssignCapable`: whether a partition that asks for any number may get it.
    pub auto_assign: bool,
    /// Changes with the document.
    pub version: u64,
}

/// What a partition that wants any number asks for.
pub const ANY: &str = "auto";

impl VirtualSerialNumber {
    /// A number that nobody has.
    #[must_use]
    pub fn unused(system: Uuid, number: &str, version: u64) -> Self {
        Self {
            uuid: Uuid::new_v3(
                &system,
                format!("VirtualSerialNumberInformation/{number}").as_bytes(),
            ),
            number: number.to_owned(),
            partition: None,
            auto_assign: true,
            version,
        }
    }

    /// Whether a text has the form of a number.
    #[must_use]
    pub fn is_valid(number: &str) -> bool {
        number.len() == 7
            && number
                .bytes()
                .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
    }
}

impl World {
    /// The number for a new partition: the one that it names, or any that is free.
    pub(super) fn choose_serial_number(&self, system: Uuid, wish: &str) -> Result<String, Refusal> {
        let there = self.system(system)?;
        let free = |number: &VirtualSerialNumber| number.partition.is_none();
        if wish.eq_ignore_ascii_case(ANY) {
            let found = there
                .serial_numbers
                .values()
                .find(|number| free(number) && number.auto_assign);
            return found.map(|number| number.number.clone()).ok_or_else(|| {
                Refusal::logic(format!(
                    "System {} has no virtual serial number left to assign.",
                    there.name
                ))
            });
        }
        match there.serial_numbers.get(wish) {
            Some(number) if free(number) => Ok(number.number.clone()),
            Some(_) => Err(Refusal::logic(format!(
                "The virtual serial number {wish} is assigned to another partition."
            ))),
            None => Err(Refusal::logic(format!(
                "System {} has no such virtual serial number.",
                there.name
            ))),
        }
    }

    /// Gives a number to a partition.
    pub(super) fn assign_serial_number(
        &mut self,
        now: Millis,
        system: Uuid,
        number: &str,
        partition: Uuid,
    ) {
        self.edit_serial_number(now, system, number, |serial| {
            serial.partition = Some(partition);
        });
    }

    /// Takes the number of a partition back; with `reset` it may be assigned to any partition again.
    pub(super) fn release_serial_number(
        &mut self,
        now: Millis,
        system: Uuid,
        number: &str,
        reset: bool,
    ) {
        self.edit_serial_number(now, system, number, |serial| {
            serial.partition = None;
            serial.auto_assign = reset;
        });
    }

    /// Changes the number of a partition, as its owner asks by posting the element.
    pub(super) fn change_serial_number(
        &mut self,
        now: Millis,
        partition: Uuid,
        wish: &str,
        reset: bool,
    ) -> Result<(), Refusal> {
        let Some(there) = self.partitions.get(&partition).map(Arc::clone) else {
            return Ok(());
        };
        if there.serial_number.as_deref() == Some(wish) {
            return Ok(());
        }
        if there.state.holds_resources() {
            return Err(Refusal::logic(format!(
                "HSCL05DF Partition {} is {}: its virtual serial number cannot be changed in this state.",
                there.name, there.state
            )));
        }
        let chosen = if wish.is_empty() || wish.eq_ignore_ascii_case("none") {
            None
        } else {
            Some(self.choose_serial_number(there.system, wish)?)
        };
        if let Some(before) = &there.serial_number {
            self.release_serial_number(now, there.system, before, reset);
        }
        if let Some(number) = &chosen {
            self.assign_serial_number(now, there.system, number, partition);
        }
        self.edit_partition(Owner::Partition(partition), |partition| {
            partition.serial_number = chosen;
        });
        Ok(())
    }

    /// Job `AddVSN`: a number that IBM has issued for the system.
    pub(super) fn add_serial_number(
        &mut self,
        now: Millis,
        system: Uuid,
        number: &str,
    ) -> Result<(), String> {
        if !VirtualSerialNumber::is_valid(number) {
            return Err(format!(
                "The virtual serial number {number} must have seven upper-case letters and digits."
            ));
        }
        if self
            .systems
            .values()
            .any(|system| system.serial_numbers.contains_key(number))
        {
            return Err(format!(
                "The virtual serial number {number} exists already."
            ));
        }
        let made = VirtualSerialNumber::unused(system, number, self.touch());
        let resource = Resource::VirtualSerialNumber {
            system,
            number: made.uuid,
        };
        self.edit_system(system, |system| {
            system
                .serial_numbers
                .insert(made.number.clone(), Arc::new(made));
        });
        self.announce(now, EventKind::AddUri, resource, "");
        Ok(())
    }

    /// Job `RemoveVSN`: the number goes, or with `reset` it only becomes free for any partition again.
    pub(super) fn remove_serial_number(
        &mut self,
        now: Millis,
        system: Uuid,
        number: &str,
        reset: bool,
    ) -> Result<(), String> {
        let there = self.unassigned_serial_number(system, number)?;
        if reset {
            self.edit_serial_number(now, system, number, |serial| serial.auto_assign = true);
            return Ok(());
        }
        let resource = Resource::VirtualSerialNumber {
            system,
            number: there.uuid,
        };
        self.announce(now, EventKind::DeleteUri, resource, "");
        self.edit_system(system, |system| {
            system.serial_numbers.remove(number);
        });
        Ok(())
    }

    /// Job `TransferVSN`: the number goes to another system of this console.
    pub(super) fn transfer_serial_number(
        &mut self,
        now: Millis,
        system: Uuid,
        number: &str,
        target: &str,
    ) -> Result<(), String> {
        let target = self
            .systems
            .values()
            .find(|other| other.name == target || other.machine.to_string() == target)
            .map(|other| other.uuid)
            .ok_or_else(|| format!("The target system {target} was not found."))?;
        if target == system {
            return Err("The target system is the source.".to_owned());
        }
        self.transfer_serial_number_to(now, system, number, target)
    }

    /// As [`World::transfer_serial_number`], to a system that is known.
    pub(super) fn transfer_serial_number_to(
        &mut self,
        now: Millis,
        system: Uuid,
        number: &str,
        target: Uuid,
    ) -> Result<(), String> {
        self.remove_serial_number(now, system, number, false)?;
        self.add_serial_number(now, target, number)
    }

    fn unassigned_serial_number(
        &self,
        system: Uuid,
        number: &str,
    ) -> Result<Arc<VirtualSerialNumber>, String> {
        let there = self
            .systems
            .get(&system)
            .and_then(|system| system.serial_numbers.get(number));
        match there {
            Some(there) if there.partition.is_none() => Ok(Arc::clone(there)),
            Some(_) => Err(format!(
                "The virtual serial number {number} is assigned to a partition."
            )),
            None => Err(format!("The virtual serial number {number} was not found.")),
        }
    }

    fn edit_serial_number(
        &mut self,
        now: Millis,
        system: Uuid,
        number: &str,
        change: impl FnOnce(&mut VirtualSerialNumber),
    ) {
        let version = self.touch();
        let mut changed = None;
        self.edit_system(system, |system| {
            if let Some(serial) = system.serial_numbers.get_mut(number).map(Arc::make_mut) {
                change(serial);
                serial.version = version;
                changed = Some(serial.uuid);
            }
        });
        if let Some(number) = changed {
            let resource = Resource::VirtualSerialNumber { system, number };
            self.announce(now, EventKind::ModifyUri, resource, "Other");
        }
    }
}
