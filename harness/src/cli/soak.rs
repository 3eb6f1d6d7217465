//! `powervm-harness soak`

use std::io::{self, IsTerminal};

use indicatif::{ProgressBar, ProgressStyle};
use tokio_util::sync::CancellationToken;

use crate::image::Image;
use crate::leaks::Watch;
use crate::mixed::Until;
use crate::soak::{self, ALLOWED_GROWTH_KIB, Memory, Soak, SoakReport, WARM_UP};
use crate::stats::{human, millis};
use crate::target::Opening;
use crate::wall::WallClock;

use super::arguments::Soak as Arguments;
use super::run::{interrupts, runtime};
use super::{Ending, Stop, print, say, targets, without_leaks};

pub(super) fn soak(command: &Arguments) -> Result<Ending, Stop> {
    if let Some(hours) = command.hours {
        return super::mixed::mixed(command, Until::Hours(hours));
    }
    if command.mixed {
        return super::mixed::mixed(command, Until::Deploys(command.deploys));
    }
    let wall = WallClock::start();
    let runtime = runtime(targets::is_embedded(&command.target))?;
    let (report, memory, leaks) = runtime.block_on(play(command))?;
    let took = millis(wall.elapsed());
    if command.json {
        print(&(serde_json::to_string_pretty(&report)? + "\n"));
    } else {
        print(&text(&report));
    }
    say(&memory_text(&memory));
    say(&format!(
        "took {} of wall time, {} requests a second of it",
        human(took),
        1000 * report.requests / took.max(1)
    ));
    let whole = report.deployed == command.deploys && report.failed == 0;
    let flat = report.deployed <= WARM_UP || memory.is_flat();
    let ending = if whole && flat && report.audit.is_clean() {
        Ending::Passed
    } else {
        Ending::Failed
    };
    Ok(without_leaks(ending, &leaks))
}

async fn play(command: &Arguments) -> Result<(SoakReport, Memory, Vec<String>), Stop> {
    let cancel = CancellationToken::new();
    let interrupts = tokio::spawn(interrupts(cancel.clone()));
    tokio::task::yield_now().await;
    let watch = Watch::begin();
    let target = targets::open(&command.target).await?;
    let disk = command.disk.into();
    let host = target
        .open(Opening {
            scenario: "soak",
            disk,
            two_hosts: false,
        })
        .await?;
    let soak = Soak {
        deploys: command.deploys,
        parallel: command.parallel,
        disk,
        seed: command.target.seed,
        image: Image::made(),
        cancel,
    };
    let bar = bar(command.deploys);
    let ran = soak::run(host.as_ref(), &soak, &|done, resident| {
        bar.set_position(done as u64);
        bar.set_message(
            resident
                .map(|kib| format!("{} MiB resident", kib / 1024))
                .unwrap_or_default(),
        );
    })
    .await;
    bar.finish_and_clear();
    host.close().await;
    drop(target);
    let leaks = watch.leaks().await;
    interrupts.abort();
    let (report, memory) = ran.map_err(|failure| anyhow::anyhow!("{failure}"))?;
    Ok((report, memory, leaks))
}

fn bar(deploys: usize) -> ProgressBar {
    if !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(deploys as u64);
    if let Ok(style) =
        ProgressStyle::with_template("{wide_bar} {pos}/{len} deploys, {msg}, {elapsed}")
    {
        bar.set_style(style);
    }
    bar
}

fn text(report: &SoakReport) -> String {
    let mut lines = vec![
        format!(
            "{} deployed, {} deleted, {} failed",
            report.deployed, report.deleted, report.failed
        ),
        format!(
            "deploy p50 {}, p95 {}",
            human(report.deploys.p50_ms),
            human(report.deploys.p95_ms)
        ),
        format!(
            "delete p50 {}, p95 {}",
            human(report.deletes.p50_ms),
            human(report.deletes.p95_ms)
        ),
        format!(
            "{} HTTP requests in {}",
            report.requests,
            human(report.took_ms)
        ),
    ];
    lines.extend(
        report
            .failures
            .iter()
            .map(|failure| format!("FAILED: {failure}")),
    );
    lines.extend(
        report
            .audit
            .findings
            .iter()
            .map(|finding| format!("LEAK: {finding}")),
    );
    if report.audit.is_clean() {
        lines.push("nothing left behind".to_owned());
    }
    lines.join("\n") + "\n"
}

fn memory_text(memory: &Memory) -> String {
    let verdict = if memory.is_flat() { "flat" } else { "NOT flat" };
    format!(
        "memory: {} KiB at the begin, {} KiB after {WARM_UP} deploys, at most {} KiB and {} KiB at the end; {} KiB more \
         than after the warm-up, {ALLOWED_GROWTH_KIB} KiB allowed: {verdict}",
        memory.begin_kib,
        memory.warm_kib,
        memory.most_kib,
        memory.end_kib,
        memory.growth_kib(),
    )
}
