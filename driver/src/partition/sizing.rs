//! From a flavor to the processors and memory that a partition asks for.
//!
//! Rules are checked in this order: the flavor's own keys, general settings, memory, processors;
//! and within a minimum, desired and maximum: desired above maximum, desired below minimum, then
//! the bounds of each. What only the host can say (is there room?) is [`HostRoom`]'s and comes last.
//!
//! [`HostRoom`]: super::HostRoom

use std::fmt;

use powervm_schema::units::ProcessingUnits;
use thiserror::Error;

use super::flavor::{DedicatedSharing, Flavor, FlavorSpecs, MIN_UNITS};
use super::host_limits::HostLimits;
use crate::error::{Error, ErrorKind};

/// The least memory that a partition may have, in MB.
pub const MIN_MEMORY_MB: u64 = 128;
/// Virtual slots that a partition gets when nothing says otherwise.
pub const DEFAULT_MAX_SLOTS: u32 = 64;
/// Availability priority that a partition gets when nothing says otherwise.
pub const DEFAULT_AVAILABILITY_PRIORITY: u8 = 127;

/// What the configuration says about sizes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SizingDefaults {
    /// Processing units for each virtual processor of a flavor that names none, 0.05 to 1.
    pub proc_units_factor: f64,
    /// Weight of an uncapped partition whose flavor names none, 1 to 255.
    pub uncapped_weight: u8,
}

impl Default for SizingDefaults {
    fn default() -> Self {
        Self {
            proc_units_factor: 0.1,
            uncapped_weight: 64,
        }
    }
}

/// Minimum, desired and maximum of one thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Triple<T> {
    /// The least with which the partition starts.
    pub minimum: T,
    /// What it asks for.
    pub desired: T,
    /// The most that it can grow to while it runs.
    pub maximum: T,
}

/// A partition's processors.
#[derive(Debug, Clone, PartialEq)]
pub enum Processors {
    /// A share of the host's processors.
    Shared {
        /// Virtual processors.
        vcpus: Triple<u32>,
        /// Processing units.
        units: Triple<ProcessingUnits>,
        /// Weight among the uncapped; `None` when capped.
        uncapped_weight: Option<u8>,
        /// Name of the pool; `None` is the default pool.
        pool: Option<String>,
    },
    /// Whole processors of its own.
    Dedicated {
        /// How many.
        processors: Triple<u32>,
        /// What becomes of idle ones.
        sharing: DedicatedSharing,
    },
}

/// Everything about a partition that its flavor decides, checked.
#[derive(Debug, Clone, PartialEq)]
pub struct Sizing {
    /// Memory in MB.
    pub memory: Triple<u64>,
    /// Processors.
    pub processors: Processors,
    /// How many virtual slots it has.
    pub max_slots: u32,
    /// Who gets processors first when some fail, 0 to 255.
    pub availability_priority: u8,
    /// Processor compatibility mode.
    pub compatibility: String,
    /// Simplified remote restart; `None` where the host cannot.
    pub remote_restart: Option<bool>,
    /// Whether performance data may be collected.
    pub performance_collection: bool,
    /// Page table ratio by the REST schema's number; `None` leaves the host's default.
    pub page_table_ratio: Option<u8>,
    /// Secure boot level; `None` where the host cannot.
    pub secure_boot: Option<u8>,
    /// Whether a migration checks the affinity score first.
    pub affinity_check: bool,
}

