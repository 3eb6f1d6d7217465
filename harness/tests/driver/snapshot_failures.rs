//! What becomes of a snapshot that fails, is cancelled or killed, or meets somebody else's.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::BoxFuture;
use http::StatusCode;
use powervm_driver::config::DiskDriver;
use powervm_driver::devices::{Devices, Disk, Opened};
use powervm_driver::journal::JournalFile;
use powervm_driver::operations::{Control, Driver, Progress, SnapshotRequest};
use powervm_driver::saga::Rehearsal;
use powervm_driver::{Error, ErrorKind};
use powervm_harness::target::embedded::SimulatedDevices;
use powervm_simulator::Flavor;
use powervm_simulator::weather::Rule;
use tokio_util::sync::CancellationToken;

use crate::snapshots::*;
use crate::support::*;

const COPY: &str = "copy the boot disk";

#[tokio::test(start_paused = true)]
async fn a_file_that_exists_stays_as_it_is() {
    let (bench, folder) = (
        bench(Flavor::NovaLink, DiskDriver::Ssp).await,
        tempfile::tempdir().unwrap(),
    );
    server(&bench).await;
    let path = folder.path().join("theirs");
    std::fs::write(&path, "theirs").unwrap();
    bench.calls.take();
    let error = to_file(&bench.driver, &path, &Control::default())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Exists);
    assert!(bench.calls.take().iter().all(|(method, _)| method == "GET"));
    assert_eq!(std::fs::read(&path).unwrap(), b"theirs");
}

#[tokio::test(start_paused = true)]
async fn any_request_that_fails_leaves_nothing_and_every_step_can_be_repeated() {
    let template = bench(Flavor::NovaLink, DiskDriver::Ssp).await;
    server(&template).await;
    let folder = tempfile::tempdir().unwrap();
    template.calls.take();
    to_file(
        &template.driver,
        &folder.path().join("a"),
        &Control::default(),
    )
    .await
    .unwrap();
    let requests = template.calls.take().len() as u64;
    assert!(requests >= 6, "{requests}");
    let strikes: [fn(Rule) -> Rule; 3] = [
        |rule| rule.answer(500, "Unknown internal error.", "HSCL9999 out of sorts"),
        |rule| rule.after().reset(),
        |rule| {
            rule.after()
                .answer(500, "Unknown internal error.", "HSCL9999 out of sorts")
        },
    ];
    for number in 1..=requests {
        for strike in strikes {
            let (bench, folder) = (
                bench(Flavor::NovaLink, DiskDriver::Ssp).await,
                tempfile::tempdir().unwrap(),
            );
            server(&bench).await;
            let before = bench.world().await;
            bench
                .simulator
                .faults()
                .add(strike(Rule::new("*", "*").nth(number)))
                .unwrap();
            let made = to_file(&bench.driver, &folder.path().join("a"), &Control::default()).await;
            bench.simulator.faults().clear();
            let files = files_in(folder.path());
            assert_eq!(
                files.len(),
                usize::from(made.is_ok()),
                "request {number}: {files:?} {made:?}"
            );
            assert_eq!(
                without_jobs(bench.world().await),
                without_jobs(before),
                "request {number}"
            );
            bench.assert_sound();
        }
    }
    for step in [
        "map the boot disk to the management partition",
        COPY,
        "take the boot disk off the management partition",
        "give the image its name",
    ] {
        let rehearsal = Rehearsal {
            repeat_step: Some(step.into()),
            ..Rehearsal::default()
        };
        let path = folder.path().join(step);
        to_file(
            &template.driver,
            &path,
            &Control::default().rehearsing(rehearsal),
        )
        .await
        .unwrap();
        assert!(std::fs::read(&path).unwrap() == content(), "{step}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_copy_leaves_nothing() {
    let (bench, folder) = (
        bench(Flavor::NovaLink, DiskDriver::Ssp).await,
        tempfile::tempdir().unwrap(),
    );
    server(&bench).await;
    let before = bench.world().await;
    let cancel = CancellationToken::new();
    let token = cancel.clone();
    let sent = Arc::new(Mutex::new(0));
    let seen = Arc::clone(&sent);
    let control = Control::default()
        .cancelled_by(cancel)
        .watched_by(move |progress: &Progress| {
            if let Progress::Transfer { sent, .. } = progress {
                *seen.lock().unwrap() = *sent;
                if *sent >= 2 << 20 {
                    token.cancel();
                }
            }
        });
    let error = to_file(&bench.driver, &folder.path().join("a"), &control)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Cancelled, "{error}");
    assert!(
        (2 << 20..5 << 20).contains(&*sent.lock().unwrap()),
        "{sent:?}"
    );
    assert!(files_in(folder.path()).is_empty());
    assert_eq!(bench.world().await, before);
}

/// A disk that breaks off after its first half.
struct Broken(SimulatedDevices);

impl Devices for Broken {
    fn check(&self) -> Result<(), Error> {
        self.0.check()
    }

    fn open<'a>(&'a self, disk: &'a Disk) -> BoxFuture<'a, Result<Opened, Error>> {
        Box::pin(async {
            let opened = self.0.open(disk).await?;
            let half = opened.size / 2;
            let content = Box::pin(tokio::io::AsyncReadExt::take(opened.content, half));
            Ok(Opened { content, ..opened })
        })
    }

    fn forget<'a>(&'a self, disk: &'a Disk) -> BoxFuture<'a, Result<(), Error>> {
        self.0.forget(disk)
    }
}

#[tokio::test(start_paused = true)]
async fn a_disk_that_breaks_off_makes_no_image() {
    let (bench, folder) = (
        bench(Flavor::NovaLink, DiskDriver::Ssp).await,
        tempfile::tempdir().unwrap(),
    );
    server(&bench).await;
    let before = bench.world().await;
    let broken = Broken(SimulatedDevices::of(&bench.simulator, [content()]));
    let driver = bench.driver.clone().reading_disks_of(broken);
    let error = to_file(&driver, &folder.path().join("a"), &Control::default())
        .await
        .unwrap_err();
    assert!(
        error
            .to_string()
            .contains("ended after 2621790 of 5243580 bytes"),
        "{error}"
    );
    let (store, target) = image_server(StatusCode::CREATED);
    let request = SnapshotRequest {
        server: instance(1).into(),
        target,
    };
    let error = driver
        .snapshot(request, &Control::default())
        .await
        .unwrap_err();
    assert!(
        error.to_string().contains("could not be read to its end"),
        "{error}"
    );
    assert!(store.lock().unwrap().is_none());
    assert!(files_in(folder.path()).is_empty());
    assert_eq!(bench.world().await, before);
}

/// A disk that somebody else has mapped to the management partition is read, and left to him.
#[tokio::test(start_paused = true)]
async fn the_mapping_of_somebody_else_stays() {
    let (bench, folder) = (
        bench(Flavor::NovaLink, DiskDriver::Ssp).await,
        tempfile::tempdir().unwrap(),
    );
    server(&bench).await;
    // The copy hangs, so its mapping stays for others to see.
    let theirs = tokio::spawn({
        let (driver, path) = (
            bench.driver.clone().reading_disks_of(Hanging),
            folder.path().join("a"),
        );
        async move { to_file(&driver, &path, &Control::default()).await }
    });
    tokio::time::sleep(Duration::from_secs(60)).await;
    let with_mapping = bench.world().await;
    let session = session(&bench.simulator, 2, Arc::default()).await;
    let devices = SimulatedDevices::of(&bench.simulator, [content()]);
    let other = Driver::connect(session, config(DiskDriver::Ssp))
        .await
        .unwrap()
        .reading_disks_of(devices);
    to_file(&other, &folder.path().join("b"), &Control::default())
        .await
        .unwrap();
    assert_eq!(bench.world().await, with_mapping);
    theirs.abort();
}

struct Hanging;

impl Devices for Hanging {
    fn check(&self) -> Result<(), Error> {
        Ok(())
    }

    fn open<'a>(&'a self, _: &'a Disk) -> BoxFuture<'a, Result<Opened, Error>> {
        Box::pin(std::future::pending())
    }

    fn forget<'a>(&'a self, _: &'a Disk) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(async { Ok(()) })
    }
}

