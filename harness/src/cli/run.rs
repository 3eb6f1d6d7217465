//! `powervm-harness run`

use anyhow::Context;
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

use crate::engine::{self, NoObserver, Observer, Settings};
use crate::image::Image;
use crate::leaks::Watch;
use crate::live::LiveView;
use crate::report::{self, RunReport, Verdict, table};
use crate::runtime::{machine_clock, virtual_clock};
use crate::scenario::{Scenario, catalog};
use crate::stats::{human, millis};
use crate::wall::WallClock;

use super::arguments::Run;
use super::{Ending, Stop, print, say, targets, without_leaks};

pub(super) fn run(command: &Run) -> Result<Ending, Stop> {
    let scenarios = catalog::select(&command.scenarios).map_err(Stop::usage)?;
    let wall = WallClock::start();
    let image = targets::image(command.image.as_deref())?;
    let runtime = runtime(targets::is_embedded(&command.target))?;
    let (report, leaks) = runtime.block_on(play(command, &scenarios, image))?;

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
    scenarios: &[Scenario],
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
        cancel,
    };
    let live: Box<dyn Observer> = if command.quiet {
        Box::new(NoObserver)
    } else {
        Box::new(LiveView::new())
    };
    let report = engine::run(scenarios, target.as_ref(), &settings, live.as_ref()).await;
    drop(target);
    let leaks = watch.leaks().await;
    interrupts.abort();
    Ok((report?, leaks))
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
