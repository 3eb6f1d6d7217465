//! What a partition may look like: names, memory, processors and slots (`docs/protocol/partitions.md`).

use super::{PartitionMemory, PartitionSettings, ProcessorSetting, SharedProcessors, TaggedIo};
use crate::model::command::{MemoryRequest, ProcessorRequest};
use crate::model::memory_pool::SharedMemory;
use crate::model::names::{CompatibilityMode, SharingMode};
use crate::model::refusal::Refusal;
use crate::model::system::ManagedSystem;
use crate::model::units::ProcUnits;

/// The least memory of a partition in megabytes.
pub const MINIMUM_MEMORY: u64 = 128;
/// The longest `PartitionName`.
pub const NAME_LENGTH: usize = 31;
/// The longest `PartitionNVRAM`, in base64 characters.
pub const NVRAM_LENGTH: usize = 64 * 1024;

const FORBIDDEN_IN_NAMES: &str = "()\\<>*$&?|[]'\"`";

/// 1 to 31 printable ASCII characters, some of which are not allowed.
pub(in crate::model) fn check_name(name: &str) -> Result<(), Refusal> {
    let good = |c: char| (c == ' ' || c.is_ascii_graphic()) && !FORBIDDEN_IN_NAMES.contains(c);
    if name.trim().is_empty() || name.len() > NAME_LENGTH || !name.chars().all(good) {
        return Err(Refusal::logic(format!(
            "HSCL0617 The partition name must have 1 to {NAME_LENGTH} printable characters and none of {FORBIDDEN_IN_NAMES}."
        )));
    }
    Ok(())
}

pub(in crate::model) fn check_description(description: &str) -> Result<(), Refusal> {
    if description
        .chars()
        .all(|c| c == ' ' || c.is_ascii_graphic())
        && description.len() <= 512
    {
        return Ok(());
    }
    Err(Refusal::logic(
        "HSCLC63B The description must consist of printable ASCII characters.",
    ))
}

pub(in crate::model) fn check_slots(slots: u32) -> Result<(), Refusal> {
    if (2..=65_534).contains(&slots) {
        return Ok(());
    }
    Err(Refusal::logic(format!(
        "HSCL0617 The maximum number of virtual I/O slots must lie between 2 and 65534, not be {slots}."
    )))
}

pub(in crate::model) fn check_nvram(nvram: &str) -> Result<(), Refusal> {
    if nvram.len() <= NVRAM_LENGTH {
        return Ok(());
    }
    Err(Refusal::logic(format!(
        "The NVRAM must not have more than {NVRAM_LENGTH} characters."
    )))
}

pub(in crate::model) fn check_settings(
    system: &ManagedSystem,
    settings: &PartitionSettings,
) -> Result<(), Refusal> {
    check_compatibility(system, settings.compatibility)?;
    if settings.secure_boot > 9 {
        return Err(Refusal::logic(
            "HSCL0617 The secure boot value must lie between 0 and 9.",
        ));
    }
    if settings.simplified_remote_restart && !system.capabilities.simplified_remote_restart {
        return Err(Refusal::logic(format!(
            "System {} does not support simplified remote restart.",
            system.name
        )));
    }
    check_tagged(&settings.tagged)
}

/// A slot's number, or one of the words for what is no slot.
fn check_tagged(tagged: &TaggedIo) -> Result<(), Refusal> {
    let known = |device: &str| matches!(device, "NONE" | "HMC") || device.parse::<u16>().is_ok();
    match tagged.devices().find(|device| !known(device)) {
        None => Ok(()),
        Some(device) => {
            let shown: String = device.chars().take(20).collect();
            Err(Refusal::logic(format!(
                "HSCL0617 The tagged I/O device {shown:?} must be a slot number, NONE or HMC."
            )))
        }
    }
}

fn check_compatibility(system: &ManagedSystem, mode: CompatibilityMode) -> Result<(), Refusal> {
    if system.processors.compatibility_modes.contains(&mode) {
        return Ok(());
    }
    Err(Refusal::logic(format!(
        "HSCL0617 The processor compatibility mode {mode} is not supported by system {}.",
        system.name
    )))
}

