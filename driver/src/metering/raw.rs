//! The files of raw samples, as far as meters read them. Recordings `phyp_pcm_data`, `vios_pcm_data`, `lpar_pcm_data`.

use serde::{Deserialize, Deserializer};

use super::count::Count;

/// A list that may be missing, or null.
fn list<'de, D: Deserializer<'de>, T: Deserialize<'de>>(from: D) -> Result<Vec<T>, D::Error> {
    Option::<Vec<T>>::deserialize(from).map(Option::unwrap_or_default)
}

/// A file of the hypervisor or of a Virtual I/O Server.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct File<S> {
    pub(super) system_util: Sampled<S>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Sampled<S> {
    pub(super) util_sample: S,
}

/// What the hypervisor tells (`phyp`).
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Hypervisor {
    pub(super) time_based_cycles: Count,
    pub(super) system_firmware: Firmware,
    pub(super) processor: SystemProcessor,
    pub(super) memory: SystemMemory,
    #[serde(deserialize_with = "list")]
    pub(super) shared_processor_pool: Vec<Pool>,
    #[serde(deserialize_with = "list")]
    pub(super) lpars_util: Vec<Partition>,
    #[serde(deserialize_with = "list")]
    pub(super) vios_util: Vec<Partition>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Firmware {
    pub(super) utilized_proc_cycles: Count,
    pub(super) assigned_mem: Count,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct SystemProcessor {
    pub(super) total_proc_units: f64,
    pub(super) configurable_proc_units: f64,
    pub(super) available_proc_units: f64,
    pub(super) proc_cycles_per_second: Count,
}

/// In MB.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct SystemMemory {
    pub(super) total_mem: Count,
    pub(super) available_mem: Count,
    pub(super) configurable_mem: Count,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Pool {
    pub(super) id: Count,
    pub(super) name: String,
    pub(super) assigned_proc_cycles: Count,
    pub(super) utilized_pool_cycles: Count,
}

/// A partition, or the partition of a Virtual I/O Server.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Partition {
    pub(super) id: Count,
    pub(super) uuid: String,
    pub(super) name: String,
    pub(super) state: String,
    pub(super) memory: PartitionMemory,
    pub(super) processor: PartitionProcessor,
    pub(super) network: Option<Network>,
    pub(super) storage: Option<Storage>,
}

/// In MB: `logicalMem` of a partition, `assignedMem` of a Virtual I/O Server.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct PartitionMemory {
    pub(super) logical_mem: Count,
    pub(super) assigned_mem: Count,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct PartitionProcessor {
    pub(super) entitled_proc_cycles: Count,
    pub(super) utilized_capped_proc_cycles: Count,
    #[serde(alias = "utilizedUncappedProcCycles")]
    pub(super) utilized_un_capped_proc_cycles: Count,
    pub(super) idle_proc_cycles: Count,
    pub(super) donated_proc_cycles: Count,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Network {
    #[serde(deserialize_with = "list")]
    pub(super) virtual_ethernet_adapters: Vec<Adapter>,
    #[serde(deserialize_with = "list")]
    pub(super) sriov_logical_ports: Vec<Adapter>,
}

/// A virtual Ethernet adapter or an SR-IOV logical port.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Adapter {
    pub(super) physical_location: String,
    pub(super) received_packets: Count,
    pub(super) sent_packets: Count,
    pub(super) dropped_packets: Count,
    pub(super) received_bytes: Count,
    pub(super) sent_bytes: Count,
    pub(super) error_in: Option<Count>,
    pub(super) error_out: Option<Count>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Storage {
    #[serde(deserialize_with = "list")]
    pub(super) generic_virtual_adapters: Vec<ScsiEnd>,
    #[serde(deserialize_with = "list")]
    pub(super) virtual_fiber_channel_adapters: Vec<FcEnd>,
}

/// A partition's end of a virtual SCSI bus.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct ScsiEnd {
    pub(super) vios_id: Count,
    pub(super) vios_adapter_slot_id: Count,
}

/// A partition's virtual Fibre Channel adapter: its two port names as numbers.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct FcEnd {
    #[serde(deserialize_with = "list")]
    pub(super) wwpn_pair: Vec<Count>,
    pub(super) vios_id: Count,
}

/// What Virtual I/O Servers tell (`vios_<id>`): a list of one.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Servers {
    #[serde(deserialize_with = "list")]
    pub(super) vios_util: Vec<Vios>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Vios {
    pub(super) name: String,
    pub(super) memory: ViosMemory,
    pub(super) storage: Option<ViosStorage>,
}

/// In MB.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct ViosMemory {
    pub(super) utilized_mem: Option<Count>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct ViosStorage {
    #[serde(deserialize_with = "list")]
    pub(super) generic_virtual_adapters: Vec<Transfers>,
    #[serde(deserialize_with = "list")]
    pub(super) fiber_channel_adapters: Vec<Transfers>,
}

/// What went through an adapter of a Virtual I/O Server, and through the virtual ports of a physical one.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Transfers {
    pub(super) id: String,
    pub(super) physical_location: String,
    pub(super) wwpn: String,
    pub(super) num_of_reads: Count,
    pub(super) num_of_writes: Count,
    pub(super) read_bytes: Count,
    pub(super) write_bytes: Count,
    #[serde(deserialize_with = "list")]
    pub(super) ports: Vec<Transfers>,
}

/// What operating systems tell (`lpar`).
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Systems {
    #[serde(deserialize_with = "list")]
    pub(super) lpar_util: Vec<OperatingSystem>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct OperatingSystem {
    pub(super) uuid: String,
    pub(super) memory: Option<OsMemory>,
    pub(super) error_info: Option<OsError>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct OsMemory {
    pub(super) pct_real_mem_avbl: Option<f64>,
    pub(super) real_mem_size_bytes: Count,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct OsError {
    pub(super) error_id: String,
}
