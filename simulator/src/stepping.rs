//! Simulated time step by step: to the next moment at which something happens, until nothing is left to happen, or
//! one job at a time.

use std::time::Duration;

use crate::clock::Millis;
use crate::model::Refusal;
use crate::simulator::Simulator;

/// How far a run may go before it ends by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// How many moments.
    pub moments: u64,
    /// How much simulated time.
    pub time: Duration,
}

impl Default for Bounds {
    /// Ten thousand moments or thirty days.
    fn default() -> Self {
        Self {
            moments: 10_000,
            time: Duration::from_secs(30 * 86_400),
        }
    }
}

/// What a run came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    /// At how many moments something happened.
    pub moments: u64,
    /// Whether what was to be reached is reached; false if the bounds ended the run.
    pub reached: bool,
}

/// How often requests that a step woke get their turn before the next step.
const TURNS: u32 = 20_000;

impl Simulator {
    /// When something happens next: an effect in the world, or a request that goes on. None: nothing is left to
    /// happen by itself.
    #[must_use]
    pub fn next_due(&self) -> Option<Millis> {
        let due = self.world().next_due();
        let woken = self.clock().next_sleeper();
        due.into_iter().chain(woken).min()
    }

    /// Jumps to the next moment at which something happens, and lets it happen. False if there is none.
    ///
    /// It works best while the clock stands ([`Clock::set_scale`](crate::clock::Clock::set_scale) with 0): a clock
    /// that runs may overtake it.
    pub async fn step(&self) -> bool {
        let Some(due) = self.next_due() else {
            return false;
        };
        let ahead = due.since(self.now());
        if !ahead.is_zero() {
            self.clock().advance(ahead);
        }
        drop(self.world());
        self.settle().await;
        true
    }

    /// Steps until nothing is left to happen by itself. Requests that come meanwhile are served as always.
    pub async fn run_until_idle(&self, bounds: Bounds) -> Run {
        self.run(bounds, |simulator| simulator.next_due().is_none())
            .await
    }

    /// Lets the job through the gate that has waited longest, and steps until it has ended. Returns its number, or
    /// none if none waits.
    pub async fn run_job(&self, bounds: Bounds) -> Option<(u64, Run)> {
        let let_through = self.commit(|world, now| Ok::<_, Refusal>(world.let_through(now)));
        let job = let_through.ok().flatten()?;
        let run = self
            .run(bounds, |simulator| {
                let world = simulator.world();
                world.jobs.get(&job).is_none_or(|job| job.status.is_final())
            })
            .await;
        Some((job, run))
    }

    /// Whether jobs wait at the gate from now on; those that wait begin if not.
    ///
    /// # Errors
    /// A violated invariant, if these are checked.
    pub fn hold_jobs(&self, hold: bool) -> Result<(), Refusal> {
        self.commit(|world, now| {
            if hold {
                world.shut_gate();
            } else {
                world.open_gate(now);
            }
            Ok(())
        })
    }

    async fn run(&self, bounds: Bounds, mut reached: impl FnMut(&Self) -> bool) -> Run {
        let last = self.now().after(bounds.time);
        let mut moments = 0;
        self.settle().await;
        while !reached(self) {
            let due = self.next_due();
            if moments >= bounds.moments || due.is_none_or(|due| due > last) {
                return Run {
                    moments,
                    reached: false,
                };
            }
            self.step().await;
            moments += 1;
        }
        Run {
            moments,
            reached: true,
        }
    }

    /// Gives the requests that are being served their turn, until all of them wait for simulated time or for events.
    /// One that waits for its client's body is not waited for.
    async fn settle(&self) {
        for _ in 0..TURNS {
            tokio::task::yield_now().await;
            let present = self
                .shared()
                .present
                .load(std::sync::atomic::Ordering::Acquire);
            if present <= self.clock().waiting() {
                return;
            }
        }
    }
}
