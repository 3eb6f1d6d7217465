//! Servers with IBM i: which they are, and what they are told of the devices that they start from.
//!
//! Nova keeps what an image says of its operating system as `image_os_distro` among what it keeps for the instance.

use std::collections::BTreeSet;

use powervm_schema::partition::{KeylockPosition, LogicalPartition, PartitionType};
use powervm_schema::xml::Element;

use super::driver::{Driver, path_of};
use super::kept;
use super::request::SpawnRequest;
use super::volume::Metadata;
use crate::error::{Error, ErrorKind, Result};
use crate::host::System;
use crate::partition::slots::Occupant;
use crate::partition::{HostLimits, PartitionUuid, SlotMap};
use crate::rest::Groups;
use crate::transaction::{self, Changed};

/// Key of what is kept for an instance.
const DISTRO: &str = "image_os_distro";
/// Side of the load source that IBM i starts from.
const IPL_SOURCE: &str = "b";

/// Whether the server is to run IBM i.
pub(super) fn is_asked(request: &SpawnRequest) -> bool {
    is_told(&request.metadata) == Some(true)
}

/// Whether the image has IBM i, where that is told.
pub(super) fn is_told(metadata: &Metadata) -> Option<bool> {
    let distro = metadata.get(DISTRO)?;
    Some(distro.eq_ignore_ascii_case("ibmi"))
}

/// What it may ask for.
///
/// # Errors
/// The host makes no partitions of IBM i.
pub(super) fn limits(system: &System) -> Result<&HostLimits> {
    match system.ibmi.capable {
        true => Ok(&system.ibmi.limits),
        false => Err(Error::operation(
            ErrorKind::Precondition,
            format!("{} makes no partitions for IBM i", system.name),
            "choose another host, or another image",
        )),
    }
}

/// Makes the document of a new partition one for IBM i. Its load source is named once there is one.
pub(super) fn describe(document: &mut LogicalPartition, restricted_io: bool) {
    let mut partition = document.partition_mut();
    partition.set_partition_type(PartitionType::Os400);
    let mut io = partition.io_mut();
    let mut tagged = io.tagged_io_mut();
    tagged
        .set_alternate_load_source("NONE")
        .set_console("HMC")
        .set_load_source("0");
    if restricted_io {
        document.set_is_restricted_io_partition(true);
    }
}

/// Names the slots that the server starts from: those of its disks, or of its ports where it starts from a volume behind
/// them. The lowest is the load source, the next the alternate one; with one way only, that is both.
///
/// # Errors
/// There is nothing to start from; those of the requests.
pub(super) async fn tag(
    driver: &Driver,
    partition: PartitionUuid,
    starts_from_port: bool,
) -> Result<()> {
    let slots = kept::slots_now(driver, partition).await?;
    let (load, alternate) = sources(&slots, starts_from_port).ok_or_else(|| {
        Error::operation(
            ErrorKind::Precondition,
            "IBM i has no load source: no disk or port of the server has a slot",
            "see that a Virtual I/O Server serves its boot disk",
        )
    })?;
    let edit = move |document: &mut Element| {
        let before = document.clone();
        let mut document_view = LogicalPartition(&mut *document);
        document_view.set_designated_ipl_source(IPL_SOURCE);
        let mut partition = document_view.partition_mut();
        partition.set_keylock_position(KeylockPosition::Normal);
        let mut io = partition.io_mut();
        let mut tagged = io.tagged_io_mut();
        tagged
            .set_alternate_load_source(alternate.to_string())
            .set_load_source(load.to_string());
        Ok(Changed::from(*document != before))
    };
    let path = path_of(partition);
    transaction::edit(driver.session(), &path, Groups::None, edit)
        .await
        .map(drop)
}

/// Load source and alternate load source.
fn sources(slots: &SlotMap, starts_from_port: bool) -> Option<(u32, u32)> {
    let is_source = |occupant: &Occupant| match occupant {
        Occupant::Disk { .. } => !starts_from_port,
        Occupant::Port { .. } => starts_from_port,
        Occupant::Adapter { .. } | Occupant::VirtualNic { .. } => false,
    };
    let all = slots.slots.iter();
    let found: BTreeSet<u32> = all
        .filter(|(_, occupants)| occupants.iter().any(is_source))
        .map(|(slot, _)| *slot)
        .collect();
    let mut found = found.into_iter();
    let load = found.next()?;
    Some((load, found.next().unwrap_or(load)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lowest_slots_are_the_sources() {
        let mut slots = SlotMap::empty(64);
        assert_eq!(sources(&slots, false), None);
        let disk = || Occupant::Disk {
            disk: "boot".to_owned(),
            address: None,
        };
        slots.put(7, disk());
        assert_eq!(sources(&slots, false), Some((7, 7)));
        slots.put(4, disk());
        slots.put(
            3,
            Occupant::Port {
                names: BTreeSet::new(),
            },
        );
        assert_eq!(sources(&slots, false), Some((4, 7)));
        assert_eq!(
            sources(&slots, true),
            Some((3, 3)),
            "by NPIV it starts from its ports"
        );
    }
}
