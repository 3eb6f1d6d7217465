//! Maps that keep indexes of what is in them.

use std::fmt::Debug;
use std::ops::{Bound, Deref, DerefMut};
use std::sync::Arc;

use imbl::{OrdMap, OrdSet};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

/// What a [`Register`] can hold.
pub trait Indexed: Clone {
    /// What it is called by.
    type Id: Copy + Debug + Ord;
    /// All that the index depends on; small, since every change compares two of them.
    type Key: PartialEq;
    /// Where it is found by other things than its id.
    type Index: Clone + Debug + Default + Eq;

    /// What the index depends on.
    fn key(&self) -> Self::Key;

    /// Puts one into the index.
    fn enter(index: &mut Self::Index, id: Self::Id, key: &Self::Key);

    /// Takes one out again.
    fn leave(index: &mut Self::Index, id: Self::Id, key: &Self::Key);
}

/// Things by their ids, and an index that follows every change. It reads like the map that it is.
#[derive(Debug, PartialEq, Eq)]
pub struct Register<T: Indexed> {
    all: OrdMap<T::Id, Arc<T>>,
    index: T::Index,
}

impl<T: Indexed> Clone for Register<T> {
    fn clone(&self) -> Self {
        Self {
            all: self.all.clone(),
            index: self.index.clone(),
        }
    }
}

impl<T: Indexed> Default for Register<T> {
    fn default() -> Self {
        Self {
            all: OrdMap::new(),
            index: T::Index::default(),
        }
    }
}

impl<T: Indexed> Deref for Register<T> {
    type Target = OrdMap<T::Id, Arc<T>>;

    fn deref(&self) -> &Self::Target {
        &self.all
    }
}

impl<T: Indexed> Register<T> {
    /// Puts one in, in the place of one with the same id.
    pub fn insert(&mut self, id: T::Id, item: Arc<T>) {
        let key = item.key();
        if let Some(before) = self.all.insert(id, item) {
            T::leave(&mut self.index, id, &before.key());
        }
        T::enter(&mut self.index, id, &key);
    }

    /// Takes one out.
    pub fn remove(&mut self, id: &T::Id) -> Option<Arc<T>> {
        let gone = self.all.remove(id)?;
        T::leave(&mut self.index, *id, &gone.key());
        Some(gone)
    }

    /// One to be changed; the index follows when the guard goes.
    pub fn get_mut(&mut self, id: &T::Id) -> Option<Editing<'_, T>> {
        let item = Arc::make_mut(self.all.get_mut(id)?);
        Some(Editing {
            before: item.key(),
            item,
            index: &mut self.index,
            id: *id,
        })
    }

    /// What keeps track of everything in here.
    pub(in crate::model) const fn index(&self) -> &T::Index {
        &self.index
    }

    /// Whether the index is what it would be if it were made now.
    pub(in crate::model) fn is_in_order(&self) -> bool {
        let mut fresh = T::Index::default();
        for (id, item) in &self.all {
            T::enter(&mut fresh, *id, &item.key());
        }
        fresh == self.index
    }
}

/// Something of a [`Register`] while it is being changed.
#[derive(Debug)]
pub struct Editing<'r, T: Indexed> {
    item: &'r mut T,
    index: &'r mut T::Index,
    id: T::Id,
    before: T::Key,
}

impl<T: Indexed> Deref for Editing<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.item
    }
}

impl<T: Indexed> DerefMut for Editing<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.item
    }
}

impl<T: Indexed> Drop for Editing<'_, T> {
    fn drop(&mut self) {
        let after = self.item.key();
        if after != self.before {
            T::leave(self.index, self.id, &self.before);
            T::enter(self.index, self.id, &after);
        }
    }
}

impl<T: Indexed> FromIterator<(T::Id, Arc<T>)> for Register<T> {
    fn from_iter<I: IntoIterator<Item = (T::Id, Arc<T>)>>(items: I) -> Self {
        let mut register = Self::default();
        for (id, item) in items {
            register.insert(id, item);
        }
        register
    }
}

