//! The fault matrix: each request of each operation meets each of what can befall a request.

use std::time::Duration;

use anyhow::{Context, bail};
use powervm_driver::operations::Control;
use powervm_driver::saga::StepFailure;
use powervm_driver::{Error, ErrorKind};
use powervm_simulator::model::job::gate::Fate;
use powervm_simulator::weather::Rule;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tokio::time::Instant;

use super::report::{Ended, MatrixReport};
use super::stage::{Actor, Scene, Stage};
use super::subjects::Failed;
use super::wire::{Call, Strike};
use super::{
    Selection,
    run::{self, Watch},
    telling,
};

/// What befalls a request.
#[derive(Debug, Clone, Copy)]
struct Fault {
    name: &'static str,
    how: How,
}

#[derive(Debug, Clone, Copy)]
enum How {
    /// The simulator does it.
    Rule(fn(Rule) -> Rule),
    /// The simulator does it to a job that is submitted.
    Job(fn(Rule) -> Rule),
    /// The job that is submitted never begins.
    HeldJob,
}

const FAULTS: [Fault; 12] = [
    rule("401", |rule| {
        rule.answer(401, "Unauthorized", "The session is not valid.")
    }),
    rule(ABSENT, |rule| {
        rule.answer(404, "Not found", "HSCL9999 The resource was not found.")
    }),
    rule("412", |rule| {
        rule.answer(
            412,
            "Precondition Failed",
            "REST000C The ETag does not match.",
        )
    }),
    rule("500 busy", |rule| {
        rule.answer(
            500,
            "Unknown internal error.",
            "HSCL3205 The Virtual I/O Server is busy processing some other request. Please retry the operation after sometime.",
        )
    }),
    rule("500 other", |rule| {
        rule.answer(500, "Unknown internal error.", "HSCL9999 out of sorts")
    }),
    rule("503", |rule| {
        rule.answer(
            503,
            "Service Unavailable",
            "The service is not available now.",
        )
    }),
    rule("connection reset before the commit", |rule| rule.reset()),
    rule("connection reset after the commit", |rule| {
        rule.after().reset()
    }),
    rule("body cut", |rule| rule.cut(100)),
    rule("30 s of silence", |rule| {
        rule.delay(Duration::from_secs(30))
    }),
    Fault {
        name: "job failure",
        how: How::Job(|rule| rule.fate(Fate::Failed("HSCL9999 The job failed.".to_owned()))),
    },
    Fault {
        name: "job timeout",
        how: How::HeldJob,
    },
];

const fn rule(name: &'static str, strike: fn(Rule) -> Rule) -> Fault {
    Fault {
        name,
        how: How::Rule(strike),
    }
}

impl Fault {
    fn can_befall(self, call: Option<&Call>) -> bool {
        match self.how {
            How::Rule(_) => true,
            How::Job(_) | How::HeldJob => call.is_some_and(Call::is_job),
        }
    }
}

/// One fault at a request, or several.
#[derive(Debug, Clone)]
struct Case {
    strikes: Vec<(usize, Fault)>,
}

/// Runs the matrix.
#[must_use]
pub fn run(selection: &Selection, watch: Watch<'_>) -> MatrixReport {
    let deal = |subject: usize, stage: &Stage| -> Vec<Case> {
        let can = |number: usize, kind: usize| {
            let call = stage.calls.get(number - 1);
            FAULTS.get(kind).is_some_and(|fault| fault.can_befall(call))
        };
        let dealt = selection.strikes(subject, stage.calls.len(), FAULTS.len(), can);
        let case = |(number, kind): (usize, usize)| {
            let fault = *FAULTS.get(kind)?;
            Some(Case {
                strikes: vec![(number, fault)],
            })
        };
        let mut cases: Vec<Case> = dealt.into_iter().filter_map(case).collect();
        let mut random = ChaCha8Rng::seed_from_u64(selection.seed);
        random.set_stream(subject as u64 + 1);
        cases.extend((0..selection.pairs).filter_map(|_| pair(&mut random, stage)));
        cases
    };
    run::run("faults", selection, watch, deal, case)
}

/// What is asked a second time when it is answered with it: that something is not there which has to be.
const ABSENT: &str = "404";

/// A fault, and another one after it: also where the first one has led the operation by then. Not two that both say that
/// something is not there: they may meet the same request, and whom the server tells twice has to believe it.
fn pair(random: &mut ChaCha8Rng, stage: &Stage) -> Option<Case> {
    let last = stage.calls.len();
    let first = random.random_range(1..=last.max(1));
    let second = random.random_range(first + 1..=last + last / 2 + 2);
    let mut draw = |number: usize, but: Option<&str>| {
        let call = stage.calls.get(number - 1);
        let able: Vec<Fault> = FAULTS
            .into_iter()
            .filter(|fault| fault.can_befall(call) && but != Some(fault.name))
            .collect();
        able.get(random.random_range(0..able.len())).copied()
    };
    let one = draw(first, None)?;
    let other = draw(second, Some(ABSENT).filter(|absent| one.name == *absent))?;
    Some(Case {
        strikes: vec![(first, one), (second, other)],
    })
}

