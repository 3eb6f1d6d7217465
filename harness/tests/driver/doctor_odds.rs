//! What `powervm doctor` finds that a simulator shows only when its answers are altered, or that is about the way there.

use powervm_driver::config::{Config, DiskDriver};
use powervm_driver::doctor::{Diagnosis, Finding, Verdict, examine};
use powervm_driver::rest::{
    Credentials, Endpoint, ServiceTransport, Session, SessionOptions, Trust,
};
use powervm_simulator::inventory::{Inventory as Room, Sizes};
use powervm_simulator::model::job::incident::Incident;
use powervm_simulator::weather::{Rule, Weather};
use powervm_simulator::{Flavor, Simulator};

use crate::altered::{Alteration, DATE, altered};
use crate::support::*;

/// A look at a simulator that seems to be at this URL.
async fn look(
    simulator: &Simulator,
    (url, trust): (&str, Trust),
    alteration: Option<Alteration>,
    now: u64,
) -> Diagnosis {
    let credentials = simulator.credentials();
    let endpoint = Endpoint::new(url)
        .unwrap()
        .credentials(Credentials::Password {
            user: credentials.user.clone(),
            password: credentials.password.clone(),
        })
        .trust(trust);
    let transport = std::sync::Arc::new(ServiceTransport::new(altered(simulator, alteration)));
    let session = Session::logon(endpoint, transport, SessionOptions::default());
    let session = session.await.unwrap();
    examine(&session, &config(DiskDriver::Ssp), now).await
}

const LOCAL: (&str, Trust) = ("http://localhost:12080", Trust::System);

#[track_caller]
fn finding(diagnosis: &Diagnosis, about: &str) -> Finding {
    let mut findings = diagnosis.findings.iter();
    let found = findings.find(|finding| finding.about == about);
    found
        .unwrap_or_else(|| panic!("{about}: {diagnosis:#?}"))
        .clone()
}

#[tokio::test(start_paused = true)]
async fn clocks_that_are_apart_are_told_by_how_much() {
    let simulator = simulator(Flavor::Hmc, Weather::Calm);
    for (now, verdict, words) in [
        (DATE.1, Verdict::Good, "0 s apart"),
        (DATE.1 + 60, Verdict::Good, "60 s apart"),
        (DATE.1 - 61, Verdict::Odd, "61 s apart"),
        (DATE.1 + 3600, Verdict::Odd, "3600 s apart"),
    ] {
        let found = look(&simulator, LOCAL, None, now).await;
        let clock = finding(&found, "clock");
        assert_eq!(clock.verdict, verdict, "{clock:?}");
        assert!(clock.found.contains(words), "{clock:?}");
        let is_told = clock.remedy.is_some_and(|remedy| remedy.contains("time"));
        assert_eq!(is_told, verdict == Verdict::Odd);
    }
}

