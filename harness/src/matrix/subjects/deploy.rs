//! Servers made and removed.

use super::{BOTH, Entry, Failed, LIMIT, POOL, destroy, spawn};

pub(super) const ENTRIES: &[Entry] = &[
    Entry {
        name: "spawn",
        disks: BOTH,
        prepare: |_, _| Box::pin(async { Ok(()) }),
        run: |driver, control| Box::pin(spawn(driver, control, 1, true)),
        reverse: Some(|driver, control| Box::pin(destroy(driver, control, 1, true))),
        failed: Failed::AsBefore,
        limit: LIMIT,
    },
    Entry {
        name: "spawn of an image that others use",
        disks: BOTH,
        prepare: |driver, control| Box::pin(spawn(driver, control, 2, true)),
        run: |driver, control| Box::pin(spawn(driver, control, 1, true)),
        reverse: Some(|driver, control| Box::pin(destroy(driver, control, 1, true))),
        failed: Failed::AsBefore,
        limit: LIMIT,
    },
    Entry {
        name: "destroy",
        disks: BOTH,
        prepare: |driver, control| Box::pin(spawn(driver, control, 1, true)),
        run: |driver, control| Box::pin(destroy(driver, control, 1, true)),
        reverse: None,
        failed: Failed::Repeatable,
        limit: LIMIT,
    },
    Entry {
        name: "destroy of one of two",
        disks: POOL,
        prepare: |driver, control| {
            Box::pin(async move {
                spawn(driver, control, 2, true).await?;
                spawn(driver, control, 1, true).await
            })
        },
        run: |driver, control| Box::pin(destroy(driver, control, 1, true)),
        reverse: None,
        failed: Failed::Repeatable,
        limit: LIMIT,
    },
    Entry {
        name: "destroy that keeps the disks",
        disks: BOTH,
        prepare: |driver, control| Box::pin(spawn(driver, control, 1, true)),
        run: |driver, control| Box::pin(destroy(driver, control, 1, false)),
        reverse: None,
        failed: Failed::Repeatable,
        limit: LIMIT,
    },
];
