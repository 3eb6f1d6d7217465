//! Meters: what servers and the host use, from the performance and capacity monitoring of the hypervisor.
//!
//! Nothing is measured here. The console keeps raw counters, a sample every 30 s, of the hypervisor, of each Virtual
//! I/O Server and of the operating systems; meters are counters of the newest sample, and rates between the two newest.
//! `docs/protocol/monitoring.md` tells the shapes, `docs/meters.md` what the meters mean.

use jiff::Timestamp;
use serde::Serializer;

mod count;
mod disk;
mod exporter;
pub mod exposition;
mod feed;
mod host;
mod instance;
mod interface;
mod processor;
mod raw;

pub use disk::{DiskKind, DiskMeters};
pub use exporter::Exporter;
pub use exposition::Exposition;
pub use host::{HostCpu, HostMemory, HostMeters, HostProcessors, PoolMeters, ViosMeters};
pub use instance::{InstanceMeters, MemoryMeters};
pub use interface::{InterfaceKind, InterfaceMeters};
pub use processor::CpuMeters;

pub(crate) use feed::{History, Listing, Sample};
pub(crate) use instance::Facts;
pub(crate) use interface::place_of;

/// A moment as text: `2015-05-27T08:17:45Z`.
fn as_text<S: Serializer>(at: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(at)
}

/// How much a counter has grown; nothing for one that was set back.
fn growth(now: u64, before: u64) -> Option<u64> {
    now.checked_sub(before)
}

/// How much a second that is, for a counter that has grown within so many seconds.
fn rate(growth: Option<u64>, seconds: Option<f64>) -> Option<f64> {
    // Counters between two samples are far below what a float holds exactly.
    #[allow(clippy::cast_precision_loss)]
    let growth = growth? as f64;
    seconds
        .filter(|seconds| *seconds > 0.0)
        .map(|seconds| growth / seconds)
}

/// Whole nanoseconds of so many cycles; none without a clock.
fn nanoseconds(cycles: u64, cycles_per_second: u64) -> u64 {
    let nanoseconds = u128::from(cycles) * 1_000_000_000;
    let whole = nanoseconds.checked_div(u128::from(cycles_per_second));
    u64::try_from(whole.unwrap_or(0)).unwrap_or(u64::MAX)
}
