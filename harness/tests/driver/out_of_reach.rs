//! Virtual I/O Servers that cannot be reached while a server is removed, or a deploy is taken back.

use std::sync::Arc;

use crate::fates::left_behind;
use crate::support::*;
use powervm_driver::config::DiskDriver;
use powervm_driver::journal::{Journal, JournalFile};
use powervm_driver::operations::{Control, DestroyRequest, Driver, SpawnRequest};
use powervm_driver::{Error, ErrorKind};
use powervm_simulator::Flavor;
use powervm_simulator::model::Owner;
use powervm_simulator::model::job::incident::Incident;
use powervm_simulator::model::names::PartitionState;
use powervm_simulator::weather::Weather;
use uuid::Uuid;

/// A bench whose driver keeps a journal.
async fn bench(flavor: Flavor, disk: DiskDriver) -> (Bench, JournalFile) {
    let (simulator, journal) = (simulator(flavor, Weather::Calm), JournalFile::in_memory());
    let (journal, calls) = (journal.unwrap(), Arc::new(Calls::default()));
    let session = session(&simulator, 1, Arc::clone(&calls)).await;
    let driver = Driver::connect_with(session, config(disk), Arc::new(journal.clone())).await;
    let bench = Bench {
        simulator,
        driver: driver.unwrap(),
        calls,
    };
    (bench, journal)
}

fn without_config_drive() -> SpawnRequest {
    SpawnRequest {
        config_drive: None,
        ..request(1)
    }
}

fn named() -> DestroyRequest {
    DestroyRequest {
        name: Some("web-1".to_owned()),
        ..DestroyRequest::of(instance(1))
    }
}

impl Bench {
    /// The Virtual I/O Servers that serve something to the first server, and those that do not.
    fn servers(&self) -> (Vec<Uuid>, Vec<Uuid>) {
        let world = self.simulator.world();
        let partition = instance_partition(&world);
        let mut all: Vec<Uuid> = world.vioses.keys().copied().collect();
        let serves = |vios: &Uuid| {
            let mut buses = world.vioses[vios].buses.values();
            buses.any(|bus| {
                bus.client
                    .is_some_and(|client| client.partition == partition)
            })
        };
        let others = all.extract_if(.., |vios| !serves(vios)).collect();
        (all, others)
    }

    fn befall(&self, vios: Uuid, incident: Incident) {
        self.simulator.befall(vios, incident, None).unwrap();
    }

    fn state(&self) -> PartitionState {
        let world = self.simulator.world();
        let partition = instance_partition(&world);
        world.partition(Owner::Partition(partition)).unwrap().state
    }
}

fn instance_partition(world: &powervm_simulator::model::World) -> Uuid {
    let mut all = world.partitions.values();
    all.find(|partition| partition.name == "web-1")
        .unwrap()
        .uuid
}

fn assert_away(error: &Error, step: &str) {
    let text = error.to_string();
    assert_eq!(error.kind(), ErrorKind::Precondition, "{text}");
    assert!(text.contains(step), "{text}");
    assert!(
        text.contains("vios") && text.contains("RMC inactive"),
        "{text}"
    );
}

