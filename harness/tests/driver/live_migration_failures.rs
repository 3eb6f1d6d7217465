//! Migrations that fail, are stopped, or lose their answers.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::hosts::*;
use crate::support::*;
use powervm_driver::config::DiskDriver;
use powervm_driver::operations::{Control, LiveMigration, Progress};
use powervm_driver::{Error, ErrorKind};
use powervm_simulator::model::job::gate::Fate;
use powervm_simulator::weather::Rule;
use tokio_util::sync::CancellationToken;

/// Moves the server and expects that it does not, and that nothing has changed.
async fn expect_failure(
    hosts: &Hosts,
    what: &str,
    order: &LiveMigration,
    control: &Control,
) -> Error {
    let (before, keys) = (hosts.before.lock().unwrap().clone(), hosts.keys());
    let before = before.unwrap();
    let error = hosts
        .source()
        .live_migrate(hosts.destination(), order.clone(), control)
        .await
        .unwrap_err();
    if let Error::Saga(failure) = &error {
        assert!(failure.left_behind.is_empty(), "{what}: {failure}");
    }
    assert_same(&before, &hosts.world().await, &format!("{what}: {error}"));
    assert_eq!(hosts.keys(), keys, "{what}");
    hosts.nothing_is_pending().await;
    hosts.assert_sound();
    error
}

