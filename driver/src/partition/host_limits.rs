//! What a host can give: its fixed limits, and the room that is left.

use powervm_schema::units::ProcessingUnits;

use super::sizing::{Processors, Sizing, SizingError};

/// Limits and capabilities of a managed system; they change with its firmware only.
#[derive(Debug, Clone, PartialEq)]
pub struct HostLimits {
    /// Memory comes in blocks of this many MB.
    pub memory_block_mb: u64,
    /// Processor compatibility modes that a partition may ask for.
    pub compatibility_modes: Vec<String>,
    /// Simplified remote restart.
    pub remote_restart: bool,
    /// Secure boot of partitions.
    pub secure_boot: bool,
    /// Affinity score checks on migration.
    pub affinity_check: bool,
    /// Page table ratio of a partition's own.
    pub page_table_ratio: bool,
    /// MAC addresses of the client's choice.
    pub custom_mac: bool,
    /// Most virtual processors that a partition may ask for; `None` where the host does not say.
    pub max_vcpus_of_partition: Option<u32>,
    /// Most dedicated processors that a partition may ask for.
    pub max_procs_of_partition: Option<u32>,
    /// Highest maximum of virtual processors.
    pub max_vcpus_of_system: Option<u32>,
    /// Highest maximum of dedicated processors.
    pub max_procs_of_system: Option<u32>,
    /// Least processing units for each virtual processor.
    pub min_units_per_vcpu: ProcessingUnits,
}

/// What is left on a host.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HostRoom {
    /// Memory in MB.
    pub memory_mb: u64,
    /// Processing units.
    pub proc_units: ProcessingUnits,
}

impl HostLimits {
    /// Checks that a partition of this size may exist on the host at all.
    ///
    /// # Errors
    /// Too many processors, or too few or too many processing units for the virtual processors.
    pub fn check(&self, sizing: &Sizing) -> Result<(), SizingError> {
        match &sizing.processors {
            Processors::Shared { vcpus, units, .. } => {
                at_most(
                    "the desired virtual processors",
                    vcpus.desired,
                    self.max_vcpus_of_partition,
                    PARTITION,
                )?;
                at_most(
                    "the maximum virtual processors",
                    vcpus.maximum,
                    self.max_vcpus_of_system,
                    SYSTEM,
                )?;
                self.check_share(vcpus.desired, units.desired)
            }
            Processors::Dedicated { processors, .. } => {
                at_most(
                    "the desired processors",
                    processors.desired,
                    self.max_procs_of_partition,
                    PARTITION,
                )?;
                at_most(
                    "the maximum processors",
                    processors.maximum,
                    self.max_procs_of_system,
                    SYSTEM,
                )
            }
        }
    }

    /// A virtual processor has at least the host's minimum share, and at most one whole processor.
    fn check_share(&self, vcpus: u32, units: ProcessingUnits) -> Result<(), SizingError> {
        let field = || format!("processing units for {vcpus} virtual processors");
        let least = self.min_units_per_vcpu.as_hundredths() * u64::from(vcpus);
        let most = 100 * u64::from(vcpus);
        let given = units.as_hundredths();
        if given < least {
            let minimum = ProcessingUnits::hundredths(least).to_string();
            return Err(SizingError::BelowMinimum {
                field: field(),
                value: units.to_string(),
                minimum,
            });
        }
        if given > most {
            return Err(SizingError::AboveMaximum {
                field: field(),
                value: units.to_string(),
                maximum: vcpus.to_string(),
            });
        }
        Ok(())
    }
}

const PARTITION: &str = "a partition may have";
const SYSTEM: &str = "any partition can grow to";

fn at_most(
    what: &'static str,
    value: u32,
    maximum: Option<u32>,
    scope: &'static str,
) -> Result<(), SizingError> {
    match maximum {
        Some(maximum) if maximum > 0 && value > maximum => Err(SizingError::OverHostLimit {
            what,
            value,
            maximum,
            scope,
        }),
        _ => Ok(()),
    }
}

impl HostRoom {
    /// Checks that there is room for a partition: processors first, then memory.
    ///
    /// Several deploys may pass at once; the server has the last word.
    ///
    /// # Errors
    /// What there is not enough of.
    pub fn check(&self, name: &str, sizing: &Sizing) -> Result<(), SizingError> {
        let (resource, requested) = match &sizing.processors {
            Processors::Shared { units, .. } => ("processing units", units.desired),
            Processors::Dedicated { processors, .. } => (
                "processors",
                ProcessingUnits::whole(u64::from(processors.desired)),
            ),
        };
        if requested > self.proc_units {
            return Err(SizingError::NoRoom {
                resource,
                name: name.to_owned(),
                requested: requested.to_string(),
                available: self.proc_units.to_string(),
            });
        }
        if sizing.memory.desired > self.memory_mb {
            return Err(SizingError::NoRoom {
                resource: "memory",
                name: name.to_owned(),
                requested: format!("{} MB", sizing.memory.desired),
                available: format!("{} MB", self.memory_mb),
            });
        }
        Ok(())
    }
}
