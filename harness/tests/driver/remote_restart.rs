//! Servers whose system has failed, started on another one.

use crate::hosts::*;
use crate::support::*;
use powervm_driver::ErrorKind;
use powervm_driver::operations::{Control, RemoteRestartRequest, SpawnRequest};
use powervm_driver::partition::PowerState;
use powervm_simulator::Flavor;
use powervm_simulator::model::Command;
use powervm_simulator::model::names::SystemState;

fn restartable(number: u32) -> SpawnRequest {
    let mut request = request(number);
    request.config_drive = None;
    let spec = ("powervm:srr_capability".to_owned(), "true".to_owned());
    request.flavor.extra_specs.extend([spec]);
    request
}

fn enter(hosts: &Hosts, state: SystemState) {
    let command = Command::SetSystemState {
        system: hosts.systems[0],
        state,
    };
    hosts.simulator.apply(command).unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_server_starts_elsewhere_when_its_system_fails() {
    let hosts = Hosts::new(Flavor::Hmc).await;
    let empty = hosts.world().await;
    hosts.spawn_as(restartable(1)).await;
    let control = Control::default();
    let restart = || RemoteRestartRequest::of(instance(1));
    let there = hosts.destination();
    let error = there.remote_restart(restart(), &control).await.unwrap_err();
    assert!(error.to_string().contains("is operating"), "{error}");
    hosts.nothing_is_pending().await;

    enter(&hosts, SystemState::Error);
    let named = RemoteRestartRequest::of(powervm_driver::operations::ServerRef::parse("web-1"));
    let state = there.remote_restart(named, &control).await.unwrap();
    assert_eq!(state, PowerState::Running);
    let again = there.remote_restart(restart(), &control).await.unwrap();
    assert_eq!(again, PowerState::Running, "it is there already");
    assert_eq!(there.list().await.unwrap().len(), 1);

    enter(&hosts, SystemState::Operating);
    for vios in hosts.vioses_of(0) {
        hosts
            .simulator
            .befall(
                vios,
                powervm_simulator::model::job::incident::Incident::Up,
                None,
            )
            .unwrap();
    }
    tokio::time::sleep(std::time::Duration::from_secs(600)).await;
    let source = hosts
        .driver(0, config(powervm_driver::config::DiskDriver::Ssp))
        .await;
    for _ in 0..2 {
        source
            .remote_restart_cleanup(instance(1), &control)
            .await
            .unwrap();
    }
    let error = there
        .remote_restart_cleanup(instance(1), &control)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Precondition, "it lives there");
    hosts.destroy_there(1).await;
    assert_same(&empty, &hosts.world().await, "destroyed there");
    hosts.nothing_is_pending().await;
    hosts.assert_sound();
}

#[tokio::test(start_paused = true)]
async fn a_server_that_was_not_made_for_it_is_refused() {
    let hosts = Hosts::new(Flavor::Hmc).await;
    let mut order = restartable(1);
    let spec = ("powervm:srr_capability".to_owned(), "false".to_owned());
    order.flavor.extra_specs.extend([spec]);
    hosts.spawn_as(order).await;
    enter(&hosts, SystemState::Error);
    let request = RemoteRestartRequest::of(instance(1));
    let error = hosts
        .destination()
        .remote_restart(request, &Control::default())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Precondition);
    assert!(error.to_string().contains("srr_capability"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_does_not_lose_the_server() {
    let hosts = Hosts::new(Flavor::Hmc).await;
    hosts.spawn_as(restartable(1)).await;
    enter(&hosts, SystemState::Error);
    // The validation's answer comes, the restart's does not.
    let rule = powervm_simulator::weather::Rule::new("PUT", "*/do/RemoteRestart");
    hosts
        .simulator
        .faults()
        .add(rule.after().nth(2).reset())
        .unwrap();
    let state = hosts
        .destination()
        .remote_restart(RemoteRestartRequest::of(instance(1)), &Control::default())
        .await
        .unwrap();
    assert_eq!(state, PowerState::Running);
    hosts.nothing_is_pending().await;
    assert_eq!(hosts.jobs(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn a_novalink_restarts_no_servers_of_other_systems() {
    let hosts = Hosts::running(Flavor::NovaLink).await;
    let error = hosts
        .destination()
        .remote_restart(RemoteRestartRequest::of(instance(1)), &Control::default())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Precondition);
}

#[tokio::test(start_paused = true)]
async fn of_a_server_that_was_restarted_the_slots_are_kept_that_it_has_there() {
    let store = powervm_driver::store::MemoryStore::default();
    let mut hosts = Hosts::new(Flavor::Hmc).await;
    for driver in &mut hosts.drivers {
        *driver = driver.clone().keeping_in(store.clone());
    }
    hosts.spawn_as(restartable(1)).await;
    let there = hosts.destination();
    there.forget_kept(instance(1)).await.unwrap();
    enter(&hosts, SystemState::Error);
    there
        .remote_restart(RemoteRestartRequest::of(instance(1)), &Control::default())
        .await
        .unwrap();
    let kept = there.slot_map(instance(1)).await.unwrap().unwrap();
    assert!(!kept.slots.is_empty());
    assert_eq!(kept, there.keep(instance(1)).await.unwrap().0);
}
