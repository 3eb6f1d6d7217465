//! The course of a migration: begun by a job, driven by the agenda, ended, stopped or recovered.

use std::sync::Arc;
use uuid::Uuid;

use super::check::needs;
use super::{Bundle, Manner, Migration, Options, Phase};
use crate::clock::Millis;
use crate::model::agenda::Effect;
use crate::model::job::Job;
use crate::model::job::lifecycle::End;
use crate::model::names::{MigrationState, PartitionState};
use crate::model::resource::Owner;
use crate::model::system::ManagedSystem;
use crate::model::units::ProcUnits;
use crate::model::world::World;

/// In how many parts memory is copied, each told as progress of the job.
const PARTS: u8 = 4;

/// A migration that everything is checked for.
struct Checked {
    bundle: Bundle,
    target: Arc<ManagedSystem>,
    manner: Manner,
    options: Options,
}

impl World {
    /// Job `MigrateValidate`: everything that `Migrate` checks, and nothing else.
    pub(in crate::model) fn validate_migration(&self, job: &Job) -> End {
        match self.check_migration(job) {
            Ok(_) => End::Ok(vec![("result".to_owned(), String::new())]),
            Err(why) => End::Failed(why),
        }
    }

    /// Job `Migrate`: checks, keeps a place on the target, and sets out.
    pub(in crate::model) fn begin_migration(&mut self, now: Millis, job: &Job) {
        let checked = match self.check_migration(job) {
            Ok(checked) => checked,
            Err(why) => return self.refuse_job(now, job.id, why),
        };
        let Checked {
            bundle,
            target,
            manner,
            options,
        } = checked;
        let partition = &bundle.partition;
        let id = match self.id_for_new_partition(target.uuid, options.partition_id) {
            Ok(id) => id,
            Err(refusal) => return self.refuse_job(now, job.id, refusal.message),
        };
        let (memory, processors) = match manner {
            Manner::Active => needs(&target, partition),
            Manner::Inactive => (0, ProcUnits::ZERO),
        };
        let migration = Migration {
            partition: partition.uuid,
            job: job.id,
            manner,
            phase: Phase::Starting,
            source: partition.system,
            target: target.uuid,
            id,
            name: partition.name.clone(),
            memory,
            processors,
            left: PARTS,
            part: 0,
            options,
        };
        let (source, target) = (migration.source, migration.target);
        self.migrations.insert(partition.uuid, Arc::new(migration));
        self.show_migration(
            now,
            partition.uuid,
            match manner {
                Manner::Active => PartitionState::MigratingRunning,
                Manner::Inactive => PartitionState::MigratingNotActive,
            },
            MigrationState::Starting,
        );
        self.touch_system(now, source);
        self.touch_system(now, target);
        let wait = self.pace.migration_start.draw(&mut self.ids);
        self.plan_step(now.plus(wait), partition.uuid, job.id);
    }

    /// The next step of a migration, unless it has ended in the meantime.
    pub(in crate::model) fn step_migration(&mut self, now: Millis, partition: Uuid, job: u64) {
        let Some(migration) = self.migration_of(partition, job) else {
            return;
        };
        match migration.phase {
            Phase::Starting => {
                self.edit_migration(partition, |migration| migration.phase = Phase::InProgress);
                self.show_migration_state(now, partition, MigrationState::InProgress);
                let part = self.time_to_copy(&migration) / u64::from(PARTS);
                self.edit_migration(partition, |migration| migration.part = part);
                self.show_progress(job, 10);
                self.plan_step(now.plus(part), partition, job);
            }
            Phase::InProgress if migration.left > 1 => {
                let left = migration.left - 1;
                self.edit_migration(partition, |migration| migration.left = left);
                self.show_progress(job, 10 + (PARTS - left) * (80 / PARTS));
                self.plan_step(now.plus(migration.part), partition, job);
            }
            Phase::InProgress => self.complete_migration(now, &migration),
            Phase::Failed => {}
        }
    }

    /// The partition changes over. What has become impossible on the way undoes the migration; without the source's
    /// mover it cannot even be undone.
    fn complete_migration(&mut self, now: Millis, migration: &Migration) {
        let before = self.clone();
        match self.change_over(now, migration) {
            Ok(()) => {
                let done = End::Ok(vec![("result".to_owned(), String::new())]);
                self.finish_job(now, migration.job, &done.into());
            }
            Err(why) => {
                *self = before;
                if migration.manner == Manner::Active && self.check_mover(migration.source).is_err()
                {
                    self.edit_migration(migration.partition, |migration| {
                        migration.phase = Phase::Failed;
                    });
                    self.show_migration_state(now, migration.partition, MigrationState::Failed);
                } else {
                    self.undo_migration(now, migration.partition);
                }
                self.finish_job(now, migration.job, &End::Failed(why).into());
            }
        }
    }

    fn change_over(&mut self, now: Millis, migration: &Migration) -> Result<(), String> {
        let bundle = self
            .bundle(migration.partition)
            .ok_or("The partition has gone.")?;
        let target = self
            .systems
            .get(&migration.target)
            .map(Arc::clone)
            .ok_or("The target system has gone.")?;
        if migration.manner == Manner::Active {
            self.check_mover(migration.source)?;
        }
        // Its own place is no obstacle to it.
        self.migrations.remove(&migration.partition);
        let mut options = migration.options.clone();
        options.partition_id = Some(migration.id);
        let arrival = self.plan_arrival(&target, &bundle, migration.manner, &options)?;
        let manner = migration.manner;
        self.move_partition(
            now,
            migration.partition,
            migration.id,
            arrival,
            |partition| {
                partition.state = match manner {
                    Manner::Active => PartitionState::Running,
                    Manner::Inactive => PartitionState::NotActivated,
                };
            },
        )
        .map_err(|refusal| refusal.message)
    }

