//! Whether everything that serves a partition can be reached (`docs/decisions/out-of-reach.md`).

use std::collections::BTreeSet;
use std::sync::PoisonError;

use powervm_schema::atom::Entry;

use super::Destroy;
use crate::error::Result;
use crate::host::{Vios, vios};
use crate::operations::reach;

impl Destroy {
    /// That no Virtual I/O Server that serves the partition, or has something of it, is out of reach: what it has
    /// would stay there, and the next partition with this number would find it.
    ///
    /// Returns those that can be reached.
    ///
    /// # Errors
    /// One is, or all are; [`crate::ErrorKind::Precondition`].
    pub(super) async fn check_reach(&self, seen: &[Entry]) -> Result<Vec<Vios>> {
        let all: Vec<Vios> = seen.iter().map(Vios::read).collect();
        let active = vios::active(&all)?;
        self.reach
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone_from(&active);
        if active.len() == all.len() {
            return Ok(active);
        }
        let serving = match &self.found {
            Some(found) => reach::serving(&self.driver, self.uuid, found.has_ports).await?,
            None => BTreeSet::new(),
        };
        let is_needed = |vios: &&Vios| {
            vios.id.is_some_and(|id| serving.contains(&id))
                || self.notes.with(|notes| notes.has_something_on(&vios.uuid))
        };
        let away = all.iter().filter(|vios| !vios.is_active);
        let (needed, others): (Vec<&Vios>, Vec<&Vios>) = away.partition(is_needed);
        for vios in others {
            self.control.warn(format!(
                "{}: nobody can look whether something of {} is left there",
                vios.described(),
                self.asked.title()
            ));
        }
        if needed.is_empty() {
            return Ok(active);
        }
        let so = format!("what serves {} cannot be removed", self.asked.title());
        Err(vios::out_of_reach(&needed, &so))
    }
}
