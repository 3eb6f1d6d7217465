//! Copies the boot disk of a server to an image, while the server goes on or is off.
//!
//! The copy is what the disk would hold after a loss of power: nobody asks the guest to be still. The disk is mapped to
//! the management partition as long as it is read, and to the server as before.

mod source;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use tokio::sync::OwnedMutexGuard;
use uuid::Uuid;

use super::control::Control;
use super::driver::{Driver, path_of};
use super::operation::{Notes, Operation, Plan};
use super::request::ServerRef;
use crate::devices::Disk;
use crate::error::{Error, Result};
use crate::partition::PartitionUuid;
use crate::rest::Groups;
use crate::saga::{Saga, Step, checkpoint};
use crate::storage::capture::{CaptureTarget, Captured, ImageFile, Paths, Reading, Sink};
use source::{Mapping, Source};

pub(super) const MAP: &str = "map the boot disk to the management partition";
const COPY: &str = "copy the boot disk";
pub(super) const UNMAP: &str = "take the boot disk off the management partition";
const PLACE: &str = "give the image its name";

/// An image of a server's boot disk to be made.
#[derive(Debug, Clone)]
pub struct SnapshotRequest {
    /// The server.
    pub server: ServerRef,
    /// Where the image goes.
    pub target: CaptureTarget,
}

/// An image of a server's boot disk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SnapshotInfo {
    /// The server's name.
    pub server: String,
    /// Name of its boot disk.
    pub disk: String,
    /// The image's file or URL, the latter without what may be secret in it.
    pub image: String,
    /// What it holds: a raw disk.
    #[serde(flatten)]
    pub content: Captured,
}

impl Driver {
    /// Copies the boot disk of a server to a raw image file, or to a server with HTTP PUT. The server may run.
    ///
    /// Only on the management partition of a NovaLink, where the disk is mapped to that partition meanwhile. A failed
    /// or cancelled call leaves no file and no mapping; what a server has taken by PUT, that server keeps.
    ///
    /// # Errors
    /// An HMC; a server without a boot disk of its own; a boot disk in a volume group of a Virtual I/O Server that is
    /// not the management partition; a file that exists; [`Error::Saga`] with the step that failed.
    pub async fn snapshot(
        &self,
        request: SnapshotRequest,
        control: &Control,
    ) -> Result<SnapshotInfo> {
        let partition = self.resolve(&request.server).await?;
        // Two snapshots of one server would share a mapping, and the first to end would take it from the other.
        let turn = self.shared.instances.take(&partition).await;
        let entry = self
            .session()
            .get_entry(&path_of(partition), Groups::None)
            .await?;
        self.refuse_others(&entry.content)?;
        let source = Source::find(self, partition, &entry.content).await?;
        self.devices.check()?;
        let paths = match &request.target {
            CaptureTarget::File(path) => {
                let paths = Paths::of(&absolute(path)?, self.tag())?;
                paths.check().await?;
                Some(paths)
            }
            CaptureTarget::Url { .. } => None,
        };
        let steps = control.for_steps();
        let snapshot = Arc::new(Snapshot {
            driver: self.clone(),
            control: steps.clone(),
            asked: Asked {
                server: source.server.clone(),
                partition: partition.as_uuid(),
                disk: source.disk.name.clone(),
                device: source.device.clone(),
                mapping: source.mapping,
                image: request.target.to_string(),
                paths,
            },
            target: Some(request.target),
            notes: Notes::default(),
            captured: Mutex::default(),
            _turn: turn,
        });
        self.perform(&snapshot, control, &steps).await?;
        snapshot.report()
    }
}

/// Names in a journal are read by a process with another working directory.
fn absolute(path: &std::path::Path) -> Result<std::path::PathBuf> {
    std::path::absolute(path).map_err(|error| {
        Error::caused(
            crate::ErrorKind::Invalid,
            format!("{} is no file's name", path.display()),
            "give the name of an image file that does not exist yet",
            error,
        )
    })
}

/// A snapshot on its way, or on its way back.
pub(super) struct Snapshot {
    driver: Driver,
    control: Control,
    asked: Asked,
    /// It may hold a token, so it is not in the journal.
    target: Option<CaptureTarget>,
    notes: Notes<Found>,
    captured: Mutex<Option<Captured>>,
    _turn: OwnedMutexGuard<()>,
}

/// What the journal keeps of the order.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Asked {
    server: String,
    partition: Uuid,
    disk: String,
    device: source::Device,
    /// The mapping to be made; none where the disk can be read as it is.
    mapping: Option<Mapping>,
    image: String,
    paths: Option<Paths>,
}

/// What its steps found and made.
#[derive(Debug, Default, Clone, Serialize, Deserialize)]
pub(super) struct Found {
    /// The Virtual I/O Servers that may have been asked for the mapping, by UUID; and the management partition's slot
    /// that the disk is behind, where one has answered.
    tried: BTreeMap<String, Option<u32>>,
    /// The image may have its name.
    placed: bool,
}

impl Operation for Snapshot {
    const KIND: &'static str = "snapshot";
    const PLAN: Plan = Plan::Undo;
    type Asked = Asked;
    type Notes = Found;

