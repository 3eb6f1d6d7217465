//! Servers started from another disk, and from their own again.

use powervm_driver::Result;
use powervm_driver::operations::{Control, Driver, RescueRequest};

use super::{BOTH, Entry, Failed, LIMIT, SUBJECT, instance, made_image, name, spawn};

pub(super) const ENTRIES: &[Entry] = &[
    Entry {
        name: "rescue",
        disks: BOTH,
        prepare: |driver, control| Box::pin(spawn(driver, control, 1, true)),
        run: |driver, control| Box::pin(rescue(driver, control)),
        reverse: Some(|driver, control| Box::pin(unrescue(driver, control))),
        failed: Failed::AsBefore,
        limit: LIMIT,
    },
    Entry {
        name: "end of a rescue",
        disks: BOTH,
        prepare: |driver, control| {
            Box::pin(async move {
                spawn(driver, control, 1, true).await?;
                rescue(driver, control).await
            })
        },
        run: |driver, control| Box::pin(unrescue(driver, control)),
        reverse: None,
        failed: Failed::Repeatable,
        limit: LIMIT,
    },
];

async fn rescue(driver: &Driver, control: &Control) -> Result<()> {
    let request = RescueRequest {
        instance: instance(SUBJECT),
        name: Some(name(SUBJECT)),
        image: made_image(),
    };
    driver.rescue(request, control).await
}

async fn unrescue(driver: &Driver, control: &Control) -> Result<()> {
    let name = Some(name(SUBJECT));
    driver.unrescue(instance(SUBJECT), name, control).await
}
