//! Volumes for the servers of a scenario: made by the storage behind a simulator, or given.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use powervm_driver::operations::{Driver, Metadata};
use powervm_driver::volume::Connection;
use uuid::Uuid;

use super::Failure;
use crate::scenario::RefusalKind;
use crate::storage::{Protocol, Storage};

/// The size of a volume that a scenario has made, in GB.
const GIGABYTES: u64 = 1;

/// Where volumes come from.
#[derive(Debug, Clone)]
pub enum VolumeSource {
    /// Nowhere.
    None,
    /// The storage behind a simulator makes them.
    Simulated(Storage),
    /// They are there, and shown to the host already; as many as a scenario wants are taken in their order.
    Given(Vec<Connection>),
}

/// The volumes of one scenario, by the words that it has for them.
pub(super) struct Volumes {
    source: VolumeSource,
    known: Mutex<BTreeMap<String, Volume>>,
}

#[derive(Debug, Clone, Default)]
struct Volume {
    /// What the storage calls it.
    id: String,
    /// How each host reaches it, by the host's place.
    shown: BTreeMap<usize, Connection>,
}

impl Volumes {
    pub(super) fn from(source: VolumeSource) -> Self {
        Self {
            source,
            known: Mutex::default(),
        }
    }

    fn known(&self) -> MutexGuard<'_, BTreeMap<String, Volume>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How a host reaches the volume of this word, which is made and shown to it if it was not before.
    pub(super) async fn show(
        &self,
        word: &str,
        is_bootable: bool,
        host: (usize, &Driver),
        instance: Uuid,
    ) -> Result<Connection, Failure> {
        let (place, driver) = host;
        let found = self.known().get(word).cloned();
        if let Some(shown) = found.as_ref().and_then(|found| found.shown.get(&place)) {
            return Ok(shown.clone());
        }
        let (id, shown) = match &self.source {
            VolumeSource::None => return Err(failure("there is no storage for volumes")),
            VolumeSource::Given(all) => {
                let taken = self.known().len();
                let next = all.get(taken).cloned();
                let next = next.ok_or_else(|| failure("more volumes are needed than are given"))?;
                (next.volume.clone(), next)
            }
            VolumeSource::Simulated(storage) => {
                let id = match found {
                    Some(found) => found.id,
                    None if is_bootable => {
                        let protocol = Protocol::FibreChannel;
                        storage.create_bootable(word, GIGABYTES, protocol).await?
                    }
                    None => {
                        let protocol = Protocol::FibreChannel;
                        storage.create(word, GIGABYTES, protocol).await?
                    }
                };
                // Known before it is shown: it has to go in the end, whatever comes now.
                self.known().entry(word.to_owned()).or_default().id = id.clone();
                let told = driver.volume_connector(instance, Metadata::new()).await?;
                let connector = serde_json::to_value(&told.connector);
                let connector = connector.map_err(|error| failure(&error.to_string()))?;
                let info = storage.map(&id, &connector, false).await?;
                (id, Connection::parse(&info)?)
            }
        };
        let mut known = self.known();
        let volume = known.entry(word.to_owned()).or_default();
        volume.id = id;
        volume.shown.insert(place, shown.clone());
        Ok(shown)
    }

    /// How a host reaches a volume that was shown to it.
    pub(super) fn shown(&self, word: &str, place: usize) -> Option<Connection> {
        self.known().get(word)?.shown.get(&place).cloned()
    }

    /// The identifier of its disk, which the driver finds when it attaches it.
    pub(super) fn learn(&self, volume: &str, place: usize, udid: Option<&String>) {
        let mut known = self.known();
        let shown = known
            .values_mut()
            .filter_map(|volume| volume.shown.get_mut(&place));
        for connection in shown.filter(|connection| connection.volume == volume) {
            if let Some(udid) = udid {
                connection.target_udid = Some(udid.clone());
            }
        }
    }

    /// Shows the volume to no host any more.
    pub(super) async fn hide(&self, word: &str) -> Result<(), Failure> {
        let VolumeSource::Simulated(storage) = &self.source else {
            return Ok(());
        };
        let hidden = self.known().get_mut(word).map(|volume| {
            volume.shown.clear();
            volume.id.clone()
        });
        match hidden {
            Some(id) if !id.is_empty() => storage.unmap(&id).await,
            _ => Ok(()),
        }
    }

    /// Deletes what was made. Says what could not be deleted.
    pub(super) async fn put_away(&self) -> Vec<String> {
        let known = std::mem::take(&mut *self.known());
        let VolumeSource::Simulated(storage) = &self.source else {
            return Vec::new();
        };
        let mut lines = Vec::new();
        for (word, Volume { id, .. }) in known {
            if id.is_empty() {
                continue;
            }
            for ended in [storage.unmap(&id).await, storage.delete(&id).await] {
                if let Err(error) = ended {
                    lines.push(format!("could not delete the volume {word}: {error}"));
                }
            }
        }
        lines
    }
}

fn failure(message: &str) -> Failure {
    Failure {
        kind: RefusalKind::Other,
        message: message.to_owned(),
    }
}
