//! A partition that moves to a system of another process: what the two tell each other (`docs/protocol/mobility.md`).
//!
//! The source asks, and its model waits for the answer: a question that is open is an [`Errand`] in its world, which
//! somebody outside carries to the peer ([`World::errands_ready`]) and comes back from ([`World::hear`]). A journey has an
//! identifier of its own, so that every question may be asked twice: what was done is answered again, not done again.

mod arriving;
mod leaving;

use schemars::JsonSchema;
use uuid::Uuid;

use super::{Bundle, Manner, Options};
use crate::model::units::ProcUnits;
use crate::model::world::World;

/// Between which systems a migration goes.
#[derive(serde::Serialize, serde::Deserialize, Clone, Debug, Default, PartialEq, Eq)]
pub enum Side {
    /// Two of this world.
    #[default]
    Within,
    /// From one of this world to one of a peer.
    Leaving {
        /// The name of the peer.
        peer: String,
        /// The journey.
        journey: Uuid,
        /// Whether the peer was asked to take the partition in: from then on it knows where the partition is, and
        /// nobody else.
        asked: bool,
    },
    /// From one of a peer to one of this world, which keeps a place.
    Arriving {
        /// The journey.
        journey: Uuid,
    },
}

/// A partition that wants to come.
#[derive(serde::Serialize, serde::Deserialize, Clone, Debug, PartialEq, Eq)]
pub struct Journey {
    /// How it moves.
    pub manner: Manner,
    /// What its job asked for.
    pub options: Options,
    /// The public key of the console that it leaves; an HMC has none.
    pub key: Option<String>,
    /// The partition with all that goes with it.
    pub bundle: Bundle,
}

/// The place that a system has, or keeps, for a partition.
#[derive(serde::Serialize, serde::Deserialize, JsonSchema, Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The UUID of the system.
    pub system: Uuid,
    /// The `PartitionID` there.
    pub id: u16,
    /// The memory that the partition takes there, in megabytes.
    pub memory: u64,
    /// The processing units that it takes there, in hundredths.
    #[schemars(with = "u32")]
    pub processors: ProcUnits,
}

/// What a source asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Question {
    /// Whether the partition could come. Changes nothing.
    Check(Box<Journey>),
    /// Keep a place for it.
    Reserve(Box<Journey>),
    /// Take it in, as it is now.
    TakeIn(Box<Journey>),
    /// Give the journey up, unless the partition has arrived.
    GiveUp,
}

/// What a target answers.
#[derive(serde::Serialize, serde::Deserialize, JsonSchema, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// There is room, or room is kept.
    Welcome(Place),
    /// The partition is here.
    Arrived,
    /// The partition is not here, and will not come on this journey.
    GivenUp,
}

/// No answer, or no.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// The target will not, and has done nothing: why, as the result of a job tells it.
    Refused(String),
    /// Nobody knows whether the question was heard: what happened instead of an answer.
    Silence(String),
}

/// A question on its way.
#[derive(serde::Serialize, serde::Deserialize, Clone, Debug, PartialEq, Eq)]
pub struct Errand {
    /// The peer.
    pub peer: String,
    /// The journey.
    pub journey: Uuid,
    /// The partition.
    pub partition: Uuid,
    /// What is asked, and who waits.
    pub matter: Matter,
    /// What is told with it.
    pub told: Option<Box<Journey>>,
    /// How often it was asked in vain.
    pub tries: u32,
    /// Whether it is to be asked now; otherwise the agenda has the moment.
    pub ready: bool,
}

/// What a question is about.
#[derive(serde::Serialize, serde::Deserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Matter {
    /// Job `MigrateValidate` waits.
    Check {
        /// The job.
        job: u64,
    },
    /// Job `Migrate` waits.
    Reserve {
        /// The job.
        job: u64,
    },
    /// The change over.
    TakeIn,
    /// The end of a journey.
    GiveUp {
        /// The job `MigrateRecover` that waits, if one does.
        job: Option<u64>,
    },
}

/// How a journey has ended, for as long as that is remembered.
#[derive(serde::Serialize, serde::Deserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The partition has arrived.
    Arrived,
    /// It was given up.
    GivenUp,
}

impl Errand {
    /// The question.
    #[must_use]
    pub fn question(&self) -> Question {
        match (self.matter, &self.told) {
            (Matter::Check { .. }, Some(told)) => Question::Check(told.clone()),
            (Matter::Reserve { .. }, Some(told)) => Question::Reserve(told.clone()),
            (Matter::TakeIn, Some(told)) => Question::TakeIn(told.clone()),
            (_, None) | (Matter::GiveUp { .. }, _) => Question::GiveUp,
        }
    }
}

impl World {
    /// The questions that peers are to be asked now, in their order.
    pub fn errands_ready(&self) -> impl Iterator<Item = (u64, &Errand)> {
        let ready = self.errands.iter().filter(|(_, errand)| errand.ready);
        ready.map(|(id, errand)| (*id, &**errand))
    }

    /// Answers a peer's question about a journey.
    ///
    /// # Errors
    /// [`Trouble::Refused`]; nothing has changed then but that a place that was kept may have gone.
    pub fn answer(
        &mut self,
        now: crate::clock::Millis,
        journey: Uuid,
        question: &Question,
    ) -> Result<Answer, Trouble> {
        self.advance(now);
        let answered = match question {
            Question::Check(told) => self.check_arrival(told).map(Answer::Welcome),
            Question::Reserve(told) => self.reserve_arrival(now, journey, told),
            Question::TakeIn(told) => self.finish_arrival(now, journey, told),
            Question::GiveUp => Ok(self.give_arrival_up(now, journey)),
        };
        self.advance(now);
        answered.map_err(Trouble::Refused)
    }
}
