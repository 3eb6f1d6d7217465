//! iSCSI volumes.

use crate::storage::*;
use crate::support::*;
use powervm_driver::ErrorKind;
use powervm_driver::config::DiskDriver;
use powervm_driver::operations::Control;
use powervm_driver::volume::Transport;
use powervm_harness::storage::Protocol;
use powervm_simulator::Flavor;
use powervm_simulator::weather::{Rule, Weather};

async fn bench(multipath: bool) -> Bench {
    let mut config = config(DiskDriver::Ssp);
    config.volumes.volume_use_multipath = multipath;
    Bench::with(simulator(Flavor::NovaLink, Weather::Calm), config).await
}

fn sessions(bench: &Bench) -> usize {
    bench
        .simulator
        .world()
        .vioses
        .values()
        .map(|vios| vios.iscsi.sessions.len())
        .sum()
}

#[tokio::test(start_paused = true)]
async fn a_volume_comes_and_goes_with_and_without_chap_and_multipath() {
    for multipath in [false, true] {
        for chap in [false, true] {
            let bench = bench(multipath).await;
            let mut san = San::with(&bench, 1, Protocol::Iscsi, chap).await;
            let Transport::Iscsi(target) = &san.connections[0].transport else {
                panic!()
            };
            assert_eq!(
                (target.ways.len(), target.chap.is_some()),
                (if multipath { 2 } else { 1 }, chap)
            );
            ready(&bench, true).await;
            let before = bench.world().await;
            let about = format!("multipath {multipath}, CHAP {chap}");
            let attached = san
                .attach(&bench, 0..1)
                .await
                .unwrap_or_else(|error| panic!("{about}: {error}"));
            // Cinder knows one initiator, that of the first server.
            assert_eq!(attached.volumes[0].paths.len(), 1, "{about}");
            assert_eq!(sessions(&bench), if multipath { 2 } else { 1 }, "{about}");
            san.connections[0].target_udid = attached.volumes[0].target_udid.clone();
            bench.calls.take();
            san.storage.extend(&san.ids[0], 3).await.unwrap();
            bench
                .driver
                .extend_volumes(san.request(0..1), &Control::default())
                .await
                .unwrap();
            assert_eq!(
                size_of(&bench, &attached.volumes[0].paths[0].device),
                3 * 1024
            );
            san.attach(&bench, 0..1).await.unwrap();
            san.detach(&bench, 0..1).await.unwrap();
            assert_eq!(sessions(&bench), 0, "{about}");
            assert_same(&before, &bench.world().await, &about);
            san.detach(&bench, 0..1).await.unwrap();
            bench.assert_sound();
        }
    }
}

#[tokio::test(start_paused = true)]
async fn discovery_goes_through_the_interface_that_is_configured_or_that_the_volume_needs() {
    for (configured, is_iser, expected) in [
        (None, false, "default"),
        (Some("eth3"), false, "eth3"),
        (Some("eth3"), true, "iser"),
    ] {
        let mut config = config(DiskDriver::Ssp);
        if let Some(interface) = configured {
            config.volumes.iscsi_iface = interface.to_owned();
        }
        let bench = Bench::with(simulator(Flavor::NovaLink, Weather::Typical), config).await;
        let mut san = San::new(&bench, 1, Protocol::Iscsi).await;
        ready(&bench, true).await;
        let Transport::Iscsi(target) = &mut san.connections[0].transport else {
            panic!()
        };
        target.is_iser = is_iser;
        // The driver deletes the records of its jobs, so they are looked at on their way.
        let mut told = std::collections::BTreeSet::new();
        let watch = async {
            loop {
                let world = bench.simulator.world();
                let given = world.jobs.values().flat_map(|job| job.parameters.clone());
                let names = given.filter(|(name, _)| name == "ifaceName");
                told.extend(names.map(|(_, value)| value));
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            }
        };
        tokio::select! {
            attached = san.attach(&bench, 0..1) => drop(attached.unwrap()),
            () = watch => {}
        }
        assert_eq!(told, [expected.to_owned()].into());
    }
}

