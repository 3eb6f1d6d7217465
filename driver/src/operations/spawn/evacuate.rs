//! Makes a server anew: on another host when its own is lost, or where it is from another image.

use super::{DiskNotes, Disks, Driver, Making, Server, SpawnRequest, imaged};
use crate::error::{Error, ErrorKind, Result};
use crate::operations::control::Control;
use crate::operations::request::DestroyRequest;
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

    /// Makes a server anew where it is, from the request's image: what was on its boot disk is lost, its volumes stay as
    /// they are. It gets the interfaces and volumes that the request has, in the slots that it had.
    ///
    /// It is removed first, and cannot be brought back: a call that failed after that can be repeated, and makes it then.
    ///
    /// # Errors
    /// A request without an image, for a server that has one; those of [`Driver::destroy`] and [`Driver::spawn`].
    pub async fn rebuild(&self, request: SpawnRequest, control: &Control) -> Result<Server> {
        if request.image.is_none() && request.volumes.is_empty() {
            return Err(Error::invalid(
                "there is nothing to make the server from",
                "give an image, or the volume that it boots from",
            ));
        }
        let partition = PartitionUuid::of_instance(request.instance);
        let kept = self.kept_now(partition, control).await?;
        let removal = DestroyRequest {
            name: Some(request.name.clone()),
            volumes: request.volumes.clone(),
            ..DestroyRequest::of(request.instance)
        };
        self.remove_for_rebuild(removal, control).await?;
        self.spawn_with(request, None, Making::Again(kept), control)
            .await
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
