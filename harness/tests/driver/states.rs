//! Servers suspended, resumed and dumped, and their consoles.

use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use powervm_driver::config::{Config, DiskDriver};
use powervm_driver::operations::{Control, Stop};
use powervm_driver::partition::{PartitionUuid, PowerState};
use powervm_driver::rest::Groups;
use powervm_driver::transaction::{self, Changed};
use powervm_driver::{Error, ErrorKind};
use powervm_schema::partition::LogicalPartition;
use powervm_simulator::Flavor;
use powervm_simulator::model::Command;
use powervm_simulator::weather::Weather;

use crate::support::*;

async fn running(flavor: Flavor) -> Bench {
    let bench = Bench::new(flavor, DiskDriver::Ssp).await;
    bench.spawn(1).await.unwrap();
    // A guest is reached over RMC some minutes after its start.
    tokio::time::sleep(Duration::from_secs(900)).await;
    bench
}

async fn make_capable(bench: &Bench) {
    let path = format!(
        "LogicalPartition/{}",
        PartitionUuid::of_instance(instance(1))
    );
    let edit = |document: &mut _| {
        LogicalPartition(document).set_suspend_capable(true);
        Ok(Changed::Yes)
    };
    transaction::edit(bench.driver.session(), &path, Groups::None, edit)
        .await
        .unwrap();
}

fn refused(result: Result<PowerState, Error>, part: &str) {
    let error = result.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Precondition, "{error}");
    assert!(error.to_string().contains(part), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_server_is_suspended_and_comes_back() {
    let bench = running(Flavor::Hmc).await;
    let (control, server) = (Control::default(), instance(1));
    refused(
        bench.driver.suspend(server, &control).await,
        "SuspendCapable",
    );
    make_capable(&bench).await;
    let before = bench.world().await;
    for _ in 0..2 {
        let state = bench.driver.suspend(server, &control).await.unwrap();
        assert_eq!(state, PowerState::Suspended);
    }
    for _ in 0..2 {
        let state = bench.driver.resume(server, &control).await.unwrap();
        assert_eq!(state, PowerState::Running);
    }
    assert_eq!(bench.world().await, before);
    bench
        .driver
        .stop(server, Stop::Hard, &control)
        .await
        .unwrap();
    refused(
        bench.driver.suspend(server, &control).await,
        "not activated",
    );
    refused(bench.driver.resume(server, &control).await, "not activated");
    bench.assert_sound();
}

#[tokio::test(start_paused = true)]
async fn times_to_wait_may_be_as_long_as_a_number_can_say() {
    let forever = u64::try_from(i64::MAX).unwrap();
    let config = Config {
        shutdown_timeout: forever,
        vios_active_wait_timeout: forever,
        image_wait_timeout: forever,
        image_marker_stale_after: forever,
        vif_plugging_timeout: forever,
        ..config(DiskDriver::Ssp)
    };
    for flavor in FLAVORS {
        let bench = Bench::with(simulator(flavor, Weather::Calm), config.clone()).await;
        bench.spawn(1).await.unwrap();
        tokio::time::sleep(Duration::from_secs(900)).await;
        let state = bench
            .driver
            .stop(instance(1), Stop::Graceful, &Control::default())
            .await
            .unwrap();
        assert_eq!(state, PowerState::Shutdown);
        bench.assert_sound();
    }
}

#[tokio::test(start_paused = true)]
async fn instances_and_their_states_are_told_with_one_request_each() {
    let bench = running(Flavor::NovaLink).await;
    let known = [instance(1), instance(2)].into();
    bench.calls.take();
    assert_eq!(
        bench.driver.instances(&known).await.unwrap(),
        [instance(1)].into()
    );
    // Somebody else's partitions are nobody's instances.
    assert!(
        bench
            .driver
            .instances(&[instance(2)].into())
            .await
            .unwrap()
            .is_empty()
    );
    let state = bench.driver.power_state(instance(1)).await.unwrap();
    assert_eq!(state, PowerState::Running);
    assert!(
        bench
            .driver
            .power_state(instance(2))
            .await
            .unwrap_err()
            .is_not_found()
    );
    assert_eq!(bench.calls.take().len(), 4);
}

#[tokio::test(start_paused = true)]
async fn a_novalink_suspends_nothing() {
    let bench = running(Flavor::NovaLink).await;
    refused(
        bench.driver.suspend(instance(1), &Control::default()).await,
        "a NovaLink",
    );
    refused(
        bench.driver.resume(instance(1), &Control::default()).await,
        "a NovaLink",
    );
}

#[tokio::test(start_paused = true)]
async fn a_dump_ends_with_a_server_that_runs() {
    for flavor in FLAVORS {
        let bench = running(flavor).await;
        let (control, server) = (Control::default(), instance(1));
        bench.calls.take();
        let state = bench.driver.dump(server, &control).await.unwrap();
        assert_eq!(state, PowerState::Running);
        let jobs = bench.calls.take();
        let jobs: Vec<_> = jobs.iter().filter(|(method, _)| method == "PUT").collect();
        assert_eq!(jobs.len(), 1, "{jobs:?}");
        assert!(jobs[0].1.ends_with("/do/PowerOff"));
        bench
            .driver
            .stop(server, Stop::Hard, &control)
            .await
            .unwrap();
        let error = bench.driver.dump(server, &control).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Precondition, "{error}");
        bench.assert_sound();
    }
}

