//! Volumes of a server that leaves for another size or another host, and arrives.
//!
//! Whoever keeps volumes ends their connections when a server leaves and shows them anew where it arrives, on the same
//! host too. So they are detached when it is off, and attached before it is powered on. Those behind ports of the
//! server's own stay where they are: its ports do.

use uuid::Uuid;

use super::request::{Before, DepartRequest, Departure, RevertRequest};
use crate::error::{Error, Result};
use crate::operations::control::Control;
use crate::operations::driver::Driver;
use crate::operations::volume::{Metadata, VolumeRequest, VolumesReport};
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

impl Driver {
    /// Detaches the volumes of a server that has left. Where that cannot be, it is taken back.
    pub(super) async fn leave_volumes(
        &self,
        request: &DepartRequest,
        left: &Departure,
        control: &Control,
    ) -> Result<()> {
        let Some(volumes) = wanted(request.instance, &request.volumes, &request.metadata) else {
            return Ok(());
        };
        let Err(error) = self.detach_volumes(volumes, control).await else {
            return Ok(());
        };
        let back = RevertRequest {
            instance: request.instance,
            name: request.name.clone(),
            before: Before::Kept(Box::new(left.before.clone())),
            power_on: left.was_on,
            volumes: Vec::new(),
            metadata: Metadata::new(),
        };
        match self
            .finish_revert_migration(back, &control.uncancelled())
            .await
        {
            Ok(_) => Err(error),
            Err(stuck) => Err(Error::caused(
                error.kind(),
                format!("{error}; and the server could not be taken back: {stuck}"),
                "revert the resize when that is mended",
                error,
            )),
        }
    }

    /// Detaches volumes again of a server that could not arrive.
    pub(super) async fn take_volumes_back(
        &self,
        volumes: Option<VolumeRequest>,
        control: &Control,
    ) {
        let Some(volumes) = volumes else { return };
        let whole = control.uncancelled();
        if let Err(error) = self.detach_volumes(volumes, &whole).await {
            control.warn(format!("the server's volumes stay attached: {error}"));
        }
    }
}
