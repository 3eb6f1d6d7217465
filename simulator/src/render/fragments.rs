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

/// How many bytes of documents are held for their mappings; what lies in the cache as well is not held twice.
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
    list: Vec<Fragment>,
    /// The document in which they lie.
    document: Bytes,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Common {
    system: Uuid,
    machine: MachineId,
    server_id: u16,
}

/// A bus with its devices, and where its text lies.
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

    /// Keeps what was written into `document`.
    pub(crate) fn keep(
        &self,
        cx: &Context<'_>,
        vios: &VirtualIoServer,
        written: Written,
        document: &Bytes,
    ) {
        let mut kept = self.lock();
        let held: usize = kept.values().map(|written| written.document.len()).sum();
        if held + document.len() > MOST {
            kept.clear();
        }
        if !written.list.is_empty() && document.len() <= MOST {
            let document = document.clone();
            let key = (vios.partition.uuid, cx.base.clone());
            kept.insert(
                key,
                Written {
                    document,
                    ..written
                },
            );
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
    /// How long the document was.
    pub(crate) fn length(&self) -> usize {
        self.document.len()
    }

    /// Writes the mappings of all buses, by `mapping` those that are not what they were. Afterwards this tells where
    /// they lie now.
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
        let mut before = Vec::new();
        if self.common == common {
            before = std::mem::take(&mut self.list);
        }
        self.common = common;
        self.list = Vec::with_capacity(vios.buses.len());
        let mut before = before.into_iter().peekable();
        for bus in vios.buses.values() {
            while before.next_if(|old| old.bus.slot < bus.slot).is_some() {}
            let old = before.next_if(|old| old.bus.slot == bus.slot);
            let client = bus.client.as_ref();
            let mut next = Fragment {
                client_serves: client
                    .is_some_and(|client| cx.world.vioses.contains_key(&client.partition)),
                storages: bus
                    .devices
                    .iter()
                    .map(|device| Storage::of(cx, vios, &device.backing))
                    .collect(),
                bus: Arc::clone(bus),
                text: 0..0,
            };
            let begin = w.len();
            let same = old.filter(|old| old.shows_the_same_as(&next));
            let text = same.and_then(|old| self.document.get(old.text));
            match text.and_then(|text| std::str::from_utf8(text).ok()) {
                Some(text) => w.raw(text),
                None => mapping(w, bus),
            }
            next.text = begin..w.len();
            self.list.push(next);
        }
        self.document = Bytes::new();
    }
}

impl Fragment {
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
