//! Gives a server another size, or lets it leave for another host.
//!
//! A resize is done with the server off and stays to be confirmed: until then the partition bears another name
//! (`resize_…`, or `migrate_…` when it goes to another host), and can become what it was. It can be done whole, or in
//! the two halves that a compute manager has for it. Volumes stay attached, but for those that a
//! manager names because it ends their connections in between: these are detached when the server has left, and attached
//! before it arrives or when it is taken back.

mod arriving;
mod disk;
mod ending;
mod leaving;
mod live;
mod request;
mod returning;
mod run;
mod volumes;

use std::sync::Arc;
use std::time::Duration;

use powervm_schema::partition::LogicalPartition;
use powervm_schema::xml::Element;
use uuid::Uuid;

pub(super) use self::arriving::Arriving;
use self::disk::Growth;
pub(super) use self::ending::{Confirm, Revert};
pub(super) use self::leaving::Leaving;
pub use self::request::{
    ArriveRequest, Before, ConfirmRequest, DepartRequest, Departure, Destination, DiskInfo,
    ResizeRequest, RevertRequest,
};
pub(super) use self::returning::Returning;
pub(super) use self::run::Resize;
use self::run::{Asked, POWER_OFF, POWER_ON, Part, RENAME, SIZE, TwoNames};
use super::control::Control;
use super::driver::{Driver, path_of};
use super::operation::Notes;
use super::plan::find_pool;
use super::unfinished;
use super::volume::VolumesReport;
use crate::error::{Error, ErrorKind, Result};
use crate::partition::configuration::{NewSize, room_without};
use crate::partition::state::is_stoppable;
use crate::partition::{Configuration, Flavor, PartitionUuid, Sizing};
use crate::rest::Groups;

/// The steps of a resize that is done whole, but for its boot disk.
pub(super) const STEPS: [&str; 4] = [POWER_OFF, RENAME, SIZE, POWER_ON];

/// Whether a partition bears the name of one whose resize or move is to be confirmed or reverted.
pub(super) fn is_to_be_confirmed(partition: &str) -> bool {
    partition.starts_with("resize_") || partition.starts_with("migrate_")
}

impl Driver {
    /// Gives a server another size: powers it off, changes it, and powers it on if it was on. Its partition is called
    /// `resize_…` until [`Driver::confirm_migration`] or [`Driver::finish_revert_migration`].
    ///
    /// A failed or cancelled call leaves the server as it was, and running if it ran; only a boot disk that has grown
    /// stays large. The same holds, after the next start, for one whose process was killed.
    ///
    /// # Errors
    /// Before anything is changed: no such server, one that is being resized already ([`ErrorKind::Exists`]), a size
    /// that breaks a rule or that the host has no room for, a boot disk that would have to shrink. Then
    /// [`Error::Saga`] with the step that failed.
    pub async fn resize(&self, request: ResizeRequest, control: &Control) -> Result<()> {
        let subject = Subject {
            instance: request.instance,
            name: request.name,
            flavor: request.flavor,
            from_gb: request.from_gb,
        };
        let resize = self.begin(Part::Whole, subject, None, control).await?;
        self.run_resize(resize, control).await.map(drop)
    }

    /// Gives a running server another size within its minimum and maximum, over RMC, without a restart and for good:
    /// there is nothing to confirm.
    ///
    /// A failed or cancelled call leaves the server as it was; only a boot disk that has grown stays large.
    ///
    /// # Errors
    /// Before anything is changed: as [`Driver::resize`], a server that does not run or has no active RMC connection,
    /// and a size for which it would have to be off. Then [`Error::Saga`].
    pub async fn resize_live(&self, request: ResizeRequest, control: &Control) -> Result<()> {
        let subject = Subject {
            instance: request.instance,
            name: request.name,
            flavor: request.flavor,
            from_gb: request.from_gb,
        };
        let resize = self.begin(Part::Live, subject, None, control).await?;
        self.run_resize(resize, control).await.map(drop)
    }

    /// Lets a server leave, for another size or for another host: powers it off, lets its boot disk grow, gives
    /// its partition the name of one that leaves, and detaches its volumes.
    ///
    /// A failed or cancelled call leaves the server as it was; only a boot disk that has grown stays large. So does, after
    /// the next start, one whose process was killed, unless the server had left: then its volumes are detached.
    ///
    /// # Errors
    /// Before anything is changed: as [`Driver::resize`], and a boot disk that is not in a shared storage pool when the
    /// server is to go to another host. Then [`Error::Saga`].
    pub async fn migrate_disk_and_power_off(
        &self,
        request: DepartRequest,
        control: &Control,
    ) -> Result<Departure> {
        match request.volumes.is_empty() {
            true => self.leave(&request, control).await,
            false => self.leave_with_volumes(request, control).await,
        }
    }

    /// All of it but the volumes.
    async fn leave(&self, request: &DepartRequest, control: &Control) -> Result<Departure> {
        let subject = Subject {
            instance: request.instance,
            name: request.name.clone(),
            flavor: request.flavor.clone(),
            from_gb: request.from_gb,
        };
        let part = Part::Leave(request.destination);
        let resize = self.begin(part, subject, request.timeout, control).await?;
        let disk = match request.destination {
            Destination::SameHost => None,
            Destination::OtherHost => resize.shared_disk().await?,
        };
        let resize = self.run_resize(resize, control).await?;
        let (uuid, left) = (
            resize.uuid,
            Departure {
                before: resize.asked.before.clone(),
                was_on: resize.asked.was_on,
                disk,
            },
        );
        // The server's turn is its own: others work on it now.
        drop(resize);
        if request.destination == Destination::OtherHost {
            self.keep_slots_if_possible(uuid, control).await;
            self.keep_nvram_if_possible(uuid).await;
        }
        Ok(left)
    }

