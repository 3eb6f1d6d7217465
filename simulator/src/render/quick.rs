//! Quick properties: scalars as JSON (docs/protocol/quick.md).

use std::fmt::Display;

use powervm_schema::xml::Element;

use super::context::Context;
use super::found::Found;
use super::managed_system::{FIRMWARE, FIRMWARE_LEVEL, SERVICE_PROCESSOR};
use super::processors::is_dedicated;
use super::quick_names::names;
use crate::http::kind::Kind;
use crate::http::problem::Problem;
use crate::model::names::PartitionKind;
use crate::model::network::VirtualNetwork;
use crate::model::partition::{Partition, ProcessorSetting};
use crate::model::system::ManagedSystem;
use crate::model::vios::VirtualIoServer;

/// A property's name and its JSON text.
type Property = (&'static str, String);

/// The properties in their order, or only the one that is wanted: the values of others are not worked out then.
macro_rules! properties {
    ($wanted:expr; $(($name:literal, $value:expr $(,)?)),* $(,)?) => {{
        let wanted: Option<&str> = $wanted;
        let mut properties: Vec<Property> = Vec::new();
        $(if wanted.is_none_or(|wanted| wanted == $name) {
            properties.push(($name, $value));
        })*
        properties
    }};
}

/// `quick/All` of a feed: each object with its `UUID`.
pub(crate) fn list(
    cx: &Context<'_>,
    kind: Option<Kind>,
    found: &[Found<'_>],
) -> Result<String, Problem> {
    if kind.is_none_or(|kind| names(kind).is_none()) {
        return Err(unsupported(kind.unwrap_or(Kind::Event), "All"));
    }
    let objects: Vec<String> = found
        .iter()
        .filter_map(|found| Some(print(&properties(cx, *found, None)?)))
        .collect();
    Ok(format!("[{}]", objects.join(",")))
}

/// `quick` of an entry: one object, without `UUID`.
pub(crate) fn object(cx: &Context<'_>, found: Found<'_>) -> Result<String, Problem> {
    let mut properties =
        properties(cx, found, None).ok_or_else(|| unsupported(found.kind(), "All"))?;
    properties.retain(|(name, _)| *name != "UUID");
    Ok(print(&properties))
}

/// `quick/<Property>` of an entry: the bare value. A partition answers for scalars of its document as well.
pub(crate) fn property(cx: &Context<'_>, found: Found<'_>, name: &str) -> Result<String, Problem> {
    let quick = properties(cx, found, Some(name)).unwrap_or_default();
    let known = quick
        .into_iter()
        .find(|(known, _)| *known == name && name != "UUID")
        .map(|(_, value)| value);
    let value = known.or_else(|| match found {
        Found::System(system) => of_newer_levels(cx, system, name),
        _ => of_document(cx, found.as_partition()?, name),
    });
    value.ok_or_else(|| unsupported(found.kind(), name))
}

fn unsupported(kind: Kind, property: &str) -> Problem {
    let property: String = property.chars().take(64).collect();
    let message = format!(
        "REST0003 Type {} does not support Quick Property {property}.",
        kind.name()
    );
    Problem::new(404, "INVALID_URL", message)
}

fn properties(cx: &Context<'_>, found: Found<'_>, wanted: Option<&str>) -> Option<Vec<Property>> {
    match found {
        Found::System(system) => Some(of_system(cx, system, wanted)),
        Found::Partition(partition) => Some(of_partition(cx, partition, wanted)),
        Found::Vios(vios) => Some(of_vios(cx, vios, wanted)),
        Found::Network(_, network) => Some(of_network(network, wanted)),
        _ => None,
    }
}

fn print(properties: &[Property]) -> String {
    let members: Vec<String> = properties
        .iter()
        .map(|(name, value)| format!("\"{name}\":{value}"))
        .collect();
    format!("{{{}}}", members.join(","))
}

fn text(value: impl Display) -> String {
    serde_json::to_string(&value.to_string()).unwrap_or_else(|_| null())
}

fn optional(value: Option<impl Display>) -> String {
    value.map_or_else(null, text)
}

fn null() -> String {
    "null".to_owned()
}

/// A number that real servers hold as a decimal: `BigDecimal.stripTrailingZeros().toString()` of Java, which prints
/// 20 as `2E+1`.
fn decimal(value: impl Display) -> String {
    let plain = value.to_string();
    let digits = plain.trim_end_matches('0');
    if plain.contains('.') || digits.is_empty() || digits.len() == plain.len() {
        return plain;
    }
    let exponent = plain.len() - 1;
    match digits.split_at_checked(1) {
        Some((first, "")) => format!("{first}E+{exponent}"),
        Some((first, rest)) => format!("{first}.{rest}E+{exponent}"),
        None => plain,
    }
}

/// The order and the values of an HMC V8R8.6 (cassette `refresher.yml`).
fn of_system(cx: &Context<'_>, system: &ManagedSystem, wanted: Option<&str>) -> Vec<Property> {
    let (hmc, processors) = (cx.is_hmc(), &system.processors);
    properties![wanted;
        ("Description", text("")),
        (
            "ConfigurableSystemMemory",
            decimal(system.memory.configurable),
        ),
        ("SystemFirmware", text(FIRMWARE)),
        (
            "ConfigurableSystemProcessorUnits",
            decimal(processors.configurable),
        ),
        (
            "CurrentAvailableSystemProcessorUnits",
            decimal(cx.world.available_processors(system.uuid)),
        ),
        ("SystemName", text(&system.name)),
        ("ManufacturingDefaultConfigurationEnabled", text(false)),
        ("UUID", text(system.uuid)),
        (
            "InstalledSystemProcessorUnits",
            decimal(processors.installed),
        ),
        (
            "IsPowerVMManagementMaster",
            text(!hmc && system.is_controller),
        ),
        ("ActivatedLevel", text(FIRMWARE_LEVEL)),
        ("InstalledSystemMemory", decimal(system.memory.installed)),
        ("CapacityOnDemandProcessorCapable", text(true)),
        ("MTMS", text(&system.machine)),
        ("MaximumPartitions", system.maximum_partitions.to_string()),
        (
            "CurrentAvailableSystemMemory",
            decimal(cx.world.available_memory(system.uuid)),
        ),
        ("SystemLocation", text("")),
        ("PhysicalSystemAttentionLEDState", text(false)),
        ("ServiceProcessorVersion", text(SERVICE_PROCESSOR)),
        ("State", text(system.state)),
        ("MergedReferenceCode", text(" ")),
        (
            "IsNotPowerVMManagementMaster",
            text(!hmc && !system.is_controller),
        ),
        ("IsClassicHMCManagement", text(hmc)),
        ("ReferenceCode", text(" ")),
        ("CapacityOnDemandMemoryCapable", text(true)),
        ("IPAddress", text(&system.ip_address)),
        ("MemoryDefragmentationState", text("Not_In_Progress")),
    ]
}

/// Processor counts by kind: of whole processors, of virtual ones and of units; what does not apply is null.
fn processor_counts(partition: &Partition) -> (String, String, String) {
    match &partition.processors.current {
        ProcessorSetting::Dedicated { desired, .. } => (desired.to_string(), null(), null()),
        ProcessorSetting::Shared(shared) => (
            null(),
            shared.desired_virtual.to_string(),
            decimal(shared.desired_units),
        ),
    }
}

fn of_partition(cx: &Context<'_>, partition: &Partition, wanted: Option<&str>) -> Vec<Property> {
    let counts = || processor_counts(partition);
    let has_physical_io = || {
        let system = cx.world.systems.get(&partition.system);
        let slots = system.map(|system| system.io_slots.as_slice());
        let mut slots = slots.unwrap_or_default().iter();
        slots.any(|slot| slot.owner == Some(partition.uuid))
    };
    let profile = cx.is_hmc().then_some("default_profile");
    properties![wanted;
        ("ProgressState", null()),
        ("Description", optional(partition.description.as_deref())),
        ("MemoryMode", text("Dedicated")),
        ("MigrationState", text(partition.migration)),
        ("PowerManagementMode", null()),
        ("OperatingSystemVersion", text(&partition.os_version)),
        ("PartitionID", partition.id.to_string()),
        ("IsVirtualServiceAttentionLEDOn", text(false)),
        ("AllocatedVirtualProcessors", counts().1),
        ("PartitionState", text(partition.state)),
        (
            "ResourceMonitoringIPAddress",
            optional(partition.rmc_address.as_deref()),
        ),
        ("HasPhysicalIO", text(has_physical_io())),
        ("SharingMode", text(partition.processors.current.sharing())),
        ("UUID", text(super::upper(partition.uuid))),
        ("CurrentProcessors", counts().0),
        ("LastActivatedProfile", optional(profile)),
        ("RemoteRestartState", text(partition.remote_restart_state())),
        ("PartitionType", text(partition.kind)),
        ("PartitionName", text(&partition.name)),
        ("RMCState", text(partition.rmc)),
        ("CurrentMemory", decimal(partition.memory.current)),
        (
            "HasDedicatedProcessors",
            text(is_dedicated(&partition.processors.current)),
        ),
        ("AssociatedManagedSystem", text(cx.system(partition.system))),
        ("ReferenceCode", text(&partition.reference_code)),
        ("CurrentProcessingUnits", counts().2),
        (
            "MigrationDisable",
            partition.settings.migration_disabled.to_string(),
        ),
    ]
}

fn of_vios(cx: &Context<'_>, vios: &VirtualIoServer, wanted: Option<&str>) -> Vec<Property> {
    let partition = &vios.partition;
    let counts = || processor_counts(partition);
    properties![wanted;
        ("CurrentProcessors", counts().0),
        ("OperatingSystemVersion", text(&partition.os_version)),
        ("PartitionID", partition.id.to_string()),
        ("PartitionType", text(partition.kind)),
        ("VirtualIOServerLicenseAccepted", text(true)),
        ("APICapable", text(true)),
        ("PartitionName", text(&partition.name)),
        ("IsVirtualServiceAttentionLEDOn", text(false)),
        ("RMCState", text(partition.rmc)),
        ("AllocatedVirtualProcessors", counts().1),
        ("CurrentMemory", decimal(partition.memory.current)),
        (
            "HasDedicatedProcessors",
            text(is_dedicated(&partition.processors.current)),
        ),
        ("PartitionState", text(partition.state)),
        ("AssociatedManagedSystem", text(cx.system(partition.system))),
        (
            "ResourceMonitoringIPAddress",
            optional(partition.rmc_address.as_deref()),
        ),
        ("ReferenceCode", text(&partition.reference_code)),
        ("CurrentProcessingUnits", counts().2),
        ("SharingMode", text(partition.processors.current.sharing())),
        ("UUID", text(super::upper(partition.uuid))),
    ]
}

fn of_network(network: &VirtualNetwork, wanted: Option<&str>) -> Vec<Property> {
    properties![wanted;
        ("NetworkName", text(&network.name)),
        ("NetworkVLANID", network.vlan.to_string()),
        ("VswitchID", network.switch_id.to_string()),
        ("TaggedNetwork", text(network.tagged)),
        ("UUID", text(network.uuid)),
    ]
}

/// Quick properties of a system that consoles have since V10R3, as far as their values are known; the recorded level
/// does not list them.
fn of_newer_levels(cx: &Context<'_>, system: &ManagedSystem, name: &str) -> Option<String> {
    let novalink = !cx.is_hmc();
    Some(match name {
        "IsPowerVMManagementController" => text(novalink && system.is_controller),
        "IsNotPowerVMManagementController" => text(novalink && !system.is_controller),
        "ProcessorThrottling" => text(false),
        "SystemType" => text("fsp"),
        "PermanentSystemProcessors" => (system.processors.installed.hundredths() / 100).to_string(),
        "PermanentSystemMemory" => system.memory.installed.to_string(),
        _ => return None,
    })
}

/// Scalars of a partition's document that the lists of quick properties do not show; the first three are in the lists of
/// consoles since V10R3.
fn of_document(cx: &Context<'_>, partition: &Partition, name: &str) -> Option<String> {
    let settings = &partition.settings;
    Some(match name {
        "SystemName" => text(&cx.world.systems.get(&partition.system)?.name),
        "OperatingSystemType" => text(partition.kind),
        "CurrentUncappedWeight" => match &partition.processors.current {
            ProcessorSetting::Shared(shared) => shared
                .uncapped_weight
                .map_or_else(null, |weight| weight.to_string()),
            ProcessorSetting::Dedicated { .. } => null(),
        },
        "AllowPerformanceDataCollection" => text(settings.performance_data),
        "AutoStart" | "PowerOnWithHypervisor" => text(settings.auto_start),
        "IsConnectionMonitoringEnabled" => text(settings.connection_monitoring),
        "IsServicePartition" => text(settings.service_partition),
        "IsTimeReferencePartition" => text(settings.time_reference),
        "PendingSecureBoot" => settings.secure_boot.to_string(),
        "CurrentSecureBoot" => partition.current_secure_boot.to_string(),
        "ReferenceCodeFull" => text(&partition.reference_code),
        "VirtualSerialNumber" => optional(partition.serial_number.as_deref()),
        "DesignatedIPLSource" => optional(settings.ipl_source.as_deref()),
        "SuspendCapable" if partition.kind != PartitionKind::VirtualIoServer => {
            text(settings.suspend)
        }
        "PartitionUUID" => text(super::upper(partition.uuid)),
        "ResourceMonitoringControlState" => text(partition.rmc),
        "LogicalSerialNumber" => text(&partition.logical_serial),
        "BootMode" => text(settings.boot_mode),
        "KeylockPosition" => text(settings.keylock),
        "AvailabilityPriority" => settings.availability_priority.to_string(),
        "IsManagementPartition" => text(partition.is_management),
        "SimplifiedRemoteRestartCapable" if partition.kind != PartitionKind::VirtualIoServer => {
            text(settings.simplified_remote_restart)
        }
        "RemoteRestartCapable" if partition.kind != PartitionKind::VirtualIoServer => {
            text(settings.remote_restart)
        }
        "PendingProcessorCompatibilityMode" => text(settings.compatibility),
        "CurrentProcessorCompatibilityMode" => text(partition.current_compatibility),
        "CurrentProfileSync" => text(settings.profile_sync),
        "MACAddressPrefix" => partition.mac_prefix.to_string(),
        _ if partition.kind != PartitionKind::VirtualIoServer => {
            return scalar(&super::partition::render(cx, partition), name);
        }
        _ => return None,
    })
}

/// A scalar as a document has it; of several with the same name the first.
fn scalar(document: &str, name: &str) -> Option<String> {
    let document = Element::parse(document.as_bytes()).ok()?;
    let found = document.descendants().find(|element| {
        element.local_name() == name
            && element.attribute("kb").is_some()
            && element.attribute("href").is_none()
            && element.children().next().is_none()
    })?;
    let value = found.text();
    let number = value.parse::<f64>().is_ok() && !value.contains(char::is_alphabetic);
    Some(match &*value {
        "" => null(),
        value if number => value.to_owned(),
        value => text(value),
    })
}

#[cfg(test)]
mod tests {
    use super::{decimal, scalar};

    #[test]
    fn scalars_of_a_document_are_json() {
        let document = concat!(
            r#"<X><A kb="ROR" kxe="false">2.5</A><B kb="ROR" kxe="false">true</B>"#,
            r#"<C kb="ROR" kxe="false"/><D kb="ROR" kxe="false" href="x" rel="related"/>"#,
            r#"<E kb="ROR" kxe="false" schemaVersion="V1_0"><F kb="CUD" kxe="false">a &amp; "b"</F></E>"#,
            r#"<G kb="ROR" kxe="false"><H>1</H></G><I kb="ROR" kxe="false">inf</I></X>"#,
        );
        let value = |name| scalar(document, name);
        let known = ["A", "B", "C", "F", "I"].map(|name| value(name).unwrap());
        assert_eq!(
            known,
            ["2.5", "\"true\"", "null", r#""a & \"b\"""#, "\"inf\""]
        );
        assert_eq!(
            ["D", "E", "G", "H", "", "A kb="].map(value),
            [const { None }; 6]
        );
    }

    /// Cassette `refresher.yml` and captures of later levels.
    #[test]
    fn decimals_print_as_javas_do() {
        let printed =
            [20, 5120, 1920, 684_800, 262_144, 16, 3072, 0, 100].map(|number: u32| decimal(number));
        assert_eq!(
            printed,
            [
                "2E+1", "5.12E+3", "1.92E+3", "6.848E+5", "262144", "16", "3072", "0", "1E+2"
            ]
        );
        assert_eq!(decimal("0.06"), "0.06");
    }
}
