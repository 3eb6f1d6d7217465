//! The steps of a deploy that concern slots: those that the server had on another host, and those that are kept.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{Kept, Spawn};
use crate::error::{Error, ErrorKind, Result};
use crate::host::Vios;
use crate::operations::volume::find;
use crate::operations::{ibmi, imaged};
use crate::partition::SlotMap;
use crate::partition::slots::{Place, Places, RebuildError, disk_key};
use crate::storage::mapping::Wanted;

/// Whether a server is made, or made anew.
pub(super) enum Making {
    New,
    /// With what was kept of it.
    Again(Kept),
}

impl Making {
    pub(super) fn is_new(&self) -> bool {
        matches!(self, Self::New)
    }

    pub(super) fn kept(self) -> Kept {
        match self {
            Self::New => Kept::default(),
            Self::Again(kept) => kept,
        }
    }
}

impl Spawn {
    /// The slots that the server had on another host, if they are known.
    pub(super) fn slots(&self) -> Option<&SlotMap> {
        self.order.as_ref()?.kept.slots.as_ref()
    }

    pub(super) fn has_slots(&self) -> bool {
        self.slots().is_some()
    }

    /// The places that disks are to have, where the server had them elsewhere.
    pub(super) fn places(&self) -> Result<Option<Places>> {
        let Some(slots) = self.slots() else {
            return Ok(None);
        };
        let offer = |vios: &Vios| {
            let disks = self.wanted_anywhere(vios).into_iter();
            let disks = disks.filter_map(|wanted| disk_key(wanted.mapped()));
            (vios.uuid.clone(), disks.collect())
        };
        let offers: Vec<_> = self.vioses.iter().map(offer).collect();
        slots.places(&offers).map(Some).map_err(invalid_rebuild)
    }

    /// What a Virtual I/O Server is to serve, in its places. One that has more ways to a disk than the server had does
    /// not serve it.
    pub(super) fn wanted_of(&self, vios: &Vios, places: Option<&Places>) -> Vec<Wanted> {
        let wanted = self.wanted_anywhere(vios);
        let Some(places) = places else {
            return wanted;
        };
        let (mut placed, mut others) = (Vec::new(), Vec::new());
        for wanted in wanted {
            match places.of(&vios.uuid, disk_key(wanted.mapped()).as_deref()) {
                Place::Nowhere => {}
                Place::Anywhere => others.push(wanted),
                Place::At(seat) if seat.address.is_none() => others.push(wanted.in_slot(seat.slot)),
                Place::At(seat) => placed.push(wanted.at(seat.address).in_slot(seat.slot)),
            }
        }
        // Last, so that they get addresses that nothing else is to have.
        placed.extend(others);
        placed
    }

    fn wanted_anywhere(&self, vios: &Vios) -> Vec<Wanted> {
        let media = self.note(|found| found.media.clone());
        let mut wanted: Vec<Wanted> = imaged::wanted(self, vios).into_iter().collect();
        wanted.extend(self.volumes.wanted(vios));
        if media.is_some_and(|place| place.vios == vios.uuid) {
            wanted.push(Wanted::optical_media(&self.media_name()));
        }
        wanted
    }

    /// Its adapters go with the partition, so there is nothing to take back.
    pub(super) async fn tag_load_source(self: Arc<Self>) -> Result<()> {
        let asked = &self.asked;
        let is_served = |volume| find::is_served(&self.driver, volume);
        let starts_from_port = asked.disk.is_none()
            && self.note(|found| found.disk.is_none())
            && asked
                .volumes
                .first()
                .is_some_and(|volume| !is_served(volume));
        ibmi::tag(&self.driver, self.partition, starts_from_port).await
    }

    pub(super) async fn keep_slots(self: Arc<Self>) -> Result<()> {
        self.driver.keep_slots(self.partition).await.map(drop)
    }

    /// What is kept of a server that was there before is as it was.
    pub(super) async fn forget_slots(self: Arc<Self>) -> Result<()> {
        if self.asked.is_new {
            let (driver, control) = (&self.driver, &self.control);
            driver
                .delete_kept_if_possible(self.partition, control)
                .await;
        }
        Ok(())
    }
}

/// The first of these for each bus.
pub(super) fn one_a_bus(mut wanted: Vec<Wanted>) -> Vec<Wanted> {
    let mut buses = BTreeSet::new();
    wanted.retain(|wanted| buses.insert(wanted.slot()));
    wanted
}

/// Nova's `InvalidRebuild`.
pub(super) fn invalid_rebuild(error: RebuildError) -> Error {
    Error::caused(
        ErrorKind::Precondition,
        format!("the server cannot be made here as it was: {error}"),
        "choose a host with as many ways to its disks, or forget its slots (powervm store delete)",
        error,
    )
}
