//! The event log of a run, and what `powervm-harness report` makes of it.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, its helpers too"
)]

use std::collections::HashSet;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use powervm_report::event::{Event, Verdict};
use powervm_report::log::EventReader;
use powervm_report::results::Results;

fn harness(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_powervm-harness"))
        .args(arguments)
        .env_remove("RUST_LOG")
        .env_remove("POWERVM_COMMIT")
        .output()
        .expect("the program runs")
}

fn run(folder: &Path, weather: &str) {
    let folder = folder.to_string_lossy();
    let output = harness(&[
        "run",
        "test_multiple_create_ssp",
        "test_create_with_invalid_flavor",
        "--seed",
        "42",
        "--weather",
        weather,
        "--commit",
        "c0ffee",
        "--quiet",
        "--report",
        &folder,
    ]);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(0), "{told}");
}

#[test]
fn the_same_seed_writes_the_same_log_and_all_that_is_made_of_it() {
    let folders = [(); 2].map(|()| tempfile::tempdir().expect("a folder"));
    for folder in &folders {
        run(folder.path(), "stormy");
    }
    for file in [
        "events.jsonl",
        "junit.xml",
        "report.html",
        "report.json",
        "results.subunit",
    ] {
        let [one, two] = folders
            .each_ref()
            .map(|folder| fs::read(folder.path().join(file)).expect("a file"));
        assert!(one == two, "{file} differs");
        let path = folders[0].path().to_string_lossy().into_owned();
        let text = String::from_utf8_lossy(&one);
        assert!(!text.contains(&path), "{file} holds a path");
        assert!(!text.contains("\"wall\""), "{file} holds wall time");
    }
}

#[test]
fn a_scenario_of_ones_own_is_repeated_by_its_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let [mine, log] = ["my own.toml", "log"].map(|name| folder.path().join(name));
    let built_in = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../scenarios/refusals/test_create_with_invalid_flavor.toml"
    );
    fs::copy(built_in, &mine).expect("a scenario");
    let [mine, log] = [mine, log].map(|path| path.to_string_lossy().into_owned());
    let output = harness(&["run", &mine, "--quiet", "--seed", "3", "--report", &log]);
    assert_eq!(output.status.code(), Some(0));
    let results = Results::read(&Path::new(&log).join("events.jsonl")).expect("a log");
    let repro = results.tests[0].repro.clone().unwrap_or_default();
    assert!(
        repro.starts_with("powervm-harness run --seed 3") && repro.ends_with(&format!(" '{mine}'")),
        "{repro}"
    );
}

#[test]
fn scenarios_that_run_at_the_same_time_write_the_same_log() {
    let folders = [(); 2].map(|()| tempfile::tempdir().expect("a folder"));
    let scenarios = [
        "test_multiple_create_ssp",
        "test_create_with_invalid_flavor",
        "test_create_server_no_memory",
    ];
    for folder in &folders {
        let path = folder.path().to_string_lossy();
        let mut words = vec!["run", "--concurrency", "2", "--quiet", "--report", &path];
        words.extend(scenarios);
        assert_eq!(harness(&words).status.code(), Some(0));
    }
    let [one, two] = folders
        .each_ref()
        .map(|folder| fs::read(folder.path().join("events.jsonl")).expect("a log"));
    assert!(one == two);
    let results = Results::read(&folders[0].path().join("events.jsonl")).expect("a log");
    let names: Vec<&str> = results
        .tests
        .iter()
        .map(|test| test.name.as_str())
        .collect();
    assert_eq!(names.len(), scenarios.len());
    let workers: HashSet<u32> = results.tests.iter().map(|test| test.worker).collect();
    assert_eq!(workers.len(), 2);
    for test in &results.tests {
        let steps: HashSet<&str> = test.steps.iter().map(|step| step.name.as_str()).collect();
        // The audit comes after the time that the scenario took.
        let later = results
            .tests
            .iter()
            .filter(|other| other.worker == test.worker && other.begin_us > test.begin_us);
        let end = later.map(|other| other.begin_us).min().unwrap_or(u64::MAX);
        let within = |at: u64| (test.begin_us..=end).contains(&at);
        assert!(!test.calls.is_empty(), "{}", test.name);
        for call in &test.calls {
            let is_of_a_step = call.step.is_empty() || steps.contains(call.step.as_str());
            assert!(
                is_of_a_step && within(call.end_us),
                "{}: {call:?}",
                test.name
            );
        }
    }
}

