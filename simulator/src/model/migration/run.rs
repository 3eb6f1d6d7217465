//! The course of a migration: begun by a job, driven by the agenda, ended, stopped or recovered.

use std::sync::Arc;
use uuid::Uuid;

use super::check::needs;
use super::journey::{Matter, Side};
use super::{Bundle, Manner, Migration, Options, Phase};
use crate::clock::Millis;
use crate::model::agenda::Effect;
use crate::model::job::Job;
use crate::model::job::lifecycle::End;
use crate::model::names::{MigrationState, PartitionState};
use crate::model::resource::Owner;
use crate::model::system::ManagedSystem;
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

/// A migration to a system that a peer has.
struct Beyond {
    peer: String,
    bundle: Bundle,
    asked: (Manner, Options),
}

/// Where a migration goes.
enum Way {
    Within(Box<Checked>),
    Beyond(Box<Beyond>),
}

fn done() -> End {
    End::Ok(vec![("result".to_owned(), String::new())])
}

impl World {
    /// Job `MigrateValidate`: everything that `Migrate` checks, and nothing else.
    pub(in crate::model) fn begin_validation(&mut self, now: Millis, job: &Job) {
        let end = match self.check_migration(job) {
            Ok(Way::Within(_)) => done(),
            Ok(Way::Beyond(beyond)) => {
                let matter = Matter::Check { job: job.id };
                return self.ask_peer(beyond.peer, beyond.bundle, beyond.asked, matter);
            }
            Err(why) => End::Failed(why),
        };
        self.end_soon(now, job.id, end);
    }

    /// Job `Migrate`: checks, keeps a place on the target, and sets out.
    pub(in crate::model) fn begin_migration(&mut self, now: Millis, job: &Job) {
        let checked = match self.check_migration(job) {
            Ok(Way::Within(checked)) => checked,
            Ok(Way::Beyond(beyond)) => {
                let matter = Matter::Reserve { job: job.id };
                return self.ask_peer(beyond.peer, beyond.bundle, beyond.asked, matter);
            }
            Err(why) => return self.refuse_job(now, job.id, why),
        };
        let Checked {
            bundle,
            target,
            manner,
            options,
        } = *checked;
        let partition = &bundle.partition;
        let id = match self.id_for_new_partition(target.uuid, options.partition_id) {
            Ok(id) => id,
            Err(refusal) => return self.refuse_job(now, job.id, refusal.message),
        };
        let (memory, processors) = needs(&target, partition, manner);
        let migration = Migration {
            partition: partition.uuid,
            job: job.id,
            manner,
            phase: Phase::Starting,
            side: Side::Within,
            source: partition.system,
            target: target.uuid,
            id,
            name: partition.name.clone(),
            memory,
            processors,
            left: 0,
            part: 0,
            options,
        };
        self.depart_with_place(now, migration);
    }

