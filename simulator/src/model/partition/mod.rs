//! What logical partitions and Virtual I/O Servers have in common (`BasePartition`).

mod create;
mod delete;
mod io_slots;
pub mod rules;
mod update;

use imbl::OrdMap;
use std::sync::Arc;
use uuid::Uuid;

use super::memory_pool::SharedMemory;
use super::monitoring::Load;
use super::names::{
    BootMode, CompatibilityMode, Keylock, MigrationState, PartitionKind, PartitionState,
    ProfileSync, ProgressState, RmcState, SharingMode,
};
use super::network::NetworkAdapter;
use super::profile::Profile;
use super::sriov::{LogicalPort, Vnic};
use super::units::ProcUnits;
use crate::clock::Millis;

/// A logical partition, or the part that a Virtual I/O Server shares with one.
#[derive(serde::Serialize, serde::Deserialize, Clone, Debug, PartialEq, Eq)]
pub struct Partition {
    /// `PartitionUUID`; written in upper case.
    pub uuid: Uuid,
    /// The UUID of its managed system.
    pub system: Uuid,
    /// `PartitionID`: one number space for partitions and Virtual I/O Servers of a system.
    pub id: u16,
    /// `PartitionName`
    pub name: String,
    /// `Description`
    pub description: Option<String>,
    /// `PartitionType`
    pub kind: PartitionKind,
    /// `PartitionState`
    pub state: PartitionState,
    /// `ResourceMonitoringControlState`
    pub rmc: RmcState,
    /// `ResourceMonitoringIPAddress`
    pub rmc_address: Option<String>,
    /// `OperatingSystemVersion`, `Unknown` until RMC has told.
    pub os_version: String,
    /// `ReferenceCode`
    pub reference_code: String,
    /// When it came to run; the basis of `Uptime`.
    pub started: Option<Millis>,
    /// What the operating system lets be changed while it runs.
    pub capabilities: PartitionCapabilities,
    /// Its memory.
    pub memory: PartitionMemory,
    /// Its processors.
    pub processors: PartitionProcessors,
    /// `MaximumVirtualIOSlots`: slots are numbered below it.
    pub maximum_slots: u32,
    /// What clients set and read back.
    pub settings: PartitionSettings,
    /// `CurrentProcessorCompatibilityMode`
    pub current_compatibility: CompatibilityMode,
    /// `CurrentSecureBoot`
    pub current_secure_boot: u8,
    /// `PartitionNVRAM`, base64 as it came.
    pub nvram: Option<String>,
    /// `MACAddressPrefix`: 48 bits, the last byte zero.
    pub mac_prefix: u64,
    /// `LogicalSerialNumber`
    pub logical_serial: String,
    /// `IsManagementPartition`
    pub is_management: bool,
    /// The UUID of its default profile.
    pub profile: Uuid,
    /// Its profiles (HMC).
    pub profiles: Vec<Arc<Profile>>,
    /// `MigrationState`
    pub migration: MigrationState,
    /// `ProgressState` while it is being suspended or resumed.
    pub progress: Option<ProgressState>,
    /// `VirtualSerialNumber` (NovaLink)
    pub serial_number: Option<String>,
    /// What adds up while it works.
    pub load: Load,
    /// Its network adapters by UUID, trunk adapters included.
    pub network_adapters: OrdMap<Uuid, Arc<NetworkAdapter>>,
    /// Its SR-IOV logical ports by UUID.
    pub logical_ports: OrdMap<Uuid, Arc<LogicalPort>>,
    /// Its virtual NICs by UUID; a Virtual I/O Server has none.
    pub vnics: OrdMap<Uuid, Arc<Vnic>>,
    /// Whether someone has its console open.
    pub console_open: bool,
    /// Counts activations and forced power-offs, so that what was planned before them is left undone.
    pub activation: u64,
    /// Changes with the document, except for NVRAM.
    pub version: u64,
    /// Changes with the NVRAM.
    pub nvram_version: u64,
}

/// `PartitionCapabilities`
#[derive(serde::Serialize, serde::Deserialize, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PartitionCapabilities {
    /// `DynamicLogicalPartitionIOCapable`
    pub dynamic_io: bool,
    /// `DynamicLogicalPartitionMemoryCapable`
    pub dynamic_memory: bool,
    /// `DynamicLogicalPartitionProcessorCapable`
    pub dynamic_processors: bool,
    /// `ResourceMonitoringControlOperatingSystemShutdownCapable`
    pub os_shutdown: bool,
}

impl PartitionCapabilities {
    /// All that an operating system with RMC offers.
    pub const ALL: Self = Self {
        dynamic_io: true,
        dynamic_memory: true,
        dynamic_processors: true,
        os_shutdown: true,
    };
}