fn case(stage: &Stage, case: &Case) -> Ended {
    let told = case.strikes.iter().map(|(number, fault)| {
        let call = stage.calls.get(number - 1).map_or_else(
            || "one more than there are".to_owned(),
            |call| format!("{} {}", call.method, call.path),
        );
        format!("{} at request {number}: {call}", fault.name)
    });
    let kind = match case.strikes.as_slice() {
        [(_, fault)] => fault.name,
        _ => "pair",
    };
    let outcome = stage.play_to_the_end(async |scene| play(scene, case).await);
    Ended {
        kind: kind.to_owned(),
        case: told.collect::<Vec<_>>().join("; then "),
        outcome: outcome.map_err(|error| format!("{error:#}")),
    }
}

async fn play(scene: &Scene<'_>, case: &Case) -> anyhow::Result<&'static str> {
    let subject = scene.stage.subject;
    let mut held = Vec::new();
    let actor = scene.actor().await?;
    for (number, fault) in &case.strikes {
        let nth = || Rule::new("*", "*").nth(*number as u64);
        match fault.how {
            How::Rule(strike) | How::Job(strike) => {
                scene.simulator.faults().add(strike(nth()))?;
            }
            How::HeldJob => held.push(Strike::HoldsJob(*number)),
        }
    }
    actor.line.arm(held);
    let start = Instant::now();
    let outcome = actor.run(&Control::default()).await;
    let took = start.elapsed();
    if took > subject.limit() {
        bail!("it took {} s: {outcome:?}", took.as_secs());
    }
    scene.simulator.faults().clear();
    scene.simulator.hold_jobs(false)?;
    match outcome {
        Ok(()) => {
            scene.nothing_is_pending().await?;
            scene.is_content_right()?;
            match subject.reverse() {
                Some(reverse) => {
                    reverse(&actor.driver, &Control::default())
                        .await
                        .context("it cannot be taken back")?;
                    scene
                        .is_as_before()
                        .await
                        .context("taken back after success")?;
                }
                None => scene.is_as_after().await.context("after success")?,
            }
            Ok("succeeded")
        }
        Err(error) => failed(scene, &actor, &error)
            .await
            .with_context(|| format!("it failed ({error})")),
    }
}

/// For how long a server keeps the record of a job that ended. Whoever is refused at the logon cannot delete those of
/// its jobs, and no journal knows of them.
const JOBS_ARE_KEPT: Duration = Duration::from_secs(25 * 3600);

/// Whoever is refused at the logon can do nothing more; the next driver does it with the journal.
async fn taken_up(scene: &Scene<'_>) -> anyhow::Result<&'static str> {
    let control = Control::default();
    let heir = scene
        .actor()
        .await
        .context("the next driver does not start")?;
    heir.recover(&control).await?;
    scene.nothing_is_pending().await?;
    if scene.stage.subject.failed() == Failed::AsBefore && !scene.is_repeatable().await? {
        sooner_or_later(async || scene.is_as_before().await)
            .await
            .context("after the recovery")?;
        return Ok("failed, undone by the next driver");
    }
    let repeated = heir.run(&control).await;
    repeated.context("it cannot be repeated")?;
    sooner_or_later(async || scene.is_as_after().await)
        .await
        .context("after the repetition")?;
    Ok("failed, finished by a repetition")
}

/// As it is to be now, or once the server has forgotten its jobs: that day costs as much as hundreds of cases.
async fn sooner_or_later(is_right: impl AsyncFn() -> anyhow::Result<()>) -> anyhow::Result<()> {
    if is_right().await.is_ok() {
        return Ok(());
    }
    tokio::time::sleep(JOBS_ARE_KEPT).await;
    is_right().await
}

async fn failed(scene: &Scene<'_>, actor: &Actor, error: &Error) -> anyhow::Result<&'static str> {
    if let Some(flaw) = telling::flaw(error, &scene.simulator) {
        bail!("{flaw}");
    }
    let left = error.left_behind();
    if !left.is_empty() {
        let refused = |left: &&StepFailure| matches!(left.error, Error::Credentials { .. });
        // The others may stand for that reason: what was done before cannot be taken back before what came after.
        if !left.iter().any(refused) {
            bail!("something could not be undone");
        }
        return taken_up(scene).await;
    }
    let unchanged = scene.is_as_before().await;
    if !scene.is_repeatable().await? {
        scene.nothing_is_pending().await?;
        return unchanged.map(|()| "failed, the host as before");
    }
    match actor.run(&Control::default()).await {
        Err(error) if error.kind() == ErrorKind::Unauthorized => return taken_up(scene).await,
        repeated => repeated.context("it cannot be repeated")?,
    }
    // What had begun to remove something stays in the journal until it is finished.
    scene.nothing_is_pending().await?;
    scene.is_as_after().await.context("after the repetition")?;
    Ok(match unchanged {
        Ok(()) => "failed, the host as before",
        Err(_) => "failed, finished by a repetition",
    })
}
