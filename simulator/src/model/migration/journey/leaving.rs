//! The source's side of a journey.

use std::sync::Arc;
use uuid::Uuid;

use super::{Answer, Errand, Journey, Matter, Place, Side, Trouble};
use crate::clock::Millis;
use crate::model::agenda::Effect;
use crate::model::job::Job;
use crate::model::job::lifecycle::End;
use crate::model::migration::{Bundle, Manner, Migration, Options, Phase};
use crate::model::names::{JobStatus, MigrationState};
use crate::model::units::ProcUnits;
use crate::model::world::World;

/// After how many questions without an answer a change over has failed.
const TAKE_IN_TRIES: u32 = 4;
/// After how many of them a peer is left alone with the place that it keeps.
const GIVE_UP_TRIES: u32 = 8;
/// The wait after the first of them, in milliseconds; after each further one as much more.
const TAKE_IN_WAIT: u64 = 5_000;
/// The wait after the first of them; after each further one twice as long.
const GIVE_UP_WAIT: u64 = 10_000;

impl World {
    /// The peer that the job's target console is, if it is one.
    pub(in crate::model::migration) fn peer_of(&self, options: &Options) -> Option<String> {
        let console = options.console.as_deref()?;
        let mut peers = self.peers.iter();
        peers
            .find(|peer| peer.eq_ignore_ascii_case(console))
            .cloned()
    }

    /// Asks a peer whether the partition may come, or for a place for it.
    pub(in crate::model::migration) fn ask_peer(
        &mut self,
        peer: String,
        bundle: Bundle,
        (manner, options): (Manner, Options),
        matter: Matter,
    ) {
        let errand = Errand {
            peer,
            journey: self.ids.random_uuid(),
            partition: bundle.partition.uuid,
            matter,
            told: Some(Box::new(self.journey(bundle, manner, options))),
            tries: 0,
            ready: true,
        };
        self.send(errand);
    }

    /// The change over: the peer is asked to take the partition in.
    pub(in crate::model::migration) fn ask_to_take_in(
        &mut self,
        now: Millis,
        migration: &Migration,
    ) {
        let Side::Leaving { peer, journey, .. } = migration.side.clone() else {
            return;
        };
        let ready = match migration.manner {
            Manner::Active => self.check_mover(migration.source),
            Manner::Inactive | Manner::Restart => Ok(()),
        };
        let bundle = ready.and_then(|()| {
            self.bundle(migration.partition)
                .ok_or_else(|| "The partition has gone.".to_owned())
        });
        let bundle = match bundle {
            Ok(bundle) => bundle,
            Err(why) => return self.fail_change_over(now, migration, why),
        };
        let told = self.journey(bundle, migration.manner, migration.options.clone());
        self.edit_migration(migration.partition, |migration| {
            migration.phase = Phase::ChangingOver;
            migration.side.was_asked(true);
        });
        self.send(Errand {
            peer,
            journey,
            partition: migration.partition,
            matter: Matter::TakeIn,
            told: Some(Box::new(told)),
            tries: 0,
            ready: true,
        });
    }

    /// Lets the peer forget a journey. With a job, that waits for where the partition is.
    pub(in crate::model::migration) fn ask_to_give_up(
        &mut self,
        (peer, journey): (String, Uuid),
        partition: Uuid,
        job: Option<u64>,
    ) {
        self.send(Errand {
            peer,
            journey,
            partition,
            matter: Matter::GiveUp { job },
            told: None,
            tries: 0,
            ready: true,
        });
    }

    /// An answer has come, or trouble instead of it.
    pub fn hear(&mut self, now: Millis, id: u64, heard: Result<Answer, Trouble>) {
        self.advance(now);
        let Some(errand) = self.errands.remove(&id) else {
            return;
        };
        match errand.matter {
            Matter::Check { job } => self.heard_of_check(now, &errand, job, heard),
            Matter::Reserve { job } => self.heard_of_place(now, &errand, job, heard),
            Matter::TakeIn => self.heard_of_change_over(now, &errand, heard),
            Matter::GiveUp { job } => self.heard_of_end(now, &errand, job, heard),
        }
        self.advance(now);
    }

