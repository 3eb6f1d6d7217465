//! Management consoles: one HMC for all systems, or a NovaLink on each, and who may log on to whom.

use std::sync::Arc;
use uuid::Uuid;

use super::command::Outcome;
use super::job::JobTarget;
use super::names::EventKind;
use super::refusal::Refusal;
use super::resource::Resource;
use super::system::{ManagedSystem, ManagementConsole};
use super::world::World;

impl World {
    /// The systems by name, `neo2` before `neo10`: the order in which their NovaLinks listen.
    #[must_use]
    pub fn systems_in_order(&self) -> Vec<&Arc<ManagedSystem>> {
        let mut systems: Vec<_> = self.systems.values().collect();
        systems.sort_by_key(|system| (system.name.len(), system.name.as_str()));
        systems
    }

    /// All consoles.
    pub fn consoles(&self) -> impl Iterator<Item = &Arc<ManagementConsole>> {
        std::iter::once(&self.console).chain(self.neighbours.values())
    }

    /// The console with this UUID.
    #[must_use]
    pub fn console_named(&self, uuid: Uuid) -> Option<&Arc<ManagementConsole>> {
        self.consoles().find(|console| console.uuid == uuid)
    }

    /// The console that manages a system.
    #[must_use]
    pub fn console_of(&self, system: Uuid) -> &Arc<ManagementConsole> {
        self.neighbours.get(&system).unwrap_or(&self.console)
    }

    /// Whether the console of `source` may log on to that of `target`: it is the same one, or its public key is among
    /// the authorised ones there. The comment of a key does not count.
    #[must_use]
    pub fn consoles_trust(&self, source: Uuid, target: Uuid) -> bool {
        let (source, target) = (self.console_of(source), self.console_of(target));
        if source.uuid == target.uuid {
            return true;
        }
        let key = source.public_ssh_key.as_deref();
        key.is_some_and(|key| target.knows_key(key))
    }

    /// The system that a job's target belongs to, where it belongs to one.
    pub(super) fn system_of_job(&self, target: JobTarget) -> Option<Uuid> {
        match target {
            JobTarget::LogicalPartition(uuid) => Some(self.partitions.get(&uuid)?.system),
            JobTarget::VirtualIoServer(uuid) => Some(self.vioses.get(&uuid)?.partition.system),
            JobTarget::ManagedSystem(uuid) => Some(uuid),
            JobTarget::ManagementConsole(Some(uuid)) => self.console_named(uuid)?.system,
            JobTarget::ManagementConsole(None) | JobTarget::Cluster(_) => None,
        }
    }

    /// Sets the whole list of authorised keys of a console.
    pub(super) fn authorize_keys(
        &mut self,
        now: crate::clock::Millis,
        uuid: Uuid,
        keys: Vec<String>,
    ) -> Result<Outcome, Refusal> {
        let version = self.touch();
        let own = if self.console.uuid == uuid {
            Some(&mut self.console)
        } else {
            let system = self.console_named(uuid).and_then(|console| console.system);
            system.and_then(|system| self.neighbours.get_mut(&system))
        };
        let console = own.ok_or_else(|| Refusal::not_found("ManagementConsole", uuid))?;
        let console = Arc::make_mut(console);
        console.authorized_keys = keys;
        console.version = version;
        let resource = Resource::ManagementConsole(uuid);
        self.announce(now, EventKind::ModifyUri, resource, "Other");
        Ok(Outcome::Written(resource))
    }
}

impl ManagementConsole {
    /// Whether a public key is among the authorised ones.
    pub(super) fn knows_key(&self, key: &str) -> bool {
        let mut known = self.authorized_keys.iter();
        known.any(|known| words(known) == words(key))
    }
}

/// What of a key counts: its type and its number.
fn words(key: &str) -> (&str, &str) {
    let mut words = key.split_ascii_whitespace();
    (
        words.next().unwrap_or_default(),
        words.next().unwrap_or_default(),
    )
}
