//! Images kept for the next deploy.

use std::collections::BTreeSet;

use powervm_driver::Result;
use powervm_driver::operations::{Control, Driver};

use super::{BOTH, Entry, Failed, LIMIT, made_image};

pub(super) const ENTRIES: &[Entry] = &[
    Entry {
        name: "cache an image",
        disks: BOTH,
        prepare: |_, _| Box::pin(async { Ok(()) }),
        run: |driver, control| Box::pin(cache(driver, control)),
        reverse: Some(|driver, control| Box::pin(prune(driver, control))),
        failed: Failed::AsBefore,
        limit: LIMIT,
    },
    Entry {
        name: "prune images",
        disks: BOTH,
        prepare: |driver, control| Box::pin(cache(driver, control)),
        run: |driver, control| Box::pin(prune(driver, control)),
        reverse: None,
        failed: Failed::Repeatable,
        limit: LIMIT,
    },
];

async fn cache(driver: &Driver, control: &Control) -> Result<()> {
    driver.cache_image(made_image(), control).await.map(drop)
}

async fn prune(driver: &Driver, control: &Control) -> Result<()> {
    driver
        .prune_images(&BTreeSet::new(), control)
        .await
        .map(drop)
}
