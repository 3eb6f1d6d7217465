//! Which of a server's disks is its own boot disk.

use powervm_schema::atom::Entry;

use crate::error::{Error, ErrorKind, Result};
use crate::partition::PartitionUuid;
use crate::storage::mapping::{self, Kind, Mapped};
use crate::storage::names;

/// The server's own disk: not a volume, not what it is rescued with. Nothing of one that boots from a volume.
///
/// # Errors
/// Several may be it.
pub(super) fn mapped(
    vioses: &[Entry],
    server: PartitionUuid,
    name: &str,
) -> Result<Option<Mapped>> {
    let mut found: Vec<Mapped> = vioses
        .iter()
        .flat_map(|entry| mapping::mapped_to(&entry.content, server))
        .filter(is_boot_disk)
        .collect();
    found.sort();
    found.dedup();
    if found.len() > 1 {
        let both = names::boot_units(name);
        found.retain(|disk| both.contains(&disk.name));
    }
    match (found.pop(), found.pop()) {
        (disk, None) => Ok(disk),
        (_, Some(_)) => Err(Error::operation(
            ErrorKind::Precondition,
            format!("several disks of {name} may be its boot disk"),
            "detach those that are not",
        )),
    }
}

fn is_boot_disk(disk: &Mapped) -> bool {
    match disk.kind {
        Kind::LogicalUnit => names::is_boot_unit(&disk.name),
        Kind::VirtualDisk => disk.is_logical_volume && names::is_boot_virtual_disk(&disk.name),
        Kind::PhysicalVolume | Kind::OpticalMedia => false,
    }
}