    fn asked(&self) -> &Asked {
        &self.asked
    }

    fn notes(&self) -> &Notes<Found> {
        &self.notes
    }

    fn recipe(&self) -> Saga<Self> {
        let mut saga = Saga::new(format!("copy the boot disk of {}", self.asked.server)).step(
            Step::new(COPY, Self::copy)
                .after(self.asked.mapping.is_some().then_some(MAP))
                .undo(Self::clear),
        );
        let mut last = COPY;
        if self.asked.mapping.is_some() {
            saga = saga
                .step(Step::new(MAP, Self::map).undo(Self::unmap))
                .step(Step::new(UNMAP, Self::unmap).after([COPY]));
            last = UNMAP;
        }
        if self.asked.paths.is_some() {
            // Last, so that a file of that name is an image that nothing is left to do about.
            saga = saga.step(
                Step::new(PLACE, Self::place)
                    .after([last])
                    .undo(Self::clear),
            );
        }
        saga
    }

    /// Whoever asked was never told of the image, and the rest of it may be different by now.
    async fn revive(
        driver: &Driver,
        asked: Asked,
        found: Found,
        control: &Control,
    ) -> Result<Option<Self>> {
        let partition = PartitionUuid::of_instance(asked.partition);
        let turn = driver.shared.instances.take(&partition).await;
        Ok(Some(Self {
            driver: driver.clone(),
            control: control.clone(),
            asked,
            target: None,
            notes: Notes::new(found),
            captured: Mutex::default(),
            _turn: turn,
        }))
    }
}

impl Snapshot {
    fn mapping(&self) -> Result<&Mapping> {
        self.asked
            .mapping
            .as_ref()
            .ok_or_else(|| Error::internal("there is nothing to map"))
    }

    fn disk(&self) -> Disk {
        self.asked.device.at(self
            .notes
            .with(|found| found.tried.values().copied().flatten().next()))
    }

    /// Through one Virtual I/O Server, whichever does it first.
    async fn map(self: Arc<Self>) -> Result<()> {
        let mapping = self.mapping()?;
        let mut failure = None;
        for vios in &mapping.vioses {
            self.notes.with(|found| {
                found.tried.entry(vios.clone()).or_default();
            });
            // Written down before it is asked for: a killed driver knows where to look.
            checkpoint().await?;
            match mapping.make(&self.driver, vios).await {
                Ok(slot) => {
                    self.notes
                        .with(|found| found.tried.insert(vios.clone(), slot));
                    return Ok(());
                }
                Err(error) => {
                    tracing::warn!(%error, vios, "the disk was not mapped to the management partition");
                    failure = Some(error);
                    // It may have done so all the same, and the disk has to be there once. If this fails as well, the
                    // last step or the undo tries again.
                    let _ = mapping.remove(&self.driver, vios, None).await;
                }
            }
        }
        Err(failure.unwrap_or_else(|| Error::internal("no Virtual I/O Server to map the disk")))
    }

    /// First the mapping: while it is there, a search for disks would bring the device back.
    async fn unmap(self: Arc<Self>) -> Result<()> {
        let (mapping, found) = (self.mapping()?, self.notes.with(|found| found.clone()));
        for (vios, slot) in &found.tried {
            mapping.remove(&self.driver, vios, *slot).await?;
        }
        if found.tried.is_empty() {
            return Ok(());
        }
        self.driver.devices.forget(&self.disk()).await
    }

    async fn copy(self: Arc<Self>) -> Result<()> {
        let target = self
            .target
            .as_ref()
            .ok_or_else(|| Error::internal("a snapshot that is taken back cannot go on"))?;
        let disk = self.disk();
        let opened = tokio::select! {
            opened = self.driver.devices.open(&disk) => opened?,
            () = self.control.stopped() => {
                return Err(Error::Cancelled { what: "waiting for a disk".to_owned() });
            }
        };
        let reading = Reading::of(opened, &self.control, &self.asked.disk);
        let captured = match &self.asked.paths {
            Some(paths) => {
                reading
                    .send(&Sink::File(&ImageFile::at(paths.clone())))
                    .await?
            }
            None => reading.send(&Sink::Url(target)).await?,
        };
        *self.captured.lock().unwrap_or_else(PoisonError::into_inner) = Some(captured);
        Ok(())
    }

    async fn place(self: Arc<Self>) -> Result<()> {
        self.notes.with(|found| found.placed = true);
        checkpoint().await?;
        match &self.asked.paths {
            Some(paths) => paths.place().await,
            None => Ok(()),
        }
    }

    async fn clear(self: Arc<Self>) -> Result<()> {
        let placed = self.notes.with(|found| found.placed);
        match &self.asked.paths {
            Some(paths) => paths.clear(placed).await,
            None => Ok(()),
        }
    }

    fn report(&self) -> Result<SnapshotInfo> {
        let captured = self
            .captured
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        Ok(SnapshotInfo {
            server: self.asked.server.clone(),
            disk: self.asked.disk.clone(),
            image: self.asked.image.clone(),
            content: captured.ok_or_else(|| Error::internal("a snapshot without content"))?,
        })
    }
}
