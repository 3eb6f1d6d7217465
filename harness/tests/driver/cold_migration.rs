//! Servers that move to another host while they are off.

use crate::hosts::*;
use crate::support::*;
use std::time::Duration;

use powervm_driver::config::DiskDriver;
use powervm_driver::operations::{
    Before, ColdMigration, ConfirmRequest, Control, Driver, MigrationOptions, RevertRequest,
    SpawnRequest, Stop,
};
use powervm_driver::partition::{Flavor as Size, PowerState};
use powervm_driver::{Error, ErrorKind};
use powervm_harness::storage::Protocol;
use powervm_simulator::Flavor;
use powervm_simulator::weather::Rule;

fn cold(hosts: &Hosts, flavor: Option<Size>) -> ColdMigration {
    ColdMigration {
        order: hosts.order(),
        flavor,
    }
}

fn larger() -> Option<Size> {
    Some(Size {
        vcpus: 2,
        memory_mb: 2048,
        root_gb: 0,
        extra_specs: std::collections::BTreeMap::new(),
    })
}

#[tokio::test(start_paused = true)]
async fn a_server_moves_gets_its_size_and_runs_there() {
    for flavor in FLAVORS {
        let hosts = Hosts::new(flavor).await;
        let empty = hosts.world().await;
        hosts.spawn(1).await;
        let control = Control::default();
        let there = hosts.destination();
        let migrated = hosts
            .source()
            .cold_migrate(there, cold(&hosts, larger()), &control)
            .await
            .unwrap();
        let server = &migrated.arrived.server;
        assert_eq!((server.vcpus, server.memory_mb), (2, 2048), "{flavor:?}");
        assert_eq!(server.summary.status, PowerState::Running);
        assert_eq!(server.summary.name, "resize_web-1");
        // Once more: it is there.
        hosts
            .source()
            .cold_migrate(there, cold(&hosts, None), &control)
            .await
            .unwrap();
        let confirm = ConfirmRequest {
            instance: instance(1),
            name: Some("web-1".to_owned()),
        };
        there.confirm_migration(confirm, &control).await.unwrap();
        hosts.destroy_there(1).await;
        assert_same(&empty, &hosts.world().await, "destroyed there");
        hosts.nothing_is_pending().await;
        hosts.assert_sound();
    }
}

#[tokio::test(start_paused = true)]
async fn one_that_is_off_or_has_no_rmc_moves_and_stays_as_it_is() {
    let hosts = Hosts::running(Flavor::NovaLink).await;
    let control = Control::default();
    let off = hosts.source().stop(instance(1), Stop::Hard, &control);
    off.await.unwrap();
    let migrated = hosts
        .source()
        .cold_migrate(hosts.destination(), cold(&hosts, None), &control)
        .await
        .unwrap();
    assert_eq!(migrated.arrived.server.summary.status, PowerState::Shutdown);
    // Back again, as soon as it has begun to boot.
    let there = hosts.destination();
    there.start(instance(1), &control).await.unwrap();
    let back = ColdMigration {
        order: powervm_driver::operations::LiveMigration {
            access: powervm_driver::operations::ConsoleAccess {
                address: Some(hosts.names[0].clone()),
                ..Default::default()
            },
            ..hosts.order()
        },
        flavor: None,
    };
    let back = there
        .cold_migrate(hosts.source(), back, &control)
        .await
        .unwrap();
    assert_eq!(back.arrived.server.summary.status, PowerState::Running);
    hosts.nothing_is_pending().await;
    hosts.assert_sound();
}

