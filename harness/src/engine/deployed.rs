//! The servers of a scenario: what each was ordered as, and what has been done to it since.

use std::collections::{BTreeMap, BTreeSet};

use tokio_util::sync::CancellationToken;

use crate::image::Image;
use crate::scenario::{Action, Deed, Work};
use crate::target::{Capacity, Host, Instance, Order, Size};

use super::names::Names;
use super::operation::{Done, Operation, Outcome};
use super::scenario::unwatched;

/// The servers that steps began to deploy, and those that are there.
#[derive(Debug, Default)]
pub(super) struct Deployed {
    begun: BTreeMap<String, Instance>,
    there: BTreeMap<String, Order>,
    /// What servers were like before a resize or a move that can be taken back.
    before: BTreeMap<String, Order>,
    /// Images that were made of servers, by their words.
    images: BTreeMap<String, Image>,
    /// The addresses of their interfaces, as they were seen last.
    addresses: BTreeMap<String, BTreeSet<String>>,
}

impl Deployed {
    /// What a server that is there was ordered as.
    pub(super) fn order(&self, server: &str) -> Option<&Order> {
        self.there.get(server)
    }

    /// Every server that a step began to deploy.
    pub(super) fn begun(&self) -> impl Iterator<Item = &Instance> {
        self.begun.values()
    }

    /// The addresses of a server's interfaces, as they were seen last.
    pub(super) fn addresses(&self, server: &str) -> Option<&BTreeSet<String>> {
        self.addresses.get(server)
    }

    /// The operation that `work` is on this server, its amounts taken from what the host has left.
    pub(super) fn operation(
        &self,
        work: &Work,
        server: &str,
        names: &Names,
        capacity: Capacity,
        image: &Image,
    ) -> Operation {
        let mut instance = names.instance(server);
        let of_word = |word: &String| {
            let made = self.images.get(word).cloned();
            made.unwrap_or_else(|| names.image(image, word))
        };
        let mut rescue = None;
        let order = match &work.action {
            Action::Create(spec) => {
                if let Some(other) = &spec.named_like {
                    instance.name = names.instance(other).name;
                }
                let has_disk = spec.boot_volume.is_none();
                let volumes = spec.boot_volume.iter().chain(&spec.volumes);
                Some(Order {
                    instance: instance.clone(),
                    size: size(&spec.flavor, capacity),
                    networks: spec.networks.clone(),
                    config_drive: spec.config_drive,
                    power_on: spec.power_on,
                    image: has_disk.then(|| of_word(&spec.image)),
                    volumes: volumes.cloned().collect(),
                    host: spec.host,
                })
            }
            Action::Show | Action::Delete => self.order(server).cloned(),
            Action::Do(deed) => {
                if let Deed::Rescue(word) = deed {
                    rescue = Some(of_word(word));
                }
                self.order(server).map(|order| {
                    let before = self.before.get(server);
                    after(deed, order, before, capacity, of_word)
                })
            }
        };
        Operation {
            instance,
            work: work.clone(),
            order,
            image: rescue,
        }
    }

    /// Takes note of what came of a step, and of the addresses that its servers were seen with.
    pub(super) fn note(&mut self, outcomes: Vec<Outcome>) {
        for outcome in outcomes {
            let Operation {
                instance,
                work,
                order,
                ..
            } = outcome.operation;
            let server = instance.server.clone();
            if matches!(work.action, Action::Create(_)) {
                self.begun.insert(server.clone(), instance);
            }
            let Ok(done) = outcome.result else { continue };
            if let Some(addresses) = outcome.addresses {
                self.addresses.insert(server.clone(), addresses);
            }
            let Some(mut order) = order else { continue };
            match &work.action {
                Action::Delete => {
                    self.there.remove(&server);
                    self.addresses.remove(&server);
                    continue;
                }
                Action::Do(Deed::Resize(_) | Deed::Migrate) => {
                    if let Some(old) = self.there.get(&server) {
                        self.before.insert(server.clone(), old.clone());
                    }
                }
                Action::Do(Deed::Confirm | Deed::Revert) => {
                    self.before.remove(&server);
                }
                Action::Do(Deed::Snapshot(word)) => {
                    if let Done::Image(image) = done {
                        self.images.insert(word.clone(), image);
                    }
                }
                Action::Do(Deed::Shelve(word)) => {
                    if let Done::Image(image) = done {
                        order.image = Some(image.clone());
                        self.images.insert(word.clone(), image);
                    }
                }
                _ => {}
            }
            self.there.insert(server, order);
        }
    }

    /// Deletes the servers that no step deleted.
    pub(super) async fn clean_up(&mut self, host: &dyn Host) -> Vec<String> {
        let mut lines = Vec::new();
        let never = CancellationToken::new();
        for Order { instance, .. } in std::mem::take(&mut self.there).into_values() {
            lines.push(match host.delete(&instance, unwatched(), &never).await {
                Ok(()) => format!("deleted {}", instance.server),
                Err(failure) => format!("could not delete {}: {failure}", instance.server),
            });
        }
        lines
    }
}

/// What a server is like after something was done to it.
fn after(
    deed: &Deed,
    order: &Order,
    before: Option<&Order>,
    capacity: Capacity,
    image: impl Fn(&String) -> Image,
) -> Order {
    let mut order = order.clone();
    match deed {
        Deed::Resize(flavor) => order.size = size(flavor, capacity),
        Deed::Revert => {
            if let Some(before) = before {
                order.size = before.size.clone();
                order.host = before.host;
            }
        }
        // One that boots from a volume keeps it.
        Deed::Rebuild(word) => order.image = order.image.map(|_| image(word)),
        Deed::Unshelve(host) => order.host = host.unwrap_or(order.host),
        Deed::AttachVolume(word) => {
            if !order.volumes.contains(word) {
                order.volumes.push(word.clone());
            }
        }
        Deed::DetachVolume(word) => order.volumes.retain(|known| known != word),
        Deed::AttachInterface(vlan) => order.networks.push(*vlan),
        Deed::DetachInterface(vlan) => {
            if let Some(last) = order.networks.iter().rposition(|known| known == vlan) {
                order.networks.remove(last);
            }
        }
        Deed::Migrate | Deed::LiveMigrate | Deed::Evacuate => {
            order.host = if order.host == 1 { 2 } else { 1 };
        }
        Deed::Stop
        | Deed::Start
        | Deed::Reboot(_)
        | Deed::Confirm
        | Deed::Rescue(_)
        | Deed::Unrescue
        | Deed::Snapshot(_)
        | Deed::Shelve(_)
        | Deed::Console => {}
    }
    order
}

fn size(flavor: &crate::scenario::FlavorSpec, capacity: Capacity) -> Size {
    let (free, region) = (capacity.memory_free_mb, capacity.memory_region_mb);
    Size {
        vcpus: flavor.vcpus,
        memory_mb: flavor.memory_mb.resolve(free, region),
        root_gb: flavor.root_gb.resolve(capacity.disk_free_gb, 1),
        extra_specs: flavor.extra_specs.clone(),
    }
}
