//! Meters of the host: its processors, its memory, its Virtual I/O Servers.

use jiff::Timestamp;
use serde::Serialize;

use super::feed::{History, Sample};
use super::raw::Partition;
use super::{growth, nanoseconds};

/// Meters of the host.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct HostMeters {
    /// When the newest sample was taken.
    #[serde(serialize_with = "super::as_text")]
    pub sampled_at: Timestamp,
    /// Seconds to the one before it; none when there is no earlier one.
    pub interval_seconds: Option<f64>,
    /// Where the time of all processors went between the two; none without an earlier one.
    pub cpu: Option<HostCpu>,
    /// Processors.
    pub processors: HostProcessors,
    /// Memory.
    pub memory: HostMemory,
    /// Pools of processors.
    pub pools: Vec<PoolMeters>,
    /// Virtual I/O Servers.
    pub virtual_io_servers: Vec<ViosMeters>,
}

/// Where the time of all processors went, in nanoseconds of one processor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct HostCpu {
    /// The hypervisor.
    pub kernel_ns: u64,
    /// Partitions, those of Virtual I/O Servers among them.
    pub user_ns: u64,
    /// Nobody.
    pub idle_ns: u64,
    /// Always 0: the hypervisor waits for no input or output.
    pub iowait_ns: u64,
}

/// The host's processors, in processing units.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct HostProcessors {
    /// All that are installed.
    pub total_units: f64,
    /// Those that partitions can have.
    pub configurable_units: f64,
    /// Those that none has.
    pub available_units: f64,
}

/// The host's memory, in MB.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct HostMemory {
    /// All that is installed.
    pub total_mb: u64,
    /// What partitions can have.
    pub configurable_mb: u64,
    /// What none has.
    pub available_mb: u64,
    /// What the hypervisor keeps for itself.
    pub firmware_mb: u64,
}

/// A pool of processors, since the hypervisor counts it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PoolMeters {
    /// Its number.
    pub id: u64,
    /// Its name.
    pub name: String,
    /// Time of processors that it had, in nanoseconds.
    pub assigned_ns: u64,
    /// Time that was used, in nanoseconds.
    pub used_ns: u64,
}

/// A Virtual I/O Server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ViosMeters {
    /// Its partition's number.
    pub id: u64,
    /// Its name.
    pub name: String,
    /// Time of processors that it has used since the hypervisor counts it, in nanoseconds.
    pub time_ns: u64,
    /// Memory that it has, in MB.
    pub memory_mb: u64,
    /// Memory that it uses, in MB; none without an RMC connection.
    pub memory_used_mb: Option<u64>,
}

impl HostCpu {
    /// Both together.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            kernel_ns: self.kernel_ns.saturating_add(other.kernel_ns),
            user_ns: self.user_ns.saturating_add(other.user_ns),
            idle_ns: self.idle_ns.saturating_add(other.idle_ns),
            iowait_ns: self.iowait_ns.saturating_add(other.iowait_ns),
        }
    }

    /// What share was used of all time, in percent.
    #[must_use]
    pub fn percent(self) -> f64 {
        let used = self.kernel_ns.saturating_add(self.user_ns);
        let all = used.saturating_add(self.idle_ns);
        // A share needs no more digits.
        #[allow(clippy::cast_precision_loss)]
        let percent = 100.0 * used as f64 / (all as f64).max(1.0);
        percent
    }

    /// Where the time went between two samples; none for counters that were set back.
    fn between(now: &Sample, before: &Sample) -> Option<Self> {
        let (now, before) = (&now.hypervisor, &before.hypervisor);
        let per_second = now.processor.proc_cycles_per_second.0;
        let elapsed = growth(now.time_based_cycles.0, before.time_based_cycles.0)?;
        // A few seconds of a few hundred processors.
        #[allow(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss
        )]
        let all = (elapsed as f64 * now.processor.configurable_proc_units.max(0.0)) as u64;
        let firmware = &now.system_firmware.utilized_proc_cycles;
        let kernel = growth(firmware.0, before.system_firmware.utilized_proc_cycles.0)?;
        let partitions = now.lpars_util.iter().map(|it| (it, &before.lpars_util));
        let servers = now.vios_util.iter().map(|it| (it, &before.vios_util));
        let user = partitions
            .chain(servers)
            .map(|(partition, before)| used(partition, before));
        let user = user.fold(0_u64, u64::saturating_add);
        let busy = kernel.saturating_add(user);
        if busy > all {
            tracing::warn!(busy, all, "more cycles were used than there were");
        }
        Some(Self {
            kernel_ns: nanoseconds(kernel, per_second),
            user_ns: nanoseconds(user, per_second),
            idle_ns: nanoseconds(all.saturating_sub(busy), per_second),
            iowait_ns: 0,
        })
    }
}