/// `PartitionMemoryConfiguration`, in megabytes.
#[derive(serde::Serialize, serde::Deserialize, Clone, Debug, Default, PartialEq, Eq)]
pub struct PartitionMemory {
    /// `MinimumMemory`
    pub minimum: u64,
    /// `DesiredMemory`
    pub desired: u64,
    /// `MaximumMemory`
    pub maximum: u64,
    /// `CurrentMinimumMemory`: that of the last activation, or the configured one while off.
    pub current_minimum: u64,
    /// `CurrentMemory`: what the partition has, or would have, between the bounds.
    pub current: u64,
    /// `CurrentMaximumMemory`
    pub current_maximum: u64,
    /// `RuntimeMemory` and `RuntimeMinimumMemory` are those of `current…` while active, else zero.
    pub active: bool,
    /// `ExpansionFactor` in hundredths; zero if Active Memory Expansion is off.
    pub expansion_factor: u32,
    /// `HardwarePageTableRatio`: the table takes maximum memory divided by two to this power.
    pub page_table_ratio: u8,
    /// `PhysicalPageTableRatio`
    pub physical_page_table_ratio: Option<u8>,
    /// What it has of the shared memory pool, instead of memory of its own.
    pub shared: Option<SharedMemory>,
}

/// `PartitionProcessorConfiguration`
#[derive(serde::Serialize, serde::Deserialize, Clone, Debug, PartialEq, Eq)]
pub struct PartitionProcessors {
    /// What is asked for.
    pub configured: ProcessorSetting,
    /// What the partition has since its activation, or what is asked for while it is off.
    pub current: ProcessorSetting,
    /// Whether `current` is really assigned; the `Runtime…` elements are zero while it is not.
    pub active: bool,
}

/// Dedicated or shared processors: bounds and the way of sharing.
#[derive(serde::Serialize, serde::Deserialize, Clone, Debug, PartialEq, Eq)]
pub enum ProcessorSetting {
    /// Whole processors.
    Dedicated {
        /// `MinimumProcessors`
        minimum: u16,
        /// `DesiredProcessors`
        desired: u16,
        /// `MaximumProcessors`
        maximum: u16,
        /// `SharingMode`
        sharing: SharingMode,
    },
    /// Shares of processors.
    Shared(SharedProcessors),
}

/// `SharedProcessorConfiguration`
#[derive(serde::Serialize, serde::Deserialize, Clone, Debug, PartialEq, Eq)]
pub struct SharedProcessors {
    /// `MinimumProcessingUnits`
    pub minimum_units: ProcUnits,
    /// `DesiredProcessingUnits`
    pub desired_units: ProcUnits,
    /// `MaximumProcessingUnits`
    pub maximum_units: ProcUnits,
    /// `MinimumVirtualProcessors`
    pub minimum_virtual: u16,
    /// `DesiredVirtualProcessors`
    pub desired_virtual: u16,
    /// `MaximumVirtualProcessors`
    pub maximum_virtual: u16,
    /// `SharedProcessorPoolID`
    pub pool: u8,
    /// `UncappedWeight` if uncapped; none if capped.
    pub uncapped_weight: Option<u8>,
}

impl ProcessorSetting {
    /// `SharingMode`
    #[must_use]
    pub const fn sharing(&self) -> SharingMode {
        match self {
            Self::Dedicated { sharing, .. } => *sharing,
            Self::Shared(shared) if shared.uncapped_weight.is_some() => SharingMode::Uncapped,
            Self::Shared(_) => SharingMode::Capped,
        }
    }

    /// What the hypervisor sets aside for it.
    #[must_use]
    pub fn desired_units(&self) -> ProcUnits {
        match self {
            Self::Dedicated { desired, .. } => ProcUnits::whole(u32::from(*desired)),
            Self::Shared(shared) => shared.desired_units,
        }
    }

    /// The least that the hypervisor must have to activate it.
    #[must_use]
    pub fn minimum_units(&self) -> ProcUnits {
        match self {
            Self::Dedicated { minimum, .. } => ProcUnits::whole(u32::from(*minimum)),
            Self::Shared(shared) => shared.minimum_units,
        }
    }
}

