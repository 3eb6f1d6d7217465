//! The target's side of a journey.

use std::sync::Arc;
use uuid::Uuid;

use super::{Answer, Journey, Outcome, Place, Side};
use crate::clock::Millis;
use crate::model::agenda::Effect;
use crate::model::migration::check::{needs, not_set_up};
use crate::model::migration::{Manner, Migration, Phase};
use crate::model::names::Flavor;
use crate::model::world::World;

/// How long a place is kept for a partition of which nothing more is heard, in milliseconds: far longer than any client
/// waits for a migration.
const KEPT: u64 = 24 * 3_600_000;
/// How many journeys that have ended are remembered.
const REMEMBERED: usize = 1024;
/// The job that waits for an arrival: it is one of another process.
const NOBODY: u64 = 0;

impl World {
    /// Everything that a migration within this world checks on its target.
    pub(super) fn check_arrival(&self, told: &Journey) -> Result<Place, String> {
        let (partition, options) = (&told.bundle.partition, &told.options);
        let mut systems = self.systems.values();
        let target = systems
            .find(|system| system.is_called_by(told.manner, &options.target))
            .ok_or_else(|| format!("The managed system {} was not found.", options.target))?;
        if !self.admits(told.key.as_deref(), target.uuid) {
            let there = options.console.as_deref().unwrap_or(&target.name);
            return Err(not_set_up(options, there));
        }
        if self.systems.contains_key(&partition.system) {
            return Err(format!(
                "The systems of the two management consoles have the same UUID {}: they are two copies of one machine room.",
                partition.system
            ));
        }
        if self.owner(partition.uuid).is_some() {
            return Err(format!(
                "System {} has a partition with the UUID {} already.",
                target.name, partition.uuid
            ));
        }
        self.plan_arrival(target, &told.bundle, told.manner, options)?;
        let mut trial = self.clone();
        trial
            .bring_units(self.now, &told.bundle)
            .map_err(|refusal| refusal.message)?;
        let id = self
            .id_for_new_partition(target.uuid, options.partition_id)
            .map_err(|refusal| refusal.message)?;
        let (memory, processors) = needs(target, partition, told.manner);
        Ok(Place {
            system: target.uuid,
            id,
            memory,
            processors,
        })
    }

    /// Keeps a place. Asked again, it is the same one.
    pub(super) fn reserve_arrival(
        &mut self,
        now: Millis,
        journey: Uuid,
        told: &Journey,
    ) -> Result<Answer, String> {
        match self.outcome_of(journey) {
            Some(Outcome::Arrived) => return Ok(Answer::Arrived),
            Some(Outcome::GivenUp) => return Err(given_up(told)),
            None => {}
        }
        if let Some(kept) = self.arrival(journey) {
            return Ok(Answer::Welcome(kept.place()));
        }
        let place = self.check_arrival(told)?;
        let partition = &told.bundle.partition;
        let migration = Migration {
            partition: partition.uuid,
            job: NOBODY,
            manner: told.manner,
            phase: Phase::Starting,
            side: Side::Arriving { journey },
            source: partition.system,
            target: place.system,
            id: place.id,
            name: partition.name.clone(),
            memory: place.memory,
            processors: place.processors,
            left: 0,
            part: 0,
            options: told.options.clone(),
        };
        if self.migrations.contains_key(&partition.uuid) {
            return Err(format!(
                "HSCL05DF Partition {} is being migrated already.",
                partition.name
            ));
        }
        self.migrations.insert(partition.uuid, Arc::new(migration));
        self.touch_system(now, place.system);
        self.agenda
            .plan(now.plus(KEPT), Effect::PlaceLapses { journey });
        Ok(Answer::Welcome(place))
    }

    /// The partition changes over. What has become impossible gives the journey up.
    pub(super) fn finish_arrival(
        &mut self,
        now: Millis,
        journey: Uuid,
        told: &Journey,
    ) -> Result<Answer, String> {
        match self.outcome_of(journey) {
            Some(Outcome::Arrived) => return Ok(Answer::Arrived),
            Some(Outcome::GivenUp) => return Err(given_up(told)),
            None => {}
        }
        let Some(kept) = self.arrival(journey) else {
            return Err(given_up(told));
        };
        let before = self.clone();
        if let Err(why) = self.settle_arrival(now, &kept, told) {
            *self = before;
            self.give_arrival_up(now, journey);
            return Err(why);
        }
        self.remember(journey, Outcome::Arrived);
        Ok(Answer::Arrived)
    }

