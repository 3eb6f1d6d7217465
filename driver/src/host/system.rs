//! The managed system: which one, what it can do, what is left of it.

use powervm_schema::atom::Entry;
use powervm_schema::system::ManagedSystem;
use powervm_schema::units::ProcessingUnits;
use serde::Serialize;

use super::required;
use super::vios::VnicAbility;
use crate::error::{Error, ErrorKind, Result};
use crate::partition::flavor::MIN_UNITS;
use crate::partition::{HostLimits, HostRoom};
use crate::rest::{Groups, Session};

/// A managed system as it was when it was read.
#[derive(Debug, Clone)]
pub struct System {
    /// UUID, as the server writes it.
    pub uuid: String,
    /// Name.
    pub name: String,
    /// Machine type, model and serial number: `8247-22L*2125D4A`.
    pub machine: String,
    /// Whether partitions can have virtual NICs, and several backing devices of one.
    pub vnic: VnicAbility,
    /// What partitions may ask for.
    pub limits: HostLimits,
    /// What those of IBM i may ask for.
    pub ibmi: Ibmi,
    /// What is left.
    pub room: HostRoom,
    /// What there is in all.
    pub total: Total,
}

/// What a system can do for partitions of IBM i.
#[derive(Debug, Clone, PartialEq)]
pub struct Ibmi {
    /// It makes them at all.
    pub capable: bool,
    /// It lets them have virtual devices alone, which those that are to move need.
    pub restricted_io: bool,
    /// What they may ask for.
    pub limits: HostLimits,
}

/// Memory and processors of a system that partitions can have in all.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Total {
    /// Memory in MB.
    pub memory_mb: u64,
    /// Processing units.
    pub proc_units: f64,
}

impl System {
    /// Finds the one system of the server, or the one of this name or UUID.
    ///
    /// # Errors
    /// No system, several where none is named, or none of that name.
    pub async fn find(session: &Session, wanted: &str) -> Result<Self> {
        let feed = session.get_feed("ManagedSystem", Groups::None).await?;
        let systems = feed
            .entries
            .iter()
            .map(Self::read)
            .collect::<Result<Vec<_>>>()?;
        let found = systems.len();
        let names = systems
            .iter()
            .map(|system| system.name.as_str())
            .collect::<Vec<_>>()
            .join(", ");
        let is_wanted = |system: &Self| {
            wanted.is_empty() || system.name == wanted || system.uuid.eq_ignore_ascii_case(wanted)
        };
        let mut fitting = systems.iter().filter(|system| is_wanted(system));
        match (fitting.next(), fitting.next()) {
            (Some(system), None) => Ok(system.clone()),
            (Some(_), Some(_)) => Err(wrong(
                format!(
                    "the server manages {found} systems ({names}), and exactly one is expected"
                ),
                "name one of them with --system, or as managed_system",
            )),
            (None, _) if found == 0 => Err(wrong(
                "the server manages no system".to_owned(),
                "connect the console to a system first",
            )),
            (None, _) => Err(wrong(
                format!("the server manages no system '{wanted}', but: {names}"),
                "correct managed_system",
            )),
        }
    }

    /// Reads the system again.
    ///
    /// # Errors
    /// Those of the request, and a document without what is needed.
    pub async fn refresh(session: &Session, uuid: &str) -> Result<Self> {
        Self::read(
            &session
                .get_entry(&format!("ManagedSystem/{uuid}"), Groups::None)
                .await?,
        )
    }

