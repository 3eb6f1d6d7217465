//! What a partition is made of, as it was before a resize: kept to the letter, to be put back.

use std::collections::BTreeMap;

use powervm_schema::partition::{BasePartition, LogicalPartition, SharingMode};
use powervm_schema::xml::Element;
use serde::{Deserialize, Serialize};

use super::flavor::{Flavor, FlavorSpecs};
use super::host_limits::{HostLimits, HostRoom};
use super::sizing::{Sizing, SizingDefaults, SizingError};
use super::state::is_startable;
use crate::error::{Error, Result};

/// The element that sections are kept in.
const KEPT: &str = "Kept";

/// Elements that a resize may change. Servers leave alone what of them is read-only.
const SECTIONS: [&str; 7] = [
    "AllowPerformanceDataCollection",
    "AvailabilityPriority",
    "PartitionMemoryConfiguration",
    "PartitionProcessorConfiguration",
    "PendingProcessorCompatibilityMode",
    "PendingSecureBoot",
    "SimplifiedRemoteRestartCapable",
];
/// The extra spec that names the processor pool.
const POOL_KEY: &str = "powervm:shared_proc_pool_name";

/// A partition's name, and everything of it that its flavor decides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Configuration {
    /// Its name.
    pub name: String,
    /// How many virtual slots it has.
    pub max_slots: Option<u32>,
    /// By element name, the element as the server wrote it, within a [`KEPT`].
    sections: BTreeMap<String, String>,
}

impl Configuration {
    /// What the document of a partition says.
    #[must_use]
    pub fn of(document: &Element) -> Self {
        let partition = BasePartition(document);
        let section = |name: &str| {
            let element = document.child(name)?;
            // Within another one, which says the namespace: then it need not, as in the document.
            let whole = Element::new(document.namespace().clone(), KEPT).with(element.clone());
            Some((name.to_owned(), whole.to_xml()))
        };
        Self {
            name: partition.name().unwrap_or_default().to_owned(),
            max_slots: partition
                .io()
                .and_then(|io| io.maximum_virtual_io_slots().ok().flatten()),
            sections: SECTIONS.into_iter().filter_map(section).collect(),
        }
    }

    /// Puts everything back but the name. Slots stay as many as they are, since they may be in use by now.
    ///
    /// # Errors
    /// What was kept is no document any more.
    pub fn restore(&self, document: &mut Element) -> Result<()> {
        for (name, kept) in &self.sections {
            let whole = Element::parse(kept.as_bytes()).map_err(|error| {
                Error::internal(format!("what was kept of {name} cannot be read: {error}"))
            })?;
            let Some(section) = whole.into_children().next() else {
                return Err(Error::internal(format!("nothing was kept of {name}")));
            };
            document.remove(name);
            document.insert_ordered(section, LogicalPartition::<Element>::ORDER);
        }
        Ok(())
    }
}

/// What a resize asks for, decided.
#[derive(Debug, Clone, PartialEq)]
pub struct NewSize {
    /// Processors, memory and the rest.
    pub sizing: Sizing,
    /// The processor pool that it has already and keeps; nothing where the flavor names one.
    pub pool: Option<u32>,
}

impl NewSize {
    /// Reads a flavor for a partition that exists. What the flavor does not name stays as it is: the weight, the
    /// compatibility mode, the processor pool, secure boot, remote restart, priority, and the collection of
    /// performance data. Sharing mode, minima and maxima are the flavor's.
    ///
    /// # Errors
    /// As [`Sizing::of`].
    pub fn of(
        flavor: &Flavor,
        defaults: SizingDefaults,
        host: &HostLimits,
        document: &LogicalPartition<&Element>,
    ) -> std::result::Result<Self, SizingError> {
        let partition = document.partition();
        let processors = partition.processors();
        let shared = processors
            .as_ref()
            .and_then(|processors| processors.shared());
        let weight = processors
            .as_ref()
            .filter(|found| found.sharing_mode().ok().flatten() == Some(SharingMode::Uncapped))
            .and(shared.as_ref())
            .and_then(|shared| shared.uncapped_weight().ok().flatten())
            .and_then(|weight| u8::try_from(weight).ok());
        let defaults = SizingDefaults {
            uncapped_weight: weight.unwrap_or(defaults.uncapped_weight),
            ..defaults
        };
        let mut sizing = Sizing::of(flavor, defaults, host)?;
        let named = FlavorSpecs::read(&flavor.extra_specs)?;
        if let (None, Some(kept)) = (
            named.availability_priority,
            partition.availability_priority().ok().flatten(),
        ) {
            sizing.availability_priority =
                u8::try_from(kept).unwrap_or(sizing.availability_priority);
        }
        if let (None, Some(kept)) = (
            &named.processor_compatibility,
            partition.pending_processor_compatibility_mode(),
        ) {
            sizing.compatibility = kept.to_owned();
        }
        if let (None, Some(kept)) = (
            named.enable_lpar_metric,
            partition.allow_performance_data_collection().ok().flatten(),
        ) {
            sizing.performance_collection = kept;
        }
        if named.srr_capability.is_none() {
            let kept = document.simplified_remote_restart_capable().ok().flatten();
            sizing.remote_restart = kept.filter(|_| host.remote_restart);
        }
        if named.secure_boot.is_none() {
            let kept = partition.pending_secure_boot().ok().flatten();
            sizing.secure_boot = kept.filter(|_| host.secure_boot);
        }
        let slots = partition
            .io()
            .and_then(|io| io.maximum_virtual_io_slots().ok().flatten());
        sizing.max_slots = slots.unwrap_or(sizing.max_slots);
        let kept = shared.and_then(|shared| shared.shared_processor_pool_id().ok().flatten());
        Ok(Self {
            sizing,
            pool: match flavor.extra_specs.contains_key(POOL_KEY) {
                true => None,
                false => Some(kept.unwrap_or(0)),
            },
        })
    }
}

