//! What a renderer knows beside the resource that it writes, and how links are made.

use uuid::Uuid;

use super::writer::Writer;
use crate::clock::Millis;
use crate::http::base::Base;
use crate::http::group::{Group, GroupSet};
use crate::http::target::Service;
use crate::model::{Flavor, Owner, World};

/// One look at the world: which world, for which client, when.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// The world as it is.
    pub world: &'a World,
    /// Scheme, host and port of the links.
    pub base: &'a Base,
    /// The groups that the URL asks for.
    pub groups: &'a GroupSet,
    /// Whether the URL asks for all details of templates (`detail=full`).
    pub detail: bool,
    /// The simulated present.
    pub now: Millis,
}

/// The schema level that documents of a flavour carry: that of the recorded HMC V8R8.6 and of the newest recorded
/// NovaLink.
#[must_use]
pub const fn schema_version(flavor: Flavor) -> &'static str {
    match flavor {
        Flavor::Hmc => "V1_5_0",
        Flavor::NovaLink => "V1_11_0",
    }
}

/// A partition's UUID as documents spell it.
#[must_use]
pub fn upper(uuid: Uuid) -> String {
    let mut buffer = Uuid::encode_buffer();
    uuid.hyphenated().encode_upper(&mut buffer).to_owned()
}

/// A UUID in lower case, without a string of its own.
fn lower(uuid: Uuid, buffer: &mut [u8]) -> &str {
    uuid.hyphenated().encode_lower(buffer)
}

impl Context<'_> {
    /// Whether the answering console is an HMC.
    pub(crate) fn is_hmc(&self) -> bool {
        self.world.flavor == Flavor::Hmc
    }

    /// Whether the URL asks for this group.
    pub(crate) fn has(&self, group: Group) -> bool {
        self.groups.contains(group)
    }

    /// An empty document of this flavour's schema level.
    pub(crate) fn writer(&self, capacity: usize) -> Writer {
        Writer::new(schema_version(self.world.flavor), capacity)
    }

    /// Milliseconds for `AtomCreated`: when an HMC first saw the resource, here the beginning of the world; NovaLink
    /// always says 0.
    pub(crate) fn created(&self) -> u64 {
        if self.is_hmc() { Millis::EPOCH.0 } else { 0 }
    }

    /// The absolute URL of a path below the `uom` service.
    pub(crate) fn href(&self, path: &str) -> String {
        self.base.href(Service::Uom, path)
    }

    /// The same of a path in parts.
    fn join(&self, parts: &[&str]) -> String {
        self.base.join(Service::Uom, parts)
    }

    /// A managed system.
    pub(crate) fn system(&self, system: Uuid) -> String {
        self.join(&["ManagedSystem/", lower(system, &mut Uuid::encode_buffer())])
    }

    /// A child of a managed system whose UUID is written in lower case.
    pub(crate) fn system_child(&self, system: Uuid, kind: &str, child: Uuid) -> String {
        let (mut a, mut b) = (Uuid::encode_buffer(), Uuid::encode_buffer());
        let (system, child) = (lower(system, &mut a), lower(child, &mut b));
        self.join(&["ManagedSystem/", system, "/", kind, "/", child])
    }

    /// A logical partition, through its system.
    pub(crate) fn partition(&self, system: Uuid, partition: Uuid) -> String {
        let mut buffer = Uuid::encode_buffer();
        let system = lower(system, &mut buffer);
        let partition = &upper(partition);
        self.join(&["ManagedSystem/", system, "/LogicalPartition/", partition])
    }

    /// A Virtual I/O Server, through its system: clients find the servers of a cluster on this host by it.
    pub(crate) fn vios(&self, system: Uuid, vios: Uuid) -> String {
        let mut buffer = Uuid::encode_buffer();
        let system = lower(system, &mut buffer);
        let vios = &upper(vios);
        self.join(&["ManagedSystem/", system, "/VirtualIOServer/", vios])
    }

    /// A child of a partition or a Virtual I/O Server.
    pub(crate) fn owned(&self, owner: Owner, kind: &str, child: Uuid) -> String {
        let (owner_kind, owner) = match owner {
            Owner::Partition(uuid) => ("LogicalPartition", uuid),
            Owner::Vios(uuid) => ("VirtualIOServer", uuid),
        };
        let mut buffer = Uuid::encode_buffer();
        let child = lower(child, &mut buffer);
        self.join(&[owner_kind, "/", &upper(owner), "/", kind, "/", child])
    }
}

/// A stable UUID (version 3) for a part of a resource that the model does not number.
pub(crate) fn named(of: Uuid, part: &str) -> Uuid {
    Uuid::new_v3(&of, part.as_bytes())
}
