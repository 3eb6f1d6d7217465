//! Every scenario on the embedded simulator, several at a time, and nothing of the run left in the process.
#![allow(
    clippy::expect_used,
    reason = "a test fails by panicking, its helpers too"
)]

use std::sync::{Mutex, PoisonError};

use powervm_harness::engine::{NoObserver, Settings, run_in_parallel};
use powervm_harness::image::Image;
use powervm_harness::report::{RunReport, Verdict, table};
use powervm_harness::scenario::catalog;
use powervm_harness::target::Flavor;
use powervm_harness::target::embedded::{Embedded, EmbeddedOptions};
use powervm_simulator::weather::Weather;
use tokio_util::sync::CancellationToken;

/// A run counts the open sockets of its process, so that no two of them go on in it at the same time.
static ALONE: Mutex<()> = Mutex::new(());

/// All of them, in worlds of their own on two threads.
fn play_all(flavor: Flavor) -> RunReport {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let target = Embedded::new(EmbeddedOptions {
        flavor,
        seed: 1,
        weather: Weather::Typical,
        weather_name: "typical".to_owned(),
        check_invariants: true,
    });
    let scenarios = catalog::embedded().expect("scenarios");
    let settings = Settings {
        seed: 1,
        image: Image::made(),
        excluded: Default::default(),
        cancel: CancellationToken::new(),
    };
    let (report, leaks) =
        run_in_parallel(&scenarios, &target, &settings, &NoObserver, 2).expect("a usable target");
    assert_eq!(leaks, Vec::<String>::new());
    report
}

#[test]
fn every_scenario_passes_on_a_novalink() {
    let report = play_all(Flavor::NovaLink);
    let table = || table::render(&report, None);
    assert_eq!(report.verdict, Verdict::Passed, "{}", table());
    assert_eq!(report.findings(), 0);
    assert_eq!(report.count(Verdict::Skipped), 0, "{}", table());
}

/// Behind a console nobody reads the disks of servers, so that no image is made of one.
#[test]
fn every_scenario_passes_on_a_console_or_says_what_it_lacks() {
    let report = play_all(Flavor::Hmc);
    let failed = table::render(&report, None);
    assert_eq!(report.verdict, Verdict::Passed, "{failed}");
    for scenario in &report.scenarios {
        if scenario.verdict == Verdict::Skipped {
            let reason = scenario.reason.as_deref();
            assert_eq!(
                reason,
                Some("the target lacks capture"),
                "{}",
                scenario.name
            );
        }
    }
    assert!(report.count(Verdict::Skipped) < 20, "{failed}");
}