/// The memory that a request makes of what is there; a new partition starts from zeros.
pub(in crate::model) fn memory(
    system: &ManagedSystem,
    before: &PartitionMemory,
    request: &MemoryRequest,
) -> Result<PartitionMemory, Refusal> {
    let desired = request.desired.unwrap_or(before.desired);
    if desired == 0 {
        return Err(Refusal::logic("These attributes are missing: desired_mem"));
    }
    let or_desired =
        |asked: Option<u64>, there: u64| asked.unwrap_or(if there == 0 { desired } else { there });
    let minimum = or_desired(request.minimum, before.minimum);
    let maximum = or_desired(request.maximum, before.maximum);
    if desired > maximum {
        return Err(Refusal::internal(format!(
            "REST0264 The desired memory {desired} is greater than the maximum memory {maximum}."
        )));
    }
    if minimum > desired {
        return Err(Refusal::logic(format!(
            "HSCL0617 The minimum memory {minimum} is greater than the desired memory {desired}."
        )));
    }
    let region = system.memory.region;
    for (name, value) in [
        ("minimum", minimum),
        ("desired", desired),
        ("maximum", maximum),
    ] {
        if value < MINIMUM_MEMORY || value % region != 0 {
            return Err(Refusal::logic(format!(
                "HSCL0617 The {name} memory of {value} MB must be at least {MINIMUM_MEMORY} MB and a multiple of the memory region size of {region} MB."
            )));
        }
        if value > system.memory.configurable {
            return Err(Refusal::logic(format!(
                "HSCL0617 The {name} memory of {value} MB is more than the {} MB that system {} has.",
                system.memory.configurable, system.name
            )));
        }
    }
    let expansion_factor = request.expansion_factor.unwrap_or(before.expansion_factor);
    if expansion_factor != 0
        && (!system.capabilities.active_memory_expansion
            || !(100..=1000).contains(&expansion_factor))
    {
        return Err(Refusal::logic(
            "HSCL0617 The memory expansion factor must be 0, or lie between 1 and 10 on a capable system.",
        ));
    }
    let page_table_ratio = request.page_table_ratio.unwrap_or(before.page_table_ratio);
    if !(5..=10).contains(&page_table_ratio) {
        return Err(Refusal::logic(
            "HSCL0617 The hardware page table ratio must lie between 5 and 10.",
        ));
    }
    let physical_page_table_ratio = request
        .physical_page_table_ratio
        .or(before.physical_page_table_ratio);
    let shared = shared_memory(system, before, request)?;
    Ok(PartitionMemory {
        minimum,
        desired,
        maximum,
        expansion_factor,
        page_table_ratio,
        physical_page_table_ratio,
        shared,
        ..before.clone()
    })
}

/// What a partition has of the shared memory pool: its entitlement is worked out unless it is given.
fn shared_memory(
    system: &ManagedSystem,
    before: &PartitionMemory,
    request: &MemoryRequest,
) -> Result<Option<SharedMemory>, Refusal> {
    if !request.shared.unwrap_or(before.shared.is_some()) {
        return Ok(None);
    }
    if system.memory_pool.is_none() {
        return Err(Refusal::logic(format!(
            "System {} has no shared memory pool.",
            system.name
        )));
    }
    let (entitled, weight) = before
        .shared
        .as_ref()
        .map_or((SharedMemory::WORKED_OUT, 128), |shared| {
            (shared.entitled, shared.weight)
        });
    Ok(Some(SharedMemory {
        entitled: request.entitled.unwrap_or(entitled),
        weight: request.weight.unwrap_or(weight),
        device: before
            .shared
            .as_ref()
            .and_then(|shared| shared.device.clone()),
    }))
}

/// The memory of a partition that does not exist yet.
pub(in crate::model) const NO_MEMORY: PartitionMemory = PartitionMemory {
    minimum: 0,
    desired: 0,
    maximum: 0,
    current_minimum: 0,
    current: 0,
    current_maximum: 0,
    active: false,
    expansion_factor: 0,
    page_table_ratio: 7,
    physical_page_table_ratio: None,
    shared: None,
};

/// One dedicated processor that others may use while it idles: what a partition gets that asks for nothing.
pub(in crate::model) const ONE_PROCESSOR: ProcessorSetting = ProcessorSetting::Dedicated {
    minimum: 1,
    desired: 1,
    maximum: 1,
    sharing: SharingMode::SharedIdle,
};

/// The processors that a request makes of what is there.
pub(in crate::model) fn processors(
    system: &ManagedSystem,
    before: Option<&ProcessorSetting>,
    request: &ProcessorRequest,
) -> Result<ProcessorSetting, Refusal> {
    let dedicated = request
        .dedicated
        .or(before.map(|setting| matches!(setting, ProcessorSetting::Dedicated { .. })));
    match dedicated {
        None => Err(Refusal::logic("These attributes are missing: proc_mode")),
        Some(true) => dedicated_processors(system, before, request),
        Some(false) => shared_processors(system, before, request),
    }
}

fn dedicated_processors(
    system: &ManagedSystem,
    before: Option<&ProcessorSetting>,
    request: &ProcessorRequest,
) -> Result<ProcessorSetting, Refusal> {
    let there = match before {
        Some(ProcessorSetting::Dedicated {
            minimum,
            desired,
            maximum,
            sharing,
        }) => Some((*minimum, *desired, *maximum, *sharing)),
        _ => None,
    };
    let minimum = request.minimum_processors.or(there.map(|there| there.0));
    let desired = request.desired_processors.or(there.map(|there| there.1));
    let maximum = request.maximum_processors.or(there.map(|there| there.2));
    let sharing = request
        .sharing
        .filter(|sharing| !sharing.is_shared())
        .or(there.map(|there| there.3));
    let (Some(minimum), Some(desired), Some(maximum), Some(sharing)) =
        (minimum, desired, maximum, sharing)
    else {
        let attributes = [
            ("sharing_mode", sharing.is_none()),
            ("min_procs", minimum.is_none()),
            ("desired_procs", desired.is_none()),
            ("max_procs", maximum.is_none()),
        ];
        return Err(lacking(&attributes));
    };
    if !system.capabilities.dedicated_processors {
        return Err(Refusal::logic(format!(
            "System {} does not support dedicated processors.",
            system.name
        )));
    }
    check_counts(
        "processors",
        (minimum, desired, maximum),
        system.processors.maximum_per_partition,
    )?;
    Ok(ProcessorSetting::Dedicated {
        minimum,
        desired,
        maximum,
        sharing,
    })
}

