//! Rendered resources, kept until they change, are deleted or the room is needed.
//!
//! There is one text for each address and set of groups, the newest. Nothing tells the cache that a resource is
//! gone; it looks for those whenever the number of its texts has doubled, which costs a share of having rendered
//! them.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use uuid::Uuid;

use super::envelope::Sealed;
use super::found::Found;
use crate::http::base::Base;
use crate::model::{Resource, World};

/// Which document a text is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Address {
    /// What it shows.
    pub(crate) resource: Resource,
    /// Bits of the extended attribute groups.
    pub(crate) groups: u32,
    /// Scheme, host and port of the links.
    pub(crate) base: Base,
    /// The console that tells it: of several NovaLinks each sees the common storage in its own way.
    pub(crate) console: Uuid,
}

/// Which version of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Version {
    /// The resource's etag in these groups.
    pub(crate) etag: i32,
    /// What the text shows beside what the etag covers.
    pub(crate) variant: [u64; 2],
}

/// Rendered resources, bounded by their size in bytes.
#[derive(Debug)]
pub(crate) struct Cache {
    limit: usize,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    slots: HashMap<Address, Slot>,
    bytes: usize,
    /// Questions so far.
    asked: u64,
    /// With so many slots the next sweep is due.
    sweep_at: usize,
}

#[derive(Debug)]
struct Slot {
    version: Version,
    text: Sealed,
    /// The question that it answered last.
    used: u64,
}

/// What an address and its bookkeeping weigh beside the text, roughly.
const OVERHEAD: usize = 256;
/// Fewer slots than this are not worth a sweep.
const FEW: usize = 256;

impl Cache {
    /// An empty cache that keeps at most `limit` bytes.
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            limit,
            inner: Mutex::default(),
        }
    }

    /// The text for this version, rendered now unless it is known. Rendering happens outside the lock.
    pub(crate) fn text(
        &self,
        world: &World,
        address: Address,
        version: Version,
        render: impl FnOnce() -> Sealed,
    ) -> Sealed {
        if let Some(known) = self.lock().find(&address, version) {
            return known;
        }
        let text = render();
        if text.len() + OVERHEAD <= self.limit {
            self.lock()
                .keep(world, address, version, text.clone(), self.limit);
        }
        text
    }

    /// Forgets all texts.
    pub(crate) fn clear(&self) {
        *self.lock() = Inner::default();
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn find(&mut self, address: &Address, version: Version) -> Option<Sealed> {
        self.asked += 1;
        let slot = self.slots.get_mut(address)?;
        if slot.version != version {
            return None;
        }
        slot.used = self.asked;
        Some(slot.text.clone())
    }

    fn keep(
        &mut self,
        world: &World,
        address: Address,
        version: Version,
        text: Sealed,
        limit: usize,
    ) {
        let slot = Slot {
            version,
            text,
            used: self.asked,
        };
        self.bytes += weight(&slot);
        if let Some(before) = self.slots.insert(address, slot) {
            self.bytes -= weight(&before);
        }
        if self.slots.len() >= self.sweep_at.max(FEW) || self.bytes > limit {
            self.sweep(world, limit);
        }
    }

    /// Drops what is gone, and if that is not enough, the longest unused until half the room is free.
    fn sweep(&mut self, world: &World, limit: usize) {
        self.slots
            .retain(|address, _| Found::resource(world, &address.resource).is_some());
        self.bytes = self.slots.values().map(weight).sum();
        if self.bytes > limit {
            let mut uses: Vec<(u64, usize)> = self
                .slots
                .values()
                .map(|slot| (slot.used, weight(slot)))
                .collect();
            uses.sort_unstable_by(|a, b| b.cmp(a));
            let mut room = limit / 2;
            let kept = uses.iter().take_while(|(_, weight)| {
                let fits = *weight <= room;
                room = room.saturating_sub(*weight);
                fits
            });
            let newest = kept.last().map_or(u64::MAX, |(used, _)| *used);
            self.slots.retain(|_, slot| slot.used >= newest);
            self.bytes = self.slots.values().map(weight).sum();
        }
        self.sweep_at = 2 * self.slots.len();
    }
}

fn weight(slot: &Slot) -> usize {
    slot.text.len() + OVERHEAD
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::Simulator;

    fn world() -> Arc<World> {
        Simulator::builder().build().expect("a simulator").world()
    }

    fn address(resource: Resource) -> Address {
        Address {
            resource,
            groups: 0,
            base: Base::new("http", "h"),
            console: Uuid::nil(),
        }
    }

    fn partition(id: u128) -> Address {
        address(Resource::LogicalPartition(Uuid::from_u128(id)))
    }

    fn sealed(text: &str) -> Sealed {
        text.to_owned().into()
    }

    fn version(etag: i32) -> Version {
        Version {
            etag,
            variant: [0; 2],
        }
    }

    #[test]
    fn a_known_text_is_not_rendered_again_until_the_etag_changes() {
        let (world, cache) = (world(), Cache::new(1 << 20));
        let ask = |etag, text: &'static str| {
            let text = cache.text(&world, partition(1), version(etag), || sealed(text));
            text.text()
        };
        assert_eq!(ask(1, "a"), sealed("a").text());
        assert_eq!(ask(1, "not rendered"), sealed("a").text());
        assert_eq!(ask(2, "b"), sealed("b").text());
        assert_eq!(cache.lock().slots.len(), 1);
    }

    #[test]
    fn the_cache_stays_within_its_limit() {
        let (world, cache) = (world(), Cache::new(10_000));
        for id in 0..1000 {
            cache.text(&world, partition(id), version(0), || {
                sealed(&"x".repeat(500))
            });
            assert!(cache.lock().bytes <= 10_000);
        }
        let huge = cache.text(&world, partition(0), version(9), || {
            sealed(&"x".repeat(20_000))
        });
        assert!(huge.len() > 20_000);
        assert!(cache.lock().bytes <= 10_000);
    }

    #[test]
    fn the_longest_unused_makes_room() {
        let (world, cache) = (world(), Cache::new(100_000));
        let console = || address(Resource::ManagementConsole(world.console.uuid));
        cache.text(&world, console(), version(0), || sealed("x"));
        for id in 0..1000 {
            let system = world.systems.keys().next().copied().expect("a system");
            let known = Address {
                groups: id,
                ..address(Resource::ManagedSystem(system))
            };
            cache.text(&world, known, version(0), || sealed(&"x".repeat(500)));
            cache.text(&world, console(), version(0), || unreachable!("in use"));
        }
    }

    #[test]
    fn what_is_gone_from_the_world_does_not_stay() {
        let (world, cache) = (world(), Cache::new(1 << 30));
        let console = || address(Resource::ManagementConsole(world.console.uuid));
        cache.text(&world, console(), version(0), || sealed("x"));
        for id in 0..10_000 {
            cache.text(&world, partition(id), version(0), || sealed("x"));
        }
        assert!(cache.lock().slots.len() <= FEW);
        cache.text(&world, console(), version(0), || {
            unreachable!("it is there")
        });
    }
}
