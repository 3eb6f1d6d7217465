//! All meters of one server.

use jiff::Timestamp;
use serde::Serialize;

use super::disk::{self, DiskMeters};
use super::feed::History;
use super::interface::{self, InterfaceMeters};
use super::processor::CpuMeters;
use super::raw::{OperatingSystem, Partition};
use crate::network::Mac;
use crate::partition::{PartitionUuid, PowerState};

/// All meters of one server.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct InstanceMeters {
    /// UUID of its partition.
    #[serde(serialize_with = "crate::operations::lower_case")]
    pub id: PartitionUuid,
    /// Its partition's name.
    pub name: String,
    /// Its power state when the sample was taken.
    pub status: PowerState,
    /// When the newest sample was taken.
    #[serde(serialize_with = "super::as_text")]
    pub sampled_at: Timestamp,
    /// Seconds to the one before it, between which rates are; none when there is no earlier one.
    pub interval_seconds: Option<f64>,
    /// Processors.
    pub cpu: CpuMeters,
    /// Memory.
    pub memory: MemoryMeters,
    /// Interfaces, in the hypervisor's order.
    pub interfaces: Vec<InterfaceMeters>,
    /// Storage adapters.
    pub disks: Vec<DiskMeters>,
    /// What cannot be told, and why.
    pub untold: Vec<String>,
}

/// What a server uses of memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct MemoryMeters {
    /// What it has, in MB.
    pub total_mb: u64,
    /// What its operating system could not give to anybody else, in MB; none where that does not tell.
    pub used_mb: Option<u64>,
}

/// What other documents tell of a partition.
pub(crate) struct Facts<'a> {
    /// Its virtual processors, or dedicated ones.
    pub(crate) processors: u32,
    /// The address of the adapter at a place.
    pub(crate) mac_at: &'a dyn Fn(&str) -> Option<Mac>,
}

impl History {
    /// All partitions of the newest sample that are no Virtual I/O Servers, with their UUID.
    pub(crate) fn partitions(&self) -> impl Iterator<Item = (PartitionUuid, &Partition)> {
        let all = self.now.hypervisor.lpars_util.iter();
        all.filter_map(|partition| Some((PartitionUuid::parse(&partition.uuid)?, partition)))
    }

    /// The places of a partition's network adapters.
    pub(crate) fn places(&self, uuid: PartitionUuid) -> Vec<String> {
        let found = self.partitions().find(|(other, _)| *other == uuid);
        let network = found.and_then(|(_, partition)| partition.network.as_ref());
        let adapters = network
            .into_iter()
            .flat_map(|network| &network.virtual_ethernet_adapters);
        adapters
            .map(|adapter| interface::place_of(&adapter.physical_location).to_owned())
            .collect()
    }

    /// All meters of a partition; none for one that is not in the newest sample.
    pub(crate) fn instance(
        &self,
        uuid: PartitionUuid,
        facts: &Facts<'_>,
    ) -> Option<InstanceMeters> {
        let (_, partition) = self.partitions().find(|(other, _)| *other == uuid)?;
        let same = |other: &&Partition| other.id == partition.id && uuid.is(&other.uuid);
        let sample = self.before.as_ref();
        let before = sample.and_then(|before| before.hypervisor.lpars_util.iter().find(same));
        let seconds = self.seconds();
        let system = self.now.systems.as_ref().map(|systems| systems.get(&uuid));
        let mut untold = Vec::new();
        let memory = memory(partition, system, &mut untold);
        if partition.network.is_none() {
            untold.push("network: the hypervisor tells of none".to_owned());
        }
        let disks = disk::all(partition, &self.now, sample, seconds);
        if disks.is_empty() {
            untold.push(
                "disks: no Virtual I/O Server tells of any; one without an RMC connection cannot"
                    .to_owned(),
            );
        }
        Some(InstanceMeters {
            id: uuid,
            name: partition.name.clone(),
            status: PowerState::of(&partition.state),
            sampled_at: self.now.at,
            interval_seconds: seconds,
            cpu: CpuMeters::of(partition, before, facts.processors, self),
            memory,
            interfaces: interface::all(partition, before, facts.mac_at, seconds),
            disks,
            untold,
        })
    }
}

fn memory(
    partition: &Partition,
    system: Option<Option<&OperatingSystem>>,
    untold: &mut Vec<String>,
) -> MemoryMeters {
    let used_mb = match used(system) {
        Ok(used) => Some(used),
        Err(why) => {
            untold.push(format!("memory used: {why}"));
            None
        }
    };
    MemoryMeters {
        total_mb: partition.memory.logical_mem.0,
        used_mb,
    }
}

/// Memory that an operating system uses, in MB, or why it does not tell. Codes of the recording `lpar_pcm_data`.
fn used(system: Option<Option<&OperatingSystem>>) -> Result<u64, String> {
    let system = system.ok_or("the console has nothing of operating systems")?;
    let system = system.ok_or("the console has nothing of its operating system")?;
    let code = system
        .error_info
        .as_ref()
        .map(|error| error.error_id.as_str());
    match (code, &system.memory) {
        (Some("6001"), _) => Err("the server does not run".to_owned()),
        (Some("6003"), _) => Err("the server has no RMC connection".to_owned()),
        (Some(code), _) => Err(format!(
            "the console says {}",
            crate::error::printable(code)
        )),
        (None, Some(memory)) => {
            let free = memory
                .pct_real_mem_avbl
                .filter(|free| (0.0..=100.0).contains(free));
            let free = free.ok_or("its operating system does not tell what is available")?;
            // Memory is far below what a float holds exactly.
            #[allow(
                clippy::cast_precision_loss,
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss
            )]
            let used =
                (memory.real_mem_size_bytes.0 as f64 * (100.0 - free) / 100.0 / 1_048_576.0) as u64;
            Ok(used)
        }
        (None, None) => Err("its operating system tells nothing".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn system(text: &str) -> OperatingSystem {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn memory_is_told_by_operating_systems_that_can() {
        let told = system(r#"{"memory": {"pctRealMemAvbl": 75, "realMemSizeBytes": 4294967296}}"#);
        assert_eq!(used(Some(Some(&told))), Ok(1024));
        for (system, part) in [
            (
                system(r#"{"errorInfo": {"errorId": "6001"}}"#),
                "does not run",
            ),
            (system(r#"{"errorInfo": {"errorId": "6003"}}"#), "RMC"),
            (system(r#"{"errorInfo": {"errorId": "7"}}"#), "7"),
            (
                system(r#"{"memory": {"pctRealMemAvbl": 175}}"#),
                "available",
            ),
            (system("{}"), "nothing"),
        ] {
            let why = used(Some(Some(&system))).unwrap_err();
            assert!(why.contains(part), "{why}");
        }
        assert!(used(None).is_err() && used(Some(None)).is_err());
    }
}