    /// The target keeps a place: the partition is on its way.
    pub(super) fn depart_with_place(&mut self, now: Millis, migration: Migration) {
        let migration = Migration {
            left: PARTS,
            ..migration
        };
        let (partition, job) = (migration.partition, migration.job);
        let (source, target) = (migration.source, migration.target);
        let state = match migration.manner {
            Manner::Active => PartitionState::MigratingRunning,
            Manner::Inactive | Manner::Restart => PartitionState::MigratingNotActive,
        };
        self.migrations.insert(partition, Arc::new(migration));
        self.show_migration(now, partition, state, MigrationState::Starting);
        self.touch_systems(now, source, target);
        let wait = self.pace.migration_start.draw(&mut self.ids);
        self.plan_step(now.plus(wait), partition, job);
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
            Phase::InProgress if matches!(migration.side, Side::Leaving { .. }) => {
                self.ask_to_take_in(now, &migration);
            }
            Phase::InProgress => self.complete_migration(now, &migration),
            Phase::ChangingOver | Phase::Failed => {}
        }
    }

    /// The partition changes over. What has become impossible on the way undoes the migration; without the source's
    /// mover it cannot even be undone.
    fn complete_migration(&mut self, now: Millis, migration: &Migration) {
        let before = self.clone();
        match self.change_over(now, migration) {
            Ok(()) => {
                self.finish_job(now, migration.job, &done().into());
            }
            Err(why) => {
                *self = before;
                self.fail_change_over(now, migration, why);
            }
        }
    }

    pub(super) fn fail_change_over(&mut self, now: Millis, migration: &Migration, why: String) {
        if migration.manner == Manner::Active && self.check_mover(migration.source).is_err() {
            self.edit_migration(migration.partition, |migration| {
                migration.phase = Phase::Failed;
            });
            self.show_migration_state(now, migration.partition, MigrationState::Failed);
        } else {
            self.undo_migration(now, migration.partition);
        }
        self.finish_job(now, migration.job, &End::Failed(why).into());
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
        self.move_partition(now, &bundle, migration.id, arrival, |partition| {
            partition.state = manner.settled();
        })
        .map_err(|refusal| refusal.message)
    }

    /// Job `MigrateAbort`: stops a migration and undoes it.
    pub(in crate::model) fn abort_migration(&mut self, now: Millis, job: &Job) -> End {
        let migration = job
            .target
            .uuid()
            .and_then(|uuid| self.migrations.get(&uuid).map(Arc::clone));
        match migration {
            Some(migration) if migration.side.is_asked() => End::Failed(
                "HSCL05DF The partition is changing over: its migration cannot be stopped any more."
                    .to_owned(),
            ),
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
    pub(in crate::model) fn begin_recovery(&mut self, now: Millis, job: &Job) {
        if let Some(end) = self.recover_migration(now, job) {
            self.end_soon(now, job.id, end);
        }
    }

    /// None while a peer is asked where the partition is.
    fn recover_migration(&mut self, now: Millis, job: &Job) -> Option<End> {
        let force = job.is_set("Force") || job.is_set("force");
        let migration = job
            .target
            .uuid()
            .and_then(|uuid| self.migrations.get(&uuid).map(Arc::clone));
        let Some(migration) = migration else {
            return Some(End::Failed(
                "HSCL05DF The partition needs no recovery: it is not being migrated.".to_owned(),
            ));
        };
        if migration.phase != Phase::Failed && !force {
            return Some(End::Failed(
                "HSCL05DF The migration of the partition is in progress. Stop it, or recover with force."
                    .to_owned(),
            ));
        }
        if migration.manner == Manner::Active
            && !force
            && let Err(why) = self.check_mover(migration.source)
        {
            return Some(End::Failed(why));
        }
        match &migration.side {
            Side::Leaving {
                peer,
                journey,
                asked: true,
            } => {
                let journey = (peer.clone(), *journey);
                self.ask_to_give_up(journey, migration.partition, Some(job.id));
                None
            }
            _ => {
                self.stop_migration(now, &migration);
                Some(done())
            }
        }
    }

    /// The job that waits for a migration was cancelled.
    pub(in crate::model) fn cancel_migration(&mut self, now: Millis, job: u64) {
        let migration = self
            .migrations
            .values()
            .find(|migration| migration.job == job && migration.phase != Phase::Failed)
            .filter(|migration| !migration.side.is_asked())
            .map(Arc::clone);
        if let Some(migration) = migration {
            self.stop_migration(now, &migration);
        }
    }

    /// A migration ends because its source or its target has failed. Where only a peer knows whether the partition has
    /// arrived, it is the peer that decides.
    pub(in crate::model) fn break_off_migration(&mut self, now: Millis, partition: Uuid) {
        let Some(migration) = self.migrations.get(&partition).map(Arc::clone) else {
            return;
        };
        match migration.side {
            Side::Arriving { journey } => {
                self.give_arrival_up(now, journey);
            }
            Side::Leaving { asked: true, .. } => {}
            Side::Leaving { .. } | Side::Within => self.stop_migration(now, &migration),
        }
    }

    pub(super) fn stop_migration(&mut self, now: Millis, migration: &Migration) {
        self.undo_migration(now, migration.partition);
        let why = format!(
            "The {} of partition {} was stopped.",
            migration.manner.name(),
            migration.name
        );
        self.finish_job(now, migration.job, &End::Failed(why).into());
    }

    /// The partition is as it was, and the target keeps nothing for it.
    fn undo_migration(&mut self, now: Millis, partition: Uuid) {
        let Some(migration) = self.migrations.remove(&partition) else {
            return;
        };
        let there = self.partitions.get(&partition).map(|there| there.state);
        // Its system may have failed in the meantime, and come back.
        let state = match there {
            Some(PartitionState::MigratingRunning) => PartitionState::Running,
            Some(state) if !state.is_migrating() => state,
            _ => PartitionState::NotActivated,
        };
        self.show_migration(now, partition, state, MigrationState::NotMigrating);
        self.touch_systems(now, migration.source, migration.target);
        if let Side::Leaving {
            peer,
            journey,
            asked: false,
        } = &migration.side
        {
            self.ask_to_give_up((peer.clone(), *journey), partition, None);
        }
    }

    fn touch_systems(&mut self, now: Millis, source: Uuid, target: Uuid) {
        for system in [source, target] {
            if self.systems.contains_key(&system) {
                self.touch_system(now, system);
            }
        }
    }

    fn check_migration(&self, job: &Job) -> Result<Way, String> {
        let options = Options::read(job)?;
        let bundle = job
            .target
            .uuid()
            .and_then(|uuid| self.bundle(uuid))
            .ok_or("HSCL8012 The partition was not found on the managed system.")?;
        if let Some(peer) = self.peer_of(&options) {
            let manner = self.check_departure(&bundle.partition)?;
            return Ok(Way::Beyond(Box::new(Beyond {
                peer,
                bundle,
                asked: (manner, options),
            })));
        }
        let target = self.migration_target(&options, Manner::Active)?;
        self.check_trust(&bundle.partition, &target, &options)?;
        let manner = self.check_departure(&bundle.partition)?;
        self.plan_arrival(&target, &bundle, manner, &options)?;
        Ok(Way::Within(Box::new(Checked {
            bundle,
            target,
            manner,
            options,
        })))
    }

    /// Plans the end of a job that has nothing to wait for.
    fn end_soon(&mut self, now: Millis, job: u64, end: End) {
        let wait = self.pace.other_job.draw(&mut self.ids);
        self.plan_end(now.plus(wait), job, end);
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

    pub(super) fn edit_migration(&mut self, partition: Uuid, change: impl FnOnce(&mut Migration)) {
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

    pub(super) fn show_migration_state(
        &mut self,
        now: Millis,
        partition: Uuid,
        state: MigrationState,
    ) {
        let owner = Owner::Partition(partition);
        self.edit_partition(owner, |partition| partition.migration = state);
        self.announce_partition(now, owner, "MigrationState,Other");
    }
}
