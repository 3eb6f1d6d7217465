//! Servers suspended and resumed, on an HMC.

use std::time::Duration;

use powervm_driver::Result;
use powervm_driver::operations::{Control, Driver};
use powervm_driver::rest::Groups;
use powervm_driver::transaction::{self, Changed};
use powervm_schema::partition::LogicalPartition;

use super::{Entry, Failed, LIMIT, POOL, SUBJECT, instance, spawn};

/// How long a guest may take until it can be reached.
const BOOT: Duration = Duration::from_secs(900);

/// A NovaLink has no such jobs.
pub(super) const ON_HMC: &[Entry] = &[
    Entry {
        name: "suspend",
        disks: POOL,
        prepare: |driver, control| Box::pin(capable(driver, control)),
        run: |driver, control| Box::pin(suspend(driver, control)),
        reverse: Some(|driver, control| Box::pin(resume(driver, control))),
        failed: Failed::Repeatable,
        limit: LIMIT,
    },
    Entry {
        name: "resume",
        disks: POOL,
        prepare: |driver, control| {
            Box::pin(async move {
                capable(driver, control).await?;
                suspend(driver, control).await
            })
        },
        run: |driver, control| Box::pin(resume(driver, control)),
        reverse: None,
        failed: Failed::Repeatable,
        limit: LIMIT,
    },
];

async fn capable(driver: &Driver, control: &Control) -> Result<()> {
    spawn(driver, control, SUBJECT, true).await?;
    tokio::time::sleep(BOOT).await;
    let path = format!("LogicalPartition/{}", instance(SUBJECT));
    let edit = |document: &mut _| {
        LogicalPartition(document).set_suspend_capable(true);
        Ok(Changed::Yes)
    };
    transaction::edit(driver.session(), &path, Groups::None, edit)
        .await
        .map(drop)
}

async fn suspend(driver: &Driver, control: &Control) -> Result<()> {
    driver.suspend(instance(SUBJECT), control).await.map(drop)
}

async fn resume(driver: &Driver, control: &Control) -> Result<()> {
    driver.resume(instance(SUBJECT), control).await.map(drop)
}
