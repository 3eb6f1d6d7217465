//! Scenarios on the embedded simulator: what the project promises of ten deploys at once, of repeatability, and of
//! breaking off.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, its helpers too"
)]

use std::fs;
use std::time::Duration;

use powervm_harness::engine::{NoObserver, Settings, run};
use powervm_harness::image::Image;
use powervm_harness::report::{self, RunReport, Verdict, table};
use powervm_harness::runtime::virtual_clock;
use powervm_harness::scenario::{Disk, catalog};
use powervm_harness::soak::{self, Soak};
use powervm_harness::target::embedded::{Embedded, EmbeddedOptions};
use powervm_harness::target::{Flavor, Opening, Target};
use powervm_simulator::weather::Weather;
use tokio_util::sync::CancellationToken;

fn target(flavor: Flavor, seed: u64, weather: Weather, name: &str) -> Embedded {
    Embedded::new(EmbeddedOptions {
        flavor,
        seed,
        weather,
        weather_name: name.to_owned(),
        check_invariants: true,
    })
}

fn play(words: &[&str], target: &Embedded, seed: u64, cancel_after: Option<Duration>) -> RunReport {
    let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
    let scenarios = catalog::select(&words).expect("scenarios");
    let runtime = virtual_clock().expect("a runtime");
    runtime.block_on(async {
        let cancel = CancellationToken::new();
        if let Some(after) = cancel_after {
            let cancel = cancel.clone();
            tokio::spawn(async move {
                tokio::time::sleep(after).await;
                cancel.cancel();
            });
        }
        let settings = Settings {
            seed,
            image: Image::made(),
            excluded: Default::default(),
            cancel,
        };
        run(&scenarios, target, &settings, &NoObserver)
            .await
            .expect("a usable target")
    })
}

fn passes(report: &RunReport) {
    let table = || table::render(report, None);
    assert_eq!(report.verdict, Verdict::Passed, "{}", table());
    assert_eq!(report.findings(), 0);
    assert_eq!(report.count(Verdict::Skipped), 0, "{}", table());
}

/// The bounds stand in the scenario itself: 1.5 times one deploy, one image upload, one mapping write per Virtual I/O
/// Server and deploy, an empty audit.
#[test]
fn ten_deploys_at_once_cost_little_more_than_one_whatever_the_seed() {
    for seed in [2, 3, 5, 7, 11] {
        let report = play(
            &["test_multiple_create_ssp"],
            &target(Flavor::NovaLink, seed, Weather::Typical, "typical"),
            seed,
            None,
        );
        passes(&report);
        let steps = &report.scenarios[0].steps;
        let of = |name: &str| {
            steps
                .iter()
                .find(|step| step.name == name)
                .expect("the step")
        };
        let (one, ten) = (of("one deploy"), of("ten deploys"));
        let ratio = ten.summary.makespan_ms as f64 / one.summary.makespan_ms as f64;
        assert!(ratio <= 1.5, "seed {seed}: {ratio}");
        assert_eq!(ten.traffic.image_uploads, 1, "seed {seed}");
        assert!(
            ten.traffic
                .mapping_writes
                .values()
                .all(|writes| *writes <= 10),
            "seed {seed}"
        );
        assert_eq!(
            ten.traffic.mapping_writes.len(),
            2,
            "seed {seed}: both servers are written"
        );
    }
}

#[test]
fn the_same_seed_writes_the_same_bytes() {
    let folders = [
        tempfile::tempdir().expect("a folder"),
        tempfile::tempdir().expect("a folder"),
    ];
    for folder in &folders {
        let report = play(
            &["boot", "refusals", "concurrency"],
            &target(Flavor::NovaLink, 42, Weather::Stormy, "stormy"),
            42,
            None,
        );
        report::write(&report, folder.path()).expect("written");
    }
    for file in ["report.json", "junit.xml"] {
        let [one, two] = folders
            .each_ref()
            .map(|folder| fs::read_to_string(folder.path().join(file)).expect("a file"));
        assert_eq!(one, two, "{file}");
        assert!(
            !one.contains(&*folders[0].path().to_string_lossy()),
            "{file} holds a path"
        );
    }
}

#[test]
fn another_seed_is_another_run() {
    let names = |seed| {
        let report = play(
            &["test_server_basic_ops"],
            &target(Flavor::NovaLink, seed, Weather::Calm, "calm"),
            seed,
            None,
        );
        report.scenarios[0].steps[0].operations[0].instance
    };
    assert_ne!(names(1), names(2));
}

#[test]
fn breaking_off_at_any_moment_leaves_nothing() {
    for seconds in [1, 3, 5, 8, 13, 21, 34, 55] {
        let target = target(Flavor::NovaLink, 9, Weather::Typical, "typical");
        let report = play(
            &["test_multiple_create_ssp"],
            &target,
            9,
            Some(Duration::from_secs(seconds)),
        );
        let audit = report.scenarios[0].audit.as_ref().expect("an audit");
        assert!(
            audit.is_clean(),
            "after {seconds} s: {}",
            table::render(&report, None)
        );
        assert_eq!(report.verdict, Verdict::Cancelled, "after {seconds} s");
    }
}

#[test]
fn a_soak_deploys_and_deletes_and_leaves_nothing() {
    for disk in [Disk::Ssp, Disk::Localdisk] {
        let target = target(Flavor::NovaLink, 6, Weather::Typical, "typical");
        let soak = Soak {
            deploys: 40,
            parallel: 8,
            disk,
            seed: 6,
            image: Image::made(),
            cancel: CancellationToken::new(),
        };
        let runtime = virtual_clock().expect("a runtime");
        let (report, _) = runtime.block_on(async {
            let host = target
                .open(Opening {
                    scenario: "soak",
                    disk,
                    two_hosts: false,
                })
                .await
                .expect("a host");
            soak::run(host.as_ref(), &soak, &|_, _| {})
                .await
                .expect("a report")
        });
        assert_eq!(
            (report.deployed, report.deleted, report.failed),
            (40, 40, 0),
            "{:?}",
            report.failures
        );
        assert!(report.audit.is_clean(), "{:?}", report.audit.findings);
    }
}
