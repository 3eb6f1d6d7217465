//! The document that creates a partition.
//!
//! Which elements a server wants, and in which order, stands in `docs/protocol/documents.md`.

use std::borrow::BorrowMut;

use powervm_schema::partition::{LogicalPartition, PartitionType, SharingMode};
use powervm_schema::xml::{Element, Namespace};

use super::flavor::DedicatedSharing;
use super::identity::PartitionUuid;
use super::sizing::{Processors, Sizing, Triple};

/// A partition of this size, name and UUID, in the shared processor pool with this number.
#[must_use]
pub fn create(uuid: PartitionUuid, name: &str, sizing: &Sizing, pool: u32) -> LogicalPartition {
    let mut document = LogicalPartition::new();
    let mut partition = document.partition_mut();
    // The server takes the UUID from the Atom id; the element is for readers.
    name_atom(partition.element_mut(), uuid);
    partition
        .set_name(name)
        .set_partition_type(PartitionType::AixLinux)
        .set_uuid(uuid.to_string());
    set_size(&mut document, sizing, pool);
    document
}

/// Gives the document of a partition that exists another size. What the size does not speak of stays, physical
/// adapters and memory expansion among it.
pub fn resize(document: &mut Element, sizing: &Sizing, pool: u32) {
    set_size(&mut LogicalPartition(document), sizing, pool);
}

fn set_size<E: BorrowMut<Element>>(document: &mut LogicalPartition<E>, sizing: &Sizing, pool: u32) {
    let mut partition = document.partition_mut();
    partition
        .set_allow_performance_data_collection(sizing.performance_collection)
        .set_availability_priority(u32::from(sizing.availability_priority))
        .set_pending_processor_compatibility_mode(sizing.compatibility.as_str());
    partition
        .io_mut()
        .set_maximum_virtual_io_slots(sizing.max_slots);
    let mut memory = partition.memory_mut();
    let Triple {
        minimum,
        desired,
        maximum,
    } = sizing.memory;
    memory
        .set_desired_memory(desired)
        .set_maximum_memory(maximum)
        .set_minimum_memory(minimum);
    if let Some(ratio) = sizing.page_table_ratio {
        memory.set_physical_page_table_ratio(u32::from(ratio));
    }
    if let Some(level) = sizing.secure_boot {
        partition.set_pending_secure_boot(level);
    }
    set_processors(document, &sizing.processors, pool);
    if let Some(capable) = sizing.remote_restart {
        document.set_simplified_remote_restart_capable(capable);
    }
}

fn set_processors<E: BorrowMut<Element>>(
    document: &mut LogicalPartition<E>,
    sized: &Processors,
    pool: u32,
) {
    let mut partition = document.partition_mut();
    let mut processors = partition.processors_mut();
    match sized {
        Processors::Shared {
            vcpus,
            units,
            uncapped_weight,
            ..
        } => {
            processors.remove("DedicatedProcessorConfiguration");
            processors.set_has_dedicated_processors(false);
            let mut shared = processors.shared_mut();
            shared
                .set_desired_processing_units(units.desired)
                .set_desired_virtual_processors(vcpus.desired)
                .set_maximum_processing_units(units.maximum)
                .set_maximum_virtual_processors(vcpus.maximum)
                .set_minimum_processing_units(units.minimum)
                .set_minimum_virtual_processors(vcpus.minimum)
                .set_shared_processor_pool_id(pool);
            match uncapped_weight {
                Some(weight) => {
                    shared.set_uncapped_weight(u32::from(*weight));
                    processors.set_sharing_mode(SharingMode::Uncapped);
                }
                None => {
                    processors.set_sharing_mode(SharingMode::Capped);
                }
            }
        }
        Processors::Dedicated {
            processors: count,
            sharing,
        } => {
            processors.remove("SharedProcessorConfiguration");
            processors
                .dedicated_mut()
                .set_desired_processors(count.desired)
                .set_maximum_processors(count.maximum)
                .set_minimum_processors(count.minimum);
            processors
                .set_has_dedicated_processors(true)
                .set_sharing_mode(match sharing {
                    DedicatedSharing::WhenInactive => SharingMode::ShareIdle,
                    DedicatedSharing::Keep => SharingMode::KeepIdle,
                    DedicatedSharing::WhenActive => SharingMode::ShareIdleActive,
                    DedicatedSharing::Always => SharingMode::ShareIdleAlways,
                });
        }
    }
}