/// Cycles that a partition has used since the earlier sample: none when it was not in that, or blank as one that was on
/// its way here.
fn used(partition: &Partition, before: &[Partition]) -> u64 {
    let same = |other: &&Partition| other.id == partition.id && other.name == partition.name;
    let Some(before) = before
        .iter()
        .find(same)
        .filter(|before| !before.processor.is_blank())
    else {
        return 0;
    };
    let given = growth(partition.processor.given(), before.processor.given());
    let idle = growth(
        partition.processor.idle_proc_cycles.0,
        before.processor.idle_proc_cycles.0,
    );
    given.unwrap_or(0).saturating_sub(idle.unwrap_or(0))
}

impl History {
    /// Meters of the host.
    pub(crate) fn host(&self) -> HostMeters {
        let sample = &self.now.hypervisor;
        let per_second = sample.processor.proc_cycles_per_second.0;
        let pools = sample.shared_processor_pool.iter().map(|pool| PoolMeters {
            id: pool.id.0,
            name: pool.name.clone(),
            assigned_ns: nanoseconds(pool.assigned_proc_cycles.0, per_second),
            used_ns: nanoseconds(pool.utilized_pool_cycles.0, per_second),
        });
        let servers = sample.vios_util.iter().map(|vios| ViosMeters {
            id: vios.id.0,
            name: vios.name.clone(),
            time_ns: nanoseconds(vios.processor.given(), per_second),
            memory_mb: vios.memory.assigned_mem.0,
            memory_used_mb: self
                .now
                .servers
                .get(&vios.id.0)
                .and_then(|it| it.memory.utilized_mem)
                .map(|it| it.0),
        });
        HostMeters {
            sampled_at: self.now.at,
            interval_seconds: self.seconds(),
            cpu: self
                .before
                .as_ref()
                .and_then(|before| HostCpu::between(&self.now, before)),
            processors: HostProcessors {
                total_units: sample.processor.total_proc_units,
                configurable_units: sample.processor.configurable_proc_units,
                available_units: sample.processor.available_proc_units,
            },
            memory: HostMemory {
                total_mb: sample.memory.total_mem.0,
                configurable_mb: sample.memory.configurable_mem.0,
                available_mb: sample.memory.available_mem.0,
                firmware_mb: sample.system_firmware.assigned_mem.0,
            },
            pools: pools.collect(),
            virtual_io_servers: servers.collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(time: u64, partitions: &str) -> Sample {
        let text = format!(
            r#"{{"timeBasedCycles": {time}, "systemFirmware": {{"utilizedProcCycles": {}}},
                "processor": {{"configurableProcUnits": 4, "procCyclesPerSecond": 1000}},
                "lparsUtil": [{partitions}], "viosUtil": null}}"#,
            time / 10
        );
        Sample {
            at: Timestamp::UNIX_EPOCH,
            hypervisor: serde_json::from_str(&text).unwrap(),
            servers: std::collections::BTreeMap::new(),
            systems: None,
        }
    }

    fn partition(id: u32, capped: u64, idle: u64) -> String {
        format!(
            r#"{{"id": {id}, "name": "p{id}", "processor": {{"utilizedCappedProcCycles": {capped}, "idleProcCycles": {idle}}}}}"#
        )
    }

    #[test]
    fn the_time_of_all_processors_goes_somewhere() {
        let before = sample(
            1000,
            &format!("{},{}", partition(1, 100, 10), partition(2, 0, 0)),
        );
        // The second was on its way here, the third is new: what they count comes from elsewhere.
        let now = [
            partition(1, 600, 110),
            partition(2, 9000, 0),
            partition(3, 70, 0),
        ];
        let now = sample(2000, &now.join(","));
        let cpu = HostCpu::between(&now, &before).unwrap();
        // 1000 cycles of 4 processors: 100 of the hypervisor, 400 of the first partition.
        let wanted = HostCpu {
            kernel_ns: 100_000_000,
            user_ns: 400_000_000,
            idle_ns: 3_500_000_000,
            iowait_ns: 0,
        };
        assert_eq!(cpu, wanted);
        assert!((cpu.percent() - 12.5).abs() < 1e-9);
        assert_eq!(cpu.and(cpu).user_ns, 800_000_000);
        assert_eq!(HostCpu::between(&before, &now), None);
        assert!(HostCpu::default().percent().abs() < 1e-9);
    }
}
