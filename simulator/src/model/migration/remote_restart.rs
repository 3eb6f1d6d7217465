//! Job `RemoteRestart`: a partition whose system has failed starts on another one (`docs/protocol/mobility.md`).

use std::sync::Arc;

use uuid::Uuid;

use super::journey::{Matter, Side};
use super::options::{adapter_mapping, items, number};
use super::{Bundle, Manner, Migration, Options, Phase};
use crate::clock::Millis;
use crate::model::job::Job;
use crate::model::job::lifecycle::End;
use crate::model::names::{MigrationState, PartitionState, SystemState};
use crate::model::partition::Partition;
use crate::model::resource::Owner;
use crate::model::system::ManagedSystem;
use crate::model::world::World;

/// A remote restart within this world that everything is checked for.
struct Checked {
    partition: Arc<Partition>,
    target: Arc<ManagedSystem>,
    options: Options,
}

/// Where a partition is to start.
enum Way {
    Within(Box<Checked>),
    /// On a system that a peer has.
    Beyond(Box<(String, Bundle, Options)>),
}

impl World {
    pub(in crate::model) fn begin_remote_restart(&mut self, now: Millis, job: &Job) {
        let operation = job
            .parameter("Operation")
            .map(|text| text.trim().to_ascii_lowercase())
            .unwrap_or_default();
        let checked = match operation.as_str() {
            "validate" => match self.check_remote_restart(job) {
                Ok(Way::Within(_)) => Ok(()),
                Ok(Way::Beyond(beyond)) => {
                    let (peer, bundle, options) = *beyond;
                    let matter = Matter::Check { job: job.id };
                    return self.ask_peer(peer, bundle, (Manner::Restart, options), matter);
                }
                Err(why) => Err(why),
            },
            "restart" => match self.check_remote_restart(job) {
                Ok(Way::Within(checked)) => return self.restart_on(now, job, &checked),
                Ok(Way::Beyond(beyond)) => {
                    let (peer, bundle, options) = *beyond;
                    let matter = Matter::Reserve { job: job.id };
                    return self.ask_peer(peer, bundle, (Manner::Restart, options), matter);
                }
                Err(why) => Err(why),
            },
            // The source keeps nothing here that would have to be cleaned up.
            "cleanup" => self.restartable(job).map(|_| ()),
            "recover" | "cancel" => match self.doubtful_restart(job) {
                Ok(journey) => {
                    let partition = job.target.uuid().unwrap_or_default();
                    return self.ask_to_give_up(journey, partition, Some(job.id));
                }
                Err(why) => Err(why),
            },
            "" => Err("The parameter Operation is missing.".to_owned()),
            other => Err(format!(
                "The operation {other} of RemoteRestart is not valid."
            )),
        };
        match checked {
            Ok(()) => {
                let wait = self.pace.other_job.draw(&mut self.ids);
                let done = End::Ok(vec![("detailedStatus".to_owned(), String::new())]);
                self.plan_end(now.plus(wait), job.id, done);
            }
            Err(why) => self.refuse_job(now, job.id, why),
        }
    }

    fn restart_on(&mut self, now: Millis, job: &Job, checked: &Checked) {
        let before = self.clone();
        match self.take_over(now, checked) {
            Ok(()) => self.start_restarted(now, checked.partition.uuid, job.id),
            Err(why) => {
                *self = before;
                self.refuse_job(now, job.id, why);
            }
        }
    }

    fn take_over(&mut self, now: Millis, checked: &Checked) -> Result<(), String> {
        let (uuid, target) = (checked.partition.uuid, &checked.target);
        let bundle = self.bundle(uuid).ok_or("The partition has gone.")?;
        let arrival = self.plan_arrival(target, &bundle, Manner::Restart, &checked.options)?;
        let id = self
            .id_for_new_partition(target.uuid, None)
            .map_err(|refusal| refusal.message)?;
        self.move_partition(now, &bundle, id, arrival, |partition| {
            partition.state = Manner::Restart.settled();
        })
        .map_err(|refusal| refusal.message)
    }

    /// A partition whose system has failed is on its new one: there it starts.
    pub(super) fn start_restarted(&mut self, now: Millis, uuid: Uuid, job: u64) {
        if let Some(moved) = self.partitions.get(&uuid).map(Arc::clone) {
            self.activate(now, Owner::Partition(uuid), &moved, job);
        }
    }

    /// A peer keeps a place for a partition whose system has failed. There is nothing to be copied: the peer is asked at
    /// once to take it in, and from then on decides where it is.
    pub(super) fn abandon(&mut self, now: Millis, migration: Migration) {
        let migration = Migration {
            phase: Phase::InProgress,
            ..migration
        };
        let partition = migration.partition;
        self.migrations
            .insert(partition, Arc::new(migration.clone()));
        self.show_migration_state(now, partition, MigrationState::InProgress);
        self.ask_to_take_in(now, &migration);
    }

