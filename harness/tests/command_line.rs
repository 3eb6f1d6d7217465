//! The program itself: what it prints, what it writes, how it ends.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, its helpers too"
)]

use std::process::{Command, Output};

fn harness(arguments: &[&str]) -> Output {
    // A run that is not told where leaves its reports below the folder that it is called in.
    let folder = tempfile::tempdir().expect("a folder");
    Command::new(env!("CARGO_BIN_EXE_powervm-harness"))
        .args(arguments)
        .current_dir(folder.path())
        .env_remove("RUST_LOG")
        .env_remove("POWERVM_USER")
        .env_remove("POWERVM_PASSWORD")
        .output()
        .expect("the program runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn a_run_prints_a_table_and_writes_its_reports() {
    let folder = tempfile::tempdir().expect("a folder");
    let report = folder.path().join("new/report");
    let path = report.to_string_lossy();
    let output = harness(&[
        "run",
        "test_server_basic_ops",
        "--report",
        &path,
        "--seed",
        "3",
    ]);
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(0), "{stdout}{stderr}");
    for words in [
        "soft reboot",
        "p50",
        "makespan",
        "VIOS writes",
        "nothing left behind",
        "1 passed",
        "seed 3",
    ] {
        assert!(stdout.contains(words), "{words} is missing in\n{stdout}");
    }
    assert!(stderr.contains("wall time"), "{stderr}");
    for file in [
        "events.jsonl",
        "junit.xml",
        "machine.jsonl",
        "report.html",
        "report.json",
        "results.subunit",
    ] {
        assert!(report.join(file).is_file(), "{file}");
    }
}

#[test]
fn json_on_standard_output_is_the_report_in_the_folder() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().to_string_lossy();
    let output = harness(&[
        "run",
        "test_create_with_invalid_flavor",
        "--report",
        &path,
        "--json",
        "--quiet",
    ]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let written = std::fs::read(folder.path().join("report.json")).expect("a report");
    assert_eq!(text(&output.stdout), text(&written));
}

#[test]
fn whatever_keeps_a_run_from_being_ends_with_255() {
    let cases: [(&[&str], &str); 7] = [
        (&[], "Usage"),
        (&["fly"], "unrecognized subcommand"),
        (&["run", "no-such-scenario"], "no scenario"),
        (&["run", "--weather", "hail"], "neither calm"),
        (
            &["run", "--image", "/nonexistent/disk.raw"],
            "cannot read the image",
        ),
        (
            &["run", "--target", "ftp://somewhere"],
            "neither http:// nor https://",
        ),
        (
            &["audit", "--target", "http://127.0.0.1:1", "--user", "u"],
            "needs a password",
        ),
    ];
    for (arguments, words) in cases {
        let output = harness(arguments);
        let stderr = text(&output.stderr);
        assert_eq!(output.status.code(), Some(255), "{arguments:?}: {stderr}");
        assert!(stderr.contains(words), "{arguments:?}: {stderr}");
    }
    let output = harness(&["audit", "--target", "http://127.0.0.1:1"]);
    assert_eq!(
        output.status.code(),
        Some(255),
        "nobody listens there: {}",
        text(&output.stderr)
    );
}

#[test]
fn scenarios_are_listed_for_people_and_for_programs() {
    let output = harness(&["list"]);
    assert!(output.status.success());
    assert!(text(&output.stdout).contains("test_multiple_create_ssp"));
    let output = harness(&["list", "smoke", "--json"]);
    let listed: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(listed[0]["name"], "test_server_basic_ops");
    assert_eq!(
        listed[0]["follows"][0]["id"],
        "7fff3fb3-91d8-4fd0-bd7d-0204f1f180ba"
    );
}

#[test]
fn a_scenario_that_fails_ends_with_one_and_says_why() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("wrong.toml");
    let scenario = "format = 1\ntitle = \"t\"\ndisk = \"ssp\"\n[[step]]\nname = \"create\"\ndo = \"create\"\n\
        server = \"vm\"\npower_on = false\nexpect.state = \"running\"\n";
    std::fs::write(&file, scenario).expect("a file");
    let (file, report) = (file.to_string_lossy(), folder.path().join("r"));
    let output = harness(&["run", &file, "--report", &report.to_string_lossy()]);
    let stdout = text(&output.stdout);
    assert_eq!(
        output.status.code(),
        Some(1),
        "{stdout}{}",
        text(&output.stderr)
    );
    assert!(
        stdout.contains("FAILED: the state is running: vm is not activated"),
        "{stdout}"
    );
    assert!(
        stdout.contains("nothing left behind"),
        "the server is cleaned up: {stdout}"
    );
}
