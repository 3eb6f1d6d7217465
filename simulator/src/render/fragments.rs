//! Mappings as they were written last: of hundreds behind a Virtual I/O Server a change touches one or two.
//!
//! The world's values are immutable and shared. A mapping whose values are still the very same ones has the same
//! text, so that needs no version and forgets nothing.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use uuid::Uuid;

use super::context::Context;
use super::writer::Writer;
use crate::http::base::Base;
use crate::model::pool::LogicalUnit;
use crate::model::storage::{OpticalMedium, PhysicalVolume, VirtualDisk};
use crate::model::system::MachineId;
use crate::model::vios::{Backing, ExternalDisk, ScsiBus, VirtualIoServer};

/// How many slots share a piece: few, so that a change copies little; several, so that an answer has few pieces.
const TOGETHER: u16 = 16;

/// How many bytes of mappings are held; what lies in the cache as well is not held twice.
const MOST: usize = 16 << 20;

/// The mappings of Virtual I/O Servers.
#[derive(Debug, Default)]
pub(crate) struct Fragments {
    inner: Mutex<HashMap<(Uuid, Base), Written>>,
}

/// The mappings of one document.
#[derive(Debug, Default)]
pub(crate) struct Written {
    /// What all of them show.
    common: Option<Common>,
    groups: Vec<Group>,
    /// The document up to the end of the mappings, in pieces.
    pieces: Vec<Bytes>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Common {
    system: Uuid,
    machine: MachineId,
    server_id: u16,
}

/// Buses whose slots lie together, and their text.
#[derive(Debug)]
struct Group {
    number: u16,
    fragments: Vec<Fragment>,
    text: Bytes,
}

/// A bus with its devices, and where its text lies in the group's.
#[derive(Debug)]
struct Fragment {
    bus: Arc<ScsiBus>,
    client_serves: bool,
    storages: Vec<Storage>,
    text: Range<usize>,
}

/// The storage behind a device, as it was.
#[derive(Debug)]
enum Storage {
    Unit(Arc<LogicalUnit>),
    Volume(Arc<PhysicalVolume>),
    Disk(Arc<VirtualDisk>),
    Medium(Arc<OpticalMedium>),
    External(Arc<ExternalDisk>),
    Gone,
}

/// The storage behind a device, as it is.
#[derive(Clone, Copy)]
enum Present<'w> {
    Unit(&'w Arc<LogicalUnit>),
    Volume(&'w Arc<PhysicalVolume>),
    Disk(&'w Arc<VirtualDisk>),
    Medium(&'w Arc<OpticalMedium>),
    External(&'w Arc<ExternalDisk>),
    Gone,
}

impl<'w> Present<'w> {
    fn of(cx: &Context<'w>, vios: &'w VirtualIoServer, backing: &Backing) -> Self {
        let found = match backing {
            Backing::LogicalUnit { tier, unit } => {
                cx.world.logical_unit(*tier, *unit).map(Self::Unit)
            }
            Backing::PhysicalVolume { name } => vios.physical_volume(name).map(Self::Volume),
            Backing::VirtualDisk { group, udid } => vios
                .volume_group(*group)
                .and_then(|group| group.disk(udid))
                .map(Self::Disk),
            Backing::OpticalMedium { group, name } => vios
                .volume_group(*group)
                .and_then(|group| group.repository.as_ref())
                .and_then(|repository| repository.media.get(name))
                .map(Self::Medium),
            Backing::External { name } => vios.external_disks.get(name).map(Self::External),
        };
        found.unwrap_or(Self::Gone)
    }

    fn is(self, other: &Storage) -> bool {
        match (self, other) {
            (Self::Unit(one), Storage::Unit(other)) => Arc::ptr_eq(one, other),
            (Self::Volume(one), Storage::Volume(other)) => Arc::ptr_eq(one, other),
            (Self::Disk(one), Storage::Disk(other)) => Arc::ptr_eq(one, other),
            (Self::Medium(one), Storage::Medium(other)) => Arc::ptr_eq(one, other),
            (Self::External(one), Storage::External(other)) => Arc::ptr_eq(one, other),
            (Self::Gone, Storage::Gone) => true,
            _ => false,
        }
    }

    fn kept(self) -> Storage {
        match self {
            Self::Unit(unit) => Storage::Unit(Arc::clone(unit)),
            Self::Volume(volume) => Storage::Volume(Arc::clone(volume)),
            Self::Disk(disk) => Storage::Disk(Arc::clone(disk)),
            Self::Medium(medium) => Storage::Medium(Arc::clone(medium)),
            Self::External(disk) => Storage::External(Arc::clone(disk)),
            Self::Gone => Storage::Gone,
        }
    }
}

impl Fragments {
    /// What was written of this server for this client last; it is taken out.
    pub(crate) fn take(&self, cx: &Context<'_>, vios: &VirtualIoServer) -> Written {
        let key = (vios.partition.uuid, cx.base.clone());
        self.lock().remove(&key).unwrap_or_default()
    }

    /// Keeps what was written.
    pub(crate) fn keep(&self, cx: &Context<'_>, vios: &VirtualIoServer, written: Written) {
        let length = written.length();
        let mut kept = self.lock();
        let held: usize = kept.values().map(Written::length).sum();
        if held + length > MOST {
            kept.clear();
        }
        if length > 0 && length <= MOST {
            kept.insert((vios.partition.uuid, cx.base.clone()), written);
        }
    }

    /// Forgets all.
    pub(crate) fn clear(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<(Uuid, Base), Written>> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Written {
    /// The length of all mappings in bytes.
    fn length(&self) -> usize {
        self.groups.iter().map(|group| group.text.len()).sum()
    }

    /// The pieces of the document before what is in the writer; they are there once.
    pub(crate) fn pieces(&mut self) -> Vec<Bytes> {
        std::mem::take(&mut self.pieces)
    }

    /// Writes the mappings of all buses, by `mapping` those that are not what they were. Afterwards this has them, and
    /// what the writer had before them, in pieces; the writer goes on behind them.
    pub(crate) fn write(
        &mut self,
        w: &mut Writer,
        cx: &Context<'_>,
        vios: &VirtualIoServer,
        mut mapping: impl FnMut(&mut Writer, &ScsiBus),
    ) {
        let system = cx.world.systems.get(&vios.partition.system);
        let common = system.map(|system| Common {
            system: system.uuid,
            machine: system.machine.clone(),
            server_id: vios.partition.id,
        });
        let mut before = std::mem::take(&mut self.groups);
        if self.common != common {
            before.clear();
        }
        self.common = common;
        let mut before = before.into_iter().peekable();
        self.pieces.push(w.take().into());
        let mut buses = vios.buses.values().peekable();
        while let Some(first) = buses.peek() {
            let number = first.slot / TOGETHER;
            let mut together = Vec::with_capacity(usize::from(TOGETHER));
            while let Some(bus) = buses.next_if(|bus| bus.slot / TOGETHER == number) {
                together.push(bus);
            }
            while before.next_if(|old| old.number < number).is_some() {}
            let old = before.next_if(|old| old.number == number);
            let group = match old {
                Some(old) if old.still_shows(cx, vios, &together) => old,
                old => {
                    let known = |bus: &Arc<ScsiBus>| old.as_ref()?.text_of(cx, vios, bus);
                    Group::write(w, cx, vios, (number, &together), known, &mut mapping)
                }
            };
            self.pieces.push(group.text.clone());
            self.groups.push(group);
        }
    }
}

impl Group {
    fn still_shows(
        &self,
        cx: &Context<'_>,
        vios: &VirtualIoServer,
        buses: &[&Arc<ScsiBus>],
    ) -> bool {
        self.fragments.len() == buses.len()
            && self
                .fragments
                .iter()
                .zip(buses)
                .all(|(fragment, bus)| fragment.still_shows(cx, vios, bus))
    }

    /// The text of a bus that is what it was.
    fn text_of(
        &self,
        cx: &Context<'_>,
        vios: &VirtualIoServer,
        bus: &Arc<ScsiBus>,
    ) -> Option<&str> {
        let mut fragments = self.fragments.iter();
        let same = fragments.find(|fragment| fragment.still_shows(cx, vios, bus))?;
        std::str::from_utf8(self.text.get(same.text.clone())?).ok()
    }

    fn write<'t>(
        w: &mut Writer,
        cx: &Context<'_>,
        vios: &VirtualIoServer,
        (number, buses): (u16, &[&Arc<ScsiBus>]),
        known: impl Fn(&Arc<ScsiBus>) -> Option<&'t str>,
        mapping: &mut impl FnMut(&mut Writer, &ScsiBus),
    ) -> Self {
        let mut fragments = Vec::with_capacity(buses.len());
        for bus in buses {
            let begin = w.len();
            match known(bus) {
                Some(text) => w.raw(text),
                None => mapping(w, bus),
            }
            fragments.push(Fragment::of(cx, vios, bus, begin..w.len()));
        }
        Self {
            number,
            fragments,
            text: w.take().into(),
        }
    }
}

impl Fragment {
    fn of(
        cx: &Context<'_>,
        vios: &VirtualIoServer,
        bus: &Arc<ScsiBus>,
        text: Range<usize>,
    ) -> Self {
        let devices = bus.devices.iter();
        Self {
            client_serves: serves(cx, bus),
            storages: devices
                .map(|device| Present::of(cx, vios, &device.backing).kept())
                .collect(),
            bus: Arc::clone(bus),
            text,
        }
    }

    fn still_shows(&self, cx: &Context<'_>, vios: &VirtualIoServer, bus: &Arc<ScsiBus>) -> bool {
        Arc::ptr_eq(&self.bus, bus)
            && self.client_serves == serves(cx, bus)
            && self
                .storages
                .iter()
                .zip(&bus.devices)
                .all(|(storage, device)| Present::of(cx, vios, &device.backing).is(storage))
    }
}

/// Whether the client is a Virtual I/O Server itself.
fn serves(cx: &Context<'_>, bus: &ScsiBus) -> bool {
    let client = bus.client.as_ref();
    client.is_some_and(|client| cx.world.vioses.contains_key(&client.partition))
}