    fn settle_arrival(
        &mut self,
        now: Millis,
        kept: &Migration,
        told: &Journey,
    ) -> Result<(), String> {
        if told.bundle.partition.uuid != kept.partition {
            return Err("It is another partition that a place is kept for.".to_owned());
        }
        // Its own place is no obstacle to it.
        self.migrations.remove(&kept.partition);
        let mut own = told.clone();
        own.manner = kept.manner;
        own.options = kept.options.clone();
        own.options.partition_id = Some(kept.id);
        let place = self.check_arrival(&own)?;
        let target = self
            .systems
            .get(&place.system)
            .map(Arc::clone)
            .ok_or("The target system has gone.")?;
        let arrival = self.plan_arrival(&target, &own.bundle, own.manner, &own.options)?;
        self.take_in(now, &own.bundle, kept.id, arrival, |partition| {
            partition.state = kept.manner.settled();
            partition.console_open = false;
        })
        .map_err(|refusal| refusal.message)?;
        if kept.manner == Manner::Restart {
            self.start_restarted(now, kept.partition, NOBODY);
        }
        // What another process tells was not made by this one's rules.
        match self.violations().first() {
            None => Ok(()),
            Some(violation) => Err(format!(
                "What arrives is not sound, {violation}. The two simulators may be of different versions."
            )),
        }
    }

    /// Ends a journey for good, unless the partition has arrived. One that was never heard of is ended as well: what of
    /// it comes later is refused.
    pub(in crate::model::migration) fn give_arrival_up(
        &mut self,
        now: Millis,
        journey: Uuid,
    ) -> Answer {
        if self.outcome_of(journey) == Some(Outcome::Arrived) {
            return Answer::Arrived;
        }
        if let Some(kept) = self.arrival(journey) {
            self.migrations.remove(&kept.partition);
            self.touch_system(now, kept.target);
        }
        self.remember(journey, Outcome::GivenUp);
        Answer::GivenUp
    }

    /// Nothing more was heard of a partition that a place was kept for.
    pub(in crate::model) fn place_lapses(&mut self, now: Millis, journey: Uuid) {
        if self.arrival(journey).is_some() {
            self.give_arrival_up(now, journey);
        }
    }

    /// The journeys of peers' partitions to this world: with their places, and how they ended.
    pub fn arrivals(&self) -> impl Iterator<Item = (Uuid, Result<&Migration, Outcome>)> {
        let kept = self.migrations.values().filter_map(|migration| {
            let Side::Arriving { journey } = migration.side else {
                return None;
            };
            Some((journey, Ok(&**migration)))
        });
        let ended = self.journeys_ended.iter();
        kept.chain(ended.map(|(journey, outcome)| (*journey, Err(*outcome))))
    }

    fn arrival(&self, journey: Uuid) -> Option<Arc<Migration>> {
        let is_it = |migration: &&Arc<Migration>| migration.side == Side::Arriving { journey };
        self.migrations.values().find(is_it).map(Arc::clone)
    }

    fn outcome_of(&self, journey: Uuid) -> Option<Outcome> {
        let mut ended = self.journeys_ended.iter();
        let found = ended.find(|(own, _)| *own == journey);
        found.map(|(_, outcome)| *outcome)
    }

    fn remember(&mut self, journey: Uuid, outcome: Outcome) {
        if self.outcome_of(journey).is_none() {
            self.journeys_ended.push_back((journey, outcome));
        }
        while self.journeys_ended.len() > REMEMBERED {
            self.journeys_ended.pop_front();
        }
    }

    /// Whether the console of a system lets another one log on that has this public key. Two HMCs know each other from
    /// their configuration.
    fn admits(&self, key: Option<&str>, system: Uuid) -> bool {
        match key {
            Some(key) => self.console_of(system).knows_key(key),
            None => self.flavor == Flavor::Hmc,
        }
    }
}

impl Migration {
    /// The place that is kept.
    #[must_use]
    pub const fn place(&self) -> Place {
        Place {
            system: self.target,
            id: self.id,
            memory: self.memory,
            processors: self.processors,
        }
    }
}

fn given_up(told: &Journey) -> String {
    format!(
        "The target keeps no place for partition {}: the migration was given up there.",
        told.bundle.partition.name
    )
}
