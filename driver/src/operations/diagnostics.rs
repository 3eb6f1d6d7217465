//! Diagnostics of a server, in the fields of Nova's `Diagnostics` object.

use powervm_schema::partition::LogicalPartition;
use serde::Serialize;

use super::driver::{Driver, path_of};
use super::request::ServerRef;
use super::server::{Server, StorageKind};
use crate::error::{ErrorKind, Result};
use crate::metering::{DiskMeters, InstanceMeters};
use crate::network::Mac;
use crate::partition::PowerState;
use crate::rest::{Flavor, Groups};

/// Diagnostics of a server. What nobody counts, or has not counted yet, is none.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Diagnostics {
    /// Its power state: `running`, `shutdown`, `suspended`, `crashed`, `pending`.
    pub state: &'static str,
    /// Who drives it: `powervm`.
    pub driver: &'static str,
    /// What it runs on: `phyp`.
    pub hypervisor: &'static str,
    /// What manages that: `hmc` or `novalink`.
    pub hypervisor_os: &'static str,
    /// Seconds since it was started.
    pub uptime: Option<u64>,
    /// Whether a config drive is attached.
    pub config_drive: bool,
    /// Its virtual processors, or dedicated ones.
    pub num_cpus: u32,
    /// Its interfaces.
    pub num_nics: usize,
    /// Its disks.
    pub num_disks: usize,
    /// Memory.
    pub memory_details: MemoryDiagnostics,
    /// Processors: all of them in one, since the hypervisor counts them together.
    pub cpu_details: Vec<CpuDiagnostics>,
    /// Interfaces.
    pub nic_details: Vec<NicDiagnostics>,
    /// Storage adapters, since nobody counts by disk.
    pub disk_details: Vec<DiskDiagnostics>,
    /// What cannot be told, and why; no field of Nova's.
    pub untold: Vec<String>,
}

/// Memory, in MB.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct MemoryDiagnostics {
    /// What it has.
    pub maximum: u64,
    /// What it uses.
    pub used: Option<u64>,
}

/// Processors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct CpuDiagnostics {
    /// Which one: none, for all of them.
    pub id: Option<u32>,
    /// Time used, in nanoseconds.
    pub time: u64,
    /// Percent of the entitlement.
    pub utilisation: Option<u64>,
}

/// An interface.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NicDiagnostics {
    /// Its address.
    pub mac_address: Option<Mac>,
    /// Bytes received.
    pub rx_octets: Option<u64>,
    /// Receptions that failed.
    pub rx_errors: Option<u64>,
    /// Packets dropped, on either way.
    pub rx_drop: Option<u64>,
    /// Packets received.
    pub rx_packets: Option<u64>,
    /// Bytes received a second.
    pub rx_rate: Option<u64>,
    /// Bytes sent.
    pub tx_octets: Option<u64>,
    /// Packets that could not be sent.
    pub tx_errors: Option<u64>,
    /// None: see `rx_drop`.
    pub tx_drop: Option<u64>,
    /// Packets sent.
    pub tx_packets: Option<u64>,
    /// Bytes sent a second.
    pub tx_rate: Option<u64>,
}

/// A storage adapter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct DiskDiagnostics {
    /// Bytes read.
    pub read_bytes: u64,
    /// Reads.
    pub read_requests: u64,
    /// Bytes written.
    pub write_bytes: u64,
    /// Writes.
    pub write_requests: u64,
    /// None: nobody counts them.
    pub errors_count: Option<u64>,
}

