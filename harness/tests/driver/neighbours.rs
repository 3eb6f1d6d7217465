//! The driver among others: hosts of the same pool, clients of the same server, leftovers of the dead.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::support::*;
use powervm_driver::ErrorKind;
use powervm_driver::config::{Config, DiskDriver};
use powervm_driver::operations::{Control, DestroyRequest, Driver, Progress, SpawnRequest, Stop};
use powervm_driver::partition::PowerState;
use powervm_driver::rest::Session;
use powervm_driver::storage::names::ImageUnitName;
use powervm_schema::storage::{LogicalUnit, LogicalUnitType};
use powervm_schema::units::Gigabytes;
use powervm_simulator::inventory::{Inventory, Sizes};
use powervm_simulator::weather::Rule;
use powervm_simulator::{Flavor, Simulator};
use tokio::time::Instant;

const SSP: DiskDriver = DiskDriver::Ssp;

/// The path of the logical units of the only tier.
async fn units(session: &Session) -> String {
    let pools = session
        .get_feed("SharedStoragePool", powervm_driver::rest::Groups::None)
        .await
        .unwrap();
    let path = format!("SharedStoragePool/{}/Tier", pools.entries[0].id);
    let tiers = session
        .get_feed(&path, powervm_driver::rest::Groups::None)
        .await
        .unwrap();
    format!("Tier/{}/LogicalUnit", tiers.entries[0].id)
}

fn image_names() -> ImageUnitName {
    let image = image();
    ImageUnitName::of(
        &image.name,
        &image.checksum.chars().take(32).collect::<String>(),
    )
}

async fn put_unit(session: &Session, name: &str) -> String {
    let mut unit = LogicalUnit::new();
    unit.set_capacity(Gigabytes::from_f64(0.01))
        .set_unit_type(LogicalUnitType::Image)
        .set_name(name);
    let path = units(session).await;
    format!(
        "{path}/{}",
        session.create(&path, &unit.0).await.unwrap().id
    )
}

fn warnings() -> (Control, Arc<Mutex<Vec<String>>>) {
    let seen: Arc<Mutex<Vec<String>>> = Arc::default();
    let kept = Arc::clone(&seen);
    let control = Control::default().watched_by(move |progress: &Progress| {
        if let Progress::Warning { what } = progress {
            kept.lock().unwrap().push(what.clone());
        }
    });
    (control, seen)
}

#[tokio::test(start_paused = true)]
async fn an_image_that_another_host_uploaded_is_used_and_kept_while_that_host_needs_it() {
    let bench = Bench::new(Flavor::NovaLink, SSP).await;
    let other = session(&bench.simulator, 2, Arc::default()).await;
    let other = Driver::connect(other, config(SSP)).await.unwrap();
    other.spawn(request(2), &Control::default()).await.unwrap();
    let uploads = bench.simulator.counters().uploads;
    bench.spawn(1).await.unwrap();
    assert_eq!(
        bench.simulator.counters().uploads,
        uploads + 1,
        "its config drive only"
    );
    bench.destroy(1).await.unwrap();
    let names = |inventory: powervm_driver::operations::Inventory| -> BTreeSet<String> {
        inventory.items.into_iter().map(|item| item.name).collect()
    };
    assert!(names(bench.driver.inventory().await.unwrap()).contains(image_names().current()));
    bench.destroy(2).await.unwrap();
    assert!(!names(bench.driver.inventory().await.unwrap()).contains(image_names().current()));
}

#[tokio::test(start_paused = true)]
async fn a_foreign_upload_is_waited_for_in_short_steps() {
    let bench = Bench::new(Flavor::NovaLink, SSP).await;
    let session = bench.driver.session().clone();
    let marker = put_unit(&session, &image_names().marker(0)).await;
    let start = Instant::now();
    let foreign = async {
        tokio::time::sleep(Duration::from_secs(60)).await;
        put_unit(&session, image_names().current()).await;
        session.ensure_deleted(&marker).await.unwrap();
    };
    let (spawned, ()) = tokio::join!(bench.spawn(1), foreign);
    spawned.unwrap();
    let waited = start.elapsed();
    assert!(
        waited > Duration::from_secs(60) && waited < Duration::from_secs(75),
        "{waited:?}"
    );
    assert_eq!(
        bench.simulator.counters().uploads,
        1,
        "only the config drive"
    );
}

#[tokio::test(start_paused = true)]
async fn a_marker_that_was_left_behind_is_reported_and_the_wait_ends() {
    let simulator = simulator(Flavor::NovaLink, powervm_simulator::weather::Weather::Calm);
    let impatient = Config {
        image_wait_timeout: 900,
        image_marker_stale_after: 300,
        ..config(SSP)
    };
    let bench = Bench::with(simulator, impatient).await;
    let marker = image_names().marker(7);
    put_unit(bench.driver.session(), &marker).await;
    let before = bench.world().await;
    let (control, warnings) = warnings();
    let error = bench.driver.spawn(request(1), &control).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TimedOut, "{error}");
    assert!(
        error.to_string().contains(&marker) && error.to_string().contains("image_marker_takeover"),
        "{error}"
    );
    let warnings = warnings.lock().unwrap().clone();
    assert_eq!(
        warnings
            .iter()
            .filter(|warning| warning.contains(&marker))
            .count(),
        1,
        "{warnings:?}"
    );
    assert_eq!(bench.world().await, before);
}

