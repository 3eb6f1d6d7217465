//! `scenarios/coverage.toml` says of every test of tempest for compute what becomes of it; the scenarios and
//! `docs/scenario-coverage.md` have to say the same.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking, its helpers too"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use powervm_harness::scenario::{Scenario, catalog};
use serde::Deserialize;

const COVERAGE: &str = include_str!("../../scenarios/coverage.toml");
/// Set to have the page written instead of compared.
const WRITE: &str = "POWERVM_WRITE_PAGES";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Coverage {
    class: Vec<Class>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Class {
    name: String,
    /// Tests that ask nothing of a driver.
    #[serde(default)]
    api: Vec<String>,
    /// Tests of what there is not.
    #[serde(default)]
    no: Vec<No>,
    /// Tests by name, each with the scenario that follows it.
    #[serde(default)]
    scenario: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct No {
    why: String,
    tests: Vec<String>,
}

fn coverage() -> Coverage {
    toml::from_str(COVERAGE).unwrap_or_else(|error| panic!("{error}"))
}

/// What follows a test, by the test's full name.
fn followers(scenarios: &[Scenario]) -> BTreeMap<&str, BTreeSet<&str>> {
    let mut followers: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for scenario in scenarios {
        for test in &scenario.follows {
            let known = followers.entry(&test.name).or_default();
            known.insert(&scenario.name);
        }
    }
    followers
}

#[test]
fn every_test_is_accounted_for_once_and_scenarios_follow_what_they_say() {
    let coverage = coverage();
    let scenarios = catalog::embedded().expect("scenarios");
    let mut followers = followers(&scenarios);
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios");
    let mut seen = BTreeSet::new();
    for class in &coverage.class {
        let left_out = class.no.iter().flat_map(|no| {
            assert!(!no.why.is_empty(), "{} has no reason", class.name);
            &no.tests
        });
        for test in class
            .api
            .iter()
            .chain(left_out)
            .chain(class.scenario.keys())
        {
            let full = format!("{}.{test}", class.name);
            assert!(seen.insert(full.clone()), "{full} is there twice");
        }
        for (test, path) in &class.scenario {
            let full = format!("{}.{test}", class.name);
            let file = root.join(format!("{path}.toml"));
            assert!(file.is_file(), "{full}: there is no {path}");
            let name = path.rsplit('/').next().unwrap_or_default();
            let found = followers.remove(full.as_str()).unwrap_or_default();
            assert!(found.contains(name), "{name} does not follow {full}");
        }
    }
    assert!(seen.len() >= 655, "only {} tests", seen.len());
    assert!(followers.is_empty(), "not in coverage.toml: {followers:?}");
}

#[test]
fn an_id_belongs_to_one_test() {
    let scenarios = catalog::embedded().expect("scenarios");
    let mut ids = BTreeMap::new();
    for test in scenarios.iter().flat_map(|scenario| &scenario.follows) {
        let known = ids.entry(test.id).or_insert(&test.name);
        assert_eq!(*known, &test.name, "{}", test.id);
    }
}

fn page(coverage: &Coverage) -> String {
    let count = |of: fn(&Class) -> usize| coverage.class.iter().map(of).sum::<usize>();
    let (covered, api) = (
        count(|class| class.scenario.len()),
        count(|class| class.api.len()),
    );
    let no = count(|class| class.no.iter().map(|no| no.tests.len()).sum());
    let mut page = format!(
        "# Tests of tempest and the scenarios that follow them\n\n\
        Made of [`scenarios/coverage.toml`](../scenarios/coverage.toml), with which a test compares it. Of {} tests, {covered} \
        are followed by scenarios. {api} ask nothing of a driver: they test the API and its database, or another service, \
        with servers to talk about at most. {no} are about something that the driver or the platform does not have.\n\n\
        | class | followed | by | API | left out |\n|---|---|---|---|---|\n",
        covered + api + no
    );
    for class in &coverage.class {
        let scenarios: BTreeSet<&str> = class
            .scenario
            .values()
            .map(|path| path.rsplit('/').next().unwrap_or_default())
            .collect();
        let scenarios: Vec<String> = scenarios.iter().map(|name| format!("`{name}`")).collect();
        let no: Vec<String> = class
            .no
            .iter()
            .map(|no| format!("{}: {}", no.tests.len(), no.why))
            .collect();
        let name = class.name.trim_start_matches("tempest.");
        let (covered, api) = (class.scenario.len(), class.api.len());
        let (scenarios, no) = (scenarios.join(", "), no.join("; "));
        let row = format!("| `{name}` | {covered} | {scenarios} | {api} | {no} |");
        writeln!(page, "{}", row.replace("|  |", "| |")).expect("a string takes it");
    }
    page
}

#[test]
fn the_page_is_up_to_date() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/scenario-coverage.md");
    let page = page(&coverage());
    if std::env::var_os(WRITE).is_some() {
        std::fs::write(&path, &page).expect("written");
    }
    let there = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(there, page, "run this test with {WRITE}=1");
}
