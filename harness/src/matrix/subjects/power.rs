//! Servers started and stopped.

use powervm_driver::Result;
use powervm_driver::operations::{Control, Driver, Reboot, Stop};

use super::{Entry, Failed, LIMIT, POOL, SUBJECT, instance, spawn};

pub(super) const ENTRIES: &[Entry] = &[
    Entry {
        name: "start",
        disks: POOL,
        prepare: |driver, control| Box::pin(spawn(driver, control, 1, false)),
        run: |driver, control| Box::pin(start(driver, control)),
        reverse: Some(|driver, control| Box::pin(stop(driver, control, Stop::Hard))),
        failed: Failed::Repeatable,
        limit: LIMIT,
    },
    Entry {
        name: "stop",
        disks: POOL,
        prepare: |driver, control| Box::pin(spawn(driver, control, 1, true)),
        run: |driver, control| Box::pin(stop(driver, control, Stop::Graceful)),
        reverse: Some(|driver, control| Box::pin(start(driver, control))),
        failed: Failed::Repeatable,
        limit: LIMIT,
    },
    Entry {
        name: "hard stop",
        disks: POOL,
        prepare: |driver, control| Box::pin(spawn(driver, control, 1, true)),
        run: |driver, control| Box::pin(stop(driver, control, Stop::Hard)),
        reverse: Some(|driver, control| Box::pin(start(driver, control))),
        failed: Failed::Repeatable,
        limit: LIMIT,
    },
    Entry {
        name: "reboot",
        disks: POOL,
        prepare: |driver, control| Box::pin(spawn(driver, control, 1, true)),
        run: |driver, control| Box::pin(reboot(driver, control, Reboot::Soft)),
        reverse: None,
        failed: Failed::Repeatable,
        limit: LIMIT,
    },
    Entry {
        name: "hard reboot",
        disks: POOL,
        prepare: |driver, control| Box::pin(spawn(driver, control, 1, true)),
        run: |driver, control| Box::pin(reboot(driver, control, Reboot::Hard)),
        reverse: None,
        failed: Failed::Repeatable,
        limit: LIMIT,
    },
    Entry {
        name: "dump",
        disks: POOL,
        prepare: |driver, control| Box::pin(spawn(driver, control, 1, true)),
        run: |driver, control| Box::pin(dump(driver, control)),
        reverse: None,
        failed: Failed::Repeatable,
        limit: LIMIT,
    },
];

async fn start(driver: &Driver, control: &Control) -> Result<()> {
    let started = driver.start(instance(SUBJECT), control).await;
    started.map(drop)
}

async fn stop(driver: &Driver, control: &Control, how: Stop) -> Result<()> {
    let stopped = driver.stop(instance(SUBJECT), how, control).await;
    stopped.map(drop)
}

async fn reboot(driver: &Driver, control: &Control, how: Reboot) -> Result<()> {
    let rebooted = driver.reboot(instance(SUBJECT), how, control).await;
    rebooted.map(drop)
}

async fn dump(driver: &Driver, control: &Control) -> Result<()> {
    let dumped = driver.dump(instance(SUBJECT), control).await;
    dumped.map(drop)
}
