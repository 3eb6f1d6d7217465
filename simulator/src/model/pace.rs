//! How long things take: ranges that the weather hands in, drawn from the world's own stream.

use super::ids::Ids;

/// A range of milliseconds, both ends included.
#[derive(serde::Serialize, serde::Deserialize, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    /// The shortest time.
    pub low: u64,
    /// The longest time.
    pub high: u64,
}

impl Span {
    /// No time at all.
    pub const NONE: Self = Self::ms(0, 0);

    /// From `low` to `high` milliseconds.
    #[must_use]
    pub const fn ms(low: u64, high: u64) -> Self {
        Self { low, high }
    }

    /// A time of the range.
    pub fn draw(self, ids: &mut Ids) -> u64 {
        ids.between(self.low, self.high)
    }
}

/// How long each kind of work takes, in simulated milliseconds.
#[derive(serde::Serialize, serde::Deserialize, Clone, Debug, PartialEq, Eq)]
pub struct Pace {
    /// From the submission of a job to its start (`NOT_STARTED` to `RUNNING`).
    pub job_start: Span,
    /// From the start of a job to its refusal.
    pub refusal: Span,
    /// From the start of a power-on to `running` and the end of the job.
    pub power_on: Span,
    /// From `running` to the operating system's own reference code.
    pub boot: Span,
    /// From `running` to `open firmware` where there is nothing to boot.
    pub open_firmware: Span,
    /// From `running` to an active RMC connection.
    pub rmc: Span,
    /// A power-off by the hypervisor that does not ask the operating system (`shutdown`, `immediate`).
    pub power_off_immediate: Span,
    /// A power-off by the hypervisor that waits for the operating system (`shutdown`).
    pub power_off: Span,
    /// A shutdown by the operating system (`osshutdown`).
    pub os_shutdown: Span,
    /// From the start of a migration to the copying of memory.
    pub migration_start: Span,
    /// The part of the copying that does not depend on memory, and the change over.
    pub migration: Span,
    /// The copying of one gigabyte of memory.
    pub migration_gigabyte: Span,
    /// Each step of a suspension or a resumption.
    pub suspend_step: Span,
    /// Any other job.
    pub other_job: Span,
}

impl Pace {
    /// Jobs end in the answer to their submission; RMC follows within half a second.
    #[must_use]
    pub const fn calm() -> Self {
        Self {
            job_start: Span::NONE,
            refusal: Span::NONE,
            power_on: Span::NONE,
            boot: Span::ms(200, 200),
            open_firmware: Span::ms(200, 200),
            rmc: Span::ms(500, 500),
            power_off_immediate: Span::NONE,
            power_off: Span::NONE,
            os_shutdown: Span::NONE,
            migration_start: Span::NONE,
            migration: Span::NONE,
            migration_gigabyte: Span::NONE,
            suspend_step: Span::NONE,
            other_job: Span::NONE,
        }
    }

    /// The medians measured on real consoles, with a narrow spread (`docs/protocol/partitions.md`).
    #[must_use]
    pub const fn typical() -> Self {
        Self {
            job_start: Span::ms(40, 60),
            refusal: Span::ms(60, 80),
            power_on: Span::ms(4_000, 6_000),
            boot: Span::ms(18_000, 25_000),
            open_firmware: Span::ms(9_000, 11_000),
            rmc: Span::ms(60_000, 90_000),
            power_off_immediate: Span::ms(2_000, 3_000),
            power_off: Span::ms(8_000, 12_000),
            os_shutdown: Span::ms(15_000, 25_000),
            migration_start: Span::ms(8_000, 12_000),
            migration: Span::ms(18_000, 22_000),
            migration_gigabyte: Span::ms(12_000, 13_500),
            suspend_step: Span::ms(2_000, 4_000),
            other_job: Span::ms(80, 200),
        }
    }

    /// The slow tails of the same measurements.
    #[must_use]
    pub const fn stormy() -> Self {
        Self {
            job_start: Span::ms(50, 300),
            refusal: Span::ms(60, 300),
            power_on: Span::ms(4_000, 30_000),
            boot: Span::ms(20_000, 120_000),
            open_firmware: Span::ms(9_000, 30_000),
            rmc: Span::ms(60_000, 600_000),
            power_off_immediate: Span::ms(2_000, 15_000),
            power_off: Span::ms(8_000, 60_000),
            os_shutdown: Span::ms(15_000, 120_000),
            migration_start: Span::ms(8_000, 60_000),
            migration: Span::ms(18_000, 120_000),
            migration_gigabyte: Span::ms(12_000, 27_000),
            suspend_step: Span::ms(2_000, 20_000),
            other_job: Span::ms(80, 2_000),
        }
    }
}

impl Default for Pace {
    fn default() -> Self {
        Self::calm()
    }
}
