//! A flavor: how big a server is, and the `powervm:` keys among its extra specs.
//!
//! Extra specs are text typed by people. A key that starts with `powervm:` and is unknown is
//! refused by name, since a misspelt limit that is silently dropped is found only in production;
//! keys with another prefix belong to somebody else and are left alone.

use std::collections::BTreeMap;
use std::str::FromStr;

use powervm_schema::units::ProcessingUnits;
use serde::{Deserialize, Serialize};

use super::sizing::SizingError;

/// The size of a server as OpenStack gives it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Flavor {
    /// Virtual processors (or dedicated ones).
    pub vcpus: u32,
    /// Memory in MB.
    pub memory_mb: u64,
    /// Size of the boot disk in GB; 0 means as large as the image.
    pub root_gb: u64,
    /// Extra specs, of which those with the prefix `powervm:` count here.
    pub extra_specs: BTreeMap<String, String>,
}

/// The least processing units that a partition may have.
pub const MIN_UNITS: ProcessingUnits = ProcessingUnits::hundredths(5);

/// What a partition with dedicated processors does with idle ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DedicatedSharing {
    /// Gives them away while the partition is off.
    WhenInactive,
    /// Keeps them.
    Keep,
    /// Gives them away while the partition runs.
    WhenActive,
    /// Gives them away always.
    Always,
}

impl DedicatedSharing {
    const CHOICES: [(&'static str, Self); 4] = [
        ("share_idle_procs", Self::WhenInactive),
        ("keep_idle_procs", Self::Keep),
        ("share_idle_procs_active", Self::WhenActive),
        ("share_idle_procs_always", Self::Always),
    ];

    /// The `SharingMode` of the REST schema, whose first spelling lacks a letter.
    #[must_use]
    pub fn rest_name(self) -> &'static str {
        match self {
            Self::WhenInactive => "sre idle proces",
            Self::Keep => "keep idle procs",
            Self::WhenActive => "sre idle procs active",
            Self::Always => "sre idle procs always",
        }
    }
}

/// The `powervm:` keys of a flavor, read.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct FlavorSpecs {
    /// `min_mem`, MB.
    pub min_mem: Option<u64>,
    /// `max_mem`, MB.
    pub max_mem: Option<u64>,
    /// `min_vcpu`.
    pub min_vcpu: Option<u32>,
    /// `max_vcpu`.
    pub max_vcpu: Option<u32>,
    /// `proc_units`.
    pub proc_units: Option<ProcessingUnits>,
    /// `min_proc_units`.
    pub min_proc_units: Option<ProcessingUnits>,
    /// `max_proc_units`.
    pub max_proc_units: Option<ProcessingUnits>,
    /// `dedicated_proc`.
    pub dedicated_proc: Option<bool>,
    /// `dedicated_sharing_mode`.
    pub dedicated_sharing_mode: Option<DedicatedSharing>,
    /// `uncapped`.
    pub uncapped: Option<bool>,
    /// `shared_weight`.
    pub shared_weight: Option<u8>,
    /// `shared_proc_pool_name`; `DefaultPool` reads as none.
    pub shared_proc_pool_name: Option<String>,
    /// `availability_priority`.
    pub availability_priority: Option<u8>,
    /// `processor_compatibility` as the REST schema spells it (`+` written out).
    pub processor_compatibility: Option<String>,
    /// `srr_capability`.
    pub srr_capability: Option<bool>,
    /// `enable_lpar_metric`.
    pub enable_lpar_metric: Option<bool>,
    /// `ppt_ratio` as the REST schema counts it: 0 for 1:64 up to 6 for 1:4096.
    pub page_table_ratio: Option<u8>,
    /// `enforce_affinity_check`.
    pub enforce_affinity_check: Option<bool>,
    /// `secure_boot`, 0 to 9.
    pub secure_boot: Option<u8>,
}

/// The prefix of the keys that count here.
const PREFIX: &str = "powervm:";

/// Ratio of memory to its page table, by the number that the REST schema has for it.
const PAGE_TABLE_RATIOS: [&str; 7] = [
    "1:64", "1:128", "1:256", "1:512", "1:1024", "1:2048", "1:4096",
];

/// The longest name of a shared processor pool, in characters.
const MAX_POOL_NAME: usize = 14;