#[tokio::test(start_paused = true)]
async fn a_marker_that_was_left_behind_is_taken_over_when_that_is_allowed() {
    let simulator = simulator(Flavor::NovaLink, powervm_simulator::weather::Weather::Calm);
    let bold = Config {
        image_marker_stale_after: 300,
        image_marker_takeover: true,
        ..config(SSP)
    };
    let bench = Bench::with(simulator, bold).await;
    let session = bench.driver.session().clone();
    put_unit(&session, &image_names().marker(7)).await;
    put_unit(&session, image_names().current()).await;
    bench.spawn(1).await.unwrap();
    bench.destroy(1).await.unwrap();
    let left: Vec<String> = bench
        .driver
        .inventory()
        .await
        .unwrap()
        .items
        .into_iter()
        .map(|item| item.name)
        .filter(|name| name.contains("image_"))
        .collect();
    assert_eq!(left, Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn an_image_that_goes_away_before_it_is_cloned_is_uploaded_again() {
    let bench = Bench::new(Flavor::NovaLink, SSP).await;
    let session = bench.driver.session().clone();
    let path = put_unit(&session, image_names().current()).await;
    // The image is found; while the order to clone it is on its way, its last clone on another host
    // goes, and the image with it.
    bench
        .simulator
        .faults()
        .add(
            Rule::new("PUT", "*/LogicalUnit")
                .nth(1)
                .delay(Duration::from_secs(10)),
        )
        .unwrap();
    let control = Control::default();
    let remover = async {
        tokio::time::sleep(Duration::from_secs(5)).await;
        session.ensure_deleted(&path).await.unwrap();
    };
    let (spawned, ()) = tokio::join!(bench.driver.spawn(request(1), &control), remover);
    spawned.unwrap();
    assert_eq!(
        bench.simulator.counters().uploads,
        2,
        "the image and the config drive"
    );
}

#[tokio::test(start_paused = true)]
async fn another_instances_things_are_never_touched() {
    for disk in DISKS {
        let bench = Bench::new(Flavor::NovaLink, disk).await;
        bench.spawn(1).await.unwrap();
        let before = without_caches(bench.world().await);
        bench.spawn(2).await.unwrap();
        bench.destroy(2).await.unwrap();
        assert_eq!(without_caches(bench.world().await), before);
        // A name that begins alike, and a failed deploy.
        bench
            .simulator
            .faults()
            .add(Rule::new("PUT", "*/do/PowerOn").answer(500, "no", "HSCL9999 no"))
            .unwrap();
        let mut alike = request(3);
        alike.name = "web-1b".to_owned();
        bench
            .driver
            .spawn(alike, &Control::default())
            .await
            .unwrap_err();
        bench.simulator.faults().clear();
        assert_eq!(without_caches(bench.world().await), before);
        assert_eq!(
            bench
                .driver
                .stop(instance(1), Stop::Hard, &Control::default())
                .await
                .unwrap(),
            PowerState::Shutdown
        );
    }
}

#[tokio::test(start_paused = true)]
async fn an_open_console_does_not_keep_a_server() {
    let bench = Bench::new(Flavor::NovaLink, SSP).await;
    bench.spawn(1).await.unwrap();
    let rule = Rule::new("DELETE", "/rest/api/uom/LogicalPartition/*")
        .nth(1)
        .answer(
            500,
            "Unknown internal error.",
            "HSCL151B The partition has an open virtual terminal session.",
        );
    let rule = bench.simulator.faults().add(rule).unwrap();
    bench.calls.take();
    bench.destroy(1).await.unwrap();
    assert_eq!(bench.simulator.faults().hits(rule), Some(1));
    assert!(
        bench
            .calls
            .take()
            .iter()
            .any(|(_, path)| path.contains("do/CloseVterm"))
    );
}

#[tokio::test(start_paused = true)]
async fn an_inactive_vios_is_done_without_and_said_to_be() {
    let bench = Bench::new(Flavor::NovaLink, SSP).await;
    let host = bench.driver.host().await.unwrap();
    let down = &host.virtual_io_servers[1];
    let session = bench.driver.session();
    let job = powervm_driver::rest::Job::new(format!("VirtualIOServer/{}", down.uuid), "PowerOff");
    session
        .job(
            job.parameter("operation", "shutdown")
                .parameter("immediate", "true"),
        )
        .await
        .unwrap();
    // What was known about the servers goes stale.
    tokio::time::sleep(Duration::from_secs(120)).await;
    let server = bench.spawn(1).await.unwrap();
    assert!(
        server
            .storage
            .iter()
            .all(|storage| storage.served_by != down.name),
        "{server:?}"
    );
    bench.destroy(1).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn the_host_has_to_be_fit_for_the_disk_driver() {
    let simulator = simulator(Flavor::NovaLink, powervm_simulator::weather::Weather::Calm);
    let session = session(&simulator, 1, Arc::default()).await;
    let connect = |config: Config| {
        let session = session.clone();
        async move { Driver::connect(session, config).await.unwrap_err() }
    };
    let local = config(DiskDriver::LocalDisk);
    for (config, part) in [
        (
            Config {
                volume_group_name: "none".to_owned(),
                ..local.clone()
            },
            "'none'",
        ),
        (
            Config {
                volume_group_name: String::new(),
                ..local.clone()
            },
            "volume_group_name",
        ),
        (
            Config {
                cluster_name: "none".to_owned(),
                ..self::config(SSP)
            },
            "'none'",
        ),
        (
            Config {
                managed_system: "none".to_owned(),
                ..local
            },
            "'none'",
        ),
    ] {
        let error = connect(config).await;
        assert!(error.to_string().contains(part), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_guest_that_does_not_listen_is_powered_off_in_the_end() {
    let bench = Bench::new(Flavor::NovaLink, SSP).await;
    bench.spawn(1).await.unwrap();
    // RMC comes up, so the operating system is asked first.
    tokio::time::sleep(Duration::from_secs(900)).await;
    bench.calls.take();
    let faults = bench.simulator.faults();
    let refused = faults
        .add(
            Rule::new("PUT", "*/do/PowerOff")
                .first(2)
                .answer(500, "no", "HSCL0DB4 no RMC"),
        )
        .unwrap();
    let (control, warnings) = warnings();
    assert_eq!(
        bench
            .driver
            .stop(instance(1), Stop::Graceful, &control)
            .await
            .unwrap(),
        PowerState::Shutdown
    );
    assert_eq!(faults.hits(refused), Some(2));
    assert_eq!(
        warnings.lock().unwrap().len(),
        2,
        "each rung of the ladder is told"
    );
}

#[tokio::test(start_paused = true)]
async fn power_operations_of_one_server_take_turns() {
    let bench = Bench::new(Flavor::NovaLink, SSP).await;
    bench.spawn(1).await.unwrap();
    let control = Control::default();
    let (driver, server) = (&bench.driver, instance(1));
    let (stopped, started, again) = tokio::join!(
        driver.stop(server, Stop::Hard, &control),
        driver.start(server, &control),
        driver.stop(server, Stop::Hard, &control),
    );
    let states = [stopped.unwrap(), started.unwrap(), again.unwrap()];
    assert_eq!(
        states,
        [
            PowerState::Shutdown,
            PowerState::Running,
            PowerState::Shutdown
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn of_several_systems_one_has_to_be_named_and_the_others_are_left_alone() {
    let sizes = Sizes {
        systems: 2,
        ..Sizes::default()
    };
    let simulator = Simulator::builder()
        .flavor(Flavor::Hmc)
        .inventory(Inventory::sized(Flavor::Hmc, sizes))
        .build()
        .unwrap();
    let session = session(&simulator, 1, Arc::default()).await;
    let error = Driver::connect(session.clone(), config(SSP))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Precondition);
    assert!(
        error.to_string().contains("2 systems") && error.to_string().contains("managed_system"),
        "{error}"
    );
    let names: Vec<String> = simulator
        .world()
        .systems
        .values()
        .map(|system| system.name.clone())
        .collect();
    let mut made = Vec::new();
    for (number, name) in (1..).zip(names) {
        let named = Config {
            managed_system: name.clone(),
            ..config(DiskDriver::LocalDisk)
        };
        let driver = Driver::connect(session.clone(), named).await.unwrap();
        assert_eq!(driver.host().await.unwrap().name, name);
        let before = simulator.world();
        // Servers of other systems keep no name from this one's.
        let server = SpawnRequest {
            name: "web".to_owned(),
            ..request(number)
        };
        driver.spawn(server, &Control::default()).await.unwrap();
        let after = simulator.world();
        let touched: Vec<_> = after
            .systems
            .values()
            .filter(|system| {
                after.all_partitions_of(system.uuid).count()
                    != before.all_partitions_of(system.uuid).count()
            })
            .collect();
        assert_eq!(touched.len(), 1);
        assert_eq!(touched[0].name, name);
        made.push((driver, number));
    }
    for (driver, number) in made {
        let removed = DestroyRequest::of(instance(number));
        driver.destroy(removed, &Control::default()).await.unwrap();
    }
}

/// A disk that another server left has the name, the image and the state of one that a lost answer is about.
#[tokio::test(start_paused = true)]
async fn a_disk_that_had_the_name_before_is_nobodys_to_delete() {
    let bench = Bench::new(Flavor::NovaLink, DiskDriver::Ssp).await;
    let other = SpawnRequest {
        name: request(1).name,
        ..request(2)
    };
    bench
        .driver
        .spawn(other, &Control::default())
        .await
        .unwrap();
    let keep = DestroyRequest {
        destroy_disks: false,
        ..DestroyRequest::of(instance(2))
    };
    bench
        .driver
        .destroy(keep, &Control::default())
        .await
        .unwrap();
    let before = bench.world().await;
    bench.spawn(1).await.unwrap_err();
    assert_eq!(before, bench.world().await);
    bench.assert_sound();
}