#[tokio::test(start_paused = true)]
async fn a_target_that_refuses_leaves_the_server_running_here() {
    for flavor in FLAVORS {
        let hosts = Hosts::running(flavor).await;
        let control = Control::default();
        let rule = Rule::new("PUT", "*/do/Migrate").answer(500, "no", "HSCL9999 no");
        hosts.simulator.faults().add(rule.first(1)).unwrap();
        hosts
            .source()
            .cold_migrate(hosts.destination(), cold(&hosts, larger()), &control)
            .await
            .unwrap_err();
        let state = hosts.source().power_state(instance(1)).await.unwrap();
        assert_eq!(state, PowerState::Running, "{flavor:?}");
        let before = hosts.before.lock().unwrap().clone().unwrap();
        assert_same(&before, &hosts.world().await, "refused");
        // What is known before is refused before it is shut down.
        for number in 0..hosts.vioses_of(1).len() {
            hosts.stop_vioses_there(number + 1);
        }
        hosts.calls.take();
        hosts
            .source()
            .cold_migrate(hosts.destination(), cold(&hosts, None), &control)
            .await
            .unwrap_err();
        let calls = hosts.calls.take();
        assert!(calls.iter().all(|(method, _)| method == "GET"), "{calls:?}");
        hosts.nothing_is_pending().await;
    }
}

#[tokio::test(start_paused = true)]
async fn volumes_go_along() {
    let hosts = Hosts::running(Flavor::NovaLink).await;
    let (here, shown_there) = hosts.volume(Protocol::FibreChannel).await;
    hosts.attach(&here).await;
    let control = Control::default();
    let mut request = cold(&hosts, None);
    request.order.volumes = vec![shown_there.clone()];
    request.order.source_volumes = vec![here];
    request.order.options = MigrationOptions::default();
    let migrated = hosts
        .source()
        .cold_migrate(hosts.destination(), request, &control)
        .await
        .unwrap();
    assert!(!migrated.arrived.volumes[0].paths.is_empty());
    hosts.assert_sound();
}

#[tokio::test(start_paused = true)]
async fn a_dry_run_tells_its_steps_and_does_none() {
    let hosts = Hosts::new(Flavor::NovaLink).await;
    let order = SpawnRequest {
        config_drive: None,
        ..request(1)
    };
    hosts.spawn_as(order).await;
    hosts.calls.take();
    let error = hosts
        .source()
        .cold_migrate(
            hosts.destination(),
            cold(&hosts, larger()),
            &Control::default().dry_run(),
        )
        .await
        .unwrap_err();
    let Error::DryRun(outline) = error else {
        panic!("{error}");
    };
    let names: Vec<&str> = outline.steps.iter().map(|step| &*step.name).collect();
    assert_eq!(names.first(), Some(&"power off"));
    assert_eq!(names.last(), Some(&"power on there"));
    let calls = hosts.calls.take();
    assert!(calls.iter().all(|(method, _)| method == "GET"));
    let nobody = ColdMigration {
        order: powervm_driver::operations::LiveMigration::of(instance(9)),
        flavor: None,
    };
    let error = hosts
        .source()
        .cold_migrate(hosts.destination(), nobody, &Control::default())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
}

/// Kills both drivers when a request meets the rule, and has others take their journals up.
async fn killed_at(hosts: &Hosts, rule: Rule, flavor: Option<Size>) -> Driver {
    let rule = rule.delay(Duration::from_secs(24 * 3600));
    let rule = hosts.simulator.faults().add(rule.nth(1)).unwrap();
    let control = Control::default();
    let moving = hosts
        .source()
        .cold_migrate(hosts.destination(), cold(hosts, flavor), &control);
    tokio::select! {
        outcome = moving => panic!("it was not killed: {outcome:?}"),
        () = is_met(&hosts.simulator, rule) => {}
    }
    hosts.simulator.faults().clear();
    let here = hosts.driver(0, config(DiskDriver::Ssp)).await;
    let there = hosts.driver(1, config(DiskDriver::Ssp)).await;
    for driver in [&here, &there] {
        for recovered in driver.recover(&control).await.unwrap() {
            recovered.result.unwrap();
        }
    }
    hosts.nothing_is_pending().await;
    there
}

