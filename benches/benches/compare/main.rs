//! The same work through the driver of nova 25.3.0 and through ours, side by side on two simulators of the same seed and
//! weather (`docs/benchmarks.md`): servers made at once and removed at once.
//!
//! This program is its own helper as well: started as `powervm-sim …` it is that program, started as `ours …` it is our
//! driver at work.

mod ours;
mod phase;
mod side;

#[path = "../serve/report.rs"]
mod report;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use clap::Parser;

use phase::Phase;
use report::Report;
use side::{Side, Worker};

/// Where `cargo xtask bench compare` says that Nova's Python is.
const PYTHON: &str = "POWERVM_BENCH_PYTHON";
/// And the folder of the program that drives it.
const PROGRAMS: &str = "POWERVM_BENCH_PROGRAMS";

/// What is compared.
#[derive(Debug, Parser)]
#[command(name = "compare")]
struct Options {
    /// Servers made and removed at once
    #[arg(long, default_value_t = 10)]
    servers: u32,
    /// The weather of both simulators
    #[arg(long, default_value = "typical")]
    weather: String,
    /// The seed of both simulators
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Only with an image that the pool knows, or only with one that it does not (default: both)
    #[arg(long, value_parser = ["known", "new"])]
    image: Option<String>,
    /// Fail when a goal is missed
    #[arg(long)]
    strict: bool,
    /// Cargo's own
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let done = match arguments.next().as_deref() {
        Some("powervm-sim") => {
            let line = std::iter::once("powervm-sim".to_owned()).chain(arguments);
            return powervm_simulator::cli::main(powervm_simulator::cli::Cli::parse_from(line));
        }
        Some("ours") => {
            let line = std::iter::once("ours".to_owned()).chain(arguments);
            ours::run(&ours::Options::parse_from(line))
        }
        _ => compare(&Options::parse()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench compare: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn compare(options: &Options) -> Result<()> {
    let named = |name: &str| {
        let value = std::env::var_os(name).map(PathBuf::from);
        value.with_context(|| format!("{name} is not set: run `cargo xtask bench compare`"))
    };
    let (python, programs) = (named(PYTHON)?, named(PROGRAMS)?);
    let mut report = Report::begin();
    let images: Vec<&str> = match options.image.as_deref() {
        Some(one) => vec![one],
        None => vec!["known", "new"],
    };
    for image in images {
        let is_known = image == "known";
        let theirs = Worker::theirs(&python, &programs);
        let theirs = measure(options, is_known, "theirs", &theirs)?;
        let ours = measure(options, is_known, "ours", &Worker::ours()?)?;
        tell(options, image, &theirs, &ours, &mut report);
    }
    let missed = report.end();
    if options.strict && missed > 0 {
        bail!("{missed} goals are missed");
    }
    Ok(())
}

/// Spawns, then destroys, on a simulator of its own. Says so as it goes: under weather, theirs takes minutes.
fn measure(options: &Options, is_known: bool, whose: &str, worker: &Worker) -> Result<[Phase; 2]> {
    let mut side = Side::begin(options, is_known, worker)?;
    let mut phase = |done: &str| -> Result<Phase> {
        let phase = side.phase(done)?;
        let (servers, seconds) = (options.servers, phase.seconds);
        eprintln!("{whose}: {servers} servers {done} in {seconds:.0} s");
        Ok(phase)
    };
    Ok([phase("spawned")?, phase("destroyed")?])
}

fn tell(
    options: &Options,
    image: &str,
    theirs: &[Phase; 2],
    ours: &[Phase; 2],
    report: &mut Report,
) {
    report.part(
        &format!(
            "{} at once, {} weather, {image} image",
            options.servers, options.weather
        ),
        "nova 25.3.0's driver, then ours; ratios are ours by theirs",
    );
    for (name, theirs, ours) in [
        ("spawn", &theirs[0], &ours[0]),
        ("destroy", &theirs[1], &ours[1]),
    ] {
        for (what, number) in Phase::NUMBERS {
            let (t, o) = (number(theirs), number(ours));
            report.figure(
                &format!("{name}: {what}"),
                format!("{t:.2}  {o:.2}  {:.3}", o / t),
            );
        }
    }
    let (theirs, ours) = (Phase::sum(theirs), Phase::sum(ours));
    report.at_most(
        "makespan, by theirs",
        ours.seconds / theirs.seconds,
        1.0 / 3.0,
    );
    report.at_most(
        "HTTP requests, by theirs",
        ours.requests / theirs.requests,
        0.5,
    );
    report.at_most(
        "CPU seconds of the driver, by theirs",
        ours.cpu / theirs.cpu,
        1.0 / 30.0,
    );
    report.at_most("our updates refused for a stale etag", ours.conflicts, 0.0);
    report.figure("theirs", theirs.conflicts);
    report.figure(
        "peak memory in MiB: theirs, ours",
        format!("{:.0}  {:.0}", theirs.peak_mib, ours.peak_mib),
    );
}
