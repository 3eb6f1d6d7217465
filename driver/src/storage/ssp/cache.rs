//! Images in a shared storage pool, uploaded once by whichever host needs them first.
//!
//! Hosts of a pool agree through the pool itself: a tiny marker unit, named `part`, eight digits and
//! the image's name, says that somebody uploads. The lowest marker's owner uploads, the others
//! remove theirs and wait until no marker is left. The drivers of the Python family do the same, so
//! they and this one share a pool. `docs/decisions/image-cache.md` says what differs here: shorter
//! waits, one uploader among the operations of a process, and a report of markers that were left
//! behind.

use std::collections::BTreeSet;
use std::time::Duration;

use powervm_schema::storage::LogicalUnitType;
use powervm_schema::units::Gigabytes;

use super::units::{NewUnit, Unit, Units, same_device};
use super::watch::{Patience, Watch};
use crate::error::{Error, ErrorKind, Result};
use crate::operations::{Control, Progress};
use crate::rest::Session;
use crate::storage::flights::{Flight, Flights};
use crate::storage::image::{Claim, Image};
use crate::storage::names::{ImageUnitName, is_any_marker};
use crate::storage::size::logical_unit_size;
use crate::storage::upload;

/// Size of a marker.
const MARKER_GB: f64 = 0.001;
/// Shortest and longest pause between two looks at somebody else's upload.
const LOOK_AGAIN: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(3));
/// Shortest and longest pause before another try at a boot disk.
const TRY_AGAIN: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(5));
/// Tries at a boot disk in all.
const TRIES: u32 = 4;
/// Tries at removing a unit that would keep others from the image for ever.
const REMOVAL_TRIES: u32 = 5;

/// An image that can be cloned.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ImageUnit {
    /// Unique device identifier.
    pub(crate) udid: String,
    /// Size.
    pub(crate) capacity: Gigabytes,
    /// Uploaded by this driver, just now.
    pub(crate) is_ours: bool,
}

/// One upload that may have to be made.
pub(crate) struct ImageJob<'a> {
    pub(crate) image: &'a Image,
    pub(crate) control: &'a Control,
    /// UUID of the Virtual I/O Server that the upload goes through.
    pub(crate) vios: &'a str,
    /// Tells our marker from others'.
    pub(crate) tag: u32,
    /// Is told of the upload before it begins.
    pub(crate) claim: &'a dyn Claim,
}

/// The images of one tier.
pub(crate) struct ImageCache {
    session: Session,
    units: Units,
    patience: Patience,
    flights: Flights<ImageUnit>,
}

/// An upload that did not come to its end.
struct Failed {
    error: Error,
    /// The partial image is still there.
    left_partial: bool,
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Self {
            error,
            left_partial: false,
        }
    }
}

enum Seen {
    Image(ImageUnit),
    Markers(BTreeSet<String>),
    Nothing,
}

impl ImageCache {
    pub(crate) fn new(session: Session, units: Units, patience: Patience) -> Self {
        Self {
            session,
            units,
            patience,
            flights: Flights::default(),
        }
    }

    pub(crate) fn units(&self) -> &Units {
        &self.units
    }

    /// What operations that need the same image hold together. As long as one holds it, no other
    /// operation of this process removes the image.
    pub(crate) fn board(&self, image: &Image) -> std::sync::Arc<Flight<ImageUnit>> {
        self.flights.board(names_of(image).current())
    }

    /// The image, uploaded now if the pool does not have it.
    ///
    /// # Errors
    /// Those of the requests and of the upload; a wait for somebody else that took too long;
    /// cancellation.
    pub(crate) async fn ensure(
        &self,
        flight: &Flight<ImageUnit>,
        job: &ImageJob<'_>,
    ) -> Result<ImageUnit> {
        flight.result(|| self.find_or_upload(job)).await
    }

    /// A clone of the image, and the image that it is one of; as large as asked for and at least as large as the image.
    ///
    /// When another host removes the image just then, with its last clone, it is uploaded again.
    ///
    /// # Errors
    /// As [`Self::ensure`].
    pub(crate) async fn clone_image(
        &self,
        flight: &Flight<ImageUnit>,
        job: &ImageJob<'_>,
        name: &str,
        root_gb: u64,
        namesakes: &BTreeSet<String>,
    ) -> Result<(Unit, ImageUnit)> {
        let mut tries = 1;
        loop {
            let image = self.ensure(flight, job).await?;
            let error = match self.clone_once(&image, name, root_gb, namesakes).await {
                Ok(unit) => return Ok((unit, image)),
                Err(error) => error,
            };
            let is_gone = !self
                .units
                .list()
                .await?
                .iter()
                .any(|unit| same_device(&unit.udid, &image.udid));
            if !is_gone || tries == TRIES {
                return Err(error);
            }
            tracing::warn!(%error, tries, "the image went away before it was cloned, uploading it again");
            flight.forget(|landed| landed.udid == image.udid).await;
            tries += 1;
            self.pause(job.control, TRY_AGAIN).await?;
        }
    }

