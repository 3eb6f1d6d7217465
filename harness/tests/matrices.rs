//! The matrices in their bounded form; `powervm-harness sagas`, `crashes` and `faults` run them whole.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use powervm_harness::matrix::{MatrixReport, Selection, all, crashes, faults, sagas};

fn chosen(subjects: &[&str], stride: usize, pairs: usize) -> Selection {
    Selection {
        subjects: subjects.iter().map(|name| (*name).to_owned()).collect(),
        stride,
        pairs,
        ..Selection::default()
    }
}

fn assert_passed(report: &MatrixReport, least: usize) {
    assert!(report.passed(), "{}", report.text());
    assert!(report.cases >= least, "{}", report.text());
}

/// Every saga, on the product and disk with the most steps.
#[test]
fn every_step_can_be_repeated_failed_undone_twice_and_killed_at() {
    let report = sagas::run(&chosen(&["ssp, novalink"], 4, 0), &|| {}).unwrap();
    assert_passed(&report, 200);
}

#[test]
fn a_driver_that_dies_is_survived() {
    let report = crashes::run(&chosen(&[], 12, 0), &|| {}).unwrap();
    assert_eq!(report.operations.len(), all().len());
    assert_passed(&report, 200);
}

#[test]
fn a_request_that_fails_is_survived() {
    let report = faults::run(&chosen(&[], 12, 1), &|| {}).unwrap();
    assert_eq!(report.operations.len(), all().len());
    assert_passed(&report, 500);
}

#[test]
fn a_seed_repeats_a_matrix() {
    let twice = [(); 2].map(|()| faults::run(&chosen(&["hard stop"], 3, 6), &|| {}).unwrap());
    assert_eq!(twice[0], twice[1]);
}
