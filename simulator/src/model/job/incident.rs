//! What befalls partitions without anybody asking for it: a crash, a lost connection, and the return of both.

use super::power::PowerOff;
use crate::clock::Millis;
use crate::model::agenda::Effect;
use crate::model::names::{PartitionState, RmcState};
use crate::model::partition::PartitionCapabilities;
use crate::model::refusal::Refusal;
use crate::model::resource::Owner;
use crate::model::world::World;

/// What happens to a partition.
#[derive(serde::Serialize, serde::Deserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Incident {
    /// It goes down at once, whatever it was doing.
    Down,
    /// It starts again, with what it is configured to have.
    Up,
    /// The console loses its RMC connection; the partition itself goes on.
    RmcLost,
    /// The connection comes back.
    RmcBack,
}

impl Incident {
    /// What undoes it.
    #[must_use]
    pub const fn opposite(self) -> Self {
        match self {
            Self::Down => Self::Up,
            Self::Up => Self::Down,
            Self::RmcLost => Self::RmcBack,
            Self::RmcBack => Self::RmcLost,
        }
    }
}

impl World {
    /// Lets something befall a partition. With `lasts`, in milliseconds, it is undone by itself then, unless somebody
    /// powers the partition on or off before.
    ///
    /// # Errors
    /// 404 if there is no such partition.
    pub fn befall(
        &mut self,
        now: Millis,
        owner: Owner,
        incident: Incident,
        lasts: Option<u64>,
    ) -> Result<(), Refusal> {
        self.advance(now);
        if self.partition(owner).is_none() {
            return Err(Refusal::not_found("partition", owner.uuid()));
        }
        match incident {
            Incident::Down => self.crash(now, owner),
            Incident::Up => self.come_back(now, owner),
            Incident::RmcLost => self.lose_rmc(now, owner),
            Incident::RmcBack => {
                let activation = self.activation(owner);
                self.rmc_connected(now, owner, activation);
            }
        }
        if let Some(lasts) = lasts {
            let activation = self.activation(owner);
            let undo = match incident {
                Incident::Down => Effect::Recovered { owner, activation },
                Incident::RmcLost => Effect::RmcConnected { owner, activation },
                Incident::Up | Incident::RmcBack => return Ok(()),
            };
            self.agenda.plan(now.plus(lasts), undo);
        }
        Ok(())
    }

    /// A crash is undone, unless somebody was quicker.
    pub(in crate::model) fn recovered(&mut self, now: Millis, owner: Owner, activation: u64) {
        if self.activation(owner) == activation {
            self.come_back(now, owner);
        }
    }

    fn crash(&mut self, now: Millis, owner: Owner) {
        let is_off = |state: PartitionState| state == PartitionState::NotActivated;
        if self
            .partition(owner)
            .is_some_and(|partition| is_off(partition.state))
        {
            return;
        }
        // What was under way belongs to the activation that ends here.
        self.edit_partition(owner, |partition| {
            partition.activation += 1;
            partition.state = PartitionState::ShuttingDown;
            partition.capabilities = PartitionCapabilities::default();
        });
        let request = PowerOff {
            by_os: false,
            immediate: true,
            restart: false,
        };
        let activation = self.activation(owner);
        self.stopped(now, owner, activation, NO_JOB, request);
    }

    fn come_back(&mut self, now: Millis, owner: Owner) {
        let partition = self.partition(owner).cloned();
        if let Some(partition) =
            partition.filter(|partition| partition.state == PartitionState::NotActivated)
        {
            self.activate(now, owner, &partition, NO_JOB);
        }
    }

    fn lose_rmc(&mut self, now: Millis, owner: Owner) {
        let up = self
            .partition(owner)
            .is_some_and(|partition| partition.rmc.is_up());
        if up {
            self.edit_partition(owner, |partition| {
                partition.rmc = RmcState::Inactive;
                partition.capabilities = PartitionCapabilities::default();
            });
            self.announce_partition(now, owner, "RMCState,Other");
        }
    }

    fn activation(&self, owner: Owner) -> u64 {
        self.partition(owner)
            .map_or(0, |partition| partition.activation)
    }
}

/// The number of the job that nobody waits for: no job has it.
const NO_JOB: u64 = 0;
