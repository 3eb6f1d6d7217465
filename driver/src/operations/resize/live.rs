//! Another size for a server that runs: what its operating system gives up or takes without a restart.
//!
//! Processors and memory move between the partition's minimum and maximum, over RMC. Everything else needs the
//! partition off.

use std::collections::BTreeMap;

use powervm_schema::partition::{LogicalPartition, PartitionState, RmcState};
use powervm_schema::xml::Element;

use crate::error::{Error, ErrorKind, Result};
use crate::partition::sizing::Processors;
use crate::partition::{Flavor, Sizing};

/// The flavor with the partition's own minima, maxima and kind of processors, where it names none.
pub(super) fn within_bounds(flavor: &Flavor, document: &LogicalPartition<&Element>) -> Flavor {
    let mut known: BTreeMap<&str, String> = BTreeMap::new();
    let mut know = |key, value: Option<String>| {
        if let Some(value) = value {
            known.insert(key, value);
        }
    };
    let partition = document.partition();
    if let Some(memory) = partition.memory() {
        know("powervm:min_mem", text(memory.minimum_memory()));
        know("powervm:max_mem", text(memory.maximum_memory()));
    }
    let processors = partition.processors();
    let is_dedicated = processors
        .as_ref()
        .is_some_and(|found| found.has_dedicated_processors().ok().flatten() == Some(true));
    if is_dedicated {
        know("powervm:dedicated_proc", Some("true".to_owned()));
        if let Some(own) = processors.as_ref().and_then(|found| found.dedicated()) {
            know("powervm:min_vcpu", text(own.minimum_processors()));
            know("powervm:max_vcpu", text(own.maximum_processors()));
        }
    } else if let Some(share) = processors.as_ref().and_then(|found| found.shared()) {
        know("powervm:min_vcpu", text(share.minimum_virtual_processors()));
        know("powervm:max_vcpu", text(share.maximum_virtual_processors()));
        know(
            "powervm:min_proc_units",
            text(share.minimum_processing_units()),
        );
        know(
            "powervm:max_proc_units",
            text(share.maximum_processing_units()),
        );
        let is_uncapped = share.uncapped_weight().ok().flatten().is_some();
        know("powervm:uncapped", Some(is_uncapped.to_string()));
    }
    let mut filled = flavor.clone();
    for (key, value) in known {
        filled.extra_specs.entry(key.to_owned()).or_insert(value);
    }
    filled
}

fn text<T: ToString, E>(value: std::result::Result<Option<T>, E>) -> Option<String> {
    value.ok().flatten().map(|value| value.to_string())
}

/// That the partition can get this size as it runs.
///
/// # Errors
/// It does not run, cannot be told, or would have to be off.
pub(super) fn check(document: &LogicalPartition<&Element>, new: &Sizing) -> Result<()> {
    let partition = document.partition();
    let name = partition.name().unwrap_or_default();
    if partition.state().ok().flatten() != Some(PartitionState::Running) {
        return Err(cannot(
            name,
            "does not run",
            "resize it the usual way, which restarts it if it runs",
        ));
    }
    let is_management = partition.is_management_partition().ok().flatten() == Some(true);
    if !is_management && partition.rmc_state().ok().flatten() != Some(RmcState::Active) {
        return Err(cannot(
            name,
            "has no active RMC connection",
            "wait until RMC is active, or resize it the usual way",
        ));
    }
    if let Some(what) = needs_power_off(document, new) {
        return Err(Error::operation(
            ErrorKind::Precondition,
            format!("{name} has to be off before {what} is changed"),
            "resize it the usual way",
        ));
    }
    let capabilities = partition.capabilities();
    let takes = |flag: Option<bool>| flag == Some(true);
    let memory = partition.memory();
    let desired = memory.and_then(|memory| memory.desired_memory().ok().flatten());
    let takes_memory = capabilities
        .as_ref()
        .and_then(|found| found.dynamic_memory().ok().flatten());
    if desired != Some(new.memory.desired) && !takes(takes_memory) {
        return Err(cannot(
            name,
            "runs an operating system that takes no memory while it does",
            "resize it the usual way",
        ));
    }
    let takes_processors = capabilities
        .as_ref()
        .and_then(|found| found.dynamic_processor().ok().flatten());
    if !takes(takes_processors) && has_other_processors(document, new) {
        return Err(cannot(
            name,
            "runs an operating system that takes no processors while it does",
            "resize it the usual way",
        ));
    }
    Ok(())
}

