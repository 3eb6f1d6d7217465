//! What partitions have used of their processors by a moment, in cycles.

use crate::clock::Millis;
use crate::model::monitoring::load::{Sum, in_waves, trait_of};
use crate::model::names::SharingMode;
use crate::model::partition::Partition;

/// `procCyclesPerSecond`
pub(super) const CYCLES_PER_SECOND: u64 = 512_000_000;

/// What a partition has used by a moment, in cycles.
pub(super) struct Used {
    pub(super) entitled: u64,
    pub(super) capped: u64,
    pub(super) uncapped: u64,
    pub(super) idle: u64,
}

impl Used {
    /// A steady share of what it is entitled to, with waves; an uncapped partition takes a little more than that. Idle
    /// cycles are among the capped ones: clients subtract them (`docs/protocol/monitoring.md`).
    pub(super) fn of(partition: &Partition, sum: &Sum) -> Self {
        let entitled = in_cycles(sum.entitled);
        let part = |percent: u64| entitled / 100 * percent;
        let waves = in_waves(
            sum.ran,
            CYCLES_PER_SECOND / 1000 * (1 + trait_of(partition.uuid, b'w') / 20),
        );
        let uncapped = partition.processors.current.sharing() == SharingMode::Uncapped;
        let idle = part(10 + trait_of(partition.uuid, b'i') / 4);
        let busy = part(5 + trait_of(partition.uuid, b'c') / 3);
        Self {
            entitled,
            capped: idle.saturating_add(busy).saturating_add(waves),
            uncapped: if uncapped {
                part(trait_of(partition.uuid, b'u') / 12)
            } else {
                0
            },
            idle,
        }
    }

    pub(super) const fn total(&self) -> u64 {
        self.capped.saturating_add(self.uncapped)
    }
}

/// All cycles that a partition has used by a moment.
pub(super) fn used_cycles(partition: &Partition, at: Millis) -> u64 {
    Used::of(partition, &sum(partition, at)).total()
}

/// What has added up for a partition; nothing for one that has no past.
pub(super) fn sum(partition: &Partition, at: Millis) -> Sum {
    partition.load.sum(at).unwrap_or(Sum {
        state: partition.state,
        ran: 0,
        entitled: 0,
    })
}

/// Hundredths of a processor times milliseconds as cycles.
pub(super) const fn in_cycles(hundredths: u64) -> u64 {
    hundredths.saturating_mul(CYCLES_PER_SECOND / 100_000)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Simulator;
    use crate::model::names::PartitionState;

    #[test]
    fn every_partition_uses_more_than_it_idles_and_less_than_it_may() {
        let world = Simulator::builder().build().unwrap().world();
        let mut partition = (**world.partitions.values().next().unwrap()).clone();
        let units = u64::from(partition.processors.current.desired_units().hundredths());
        for number in 0..500_u128 {
            partition.uuid =
                uuid::Uuid::from_u128((number << 64) | number.wrapping_mul(0x9e37_79b9));
            let mut before = None;
            for half_minute in 0..60_u64 {
                let ran = half_minute * 30_000;
                let used = Used::of(
                    &partition,
                    &Sum {
                        state: PartitionState::Running,
                        ran,
                        entitled: ran * units,
                    },
                );
                assert!(used.idle <= used.capped && used.capped <= used.entitled);
                let busy = used.total() - used.idle;
                assert!(before.is_none_or(|before| before < busy));
                before = Some(busy);
            }
        }
    }
}
