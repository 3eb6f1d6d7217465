//! Volumes of a server that leaves for another size or another host, and arrives.
//!
//! Whoever keeps volumes ends their connections when a server leaves and shows them anew where it arrives, on the same
//! host too. So they are detached when it is off, and attached before it is powered on. Those behind ports of the
//! server's own stay where they are: its ports do.
//!
//! Both are operations of their own, and the journal has one around them, so that a server that was interrupted between
//! the two is on one side.

use uuid::Uuid;

use crate::error::{Error, Result};
use crate::operations::volume::{Metadata, VolumeRequest, VolumesReport};
use crate::saga::OutlinedStep;
use crate::volume::Connection;

/// What is asked of these volumes; nothing where there are none.
pub(super) fn wanted(
    instance: Uuid,
    volumes: &[Connection],
    metadata: &Metadata,
) -> Option<VolumeRequest> {
    (!volumes.is_empty()).then(|| VolumeRequest {
        server: instance.into(),
        volumes: volumes.to_vec(),
        metadata: metadata.clone(),
    })
}

/// What is told of a server without volumes.
pub(super) fn none(server: &str, metadata: &Metadata) -> VolumesReport {
    VolumesReport {
        server: server.to_owned(),
        volumes: Vec::new(),
        metadata: metadata.clone(),
    }
}

/// The steps that an operation would do.
///
/// # Errors
/// Why it would not begin.
pub(super) async fn told<T>(part: impl Future<Output = Result<T>>) -> Result<Vec<OutlinedStep>> {
    match part.await {
        Err(Error::DryRun(outline)) => Ok(outline.steps.clone()),
        Err(error) => Err(error),
        Ok(_) => Ok(Vec::new()),
    }
}