#[tokio::test(start_paused = true)]
async fn the_first_way_that_works_will_do() {
    let bench = bench(false).await;
    let mut san = San::new(&bench, 1, Protocol::Iscsi).await;
    ready(&bench, true).await;
    // Two ways for a host that takes them one by one: the second leads nowhere, and must not spoil the first.
    let Transport::Iscsi(target) = &mut san.connections[0].transport else {
        panic!()
    };
    let mut dead = target.ways[0].clone();
    dead.portal = "192.0.2.99:3260".to_owned();
    target.ways.push(dead.clone());
    san.attach(&bench, 0..1).await.unwrap();
    san.detach(&bench, 0..1).await.unwrap();
    let Transport::Iscsi(target) = &mut san.connections[0].transport else {
        panic!()
    };
    target.ways.reverse();
    san.attach(&bench, 0..1).await.unwrap();
    let Transport::Iscsi(target) = &mut san.connections[0].transport else {
        panic!()
    };
    target.ways = vec![dead];
    san.connections[0].volume = "another".to_owned();
    let refused = san.attach(&bench, 0..1).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Precondition, "{refused}");
}

#[tokio::test(start_paused = true)]
async fn a_wrong_password_is_refused_and_never_told() {
    let bench = bench(false).await;
    let mut san = San::with(&bench, 1, Protocol::Iscsi, true).await;
    ready(&bench, true).await;
    let before = bench.world().await;
    let Transport::Iscsi(target) = &mut san.connections[0].transport else {
        panic!()
    };
    target.chap.as_mut().unwrap().password = secrecy::SecretString::from("not-the-password");
    let warnings = std::sync::Arc::new(std::sync::Mutex::new(String::new()));
    let heard = std::sync::Arc::clone(&warnings);
    let control =
        Control::default().watched_by(move |progress: &powervm_driver::operations::Progress| {
            heard.lock().unwrap().push_str(&format!("{progress:?}"));
        });
    let refused = bench
        .driver
        .attach_volumes(san.request(0..1), &control)
        .await
        .unwrap_err();
    let told = format!("{refused} {refused:?} {}", warnings.lock().unwrap());
    assert!(told.contains("return code 24"), "{told}");
    assert!(!told.contains("not-the-password"), "{told}");
    assert_same(&before, &bench.world().await, "refused");
}

#[tokio::test(start_paused = true)]
async fn an_attachment_survives_any_failure() {
    let fates: [fn(Rule) -> Rule; 4] = [
        |rule| rule.answer(500, "no", "HSCL9999 no"),
        |rule| rule.after().answer(500, "no", "HSCL9999 no"),
        |rule| rule.reset(),
        |rule| rule.after().reset(),
    ];
    let first = bench(false).await;
    let san = San::with(&first, 1, Protocol::Iscsi, true).await;
    ready(&first, true).await;
    first.calls.take();
    san.attach(&first, 0..1).await.unwrap();
    for number in 1..=first.calls.take().len() as u64 {
        for strike in fates {
            let bench = bench(false).await;
            let san = San::with(&bench, 1, Protocol::Iscsi, true).await;
            ready(&bench, true).await;
            let before = bench.world().await;
            bench
                .simulator
                .faults()
                .add(strike(Rule::new("*", "*").nth(number)))
                .unwrap();
            let outcome = san.attach(&bench, 0..1).await;
            bench.simulator.faults().clear();
            let about = format!("request {number}");
            match outcome {
                Ok(_) => san.detach(&bench, 0..1).await.map(drop).unwrap(),
                Err(powervm_driver::Error::Saga(failure)) => {
                    assert!(failure.left_behind.is_empty(), "{about}: {failure:?}");
                }
                Err(_) => {}
            }
            assert_same(&before, &bench.world().await, &about);
            assert_eq!(sessions(&bench), 0, "{about}");
            bench.assert_sound();
        }
    }
}
