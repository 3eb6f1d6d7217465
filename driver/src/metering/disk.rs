//! What goes through the storage adapters of a server. Virtual I/O Servers count by adapter, not by disk.

use serde::Serialize;

use super::feed::Sample;
use super::raw::{Partition, Transfers};
use super::{growth, rate};

/// What a storage adapter is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DiskKind {
    /// A virtual SCSI adapter: all disks of one Virtual I/O Server.
    VirtualScsi,
    /// A virtual Fibre Channel adapter.
    VirtualFibreChannel,
}

/// What went through a storage adapter, since its Virtual I/O Server counts it. Nobody measures how long it takes.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DiskMeters {
    /// The adapter as its Virtual I/O Server calls it: `vhost5`.
    pub device: String,
    /// What it is.
    pub kind: DiskKind,
    /// Name of the Virtual I/O Server.
    pub served_by: String,
    /// Bytes read.
    pub read_bytes: u64,
    /// Bytes written.
    pub write_bytes: u64,
    /// Reads.
    pub read_requests: u64,
    /// Writes.
    pub write_requests: u64,
    /// Bytes read a second, between the two newest samples.
    pub read_bytes_per_second: Option<f64>,
    /// Bytes written a second.
    pub write_bytes_per_second: Option<f64>,
    /// Reads and writes a second.
    pub iops: Option<f64>,
}

/// Where a partition's storage is counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Served {
    /// By the adapter in this slot of this Virtual I/O Server.
    Slot(u64, u64),
    /// By the port of one of these names.
    Ports(u64, Vec<u64>),
}

impl Served {
    fn all(partition: &Partition) -> Vec<Self> {
        let Some(storage) = &partition.storage else {
            return Vec::new();
        };
        let buses = storage.generic_virtual_adapters.iter();
        let buses = buses.map(|end| Self::Slot(end.vios_id.0, end.vios_adapter_slot_id.0));
        let ports = storage.virtual_fiber_channel_adapters.iter();
        let ports = ports.map(|end| {
            let names = end
                .wwpn_pair
                .iter()
                .map(|name| name.0)
                .filter(|name| *name > 0);
            Self::Ports(end.vios_id.0, names.collect())
        });
        buses.chain(ports).collect()
    }

    fn kind(&self) -> DiskKind {
        match self {
            Self::Slot(..) => DiskKind::VirtualScsi,
            Self::Ports(..) => DiskKind::VirtualFibreChannel,
        }
    }

    /// What the Virtual I/O Server counts for it, with that server's name.
    fn find<'s>(&self, sample: &'s Sample) -> Option<(&'s str, &'s Transfers)> {
        let (Self::Slot(id, _) | Self::Ports(id, _)) = self;
        let vios = sample.servers.get(id)?;
        let storage = vios.storage.as_ref()?;
        let found = match self {
            Self::Slot(_, slot) => {
                let end = format!("-C{slot}");
                let mut adapters = storage.generic_virtual_adapters.iter();
                adapters.find(|adapter| adapter.physical_location.ends_with(&end))
            }
            Self::Ports(_, names) => {
                let ports = storage
                    .fiber_channel_adapters
                    .iter()
                    .flat_map(|adapter| &adapter.ports);
                let name = |port: &Transfers| u64::from_str_radix(&port.wwpn, 16).ok();
                let mut ports =
                    ports.filter(|port| name(port).is_some_and(|name| names.contains(&name)));
                ports.next()
            }
        };
        found.map(|found| (vios.name.as_str(), found))
    }
}

/// All storage adapters of a partition; none where Virtual I/O Servers tell of no storage.
pub(super) fn all(
    partition: &Partition,
    now: &Sample,
    before: Option<&Sample>,
    seconds: Option<f64>,
) -> Vec<DiskMeters> {
    let served = Served::all(partition);
    let all = served.iter().filter_map(|served| {
        let (name, transfers) = served.find(now)?;
        // Storage that was not told of before has no rate: the Virtual I/O Server may have been out of reach.
        let before = before
            .and_then(|before| served.find(before))
            .map(|(_, it)| it);
        let speed = |of: fn(&Transfers) -> u64| {
            let before = before.map(of);
            rate(
                before.and_then(|before| growth(of(transfers), before)),
                seconds,
            )
        };
        Some(DiskMeters {
            device: transfers.id.clone(),
            kind: served.kind(),
            served_by: name.to_owned(),
            read_bytes: transfers.read_bytes.0,
            write_bytes: transfers.write_bytes.0,
            read_requests: transfers.num_of_reads.0,
            write_requests: transfers.num_of_writes.0,
            read_bytes_per_second: speed(|it| it.read_bytes.0),
            write_bytes_per_second: speed(|it| it.write_bytes.0),
            iops: speed(|it| it.num_of_reads.0.saturating_add(it.num_of_writes.0)),
        })
    });
    all.collect()
}
