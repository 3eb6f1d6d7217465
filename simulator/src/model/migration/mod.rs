//! Partition mobility: a partition moves from one managed system to another (`docs/protocol/mobility.md`).
//!
//! What moves is a [`Bundle`]: the partition with its adapters, and its storage by identities that hold beyond one
//! system. The source exports it, the target plans its [`Arrival`](arrival::Arrival) and takes it in; nothing of the
//! source's numbering goes along.

pub mod arrival;
pub mod bundle;
mod check;
pub mod fibre_channel;
pub mod journey;
pub mod options;
mod remote_restart;
mod run;
mod storage;
mod units;
pub mod vnic;

use uuid::Uuid;

pub use bundle::Bundle;
pub use journey::Side;
pub use options::Options;

use super::names::PartitionState;
use super::units::ProcUnits;
use super::world::World;

/// How a partition moves.
#[derive(
    serde::Serialize, serde::Deserialize, schemars::JsonSchema, Clone, Copy, Debug, PartialEq, Eq,
)]
pub enum Manner {
    /// While it runs: its memory is copied.
    Active,
    /// While it is off: only its configuration moves.
    Inactive,
    /// Because its system has failed: its configuration moves, and the target starts it.
    Restart,
}

impl Manner {
    /// The state of a partition that has arrived, or is back.
    #[must_use]
    pub const fn settled(self) -> PartitionState {
        match self {
            Self::Active => PartitionState::Running,
            Self::Inactive | Self::Restart => PartitionState::NotActivated,
        }
    }

    /// Whether the partition takes memory and processors as soon as it is there.
    #[must_use]
    pub const fn runs_there(self) -> bool {
        matches!(self, Self::Active | Self::Restart)
    }

    /// What it is called in messages.
    const fn name(self) -> &'static str {
        match self {
            Self::Active | Self::Inactive => "migration",
            Self::Restart => "remote restart",
        }
    }
}

/// How far a migration has come.
#[derive(serde::Serialize, serde::Deserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// `Migration_Starting`: adapters are being prepared on the target.
    Starting,
    /// `Migration_In_Progress`: memory is being copied.
    InProgress,
    /// Still `Migration_In_Progress`: a peer was asked to take the partition in, and has not answered yet.
    ChangingOver,
    /// `Migration_Failed`: it cannot go on, and could not be undone. `MigrateRecover` undoes it.
    Failed,
}

/// A migration under way. The source has the partition until the end; the target keeps its place.
#[derive(serde::Serialize, serde::Deserialize, Clone, Debug, PartialEq, Eq)]
pub struct Migration {
    /// The partition.
    pub partition: Uuid,
    /// The job that waits for it.
    pub job: u64,
    /// How it moves.
    pub manner: Manner,
    /// How far it has come.
    pub phase: Phase,
    /// Whether both systems are of this world.
    #[serde(default)]
    pub side: Side,
    /// The system that it leaves.
    pub source: Uuid,
    /// The system that it goes to.
    pub target: Uuid,
    /// The `PartitionID` that is kept for it on the target.
    pub id: u16,
    /// The name that is kept for it on the target.
    pub name: String,
    /// Memory that is kept for it on the target, in megabytes, with what the hypervisor needs besides.
    pub memory: u64,
    /// Processing units that are kept for it on the target.
    pub processors: ProcUnits,
    /// In how many parts its memory is still to be copied.
    pub left: u8,
    /// How long copying a part takes, in milliseconds.
    pub part: u64,
    /// What the job asked for.
    pub options: Options,
}

impl World {
    /// Migrations that leave or reach a system: active and inactive ones.
    #[must_use]
    pub fn migrations_in_progress(&self, system: Uuid) -> (u32, u32) {
        let of_system = self
            .migrations
            .values()
            .filter(|migration| migration.source == system || migration.target == system);
        of_system.fold((0, 0), |(active, inactive), migration| {
            match migration.manner {
                Manner::Active => (active + 1, inactive),
                Manner::Inactive | Manner::Restart => (active, inactive + 1),
            }
        })
    }

    /// Memory in megabytes that a system keeps for partitions on their way to it.
    #[must_use]
    pub fn memory_kept_for_arrivals(&self, system: Uuid) -> u64 {
        self.arriving_at(system)
            .map(|migration| migration.memory)
            .sum()
    }

    /// Processing units that a system keeps for partitions on their way to it.
    #[must_use]
    pub fn processors_kept_for_arrivals(&self, system: Uuid) -> ProcUnits {
        self.arriving_at(system)
            .map(|migration| migration.processors)
            .sum()
    }

    /// The migrations whose target is this system.
    pub fn arriving_at(&self, system: Uuid) -> impl Iterator<Item = &Migration> {
        self.migrations
            .values()
            .map(|migration| &**migration)
            .filter(move |migration| migration.target == system)
    }
}