    async fn clone_once(
        &self,
        image: &ImageUnit,
        name: &str,
        root_gb: u64,
        namesakes: &BTreeSet<String>,
    ) -> Result<Unit> {
        let new = NewUnit {
            name,
            kind: LogicalUnitType::Disk,
            capacity: Gigabytes::whole(root_gb).max(image.capacity),
            cloned_from: Some(&image.udid),
        };
        match self.units.create(&new).await {
            Err(error) if error.kind() == ErrorKind::UnknownOutcome => {
                let mut found = self.clones_of(&image.udid, name, namesakes).await?;
                // Nothing tells several apart.
                match (found.pop(), found.pop()) {
                    (Some(unit), None) => Ok(unit),
                    _ => Err(error),
                }
            }
            result => result,
        }
    }

    /// Unmapped clones of this image with this name that are none of the `namesakes`, which were there before: what
    /// a lost answer may have been about.
    pub(crate) async fn clones_of(
        &self,
        image: &str,
        name: &str,
        namesakes: &BTreeSet<String>,
    ) -> Result<Vec<Unit>> {
        let mut found = self.units.list().await?;
        found.retain(|unit| {
            !unit.is_image()
                && !unit.is_in_use
                && unit.name == name
                && unit.is_clone_of(image)
                && !namesakes.contains(&unit.udid)
        });
        Ok(found)
    }

    /// Takes back what an upload with this tag may have left: its marker and, if it had begun, the partial image with
    /// its record. Without a marker, an image that is there is whole; the identifier of one that this upload may have
    /// made is returned.
    ///
    /// # Errors
    /// Those of the requests.
    pub(crate) async fn abandon(
        &self,
        names: &ImageUnitName,
        tag: u32,
        uploading: bool,
    ) -> Result<Option<String>> {
        let (units, marker) = (self.units.list().await?, names.marker(tag));
        let named = |name: &str| {
            units
                .iter()
                .find(|unit| unit.is_image() && unit.name == name)
        };
        let image = named(names.current()).filter(|_| uploading);
        let Some(marker) = named(&marker) else {
            return Ok(image.map(|image| image.udid.clone()));
        };
        if let Some(partial) = image {
            upload::forget_disk(&self.session, &partial.name, &partial.udid).await?;
            self.units.delete(partial).await?;
        }
        self.units.delete(marker).await?;
        Ok(None)
    }

    /// Removes an image that nobody needs any more: no clones, no upload of it on its way, no
    /// operation of this process about to clone it. What fails is tried again: another host may be
    /// faster.
    ///
    /// # Errors
    /// Those of the last try.
    pub(crate) async fn remove_if_unused(&self, udid: &str) -> Result<()> {
        let mut left = REMOVAL_TRIES;
        loop {
            left -= 1;
            match self.try_to_remove(udid).await {
                Err(error) if left > 0 => {
                    tracing::warn!(%error, left, "could not remove an image that may be unused");
                }
                done => return done,
            }
            tokio::time::sleep(LOOK_AGAIN.0).await;
        }
    }

    async fn try_to_remove(&self, udid: &str) -> Result<()> {
        let units = self.units.list().await?;
        let found = units
            .iter()
            .find(|unit| unit.is_image() && same_device(&unit.udid, udid));
        let Some(image) = found else { return Ok(()) };
        let is_cloned = units.iter().any(|unit| unit.is_clone_of(udid));
        let is_marked = units
            .iter()
            .any(|unit| is_any_marker(&unit.name) && unit.name.ends_with(&image.name));
        let is_held = self
            .flights
            .is_held(&image.name, |landed| same_device(&landed.udid, udid));
        if is_cloned || is_marked || is_held {
            return Ok(());
        }
        self.units.delete(image).await?;
        tracing::info!(image = image.name, "removed the image with its last clone");
        Ok(())
    }

    async fn find_or_upload(&self, job: &ImageJob<'_>) -> Result<ImageUnit> {
        let names = names_of(job.image);
        let mut watch = Watch::new(self.patience);
        loop {
            match look(&names, &self.units.list().await?, None) {
                Seen::Image(image) => return Ok(image),
                Seen::Markers(markers) => {
                    if watch.is_stale(&markers, job.control)? {
                        self.take_over(&names, &markers).await?;
                        continue;
                    }
                }
                Seen::Nothing => {
                    if let Some(image) = self.claim(job, &names).await? {
                        return Ok(image);
                    }
                    job.control.note(&Progress::Waiting {
                        what: "another host, which uploads the image".to_owned(),
                    });
                }
            }
            self.pause(job.control, LOOK_AGAIN).await?;
        }
    }