#[tokio::test(start_paused = true)]
async fn a_refused_validation_leaves_both_hosts_as_they_were() {
    for flavor in FLAVORS {
        let hosts = Hosts::running(flavor).await;
        let fault = Rule::new("PUT", "*/do/MigrateValidate")
            .fate(Fate::Failed("HSCLA29A The validation failed.".to_owned()));
        hosts.simulator.faults().add(fault).unwrap();
        let error = expect_failure(&hosts, "refused", &hosts.order(), &Control::default()).await;
        assert_eq!(error.kind(), ErrorKind::JobFailed);
        assert!(error.to_string().contains("HSCLA29A"), "{error}");
        hosts.simulator.faults().clear();
        hosts.migrate(&hosts.order()).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_destination_without_the_vlan_is_refused_unless_somebody_will_bridge_it() {
    for flavor in FLAVORS {
        let mut room = room(flavor);
        for vios in &mut room.systems[1].vioses {
            if let Some(network) = &mut vios.network {
                network.tagged_vlans.clear();
            }
        }
        let hosts = Hosts::with(flavor, room, |_, _| config(DiskDriver::Ssp)).await;
        hosts.spawn_on(1, 1).await;
        let error = expect_failure(&hosts, "no VLAN", &hosts.order(), &Control::default()).await;
        assert!(error.to_string().contains("not bridged"), "{error}");
        let mut order = hosts.order();
        order.options.override_vlan_bridge = true;
        hosts.migrate(&order).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_destination_without_the_switch_is_refused() {
    for flavor in FLAVORS {
        let hosts = Hosts::running(flavor).await;
        let mut data = hosts.checked().await.unwrap();
        let source = data.source.as_mut().unwrap();
        source.interfaces[0].switch = "ELSEWHERE".to_owned();
        let keys = hosts.keys();
        let error = hosts
            .destination()
            .pre_live_migration(data, &[], &Control::default())
            .await
            .unwrap_err();
        assert!(error.to_string().contains("ELSEWHERE"), "{error}");
        assert_eq!(hosts.keys(), keys);
        hosts.nothing_is_pending().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_destination_whose_servers_are_down_is_refused() {
    for flavor in FLAVORS {
        let hosts = Hosts::running(flavor).await;
        hosts.stop_vioses_there(2);
        hosts.note().await;
        let error = expect_failure(&hosts, "down", &hosts.order(), &Control::default()).await;
        assert_eq!(error.kind(), ErrorKind::Precondition, "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn with_one_server_down_the_system_decides() {
    for flavor in FLAVORS {
        let hosts = Hosts::running(flavor).await;
        hosts.stop_vioses_there(1);
        hosts.note().await;
        let error = expect_failure(&hosts, "one down", &hosts.order(), &Control::default()).await;
        assert!(error.to_string().contains("validate"), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_job_that_fails_midway_leaves_the_server_where_it_was() {
    for flavor in FLAVORS {
        let hosts = Hosts::running(flavor).await;
        let fault = Rule::new("PUT", "*/do/Migrate").fate(Fate::Failed(
            "HSCLA2CF The partition could not be suspended.".to_owned(),
        ));
        hosts.simulator.faults().add(fault).unwrap();
        let error = expect_failure(&hosts, "failed", &hosts.order(), &Control::default()).await;
        assert!(error.to_string().contains("HSCLA2CF"), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_migration_that_cannot_be_undone_is_recovered() {
    for flavor in FLAVORS {
        let hosts = Hosts::running(flavor).await;
        let simulator = hosts.simulator.clone();
        // The mover of the source is gone when memory has been copied, and comes back no more.
        let world = simulator.world();
        let movers = hosts.vioses_of(0);
        drop(world);
        let task = tokio::spawn(async move {
            tokio::time::sleep(Duration::from_secs(20)).await;
            for vios in movers {
                Hosts::stop_vios(&simulator, vios);
            }
        });
        let outcome = hosts.migrate(&hosts.order()).await;
        task.await.unwrap();
        let error = outcome.unwrap_err();
        let server = hosts.source().show(instance(1)).await.unwrap();
        assert_eq!(server.summary.state, "running", "{flavor:?}: {error}");
        assert!(hosts.migrations().is_empty(), "{flavor:?}: {error}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_migration_is_aborted() {
    for flavor in FLAVORS {
        for seconds in [4, 15, 25] {
            let hosts = Hosts::running(flavor).await;
            let cancel = CancellationToken::new();
            let control = Control::default().cancelled_by(cancel.clone());
            let task = tokio::spawn(async move {
                tokio::time::sleep(Duration::from_secs(seconds)).await;
                cancel.cancel();
            });
            let error = expect_failure(&hosts, "cancelled", &hosts.order(), &control).await;
            task.await.unwrap();
            let text = format!("{error}");
            assert!(
                error.kind() == ErrorKind::Cancelled || error.kind() == ErrorKind::JobFailed,
                "{flavor:?} after {seconds} s: {text}"
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_migration_that_takes_too_long_is_aborted() {
    for flavor in FLAVORS {
        let hosts = Hosts::running(flavor).await;
        let mut order = hosts.order();
        order.options.limit = Duration::from_secs(15);
        expect_failure(&hosts, "too long", &order, &Control::default()).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_migration_under_way_can_be_aborted_by_name() {
    for flavor in FLAVORS {
        let hosts = Hosts::running(flavor).await;
        let control = Control::default();
        let error = hosts
            .source()
            .live_migration_abort(instance(1), &control)
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Precondition, "nothing to abort");
        let order = hosts.order();
        let moving = expect_failure(&hosts, "aborted", &order, &control);
        let aborting = async {
            tokio::time::sleep(Duration::from_secs(15)).await;
            hosts
                .source()
                .live_migration_abort(instance(1), &Control::default())
                .await
        };
        let (error, aborted) = tokio::join!(moving, aborting);
        aborted.unwrap();
        assert!(error.to_string().contains("stopped"), "{error}");
        let missing = hosts
            .destination()
            .live_migration_abort(instance(1), &control)
            .await;
        assert_eq!(missing.unwrap_err().kind(), ErrorKind::NotFound);
    }
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_of_the_jobs_start_does_not_lose_the_migration() {
    for flavor in FLAVORS {
        for after in [false, true] {
            let hosts = Hosts::running(flavor).await;
            let rule = Rule::new("PUT", "*/do/Migrate");
            let rule = if after { rule.after() } else { rule };
            hosts.simulator.faults().add(rule.reset().first(1)).unwrap();
            let warnings: Arc<Mutex<Vec<String>>> = Arc::default();
            let seen = Arc::clone(&warnings);
            let control = Control::default().watched_by(move |progress: &Progress| {
                if let Progress::Warning { what } = progress {
                    seen.lock().unwrap().push(what.clone());
                }
            });
            let outcome = hosts
                .source()
                .live_migrate(hosts.destination(), hosts.order(), &control)
                .await;
            if after {
                outcome.unwrap();
                let warnings = warnings.lock().unwrap().clone();
                assert!(
                    warnings.iter().any(|what| what.contains("has moved")),
                    "{warnings:?}"
                );
            } else {
                assert!(outcome.is_err());
                let before = hosts.before.lock().unwrap().clone().unwrap();
                assert_same(&before, &hosts.world().await, "never begun");
            }
            assert_eq!(hosts.jobs(), Vec::<String>::new(), "{flavor:?}, {after}");
            hosts.nothing_is_pending().await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_is_lost_while_the_job_runs_comes_back() {
    for flavor in FLAVORS {
        let hosts = Hosts::running(flavor).await;
        let gone = Rule::new("GET", "*/jobs/*").reset().first(40);
        hosts.simulator.faults().add(gone).unwrap();
        let migrated = hosts.migrate(&hosts.order()).await.unwrap();
        assert_eq!(migrated.to, hosts.names[1]);
        hosts.nothing_is_pending().await;
    }
}
