use super::{COULD_NOT_RUN, FAILED, Limits, PASSED, Results};
use crate::event::Verdict;
use crate::log::{EventReader, LogError};

fn results(lines: &[&str], limits: Limits) -> Result<Results, LogError> {
    let header = r#"{"event":"log","format":1,"producer":"p"}"#;
    let text = std::iter::once(&header)
        .chain(lines)
        .copied()
        .collect::<Vec<_>>()
        .join("\n");
    Results::of(EventReader::new(text.as_bytes()), limits)
}

fn read(lines: &[&str]) -> Results {
    results(lines, Limits::default()).expect("a log")
}

#[test]
fn events_of_several_producers_find_their_tests() {
    let results = read(&[
        r#"{"event":"run-begins","run":"a","seed":7,"wall":"2026-01-01T10:00:00Z"}"#,
        r#"{"event":"run-begins","run":"b","wall":"2026-01-01T10:00:01Z"}"#,
        r#"{"event":"test-begins","run":"a","test":"t","worker":3,"wall":"2026-01-01T10:00:02Z"}"#,
        r#"{"event":"test-begins","run":"b","test":"t","wall":"2026-01-01T10:00:03Z"}"#,
        r#"{"event":"step-begins","run":"a","test":"t","step":"s","wall":"2026-01-01T10:00:03Z"}"#,
        r#"{"event":"call","run":"a","test":"t","step":"s","method":"GET","path":"/x","status":503,"took_us":5,"wall":"2026-01-01T10:00:03.5Z"}"#,
        r#"{"event":"call","run":"a","test":"t","step":"s","method":"GET","path":"/x","status":200,"took_us":7,"attempt":2,"wall":"2026-01-01T10:00:04Z"}"#,
        r#"{"event":"step-ends","run":"a","test":"t","step":"s","verdict":"passed","took_us":9}"#,
        r#"{"event":"test-ends","run":"b","test":"t","verdict":"skipped","reason":"no disk","wall":"2026-01-01T10:00:04Z"}"#,
        r#"{"event":"test-ends","run":"a","test":"t","verdict":"passed","wall":"2026-01-01T10:00:05Z"}"#,
        r#"{"event":"run-ends","run":"a","verdict":"passed"}"#,
        r#"{"event":"run-ends","run":"b","verdict":"passed"}"#,
    ]);
    assert_eq!((results.runs.len(), results.tests.len()), (2, 2));
    let test = &results.tests[0];
    assert_eq!(
        (test.worker, test.begin_us, test.took_us),
        (3, 2_000_000, 3_000_000)
    );
    assert_eq!((test.steps.len(), test.calls.len()), (1, 2));
    let class = test.classes.values().next().expect("a class");
    assert_eq!(
        (
            class.count,
            class.errors,
            class.repeated,
            class.percentile(95)
        ),
        (2, 1, 1, 7)
    );
    assert_eq!(results.tests[1].reason.as_deref(), Some("no disk"));
    assert_eq!(results.exit_code(), PASSED);
}

#[test]
fn wall_time_counts_where_there_is_some() {
    let on_its_own = [
        r#"{"event":"run-begins","run":"a","at_us":0}"#,
        r#"{"event":"test-ends","run":"a","test":"t","verdict":"passed","took_us":7000000,"at_us":9000000}"#,
    ];
    assert_eq!(read(&on_its_own).took_us(), 7_000_000);
    let machines = [
        r#"{"event":"run-begins","run":"b","wall":"2026-01-01T10:00:00Z"}"#,
        r#"{"event":"test-begins","run":"b","test":"t","wall":"2026-01-01T10:00:01Z"}"#,
        r#"{"event":"test-ends","run":"b","test":"t","verdict":"passed","wall":"2026-01-01T10:00:02Z"}"#,
        r#"{"event":"run-begins","run":"c","wall":"2026-01-01T10:00:03Z"}"#,
        r#"{"event":"test-begins","run":"c","test":"t","wall":"2026-01-01T10:00:03Z"}"#,
        r#"{"event":"test-ends","run":"c","test":"t","verdict":"passed","wall":"2026-01-01T10:00:05Z"}"#,
    ];
    let lines: Vec<&str> = on_its_own.into_iter().chain(machines).collect();
    assert_eq!(
        read(&lines).took_us(),
        4_000_000,
        "from 10:00:01 to 10:00:05"
    );
}

#[test]
fn what_breaks_off_has_failed() {
    let begun = r#"{"event":"test-begins","test":"t"}"#;
    let results = read(&[begun, r#"{"event":"step-begins","test":"t","step":"s"}"#]);
    assert_eq!(results.count(Verdict::Failed), 1);
    let problems = results.tests[0].problems();
    assert!(problems[0].contains("the log ends before"), "{problems:?}");
    assert_eq!(
        results.exit_code(),
        COULD_NOT_RUN,
        "its last line is missing"
    );
}

#[test]
fn exit_codes_tell_failures_from_runs_that_could_not_be() {
    let test = |verdict: &str| {
        format!(r#"{{"event":"test-ends","test":"{verdict}","verdict":"{verdict}"}}"#)
    };
    let ends = r#"{"event":"run-ends","verdict":"passed"}"#;
    let code = |lines: &[&str]| read(lines).exit_code();
    let (passed, failed, skipped, cancelled) = (
        test("passed"),
        test("failed"),
        test("skipped"),
        test("cancelled"),
    );
    assert_eq!(code(&[&passed, &skipped, ends]), PASSED);
    assert_eq!(code(&[&passed, &failed, ends]), FAILED);
    assert_eq!(code(&[&cancelled, ends]), FAILED);
    assert_eq!(code(&[&skipped, ends]), COULD_NOT_RUN);
    assert_eq!(code(&[]), COULD_NOT_RUN);
    let not =
        r#"{"event":"run-ends","run":"other","verdict":"failed","could_not_run":"no Python"}"#;
    assert_eq!(code(&[&passed, &failed, ends, not]), COULD_NOT_RUN);
}

#[test]
fn memory_is_bounded() {
    let call = r#"{"event":"call","test":"t","method":"GET","path":"/x","took_us":5}"#;
    let limits = Limits {
        calls_of_test: 3,
        ..Limits::default()
    };
    let kept = results(&[call; 9], limits).expect("a log");
    assert_eq!(
        (kept.tests[0].calls.len(), kept.tests[0].call_count()),
        (3, 9)
    );
    let tests: Vec<String> = (0..9)
        .map(|number| format!(r#"{{"event":"test-begins","test":"{number}"}}"#))
        .collect();
    let tests: Vec<&str> = tests.iter().map(String::as_str).collect();
    let few = Limits {
        tests: 8,
        ..Limits::default()
    };
    let error = results(&tests, few).expect_err("too many");
    assert!(
        matches!(
            error,
            LogError::TooMany {
                line: 10,
                what: "tests",
                ..
            }
        ),
        "{error}"
    );
    let small = Limits {
        bytes: 100,
        ..Limits::default()
    };
    assert!(results(&tests, small).is_err());
}
