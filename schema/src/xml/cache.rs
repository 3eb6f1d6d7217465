//! Strings and attribute lists that repeat within one document, kept once.

use std::sync::Arc;

use smol_str::SmolStr;

use super::chars;
use super::element::Attribute;

/// What a long document with all its names needs. As the fewest, a power of two; the hash has ten bits.
const MOST_SLOTS: usize = 1024;
const FEWEST_SLOTS: usize = 16;
/// So many bytes of a document come to one slot: most documents are short, and to make and clear a thousand slots would
/// take longer than to read them.
const BYTES_A_SLOT: usize = 32;

/// A direct-mapped cache: one entry a slot, a newcomer takes the slot.
///
/// A document made to collide costs misses, never more: there are no chains to grow.
pub(crate) struct Cache<V> {
    slots: Vec<Option<(SmolStr, V)>>,
}

impl<V> Cache<V> {
    /// For a document of so many bytes.
    pub(crate) fn for_document(bytes: usize) -> Self {
        let wanted = (bytes / BYTES_A_SLOT).next_power_of_two();
        let mut slots = Vec::new();
        slots.resize_with(wanted.clamp(FEWEST_SLOTS, MOST_SLOTS), || None);
        Self { slots }
    }

    fn slot(&self, key: &str) -> usize {
        // Their number is a power of two.
        hash(key) & (self.slots.len() - 1)
    }

    pub(crate) fn get(&self, key: &str) -> Option<&V> {
        match self.slots.get(self.slot(key)) {
            Some(Some((held, value))) if held == key => Some(value),
            _ => None,
        }
    }

    pub(crate) fn put(&mut self, key: SmolStr, value: V) {
        let slot = self.slot(&key);
        if let Some(place) = self.slots.get_mut(slot) {
            *place = Some((key, value));
        }
    }
}

fn hash(key: &str) -> usize {
    let bytes = key.as_bytes();
    let head = bytes.first_chunk::<8>().map(|c| u64::from_le_bytes(*c));
    let tail = bytes.last_chunk::<8>().map(|c| u64::from_le_bytes(*c));
    let middle = bytes.get(bytes.len() / 2).copied().map_or(0, u64::from);
    let mixed = match (head, tail) {
        (Some(head), Some(tail)) => head ^ tail.rotate_left(29),
        _ => bytes.iter().fold(0, |sum, &b| (sum << 8) | u64::from(b)),
    };
    let mixed = (mixed ^ (middle << 40) ^ bytes.len() as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed >> 54) as usize
}

/// The names of a document, checked and split once each.
pub(crate) struct Names(Cache<(Option<SmolStr>, SmolStr)>);

impl Names {
    pub(crate) fn for_document(bytes: usize) -> Self {
        Self(Cache::for_document(bytes))
    }

    /// Prefix and local name, or `None` when the name is not well formed.
    pub(crate) fn split(&mut self, name: &str) -> Option<(Option<SmolStr>, SmolStr)> {
        if let Some(known) = self.0.get(name) {
            return Some(known.clone());
        }
        let (prefix, local) = chars::split_name(name)?;
        let entry = (prefix.map(SmolStr::new), SmolStr::new(local));
        let key = if prefix.is_none() {
            entry.1.clone()
        } else {
            SmolStr::new(name)
        };
        self.0.put(key, entry.clone());
        Some(entry)
    }
}

/// Attribute lists without namespaces, such as `kb="ROR" kxe="false"`, shared by the elements that have them.
pub(crate) struct Lists(Cache<Arc<[Attribute]>>);

impl Lists {
    const LONGEST: usize = 64;

    pub(crate) fn for_document(bytes: usize) -> Self {
        Self(Cache::for_document(bytes))
    }

    pub(crate) fn get(&self, raw: &str) -> Option<Arc<[Attribute]>> {
        if raw.len() > Self::LONGEST {
            return None;
        }
        self.0.get(raw).cloned()
    }

    pub(crate) fn put(&mut self, raw: &str, list: &Arc<[Attribute]>) {
        let plain = list
            .iter()
            .all(|a| a.prefix().is_none() && !a.is_declaration());
        if raw.len() <= Self::LONGEST && plain {
            self.0.put(SmolStr::new(raw), Arc::clone(list));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cache_gives_back_what_was_put() {
        let mut cache = Cache::for_document(1 << 20);
        let keys: Vec<String> = (0..300).map(|n| format!("Name{n}OfSomething")).collect();
        for key in &keys {
            cache.put(SmolStr::new(key), key.clone());
            assert_eq!(cache.get(key), Some(key));
        }
        let mut small = Cache::for_document(0);
        for key in &keys {
            small.put(SmolStr::new(key), key.clone());
        }
        for cache in [&cache, &small] {
            let known = keys.iter().filter_map(|key| Some((key, cache.get(key)?)));
            assert!(known.clone().count() >= FEWEST_SLOTS / 2);
            assert!(known.clone().all(|(key, held)| held == key));
        }
    }
}