impl FlavorSpecs {
    /// Reads the `powervm:` keys of a flavor's extra specs.
    ///
    /// # Errors
    /// An unknown key, or a value that its key does not take; both are named.
    pub fn read(extra_specs: &BTreeMap<String, String>) -> Result<Self, SizingError> {
        let mut specs = Self::default();
        for (full_key, value) in extra_specs {
            let Some(key) = full_key.strip_prefix(PREFIX) else {
                continue;
            };
            match key {
                "min_mem" => specs.min_mem = Some(number(key, value)?),
                "max_mem" => specs.max_mem = Some(number(key, value)?),
                "min_vcpu" => specs.min_vcpu = Some(number(key, value)?),
                "max_vcpu" => specs.max_vcpu = Some(number(key, value)?),
                "proc_units" => specs.proc_units = Some(number(key, value)?),
                "min_proc_units" => specs.min_proc_units = Some(number(key, value)?),
                "max_proc_units" => specs.max_proc_units = Some(number(key, value)?),
                "dedicated_proc" => specs.dedicated_proc = Some(boolean(key, value)?),
                "dedicated_sharing_mode" => {
                    specs.dedicated_sharing_mode = Some(sharing(key, value)?)
                }
                "uncapped" => specs.uncapped = Some(boolean(key, value)?),
                "shared_weight" => specs.shared_weight = Some(bounded(key, value, 255)?),
                "shared_proc_pool_name" => specs.shared_proc_pool_name = pool(key, value)?,
                "availability_priority" => {
                    specs.availability_priority = Some(bounded(key, value, 255)?)
                }
                "processor_compatibility" => {
                    specs.processor_compatibility = Some(value.trim().replace('+', "_Plus"))
                }
                "srr_capability" => specs.srr_capability = Some(boolean(key, value)?),
                "enable_lpar_metric" => specs.enable_lpar_metric = Some(boolean(key, value)?),
                "ppt_ratio" => specs.page_table_ratio = Some(page_table_ratio(key, value)?),
                "enforce_affinity_check" => {
                    specs.enforce_affinity_check = Some(boolean(key, value)?)
                }
                "secure_boot" => specs.secure_boot = Some(bounded(key, value, 9)?),
                _ => {
                    return Err(SizingError::UnknownKey {
                        key: full_key.clone(),
                    });
                }
            }
        }
        Ok(specs)
    }

    /// Whether any key that only shared processors have is given.
    pub(crate) fn names_shared_processors(&self) -> bool {
        self.proc_units.is_some()
            || self.min_proc_units.is_some()
            || self.max_proc_units.is_some()
            || self.shared_weight.is_some()
            || self.uncapped.is_some()
    }
}

fn number<T: FromStr>(key: &str, value: &str) -> Result<T, SizingError> {
    value.trim().parse().map_err(|_| SizingError::InvalidValue {
        field: format!("{PREFIX}{key}"),
        value: value.to_owned(),
    })
}

fn bounded(key: &str, value: &str, maximum: u8) -> Result<u8, SizingError> {
    let field = format!("{PREFIX}{key}");
    let given: i64 = number(key, value)?;
    if given < 0 {
        return Err(SizingError::BelowMinimum {
            field,
            value: given.to_string(),
            minimum: "0".to_owned(),
        });
    }
    match u8::try_from(given) {
        Ok(fits) if fits <= maximum => Ok(fits),
        _ => Err(SizingError::AboveMaximum {
            field,
            value: given.to_string(),
            maximum: maximum.to_string(),
        }),
    }
}

fn boolean(key: &str, value: &str) -> Result<bool, SizingError> {
    match value.trim().to_ascii_lowercase().as_str() {
        "true" | "t" | "yes" | "y" => Ok(true),
        "false" | "f" | "no" | "n" => Ok(false),
        _ => Err(SizingError::NotBoolean {
            field: format!("{PREFIX}{key}"),
            value: value.to_owned(),
        }),
    }
}