    fn read(entry: &Entry) -> Result<Self> {
        let system = ManagedSystem(&entry.content);
        let missing = |what: &str| {
            required::<()>(what, Ok(None))
                .err()
                .unwrap_or_else(|| Error::internal("nothing"))
        };
        let memory = system
            .memory()
            .ok_or_else(|| missing("the system's memory"))?;
        let processors = system
            .processors()
            .ok_or_else(|| missing("the system's processors"))?;
        let machine = system.machine().map_or_else(String::new, |machine| {
            let part = |part: Option<&str>| part.unwrap_or_default().to_owned();
            format!(
                "{}-{}*{}",
                part(machine.machine_type()),
                part(machine.model()),
                part(machine.serial_number())
            )
        });
        let capabilities = system.capabilities();
        let can = |flag: std::result::Result<Option<bool>, _>, default: bool| {
            flag.ok().flatten().unwrap_or(default)
        };
        let count = |number: std::result::Result<Option<u32>, _>| {
            number.ok().flatten().filter(|count| *count > 0)
        };
        let max_vcpus_of_system =
            count(processors.maximum_allowed_virtual_processors_per_partition());
        let max_procs_of_system =
            count(processors.current_maximum_allowed_processors_per_partition());
        let limits = HostLimits {
            memory_block_mb: required("the memory block size", memory.memory_region_size())?,
            compatibility_modes: processors
                .supported_partition_processor_compatibility_modes()
                .map(str::to_owned)
                .collect(),
            remote_restart: capabilities.as_ref().is_some_and(|found| {
                can(
                    found.powervm_logical_partition_simplified_remote_restart_capable(),
                    false,
                )
            }),
            secure_boot: capabilities
                .as_ref()
                .is_some_and(|found| can(found.partition_secure_boot_capable(), false)),
            affinity_check: system
                .migration()
                .is_some_and(|found| can(found.logical_partition_affinity_check_capable(), false)),
            page_table_ratio: capabilities
                .as_ref()
                .is_some_and(|found| can(found.custom_physical_page_table_ratio_capable(), false)),
            custom_mac: capabilities
                .as_ref()
                .is_none_or(|found| can(found.virtual_ethernet_custom_mac_address_capable(), true)),
            max_vcpus_of_partition: count(
                processors.current_maximum_virtual_processors_per_aix_or_linux_partition(),
            )
            .or(max_vcpus_of_system),
            max_procs_of_partition: count(
                processors.current_maximum_processors_per_aix_or_linux_partition(),
            )
            .or(max_procs_of_system),
            max_vcpus_of_system,
            max_procs_of_system,
            min_units_per_vcpu: processors
                .minimum_processor_units_per_virtual_processor()
                .ok()
                .flatten()
                .unwrap_or(MIN_UNITS),
        };
        let ibmi = Ibmi {
            capable: capabilities
                .as_ref()
                .is_some_and(|found| can(found.ibmi_capable(), false)),
            restricted_io: capabilities
                .as_ref()
                .is_some_and(|found| can(found.ibmi_restricted_io_mode_capable(), false)),
            limits: HostLimits {
                max_vcpus_of_partition: count(
                    processors.current_maximum_virtual_processors_per_ibmi_partition(),
                )
                .or(max_vcpus_of_system),
                max_procs_of_partition: count(
                    processors.current_maximum_processors_per_ibmi_partition(),
                )
                .or(max_procs_of_system),
                // Secure boot is for other operating systems.
                secure_boot: false,
                ..limits.clone()
            },
        };
        let units = |units: ProcessingUnits| units.as_f64();
        Ok(Self {
            uuid: entry.id.clone(),
            name: system.name().unwrap_or_default().to_owned(),
            machine,
            // One that does not say leaves it to its Virtual I/O Servers, which do.
            vnic: VnicAbility {
                serves: capabilities
                    .as_ref()
                    .is_none_or(|found| can(found.virtual_nic_dedicated_sriov_capable(), true)),
                fails_over: capabilities
                    .as_ref()
                    .is_none_or(|found| can(found.virtual_nic_failover_capable(), true)),
            },
            limits,
            ibmi,
            room: HostRoom {
                memory_mb: required("the free memory", memory.current_available_system_memory())?,
                proc_units: required(
                    "the free processing units",
                    processors.current_available_system_processor_units(),
                )?,
            },
            total: Total {
                memory_mb: required(
                    "the configurable memory",
                    memory.configurable_system_memory(),
                )?,
                proc_units: units(required(
                    "the configurable processing units",
                    processors.configurable_system_processor_units(),
                )?),
            },
        })
    }
}

fn wrong(what: String, remedy: &str) -> Error {
    Error::operation(ErrorKind::Precondition, what, remedy)
}
