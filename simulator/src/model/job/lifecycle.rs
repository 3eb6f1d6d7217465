//! A job is submitted, begins, ends, and is deleted or forgotten (`docs/protocol/jobs.md`).

use std::sync::Arc;

use super::catalogue::Operation;
use super::{Job, JobTarget, MASK, is_secret};
use crate::clock::Millis;
use crate::model::agenda::Effect;
use crate::model::command::{Outcome, SubmitJob};
use crate::model::names::JobStatus;
use crate::model::refusal::Refusal;
use crate::model::resource::{Owner, Resource};
use crate::model::world::World;

/// How long a finished job is kept for whoever asked for it, in milliseconds.
pub const RETENTION: u64 = 24 * 3_600_000;
/// How many jobs are kept; beyond that the oldest finished ones are forgotten.
pub const KEPT: usize = 4096;

/// What a job came to.
pub(in crate::model) enum End {
    /// `COMPLETED_OK` with these results.
    Ok(Vec<(String, String)>),
    /// `COMPLETED_WITH_ERROR` with this text as `result`.
    Failed(String),
    /// The same with more results.
    FailedWith(String, Vec<(String, String)>),
    /// `FAILED_BEFORE_COMPLETION` with this exception.
    Exception(String),
}

impl World {
    /// # Errors
    /// 404 for a target that does not exist, 400 `REST0006` for an operation that it does not have.
    pub(in crate::model) fn submit_job(
        &mut self,
        now: Millis,
        request: SubmitJob,
    ) -> Result<Outcome, Refusal> {
        self.check_target(request.target)?;
        if Operation::find(self.flavor, request.target, &request.operation).is_none() {
            return Err(Refusal::no_such_operation());
        }
        let id = self.ids.job();
        let job = Job {
            id,
            target: request.target,
            system: self.system_of_job(request.target),
            operation: request.operation,
            parameters: request.parameters,
            status: JobStatus::NotStarted,
            submitted: now,
            started: None,
            completed: None,
            results: Vec::new(),
            exception: None,
            progress: None,
            fate: self.take_fate(),
            version: self.touch(),
        };
        self.jobs.insert(id, Arc::new(job));
        self.forget_surplus_jobs();
        let wait = self.pace.job_start.draw(&mut self.ids);
        self.agenda.plan(now.plus(wait), Effect::StartJob(id));
        Ok(Outcome::Written(Resource::Job(id)))
    }

    pub(in crate::model) fn cancel_job(
        &mut self,
        now: Millis,
        id: u64,
    ) -> Result<Outcome, Refusal> {
        let job = self.jobs.get(&id).ok_or_else(|| no_such_job(id))?;
        let status = match job.status {
            JobStatus::NotStarted => JobStatus::CanceledBeforeStart,
            JobStatus::Running => JobStatus::CanceledWhileRunning,
            _ => return Ok(Outcome::Written(Resource::Job(id))),
        };
        self.close_job(now, id, status, Vec::new(), None);
        self.cancel_migration(now, id);
        Ok(Outcome::Written(Resource::Job(id)))
    }

    pub(in crate::model) fn delete_job(&mut self, id: u64) -> Result<Outcome, Refusal> {
        let job = self.jobs.get(&id).ok_or_else(|| no_such_job(id))?;
        if !job.status.is_final() {
            return Err(Refusal::bad_request(format!(
                "Job {id} is {} and cannot be deleted. Cancel it first.",
                job.status
            )));
        }
        self.jobs.remove(&id);
        Ok(Outcome::Deleted(Resource::Job(id)))
    }

    /// The job leaves `NOT_STARTED`, unless someone cancelled or deleted it.
    pub(in crate::model) fn start_job(&mut self, now: Millis, id: u64) {
        let Some(job) = self
            .jobs
            .get(&id)
            .map(Arc::clone)
            .filter(|job| job.status == JobStatus::NotStarted)
        else {
            return;
        };
        self.edit_job(id, |job| {
            job.status = JobStatus::Running;
            job.started = Some(now);
        });
        if let Some(end) = job.fate.clone() {
            let wait = self.pace.refusal.draw(&mut self.ids);
            let effect = Effect::FinishJob { job: id, end };
            return self.agenda.plan(now.plus(wait), effect);
        }
        match Operation::find(self.flavor, job.target, &job.operation) {
            Some(Operation::PowerOn | Operation::ActivateCurrentProfile) => {
                self.begin_power_on(now, &job)
            }
            Some(Operation::PowerOff) => self.begin_power_off(now, &job),
            Some(Operation::Migrate) => self.begin_migration(now, &job),
            Some(Operation::MigrateValidate) => self.begin_validation(now, &job),
            Some(Operation::MigrateRecover) => self.begin_recovery(now, &job),
            Some(Operation::RemoteRestart) => self.begin_remote_restart(now, &job),
            Some(Operation::Suspend) => self.begin_suspend(now, &job),
            Some(Operation::Resume) => self.begin_resume(now, &job),
            Some(operation) => {
                let end = self.run_job(now, operation, &job);
                let wait = self.pace.other_job.draw(&mut self.ids);
                self.plan_end(now.plus(wait), id, end);
            }
            None => self.plan_end(
                now,
                id,
                End::Exception(format!("REST0006 No such Operation {}.", job.operation)),
            ),
        }
    }

