//! Servers whose slots and NVRAM are kept.

use powervm_driver::Result;
use powervm_driver::operations::{Control, Driver, SpawnRequest};

use super::{Entry, Failed, LIMIT, POOL, SUBJECT, destroy, request, spawn};

pub(super) const ENTRIES: &[Entry] = &[
    Entry {
        name: "spawn",
        disks: POOL,
        prepare: |_, _| Box::pin(async { Ok(()) }),
        run: |driver, control| Box::pin(spawn(driver, control, SUBJECT, true)),
        reverse: Some(|driver, control| Box::pin(destroy(driver, control, SUBJECT, true))),
        failed: Failed::AsBefore,
        limit: LIMIT,
    },
    Entry {
        name: "evacuate",
        disks: POOL,
        prepare: |driver, control| {
            Box::pin(async move {
                spawn(driver, control, SUBJECT, true).await?;
                destroy(driver, control, SUBJECT, false).await
            })
        },
        run: |driver, control| Box::pin(evacuate(driver, control)),
        reverse: Some(|driver, control| Box::pin(destroy(driver, control, SUBJECT, false))),
        failed: Failed::AsBefore,
        limit: LIMIT,
    },
];

async fn evacuate(driver: &Driver, control: &Control) -> Result<()> {
    let request = SpawnRequest {
        image: None,
        ..request(SUBJECT, true)
    };
    driver.evacuate(request, None, control).await.map(drop)
}
