//! Simulated time: the clock's hands and speed, and steps.

use std::time::Duration;

use axum::extract::{Request, State};
use axum::response::Response;
use http::StatusCode;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::operation::Operation;
use super::{Admin, answer, read, refusal, reply};
use crate::clock::FASTEST;
use crate::stepping::{Bounds, Run};

/// The longest jump of the clock: a year of simulated time.
const LONGEST_ADVANCE: u64 = 366 * 86_400_000;
/// The most moments that one request steps through.
const MOST_MOMENTS: u64 = 1_000_000;

/// What the clock shows.
#[derive(Serialize, JsonSchema)]
struct Shown {
    /// The simulated present, ISO 8601.
    now: String,
    /// The same in milliseconds since 1970.
    milliseconds: u64,
    /// How many times as fast as real time it runs; 0 while it stands.
    scale: f64,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Speed {
    /// How many times as fast as real time, up to a million; 0 stops the clock.
    scale: f64,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Advance {
    /// How far, at most a year.
    milliseconds: u64,
}

/// What is left to happen by itself.
#[derive(Serialize, JsonSchema)]
struct Stepping {
    /// Whether jobs wait to be let through.
    hold_jobs: bool,
    /// Those that wait, in the order of their submission.
    held: Vec<Held>,
    /// How many effects are planned.
    planned: usize,
    /// When something happens next, in milliseconds since 1970; none: nothing is left to happen by itself.
    next: Option<u64>,
    /// The simulated present, in milliseconds since 1970.
    now: u64,
}

#[derive(Serialize, JsonSchema)]
struct Held {
    /// The job's number.
    id: u64,
    /// Such as `PowerOn`.
    operation: String,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Hold {
    /// Whether jobs stay `NOT_STARTED` from now on until they are let through; false lets all through.
    hold_jobs: bool,
}

/// How far to go. Best while the clock stands: one that runs may overtake the steps.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Step {
    /// `moment`: to the next moment at which something happens; `job`: let one job through and go on until it has
    /// ended; `idle`: until nothing is left to happen by itself.
    until: Until,
    /// How often, for `moment` and `job`; once if absent.
    times: Option<u64>,
    /// The end after so many moments; 10,000 if absent.
    most_moments: Option<u64>,
    /// The end after so much simulated time; thirty days if absent.
    most_ms: Option<u64>,
}

#[derive(Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Until {
    Moment,
    Job,
    Idle,
}

/// How far it went.
#[derive(Serialize, JsonSchema)]
struct Stepped {
    /// At how many moments something happened.
    moments: u64,
    /// The jobs that were let through.
    jobs: Vec<u64>,
    /// Whether what was asked for is reached; false if there was nothing to step to, or a bound ended it.
    reached: bool,
    /// The simulated present, in milliseconds since 1970.
    now: u64,
}

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::get("/clock", "What the clock shows", clock).gives::<Shown>(),
        Operation::put("/clock", "Set the clock's speed", set_scale)
            .takes::<Speed>()
            .gives::<Shown>(),
        Operation::post("/clock/advance", "Jump ahead", advance)
            .takes::<Advance>()
            .gives::<Shown>(),
        Operation::get("/stepping", "What is left to happen by itself", stepping)
            .gives::<Stepping>(),
        Operation::put(
            "/stepping",
            "Hold jobs before their start, or stop that",
            hold,
        )
        .takes::<Hold>()
        .gives::<Stepping>(),
        Operation::post("/step", "Go on step by step", step)
            .takes::<Step>()
            .gives::<Stepped>(),
    ]
}

async fn clock(State(admin): State<Admin>) -> Response {
    let clock = admin.simulator.clock();
    let now = clock.now();
    answer(&Shown {
        now: now.to_string(),
        milliseconds: now.0,
        scale: clock.scale(),
    })
}

async fn set_scale(State(admin): State<Admin>, request: Request) -> Response {
    let Speed { scale } = match read(request).await {
        Ok(speed) => speed,
        Err(refusal) => return refusal,
    };
    if admin.simulator.clock().set_scale(scale) {
        clock(State(admin)).await
    } else {
        refusal(
            StatusCode::BAD_REQUEST,
            &format!("scale is a number from 0 to {FASTEST}"),
        )
    }
}

async fn advance(State(admin): State<Admin>, request: Request) -> Response {
    let Advance { milliseconds } = match read(request).await {
        Ok(advance) => advance,
        Err(refusal) => return refusal,
    };
    if milliseconds > LONGEST_ADVANCE {
        return refusal(StatusCode::BAD_REQUEST, "the clock jumps by a year at most");
    }
    let duration = Duration::from_millis(milliseconds);
    admin.simulator.clock().advance(duration);
    clock(State(admin)).await
}

async fn stepping(State(admin): State<Admin>) -> Response {
    let simulator = &admin.simulator;
    let world = simulator.world();
    let operation = |job: u64| world.jobs.get(&job).map(|job| job.operation.clone());
    let held = |id: u64| Held {
        id,
        operation: operation(id).unwrap_or_default(),
    };
    answer(&Stepping {
        hold_jobs: world.gate.is_shut(),
        held: world.gate.waiting().map(held).collect(),
        planned: world.agenda.len(),
        next: simulator.next_due().map(|due| due.0),
        now: simulator.now().0,
    })
}

async fn hold(State(admin): State<Admin>, request: Request) -> Response {
    let Hold { hold_jobs } = match read(request).await {
        Ok(hold) => hold,
        Err(refusal) => return refusal,
    };
    match admin.simulator.hold_jobs(hold_jobs) {
        Ok(()) => stepping(State(admin)).await,
        Err(why) => reply::refused(&why),
    }
}

async fn step(State(admin): State<Admin>, request: Request) -> Response {
    let order: Step = match read(request).await {
        Ok(order) => order,
        Err(refusal) => return refusal,
    };
    let usual = Bounds::default();
    let bounds = Bounds {
        moments: order.most_moments.unwrap_or(usual.moments),
        time: order.most_ms.map_or(usual.time, Duration::from_millis),
    };
    let times = order.times.unwrap_or(1);
    if bounds.moments > MOST_MOMENTS || times > MOST_MOMENTS {
        return refusal(
            StatusCode::BAD_REQUEST,
            &format!("times and most_moments are at most {MOST_MOMENTS}"),
        );
    }
    let simulator = &admin.simulator;
    let mut jobs = Vec::new();
    let run = match order.until {
        Until::Idle => simulator.run_until_idle(bounds).await,
        Until::Moment => {
            let mut moments = 0;
            while moments < times && simulator.step().await {
                moments += 1;
            }
            Run {
                moments,
                reached: moments == times,
            }
        }
        Until::Job => {
            let mut all = Run {
                moments: 0,
                reached: true,
            };
            for _ in 0..times {
                match simulator.run_job(bounds).await {
                    Some((job, run)) => {
                        jobs.push(job);
                        all.moments += run.moments;
                        all.reached &= run.reached;
                    }
                    None => {
                        all.reached = false;
                        break;
                    }
                }
            }
            all
        }
    };
    answer(&Stepped {
        moments: run.moments,
        jobs,
        reached: run.reached,
        now: simulator.now().0,
    })
}
