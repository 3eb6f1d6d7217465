//! The matrices in their bounded form; `powervm-harness sagas`, `crashes` and `faults` run them whole.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;

use powervm_driver::operations::journalled_kinds;
use powervm_harness::matrix::{MatrixReport, Reach, Selection, all, crashes, faults, sagas};

/// One fault, death or kill at each request or record, the kinds in turn.
fn in_turn(subjects: &[&str]) -> Selection {
    Selection {
        subjects: subjects.iter().map(|name| (*name).to_owned()).collect(),
        reach: Reach::InTurn,
        ..Selection::default()
    }
}

fn assert_passed(report: &MatrixReport, subjects: usize) {
    assert!(report.passed(), "{}", report.text());
    assert_eq!(report.operations.len(), subjects);
}

/// No request was left out.
fn assert_every_call(report: &MatrixReport) {
    for operation in &report.operations {
        assert!(operation.cases >= operation.calls, "{operation}");
    }
}

/// What one of the products cannot do: its name, and what a journal calls the operation.
const ONLY_THE_OTHER: &[(&str, &str)] = &[
    ("novalink", "suspension"),
    ("novalink", "remote restart"),
    ("hmc", "snapshot"),
];

/// No operation that a driver can be killed in was left out, on no product that can do it.
fn assert_every_operation(report: &MatrixReport) {
    for product in ["novalink", "hmc"] {
        let is_its = |name: &str| name.ends_with(&format!(", {product}"));
        let played = report.operations.iter();
        let played = played.filter(|operation| is_its(&operation.operation));
        let played: BTreeSet<&str> = played
            .flat_map(|operation| operation.journalled.iter().map(|kind| &**kind))
            .collect();
        let mut wanted = BTreeSet::from_iter(journalled_kinds());
        wanted.retain(|kind| !ONLY_THE_OTHER.contains(&(product, kind)));
        assert_eq!(played, wanted, "{product}");
    }
}

/// Every saga, on the product with the most steps and both kinds of disk; on the other one what only that can do.
#[test]
fn every_step_can_be_repeated_failed_undone_twice_and_killed_at() {
    let selection = in_turn(&["novalink", "suspend, ", "resume, ", "remote restart"]);
    let report = sagas::run(&selection, &|_| {});
    assert_passed(&report, selection.chosen().len());
    let played = report.operations.iter();
    let played: BTreeSet<&str> = played
        .flat_map(|operation| operation.journalled.iter().map(|kind| &**kind))
        .collect();
    assert_eq!(played, BTreeSet::from_iter(journalled_kinds()));
    let loops = [
        "dry run",
        "killed after a record",
        "killed before a record",
        "step failed",
        "step repeated",
        "undo repeated",
    ];
    for operation in &report.operations {
        let played: Vec<&str> = operation.kinds.keys().map(|kind| &**kind).collect();
        assert_eq!(played, loops, "{operation}");
    }
}

#[test]
fn a_driver_that_dies_is_survived() {
    let report = crashes::run(&in_turn(&[]), &|_| {});
    assert_passed(&report, all().len());
    assert_every_call(&report);
    assert_every_operation(&report);
}

#[test]
fn a_request_that_fails_is_survived() {
    let report = faults::run(&in_turn(&[]), &|_| {});
    assert_passed(&report, all().len());
    assert_every_call(&report);
    assert_every_operation(&report);
    // The kinds that befall only jobs are no matter of operations without jobs.
    for operation in &report.operations {
        assert!(operation.kinds.len() >= 10, "{operation}");
    }
    let kinds: BTreeSet<&str> = report.kinds.keys().map(|kind| &**kind).collect();
    let all = [
        "30 s of silence",
        "401",
        "404",
        "412",
        "500 busy",
        "500 other",
        "503",
        "body cut",
        "connection reset after the commit",
        "connection reset before the commit",
        "job failure",
        "job timeout",
    ];
    assert_eq!(kinds, BTreeSet::from(all));
}

#[test]
fn a_seed_repeats_a_matrix() {
    let selection = Selection {
        subjects: vec!["hard stop".to_owned()],
        stride: 3,
        pairs: 6,
        ..Selection::default()
    };
    let twice = [(); 2].map(|()| faults::run(&selection, &|_| {}));
    assert_eq!(twice[0], twice[1]);
}