fn shared_processors(
    system: &ManagedSystem,
    before: Option<&ProcessorSetting>,
    request: &ProcessorRequest,
) -> Result<ProcessorSetting, Refusal> {
    let there = match before {
        Some(ProcessorSetting::Shared(shared)) => Some(shared),
        _ => None,
    };
    let minimum_virtual = request
        .minimum_virtual
        .or(there.map(|there| there.minimum_virtual));
    let desired_virtual = request
        .desired_virtual
        .or(there.map(|there| there.desired_virtual));
    let maximum_virtual = request
        .maximum_virtual
        .or(there.map(|there| there.maximum_virtual));
    let minimum_units = request
        .minimum_units
        .or(there.map(|there| there.minimum_units));
    let desired_units = request
        .desired_units
        .or(there.map(|there| there.desired_units));
    let maximum_units = request
        .maximum_units
        .or(there.map(|there| there.maximum_units));
    if desired_virtual.is_some_and(|count| count > 1) && desired_units.is_none() {
        return Err(Refusal::logic(
            "HSCL0622 Several virtual processors need explicit processing units.",
        ));
    }
    let virtuals = (minimum_virtual, desired_virtual, maximum_virtual);
    let (
        Some(minimum_units),
        Some(desired_units),
        Some(maximum_units),
        (Some(minimum_virtual), Some(desired_virtual), Some(maximum_virtual)),
    ) = (minimum_units, desired_units, maximum_units, virtuals)
    else {
        let attributes = [
            ("min_proc_units", minimum_units.is_none()),
            ("desired_proc_units", desired_units.is_none()),
            ("max_proc_units", maximum_units.is_none()),
            ("min_procs", minimum_virtual.is_none()),
            ("desired_procs", desired_virtual.is_none()),
            ("max_procs", maximum_virtual.is_none()),
        ];
        return Err(lacking(&attributes));
    };
    check_counts(
        "virtual processors",
        (minimum_virtual, desired_virtual, maximum_virtual),
        system.processors.maximum_virtual_per_partition,
    )?;
    if minimum_units > desired_units || desired_units > maximum_units {
        return Err(Refusal::logic(format!(
            "HSCL0617 The processing units must rise from minimum ({minimum_units}) over desired ({desired_units}) to maximum ({maximum_units})."
        )));
    }
    let least = system.processors.minimum_units_per_virtual;
    for (units, count) in [
        (minimum_units, minimum_virtual),
        (desired_units, desired_virtual),
        (maximum_units, maximum_virtual),
    ] {
        if units < least.times(u32::from(count)) || units > ProcUnits::whole(u32::from(count)) {
            return Err(Refusal::logic(format!(
                "HSCL0622 {units} processing units do not suit {count} virtual processors: each needs at least {least} and at most 1."
            )));
        }
    }
    if maximum_units > system.processors.configurable {
        return Err(Refusal::logic(format!(
            "HSCL0617 The maximum of {maximum_units} processing units is more than system {} has.",
            system.name
        )));
    }
    let pool = request.pool.or(there.map(|there| there.pool)).unwrap_or(0);
    if !system.processor_pools.contains_key(&pool) {
        return Err(Refusal::logic(format!(
            "HSCL0617 There is no shared processor pool {pool}."
        )));
    }
    let uncapped = match request.sharing {
        Some(mode) => mode == SharingMode::Uncapped,
        None => there.is_none_or(|there| there.uncapped_weight.is_some()),
    };
    let weight = request
        .uncapped_weight
        .or(there.and_then(|there| there.uncapped_weight))
        .unwrap_or(64);
    Ok(ProcessorSetting::Shared(SharedProcessors {
        minimum_units,
        desired_units,
        maximum_units,
        minimum_virtual,
        desired_virtual,
        maximum_virtual,
        pool,
        uncapped_weight: uncapped.then_some(weight),
    }))
}

fn check_counts(
    what: &str,
    (minimum, desired, maximum): (u16, u16, u16),
    most: u16,
) -> Result<(), Refusal> {
    if minimum == 0 || minimum > desired || desired > maximum || maximum > most {
        return Err(Refusal::logic(format!(
            "HSCL0617 The {what} must rise from minimum ({minimum}, at least 1) over desired ({desired}) to maximum ({maximum}, at most {most})."
        )));
    }
    Ok(())
}

fn lacking(attributes: &[(&str, bool)]) -> Refusal {
    let missing: Vec<&str> = attributes
        .iter()
        .filter(|(_, missing)| *missing)
        .map(|(name, _)| *name)
        .collect();
    Refusal::logic(format!(
        "These attributes are missing: {}",
        missing.join(", ")
    ))
}
