//! `powervm doctor`: what it finds in good and in bad hosts.

use powervm_driver::config::{Config, DiskDriver};
use powervm_driver::doctor::{Diagnosis, Verdict, examine};
use powervm_simulator::model::Command;
use powervm_simulator::model::job::incident::Incident;
use powervm_simulator::model::names::SystemState;
use powervm_simulator::weather::Rule;

use crate::support::*;

/// Any time will do: in process, answers have no date.
const NOW: u64 = 0;

async fn diagnosis(bench: &Bench, config: &Config) -> Diagnosis {
    bench.calls.take();
    let diagnosis = examine(bench.driver.session(), config, NOW).await;
    let calls = bench.calls.take();
    assert!(calls.iter().all(|(method, _)| method == "GET"), "{calls:?}");
    diagnosis
}

#[track_caller]
fn assert_found(diagnosis: &Diagnosis, about: &str, verdict: Verdict, words: &str) {
    let mut findings = diagnosis.findings.iter();
    let found = findings.any(|finding| {
        finding.about == about && finding.verdict == verdict && finding.found.contains(words)
    });
    assert!(found, "{about} {verdict:?} {words}: {diagnosis:#?}");
}

#[tokio::test(start_paused = true)]
async fn a_good_host_stops_nothing_and_only_the_unknowable_is_unknown() {
    for flavor in FLAVORS {
        for disk in DISKS {
            let bench = Bench::new(flavor, disk).await;
            let diagnosis = diagnosis(&bench, &config(disk)).await;
            let other: Vec<&str> = diagnosis
                .findings
                .iter()
                .filter(|finding| finding.verdict != Verdict::Good)
                .map(|finding| finding.about.as_str())
                .collect();
            assert_eq!(other, ["clock", "permission to change"], "{diagnosis:#?}");
            assert_eq!(diagnosis.verdict(), Verdict::Unknown);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn one_server_out_of_reach_is_odd_and_all_of_them_stop_deploys() {
    let bench = Bench::new(FLAVORS[1], DiskDriver::Ssp).await;
    let config = config(DiskDriver::Ssp);
    let host = bench.driver.host().await.unwrap();
    let uuids = host.virtual_io_servers.iter().map(|vios| vios.uuid.parse());
    let vioses: Vec<uuid::Uuid> = uuids.map(Result::unwrap).collect();
    bench
        .simulator
        .befall(vioses[0], Incident::RmcLost, None)
        .unwrap();
    settle().await;
    let one = diagnosis(&bench, &config).await;
    assert_found(&one, "virtual I/O servers", Verdict::Odd, "one can work");
    assert_eq!(one.stops().count(), 0, "{one:#?}");
    for vios in &vioses[1..] {
        bench
            .simulator
            .befall(*vios, Incident::RmcLost, None)
            .unwrap();
    }
    settle().await;
    let none = diagnosis(&bench, &config).await;
    assert_found(&none, "virtual I/O servers", Verdict::Stops, "none");
    assert_found(&none, "storage", Verdict::Unknown, "");
}

#[tokio::test(start_paused = true)]
async fn what_the_configuration_names_has_to_be_there() {
    let bench = Bench::new(FLAVORS[0], DiskDriver::Ssp).await;
    for (config, about, words) in [
        (
            Config {
                volume_group_name: "nope".to_owned(),
                ..config(DiskDriver::LocalDisk)
            },
            "volume group",
            "'nope'",
        ),
        (
            Config {
                cluster_name: "nope".to_owned(),
                ..config(DiskDriver::Ssp)
            },
            "shared storage pool",
            "'nope'",
        ),
        (
            Config {
                managed_system: "nope".to_owned(),
                ..config(DiskDriver::Ssp)
            },
            "system",
            "'nope'",
        ),
    ] {
        let diagnosis = diagnosis(&bench, &config).await;
        assert_found(&diagnosis, about, Verdict::Stops, words);
    }
}

#[tokio::test(start_paused = true)]
async fn ports_of_a_fabric_have_to_be_on_servers_that_work() {
    let bench = Bench::new(FLAVORS[0], DiskDriver::Ssp).await;
    let text = "[powervm]\ndisk_driver = \"ssp\"\nfc_attach_strategy = \"npiv\"\n\
                fabric_A_port_wwpns = \"10000090fa1b6a3c\"\n";
    let mut config = Config::parse(text).unwrap();
    let unknown = diagnosis(&bench, &config).await;
    assert_found(&unknown, "fabric A", Verdict::Stops, "0 of 1");
    let host = bench.driver.host().await.unwrap();
    let mut ports = host.virtual_io_servers.iter().flat_map(|vios| &vios.ports);
    let known = ports.find(|port| port.available > 0).unwrap().wwpn;
    config
        .volumes
        .fabric_ports
        .insert("A".to_owned(), vec![known]);
    let good = diagnosis(&bench, &config).await;
    assert_found(&good, "fabric A", Verdict::Good, "1 of 1");
}

#[tokio::test(start_paused = true)]
async fn what_the_user_may_not_read_is_named() {
    let bench = Bench::new(FLAVORS[1], DiskDriver::Ssp).await;
    let forbidden =
        Rule::new("GET", "/rest/api/web/File").answer(403, "Forbidden", "HSCL350F no authority");
    bench.simulator.faults().add(forbidden).unwrap();
    let diagnosis = diagnosis(&bench, &config(DiskDriver::Ssp)).await;
    assert_found(
        &diagnosis,
        "permission to read files",
        Verdict::Stops,
        "HSCL350F",
    );
    let role = diagnosis
        .stops()
        .filter_map(|finding| finding.remedy.as_deref());
    assert!(role.into_iter().any(|remedy| remedy.contains("role")));
}

#[tokio::test(start_paused = true)]
async fn a_system_that_does_not_operate_is_told() {
    for (state, verdict) in [
        (SystemState::Standby, Verdict::Odd),
        (SystemState::Error, Verdict::Stops),
    ] {
        let bench = Bench::new(FLAVORS[1], DiskDriver::Ssp).await;
        let system = bench.simulator.world().systems_in_order()[0].uuid;
        let change = Command::SetSystemState { system, state };
        bench.simulator.apply(change).unwrap();
        let found = diagnosis(&bench, &config(DiskDriver::Ssp)).await;
        assert_found(&found, "system", verdict, "");
    }
}

#[tokio::test(start_paused = true)]
async fn what_the_configuration_asks_for_has_to_fit() {
    for flavor in FLAVORS {
        let bench = Bench::new(flavor, DiskDriver::Ssp).await;
        let mut wanted = config(DiskDriver::Ssp);
        wanted.proc_units_factor = 100_000.0;
        wanted.volumes.vscsi_vios_connections_required = 3;
        let found = diagnosis(&bench, &wanted).await;
        assert_found(&found, "room", Verdict::Stops, "are free");
        let about = "virtual I/O servers";
        assert_found(&found, about, Verdict::Odd, "wants 3");
    }
}

#[tokio::test(start_paused = true)]
async fn config_drives_have_to_have_a_place() {
    let simulator = without_repositories(FLAVORS[0]);
    let bench = Bench::with(simulator, config(DiskDriver::Ssp)).await;
    let elsewhere = Config {
        vopt_media_volume_group: "nope".to_owned(),
        ..config(DiskDriver::Ssp)
    };
    let found = diagnosis(&bench, &elsewhere).await;
    assert_found(&found, "media repository", Verdict::Stops, "'nope'");
    let large = Config {
        vopt_media_rep_size: 1_000_000,
        ..config(DiskDriver::Ssp)
    };
    let found = diagnosis(&bench, &large).await;
    assert_found(&found, "media repository", Verdict::Stops, "none yet");
    // Where there is one, nobody makes another.
    bench.spawn(1).await.unwrap();
    let found = diagnosis(&bench, &elsewhere).await;
    assert_found(&found, "media repository", Verdict::Good, "1 found");
}

#[tokio::test(start_paused = true)]
async fn what_a_deploy_can_do_without_is_odd_when_it_cannot_be_read() {
    let forbidden = |path: &str| Rule::new("GET", path).answer(403, "Forbidden", "HSCL350F no");
    for (path, about, verdict) in [
        ("*/NetworkBridge", "network bridges", Verdict::Odd),
        ("*/VirtualSwitch", "virtual switches", Verdict::Stops),
        ("*/ManagementConsole", "version", Verdict::Odd),
    ] {
        let bench = Bench::new(FLAVORS[0], DiskDriver::Ssp).await;
        bench.simulator.faults().add(forbidden(path)).unwrap();
        let found = diagnosis(&bench, &config(DiskDriver::Ssp)).await;
        assert_found(&found, about, verdict, "HSCL350F");
    }
}