#[tokio::test(start_paused = true)]
async fn one_that_is_killed_before_the_server_has_moved_is_undone() {
    for flavor in FLAVORS {
        for rule in [
            Rule::new("PUT", "*/do/PowerOff").after(),
            Rule::new("PUT", "*/do/MigrateValidate"),
        ] {
            let hosts = Hosts::running(flavor).await;
            killed_at(&hosts, rule, larger()).await;
            let before = hosts.before.lock().unwrap().clone().unwrap();
            assert_same(&before, &hosts.world().await, "undone");
            let state = hosts.source().power_state(instance(1)).await.unwrap();
            assert_eq!(state, PowerState::Running, "{flavor:?}");
            hosts.assert_sound();
        }
    }
}

#[tokio::test(start_paused = true)]
async fn one_that_is_killed_after_the_server_has_moved_is_finished() {
    for flavor in FLAVORS {
        for rule in [
            Rule::new("PUT", "*/do/Migrate").after(),
            Rule::new("POST", "*/LogicalPartition/*"),
            Rule::new("PUT", "*/do/PowerOn"),
        ] {
            let hosts = Hosts::running(flavor).await;
            let there = killed_at(&hosts, rule, larger()).await;
            let server = there.show(instance(1)).await.unwrap();
            assert_eq!((server.vcpus, server.memory_mb), (2, 2048), "{flavor:?}");
            assert_eq!(server.summary.status, PowerState::Running);
            let back = RevertRequest {
                instance: instance(1),
                name: Some("web-1".to_owned()),
                before: Before::Journal,
                power_on: true,
                volumes: Vec::new(),
                metadata: Default::default(),
            };
            let control = Control::default();
            let reverted = there.finish_revert_migration(back, &control);
            reverted.await.unwrap();
            let server = there.show(instance(1)).await.unwrap();
            assert_eq!((server.vcpus, server.memory_mb), (1, 1024), "{flavor:?}");
            assert_eq!(&*server.summary.name, "web-1");
            hosts.assert_sound();
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_size_that_the_destination_cannot_give_is_refused_before_the_server_is_shut_down() {
    let hosts = Hosts::running(Flavor::NovaLink).await;
    let giant = larger().map(|size| Size {
        memory_mb: 1 << 30,
        ..size
    });
    hosts.calls.take();
    hosts
        .source()
        .cold_migrate(
            hosts.destination(),
            cold(&hosts, giant),
            &Control::default(),
        )
        .await
        .unwrap_err();
    let calls = hosts.calls.take();
    assert!(calls.iter().all(|(method, _)| method == "GET"), "{calls:?}");
}

#[tokio::test(start_paused = true)]
async fn what_could_not_be_done_there_is_done_by_a_repetition() {
    for flavor in FLAVORS {
        let hosts = Hosts::running(flavor).await;
        let rule = Rule::new("POST", "*/LogicalPartition/*").answer(500, "no", "HSCL9999 no");
        hosts.simulator.faults().add(rule.first(1)).unwrap();
        let control = Control::default();
        let there = hosts.destination();
        let told = hosts
            .source()
            .cold_migrate(there, cold(&hosts, larger()), &control)
            .await
            .unwrap_err()
            .to_string();
        assert!(
            told.contains(&format!("is on {} now", hosts.names[1])),
            "{told}"
        );
        assert!(told.contains("HSCL9999"), "{told}");
        let state = there.power_state(instance(1)).await.unwrap();
        assert_eq!(state, PowerState::Running, "{flavor:?}");
        hosts.nothing_is_pending().await;
        let moved = hosts
            .source()
            .cold_migrate(there, cold(&hosts, larger()), &control)
            .await
            .unwrap();
        assert_eq!(moved.arrived.server.vcpus, 2);
        assert_eq!(moved.arrived.server.summary.status, PowerState::Running);
        hosts.assert_sound();
    }
}
