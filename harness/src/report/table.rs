//! The report as people read it at the end of a run.

use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{Cell, CellAlignment, ContentArrangement, Table};

use crate::stats::human;

use super::{CheckVerdict, RunReport, ScenarioReport, StepReport, Verdict};

/// The table of a run, its failures and what could not be checked, and the last line: what passed.
#[must_use]
pub fn render(report: &RunReport, width: Option<u16>) -> String {
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
    for scenario in &report.scenarios {
        table.add_row(vec![
            Cell::new(&scenario.name),
            Cell::new(scenario.verdict.name()),
        ]);
        for step in &scenario.steps {
            table.add_row(row(step));
        }
        if let Some(audit) = &scenario.audit {
            let result = if audit.is_clean() {
                "nothing left behind".to_owned()
            } else {
                findings(scenario)
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
    text.push_str(&remarks(report));
    text.push_str(&summary(report));
    text
}

fn row(step: &StepReport) -> Vec<Cell> {
    let mut row = vec![
        Cell::new(format!("  {}", step.name)),
        Cell::new(step.verdict.name()),
    ];
    if step.verdict == Verdict::Skipped {
        return row;
    }
    let summary = &step.summary;
    row.push(Cell::new(summary.count));
    row.extend(
        [summary.p50_ms, summary.p95_ms, summary.makespan_ms]
            .map(|milliseconds| Cell::new(human(milliseconds))),
    );
    row.push(Cell::new(step.requests_per_operation));
    row.push(Cell::new(step.vios_writes_per_operation));
    row.push(Cell::new(step.traffic.image_uploads));
    row
}

/// How long the driver's own steps took, step by step of the scenarios: where the time goes.
#[must_use]
pub fn phases(report: &RunReport) -> String {
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
    for scenario in &report.scenarios {
        for step in &scenario.steps {
            for phase in &step.phases {
                table.add_row([
                    format!("{}, {}", scenario.name, step.name),
                    phase.name.clone(),
                    phase.count.to_string(),
                    phase.failed.to_string(),
                    human(phase.p50_ms),
                    human(phase.p95_ms),
                ]);
            }
        }
    }
    table.trim_fmt() + "\n"
}

fn findings(scenario: &ScenarioReport) -> String {
    let count = scenario
        .audit
        .as_ref()
        .map_or(0, |audit| audit.findings.len());
    format!("{count} not as before")
}

/// Everything that is not simply a pass, in whole sentences.
fn remarks(report: &RunReport) -> String {
    let mut lines = Vec::new();
    let mut line = |words: std::fmt::Arguments<'_>| lines.push(format!("{words}\n"));
    for scenario in &report.scenarios {
        let name = &scenario.name;
        if let Some(reason) = &scenario.reason {
            line(format_args!(
                "{name}: {}: {reason}",
                scenario.verdict.name()
            ));
        }
        for step in &scenario.steps {
            for check in &step.checks {
                match check.verdict {
                    CheckVerdict::Passed => {}
                    CheckVerdict::Failed => {
                        line(format_args!(
                            "{name}, {}: FAILED: {}: {}",
                            step.name, check.what, check.detail
                        ));
                    }
                    CheckVerdict::NotCheckable => line(format_args!(
                        "{name}, {}: not checked: {}: {}",
                        step.name, check.what, check.detail
                    )),
                }
            }
        }
        for cleanup in &scenario.cleanup {
            line(format_args!("{name}: clean-up: {cleanup}"));
        }
        let Some(audit) = &scenario.audit else {
            continue;
        };
        for finding in &audit.findings {
            line(format_args!("{name}: LEAK: {finding}"));
        }
        for kept in &audit.kept {
            line(format_args!(
                "{name}: kept on purpose: {} ({})",
                kept.item, kept.policy
            ));
        }
    }
    lines.concat()
}

fn summary(report: &RunReport) -> String {
    let counts: Vec<String> = [
        Verdict::Passed,
        Verdict::Failed,
        Verdict::Cancelled,
        Verdict::Skipped,
    ]
    .into_iter()
    .map(|verdict| (report.count(verdict), verdict.name()))
    .filter(|(count, name)| *count > 0 || *name == "passed")
    .map(|(count, name)| format!("{count} {name}"))
    .collect();
    let audited = report
        .scenarios
        .iter()
        .any(|scenario| scenario.audit.is_some());
    let left = match report.findings() {
        0 if audited => "nothing left behind".to_owned(),
        0 => "nothing audited".to_owned(),
        count => format!("{count} things not as they were"),
    };
    let weather = if report.target.weather.is_empty() {
        String::new()
    } else {
        format!(", {} weather", report.target.weather)
    };
    format!(
        "{}; {left}\nseed {}, target {} ({}{weather}), image {} ({} bytes, sha256 {})\n",
        counts.join(", "),
        report.seed,
        report.target.name,
        report.target.flavor,
        report.image.name,
        report.image.bytes,
        report.image.sha256,
    )
}
