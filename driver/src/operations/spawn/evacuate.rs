//! Makes a server anew on another host when its own is lost.

use super::{DiskNotes, Disks, Driver, Making, Server, SpawnRequest, imaged};
use crate::error::{Error, ErrorKind, Result};
use crate::operations::control::Control;
use crate::operations::resize::DiskInfo;
use crate::partition::PartitionUuid;

impl Driver {
    /// Makes a server on this host whose own host is lost, from the disks that outlived it: its boot disk in the pool
    /// that both hosts reach, and its volumes. Where slots and NVRAM are kept, it gets those that it had; NVRAM that
    /// nobody kept is what firmware gives it. The request has no image.
    ///
    /// That its own host is lost is for the caller to know: two partitions on one disk destroy what is on it. A failed
    /// call leaves the disks as they were, and no partition.
    ///
    /// # Errors
    /// Before anything is changed: an image, no shared disk to boot from, a disk in another pool than `place` says, the
    /// server being here already, slots kept by somebody else. Then [`Error::Saga`]: among its causes, Virtual I/O
    /// Servers with fewer ways to the disks than the server had (Nova's `InvalidRebuild`).
    pub async fn evacuate(
        &self,
        request: SpawnRequest,
        place: Option<DiskInfo>,
        control: &Control,
    ) -> Result<Server> {
        if request.image.is_some() {
            return Err(Error::invalid(
                "a server that is evacuated keeps its disk and needs no image",
                "leave the image out, or rebuild the server where it is",
            ));
        }
        if let Some(place) = &place {
            self.check_place(place)?;
        }
        let disk = match self.find_shared_disk(&request).await {
            // It boots from a volume, and has no disk of its own.
            Err(error)
                if error.is_not_found() && place.is_none() && !request.volumes.is_empty() =>
            {
                None
            }
            disk => Some(disk?),
        };
        self.spawn_again(request, disk, control).await
    }

    async fn find_shared_disk(&self, request: &SpawnRequest) -> Result<DiskNotes> {
        match &self.shared.disks {
            Disks::Ssp { .. } => imaged::existing(self, &request.name, request.instance).await,
            Disks::Local(_) if !request.volumes.is_empty() => Err(Error::operation(
                ErrorKind::NotFound,
                "the server has no boot disk in a shared pool",
                "boot it from a volume",
            )),
            Disks::Local(disks) => Err(Error::operation(
                ErrorKind::Precondition,
                format!(
                    "{} cannot be evacuated to this host: boot disks are in its volume group {}, which no other host reaches",
                    request.name, disks.name
                ),
                "make it anew from an image",
            )),
        }
    }

    /// As [`Self::spawn_with`], for a server of which something may be kept.
    pub(super) async fn spawn_again(
        &self,
        request: SpawnRequest,
        disk: Option<DiskNotes>,
        control: &Control,
    ) -> Result<Server> {
        let partition = PartitionUuid::of_instance(request.instance);
        let kept = self.load_kept(partition, control).await?;
        self.spawn_with(request, disk, Making::Again(kept), control)
            .await
    }
}
