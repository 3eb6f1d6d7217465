//! `powervm-harness run`

use anyhow::{Context, anyhow};
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

use crate::engine::{self, NoObserver, Observer, Settings};
use crate::image::Image;
use crate::leaks::Watch;
use crate::live::LiveView;
use crate::report::{self, RunReport, Verdict, table};
use crate::runtime::{machine_clock, virtual_clock};
use crate::scenario::selection::Selected;
use crate::stats::{human, millis};
use crate::wall::WallClock;

use super::arguments::Run;
use super::{Ending, Stop, print, say, selection, targets, without_leaks};

pub(super) fn run(command: &Run) -> Result<Ending, Stop> {
    let selected = selection::select(&command.scenarios, &command.selection)?;
    let is_embedded = targets::is_embedded(&command.target);
    if command.concurrency > 1 && !is_embedded {
        return Err(Stop::usage(anyhow!(
            "--concurrency needs the embedded simulator: on one host the audit of a scenario would see the servers of others"
        )));
    }
    let wall = WallClock::start();
    let image = targets::image(command.image.as_deref())?;
    let runtime = runtime(is_embedded)?;
    let (report, leaks) = if command.concurrency > 1 {
        play_in_parallel(command, &runtime, selected, image)?
    } else {
        runtime.block_on(play(command, selected, image))?
    };

    let files = report::write(&report, &command.report)?;
    print(&match (command.json, command.phases) {
        (true, _) => serde_json::to_string_pretty(&report)? + "\n",
        (false, true) => table::phases(&report) + &table::render(&report, None),
        (false, false) => table::render(&report, None),
    });
    for file in files {
        say(&format!("wrote {}", file.display()));
    }
    say(&format!(
        "took {} of wall time",
        human(millis(wall.elapsed()))
    ));
    Ok(without_leaks(ending(&report), &leaks))
}

async fn play(
    command: &Run,
    selected: Selected,
    image: Image,
) -> Result<(RunReport, Vec<String>), Stop> {
    let cancel = CancellationToken::new();
    let interrupts = tokio::spawn(interrupts(cancel.clone()));
    tokio::task::yield_now().await;
    let watch = Watch::begin();
    let target = targets::open(&command.target).await?;
    let settings = Settings {
        seed: command.target.seed,
        image,
        excluded: selected.excluded,
        cancel,
    };
    let live = live(command);
    let report = engine::run(
        &selected.scenarios,
        target.as_ref(),
        &settings,
        live.as_ref(),
    )
    .await;
    drop(target);
    let leaks = watch.leaks().await;
    interrupts.abort();
    Ok((report?, leaks))
}

/// Each scenario on a clock of its own; interrupts are waited for on the machine's.
fn play_in_parallel(
    command: &Run,
    opener: &Runtime,
    selected: Selected,
    image: Image,
) -> Result<(RunReport, Vec<String>), Stop> {
    let target = opener.block_on(targets::open(&command.target))?;
    let cancel = CancellationToken::new();
    let settings = Settings {
        seed: command.target.seed,
        image,
        excluded: selected.excluded,
        cancel: cancel.clone(),
    };
    let live = live(command);
    let over = CancellationToken::new();
    let waiting = runtime(false)?;
    let played = std::thread::scope(|scope| {
        scope.spawn(|| {
            waiting.block_on(async {
                tokio::select! {
                    () = interrupts(cancel) => over.cancelled().await,
                    () = over.cancelled() => {}
                }
            });
        });
        let (scenarios, threads) = (&selected.scenarios, usize::from(command.concurrency));
        let played = engine::run_in_parallel(
            scenarios,
            target.as_ref(),
            &settings,
            live.as_ref(),
            threads,
        );
        over.cancel();
        played
    });
    Ok(played?)
}

fn live(command: &Run) -> Box<dyn Observer> {
    if command.quiet {
        Box::new(NoObserver)
    } else {
        Box::new(LiveView::new())
    }
}

/// The runtime for a target.
pub(super) fn runtime(embedded: bool) -> anyhow::Result<Runtime> {
    let runtime = if embedded {
        virtual_clock()
    } else {
        machine_clock()
    };
    runtime.context("cannot start the runtime")
}

/// The first interrupt breaks the run off cleanly, the second at once.
pub(super) async fn interrupts(cancel: CancellationToken) {
    if tokio::signal::ctrl_c().await.is_err() {
        return;
    }
    say(
        "interrupted: undoing what is under way and cleaning up; interrupt again to leave everything as it is",
    );
    cancel.cancel();
    if tokio::signal::ctrl_c().await.is_ok() {
        say("interrupted again: what was deployed is still there");
        std::process::exit(255);
    }
}

fn ending(report: &RunReport) -> Ending {
    match report.verdict {
        Verdict::Passed if report.count(Verdict::Passed) > 0 => Ending::Passed,
        Verdict::Passed | Verdict::Skipped => {
            say("no scenario could run on this target");
            Ending::CouldNotRun
        }
        Verdict::Failed | Verdict::Cancelled => Ending::Failed,
    }
}