    /// A job that is refused ends a moment after its start.
    pub(in crate::model) fn refuse_job(&mut self, now: Millis, id: u64, text: impl Into<String>) {
        let wait = self.pace.refusal.draw(&mut self.ids);
        self.plan_end(now.plus(wait), id, End::Failed(text.into()));
    }

    /// Plans how a running job ends.
    pub(in crate::model) fn plan_end(&mut self, at: Millis, job: u64, end: End) {
        self.agenda.plan(
            at,
            Effect::FinishJob {
                job,
                end: end.into(),
            },
        );
    }

    /// Ends a running job now; one that has ended already, or has gone, is left alone.
    pub(in crate::model) fn finish_job(&mut self, now: Millis, id: u64, end: &JobEnd) {
        if self.jobs.get(&id).is_none_or(|job| job.status.is_final()) {
            return;
        }
        self.close_job(
            now,
            id,
            end.status,
            end.results.clone(),
            end.exception.clone(),
        );
    }

    fn close_job(
        &mut self,
        now: Millis,
        id: u64,
        status: JobStatus,
        results: Vec<(String, String)>,
        exception: Option<String>,
    ) {
        self.edit_job(id, |job| {
            job.status = status;
            job.completed = Some(now);
            // Nobody needs a secret that has done its work.
            for (_, value) in job
                .parameters
                .iter_mut()
                .filter(|(name, _)| is_secret(name))
            {
                MASK.clone_into(value);
            }
            job.results = results;
            job.exception = exception;
        });
    }

    pub(in crate::model) fn edit_job(&mut self, id: u64, change: impl FnOnce(&mut Job)) {
        let version = self.touch();
        if let Some(job) = self.jobs.get_mut(&id).map(Arc::make_mut) {
            change(job);
            job.version = version;
        }
    }

    /// Jobs that ended long ago go, oldest first.
    pub(in crate::model) fn forget_old_jobs(&mut self, now: Millis) {
        while let Some(id) = self.old_job(now) {
            self.jobs.remove(&id);
        }
    }

    /// The oldest job, if it ended so long ago that it is to be forgotten.
    pub(in crate::model) fn old_job(&self, now: Millis) -> Option<u64> {
        let (id, job) = self.jobs.get_min()?;
        let is_old = job
            .completed
            .is_some_and(|completed| now >= completed.plus(RETENTION));
        is_old.then_some(*id)
    }

    fn forget_surplus_jobs(&mut self) {
        let surplus = self.jobs.len().saturating_sub(KEPT);
        if surplus > 0 {
            let finished = self
                .jobs
                .values()
                .filter(|job| job.status.is_final())
                .map(|job| job.id);
            for id in finished.take(surplus).collect::<Vec<u64>>() {
                self.jobs.remove(&id);
            }
        }
    }

    fn check_target(&self, target: JobTarget) -> Result<(), Refusal> {
        let there = match target {
            JobTarget::LogicalPartition(uuid) => self.partitions.contains_key(&uuid),
            JobTarget::VirtualIoServer(uuid) => self.vioses.contains_key(&uuid),
            JobTarget::ManagedSystem(uuid) => self.systems.contains_key(&uuid),
            JobTarget::ManagementConsole(uuid) => {
                uuid.is_none_or(|uuid| self.console_named(uuid).is_some())
            }
            JobTarget::Cluster(uuid) => uuid.is_none_or(|uuid| self.clusters.contains_key(&uuid)),
        };
        match target.uuid().filter(|_| !there) {
            Some(uuid) => Err(Refusal::not_found(target.group_name(), uuid)),
            None => Ok(()),
        }
    }
}

/// How a job will end, as the agenda holds it.
#[derive(serde::Serialize, serde::Deserialize, Clone, Debug, PartialEq, Eq)]
pub struct JobEnd {
    /// `Status`
    pub status: JobStatus,
    /// `Results`
    pub results: Vec<(String, String)>,
    /// `ResponseException/Message`
    pub exception: Option<String>,
}

impl From<End> for JobEnd {
    fn from(end: End) -> Self {
        let pair = |name: &str, value: String| (name.to_owned(), value);
        match end {
            End::Ok(results) => Self {
                status: JobStatus::CompletedOk,
                results: [vec![pair("returnCode", "0".to_owned())], results].concat(),
                exception: None,
            },
            End::Failed(text) => Self {
                status: JobStatus::CompletedWithError,
                results: vec![pair("returnCode", "1".to_owned()), pair("result", text)],
                exception: None,
            },
            End::FailedWith(text, results) => Self {
                status: JobStatus::CompletedWithError,
                results: [
                    vec![pair("returnCode", "1".to_owned()), pair("result", text)],
                    results,
                ]
                .concat(),
                exception: None,
            },
            End::Exception(message) => Self {
                status: JobStatus::FailedBeforeCompletion,
                results: Vec::new(),
                exception: Some(message),
            },
        }
    }
}

impl JobTarget {
    /// The partition that the job works on.
    #[must_use]
    pub const fn owner(self) -> Option<Owner> {
        match self {
            Self::LogicalPartition(uuid) => Some(Owner::Partition(uuid)),
            Self::VirtualIoServer(uuid) => Some(Owner::Vios(uuid)),
            _ => None,
        }
    }
}

fn no_such_job(id: u64) -> Refusal {
    Refusal::new(
        404,
        Refusal::UNKNOWN_RESOURCE,
        format!("REST0005 No such Job {id}"),
    )
}