/// For each flavour and disk driver, once for each Virtual I/O Server that serves the server.
async fn each(test: impl AsyncFn(Bench, JournalFile, Uuid, &str)) {
    for flavor in [Flavor::NovaLink, Flavor::Hmc] {
        for disk in DISKS {
            let servers = {
                let (bench, _) = bench(flavor, disk).await;
                bench.spawn(1).await.unwrap();
                bench.servers().0
            };
            assert!(!servers.is_empty());
            for (number, vios) in servers.into_iter().enumerate() {
                let (bench, journal) = bench(flavor, disk).await;
                let about = format!("{flavor:?}, {disk}, server {number}");
                test(bench, journal, vios, &about).await;
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_removal_does_not_go_past_a_server_that_is_out_of_reach() {
    each(async |bench, journal, vios, about| {
        let before = bench.world().await;
        bench.spawn(1).await.unwrap();
        bench.befall(vios, Incident::RmcLost);
        let there = bench.world().await;
        for _ in 0..2 {
            let error = bench.destroy(1).await.unwrap_err();
            assert_away(&error, "unmap disks and media");
            assert_eq!(bench.state(), PartitionState::NotActivated, "{about}");
        }
        // Off, and otherwise as it was: nothing is owed, and a server that stays may be started again.
        assert_eq!(bench.world().await.items, there.items, "{about}");
        assert!(journal.pending().await.unwrap().is_empty(), "{about}");
        bench.befall(vios, Incident::RmcBack);
        bench.destroy(1).await.unwrap();
        assert_as_before(before, bench.world().await, about);
        bench.assert_sound();
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_removal_is_not_kept_by_a_server_that_has_nothing_of_it() {
    for flavor in [Flavor::NovaLink, Flavor::Hmc] {
        let (bench, _) = bench(flavor, DiskDriver::LocalDisk).await;
        let before = bench.world().await;
        let control = Control::default();
        bench
            .driver
            .spawn(without_config_drive(), &control)
            .await
            .unwrap();
        let (_, others) = bench.servers();
        assert_eq!(others.len(), 1);
        bench.befall(others[0], Incident::Down);
        bench.destroy(1).await.unwrap();
        // What is not there is removed already, whoever is away.
        bench.destroy(1).await.unwrap();
        bench.befall(others[0], Incident::Up);
        tokio::time::sleep(std::time::Duration::from_secs(3600)).await;
        let about = format!("{flavor:?}");
        assert_as_before(before, bench.world().await, &about);
        bench.assert_sound();
    }
}

/// The server is out of reach when its last mapping has just gone: nothing but the journal knows by then that it has
/// the config drive.
#[tokio::test(start_paused = true)]
async fn a_removal_that_lost_a_server_on_its_way_is_finished_when_that_is_back() {
    each(async |bench, journal, vios, about| {
        let before = bench.world().await;
        bench.spawn(1).await.unwrap();
        let simulator = bench.simulator.clone();
        let watcher = at_step("delete the config drive", move || {
            simulator.befall(vios, Incident::RmcLost, None).unwrap();
        });
        let control = Control::default().watched_by(watcher);
        let Err(_) = bench.driver.destroy(named(), &control).await else {
            // The config drive is with another server.
            assert_as_before(before, bench.world().await, about);
            return;
        };
        assert_eq!(journal.pending().await.unwrap().len(), 1, "{about}");
        let (repeated, again) = (bench.destroy(1).await, bench.spawn(1).await);
        assert_away(&repeated.unwrap_err(), "unmap disks and media");
        let refused = again.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Precondition, "{refused}");
        assert!(refused.to_string().contains("powervm recover"), "{refused}");
        for recovered in bench.driver.recover(&Control::default()).await.unwrap() {
            assert_away(&recovered.result.unwrap_err(), "RMC inactive");
        }
        bench.befall(vios, Incident::RmcBack);
        if about.contains("Hmc") {
            bench.destroy(1).await.unwrap();
        } else {
            let recovered = bench.driver.recover(&Control::default()).await.unwrap();
            assert!(
                recovered.iter().all(|one| one.result.is_ok()),
                "{recovered:?}"
            );
        }
        assert!(journal.pending().await.unwrap().is_empty(), "{about}");
        assert_as_before(before.clone(), bench.world().await, about);
        bench.spawn(1).await.unwrap();
        bench.destroy(1).await.unwrap();
        assert_as_before(before, bench.world().await, about);
        bench.assert_sound();
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn the_repository_of_a_server_that_was_away_is_looked_for_when_it_is_back() {
    for flavor in [Flavor::NovaLink, Flavor::Hmc] {
        let (bench, _) = bench(flavor, DiskDriver::Ssp).await;
        let before = bench.world().await;
        bench.spawn(1).await.unwrap();
        bench.spawn(2).await.unwrap();
        let (servers, _) = bench.servers();
        bench.befall(servers[0], Incident::RmcLost);
        tokio::time::sleep(std::time::Duration::from_secs(61)).await;
        // What is not there looks into all repositories within reach.
        bench.destroy(3).await.unwrap();
        bench.befall(servers[0], Incident::RmcBack);
        for number in [1, 2] {
            bench.destroy(number).await.unwrap();
        }
        assert_as_before(before, bench.world().await, &format!("{flavor:?}"));
        bench.assert_sound();
    }
}

#[tokio::test(start_paused = true)]
async fn a_deploy_is_taken_back_where_it_was_made_and_not_only_where_servers_can_be_reached() {
    each(async |bench, journal, vios, about| {
        let before = bench.world().await;
        let simulator = bench.simulator.clone();
        let watcher = at_step("power on", move || {
            simulator.befall(vios, Incident::RmcLost, None).unwrap();
            let rule = powervm_simulator::weather::Rule::new("PUT", "*/do/PowerOn");
            let refusal = rule.answer(500, "Unknown internal error.", "HSCL9999 out of sorts");
            simulator.faults().add(refusal).unwrap();
        });
        let control = Control::default().watched_by(watcher);
        let failed = bench.driver.spawn(request(1), &control).await.unwrap_err();
        assert_ne!(left_behind(&failed), 0, "{about}: {failed}");
        bench.simulator.faults().clear();
        for recovered in bench.driver.recover(&Control::default()).await.unwrap() {
            assert!(recovered.result.is_err(), "{about}");
        }
        assert_eq!(journal.pending().await.unwrap().len(), 1, "{about}");
        bench.befall(vios, Incident::RmcBack);
        let recovered = bench.driver.recover(&Control::default()).await.unwrap();
        assert!(
            recovered.iter().all(|one| one.result.is_ok()),
            "{recovered:?}"
        );
        assert!(journal.pending().await.unwrap().is_empty(), "{about}");
        assert_as_before(before, bench.world().await, about);
        bench.assert_sound();
    })
    .await;
}
