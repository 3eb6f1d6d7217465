//! JUnit XML: a suite per test with steps, a case per step and one for the leak audit; tests without steps are cases of
//! their run's suite.

use std::time::Duration;

use quick_junit::{
    NonSuccessKind, Property, Report, SerializeError, TestCase, TestCaseStatus, TestSuite,
};

use crate::event::Verdict;
use crate::results::{Results, StepResult, TestResult};

/// The JUnit XML of a log.
///
/// # Errors
/// When quick-junit cannot write it, which no text of a log brings about.
pub fn junit(results: &Results) -> Result<String, SerializeError> {
    let mut document = Report::new("powervm");
    let total = results.tests.iter().map(|test| test.took_us).sum();
    document.set_time(Duration::from_micros(total));
    let (stepped, plain): (Vec<_>, Vec<_>) = results
        .tests
        .iter()
        .partition(|test| !test.steps.is_empty() || test.audited);
    document.add_test_suites(stepped.into_iter().map(|test| suite(results, test)));
    for run in &results.runs {
        let tests: Vec<_> = plain.iter().filter(|test| test.run == run.name).collect();
        if tests.is_empty() {
            continue;
        }
        let name = if run.name.is_empty() {
            &run.producer
        } else {
            &run.name
        };
        let mut suite = TestSuite::new(name.clone());
        suite.set_time(Duration::from_micros(
            tests.iter().map(|test| test.took_us).sum(),
        ));
        suite.add_properties(run_properties(results, &run.name));
        suite.add_test_cases(tests.into_iter().map(|test| whole(test)));
        document.add_test_suite(suite);
    }
    document.to_string()
}

/// Seed, commit and whatever else tells how to repeat a run.
fn run_properties(results: &Results, run: &str) -> Vec<Property> {
    let Some(run) = results.runs.iter().find(|result| result.name == run) else {
        return Vec::new();
    };
    let begins = &run.begins;
    let seed = begins.seed.map(|seed| seed.to_string());
    let properties = [
        ("seed", seed.as_ref()),
        ("commit", begins.commit.as_ref()),
        ("version", begins.version.as_ref()),
        ("target", begins.target.as_ref()),
        ("flavor", begins.flavor.as_ref()),
        ("weather", begins.weather.as_ref()),
        ("image", begins.image.as_ref()),
        ("repro", begins.repro.as_ref()),
    ];
    properties
        .into_iter()
        .filter_map(|(name, value)| Some(Property::new(name, value?.as_str())))
        .collect()
}

fn suite(results: &Results, test: &TestResult) -> TestSuite {
    let mut suite = TestSuite::new(test.name.clone());
    suite.set_time(Duration::from_micros(test.took_us));
    let mut properties = run_properties(results, &test.run);
    if let Some(repro) = &test.repro {
        properties.retain(|property| property.name.as_str() != "repro");
        properties.push(Property::new("repro", repro.as_str()));
    }
    suite.add_properties(properties);
    for followed in &test.follows {
        suite.add_property((followed.name.as_str(), followed.id.as_str()));
    }
    if test.steps.is_empty() {
        let mut case = TestCase::new("scenario", status_of(test));
        case.set_classname(test.name.clone());
        suite.add_test_case(case);
    }
    suite.add_test_cases(test.steps.iter().map(|step| step_case(test, step)));
    if test.audited {
        suite.add_test_case(audit_case(test));
    }
    suite
}

/// How a test went, as one case tells it.
fn status_of(test: &TestResult) -> TestCaseStatus {
    let problems = test.problems();
    let message = problems
        .first()
        .map_or("broken off before it began", String::as_str);
    match test.verdict {
        Verdict::Passed => TestCaseStatus::success(),
        Verdict::Skipped | Verdict::Cancelled => skipped(message),
        Verdict::Failed => {
            let mut text = problems.clone();
            text.extend(
                test.attachments
                    .iter()
                    .map(|(name, text)| format!("{name}:\n{text}")),
            );
            failure("test", message, &text)
        }
    }
}

