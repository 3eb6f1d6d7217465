//! The report as JUnit XML: a suite per scenario, a case per step, and one for the leak audit.

use std::time::Duration;

use quick_junit::{NonSuccessKind, Report, SerializeError, TestCase, TestCaseStatus, TestSuite};

use super::{RunReport, ScenarioReport, StepReport, Verdict};

/// The JUnit XML of a run.
///
/// # Errors
/// When quick-junit cannot write it, which no report that the engine makes brings about.
pub fn junit(report: &RunReport) -> Result<String, SerializeError> {
    let mut document = Report::new("powervm-harness");
    let total: u64 = report
        .scenarios
        .iter()
        .map(|scenario| scenario.took_ms)
        .sum();
    document.set_time(Duration::from_millis(total));
    document.add_test_suites(
        report
            .scenarios
            .iter()
            .map(|scenario| suite(report, scenario)),
    );
    document.to_string()
}

fn suite(report: &RunReport, scenario: &ScenarioReport) -> TestSuite {
    let mut suite = TestSuite::new(scenario.name.clone());
    suite.set_time(Duration::from_millis(scenario.took_ms));
    suite.add_property(("seed", report.seed.to_string().as_str()));
    suite.add_property(("version", report.version));
    suite.add_property(("target", report.target.name.as_str()));
    suite.add_property(("weather", report.target.weather.as_str()));
    suite.add_property(("image.sha256", report.image.sha256.as_str()));
    for test in &scenario.follows {
        suite.add_property((test.name.as_str(), test.id.to_string().as_str()));
    }
    if scenario.steps.is_empty() {
        let mut case = TestCase::new("scenario", whole(scenario));
        case.set_classname(scenario.name.clone());
        suite.add_test_case(case);
    }
    suite.add_test_cases(scenario.steps.iter().map(|step| step_case(scenario, step)));
    if scenario.audit.is_some() {
        suite.add_test_case(audit_case(scenario));
    }
    suite
}

/// The status of a scenario that ran no step.
fn whole(scenario: &ScenarioReport) -> TestCaseStatus {
    let reason = scenario
        .reason
        .as_deref()
        .unwrap_or("broken off before it began");
    let mut status = match scenario.verdict {
        Verdict::Skipped | Verdict::Cancelled => TestCaseStatus::skipped(),
        Verdict::Passed => TestCaseStatus::success(),
        Verdict::Failed => TestCaseStatus::non_success(NonSuccessKind::Error),
    };
    if scenario.verdict != Verdict::Passed {
        status.set_message(reason);
    }
    status
}

fn step_case(scenario: &ScenarioReport, step: &StepReport) -> TestCase {
    let status = match step.verdict {
        Verdict::Passed => TestCaseStatus::success(),
        Verdict::Skipped => {
            let mut status = TestCaseStatus::skipped();
            status.set_message("an earlier step failed");
            status
        }
        Verdict::Cancelled => {
            let mut status = TestCaseStatus::skipped();
            status.set_message("broken off by the user");
            status
        }
        Verdict::Failed => {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            let failures: Vec<String> = step
                .failures()
                .map(|check| format!("{}: {}", check.what, check.detail))
                .collect();
            let first = failures
                .first()
                .cloned()
                .or_else(|| scenario.reason.clone())
                .unwrap_or_default();
            status.set_message(first);
            status.set_type("check");
            status.set_description(failures.join("\n"));
            status
        }
    };
    let mut case = TestCase::new(step.name.clone(), status);
    case.set_classname(scenario.name.clone());
    case.set_time(Duration::from_millis(step.summary.makespan_ms));
    case.set_assertions(step.checks.len());
    case
}

fn audit_case(scenario: &ScenarioReport) -> TestCase {
    let findings: Vec<String> = scenario
        .audit
        .iter()
        .flat_map(|audit| &audit.findings)
        .map(ToString::to_string)
        .collect();
    let status = if findings.is_empty() {
        TestCaseStatus::success()
    } else {
        let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
        status.set_message(format!("{} things are not as they were", findings.len()));
        status.set_type("leak");
        status.set_description(findings.join("\n"));
        status
    };
    let mut case = TestCase::new("leak audit", status);
    case.set_classname(scenario.name.clone());
    case
}

#[cfg(test)]
mod tests {
    use quick_junit::Report;

    use super::junit;
    use crate::audit::{Audit, Finding, Item, ItemKind};
    use crate::image::Image;
    use crate::report::{Check, FORMAT, RunReport, ScenarioReport, StepReport, Verdict};
    use crate::target::Description;

    fn report() -> RunReport {
        let failed = StepReport {
            verdict: Verdict::Failed,
            checks: vec![Check::that(
                "the state is running",
                false,
                "it is <off> & \u{1} cold",
            )],
            ..StepReport::skipped("create", "create")
        };
        let item = Item {
            kind: ItemKind::Mapping,
            name: "vhost3".to_owned(),
            place: "vios1".to_owned(),
        };
        let audit = Audit {
            findings: vec![Finding::LeftBehind { item }],
            ..Audit::default()
        };
        let scenario = ScenarioReport {
            name: "s".to_owned(),
            title: "t".to_owned(),
            follows: Vec::new(),
            verdict: Verdict::Failed,
            reason: None,
            took_ms: 1500,
            steps: vec![failed, StepReport::skipped("delete", "delete")],
            cleanup: Vec::new(),
            audit: Some(audit),
        };
        let skipped = ScenarioReport {
            name: "other".to_owned(),
            verdict: Verdict::Skipped,
            reason: Some("the target lacks ssp".to_owned()),
            steps: Vec::new(),
            audit: None,
            ..scenario.clone()
        };
        RunReport {
            format: FORMAT,
            version: "0",
            seed: 7,
            target: Description {
                name: "embedded".to_owned(),
                flavor: "novalink".to_owned(),
                weather: "calm".to_owned(),
                virtual_clock: true,
            },
            image: Image::made().facts(),
            verdict: Verdict::Failed,
            scenarios: vec![scenario, skipped],
        }
    }

    #[test]
    fn steps_and_the_audit_are_cases_and_any_text_survives() {
        let text = junit(&report()).expect("XML");
        let read = Report::deserialize_from_str(&text).expect("good JUnit");
        assert_eq!(
            (read.tests, read.failures, read.skipped, read.errors),
            (4, 2, 2, 0),
            "{text}"
        );
        assert!(
            text.contains("left behind: mapping vhost3 in vios1"),
            "{text}"
        );
        assert!(
            text.contains("the state is running: it is &lt;off&gt; &amp;"),
            "{text}"
        );
        assert!(text.contains("the target lacks ssp"), "{text}");
        assert!(!text.contains("timestamp"), "no wall time: {text}");
    }
}
