//! `powervm-harness soak --hours N`

use anyhow::anyhow;
use powervm_simulator::weather::Weather;
use tokio_util::sync::CancellationToken;

use crate::image::Image;
use crate::leaks::Watch;
use crate::mixed::{self, Mixed, MixedReport, Until};
use crate::runtime::virtual_clock;
use crate::stats::{human, millis};
use crate::wall::WallClock;

use super::arguments::Soak as Arguments;
use super::run::interrupts;
use super::{Ending, Stop, print, say, targets, without_leaks};

/// How many servers live at a time, unless the command line says otherwise.
const OPERATORS: u16 = 4;

pub(super) fn mixed(command: &Arguments, until: Until) -> Result<Ending, Stop> {
    if !targets::is_embedded(&command.target) {
        return Err(Stop::usage(anyhow!(
            "--hours and --mixed are of simulated time: they need the embedded simulator"
        )));
    }
    let wall = WallClock::start();
    let (weather, name) = targets::weather(&command.target.weather).map_err(Stop::usage)?;
    // Of rough weather it is known that something fails.
    let is_rough = !matches!(weather, Weather::Calm | Weather::Typical);
    let (report, leaks) = virtual_clock()?.block_on(async {
        let cancel = CancellationToken::new();
        let interrupts = tokio::spawn(interrupts(cancel.clone()));
        tokio::task::yield_now().await;
        let watch = Watch::begin();
        let mixed = Mixed {
            flavor: targets::flavor(&command.target),
            until,
            seed: command.target.seed,
            weather,
            check_invariants: command.target.check_invariants,
            tenants: u16::try_from(command.parallel).unwrap_or(u16::MAX),
            operators: OPERATORS,
            image: Image::made(),
            cancel,
        };
        let ran = mixed::run(&mixed, &|hour| {
            if hour % 6 == 0 {
                say(&format!("{hour} simulated hours"));
            }
        })
        .await;
        let leaks = watch.leaks().await;
        interrupts.abort();
        ran.map(|report| (report, leaks))
    })?;
    if command.json {
        print(&(serde_json::to_string_pretty(&report)? + "\n"));
    } else {
        print(&text(&report, &name));
    }
    say(&format!(
        "took {} of wall time",
        human(millis(wall.elapsed()))
    ));
    let may_fail = is_rough || matches!(until, Until::Hours(_));
    let ending = if report.is_sound() && (may_fail || report.failed() == 0) {
        Ending::Passed
    } else {
        Ending::Failed
    };
    Ok(without_leaks(ending, &leaks))
}

fn text(report: &MixedReport, weather: &str) -> String {
    let mut lines = vec![format!(
        "{} of {weather} weather: {} HTTP requests, {} faults on purpose",
        human(report.took_ms),
        report.requests,
        report.faults
    )];
    for (operation, count) in &report.ledger.operations {
        lines.push(format!(
            "  {operation:<24} {:>6} done {:>6} failed",
            count.done, count.failed
        ));
    }
    for (kind, failures) in &report.ledger.failures {
        lines.push(format!(
            "  {:>4} x {kind}, first: {}",
            failures.count, failures.first
        ));
    }
    let told = |word: &'static str, what: &[String]| -> Vec<String> {
        what.iter().map(|what| format!("{word}: {what}")).collect()
    };
    lines.extend(told("UNEXPECTED", &report.ledger.unexpected));
    lines.extend(told("VIOLATED", &report.violations));
    let leaks = report.audit.findings.iter();
    lines.extend(leaks.map(|finding| format!("LEAK: {finding}")));
    if report.is_sound() {
        lines.push("nothing left behind, no invariant violated".to_owned());
    }
    lines.join("\n") + "\n"
}