/// What clients set on a partition and read back.
#[derive(serde::Serialize, serde::Deserialize, Clone, Debug, PartialEq, Eq)]
pub struct PartitionSettings {
    /// `AvailabilityPriority`
    pub availability_priority: u8,
    /// `PendingProcessorCompatibilityMode`
    pub compatibility: CompatibilityMode,
    /// `CurrentProfileSync`
    pub profile_sync: ProfileSync,
    /// `AllowPerformanceDataCollection`
    pub performance_data: bool,
    /// `KeylockPosition`
    pub keylock: Keylock,
    /// `BootMode`
    pub boot_mode: BootMode,
    /// `AutoStart`
    pub auto_start: bool,
    /// `IsConnectionMonitoringEnabled`
    pub connection_monitoring: bool,
    /// `IsRedundantErrorPathReportingEnabled`
    pub error_path_reporting: bool,
    /// `IsTimeReferencePartition`
    pub time_reference: bool,
    /// `IsServicePartition`
    pub service_partition: bool,
    /// `IsVirtualTrustedPlatformModuleEnabled`
    pub trusted_platform_module: bool,
    /// `IsRestrictedIOPartition`
    pub restricted_io: bool,
    /// `PendingSecureBoot`, 0 to 9.
    pub secure_boot: u8,
    /// `SimplifiedRemoteRestartCapable`
    pub simplified_remote_restart: bool,
    /// `RemoteRestartCapable`
    pub remote_restart: bool,
    /// `SuspendCapable`
    pub suspend: bool,
    /// `MigrationDisable`
    pub migration_disabled: bool,
    /// `DesignatedIPLSource`
    pub ipl_source: Option<String>,
    /// `PendingBootString`
    pub pending_boot_string: Option<String>,
    /// `TaggedIO` of an IBM i partition.
    #[serde(default)]
    pub tagged: TaggedIo,
}

/// `TaggedIO`: the devices that IBM i starts from and is operated with, each a slot's number, `NONE` or `HMC`.
#[derive(serde::Serialize, serde::Deserialize, Clone, Debug, PartialEq, Eq)]
pub struct TaggedIo {
    /// `AlternateConsole`
    pub alternate_console: Option<String>,
    /// `AlternateLoadSource`
    pub alternate_load_source: String,
    /// `Console`
    pub console: String,
    /// `LoadSource`
    pub load_source: String,
    /// `OperationsConsole`
    pub operations_console: Option<String>,
}

impl Default for TaggedIo {
    /// Nothing is tagged (recording `lpar_ibmi`).
    fn default() -> Self {
        Self {
            alternate_console: None,
            alternate_load_source: "NONE".to_owned(),
            console: "0".to_owned(),
            load_source: "NONE".to_owned(),
            operations_console: None,
        }
    }
}

impl TaggedIo {
    /// All that is tagged.
    pub fn devices(&self) -> impl Iterator<Item = &str> {
        [
            self.alternate_console.as_deref(),
            Some(self.alternate_load_source.as_str()),
            Some(self.console.as_str()),
            Some(self.load_source.as_str()),
            self.operations_console.as_deref(),
        ]
        .into_iter()
        .flatten()
    }
}

impl Default for PartitionSettings {
    fn default() -> Self {
        Self {
            availability_priority: 127,
            compatibility: CompatibilityMode::Default,
            profile_sync: ProfileSync::On,
            performance_data: false,
            keylock: Keylock::Normal,
            boot_mode: BootMode::Normal,
            auto_start: false,
            connection_monitoring: true,
            error_path_reporting: false,
            time_reference: false,
            service_partition: false,
            trusted_platform_module: false,
            restricted_io: false,
            secure_boot: 0,
            simplified_remote_restart: false,
            remote_restart: false,
            suspend: false,
            migration_disabled: false,
            ipl_source: None,
            pending_boot_string: None,
            tagged: TaggedIo::default(),
        }
    }
}

impl Partition {
    /// `ReferenceCode` of a partition that is off.
    pub const OFF_CODE: &'static str = "00000000";

    /// Whether virtual adapters may come and go: while off always, while active only with the help of the operating
    /// system (`docs/protocol/partitions.md`).
    #[must_use]
    pub fn accepts_adapter_changes(&self) -> bool {
        if self.is_in_hand() {
            return false;
        }
        !self.state.holds_resources() || (self.rmc.is_up() && self.capabilities.dynamic_io)
    }
}

impl PartitionMemory {
    /// What the hypervisor needs for the partition while it is active, in megabytes: its page table (maximum memory
    /// divided by two to the power of the ratio), in whole memory regions.
    #[must_use]
    pub fn overhead(&self, region: u64) -> u64 {
        page_table(self.maximum, self.page_table_ratio, region)
    }
}

/// See [`PartitionMemory::overhead`].
#[must_use]
pub fn page_table(maximum: u64, ratio: u8, region: u64) -> u64 {
    let table = maximum.div_ceil(
        1_u64
            .checked_shl(u32::from(ratio))
            .unwrap_or(u64::MAX)
            .max(1),
    );
    table
        .checked_next_multiple_of(region.max(1))
        .unwrap_or(u64::MAX)
}
