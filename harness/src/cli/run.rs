//! `powervm-harness run`

use std::fs::{self, File};
use std::io::BufWriter;
use std::sync::Arc;

use anyhow::{Context, anyhow};
use powervm_report::results::Results;
use powervm_report::table;
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

use crate::engine::{self, Event, NoObserver, Observer, Settings};
use crate::image::Image;
use crate::leaks::Watch;
use crate::live::LiveView;
use crate::report::{self, Clock, Recorder, RunReport, Verdict};
use crate::runtime::{machine_clock, virtual_clock};
use crate::scenario::selection::Selected;
use crate::stats::{human, millis};
use crate::target::{CallWatch, Target};
use crate::wall::WallClock;

use super::arguments::Run;
use super::{Ending, Stop, machine, print, say, selection, targets, without_leaks};

/// The log of a run in its report folder.
const EVENTS: &str = "events.jsonl";

type Log = Recorder<BufWriter<File>>;

pub(super) fn run(command: &Run) -> Result<Ending, Stop> {
    let selected = selection::select(&command.scenarios, &command.selection)?;
    let is_embedded = targets::is_embedded(&command.target);
    if command.concurrency > 1 && !is_embedded {
        return Err(Stop::usage(anyhow!(
            "--concurrency needs the embedded simulator: on one host the audit of a scenario would see the servers of others"
        )));
    }
    let (wall, date) = (WallClock::start(), WallClock::date());
    let image = targets::image(command.image.as_deref())?;
    let runtime = runtime(is_embedded)?;
    let (report, leaks) = if command.concurrency > 1 {
        play_in_parallel(command, &runtime, selected, image)?
    } else {
        runtime.block_on(play(command, selected, image))?
    };

    let events = command.report.join(EVENTS);
    let results = Results::read(&events)?;
    let mut files = vec![events];
    files.extend(report::write_from(&report, &results, &command.report)?);
    files.push(machine::write(&command.report, date, wall.elapsed())?);
    print(&match (command.json, command.phases) {
        (true, _) => serde_json::to_string_pretty(&report)? + "\n",
        (false, true) => table::phases(&results) + &table::render(&results, None),
        (false, false) => table::render(&results, None),
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
    let log = Arc::new(log(command)?);
    let target = open(command, &log).await?;
    log.describe(command.target.seed, &target.describe(), &image.facts());
    let settings = Settings {
        seed: command.target.seed,
        image,
        excluded: selected.excluded,
        cancel,
    };
    let live = live(command);
    let both = Both(live.as_ref(), log.as_ref());
    let scenarios = &selected.scenarios;
    let report = engine::run(scenarios, target.as_ref(), &settings, &both).await;
    drop(target);
    let leaks = watch.leaks().await;
    interrupts.abort();
    if let Err(error) = &report {
        log.could_not_run(&error.to_string());
    }
    log.finish()?;
    Ok((report?, leaks))
}

/// Each scenario on a clock of its own; interrupts are waited for on the machine's.
fn play_in_parallel(
    command: &Run,
    opener: &Runtime,
    selected: Selected,
    image: Image,
) -> Result<(RunReport, Vec<String>), Stop> {
    let log = Arc::new(log(command)?);
    let target = opener.block_on(open(command, &log))?;
    let cancel = CancellationToken::new();
    let settings = Settings {
        seed: command.target.seed,
        image,
        excluded: selected.excluded,
        cancel: cancel.clone(),
    };
    log.describe(settings.seed, &target.describe(), &settings.image.facts());
    let live = live(command);
    // The steps of several would mix on a terminal; the log keeps them apart.
    let wholes = Wholes(live.as_ref());
    let both = Both(&wholes, log.as_ref());
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
        let played = engine::run_in_parallel(scenarios, target.as_ref(), &settings, &both, threads);
        over.cancel();
        played
    });
    if let Err(error) = &played {
        log.could_not_run(&error.to_string());
    }
    log.finish()?;
    Ok(played?)
}

fn live(command: &Run) -> Box<dyn Observer> {
    if command.quiet {
        Box::new(NoObserver)
    } else {
        Box::new(LiveView::new())
    }
}

/// Shows a run, and writes it down.
struct Both<'a>(&'a dyn Observer, &'a Log);

impl Observer for Both<'_> {
    fn observe(&self, event: &Event<'_>) {
        self.0.observe(event);
        self.1.observe(event);
    }
}

/// Shows scenarios as wholes.
struct Wholes<'a>(&'a dyn Observer);

impl Observer for Wholes<'_> {
    fn observe(&self, event: &Event<'_>) {
        match event {
            Event::RunBegins { .. }
            | Event::ScenarioBegins { .. }
            | Event::ScenarioEnds { .. }
            | Event::RunEnds { .. } => self.0.observe(event),
            Event::StepBegins { .. }
            | Event::StepEnds { .. }
            | Event::OperationBegins { .. }
            | Event::OperationEnters { .. }
            | Event::OperationEnds { .. } => {}
        }
    }
}

/// Makes the target, whose requests go into the log; where it cannot be used, the log says so.
async fn open(command: &Run, log: &Arc<Log>) -> Result<Box<dyn Target>, Stop> {
    let watch = Arc::clone(log) as Arc<dyn CallWatch>;
    let target = targets::open_watched(&command.target, Some(watch)).await;
    if let Err(stop) = &target {
        log.could_not_run(&format!("{:#}", stop.error));
        log.finish()?;
    }
    target
}

/// Begins the event log in the report folder.
fn log(command: &Run) -> Result<Log, Stop> {
    let folder = &command.report;
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let path = folder.join(EVENTS);
    let file = File::create(&path).with_context(|| format!("cannot write {}", path.display()))?;
    let clock = if targets::is_embedded(&command.target) {
        Clock::Virtual
    } else {
        Clock::Wall
    };
    let commit = command.commit.clone().or_else(machine::commit);
    Ok(Recorder::new(
        BufWriter::new(file),
        clock,
        usize::from(command.concurrency),
        &repro(command),
        commit,
    )?)
}

/// The command that repeats the run, without scenarios and without anything secret.
fn repro(command: &Run) -> String {
    let target = &command.target;
    let mut words = format!("powervm-harness run --seed {}", target.seed);
    if targets::is_embedded(target) {
        words.push_str(&format!(
            " --flavor {} --weather {}",
            targets::flavor(target).name(),
            target.weather
        ));
        if target.check_invariants {
            words.push_str(" --check-invariants");
        }
    } else {
        words.push_str(&format!(" --target {}", target.target));
    }
    words
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

/// The first interrupt or `SIGTERM` breaks the run off cleanly, the second at once.
pub(super) async fn interrupts(cancel: CancellationToken) {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut interrupt), Ok(mut terminate)) = (
        signal(SignalKind::interrupt()),
        signal(SignalKind::terminate()),
    ) else {
        return;
    };
    let mut told = async || {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    };
    told().await;
    say(
        "interrupted: undoing what is under way and cleaning up; interrupt again to leave everything as it is",
    );
    cancel.cancel();
    told().await;
    say("interrupted again: what was deployed is still there");
    std::process::exit(255);
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