fn name_atom(document: &mut Element, uuid: PartitionUuid) {
    let id = Element::leaf(Namespace::Uom, "AtomID", uuid.to_string());
    let atom = Element::new(Namespace::Uom, "Atom").with(id);
    document.remove("Metadata");
    document.insert_ordered(
        Element::new(Namespace::Uom, "Metadata").with(atom),
        &["Metadata"],
    );
}

#[cfg(test)]
mod tests {
    use powervm_schema::units::ProcessingUnits;
    use uuid::Uuid;

    use super::*;

    fn sizing(processors: Processors) -> Sizing {
        Sizing {
            memory: Triple {
                minimum: 512,
                desired: 1024,
                maximum: 2048,
            },
            processors,
            max_slots: 64,
            availability_priority: 127,
            compatibility: "default".to_owned(),
            remote_restart: Some(true),
            performance_collection: false,
            page_table_ratio: None,
            secure_boot: None,
            affinity_check: false,
        }
    }

    fn written(processors: Processors) -> Element {
        let uuid = PartitionUuid::of_instance(Uuid::from_u128(u128::MAX));
        let document = create(uuid, "web", &sizing(processors), 3);
        Element::parse(document.0.to_xml().as_bytes()).unwrap()
    }

    fn text(element: &Element, path: &[&str]) -> Option<String> {
        element.descend(path).map(|found| found.text().into_owned())
    }

    #[test]
    fn a_shared_partition_is_written_in_schema_order() {
        let half = ProcessingUnits::hundredths(50);
        let element = written(Processors::Shared {
            vcpus: Triple {
                minimum: 1,
                desired: 2,
                maximum: 4,
            },
            units: Triple {
                minimum: half,
                desired: half,
                maximum: half,
            },
            uncapped_weight: Some(64),
            pool: None,
        });
        let names: Vec<&str> = element.children().map(Element::local_name).collect();
        assert_eq!(
            names,
            [
                "Metadata",
                "AllowPerformanceDataCollection",
                "AvailabilityPriority",
                "PartitionIOConfiguration",
                "PartitionMemoryConfiguration",
                "PartitionName",
                "PartitionProcessorConfiguration",
                "PartitionType",
                "PartitionUUID",
                "PendingProcessorCompatibilityMode",
                "SimplifiedRemoteRestartCapable",
            ]
        );
        let uuid = "7FFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF";
        assert_eq!(
            text(&element, &["Metadata", "Atom", "AtomID"]).as_deref(),
            Some(uuid)
        );
        assert_eq!(text(&element, &["PartitionUUID"]).as_deref(), Some(uuid));
        let shared = |name| {
            text(
                &element,
                &[
                    "PartitionProcessorConfiguration",
                    "SharedProcessorConfiguration",
                    name,
                ],
            )
        };
        assert_eq!(shared("DesiredProcessingUnits").as_deref(), Some("0.5"));
        assert_eq!(shared("SharedProcessorPoolID").as_deref(), Some("3"));
        assert_eq!(shared("UncappedWeight").as_deref(), Some("64"));
        assert_eq!(
            text(&element, &["PartitionMemoryConfiguration", "MaximumMemory"]).as_deref(),
            Some("2048")
        );
    }

    #[test]
    fn a_dedicated_partition_says_what_becomes_of_idle_processors() {
        let element = written(Processors::Dedicated {
            processors: Triple {
                minimum: 1,
                desired: 2,
                maximum: 2,
            },
            sharing: DedicatedSharing::WhenInactive,
        });
        let processors = |name| text(&element, &["PartitionProcessorConfiguration", name]);
        assert_eq!(
            processors("HasDedicatedProcessors").as_deref(),
            Some("true")
        );
        assert_eq!(
            processors("SharingMode").as_deref(),
            Some("sre idle proces")
        );
        assert!(
            element
                .descend(&[
                    "PartitionProcessorConfiguration",
                    "SharedProcessorConfiguration"
                ])
                .is_none()
        );
    }

    #[test]
    fn a_capped_partition_has_no_weight() {
        let one = ProcessingUnits::whole(1);
        let element = written(Processors::Shared {
            vcpus: Triple {
                minimum: 1,
                desired: 1,
                maximum: 1,
            },
            units: Triple {
                minimum: one,
                desired: one,
                maximum: one,
            },
            uncapped_weight: None,
            pool: None,
        });
        let path = [
            "PartitionProcessorConfiguration",
            "SharedProcessorConfiguration",
            "UncappedWeight",
        ];
        assert!(element.descend(&path).is_none());
        assert_eq!(
            text(
                &element,
                &["PartitionProcessorConfiguration", "SharingMode"]
            )
            .as_deref(),
            Some("capped")
        );
    }
}