    /// The moment has come to ask once more.
    pub(in crate::model) fn ask_again(&mut self, id: u64) {
        if let Some(errand) = self.errands.get_mut(&id) {
            Arc::make_mut(errand).ready = true;
        }
    }

    fn heard_of_check(
        &mut self,
        now: Millis,
        errand: &Errand,
        job: u64,
        heard: Result<Answer, Trouble>,
    ) {
        match heard {
            Ok(Answer::Welcome(_)) => self.finish_well(now, job),
            other => {
                let why = trouble(&errand.peer, other);
                self.finish_job(now, job, &End::Failed(why).into());
            }
        }
    }

    /// With a place kept, the partition sets out. Whatever it was that kept no place may still do so later: the peer is
    /// told that nobody comes.
    fn heard_of_place(
        &mut self,
        now: Millis,
        errand: &Errand,
        job: u64,
        heard: Result<Answer, Trouble>,
    ) {
        let running = |world: &Self| {
            let job = world.jobs.get(&job);
            job.is_some_and(|job| job.status == JobStatus::Running)
        };
        let why = match heard {
            Ok(Answer::Welcome(place)) if running(self) => {
                match self.leave_for(now, errand, job, &place) {
                    Ok(()) => return,
                    Err(why) => why,
                }
            }
            Ok(Answer::Welcome(_)) => "The job was cancelled.".to_owned(),
            Err(Trouble::Refused(why)) => return self.refuse_job(now, job, why),
            other => trouble(&errand.peer, other),
        };
        let journey = (errand.peer.clone(), errand.journey);
        self.ask_to_give_up(journey, errand.partition, None);
        self.refuse_job(now, job, why);
    }

    fn leave_for(
        &mut self,
        now: Millis,
        errand: &Errand,
        job: u64,
        place: &Place,
    ) -> Result<(), String> {
        let told = errand.told.as_deref().ok_or("The question was lost.")?;
        let partition = self
            .partitions
            .get(&errand.partition)
            .map(Arc::clone)
            .ok_or("The partition has gone.")?;
        match told.manner {
            Manner::Restart => self.check_abandonment(&partition)?,
            Manner::Active | Manner::Inactive => {
                if self.check_departure(&partition)? != told.manner {
                    return Err(format!(
                        "HSCL05DF Partition {} is {} now.",
                        partition.name, partition.state
                    ));
                }
            }
        }
        if self.systems.contains_key(&place.system) {
            return Err("The target is a system of this management console.".to_owned());
        }
        let migration = Migration {
            partition: partition.uuid,
            job,
            manner: told.manner,
            phase: Phase::Starting,
            side: Side::Leaving {
                peer: errand.peer.clone(),
                journey: errand.journey,
                asked: false,
            },
            source: partition.system,
            target: place.system,
            id: place.id,
            name: partition.name.clone(),
            memory: place.memory,
            processors: ProcUnits::ZERO,
            left: 0,
            part: 0,
            options: told.options.clone(),
        };
        match told.manner {
            Manner::Restart => self.abandon(now, migration),
            Manner::Active | Manner::Inactive => self.depart_with_place(now, migration),
        }
        Ok(())
    }

    fn heard_of_change_over(
        &mut self,
        now: Millis,
        errand: &Errand,
        heard: Result<Answer, Trouble>,
    ) {
        let Some(migration) = self.journey_of(errand) else {
            return;
        };
        match heard {
            Ok(Answer::Arrived) => self.has_arrived(now, &migration),
            Err(Trouble::Refused(why)) => {
                self.edit_migration(migration.partition, |migration| {
                    migration.phase = Phase::InProgress;
                    migration.side.was_asked(false);
                });
                self.fail_change_over(now, &migration, why);
            }
            other if errand.tries + 1 < TAKE_IN_TRIES => {
                drop(other);
                let wait = TAKE_IN_WAIT * u64::from(errand.tries + 1);
                self.send_later(now.plus(wait), errand);
            }
            other => {
                let why = trouble(&errand.peer, other);
                self.edit_migration(migration.partition, |migration| {
                    migration.phase = Phase::Failed;
                });
                self.show_migration_state(now, migration.partition, MigrationState::Failed);
                let why = format!(
                    "{why} Whether partition {} has arrived is not known: recover its {}.",
                    migration.name,
                    migration.manner.name()
                );
                self.finish_job(now, migration.job, &End::Failed(why).into());
            }
        }
    }

