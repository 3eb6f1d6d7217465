//! Mixed load by the simulated hour: servers come, live and go through the driver, operators edit what is there through
//! the REST API, and things break meanwhile. Afterwards everything has to be as it was.
//!
//! It runs on the simulator of this process under a paused clock, so that a day takes as long as its requests do.

mod change;
mod devices;
mod disturber;
mod hall;
mod jobs;
mod ledger;
mod operator;
mod tenant;

use std::time::Duration;

use futures_util::future::{OptionFuture, join_all};
use powervm_simulator::weather::Weather;
use serde::Serialize;
use tokio_util::sync::CancellationToken;

use crate::audit::{Audit, Policy, compare};
use crate::image::Image;
use crate::stats::millis;
use crate::target::embedded::books;
use crate::target::{Flavor, TargetError, Traffic};

use self::hall::Hall;
pub use self::ledger::{Count, FailureCount, Ledger};

/// What is done.
#[derive(Debug, Clone)]
pub struct Mixed {
    /// Which product it is.
    pub flavor: Flavor,
    /// How long new work begins; what is under way then is finished.
    pub until: Until,
    /// Decides everything random.
    pub seed: u64,
    /// The simulator's weather.
    pub weather: Weather,
    /// Whether every change is checked against the model's invariants.
    pub check_invariants: bool,
    /// How many servers live at a time.
    pub tenants: u16,
    /// How many operators edit at a time.
    pub operators: u16,
    /// The image that servers boot from.
    pub image: Image,
    /// Begins no new work once it fires.
    pub cancel: CancellationToken,
}

/// When no new work begins any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    /// After so many simulated hours, in which operators edit and things break.
    Hours(u64),
    /// After so many deploys. Nobody disturbs them but the weather.
    Deploys(usize),
}

/// What came of it. Nothing in it depends on the machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MixedReport {
    /// From begin to end, in simulated milliseconds.
    pub took_ms: u64,
    /// Operations and failures.
    #[serde(flatten)]
    pub ledger: Ledger,
    /// HTTP requests in all.
    pub requests: u64,
    /// Answers that were lost, cut or refused on purpose.
    pub faults: u64,
    /// Contradictions in the simulator's model.
    pub violations: Vec<String>,
    /// What was left behind.
    pub audit: Audit,
}

impl MixedReport {
    /// How many operations failed, for whatever reason.
    #[must_use]
    pub fn failed(&self) -> u64 {
        self.ledger
            .operations
            .values()
            .map(|count| count.failed)
            .sum()
    }

    /// Whether nothing stayed, nothing contradicts itself, and every failure is of a kind that bad weather explains.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.audit.is_clean() && self.violations.is_empty() && self.ledger.unexpected.is_empty()
    }
}

/// How long everything may take to come to rest at the end: RMC connections, reference codes, repairs.
const REST: Duration = Duration::from_secs(3 * 3600);

/// Runs the load; `progress` hears how many simulated hours have passed.
///
/// # Errors
/// When the simulator cannot be made or driven at the begin.
pub async fn run(
    mixed: &Mixed,
    progress: &(dyn Fn(u64) + Send + Sync),
) -> Result<MixedReport, TargetError> {
    let hall = Hall::open(mixed).await?;
    let before = books::inventory(&hall.simulator.world());
    let tenants = (0..mixed.tenants).map(|number| tenant::live(&hall, number));
    let (hours, operators) = match mixed.until {
        Until::Hours(hours) => (hours, mixed.operators),
        Until::Deploys(_) => (0, 0),
    };
    let disturbances = OptionFuture::from((hours > 0).then(|| disturber::disturb(&hall)));
    let operators = (0..operators).map(|number| operator::work(&hall, number));
    let clock = async {
        for hour in 1..=hours {
            tokio::time::sleep(Duration::from_secs(3600)).await;
            progress(hour);
        }
    };
    tokio::pin!(clock);
    let load = async {
        tokio::join!(join_all(tenants), join_all(operators), disturbances);
    };
    tokio::pin!(load);
    tokio::select! {
        // The load ends a little after the last hour, or early when it is broken off.
        () = &mut load => {}
        () = async { clock.await; std::future::pending().await } => {}
    }
    hall.recover().await;
    tokio::time::sleep(REST).await;
    let after = books::inventory(&hall.simulator.world());
    let counters = hall.simulator.counters();
    let traffic: Traffic = hall.meter.read();
    Ok(MixedReport {
        took_ms: millis(hall.elapsed()),
        requests: traffic.requests,
        faults: counters.faults,
        violations: hall.simulator.violations(),
        audit: compare(&[before], &[after], Policy::Ssp),
        ledger: hall.ledger(),
    })
}
