//! Who manages a system, and whether it is on.

use std::sync::Arc;

use uuid::Uuid;

use super::Job;
use super::lifecycle::End;
use crate::clock::Millis;
use crate::model::command::{Command, Outcome};
use crate::model::names::{Flavor, PartitionState, RmcState, SystemState};
use crate::model::partition::{Partition, PartitionCapabilities};
use crate::model::refusal::Refusal;
use crate::model::resource::{Owner, Resource};
use crate::model::world::World;

impl World {
    /// Jobs `RequestMaster` and `RequestController`: this console becomes the one that may change the system, for good
    /// (`norm`) or until it lets go (`temp`).
    pub(super) fn request_control(&mut self, now: Millis, job: &Job, parameter: &str) -> End {
        let temporary = match job.parameter(parameter).map(str::trim) {
            None | Some("norm") => false,
            Some("temp") => true,
            Some(other) => {
                return End::Failed(format!(
                    "The value {other} of {parameter} is not norm or temp."
                ));
            }
        };
        let Some(system) = job.target.uuid().and_then(|uuid| self.system(uuid).ok()) else {
            return End::Failed("The managed system was not found.".to_owned());
        };
        // Whoever has it for good does not lose it by asking for it for a while.
        let temporary = temporary && (!system.is_controller || system.is_temporary_controller);
        self.edit_system(system.uuid, |system| {
            system.is_controller = true;
            system.is_temporary_controller = temporary;
        });
        self.touch_system(now, system.uuid);
        End::Ok(vec![("result".to_owned(), String::new())])
    }

    /// Jobs `ReleaseMaster` and `ReleaseController`.
    pub(super) fn release_control(&mut self, now: Millis, job: &Job) -> End {
        let Some(system) = job.target.uuid().and_then(|uuid| self.system(uuid).ok()) else {
            return End::Failed("The managed system was not found.".to_owned());
        };
        if !system.is_controller {
            return End::Failed(format!(
                "This management console is not the controller of system {}.",
                system.name
            ));
        }
        self.edit_system(system.uuid, |system| {
            system.is_controller = false;
            system.is_temporary_controller = false;
        });
        self.touch_system(now, system.uuid);
        End::Ok(vec![("result".to_owned(), String::new())])
    }

    /// With two consoles on a system, the one that is not its controller may only look (`docs/protocol/jobs.md`). Of
    /// several NovaLinks each answers for its own system, so that their common world refuses nothing: its views do.
    pub(crate) fn check_control(&self, command: &Command) -> Result<(), Refusal> {
        if self.flavor == Flavor::Hmc || self.systems.len() > 1 {
            return Ok(());
        }
        let system = self.systems.values().find(|system| !system.is_controller);
        let Some(system) = system.filter(|_| command.changes_a_system()) else {
            return Ok(());
        };
        Err(Refusal::logic(format!(
            "This management console is not the controller of system {}. Request control first.",
            system.name
        )))
    }

    /// Job `PowerOff` of a managed system.
    pub(super) fn power_off_system(&mut self, now: Millis, job: &Job) -> End {
        let Some(system) = job.target.uuid().and_then(|uuid| self.system(uuid).ok()) else {
            return End::Failed("The managed system was not found.".to_owned());
        };
        if system.state == SystemState::PowerOff {
            return End::Failed(format!("System {} is powered off already.", system.name));
        }
        let active = |partition: &&Partition| partition.state.holds_resources();
        if let Some(active) = self.all_partitions_of(system.uuid).find(active) {
            return End::Failed(format!(
                "HSCL0831 System {} cannot be powered off while partitions are running: partition {} is {}.",
                system.name, active.name, active.state
            ));
        }
        self.enter_state(now, system.uuid, SystemState::PowerOff);
        End::Ok(vec![("result".to_owned(), String::new())])
    }

