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

impl Storage {
    fn of(cx: &Context<'_>, vios: &VirtualIoServer, backing: &Backing) -> Self {
        let found = match backing {
            Backing::LogicalUnit { tier, unit } => cx
                .world
                .logical_unit(*tier, *unit)
                .map(|unit| Self::Unit(Arc::clone(unit))),
            Backing::PhysicalVolume { name } => vios
                .physical_volume(name)
                .map(|volume| Self::Volume(Arc::clone(volume))),
            Backing::VirtualDisk { group, udid } => vios
                .volume_group(*group)
                .and_then(|group| group.disk(udid))
                .map(|disk| Self::Disk(Arc::clone(disk))),
            Backing::OpticalMedium { group, name } => vios
                .volume_group(*group)
                .and_then(|group| group.repository.as_ref())
                .and_then(|repository| repository.media.get(name))
                .map(|medium| Self::Medium(Arc::clone(medium))),
            Backing::External { name } => vios
                .external_disks
                .get(name)
                .map(|disk| Self::External(Arc::clone(disk))),
        };
        found.unwrap_or(Self::Gone)
    }

    fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Unit(one), Self::Unit(other)) => Arc::ptr_eq(one, other),
            (Self::Volume(one), Self::Volume(other)) => Arc::ptr_eq(one, other),
            (Self::Disk(one), Self::Disk(other)) => Arc::ptr_eq(one, other),
            (Self::Medium(one), Self::Medium(other)) => Arc::ptr_eq(one, other),
            (Self::External(one), Self::External(other)) => Arc::ptr_eq(one, other),
            (Self::Gone, Self::Gone) => true,
            _ => false,
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
            let mut fragments = Vec::new();
            while let Some(bus) = buses.next_if(|bus| bus.slot / TOGETHER == number) {
                fragments.push(Fragment::of(cx, vios, bus));
            }
            while before.next_if(|old| old.number < number).is_some() {}
            let old = before.next_if(|old| old.number == number);
            let group = match old {
                Some(old) if old.shows(&fragments) => old,
                old => Group::write(w, number, old, fragments, &mut mapping),
            };
            self.pieces.push(group.text.clone());
            self.groups.push(group);
        }
    }
}

impl Group {
    fn shows(&self, fragments: &[Fragment]) -> bool {
        self.fragments.len() == fragments.len()
            && self
                .fragments
                .iter()
                .zip(fragments)
                .all(|(one, other)| one.shows_the_same_as(other))
    }

    fn write(
        w: &mut Writer,
        number: u16,
        old: Option<Self>,
        mut fragments: Vec<Fragment>,
        mapping: &mut impl FnMut(&mut Writer, &ScsiBus),
    ) -> Self {
        let known = |next: &Fragment| {
            let old = old.as_ref()?;
            let mut same = old.fragments.iter();
            let same = same.find(|fragment| fragment.shows_the_same_as(next))?;
            std::str::from_utf8(old.text.get(same.text.clone())?).ok()
        };
        for next in &mut fragments {
            let begin = w.len();
            match known(next) {
                Some(text) => w.raw(text),
                None => mapping(w, &next.bus),
            }
            next.text = begin..w.len();
        }
        Self {
            number,
            fragments,
            text: w.take().into(),
        }
    }
}

impl Fragment {
    fn of(cx: &Context<'_>, vios: &VirtualIoServer, bus: &Arc<ScsiBus>) -> Self {
        let client = bus.client.as_ref();
        Self {
            client_serves: client
                .is_some_and(|client| cx.world.vioses.contains_key(&client.partition)),
            storages: bus
                .devices
                .iter()
                .map(|device| Storage::of(cx, vios, &device.backing))
                .collect(),
            bus: Arc::clone(bus),
            text: 0..0,
        }
    }

    fn shows_the_same_as(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.bus, &other.bus)
            && self.client_serves == other.client_serves
            && self.storages.len() == other.storages.len()
            && self
                .storages
                .iter()
                .zip(&other.storages)
                .all(|(one, other)| one.is(other))
    }
}