/// What a host would have left if this partition were off.
#[must_use]
pub fn room_without(room: HostRoom, document: &LogicalPartition<&Element>) -> HostRoom {
    let partition = document.partition();
    let state = partition
        .state()
        .ok()
        .flatten()
        .map(|state| state.to_string());
    if state.is_none_or(|state| is_startable(&state)) {
        return room;
    }
    let memory = partition.memory();
    let memory_mb = memory.and_then(|memory| {
        let current = memory.current_memory().ok().flatten();
        current.or(memory.desired_memory().ok().flatten())
    });
    let processors = partition.processors();
    let shared = processors
        .as_ref()
        .and_then(|processors| processors.shared())
        .and_then(|shared| shared.desired_processing_units().ok().flatten());
    let dedicated = processors
        .as_ref()
        .filter(|processors| processors.has_dedicated_processors().ok().flatten() == Some(true))
        .and_then(|processors| processors.dedicated())
        .and_then(|dedicated| dedicated.desired_processors().ok().flatten())
        .map(|count| powervm_schema::units::ProcessingUnits::whole(u64::from(count)));
    HostRoom {
        memory_mb: room.memory_mb + memory_mb.unwrap_or(0),
        proc_units: room.proc_units + dedicated.or(shared).unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::partition::{PartitionUuid, document};

    fn flavor(specs: &[(&str, &str)]) -> Flavor {
        Flavor {
            vcpus: 2,
            memory_mb: 2048,
            root_gb: 0,
            extra_specs: specs
                .iter()
                .map(|(key, value)| (format!("powervm:{key}"), (*value).to_owned()))
                .collect(),
        }
    }

    fn host() -> HostLimits {
        HostLimits {
            memory_block_mb: 256,
            compatibility_modes: vec!["default".to_owned(), "POWER8".to_owned()],
            remote_restart: true,
            secure_boot: true,
            affinity_check: false,
            page_table_ratio: false,
            custom_mac: true,
            max_vcpus_of_partition: None,
            max_procs_of_partition: None,
            max_vcpus_of_system: None,
            max_procs_of_system: None,
            min_units_per_vcpu: powervm_schema::units::ProcessingUnits::hundredths(5),
        }
    }

    fn partition(specs: &[(&str, &str)]) -> Element {
        let sizing = Sizing::of(&flavor(specs), SizingDefaults::default(), &host()).unwrap();
        let uuid = PartitionUuid::of_instance(Uuid::from_u128(7));
        document::create(uuid, "web", &sizing, 3).0
    }

    const OTHERS: [(&str, &str); 6] = [
        ("shared_weight", "200"),
        ("processor_compatibility", "POWER8"),
        ("availability_priority", "90"),
        ("srr_capability", "false"),
        ("enable_lpar_metric", "true"),
        ("secure_boot", "2"),
    ];

    #[test]
    fn what_a_flavor_does_not_name_stays() {
        let before = partition(&OTHERS);
        let new = NewSize::of(
            &flavor(&[]),
            SizingDefaults::default(),
            &host(),
            &LogicalPartition(&before),
        )
        .unwrap();
        let expected = Sizing::of(&flavor(&OTHERS), SizingDefaults::default(), &host()).unwrap();
        assert_eq!((new.sizing, new.pool), (expected, Some(3)));
    }

    #[test]
    fn what_a_flavor_names_counts() {
        let before = partition(&OTHERS);
        let named = [
            ("shared_weight", "5"),
            ("shared_proc_pool_name", "DefaultPool"),
        ];
        let new = NewSize::of(
            &flavor(&named),
            SizingDefaults::default(),
            &host(),
            &LogicalPartition(&before),
        )
        .unwrap();
        assert_eq!(new.pool, None);
        let crate::partition::sizing::Processors::Shared {
            uncapped_weight, ..
        } = new.sizing.processors
        else {
            panic!()
        };
        assert_eq!(uncapped_weight, Some(5));
    }

    #[test]
    fn what_was_kept_is_put_back_to_the_letter() {
        let before = partition(&OTHERS);
        let kept = Configuration::of(&before);
        let kept: Configuration =
            serde_json::from_value(serde_json::to_value(&kept).unwrap()).unwrap();
        let dedicated = flavor(&[("dedicated_proc", "true"), ("max_mem", "4096")]);
        let sizing = Sizing::of(&dedicated, SizingDefaults::default(), &host()).unwrap();
        let mut document = before.clone();
        document::resize(&mut document, &sizing, 0);
        assert_ne!(document.to_xml(), before.to_xml());
        kept.restore(&mut document).unwrap();
        assert_eq!(document.to_xml(), before.to_xml());
    }

    #[test]
    fn a_running_partition_gives_up_what_it_has() {
        let mut document = partition(&[]);
        let room = HostRoom {
            memory_mb: 100,
            proc_units: powervm_schema::units::ProcessingUnits::hundredths(10),
        };
        assert_eq!(room_without(room, &LogicalPartition(&document)), room);
        LogicalPartition(&mut document)
            .partition_mut()
            .set_state(powervm_schema::partition::PartitionState::Running);
        let without = room_without(room, &LogicalPartition(&document));
        assert_eq!(without.memory_mb, 2148);
        assert_eq!(without.proc_units.to_string(), "0.3");
    }
}
