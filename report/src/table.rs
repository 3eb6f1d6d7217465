//! A log as people read it at the end of a run.

use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{Cell, CellAlignment, ContentArrangement, Table};

use crate::event::{CheckVerdict, Verdict};
use crate::results::{Results, StepResult, TestResult};
use crate::stats::human;

/// The table of a run, its failures and what could not be checked, and the last lines: what passed, and on what.
#[must_use]
pub fn render(results: &Results, width: Option<u16>) -> String {
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED);
    if let Some(width) = width {
        table
            .set_width(width)
            .set_content_arrangement(ContentArrangement::Dynamic);
    }
    let header = [
        "scenario, step",
        "result",
        "n",
        "p50",
        "p95",
        "makespan",
        "requests",
        "VIOS writes",
        "images",
    ];
    table.set_header(header);
    for test in &results.tests {
        let mut row = vec![Cell::new(&test.name), Cell::new(test.verdict.name())];
        if test.steps.is_empty() && test.verdict != Verdict::Skipped {
            row.extend(["", "", ""].map(Cell::new));
            row.push(Cell::new(human(test.took_us)));
        }
        table.add_row(row);
        for step in &test.steps {
            table.add_row(self::row(step));
        }
        if test.audited {
            let result = match test.findings.len() {
                0 => "nothing left behind".to_owned(),
                count => format!("{count} not as before"),
            };
            table.add_row(vec![Cell::new("  leak audit"), Cell::new(result)]);
        }
    }
    for column in 2..header.len() {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let mut text = table.trim_fmt();
    text.push('\n');
    text.push_str(&remarks(results));
    text.push_str(&summary(results));
    text
}

fn row(step: &StepResult) -> Vec<Cell> {
    let mut row = vec![
        Cell::new(format!("  {}", step.name)),
        Cell::new(step.verdict.name()),
    ];
    if step.verdict == Verdict::Skipped {
        return row;
    }
    let summary = step.summary();
    row.push(Cell::new(summary.count));
    row.extend(
        [summary.p50_us, summary.p95_us, step.makespan_us()].map(|micros| Cell::new(human(micros))),
    );
    let traffic = step.traffic.unwrap_or_default();
    let operations = summary.count.max(1) as f64;
    for count in [traffic.requests, traffic.vios_writes] {
        row.push(Cell::new(
            (count as f64 / operations * 100.0).round() / 100.0,
        ));
    }
    row.push(Cell::new(traffic.image_uploads));
    row
}

/// How long the driver's own steps took, step by step of the tests: where the time goes.
#[must_use]
pub fn phases(results: &Results) -> String {
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED);
    table.set_header([
        "scenario, step",
        "the driver's step",
        "n",
        "failed",
        "p50",
        "p95",
    ]);
    for test in &results.tests {
        for step in &test.steps {
            for phase in &step.phases {
                table.add_row([
                    format!("{}, {}", test.name, step.name),
                    phase.phase.clone(),
                    phase.count.to_string(),
                    phase.failed.to_string(),
                    human(phase.p50_us),
                    human(phase.p95_us),
                ]);
            }
        }
    }
    table.trim_fmt() + "\n"
}

/// Everything that is not simply a pass, in whole sentences.
fn remarks(results: &Results) -> String {
    let mut lines = String::new();
    for test in &results.tests {
        for line in remarks_on(test) {
            lines.push_str(&line);
            lines.push('\n');
        }
    }
    for note in &results.notes {
        lines.push_str(&format!("{note}\n"));
    }
    lines
}

fn remarks_on(test: &TestResult) -> Vec<String> {
    let name = &test.name;
    let mut lines = Vec::new();
    if let Some(reason) = &test.reason {
        lines.push(format!("{name}: {}: {reason}", test.verdict.name()));
    }
    let of_steps = test.steps.iter().flat_map(|step| {
        step.checks
            .iter()
            .map(move |check| (format!("{name}, {}", step.name), check))
    });
    let of_test = test.checks.iter().map(|check| (name.clone(), check));
    for (place, check) in of_steps.chain(of_test) {
        let word = match check.verdict {
            CheckVerdict::Passed => continue,
            CheckVerdict::Failed => "FAILED",
            CheckVerdict::NotCheckable => "not checked",
        };
        lines.push(format!("{place}: {word}: {}: {}", check.what, check.detail));
    }
    lines.extend(test.notes.iter().map(|note| format!("{name}: {note}")));
    lines.extend(
        test.findings
            .iter()
            .map(|finding| format!("{name}: LEAK: {finding}")),
    );
    lines.extend(
        test.kept
            .iter()
            .map(|kept| format!("{name}: kept on purpose: {} ({})", kept.item, kept.policy)),
    );
    lines
}

/// `3 passed, 1 failed`: how many tests went which way.
#[must_use]
pub fn counts(results: &Results) -> String {
    let verdicts = [
        Verdict::Passed,
        Verdict::Failed,
        Verdict::Cancelled,
        Verdict::Skipped,
    ];
    let counts: Vec<String> = verdicts
        .into_iter()
        .map(|verdict| (results.count(verdict), verdict))
        .filter(|(count, verdict)| *count > 0 || *verdict == Verdict::Passed)
        .map(|(count, verdict)| format!("{count} {}", verdict.name()))
        .collect();
    counts.join(", ")
}

fn summary(results: &Results) -> String {
    let audited = results.tests.iter().any(|test| test.audited);
    let left = match results.findings() {
        0 if audited => "nothing left behind".to_owned(),
        0 => "nothing audited".to_owned(),
        count => format!("{count} things not as they were"),
    };
    let mut text = format!("{}; {left}\n", counts(results));
    for run in &results.runs {
        let begins = &run.begins;
        let seed = begins.seed.map(|seed| format!("seed {seed}"));
        let place: Vec<String> = [
            begins.flavor.clone(),
            begins
                .weather
                .as_ref()
                .map(|weather| format!("{weather} weather")),
        ]
        .into_iter()
        .flatten()
        .collect();
        let target = begins.target.as_ref().map(|target| match place.as_slice() {
            [] => format!("target {target}"),
            place => format!("target {target} ({})", place.join(", ")),
        });
        let image = begins.image.as_ref().map(|image| format!("image {image}"));
        let facts: Vec<String> = [seed, target, image].into_iter().flatten().collect();
        if !facts.is_empty() {
            text.push_str(&format!("{}\n", facts.join(", ")));
        }
        if let Some(reason) = &run.could_not_run {
            text.push_str(&format!("could not run: {reason}\n"));
        }
    }
    text
}
