//! The texts of a log tree.

use std::collections::BTreeMap;
use std::fmt::Write;

use crate::event::Verdict;
use crate::moment::Wall;
use crate::results::{Results, TestResult};
use crate::stats::human;
use crate::table;

/// Writing into a string never fails.
macro_rules! line {
    ($text:expr, $($words:tt)*) => {{
        let _ = writeln!($text, $($words)*);
    }};
}

/// Results as `tempest run` prints them: `{0} tempest.… [1.234567s] ... ok`, failures in detail, totals.
pub(super) fn tempest(results: &Results) -> String {
    let mut text = String::new();
    for test in &results.tests {
        let place = format!("{{{}}} {}", test.worker, test.name);
        let seconds = seconds(test.took_us);
        match test.verdict {
            Verdict::Passed => line!(text, "{place} [{seconds}s] ... ok"),
            Verdict::Failed => line!(text, "{place} [{seconds}s] ... FAILED"),
            Verdict::Skipped => line!(text, "{place} ... SKIPPED: {}", reason(test)),
            Verdict::Cancelled => line!(text, "{place} ... SKIPPED: broken off by the user"),
        }
    }
    for test in results.tests_that(Verdict::Failed) {
        line!(
            text,
            "\n==============================\nFailed tests - output below:\n==============================\n"
        );
        line!(
            text,
            "{}\n{}",
            test.name,
            "-".repeat(test.name.chars().count().min(200))
        );
        for problem in test.problems() {
            line!(text, "    {}", problem.replace('\n', "\n    "));
        }
        if let Some(repro) = &test.repro {
            line!(text, "    repeat it: {repro}");
        }
    }
    let sum: u64 = results.tests.iter().map(|test| test.took_us).sum();
    let skipped = results.count(Verdict::Skipped) + results.count(Verdict::Cancelled);
    line!(text, "\n======\nTotals\n======");
    line!(
        text,
        "Ran: {} tests in {} sec.",
        results.tests.len(),
        seconds(results.took_us())
    );
    line!(text, " - Passed: {}", results.count(Verdict::Passed));
    line!(text, " - Skipped: {skipped}");
    line!(text, " - Expected Fail: 0");
    line!(text, " - Unexpected Success: 0");
    line!(text, " - Failed: {}", results.count(Verdict::Failed));
    line!(
        text,
        "Sum of execute time for each test: {} sec.",
        seconds(sum)
    );
    text
}

fn seconds(micros: u64) -> String {
    format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000)
}

fn reason(test: &TestResult) -> String {
    let reason = test.reason.as_deref().unwrap_or("no reason given");
    reason.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The tests that were skipped, with reasons, by name.
pub(super) fn skipped(results: &Results) -> String {
    let mut lines: Vec<String> = results
        .tests_that(Verdict::Skipped)
        .map(|test| {
            let ids: String = test
                .follows
                .iter()
                .map(|follows| format!(" [id-{}]", follows.id))
                .collect();
            format!("{}{ids}: {}\n", test.name, reason(test))
        })
        .collect();
    lines.sort();
    if lines.is_empty() {
        return "No test was skipped.\n".to_owned();
    }
    lines.concat()
}

/// Environment, and how to repeat each run.
pub(super) fn environment(results: &Results) -> String {
    let mut text = String::new();
    for run in &results.runs {
        let begins = &run.begins;
        let seed = begins.seed.map(|seed| seed.to_string());
        let began = run.began.wall.map(Wall::to_the_second);
        let facts = [
            ("began", began.as_ref()),
            ("seed", seed.as_ref()),
            ("commit", begins.commit.as_ref()),
            ("version", begins.version.as_ref()),
            ("target", begins.target.as_ref()),
            ("flavor", begins.flavor.as_ref()),
            ("weather", begins.weather.as_ref()),
            ("image", begins.image.as_ref()),
            ("repeat it", begins.repro.as_ref()),
        ];
        let name = if run.name.is_empty() {
            "run"
        } else {
            run.name.as_str()
        };
        line!(text, "[{name}, by {}]", run.producer);
        for (name, value) in facts {
            if let Some(value) = value {
                line!(text, "{name}: {value}");
            }
        }
        text.push('\n');
    }
    text + &facts(&results.environment)
}

/// `name: value`, a line each.
pub(super) fn facts(facts: &BTreeMap<String, String>) -> String {
    facts
        .iter()
        .map(|(name, value)| format!("{name}: {}\n", value.replace('\n', "\n    ")))
        .collect()
}

/// What stands at the top of the index.
pub(super) fn summary(results: &Results) -> Vec<String> {
    let mut lines = vec![format!(
        "{} in {}",
        table::counts(results),
        human(results.took_us())
    )];
    if let Some(began) = results.began() {
        lines.push(format!("began {}", began.to_the_second()));
    }
    for run in &results.runs {
        if let Some(reason) = &run.could_not_run {
            lines.push(format!("could not run: {reason}"));
        }
    }
    lines.extend(
        results
            .tests_that(Verdict::Failed)
            .take(20)
            .map(|test| format!("failed: {}", test.name)),
    );
    lines
}