#[tokio::test(start_paused = true)]
async fn a_way_that_others_can_listen_on_is_odd() {
    let simulator = simulator(Flavor::Hmc, Weather::Calm);
    let far = "hmc.example:12443";
    for (url, trust, verdict, words) in [
        (
            format!("http://{far}"),
            Trust::System,
            Verdict::Odd,
            "unencrypted",
        ),
        (
            format!("https://{far}"),
            Trust::Anything,
            Verdict::Odd,
            "not checked",
        ),
        (
            format!("https://{far}"),
            Trust::System,
            Verdict::Good,
            "logged on",
        ),
        (
            "http://127.0.0.1:12080".to_owned(),
            Trust::System,
            Verdict::Good,
            "logged on",
        ),
    ] {
        let found = look(&simulator, (&url, trust), None, DATE.1).await;
        let connection = finding(&found, "connection");
        assert_eq!(connection.verdict, verdict, "{connection:?}");
        assert!(connection.found.contains(words), "{connection:?}");
        assert_eq!(connection.remedy.is_some(), verdict == Verdict::Odd);
        assert_eq!(found.stops().count(), 0, "{found:#?}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_host_lacks_is_told_with_what_to_do() {
    let simulator = simulator(Flavor::NovaLink, Weather::Calm);
    for (alteration, about, verdict, words) in [
        (
            ("/VirtualSwitch", "MGMTSWITCH", "OTHERSWITCH"),
            "management switch",
            Verdict::Odd,
            "no MGMTSWITCH",
        ),
        (
            ("/ManagedSystem/", "<State [^>]*>operating</State>", ""),
            "system",
            Verdict::Unknown,
            "tells no state",
        ),
        (
            (
                "/SharedStoragePool/",
                "(<FreeSpace [^>]*>)[0-9.]+",
                "${1}0.5",
            ),
            "shared storage pool",
            Verdict::Stops,
            "0.5 GB of",
        ),
        (
            ("/SharedStoragePool/", "(<FreeSpace [^>]*>)[0-9.]+", "${1}2"),
            "shared storage pool",
            Verdict::Odd,
            "2.0 GB of",
        ),
    ] {
        let good = finding(&look(&simulator, LOCAL, None, DATE.1).await, about);
        assert_eq!(good.verdict, Verdict::Good, "{good:?}");
        let found = look(&simulator, LOCAL, Some(alteration), DATE.1).await;
        let odd = finding(&found, about);
        assert_eq!(odd.verdict, verdict, "{odd:?}");
        assert!(odd.found.contains(words), "{odd:?}");
        assert!(odd.remedy.is_some(), "{odd:?}");
        let stops = usize::from(verdict == Verdict::Stops);
        assert_eq!(found.stops().count(), stops, "{found:#?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_host_without_a_bridge_is_odd_and_says_what_else_there_is() {
    for flavor in FLAVORS {
        let mut room = Room::sized(flavor, Sizes::default());
        let vioses = room
            .systems
            .iter_mut()
            .flat_map(|system| &mut system.vioses);
        vioses.for_each(|vios| vios.network = None);
        let simulator = Simulator::builder().flavor(flavor).inventory(room);
        let simulator = simulator.build().unwrap();
        let found = look(&simulator, LOCAL, None, DATE.1).await;
        let bridges = finding(&found, "network bridges");
        assert_eq!(bridges.verdict, Verdict::Odd);
        assert!(bridges.found.contains("there is none"), "{bridges:?}");
        assert!(bridges.remedy.unwrap().contains("SR-IOV"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_node_of_the_cluster_that_is_down_is_named() {
    let simulator = simulator(Flavor::Hmc, Weather::Calm);
    let all = look(&simulator, LOCAL, None, DATE.1).await;
    let nodes = |found: &Diagnosis, verdict: Verdict| {
        let nodes = found.findings.iter().filter(|finding| {
            finding.about.starts_with("cluster node ") && finding.verdict == verdict
        });
        nodes.count()
    };
    let up = nodes(&all, Verdict::Good);
    assert!(up >= 2 && nodes(&all, Verdict::Odd) == 0, "{all:#?}");
    let world = simulator.world();
    let vios = world.vioses.values().next().unwrap().partition.uuid;
    simulator.befall(vios, Incident::Down, None).unwrap();
    let found = look(&simulator, LOCAL, None, DATE.1).await;
    assert_eq!(nodes(&found, Verdict::Good), up - 1, "{found:#?}");
    assert_eq!(nodes(&found, Verdict::Odd), 1, "{found:#?}");
    assert_eq!(found.stops().count(), 0, "{found:#?}");
}

#[tokio::test(start_paused = true)]
async fn a_user_who_may_not_read_partitions_is_told_which_role_it_takes() {
    let simulator = simulator(Flavor::Hmc, Weather::Calm);
    let all = finding(
        &look(&simulator, LOCAL, None, DATE.1).await,
        "permission to read",
    );
    assert_eq!(all.verdict, Verdict::Good);
    let forbid = Rule::new("GET", "*/LogicalPartition").answer(403, "Forbidden", "HSCL350F no");
    simulator.faults().add(forbid).unwrap();
    let found = look(&simulator, LOCAL, None, DATE.1).await;
    let told = finding(&found, "permission to read partitions");
    assert_eq!(told.verdict, Verdict::Stops);
    assert!(told.remedy.unwrap().contains("role"));
    let is_all_read = |finding: &Finding| finding.about == "permission to read";
    assert!(!found.findings.iter().any(is_all_read), "{found:#?}");
}

/// What is configured, and not only what there is.
#[tokio::test(start_paused = true)]
async fn a_management_switch_is_missed_only_where_one_is_used() {
    let config = Config {
        use_rmc_mgmt_vif: false,
        ..config(DiskDriver::Ssp)
    };
    let bench = Bench::new(Flavor::NovaLink, DiskDriver::Ssp).await;
    let found = examine(bench.driver.session(), &config, DATE.1).await;
    let is_about = |finding: &Finding| finding.about == "management switch";
    assert!(!found.findings.iter().any(is_about), "{found:#?}");
}