    fn heard_of_end(
        &mut self,
        now: Millis,
        errand: &Errand,
        job: Option<u64>,
        heard: Result<Answer, Trouble>,
    ) {
        let answer = match heard {
            Ok(answer @ (Answer::GivenUp | Answer::Arrived)) => answer,
            other => {
                if let Some(job) = job {
                    let why = trouble(&errand.peer, other);
                    let why = format!("{why} Recover the partition when it can be reached.");
                    return self.finish_job(now, job, &End::Failed(why).into());
                }
                if errand.tries + 1 < GIVE_UP_TRIES {
                    self.send_later(now.plus(GIVE_UP_WAIT << errand.tries), errand);
                }
                return;
            }
        };
        if let Some(migration) = self.journey_of(errand) {
            match answer {
                Answer::Arrived => self.has_arrived(now, &migration),
                _ => self.stop_migration(now, &migration),
            }
        }
        if let Some(job) = job {
            self.finish_well(now, job);
        }
    }

    /// The partition is on the peer's system: here it goes, and its logical units with it.
    fn has_arrived(&mut self, now: Millis, migration: &Migration) {
        let bundle = self.bundle(migration.partition);
        self.migrations.remove(&migration.partition);
        self.depart(now, migration.partition);
        if let Some(bundle) = bundle {
            self.let_units_go(now, &bundle);
        }
        let journey = migration.side.journey();
        let stale =
            |errand: &Errand| Some(errand.journey) == journey && errand.matter == Matter::TakeIn;
        self.errands = self
            .errands
            .iter()
            .filter(|(_, errand)| !stale(errand))
            .map(|(id, errand)| (*id, Arc::clone(errand)))
            .collect();
        self.finish_well(now, migration.job);
    }

    /// A job has done what it was asked for.
    fn finish_well(&mut self, now: Millis, job: u64) {
        let restarts = |job: &Arc<Job>| job.operation == "RemoteRestart";
        let result = match self.jobs.get(&job) {
            Some(job) if restarts(job) => "detailedStatus",
            _ => "result",
        };
        let done = End::Ok(vec![(result.to_owned(), String::new())]);
        self.finish_job(now, job, &done.into());
    }

    fn journey(&self, bundle: Bundle, manner: Manner, options: Options) -> Journey {
        let console = self.console_of(bundle.partition.system);
        Journey {
            manner,
            options,
            key: console.public_ssh_key.clone(),
            bundle,
        }
    }

    fn journey_of(&self, errand: &Errand) -> Option<Arc<Migration>> {
        let migration = self.migrations.get(&errand.partition)?;
        (migration.side.journey() == Some(errand.journey)).then(|| Arc::clone(migration))
    }

    fn send(&mut self, errand: Errand) -> u64 {
        let id = self.touch();
        self.errands.insert(id, Arc::new(errand));
        id
    }

    fn send_later(&mut self, at: Millis, errand: &Errand) {
        let id = self.send(Errand {
            tries: errand.tries + 1,
            ready: false,
            ..errand.clone()
        });
        self.agenda.plan(at, Effect::AskAgain(id));
    }
}

impl Side {
    /// The journey to or from another process.
    #[must_use]
    pub const fn journey(&self) -> Option<Uuid> {
        match self {
            Self::Within => None,
            Self::Leaving { journey, .. } | Self::Arriving { journey } => Some(*journey),
        }
    }

    /// Whether only the peer knows where the partition is.
    #[must_use]
    pub const fn is_asked(&self) -> bool {
        matches!(self, Self::Leaving { asked: true, .. })
    }

    fn was_asked(&mut self, now: bool) {
        if let Self::Leaving { asked, .. } = self {
            *asked = now;
        }
    }
}

/// What a job tells of it.
fn trouble(peer: &str, heard: Result<Answer, Trouble>) -> String {
    match heard {
        Err(Trouble::Refused(why)) => why,
        Err(Trouble::Silence(why)) => {
            format!("The management console {peer} cannot be reached: {why}.")
        }
        Ok(_) => format!("The management console {peer} answered something else than was asked."),
    }
}