/// Why a flavor makes no partition, on this host or on any.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum SizingError {
    /// A `powervm:` key that does not exist.
    #[error(
        "the flavor's extra spec '{key}' is unknown; see the list of powervm: keys in the documentation"
    )]
    UnknownKey {
        /// The key as given.
        key: String,
    },
    /// A value that cannot be read.
    #[error("'{value}' is no valid value for {field}")]
    InvalidValue {
        /// The key or attribute.
        field: String,
        /// The value as given.
        value: String,
    },
    /// Neither true nor false.
    #[error("{field} is either true or false, not '{value}'")]
    NotBoolean {
        /// The key or attribute.
        field: String,
        /// The value as given.
        value: String,
    },
    /// Not one of a list.
    #[error("{field} cannot be '{value}'; it is one of: {choices}")]
    NotAChoice {
        /// The key or attribute.
        field: String,
        /// The value as given.
        value: String,
        /// What may stand there, comma separated.
        choices: String,
    },
    /// Too small.
    #[error("{field} is {value}, below its minimum of {minimum}")]
    BelowMinimum {
        /// The key or attribute.
        field: String,
        /// The value.
        value: String,
        /// The bound.
        minimum: String,
    },
    /// Too large.
    #[error("{field} is {value}, above its maximum of {maximum}")]
    AboveMaximum {
        /// The key or attribute.
        field: String,
        /// The value.
        value: String,
        /// The bound.
        maximum: String,
    },
    /// Desired above maximum.
    #[error("the desired {what} ({desired}) is above the maximum {what} ({maximum})")]
    DesiredAboveMaximum {
        /// Memory, virtual processors or processing units.
        what: &'static str,
        /// Desired.
        desired: String,
        /// Maximum.
        maximum: String,
    },
    /// Desired below minimum.
    #[error("the desired {what} ({desired}) is below the minimum {what} ({minimum})")]
    DesiredBelowMinimum {
        /// Memory, virtual processors or processing units.
        what: &'static str,
        /// Desired.
        desired: String,
        /// Minimum.
        minimum: String,
    },
    /// Memory comes in blocks.
    #[error("{field} of {value} MB is not a multiple of the host's memory block of {block} MB")]
    NotAMultiple {
        /// Which of the three.
        field: &'static str,
        /// MB.
        value: u64,
        /// The host's logical memory block in MB.
        block: u64,
    },
    /// The host lacks a capability.
    #[error("the host cannot do {feature}, which the flavor asks for with {field}")]
    NotCapable {
        /// What it cannot do.
        feature: &'static str,
        /// The key that asks for it.
        field: &'static str,
    },
    /// More than one partition may have, on this host.
    #[error("{what} of {value} is more than the {maximum} that {scope} on this host")]
    OverHostLimit {
        /// Which number.
        what: &'static str,
        /// Its value.
        value: u32,
        /// The host's limit.
        maximum: u32,
        /// What the limit is about.
        scope: &'static str,
    },
    /// Not enough left.
    #[error(
        "the host has not enough {resource} left for '{name}': {requested} asked for, {available} available"
    )]
    NoRoom {
        /// Memory (MB), processing units or processors.
        resource: &'static str,
        /// Name of the partition.
        name: String,
        /// What it asks for.
        requested: String,
        /// What is left.
        available: String,
    },
    /// The pool that the flavor names is not there.
    #[error("the host has no shared processor pool named '{name}'")]
    PoolNotFound {
        /// Its name.
        name: String,
    },
    /// Several pools of that name.
    #[error("the host has several shared processor pools named '{name}'")]
    PoolNotUnique {
        /// Its name.
        name: String,
    },
}

impl SizingError {
    /// Whether another host may have room, so that a scheduler should try one.
    /// Everything else is wrong with the flavor and will be so anywhere like here.
    #[must_use]
    pub fn is_for_another_host(&self) -> bool {
        matches!(
            self,
            Self::NoRoom { .. }
                | Self::NotCapable { .. }
                | Self::OverHostLimit { .. }
                | Self::PoolNotFound { .. }
        )
    }
}

impl From<SizingError> for Error {
    fn from(error: SizingError) -> Self {
        let (kind, remedy) = match &error {
            SizingError::NoRoom { .. } => (ErrorKind::NoSpace, "free some, or use another host"),
            error if error.is_for_another_host() => (
                ErrorKind::Precondition,
                "change the flavor, or use another host",
            ),
            _ => (ErrorKind::Invalid, "change the flavor"),
        };
        Error::caused(kind, error.to_string(), remedy, error)
    }
}