    /// Puts up a marker, uploads if it is the lowest, and removes it however that ends. `None` when
    /// somebody else is to upload.
    async fn claim(&self, job: &ImageJob<'_>, names: &ImageUnitName) -> Result<Option<ImageUnit>> {
        let name = names.marker(job.tag);
        let new = NewUnit {
            name: &name,
            kind: LogicalUnitType::Image,
            capacity: Gigabytes::from_f64(MARKER_GB),
            cloned_from: None,
        };
        let outcome = match self.units.create(&new).await {
            Ok(_) => self.upload_as_lowest(job, names, &name).await,
            Err(error) => Err(error.into()),
        };
        match outcome {
            Err(Failed {
                error,
                left_partial: true,
            }) => {
                // Without the marker, others would take the partial image for the image.
                tracing::error!(
                    image = names.current(),
                    marker = name,
                    "a partial image could not be removed; remove first it and then its marker by hand"
                );
                Err(error)
            }
            outcome => {
                self.remove_surely(&name).await;
                outcome.map_err(|failed| failed.error)
            }
        }
    }

    async fn upload_as_lowest(
        &self,
        job: &ImageJob<'_>,
        names: &ImageUnitName,
        mine: &str,
    ) -> std::result::Result<Option<ImageUnit>, Failed> {
        match look(names, &self.units.list().await?, Some(mine)) {
            Seen::Image(_) => return Ok(None),
            Seen::Markers(others)
                if others.first().is_some_and(|lowest| lowest.as_str() < mine) =>
            {
                return Ok(None);
            }
            Seen::Markers(_) | Seen::Nothing => {}
        }
        job.claim.begin().await?;
        let new = NewUnit {
            name: names.current(),
            kind: LogicalUnitType::Image,
            capacity: logical_unit_size(job.image.size),
            cloned_from: None,
        };
        let uploaded = async {
            let unit = self.units.create(&new).await?;
            let (name, udid) = (names.current(), unit.udid.as_str());
            upload::disk(&self.session, job.control, job.image, name, job.vios, udid).await?;
            Ok::<_, Error>(ImageUnit {
                udid: unit.udid,
                capacity: unit.capacity,
                is_ours: true,
            })
        }
        .await;
        match uploaded {
            Ok(image) => Ok(Some(image)),
            Err(error) => {
                tracing::warn!(%error, image = names.current(), "the upload failed, removing the partial image");
                let left_partial = !self.remove_surely(names.current()).await;
                Err(Failed {
                    error,
                    left_partial,
                })
            }
        }
    }

    /// Removes the image unit of this name, trying for a while. Whether it is gone.
    async fn remove_surely(&self, name: &str) -> bool {
        for _ in 0..REMOVAL_TRIES {
            if self.remove_named(name).await {
                return true;
            }
            tokio::time::sleep(LOOK_AGAIN.0).await;
        }
        tracing::error!(
            unit = name,
            "could not remove the logical unit; remove it by hand, or nobody can use the image"
        );
        false
    }

    /// Removes the image unit of exactly this name, also when nobody told its identifier. Whether it
    /// is gone.
    async fn remove_named(&self, name: &str) -> bool {
        let removed = async {
            for unit in self
                .units
                .list()
                .await?
                .iter()
                .filter(|unit| unit.is_image() && unit.name == name)
            {
                self.units.delete(unit).await?;
            }
            Ok::<(), Error>(())
        }
        .await;
        removed
            .inspect_err(
                |error| tracing::warn!(%error, unit = name, "could not remove a logical unit"),
            )
            .is_ok()
    }

    async fn take_over(&self, names: &ImageUnitName, markers: &BTreeSet<String>) -> Result<()> {
        for unit in self.units.list().await? {
            // The image itself may be half written.
            if unit.is_image() && (markers.contains(&unit.name) || names.is_image(&unit.name)) {
                tracing::warn!(
                    unit = unit.name,
                    "removing what an abandoned upload left behind"
                );
                self.units.delete(&unit).await?;
            }
        }
        Ok(())
    }

    async fn pause(&self, control: &Control, (least, most): (Duration, Duration)) -> Result<()> {
        let pause = self.session.jitter().between(least, most);
        tokio::select! {
            () = tokio::time::sleep(pause) => Ok(()),
            () = control.stopped() => Err(Error::Cancelled { what: "waiting for an image".to_owned() }),
        }
    }
}

/// Names of an image's units.
pub(crate) fn names_of(image: &Image) -> ImageUnitName {
    ImageUnitName::of(&image.name, &image.short_checksum())
}

/// What there is of an image, `mine` not counting. A marker outweighs the image, which is still
/// being written then.
fn look(names: &ImageUnitName, units: &[Unit], mine: Option<&str>) -> Seen {
    let images = || units.iter().filter(|unit| unit.is_image());
    let markers: BTreeSet<String> = images()
        .filter(|unit| names.is_marker(&unit.name) && Some(unit.name.as_str()) != mine)
        .map(|unit| unit.name.clone())
        .collect();
    if !markers.is_empty() {
        return Seen::Markers(markers);
    }
    let mut found: Vec<&Unit> = images().filter(|unit| names.is_image(&unit.name)).collect();
    // Under our own name first; of several, every host takes the same one.
    found.sort_by_key(|unit| (unit.name != names.current(), &unit.udid));
    found.first().map_or(Seen::Nothing, |unit| {
        Seen::Image(ImageUnit {
            udid: unit.udid.clone(),
            capacity: unit.capacity,
            is_ours: false,
        })
    })
}
