//! A partition is written to disk and read back: `Suspend` and `Resume` of an HMC (`docs/protocol/mobility.md`).

use std::sync::Arc;

use uuid::Uuid;

use super::Job;
use super::lifecycle::End;
use crate::clock::Millis;
use crate::model::agenda::Effect;
use crate::model::names::{PartitionState, ProgressState, RmcState};
use crate::model::partition::{Partition, PartitionCapabilities};
use crate::model::resource::Owner;
use crate::model::world::World;

/// What a suspension goes through.
const SUSPENDING: [ProgressState; 5] = [
    ProgressState::HibernateValidating,
    ProgressState::HibernatePreparing,
    ProgressState::HibernateSavingHmcData,
    ProgressState::HibernateSavingPartitionData,
    ProgressState::HibernateCompleting,
];
/// What a resumption goes through.
const RESUMING: [ProgressState; 6] = [
    ProgressState::ResumeValidating,
    ProgressState::ResumePreparing,
    ProgressState::ResumeReadingHmcData,
    ProgressState::ResumeReadingPartitionData,
    ProgressState::ResumeRestoringPartitionData,
    ProgressState::ResumeCompleting,
];

impl World {
    pub(in crate::model) fn validate_suspend(&self, job: &Job, resume: bool) -> End {
        let checked = if resume {
            self.check_resume(job)
        } else {
            self.check_suspend(job)
        };
        match checked {
            Ok(_) => End::Ok(vec![("result".to_owned(), String::new())]),
            Err(why) => End::Failed(why),
        }
    }

    pub(in crate::model) fn begin_suspend(&mut self, now: Millis, job: &Job) {
        match self.check_suspend(job) {
            Ok(partition) => {
                self.set_out(
                    now,
                    &partition,
                    job,
                    PartitionState::Suspending,
                    SUSPENDING[0],
                );
            }
            Err(why) => self.refuse_job(now, job.id, why),
        }
    }

    pub(in crate::model) fn begin_resume(&mut self, now: Millis, job: &Job) {
        match self.check_resume(job) {
            Ok(partition) => {
                self.edit_partition(Owner::Partition(partition.uuid), |partition| {
                    partition.memory.active = true;
                    partition.processors.active = true;
                });
                self.set_out(now, &partition, job, PartitionState::Resuming, RESUMING[0]);
                self.touch_system(now, partition.system);
            }
            Err(why) => self.refuse_job(now, job.id, why),
        }
    }

    fn set_out(
        &mut self,
        now: Millis,
        partition: &Partition,
        job: &Job,
        state: PartitionState,
        progress: ProgressState,
    ) {
        let owner = Owner::Partition(partition.uuid);
        self.edit_partition(owner, |partition| {
            partition.activation += 1;
            partition.state = state;
            partition.rmc = RmcState::Inactive;
            partition.capabilities = PartitionCapabilities::default();
            partition.progress = Some(progress);
        });
        self.announce_partition(now, owner, "PartitionState,ProgressState,Other");
        self.plan_progress(now, partition.uuid, job.id);
    }

    /// The next step, or the end; a power-off in between ends it.
    pub(in crate::model) fn step_progress(
        &mut self,
        now: Millis,
        uuid: Uuid,
        activation: u64,
        job: u64,
    ) {
        let owner = Owner::Partition(uuid);
        let there = self.partitions.get(&uuid).map(Arc::clone);
        let Some(partition) = there.filter(|partition| partition.activation == activation) else {
            let end = End::Failed("HSCL05DF The operation was ended by a power-off.".to_owned());
            return self.finish_job(now, job, &end.into());
        };
        let steps: &[ProgressState] = if partition.state == PartitionState::Suspending {
            &SUSPENDING
        } else {
            &RESUMING
        };
        let at = steps
            .iter()
            .position(|step| Some(*step) == partition.progress);
        if let Some(next) = at.and_then(|at| steps.get(at + 1)) {
            self.edit_partition(owner, |partition| partition.progress = Some(*next));
            self.announce_partition(now, owner, "ProgressState,Other");
            return self.plan_progress(now, uuid, job);
        }
        if partition.state == PartitionState::Suspending {
            self.edit_partition(owner, |partition| {
                partition.state = PartitionState::Suspended;
                partition.progress = None;
                partition.memory.active = false;
                partition.processors.active = false;
            });
            self.touch_system(now, partition.system);
        } else {
            self.edit_partition(owner, |partition| {
                partition.state = PartitionState::Running;
                partition.progress = None;
            });
            let rmc = self.pace.rmc.draw(&mut self.ids);
            self.agenda
                .plan(now.plus(rmc), Effect::RmcConnected { owner, activation });
        }
        self.announce_partition(now, owner, "PartitionState,ProgressState,Other");
        let done = End::Ok(vec![("result".to_owned(), String::new())]);
        self.finish_job(now, job, &done.into());
    }

    fn plan_progress(&mut self, now: Millis, partition: Uuid, job: u64) {
        let activation = self
            .partitions
            .get(&partition)
            .map_or(0, |partition| partition.activation);
        let wait = self.pace.suspend_step.draw(&mut self.ids);
        self.agenda.plan(
            now.plus(wait),
            Effect::ProgressStep {
                partition,
                activation,
                job,
            },
        );
    }

    fn check_suspend(&self, job: &Job) -> Result<Arc<Partition>, String> {
        let partition = self.target_partition(job)?;
        if partition.state != PartitionState::Running {
            return Err(in_state(&partition, "running to be suspended"));
        }
        if partition.is_management {
            return Err("The management partition cannot be suspended.".to_owned());
        }
        if !partition.settings.suspend {
            return Err(format!(
                "Partition {} is not capable of being suspended.",
                partition.name
            ));
        }
        if !partition.rmc.is_up() {
            return Err(self.no_rmc(&partition).message);
        }
        Ok(partition)
    }

    fn check_resume(&self, job: &Job) -> Result<Arc<Partition>, String> {
        let partition = self.target_partition(job)?;
        if partition.state != PartitionState::Suspended {
            return Err(in_state(&partition, "suspended to be resumed"));
        }
        let region = self
            .systems
            .get(&partition.system)
            .map_or(1, |system| system.memory.region);
        let needed = partition.memory.current + partition.memory.overhead(region);
        let available = self.available_memory(partition.system);
        if needed > available {
            return Err(format!(
                "HSCL03EC There is not enough memory to resume partition {}: it needs {needed} MB, and {available} MB are available.",
                partition.name
            ));
        }
        let units = partition.processors.current.desired_units();
        let free = self.available_processors(partition.system);
        if units > free {
            return Err(format!(
                "HSCL03F4 There are not enough processing resources to resume partition {}: it needs {units}, and {free} are available.",
                partition.name
            ));
        }
        Ok(partition)
    }

    /// The partition that a job of partitions works on.
    pub(super) fn target_partition(&self, job: &Job) -> Result<Arc<Partition>, String> {
        job.target
            .uuid()
            .and_then(|uuid| self.partitions.get(&uuid).map(Arc::clone))
            .ok_or_else(|| "HSCL8012 The partition was not found on the managed system.".to_owned())
    }
}

fn in_state(partition: &Partition, needed: &str) -> String {
    format!(
        "HSCL05DF Partition {} is {}. It must be {needed}.",
        partition.name, partition.state
    )
}