    /// Job `MigrateAbort`: stops a migration and undoes it.
    pub(in crate::model) fn abort_migration(&mut self, now: Millis, job: &Job) -> End {
        let migration = job
            .target
            .uuid()
            .and_then(|uuid| self.migrations.get(&uuid).map(Arc::clone));
        match migration {
            Some(migration) if migration.phase != Phase::Failed => {
                self.stop_migration(now, &migration);
                End::Ok(vec![("result".to_owned(), String::new())])
            }
            _ => End::Failed(
                "HSCL05DF The partition is not being migrated: there is nothing to stop."
                    .to_owned(),
            ),
        }
    }

    /// Job `MigrateRecover`: undoes a migration that failed; with `Force` also one that still runs.
    pub(in crate::model) fn recover_migration(&mut self, now: Millis, job: &Job) -> End {
        let force = job.is_set("Force") || job.is_set("force");
        let migration = job
            .target
            .uuid()
            .and_then(|uuid| self.migrations.get(&uuid).map(Arc::clone));
        let Some(migration) = migration else {
            return End::Failed(
                "HSCL05DF The partition needs no recovery: it is not being migrated.".to_owned(),
            );
        };
        if migration.phase != Phase::Failed && !force {
            return End::Failed(
                "HSCL05DF The migration of the partition is in progress. Stop it, or recover with force."
                    .to_owned(),
            );
        }
        if migration.manner == Manner::Active
            && !force
            && let Err(why) = self.check_mover(migration.source)
        {
            return End::Failed(why);
        }
        self.stop_migration(now, &migration);
        End::Ok(vec![("result".to_owned(), String::new())])
    }

    /// The job that waits for a migration was cancelled.
    pub(in crate::model) fn cancel_migration(&mut self, now: Millis, job: u64) {
        let migration = self
            .migrations
            .values()
            .find(|migration| migration.job == job && migration.phase != Phase::Failed)
            .map(Arc::clone);
        if let Some(migration) = migration {
            self.stop_migration(now, &migration);
        }
    }

    /// A migration ends because its source or its target has failed.
    pub(in crate::model) fn break_off_migration(&mut self, now: Millis, job: u64) {
        let ours = |migration: &&Arc<Migration>| migration.job == job;
        if let Some(migration) = self.migrations.values().find(ours).map(Arc::clone) {
            self.stop_migration(now, &migration);
        }
    }

    fn stop_migration(&mut self, now: Millis, migration: &Migration) {
        self.undo_migration(now, migration.partition);
        let why = format!("The migration of partition {} was stopped.", migration.name);
        self.finish_job(now, migration.job, &End::Failed(why).into());
    }

    /// The partition is as it was, and the target keeps nothing for it.
    fn undo_migration(&mut self, now: Millis, partition: Uuid) {
        let Some(migration) = self.migrations.remove(&partition) else {
            return;
        };
        self.show_migration(
            now,
            partition,
            match migration.manner {
                Manner::Active => PartitionState::Running,
                Manner::Inactive => PartitionState::NotActivated,
            },
            MigrationState::NotMigrating,
        );
        self.touch_system(now, migration.source);
        self.touch_system(now, migration.target);
    }

    fn check_migration(&self, job: &Job) -> Result<Checked, String> {
        let options = Options::read(job)?;
        let bundle = job
            .target
            .uuid()
            .and_then(|uuid| self.bundle(uuid))
            .ok_or("HSCL8012 The partition was not found on the managed system.")?;
        let target = self.migration_target(&options)?;
        self.check_trust(&bundle.partition, &target, &options)?;
        let manner = self.check_departure(&bundle.partition)?;
        self.plan_arrival(&target, &bundle, manner, &options)?;
        Ok(Checked {
            bundle,
            target,
            manner,
            options,
        })
    }

    /// Memory decides how long an active migration takes.
    fn time_to_copy(&mut self, migration: &Migration) -> u64 {
        let setup = self.pace.migration.draw(&mut self.ids);
        let gigabyte = self.pace.migration_gigabyte.draw(&mut self.ids);
        setup.saturating_add(migration.memory.saturating_mul(gigabyte) / 1024)
    }

    fn show_progress(&mut self, job: u64, percent: u8) {
        self.edit_job(job, |job| job.progress = Some(percent));
    }

    fn plan_step(&mut self, at: Millis, partition: Uuid, job: u64) {
        self.agenda
            .plan(at, Effect::MigrationStep { partition, job });
    }

    fn migration_of(&self, partition: Uuid, job: u64) -> Option<Arc<Migration>> {
        let migration = self.migrations.get(&partition);
        migration
            .filter(|migration| migration.job == job)
            .map(Arc::clone)
    }

    fn edit_migration(&mut self, partition: Uuid, change: impl FnOnce(&mut Migration)) {
        if let Some(migration) = self.migrations.get_mut(&partition) {
            change(Arc::make_mut(migration));
        }
    }

    fn show_migration(
        &mut self,
        now: Millis,
        partition: Uuid,
        state: PartitionState,
        migration: MigrationState,
    ) {
        let owner = Owner::Partition(partition);
        self.edit_partition(owner, |partition| {
            partition.state = state;
            partition.migration = migration;
        });
        self.announce_partition(now, owner, "PartitionState,MigrationState,Other");
    }

    fn show_migration_state(&mut self, now: Millis, partition: Uuid, state: MigrationState) {
        let owner = Owner::Partition(partition);
        self.edit_partition(owner, |partition| partition.migration = state);
        self.announce_partition(now, owner, "MigrationState,Other");
    }
}