    /// Job `PowerOn` of a managed system.
    pub(super) fn power_on_system(&mut self, now: Millis, job: &Job) -> End {
        let Some(system) = job.target.uuid().and_then(|uuid| self.system(uuid).ok()) else {
            return End::Failed("The managed system was not found.".to_owned());
        };
        if system.state == SystemState::Operating {
            return End::Failed(format!("System {} is operating already.", system.name));
        }
        self.enter_state(now, system.uuid, SystemState::Operating);
        End::Ok(vec![("result".to_owned(), String::new())])
    }

    pub(in crate::model) fn set_system_state(
        &mut self,
        now: Millis,
        system: Uuid,
        state: SystemState,
    ) -> Result<Outcome, Refusal> {
        self.system(system)?;
        self.enter_state(now, system, state);
        Ok(Outcome::Written(Resource::ManagedSystem(system)))
    }

    /// Partitions of a system that does not operate are `not available`; when it comes back they are off.
    fn enter_state(&mut self, now: Millis, system: Uuid, state: SystemState) {
        let operating = state == SystemState::Operating;
        if !operating {
            self.drop_migrations_of(now, system);
        }
        self.edit_system(system, |system| system.state = state);
        let owners: Vec<Owner> = self
            .partitions_of(system)
            .map(|partition| Owner::Partition(partition.uuid))
            .chain(
                self.vioses_of(system)
                    .map(|vios| Owner::Vios(vios.partition.uuid)),
            )
            .collect();
        for owner in owners {
            let there = self.partition(owner).map(|partition| partition.state);
            let new = match (operating, there) {
                (false, _) => PartitionState::NotAvailable,
                // A peer has been asked to take it in and has not said that it did not.
                (true, Some(PartitionState::NotAvailable))
                    if self.partition(owner).is_some_and(Partition::is_in_hand) =>
                {
                    PartitionState::MigratingNotActive
                }
                (true, Some(PartitionState::NotAvailable)) => PartitionState::NotActivated,
                (true, _) => continue,
            };
            self.edit_partition(owner, |partition| {
                partition.activation += 1;
                partition.state = new;
                partition.progress = None;
                partition.started = None;
                partition.reference_code = Partition::OFF_CODE.to_owned();
                partition.capabilities = PartitionCapabilities::default();
                if partition.rmc != RmcState::None {
                    partition.rmc = RmcState::Inactive;
                }
                partition.follow_configuration();
            });
            self.announce_partition(now, owner, "PartitionState,Other");
        }
        self.touch_system(now, system);
    }

    fn drop_migrations_of(&mut self, now: Millis, system: Uuid) {
        let ours: Vec<Uuid> = self
            .migrations
            .values()
            .filter(|migration| migration.source == system || migration.target == system)
            .map(|migration| migration.partition)
            .collect();
        for partition in ours {
            self.break_off_migration(now, partition);
        }
    }

    /// Closes the console of a partition that goes to another identity or system.
    pub(super) fn partition_named(&self, system: Uuid, name: &str) -> Option<Arc<Partition>> {
        self.partitions_of(system)
            .find(|partition| partition.name == name)
            .map(Arc::clone)
    }
}

impl Command {
    /// Whether the command changes a managed system or what belongs to it, as far as REST clients ask for it.
    const fn changes_a_system(&self) -> bool {
        !matches!(
            self,
            Self::UpdateConsole { .. }
                | Self::SubmitJob(_)
                | Self::CancelJob(_)
                | Self::DeleteJob(_)
                | Self::CreateFile(_)
                | Self::CommitFile { .. }
                | Self::DeleteFile(_)
                | Self::TakeEvents { .. }
                | Self::ForgetEvents { .. }
                | Self::PushEvent { .. }
                | Self::OpenConsole(_)
                | Self::SetSystemState { .. }
                | Self::UpdateMonitoring(_)
                | Self::CreateSanVolume(_)
                | Self::MapSanVolume { .. }
                | Self::UnmapSanVolume { .. }
                | Self::ExtendSanVolume { .. }
                | Self::DeleteSanVolume(_)
                | Self::StrandAdapter { .. }
        )
    }
}
