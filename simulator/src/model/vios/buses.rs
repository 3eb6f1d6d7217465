//! The server adapters of a Virtual I/O Server, by slot and by client.

use std::sync::Arc;

use uuid::Uuid;

use super::ScsiBus;
use crate::model::register::{Holders, Indexed, Register};

/// Virtual SCSI server adapters by slot.
pub type Buses = Register<ScsiBus>;

impl Indexed for ScsiBus {
    type Id = u16;
    type Key = Option<Uuid>;
    type Index = Holders<Option<Uuid>, u16>;

    fn key(&self) -> Option<Uuid> {
        self.client.map(|client| client.partition)
    }

    fn enter(index: &mut Self::Index, slot: u16, client: &Option<Uuid>) {
        index.insert(*client, slot);
    }

    fn leave(index: &mut Self::Index, slot: u16, client: &Option<Uuid>) {
        index.remove(*client, slot);
    }
}

impl Buses {
    /// The adapters that lead to a client.
    pub fn of(&self, client: Uuid) -> impl Iterator<Item = &Arc<ScsiBus>> {
        self.with(Some(client))
    }

    /// The adapters that lead to a client, or to none.
    pub fn with(&self, client: Option<Uuid>) -> impl Iterator<Item = &Arc<ScsiBus>> {
        self.index().of(client).filter_map(|slot| self.get(&slot))
    }

    /// The slots of the adapters that lead to a client.
    pub(in crate::model) fn slots_of(&self, client: Uuid) -> impl Iterator<Item = u16> {
        self.index().of(Some(client))
    }
}
