//! Boot disks copied to images.

use bytes::Bytes;
use powervm_driver::operations::{Control, Driver, SnapshotRequest};
use powervm_driver::storage::capture::CaptureTarget;
use powervm_driver::{Error, ErrorKind, Result};

use super::{Entry, Failed, LIMIT, POOL, SUBJECT, image, instance, spawn};
use crate::image::Origin;

/// Only a NovaLink runs on a partition that disks can be mapped to.
pub(super) const ON_NOVALINK: &[Entry] = &[
    Entry {
        name: "snapshot",
        disks: POOL,
        prepare: |driver, control| Box::pin(spawn(driver, control, 1, true)),
        run: |driver, control| Box::pin(snapshot(driver, control)),
        reverse: None,
        failed: Failed::AsBefore,
        limit: LIMIT,
    },
    Entry {
        name: "snapshot of a server that is off",
        disks: POOL,
        prepare: |driver, control| Box::pin(spawn(driver, control, 1, false)),
        run: |driver, control| Box::pin(snapshot(driver, control)),
        reverse: None,
        failed: Failed::AsBefore,
        limit: LIMIT,
    },
];

/// What the image that servers boot from holds.
pub(in crate::matrix) fn content() -> Bytes {
    match &image().origin {
        Origin::Memory(bytes) => bytes.clone(),
        Origin::File(_) | Origin::Temporary(_) => Bytes::new(),
    }
}

async fn snapshot(driver: &Driver, control: &Control) -> Result<()> {
    let folder = tempfile::tempdir().map_err(|error| {
        Error::caused(
            ErrorKind::Local,
            "no folder for the image",
            "free some room",
            error,
        )
    })?;
    let request = SnapshotRequest {
        server: instance(SUBJECT).into(),
        target: CaptureTarget::File(folder.path().join("image.raw")),
    };
    let made = driver.snapshot(request, control).await?;
    if made.content.sha256 == image().sha256 {
        return Ok(());
    }
    Err(Error::operation(
        ErrorKind::Local,
        "the image does not hold what the disk holds",
        "compare them",
    ))
}
