//! Whether meters are taken of the host.

use super::{BOTH, Entry, Failed, LIMIT};

pub(super) const ENTRIES: &[Entry] = &[Entry {
    name: "monitor",
    disks: BOTH,
    prepare: |_, _| Box::pin(async { Ok(()) }),
    run: |driver, control| Box::pin(driver.monitor(true, control)),
    reverse: Some(|driver, control| Box::pin(driver.monitor(false, control))),
    failed: Failed::AsBefore,
    limit: LIMIT,
}];