impl Sizing {
    /// Reads a flavor against what the host can do.
    ///
    /// # Errors
    /// The first rule that the flavor breaks, in the order that the module describes.
    pub fn of(
        flavor: &Flavor,
        defaults: SizingDefaults,
        host: &HostLimits,
    ) -> Result<Self, SizingError> {
        let specs = FlavorSpecs::read(&flavor.extra_specs)?;
        let compatibility = compatibility(&specs, host)?;
        let secure_boot = secure_boot(&specs, host)?;
        let affinity_check = affinity_check(&specs, host)?;
        let page_table_ratio = page_table_ratio(&specs, host)?;
        let memory = memory(flavor, &specs, host)?;
        let processors = if is_dedicated(&specs) {
            dedicated(flavor, &specs)?
        } else {
            shared(flavor, &specs, defaults)?
        };
        Ok(Self {
            memory,
            processors,
            max_slots: DEFAULT_MAX_SLOTS,
            availability_priority: specs
                .availability_priority
                .unwrap_or(DEFAULT_AVAILABILITY_PRIORITY),
            compatibility,
            remote_restart: host
                .remote_restart
                .then(|| specs.srr_capability.unwrap_or(true)),
            performance_collection: specs.enable_lpar_metric.unwrap_or(false),
            page_table_ratio,
            secure_boot,
            affinity_check,
        })
    }
}

fn compatibility(specs: &FlavorSpecs, host: &HostLimits) -> Result<String, SizingError> {
    let Some(asked) = &specs.processor_compatibility else {
        return Ok("default".to_owned());
    };
    host.compatibility_modes
        .iter()
        .find(|mode| mode.eq_ignore_ascii_case(asked))
        .cloned()
        .ok_or_else(|| SizingError::NotAChoice {
            field: "powervm:processor_compatibility".to_owned(),
            value: asked.clone(),
            choices: host.compatibility_modes.join(", "),
        })
}

fn secure_boot(specs: &FlavorSpecs, host: &HostLimits) -> Result<Option<u8>, SizingError> {
    let level = specs.secure_boot.unwrap_or(0);
    if level > 0 && !host.secure_boot {
        return Err(SizingError::NotCapable {
            feature: "secure boot",
            field: "powervm:secure_boot",
        });
    }
    Ok(host.secure_boot.then_some(level))
}

fn affinity_check(specs: &FlavorSpecs, host: &HostLimits) -> Result<bool, SizingError> {
    let asked = specs.enforce_affinity_check.unwrap_or(false);
    if asked && !host.affinity_check {
        return Err(SizingError::NotCapable {
            feature: "affinity score checks on migration",
            field: "powervm:enforce_affinity_check",
        });
    }
    Ok(asked)
}

fn page_table_ratio(specs: &FlavorSpecs, host: &HostLimits) -> Result<Option<u8>, SizingError> {
    if specs.page_table_ratio.is_some() && !host.page_table_ratio {
        return Err(SizingError::NotCapable {
            feature: "a page table ratio",
            field: "powervm:ppt_ratio",
        });
    }
    Ok(specs.page_table_ratio)
}

fn memory(
    flavor: &Flavor,
    specs: &FlavorSpecs,
    host: &HostLimits,
) -> Result<Triple<u64>, SizingError> {
    let memory = Triple {
        minimum: specs.min_mem.unwrap_or(flavor.memory_mb),
        desired: flavor.memory_mb,
        maximum: specs.max_mem.unwrap_or(flavor.memory_mb),
    };
    check_triple("memory", memory, MIN_MEMORY_MB)?;
    for (field, value) in [
        ("minimum memory", memory.minimum),
        ("desired memory", memory.desired),
        ("maximum memory", memory.maximum),
    ] {
        if host.memory_block_mb == 0 || value % host.memory_block_mb != 0 {
            return Err(SizingError::NotAMultiple {
                field,
                value,
                block: host.memory_block_mb,
            });
        }
    }
    Ok(memory)
}