#[test]
fn calls_are_told_with_their_step_and_agree_with_the_count_of_the_engine() {
    let folder = tempfile::tempdir().expect("a folder");
    run(folder.path(), "typical");
    let log = folder.path().join("events.jsonl");
    let events: Vec<Event> = EventReader::open(&log)
        .expect("a log")
        .map(|entry| entry.expect("an event").event)
        .collect();
    let results = Results::read(&log).expect("a log");
    assert_eq!(results.exit_code(), 0);
    assert_eq!(results.runs[0].begins.commit.as_deref(), Some("c0ffee"));
    let test = results
        .tests
        .iter()
        .find(|test| test.name == "test_multiple_create_ssp")
        .expect("the test");
    assert!(
        test.repro
            .as_deref()
            .is_some_and(|repro| repro.contains("--seed 42") && repro.ends_with(&test.name)),
        "{:?}",
        test.repro
    );
    let ten = test
        .steps
        .iter()
        .find(|step| step.operations.len() == 10)
        .expect("ten at once");
    // Checks ask as well, after the step's own count.
    let calls = test.calls.iter().filter(|call| call.step == ten.name);
    let counted = ten.traffic.expect("traffic").requests;
    assert!(calls.clone().count() as u64 >= counted && counted > 100);
    assert!(
        calls.clone().all(|call| call.end_us >= ten.begin_us),
        "none is told before its step"
    );
    let uploaded: u64 = calls.map(|call| call.sent).sum();
    let image = 64 << 10;
    assert!(
        uploaded > image,
        "bodies are counted, streamed ones too: {uploaded}"
    );
    assert!(test.classes.keys().all(|(_, path)| !path.contains('?')));
    let kinds: HashSet<_> = events.iter().map(std::mem::discriminant).collect();
    assert!(kinds.len() >= 10, "{}", kinds.len());
}

#[test]
fn a_stored_log_is_rendered_again_and_judged() {
    let folder = tempfile::tempdir().expect("a folder");
    run(folder.path(), "calm");
    let path = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
    let (log, machine, tree) = (path("events.jsonl"), path("machine.jsonl"), path("tree"));
    let other = path("other.jsonl");
    let lines = "{\"event\":\"log\",\"format\":1,\"producer\":\"python\"}\n\
        {\"event\":\"test-ends\",\"run\":\"api\",\"test\":\"tempest.api.x\",\"verdict\":\"failed\",\"reason\":\"hunter2 at 10.1.2.3\"}\n\
        {\"event\":\"run-ends\",\"run\":\"api\",\"verdict\":\"failed\"}\n";
    fs::write(&other, lines).expect("a log");
    let secrets = path("secrets");
    fs::write(&secrets, "hunter2\n").expect("a file");
    let (html, junit) = (path("again.html"), path("again.xml"));
    let output = harness(&["report", "--from", &log, "--html", &html, "--junit", &junit]);
    assert_eq!(output.status.code(), Some(0));
    assert!(String::from_utf8_lossy(&output.stdout).contains("2 passed; nothing left behind"));
    for (again, first) in [("again.html", "report.html"), ("again.xml", "junit.xml")] {
        assert!(fs::read(path(again)).expect("a file") == fs::read(path(first)).expect("a file"));
    }

    let arguments = [
        "report",
        "--from",
        &log,
        "--from",
        &machine,
        "--from",
        &other,
        "--logs",
        &tree,
        "--secrets-file",
        &secrets,
    ];
    let output = harness(&arguments);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{told}");
    let environment = fs::read_to_string(path("tree/environment.txt")).expect("a file");
    assert!(environment.contains("commit: c0ffee") && environment.contains("processors: "));
    let console = fs::read_to_string(path("tree/job-output.txt")).expect("a file");
    assert!(
        console.contains("{0} tempest.api.x [0.000000s] ... FAILED"),
        "{console}"
    );
    assert!(
        !console.contains("hunter2") && !console.contains("10.1.2.3"),
        "{console}"
    );
    let output = harness(&arguments);
    assert_eq!(output.status.code(), Some(255), "the folder is not empty");

    let output = harness(&["report", "--from", &path("junit.xml")]);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(255));
    assert!(told.contains("junit.xml: line 1"), "{told}");
}

#[test]
fn a_run_that_could_not_be_says_so_in_its_log() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().to_string_lossy();
    let output = harness(&["run", "--target", "http://127.0.0.1:1", "--report", &path]);
    assert_eq!(output.status.code(), Some(255));
    let results = Results::read(&folder.path().join("events.jsonl")).expect("a log");
    let reason = results.runs[0].could_not_run.as_deref().expect("a reason");
    assert!(reason.contains("127.0.0.1:1"), "{reason}");
    assert_eq!(
        (results.exit_code(), results.count(Verdict::Passed)),
        (255, 0)
    );
}
