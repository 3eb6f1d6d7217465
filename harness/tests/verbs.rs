//! Every verb of scenarios, on both products and on both kinds of boot disk.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking, its helpers too"
)]

use powervm_harness::engine::{NoObserver, Settings, run};
use powervm_harness::image::Image;
use powervm_harness::report::{Verdict, table};
use powervm_harness::runtime::virtual_clock;
use powervm_harness::scenario::{Disk, Scenario};
use powervm_harness::target::Flavor;
use powervm_harness::target::embedded::{Embedded, EmbeddedOptions};
use powervm_simulator::weather::Weather;
use tokio_util::sync::CancellationToken;

const SSP: [(Flavor, Disk); 2] = [(Flavor::NovaLink, Disk::Ssp), (Flavor::Hmc, Disk::Ssp)];
const ALL: [(Flavor, Disk); 4] = [
    (Flavor::NovaLink, Disk::Ssp),
    (Flavor::Hmc, Disk::Ssp),
    (Flavor::NovaLink, Disk::Localdisk),
    (Flavor::Hmc, Disk::Localdisk),
];

/// A step on the server `vm` that is deployed first; keys by lines.
fn step(number: usize, keys: &str) -> String {
    format!("[[step]]\nname = \"{number}\"\nserver = \"vm\"\n{keys}\n")
}

fn play(places: &[(Flavor, Disk)], deploy: &str, steps: &[&str]) {
    for (flavor, disk) in places {
        let head = format!(
            "format = 1\ntitle = \"verbs\"\ndisk = \"{disk}\"\n{}",
            step(0, &format!("do = \"create\"\n{deploy}"))
        );
        let steps = (1..).zip(steps).map(|(number, keys)| step(number, keys));
        let text: String = std::iter::once(head).chain(steps).collect();
        let scenario = Scenario::parse("verbs", "verbs.toml", &text);
        let scenario = scenario.unwrap_or_else(|error| panic!("{error}"));
        let target = Embedded::new(EmbeddedOptions {
            flavor: *flavor,
            seed: 3,
            weather: Weather::Typical,
            weather_name: "typical".to_owned(),
            check_invariants: true,
        });
        let settings = Settings {
            seed: 3,
            image: Image::made(),
            excluded: Default::default(),
            cancel: CancellationToken::new(),
        };
        let runtime = virtual_clock().expect("a runtime");
        let played = runtime.block_on(run(&[scenario], &target, &settings, &NoObserver));
        let report = played.expect("a usable target");
        assert_eq!(
            (report.verdict, report.count(Verdict::Skipped)),
            (Verdict::Passed, 0),
            "{flavor} {disk}\n{}",
            table::render(&report, None)
        );
    }
}

#[test]
fn power() {
    let steps = [
        "do = \"stop\"\nexpect.state = \"not activated\"",
        "do = \"start\"\nexpect.state = \"running\"",
        "do = \"reboot\"\nkind = \"soft\"\nexpect.state = \"running\"",
        "do = \"reboot\"\nkind = \"hard\"\nexpect.state = \"running\"",
        "do = \"console\"",
    ];
    play(&ALL, "", &steps);
}

#[test]
fn size() {
    let steps = [
        "do = \"resize\"\nflavor = { vcpus = 2, root_gb = 2 }\nexpect.state = \"running\"",
        "do = \"revert\"\nexpect.state = \"running\"",
        "do = \"resize\"\nflavor = { memory_mb = 1024 }",
        "do = \"confirm\"\nexpect.state = \"running\"",
    ];
    play(&ALL, "", &steps);
}

#[test]
fn disks() {
    let steps = [
        "do = \"rebuild\"\nimage = \"other\"\nexpect.state = \"running\"",
        "do = \"rescue\"",
        "do = \"unrescue\"\nexpect.state = \"running\"",
    ];
    play(&ALL, "", &steps);
    let steps = [
        "do = \"snapshot\"\nimage = \"snap\"",
        "do = \"shelve\"\nexpect.absent = [\"vm\"]",
        "do = \"unshelve\"\nexpect.state = \"running\"",
    ];
    play(&[(Flavor::NovaLink, Disk::Ssp)], "", &steps);
    let steps = ["do = \"shelve\"", "do = \"unshelve\""];
    play(&ALL, "boot_volume = \"root\"", &steps);
}

#[test]
fn devices() {
    let steps = [
        "do = \"attach-volume\"\nvolume = \"data\"",
        "do = \"attach-interface\"\nnetwork = 100",
        "do = \"detach-interface\"\nnetwork = 100",
        "do = \"detach-volume\"\nvolume = \"data\"",
    ];
    play(&ALL, "", &steps);
}

#[test]
fn hosts() {
    let steps = [
        "do = \"live-migrate\"\nexpect.host = 2\nexpect.state = \"running\"",
        "do = \"migrate\"\nexpect.host = 1",
        "do = \"revert\"\nexpect.host = 2",
        "do = \"migrate\"\nexpect.host = 1",
        "do = \"confirm\"\nexpect.host = 1",
        "do = \"evacuate\"\nexpect.host = 2\nexpect.state = \"running\"",
    ];
    play(&SSP, "", &steps);
}