/// Dedicated when the flavor says so, or when it says what to do with idle processors and nothing
/// that only shared ones have.
fn is_dedicated(specs: &FlavorSpecs) -> bool {
    match specs.dedicated_proc {
        Some(dedicated) => dedicated,
        None => specs.dedicated_sharing_mode.is_some() && !specs.names_shared_processors(),
    }
}

fn vcpus(flavor: &Flavor, specs: &FlavorSpecs) -> Result<Triple<u32>, SizingError> {
    let vcpus = Triple {
        minimum: specs.min_vcpu.unwrap_or(flavor.vcpus),
        desired: flavor.vcpus,
        maximum: specs.max_vcpu.unwrap_or(flavor.vcpus),
    };
    check_triple("virtual processors", vcpus, 1)?;
    Ok(vcpus)
}

fn dedicated(flavor: &Flavor, specs: &FlavorSpecs) -> Result<Processors, SizingError> {
    let sharing = specs
        .dedicated_sharing_mode
        .unwrap_or(DedicatedSharing::WhenInactive);
    Ok(Processors::Dedicated {
        processors: vcpus(flavor, specs)?,
        sharing,
    })
}

fn shared(
    flavor: &Flavor,
    specs: &FlavorSpecs,
    defaults: SizingDefaults,
) -> Result<Processors, SizingError> {
    let vcpus = vcpus(flavor, specs)?;
    let desired = match specs.proc_units {
        Some(units) => units,
        None => default_units(flavor, specs, defaults)?,
    };
    let units = Triple {
        minimum: specs.min_proc_units.unwrap_or(desired),
        desired,
        maximum: specs.max_proc_units.unwrap_or(desired),
    };
    check_triple("processing units", units, MIN_UNITS)?;
    let uncapped = specs.uncapped.unwrap_or(true);
    Ok(Processors::Shared {
        vcpus,
        units,
        uncapped_weight: uncapped.then(|| specs.shared_weight.unwrap_or(defaults.uncapped_weight)),
        pool: specs.shared_proc_pool_name.clone(),
    })
}

/// The configured share of each virtual processor, moved into the flavor's own bounds.
fn default_units(
    flavor: &Flavor,
    specs: &FlavorSpecs,
    defaults: SizingDefaults,
) -> Result<ProcessingUnits, SizingError> {
    let factor = defaults.proc_units_factor;
    if !(0.05..=1.0).contains(&factor) {
        return Err(SizingError::InvalidValue {
            field: "proc_units_factor".to_owned(),
            value: factor.to_string(),
        });
    }
    let share = ProcessingUnits::from_f64(f64::from(flavor.vcpus) * factor);
    let raised = specs
        .min_proc_units
        .map_or(share, |minimum| share.max(minimum));
    Ok(specs
        .max_proc_units
        .map_or(raised, |maximum| raised.min(maximum)))
}

fn check_triple<T: PartialOrd + Copy + fmt::Display>(
    what: &'static str,
    triple: Triple<T>,
    least: T,
) -> Result<(), SizingError> {
    let Triple {
        minimum,
        desired,
        maximum,
    } = triple;
    if desired > maximum {
        return Err(SizingError::DesiredAboveMaximum {
            what,
            desired: desired.to_string(),
            maximum: maximum.to_string(),
        });
    }
    if desired < minimum {
        return Err(SizingError::DesiredBelowMinimum {
            what,
            desired: desired.to_string(),
            minimum: minimum.to_string(),
        });
    }
    for (which, value) in [
        ("minimum", minimum),
        ("desired", desired),
        ("maximum", maximum),
    ] {
        if value < least {
            return Err(SizingError::BelowMinimum {
                field: format!("{which} {what}"),
                value: value.to_string(),
                minimum: least.to_string(),
            });
        }
    }
    Ok(())
}