/// Dies while the disk is copied, with everything that it had begun; the next driver takes it back.
#[tokio::test(start_paused = true)]
async fn a_driver_that_was_killed_has_its_mapping_and_its_file_removed() {
    let (bench, folder) = (
        bench(Flavor::NovaLink, DiskDriver::Ssp).await,
        tempfile::tempdir().unwrap(),
    );
    server(&bench).await;
    let before = bench.world().await;
    let journal = JournalFile::in_memory().unwrap();
    let runtime = std::thread::spawn({
        let (simulator, journal, path) = (
            bench.simulator.clone(),
            journal.clone(),
            folder.path().join("a"),
        );
        move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .start_paused(true)
                .build()
                .unwrap();
            runtime.block_on(async {
                let session = session(&simulator, 3, Arc::default()).await;
                let driver =
                    Driver::connect_with(session, config(DiskDriver::Ssp), Arc::new(journal))
                        .await
                        .unwrap();
                let driver =
                    driver.reading_disks_of(Endless(SimulatedDevices::of(&simulator, [content()])));
                let control = Control::default();
                let copying = to_file(&driver, &path, &control);
                let _ = tokio::time::timeout(Duration::from_secs(60), copying).await;
                // Not even its cleaning up comes to its end.
                std::mem::forget(driver);
            });
            runtime.shutdown_background();
        }
    });
    runtime.join().unwrap();
    assert_ne!(bench.world().await, before);
    assert_eq!(files_in(folder.path()).len(), 1, "a partial file");
    let session = session(&bench.simulator, 4, Arc::default()).await;
    let next = Driver::connect_with(session, config(DiskDriver::Ssp), Arc::new(journal))
        .await
        .unwrap();
    let next = next.reading_disks_of(SimulatedDevices::of(&bench.simulator, [content()]));
    let recovered = next.recover(&Control::default()).await.unwrap();
    assert_eq!(recovered.len(), 1);
    recovered[0].result.as_ref().unwrap();
    assert_eq!(without_jobs(bench.world().await), without_jobs(before));
    assert!(files_in(folder.path()).is_empty());
}

/// A disk whose end does not come.
struct Endless(SimulatedDevices);

impl Devices for Endless {
    fn check(&self) -> Result<(), Error> {
        self.0.check()
    }

    fn open<'a>(&'a self, disk: &'a Disk) -> BoxFuture<'a, Result<Opened, Error>> {
        Box::pin(async {
            let opened = self.0.open(disk).await?;
            let (reader, writer) = tokio::io::duplex(64);
            // Kept open, and silent.
            std::mem::forget(writer);
            Ok(Opened {
                content: Box::pin(reader),
                ..opened
            })
        })
    }

    fn forget<'a>(&'a self, disk: &'a Disk) -> BoxFuture<'a, Result<(), Error>> {
        self.0.forget(disk)
    }
}