impl Driver {
    /// Diagnostics of a server. Without meters, it has what the partition itself tells, and says so.
    ///
    /// # Errors
    /// No such server; those of the requests.
    pub async fn diagnostics(&self, server: impl Into<ServerRef>) -> Result<Diagnostics> {
        let partition = self.resolve(&server.into()).await?;
        let server = self.show(partition.as_uuid()).await?;
        let entry = self
            .session()
            .get_entry(&path_of(partition), Groups::None)
            .await?;
        let uptime = LogicalPartition(&entry.content)
            .partition()
            .uptime()
            .ok()
            .flatten();
        let (meters, untold) = match self.server_meters(partition.as_uuid()).await {
            Ok(meters) => {
                let untold = meters.untold.clone();
                (Some(meters), untold)
            }
            Err(error) if is_absence(error.kind()) => (None, vec![format!("meters: {error}")]),
            Err(error) => return Err(error),
        };
        Ok(Diagnostics {
            state: state(server.summary.status),
            driver: "powervm",
            hypervisor: "phyp",
            hypervisor_os: match self.session().flavor() {
                Flavor::Hmc => "hmc",
                Flavor::NovaLink => "novalink",
            },
            uptime,
            config_drive: server
                .storage
                .iter()
                .any(|it| it.kind == StorageKind::OpticalMedium),
            num_cpus: server.vcpus,
            num_nics: server.interfaces.len(),
            num_disks: disks(&server),
            memory_details: MemoryDiagnostics {
                maximum: server.memory_mb,
                used: meters.as_ref().and_then(|meters| meters.memory.used_mb),
            },
            cpu_details: meters.iter().map(cpu).collect(),
            nic_details: nics(&server, meters.as_ref()),
            disk_details: meters
                .iter()
                .flat_map(|meters| &meters.disks)
                .map(disk)
                .collect(),
            untold,
        })
    }
}

/// Whether there are no meters, for a reason that does not matter to everything else.
fn is_absence(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::Precondition | ErrorKind::NotFound | ErrorKind::Forbidden | ErrorKind::BadAnswer
    )
}

fn state(status: PowerState) -> &'static str {
    match status {
        PowerState::Unknown => "pending",
        known => known.name(),
    }
}

/// Disks: one that several Virtual I/O Servers serve is one.
fn disks(server: &Server) -> usize {
    let is_disk = |kind| !matches!(kind, StorageKind::OpticalMedium | StorageKind::None);
    let disks = server.storage.iter().filter(|it| is_disk(it.kind));
    // Physical volumes have names of their server's own, all others the same name everywhere.
    let mut names: Vec<_> = disks
        .map(|disk| {
            let place = (disk.kind == StorageKind::PhysicalVolume).then_some(&disk.served_by);
            (disk.kind, &disk.name, place)
        })
        .collect();
    names.sort();
    names.dedup();
    names.len()
}

fn cpu(meters: &InstanceMeters) -> CpuDiagnostics {
    CpuDiagnostics {
        id: None,
        time: meters.cpu.time_ns,
        utilisation: meters.cpu.utilisation_percent.map(whole),
    }
}

/// The interfaces of the partition, with what is counted of them.
fn nics(server: &Server, meters: Option<&InstanceMeters>) -> Vec<NicDiagnostics> {
    let interfaces = server.interfaces.iter();
    let nics = interfaces.map(|interface| {
        let mut counted = meters.into_iter().flat_map(|meters| &meters.interfaces);
        let found = counted.find(|found| found.mac.is_some() && found.mac == interface.mac);
        NicDiagnostics {
            mac_address: interface.mac,
            rx_octets: found.map(|it| it.rx_bytes),
            rx_errors: found.and_then(|it| it.rx_errors),
            rx_drop: found.map(|it| it.dropped_packets),
            rx_packets: found.map(|it| it.rx_packets),
            rx_rate: found.and_then(|it| it.rx_bytes_per_second).map(whole),
            tx_octets: found.map(|it| it.tx_bytes),
            tx_errors: found.and_then(|it| it.tx_errors),
            tx_drop: None,
            tx_packets: found.map(|it| it.tx_packets),
            tx_rate: found.and_then(|it| it.tx_bytes_per_second).map(whole),
        }
    });
    nics.collect()
}

fn disk(meters: &DiskMeters) -> DiskDiagnostics {
    DiskDiagnostics {
        read_bytes: meters.read_bytes,
        read_requests: meters.read_requests,
        write_bytes: meters.write_bytes,
        write_requests: meters.write_requests,
        errors_count: None,
    }
}

fn whole(number: f64) -> u64 {
    // Beyond what it holds, the cast stops at its end.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let whole = number.max(0.0).round() as u64;
    whole
}
