//! What will happen by itself, and when.

use imbl::OrdMap;
use uuid::Uuid;

use super::job::lifecycle::JobEnd;
use super::job::power::PowerOff;
use super::resource::Owner;
use crate::clock::Millis;

/// Due effects in the order of their moments; among equals, of their planning.
#[derive(serde::Serialize, serde::Deserialize, Clone, Debug, Default, PartialEq, Eq)]
pub struct Agenda {
    #[serde(with = "super::pairs")]
    due: OrdMap<(Millis, u64), Effect>,
    planned: u64,
}

/// Something that comes about without a request.
#[derive(serde::Serialize, serde::Deserialize, Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// A job begins.
    StartJob(u64),
    /// A job ends.
    FinishJob {
        /// The job.
        job: u64,
        /// How it ends.
        end: JobEnd,
    },
    /// A partition reaches `running`, which ends the job.
    Started {
        /// The partition.
        owner: Owner,
        /// The activation that this belongs to.
        activation: u64,
        /// The job that waits for it.
        job: u64,
    },
    /// The operating system of a partition has booted.
    Booted {
        /// The partition.
        owner: Owner,
        /// The activation that this belongs to.
        activation: u64,
    },
    /// A partition without anything to boot falls back to open firmware.
    FellToOpenFirmware {
        /// The partition.
        owner: Owner,
        /// The activation that this belongs to.
        activation: u64,
    },
    /// RMC of a partition connects.
    RmcConnected {
        /// The partition.
        owner: Owner,
        /// The activation that this belongs to.
        activation: u64,
    },
    /// A partition is down, which ends the job, or begins the restart that the job asked for.
    Stopped {
        /// The partition.
        owner: Owner,
        /// The activation that this belongs to.
        activation: u64,
        /// The job that waits for it.
        job: u64,
        /// What the job asked for.
        request: PowerOff,
    },
    /// A partition that went down by itself starts again.
    Recovered {
        /// The partition.
        owner: Owner,
        /// The activation that ended.
        activation: u64,
    },
    /// A migration goes on, or arrives.
    MigrationStep {
        /// The UUID of the partition.
        partition: Uuid,
        /// The job that waits for it.
        job: u64,
    },
    /// A peer is asked once more.
    AskAgain(u64),
    /// Nothing was heard any more of a partition of a peer that a place is kept for.
    PlaceLapses {
        /// Its journey.
        journey: Uuid,
    },
    /// A suspension or a resumption goes on, or ends.
    ProgressStep {
        /// The UUID of the partition.
        partition: Uuid,
        /// The activation that this belongs to.
        activation: u64,
        /// The job that waits for it.
        job: u64,
    },
    /// A medium leaves its drive after the boot (`remove_optical_name`).
    EjectMedium {
        /// The UUID of the client partition.
        partition: Uuid,
        /// The name of the medium.
        name: String,
    },
}

impl Agenda {
    /// Plans an effect.
    pub fn plan(&mut self, at: Millis, effect: Effect) {
        self.planned += 1;
        self.due.insert((at, self.planned), effect);
    }

    /// When the next effect is due.
    #[must_use]
    pub fn next(&self) -> Option<Millis> {
        self.due.get_min().map(|((at, _), _)| *at)
    }

    /// Takes the next effect that is due by `now`.
    pub fn take(&mut self, now: Millis) -> Option<(Millis, Effect)> {
        let key = self
            .due
            .get_min()
            .map(|(key, _)| *key)
            .filter(|(at, _)| *at <= now)?;
        self.due.remove(&key).map(|effect| (key.0, effect))
    }

    /// How many effects are planned.
    #[must_use]
    pub fn len(&self) -> usize {
        self.due.len()
    }

    /// Whether nothing is planned.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.due.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn effects_come_in_order_of_time_then_planning() {
        let mut agenda = Agenda::default();
        agenda.plan(Millis(20), Effect::StartJob(1));
        agenda.plan(Millis(10), Effect::StartJob(2));
        agenda.plan(Millis(10), Effect::StartJob(3));
        assert_eq!(agenda.next(), Some(Millis(10)));
        assert_eq!(agenda.take(Millis(9)), None);
        let order: Vec<Effect> = std::iter::from_fn(|| agenda.take(Millis(20)))
            .map(|(_, effect)| effect)
            .collect();
        assert_eq!(
            order,
            [
                Effect::StartJob(2),
                Effect::StartJob(3),
                Effect::StartJob(1)
            ]
        );
        assert!(agenda.is_empty());
    }
}