/// A command that tells what it was called with, says `said` and ends so.
fn command(folder: &std::path::Path, said: &str, code: i32) -> Config {
    let path = folder.join("mkvterm");
    let log = folder.join("log");
    let text = format!(
        "#!/bin/sh\necho \"$@\" >> {}\nprintf '{said}'\necho oops >&2\nexit {code}\n",
        log.display()
    );
    std::fs::write(&path, text).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    Config {
        mkvterm: path,
        ..config(DiskDriver::Ssp)
    }
}

#[tokio::test(start_paused = true)]
async fn a_console_is_opened_by_the_command_of_the_management_partition() {
    for (said, code, wanted) in [
        ("5903\\n", 0, Ok(5903)),
        ("5904\\nopen already\\n", 3, Ok(5904)),
        ("open\\n", 3, Err("not as a VNC server")),
        ("", 1, Err("mkvterm ended with 1 (oops)")),
        ("0\\n", 0, Err("mkvterm ended with 0")),
        ("5903\\n", 2, Err("mkvterm ended with 2")),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let simulator = simulator(Flavor::NovaLink, Weather::Calm);
        let bench = Bench::with(simulator, command(folder.path(), said, code)).await;
        let mut order = request(1);
        order.power_on = false;
        let server = bench
            .driver
            .spawn(order, &Control::default())
            .await
            .unwrap();
        let opened = bench.driver.open_console(instance(1)).await;
        match (opened, wanted) {
            (Ok(console), Ok(port)) => {
                assert_eq!((console.port, console.server.as_str()), (port, "web-1"));
            }
            (Err(error), Err(part)) => assert!(error.to_string().contains(part), "{error}"),
            (opened, wanted) => panic!("{opened:?}, not {wanted:?}"),
        }
        let log = std::fs::read_to_string(folder.path().join("log")).unwrap();
        let id = server.summary.partition_id.unwrap();
        assert_eq!(log, format!("--id {id} --vnc --local\n"));
        let attach = bench.driver.console_command(instance(1)).await.unwrap();
        assert_eq!(attach.arguments, ["--id".to_owned(), id.to_string()]);
    }
}

#[tokio::test(start_paused = true)]
async fn an_hmc_opens_no_console_and_says_what_does() {
    let bench = running(Flavor::Hmc).await;
    let error = bench.driver.open_console(instance(1)).await.unwrap_err();
    assert!(error.to_string().contains("ssh"), "{error}");
    assert!(bench.driver.console_command(instance(1)).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn an_open_console_is_closed_by_request_and_before_a_removal() {
    for flavor in FLAVORS {
        let bench = running(flavor).await;
        let partition = PartitionUuid::of_instance(instance(1)).as_uuid();
        let open = || {
            bench
                .simulator
                .apply(Command::OpenConsole(partition))
                .unwrap()
        };
        open();
        bench.driver.close_console(instance(1)).await.unwrap();
        bench.driver.close_console(instance(1)).await.unwrap();
        bench.calls.take();
        open();
        bench.destroy(1).await.unwrap();
        assert!(
            bench
                .calls
                .take()
                .iter()
                .any(|(_, path)| path.ends_with("/do/CloseVterm"))
        );
    }
}