fn sharing(key: &str, value: &str) -> Result<DedicatedSharing, SizingError> {
    let choice = DedicatedSharing::CHOICES
        .iter()
        .find(|(name, _)| value.trim().eq_ignore_ascii_case(name));
    choice
        .map(|(_, sharing)| *sharing)
        .ok_or_else(|| SizingError::NotAChoice {
            field: format!("{PREFIX}{key}"),
            value: value.to_owned(),
            choices: DedicatedSharing::CHOICES
                .iter()
                .map(|(name, _)| *name)
                .collect::<Vec<_>>()
                .join(", "),
        })
}

fn page_table_ratio(key: &str, value: &str) -> Result<u8, SizingError> {
    let position = PAGE_TABLE_RATIOS
        .iter()
        .position(|ratio| *ratio == value.trim());
    position
        .and_then(|at| u8::try_from(at).ok())
        .ok_or_else(|| SizingError::NotAChoice {
            field: format!("{PREFIX}{key}"),
            value: value.to_owned(),
            choices: PAGE_TABLE_RATIOS.join(", "),
        })
}

fn pool(key: &str, value: &str) -> Result<Option<String>, SizingError> {
    let name = value.trim();
    if name.chars().count() > MAX_POOL_NAME {
        return Err(SizingError::AboveMaximum {
            field: format!("{PREFIX}{key}"),
            value: name.to_owned(),
            maximum: format!("{MAX_POOL_NAME} characters"),
        });
    }
    Ok((name != "DefaultPool").then(|| name.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(specs: &[(&str, &str)]) -> Result<FlavorSpecs, SizingError> {
        FlavorSpecs::read(
            &specs
                .iter()
                .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
                .collect(),
        )
    }

    #[test]
    fn reads_every_key() {
        let specs = read(&[
            ("powervm:min_mem", "1024"),
            ("powervm:max_mem", "8192"),
            ("powervm:min_vcpu", "1"),
            ("powervm:max_vcpu", "8"),
            ("powervm:proc_units", "0.5"),
            ("powervm:min_proc_units", "0.1"),
            ("powervm:max_proc_units", "2"),
            ("powervm:dedicated_proc", "No"),
            ("powervm:dedicated_sharing_mode", "share_idle_procs"),
            ("powervm:uncapped", "T"),
            ("powervm:shared_weight", "255"),
            ("powervm:shared_proc_pool_name", "DefaultPool"),
            ("powervm:availability_priority", "0"),
            ("powervm:processor_compatibility", "POWER6+_Enhanced"),
            ("powervm:srr_capability", "false"),
            ("powervm:enable_lpar_metric", "y"),
            ("powervm:ppt_ratio", "1:4096"),
            ("powervm:enforce_affinity_check", "n"),
            ("powervm:secure_boot", "2"),
            ("hw:cpu_policy", "dedicated"),
        ])
        .unwrap();
        assert_eq!(specs.min_mem, Some(1024));
        assert_eq!(specs.proc_units.unwrap().to_string(), "0.5");
        assert_eq!(
            specs.dedicated_sharing_mode.unwrap().rest_name(),
            "sre idle proces"
        );
        assert_eq!(specs.shared_proc_pool_name, None);
        assert_eq!(
            specs.processor_compatibility.as_deref(),
            Some("POWER6_Plus_Enhanced")
        );
        assert_eq!(specs.page_table_ratio, Some(6));
        assert_eq!(specs.dedicated_proc, Some(false));
    }

    #[test]
    fn refuses_by_name_what_it_does_not_know() {
        assert_eq!(
            read(&[("powervm:min_memory", "1")]).unwrap_err(),
            SizingError::UnknownKey {
                key: "powervm:min_memory".to_owned()
            }
        );
    }

    #[test]
    fn names_key_and_value_of_what_it_cannot_read() {
        for (key, value) in [
            ("powervm:min_mem", "much"),
            ("powervm:proc_units", "NaN"),
            ("powervm:proc_units", "-1"),
            ("powervm:uncapped", "1"),
            ("powervm:shared_weight", "256"),
            ("powervm:shared_weight", "-1"),
            ("powervm:secure_boot", "10"),
            ("powervm:ppt_ratio", "1:63"),
            ("powervm:dedicated_sharing_mode", "sre idle proces"),
            ("powervm:shared_proc_pool_name", "a-name-that-is-too-long"),
        ] {
            let message = read(&[(key, value)]).unwrap_err().to_string();
            assert!(
                message.contains(key) && message.contains(value),
                "{message}"
            );
        }
    }
}