/// A test as one case.
fn whole(test: &TestResult) -> TestCase {
    let mut case = TestCase::new(test.name.clone(), status_of(test));
    if let Some((class, _)) = test.name.rsplit_once('.') {
        case.set_classname(class);
    }
    case.set_time(Duration::from_micros(test.took_us));
    if let Some(repro) = &test.repro {
        case.add_property(("repro", repro.as_str()));
    }
    case
}

fn step_case(test: &TestResult, step: &StepResult) -> TestCase {
    let status = match step.verdict {
        Verdict::Passed => TestCaseStatus::success(),
        Verdict::Skipped => skipped(step.reason.as_deref().unwrap_or("an earlier step failed")),
        Verdict::Cancelled => skipped("broken off by the user"),
        Verdict::Failed => {
            let failures: Vec<String> = step
                .failures()
                .map(|check| format!("{}: {}", check.what, check.detail))
                .collect();
            let reason = step.reason.as_ref().or(test.reason.as_ref());
            let first = failures.first().or(reason).cloned().unwrap_or_default();
            failure("check", &first, &failures)
        }
    };
    let mut case = TestCase::new(step.name.clone(), status);
    case.set_classname(test.name.clone());
    case.set_time(Duration::from_micros(step.makespan_us()));
    case.set_assertions(step.checks.len());
    case
}

fn audit_case(test: &TestResult) -> TestCase {
    let status = if test.findings.is_empty() {
        TestCaseStatus::success()
    } else {
        let message = format!("{} things are not as they were", test.findings.len());
        failure("leak", &message, &test.findings)
    };
    let mut case = TestCase::new("leak audit", status);
    case.set_classname(test.name.clone());
    case
}

fn skipped(message: &str) -> TestCaseStatus {
    let mut status = TestCaseStatus::skipped();
    status.set_message(message);
    status
}

fn failure(kind: &str, message: &str, lines: &[String]) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
    status.set_message(message);
    status.set_type(kind);
    status.set_description(lines.join("\n"));
    status
}

#[cfg(test)]
mod tests {
    use quick_junit::Report;

    use super::junit;
    use crate::log::EventReader;
    use crate::results::Results;

    const LOG: &str = r#"{"event":"log","format":1,"producer":"powervm-harness 0"}
{"event":"run-begins","seed":7,"commit":"c0ffee","repro":"powervm-harness run --seed 7"}
{"event":"test-begins","test":"s","repro":"powervm-harness run s --seed 7"}
{"event":"step-begins","test":"s","step":"create"}
{"event":"check","test":"s","step":"create","what":"the state is running","verdict":"failed","detail":"it is <off> & \u0001 cold"}
{"event":"step-ends","test":"s","step":"create","verdict":"failed","took_us":1500000}
{"event":"step-ends","test":"s","step":"delete","verdict":"skipped"}
{"event":"finding","test":"s","finding":"left behind: mapping vhost3 in vios1"}
{"event":"test-ends","test":"s","verdict":"failed","audited":true}
{"event":"test-ends","test":"tempest.other","verdict":"skipped","reason":"the target lacks ssp"}
{"event":"run-ends","verdict":"failed"}
"#;

    #[test]
    fn steps_and_the_audit_are_cases_and_any_text_survives() {
        let reader = EventReader::new(LOG.as_bytes());
        let results = Results::of(reader, Default::default()).expect("a log");
        let text = junit(&results).expect("XML");
        let read = Report::deserialize_from_str(&text).expect("good JUnit");
        assert_eq!(
            (read.tests, read.failures, read.skipped, read.errors),
            (4, 2, 2, 0),
            "{text}"
        );
        for words in [
            "left behind: mapping vhost3 in vios1",
            "the state is running: it is &lt;off&gt; &amp;",
            "the target lacks ssp",
            "name=\"commit\" value=\"c0ffee\"",
            "name=\"seed\" value=\"7\"",
            "name=\"repro\" value=\"powervm-harness run s --seed 7\"",
            "classname=\"tempest\"",
        ] {
            assert!(text.contains(words), "{words} is missing in {text}");
        }
        assert!(!text.contains("timestamp"), "no wall time: {text}");
    }
}