impl<'r, T: Indexed> IntoIterator for &'r Register<T> {
    type Item = (&'r T::Id, &'r Arc<T>);
    type IntoIter = <&'r OrdMap<T::Id, Arc<T>> as IntoIterator>::IntoIter;

    fn into_iter(self) -> Self::IntoIter {
        self.all.iter()
    }
}

impl<T> Serialize for Register<T>
where
    T: Indexed + Serialize,
    T::Id: Serialize,
{
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.all.serialize(serializer)
    }
}

impl<'de, T> Deserialize<'de> for Register<T>
where
    T: Indexed + Deserialize<'de>,
    T::Id: Deserialize<'de>,
{
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let all = OrdMap::<T::Id, Arc<T>>::deserialize(deserializer)?;
        Ok(all.into_iter().collect())
    }
}

/// Who has a value: one, nobody, or by mistake several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holders<V: Ord + Clone, I: Ord + Copy>(OrdSet<(V, I)>);

impl<V: Ord + Clone, I: Ord + Copy> Default for Holders<V, I> {
    fn default() -> Self {
        Self(OrdSet::new())
    }
}

impl<V: Ord + Clone, I: Ord + Copy + Bounds> Holders<V, I> {
    pub(in crate::model) fn insert(&mut self, value: V, holder: I) {
        self.0.insert((value, holder));
    }

    pub(in crate::model) fn remove(&mut self, value: V, holder: I) {
        self.0.remove(&(value, holder));
    }

    /// Those who have this value.
    pub(in crate::model) fn of(&self, value: V) -> impl Iterator<Item = I> {
        let range = (
            Bound::Included((value.clone(), I::LEAST)),
            Bound::Included((value, I::GREATEST)),
        );
        self.0.range(range).map(|(_, holder)| *holder)
    }

    /// All values that somebody has, rising.
    pub(in crate::model) fn values(&self) -> impl Iterator<Item = &V> {
        self.0.iter().map(|(value, _)| value)
    }
}

/// The least and the greatest of all ids.
pub trait Bounds {
    /// The least of all.
    const LEAST: Self;
    /// The greatest of all.
    const GREATEST: Self;
}

impl Bounds for Uuid {
    const LEAST: Self = Self::nil();
    const GREATEST: Self = Self::max();
}

impl Bounds for u16 {
    const LEAST: Self = Self::MIN;
    const GREATEST: Self = Self::MAX;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Debug, PartialEq, Eq)]
    struct Named(&'static str);

    impl Indexed for Named {
        type Id = u16;
        type Key = &'static str;
        type Index = Holders<&'static str, u16>;

        fn key(&self) -> Self::Key {
            self.0
        }

        fn enter(index: &mut Self::Index, id: u16, key: &Self::Key) {
            index.insert(key, id);
        }

        fn leave(index: &mut Self::Index, id: u16, key: &Self::Key) {
            index.remove(key, id);
        }
    }

    fn holders(register: &Register<Named>, name: &'static str) -> Vec<u16> {
        register.index().of(name).collect()
    }

    #[test]
    fn an_index_follows_whatever_is_done() {
        let mut names: Register<Named> = [(1, Arc::new(Named("a"))), (2, Arc::new(Named("a")))]
            .into_iter()
            .collect();
        assert_eq!(holders(&names, "a"), [1, 2]);
        names.get_mut(&1).unwrap().0 = "b";
        assert_eq!(
            (holders(&names, "a"), holders(&names, "b")),
            (vec![2], vec![1])
        );
        names.insert(2, Arc::new(Named("a")));
        names.insert(1, Arc::new(Named("c")));
        assert_eq!(
            (holders(&names, "a"), holders(&names, "b")),
            (vec![2], vec![])
        );
        assert!(names.is_in_order());
        names.remove(&2);
        names.remove(&1);
        assert!(names.is_in_order() && *names.index() == Holders::default());
    }

    #[test]
    fn an_index_that_lags_behind_is_seen() {
        let mut names: Register<Named> = [(1, Arc::new(Named("a")))].into_iter().collect();
        names.index.remove("a", 1);
        assert!(!names.is_in_order());
    }
}