    fn check_remote_restart(&self, job: &Job) -> Result<Way, String> {
        let partition = self.restartable(job)?;
        let options = options(job)?;
        let bundle = self
            .bundle(partition.uuid)
            .ok_or("The partition has gone.")?;
        if let Some(peer) = self.peer_of(&options) {
            self.check_abandonment(&partition)?;
            return Ok(Way::Beyond(Box::new((peer, bundle, options))));
        }
        let target = self.migration_target(&options, Manner::Restart)?;
        self.check_abandonment(&partition)?;
        self.plan_arrival(&target, &bundle, Manner::Restart, &options)?;
        Ok(Way::Within(Box::new(Checked {
            partition,
            target,
            options,
        })))
    }

    /// Whether a partition may be given up by its system: that has failed.
    pub(super) fn check_abandonment(&self, partition: &Partition) -> Result<(), String> {
        if self.migrations.contains_key(&partition.uuid) {
            return Err(format!(
                "HSCL05DF Partition {} is on its way to another system already.",
                partition.name
            ));
        }
        let source = self.systems.get(&partition.system);
        match source.filter(|source| source.state == SystemState::Operating) {
            None => Ok(()),
            Some(source) => Err(format!(
                "System {} is operating: its partitions cannot be restarted remotely. Migrate them instead.",
                source.name
            )),
        }
    }

    /// The peer and the journey of a remote restart of which nobody here knows how it ended.
    fn doubtful_restart(&self, job: &Job) -> Result<(String, Uuid), String> {
        let uuid = job.target.uuid().unwrap_or_default();
        let migration = self.migrations.get(&uuid);
        match migration.filter(|migration| migration.manner == Manner::Restart) {
            Some(migration) => match (&migration.side, migration.phase) {
                (Side::Leaving { peer, journey, .. }, Phase::Failed) => {
                    Ok((peer.clone(), *journey))
                }
                _ => Err(format!(
                    "HSCL05DF Partition {} is being restarted remotely: wait until that has ended.",
                    migration.name
                )),
            },
            None => Err(
                "HSCL05DF The partition is not being restarted remotely: there is nothing to recover."
                    .to_owned(),
            ),
        }
    }

    fn restartable(&self, job: &Job) -> Result<Arc<Partition>, String> {
        let partition = job
            .target
            .uuid()
            .and_then(|uuid| self.partitions.get(&uuid).map(Arc::clone))
            .ok_or("HSCL8012 The partition was not found on the managed system.")?;
        if partition.is_remote_restartable() {
            return Ok(partition);
        }
        Err(format!(
            "Partition {} is not capable of remote restart.",
            partition.name
        ))
    }
}

fn options(job: &Job) -> Result<Options, String> {
    let word = |name: &str| {
        job.parameter(name)
            .map(str::trim)
            .filter(|text| !text.is_empty())
    };
    let named = word("targetManagedSystem").or_else(|| word("targetManagedSystemUUID"));
    Ok(Options {
        target: named
            .ok_or("The parameter targetManagedSystem is missing.")?
            .to_owned(),
        console: word("targetRemoteHMCIPAddress").map(str::to_owned),
        user: word("targetRemoteHMCUserId").map(str::to_owned),
        processor_pool: number(word("sharedProcessorPoolID"), "sharedProcessorPoolID")?,
        processor_pool_name: word("sharedProcessorPoolName").map(str::to_owned),
        fibre_channel: items(word("virtualFCMappings"), adapter_mapping)?,
        vlan_bridge_override: word("vlanbridge").is_some(),
        ..Options::default()
    })
}

impl Partition {
    /// Whether a migration, a remote restart, a suspension or a resumption has it in hand, so that nothing else may be
    /// done.
    #[must_use]
    pub fn is_in_hand(&self) -> bool {
        self.state.is_in_hand() || self.migration != MigrationState::NotMigrating
    }

    /// Whether it may start elsewhere when its system fails.
    #[must_use]
    pub const fn is_remote_restartable(&self) -> bool {
        self.settings.simplified_remote_restart || self.settings.remote_restart
    }

    /// `RemoteRestartState`: `Invalid` of a partition that may not be restarted remotely (recorded of most), else
    /// `Remote_Restartable`, and `Source_Remote_Restarting` while a peer is asked to take it in.
    #[must_use]
    pub fn remote_restart_state(&self) -> &'static str {
        match (self.is_remote_restartable(), self.state) {
            (false, _) => "Invalid",
            (true, PartitionState::NotAvailable) if self.is_in_hand() => "Source_Remote_Restarting",
            (true, _) => "Remote_Restartable",
        }
    }
}