    /// Lets a server that has left for another size on this host arrive: attaches its volumes, changes its partition
    /// and powers it on if that is asked for. Returns what became of the volumes.
    ///
    /// A failed or cancelled call leaves the server as it left.
    ///
    /// # Errors
    /// Before anything is changed: no such server, one that has not left, a size that breaks a rule or that the host
    /// has no room for. Then [`Error::Saga`].
    pub async fn finish_migration(
        &self,
        request: ArriveRequest,
        control: &Control,
    ) -> Result<VolumesReport> {
        if !request.volumes.is_empty() {
            return self.arrive_with_volumes(request, control).await;
        }
        let none = volumes::none(&request.name, &request.metadata);
        self.arrive_resized(request, control).await.map(|()| none)
    }

    async fn arrive_resized(&self, request: ArriveRequest, control: &Control) -> Result<()> {
        let subject = Subject {
            instance: request.instance,
            name: Some(request.name),
            flavor: Flavor {
                root_gb: 0,
                ..request.flavor
            },
            from_gb: None,
        };
        let part = Part::Arrive {
            power_on: request.power_on,
        };
        let resize = self.begin(part, subject, None, control).await?;
        self.run_resize(resize, control).await.map(drop)
    }

    async fn run_resize(&self, resize: Resize, control: &Control) -> Result<Arc<Resize>> {
        let (resize, steps) = (Arc::new(resize), control.for_steps());
        self.perform(&resize, control, &steps).await?;
        Ok(resize)
    }

    /// Looks at the server, and decides.
    async fn begin(
        &self,
        part: Part,
        subject: Subject,
        patience: Option<Duration>,
        control: &Control,
    ) -> Result<Resize> {
        let uuid = PartitionUuid::of_instance(subject.instance);
        let turn = self.shared.instances.take(&uuid).await;
        if control.token().is_cancelled() {
            return Err(Error::Cancelled {
                what: "the resize".to_owned(),
            });
        }
        unfinished::refuse(self, uuid).await?;
        let entry = self
            .session()
            .get_entry(&path_of(uuid), Groups::None)
            .await?;
        self.refuse_others(&entry.content)?;
        let before = Configuration::of(&entry.content);
        let names = TwoNames::of(subject.name.as_deref().unwrap_or(&before.name), part)?;
        names.check(&before.name, subject.name.is_some(), part)?;
        let new = self.new_size(&subject.flavor, &entry.content, part).await?;
        let server = subject.name.as_deref().unwrap_or(&before.name);
        let growth =
            Growth::plan(self, uuid, server, subject.from_gb, subject.flavor.root_gb).await?;
        if matches!(part, Part::Whole | Part::Leave(_)) {
            self.refuse_taken(&names.temporary).await?;
        }
        let document = LogicalPartition(&entry.content);
        let state = document.partition().state().ok().flatten();
        Ok(Resize {
            driver: self.clone(),
            control: control.for_steps(),
            uuid,
            patience: patience.unwrap_or_else(|| self.config().shutdown_timeout()),
            asked: Asked {
                instance: subject.instance,
                server: server.to_owned(),
                part,
                names,
                before,
                growth,
                was_on: state.is_some_and(|state| is_stoppable(state.as_str())),
            },
            new,
            notes: Notes::default(),
            _turn: turn,
        })
    }

    /// The size that a flavor amounts to for a partition of this host; nothing when it is to go to another one, which
    /// decides by itself.
    async fn new_size(
        &self,
        flavor: &Flavor,
        document: &Element,
        part: Part,
    ) -> Result<Option<(Sizing, u32)>> {
        if part == Part::Leave(Destination::OtherHost) {
            return Ok(None);
        }
        let document = LogicalPartition(document);
        let system = self.system().await?;
        let bounded = (part == Part::Live).then(|| live::within_bounds(flavor, &document));
        let flavor = bounded.as_ref().unwrap_or(flavor);
        let new = NewSize::of(flavor, self.config().sizing(), &system.limits, &document)?;
        system.limits.check(&new.sizing)?;
        let name = document.partition().name().unwrap_or_default();
        if part == Part::Live {
            live::check(&document, &new.sizing)?;
        }
        room_without(system.room, &document).check(name, &new.sizing)?;
        let pool = match new.pool {
            Some(kept) => kept,
            None => find_pool(self, &new.sizing).await?,
        };
        Ok(Some((new.sizing, pool)))
    }

    async fn refuse_taken(&self, name: &str) -> Result<()> {
        match self.list().await?.iter().any(|server| server.name == name) {
            false => Ok(()),
            true => Err(Error::operation(
                ErrorKind::Exists,
                format!("the host has another partition named '{name}'"),
                "confirm or revert the resize of the server whose partition that is",
            )),
        }
    }
}

/// Which server is to have which size.
struct Subject {
    instance: Uuid,
    name: Option<String>,
    flavor: Flavor,
    from_gb: Option<u64>,
}