fn cannot(name: &str, why: &str, remedy: &str) -> Error {
    Error::operation(
        ErrorKind::Precondition,
        format!("{name} cannot get another size as it runs: it {why}"),
        remedy,
    )
}

/// What of the new size differs and cannot be changed as the partition runs.
fn needs_power_off(document: &LogicalPartition<&Element>, new: &Sizing) -> Option<&'static str> {
    let partition = document.partition();
    let memory = partition.memory()?;
    let (least, most) = (memory.minimum_memory().ok()?, memory.maximum_memory().ok()?);
    if (least, most) != (Some(new.memory.minimum), Some(new.memory.maximum)) {
        return Some("its minimum or maximum memory");
    }
    let ratio = memory.physical_page_table_ratio().ok()?;
    if new
        .page_table_ratio
        .is_some_and(|new| ratio != Some(u32::from(new)))
    {
        return Some("its page table ratio");
    }
    let current = [
        partition.pending_processor_compatibility_mode(),
        partition.current_processor_compatibility_mode(),
    ];
    if !current.contains(&Some(new.compatibility.as_str())) {
        return Some("its processor compatibility mode");
    }
    let restart = document.simplified_remote_restart_capable().ok()?;
    if new.remote_restart.is_some() && restart.is_some() && new.remote_restart != restart {
        return Some("its simplified remote restart capability");
    }
    let processors = partition.processors()?;
    let is_dedicated = processors.has_dedicated_processors().ok()? == Some(true);
    match &new.processors {
        Processors::Shared { vcpus, units, .. } => {
            let Some(share) = processors.shared().filter(|_| !is_dedicated) else {
                return Some("the mode of its processors");
            };
            let bounds = (
                share.minimum_virtual_processors().ok()?,
                share.maximum_virtual_processors().ok()?,
            );
            if bounds != (Some(vcpus.minimum), Some(vcpus.maximum)) {
                return Some("its minimum or maximum processors");
            }
            let bounds = (
                share.minimum_processing_units().ok()?,
                share.maximum_processing_units().ok()?,
            );
            (bounds != (Some(units.minimum), Some(units.maximum)))
                .then_some("its minimum or maximum processing units")
        }
        Processors::Dedicated {
            processors: count, ..
        } => {
            let Some(own) = processors.dedicated().filter(|_| is_dedicated) else {
                return Some("the mode of its processors");
            };
            let bounds = (
                own.minimum_processors().ok()?,
                own.maximum_processors().ok()?,
            );
            (bounds != (Some(count.minimum), Some(count.maximum)))
                .then_some("its minimum or maximum processors")
        }
    }
}

fn has_other_processors(document: &LogicalPartition<&Element>, new: &Sizing) -> bool {
    let partition = document.partition();
    let Some(processors) = partition.processors() else {
        return true;
    };
    match &new.processors {
        Processors::Shared { vcpus, units, .. } => processors.shared().is_none_or(|share| {
            share.desired_virtual_processors().ok().flatten() != Some(vcpus.desired)
                || share.desired_processing_units().ok().flatten() != Some(units.desired)
        }),
        Processors::Dedicated {
            processors: count, ..
        } => processors
            .dedicated()
            .is_none_or(|own| own.desired_processors().ok().flatten() != Some(count.desired)),
    }
}
