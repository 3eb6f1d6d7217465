//! `LogicalPartition` and the base part of a `VirtualIOServer`.
//!
//! Clients send a new partition with its configuration alone, and an existing one as they read it, with every stale
//! read-only element.

use powervm_schema::xml::Element;
use uuid::Uuid;

use super::body::{choice, flag, incomplete, integer, invalid, required, text, value, wrong_type};
use crate::model::command::{
    CreatePartition, IoSlotName, MemoryRequest, ProcessorRequest, UpdatePartition,
};
use crate::model::names::{CompatibilityMode, Keylock, PartitionKind, ProfileSync, SharingMode};
use crate::model::partition::{PartitionSettings, TaggedIo};
use crate::model::units::ProcUnits;
use crate::model::{Owner, Refusal};

/// `AvailabilityPriority` of a Virtual I/O Server of which nothing else was said (recording `fake_vios_feed`).
const VIOS_PRIORITY: u8 = 191;
const MEMORY: &str = "PartitionMemoryConfiguration";
const PROCESSORS: &str = "PartitionProcessorConfiguration";

/// A new partition.
pub(crate) fn create(root: &Element, system: Uuid) -> Result<CreatePartition, Refusal> {
    let kind =
        choice(root, "PartitionType", PartitionKind::parse)?.unwrap_or(PartitionKind::AixLinux);
    let mut settings = PartitionSettings::default();
    Settings::read(root)?.apply(&mut settings);
    Ok(CreatePartition {
        system,
        uuid: identity(root)?,
        id: integer(root, "PartitionID")?,
        name: required(root, "PartitionName")?.to_owned(),
        description: text(root, "Description").map(str::to_owned),
        kind,
        memory: memory(root, MEMORY)?,
        processors: processors(root, PROCESSORS)?,
        maximum_slots: maximum_slots(root)?,
        settings,
        nvram: text(root, "PartitionNVRAM").map(str::to_owned),
        serial_number: text(root, "VirtualSerialNumber").map(str::to_owned),
        io_slots: io_slots(root)?,
    })
}

/// A change of a partition of either kind, as far as it tells without the present settings; these follow with
/// [`Settings::apply`].
pub(crate) fn update(
    root: &Element,
    owner: Owner,
    force: bool,
) -> Result<(UpdatePartition, Settings), Refusal> {
    let update = UpdatePartition {
        name: text(root, "PartitionName").map(str::to_owned),
        description: text(root, "Description").map(str::to_owned),
        memory: memory(root, MEMORY)?,
        processors: processors(root, PROCESSORS)?,
        maximum_slots: maximum_slots(root)?,
        nvram: text(root, "PartitionNVRAM").map(str::to_owned),
        serial_number: root
            .child("VirtualSerialNumber")
            .map(|number| number.text().trim().to_owned()),
        io_slots: io_slots(root)?,
        mover: flag(root, "MoverServicePartition")?,
        force,
        ..UpdatePartition::of(owner)
    };
    Ok((update, Settings::read(root)?))
}

/// A new Virtual I/O Server: by the rules of partitions, with the priority that servers have.
pub(crate) fn create_vios(root: &Element, system: Uuid) -> Result<CreatePartition, Refusal> {
    let kind = choice(root, "PartitionType", PartitionKind::parse)?;
    if kind.is_some_and(|kind| kind != PartitionKind::VirtualIoServer) {
        return Err(Refusal::internal(
            " REST0140 Invalid Partition Type associated with VirtualIOServer",
        ));
    }
    let mut request = create(root, system)?;
    if root.child("AvailabilityPriority").is_none() {
        request.settings.availability_priority = VIOS_PRIORITY;
    }
    Ok(request)
}

/// `ProfileIOSlots`: the physical slots that a partition is to have.
fn io_slots(root: &Element) -> Result<Option<Vec<IoSlotName>>, Refusal> {
    let Some(list) = root.descend(&["PartitionIOConfiguration", "ProfileIOSlots"]) else {
        return Ok(None);
    };
    let slots = list.children_named("ProfileIOSlot").map(|slot| {
        let slot = slot
            .child("AssociatedIOSlot")
            .ok_or_else(|| incomplete(slot, "AssociatedIOSlot"))?;
        let name = text(slot, "SlotDynamicReconfigurationConnectorName").map(str::to_owned);
        let index = integer(slot, "SlotDynamicReconfigurationConnectorIndex")?;
        if name.is_none() && index.is_none() {
            return Err(incomplete(slot, "SlotDynamicReconfigurationConnectorIndex"));
        }
        Ok(IoSlotName { index, name })
    });
    slots.collect::<Result<_, _>>().map(Some)
}

/// `PartitionUUID`, or the `AtomID` that a client gives a new partition.
fn identity(root: &Element) -> Result<Option<Uuid>, Refusal> {
    let atom = root.descend(&["Metadata", "Atom"]);
    let (name, given) = match (
        text(root, "PartitionUUID"),
        atom.and_then(|atom| text(atom, "AtomID")),
    ) {
        (Some(given), _) => ("PartitionUUID", given),
        (None, Some(given)) => ("AtomID", given),
        (None, None) => return Ok(None),
    };
    Uuid::try_parse(given)
        .map(Some)
        .map_err(|_| wrong_type(name, given, "UUID"))
}

fn maximum_slots(root: &Element) -> Result<Option<u32>, Refusal> {
    root.child("PartitionIOConfiguration")
        .map_or(Ok(None), |io| integer(io, "MaximumVirtualIOSlots"))
}

/// The section of a document that holds memory; profiles have another name for it.
pub(crate) fn memory(root: &Element, section: &str) -> Result<MemoryRequest, Refusal> {
    let Some(memory) = root.child(section) else {
        return Ok(MemoryRequest::default());
    };
    let factor = value(memory, "ExpansionFactor", "float", ProcUnits::parse)?;
    Ok(MemoryRequest {
        minimum: integer(memory, "MinimumMemory")?,
        desired: integer(memory, "DesiredMemory")?,
        maximum: integer(memory, "MaximumMemory")?,
        expansion_factor: factor.map(ProcUnits::hundredths),
        page_table_ratio: integer(memory, "HardwarePageTableRatio")?,
        physical_page_table_ratio: integer(memory, "PhysicalPageTableRatio")?,
        shared: match flag(memory, "SharedMemoryEnabled")? {
            Some(shared) => Some(shared),
            None => flag(memory, "ActiveMemorySharingEnabled")?,
        },
        entitled: integer(memory, "DesiredEntitledMemory")?,
        weight: integer(memory, "MemoryWeight")?,
    })
}

/// The section of a document that holds processors; profiles have another name for it.
pub(crate) fn processors(
    root: &Element,
    section: &str,
) -> Result<Option<ProcessorRequest>, Refusal> {
    let Some(processors) = root.child(section) else {
        return Ok(None);
    };
    let mut request = ProcessorRequest {
        dedicated: flag(processors, "HasDedicatedProcessors")?,
        sharing: choice(processors, "SharingMode", SharingMode::parse)?,
        ..ProcessorRequest::default()
    };
    if let Some(dedicated) = processors.child("DedicatedProcessorConfiguration") {
        request.minimum_processors = integer(dedicated, "MinimumProcessors")?;
        request.desired_processors = integer(dedicated, "DesiredProcessors")?;
        request.maximum_processors = integer(dedicated, "MaximumProcessors")?;
    }
    if let Some(shared) = processors.child("SharedProcessorConfiguration") {
        let units = |name| value(shared, name, "float", ProcUnits::parse);
        request.minimum_units = units("MinimumProcessingUnits")?;
        request.desired_units = units("DesiredProcessingUnits")?;
        request.maximum_units = units("MaximumProcessingUnits")?;
        request.minimum_virtual = integer(shared, "MinimumVirtualProcessors")?;
        request.desired_virtual = integer(shared, "DesiredVirtualProcessors")?;
        request.maximum_virtual = integer(shared, "MaximumVirtualProcessors")?;
        request.pool = integer(shared, "SharedProcessorPoolID")?;
        request.uncapped_weight = integer(shared, "UncappedWeight")?;
    }
    Ok(Some(request))
}

/// The settings that a body names; the others stay as they are.
#[derive(Clone, Debug, Default)]
pub(crate) struct Settings {
    availability_priority: Option<u8>,
    compatibility: Option<CompatibilityMode>,
    profile_sync: Option<ProfileSync>,
    performance_data: Option<bool>,
    keylock: Option<Keylock>,
    /// Two names for one setting: the one that differs from what is there was changed.
    auto_start: [Option<bool>; 2],
    connection_monitoring: Option<bool>,
    error_path_reporting: Option<bool>,
    time_reference: Option<bool>,
    service_partition: Option<bool>,
    trusted_platform_module: Option<bool>,
    restricted_io: Option<bool>,
    secure_boot: Option<u8>,
    simplified_remote_restart: Option<bool>,
    remote_restart: Option<bool>,
    suspend: Option<bool>,
    migration_disabled: Option<bool>,
    ipl_source: Option<String>,
    pending_boot_string: Option<String>,
    tagged: Tagged,
}

/// The devices of `TaggedIO` that a body names.
#[derive(Clone, Debug, Default)]
struct Tagged {
    alternate_console: Option<String>,
    alternate_load_source: Option<String>,
    console: Option<String>,
    load_source: Option<String>,
    operations_console: Option<String>,
}

impl Tagged {
    fn read(root: &Element) -> Self {
        let Some(tagged) = root.descend(&["PartitionIOConfiguration", "TaggedIO"]) else {
            return Self::default();
        };
        let device = |name| text(tagged, name).map(str::to_owned);
        Self {
            alternate_console: device("AlternateConsole"),
            alternate_load_source: device("AlternateLoadSource"),
            console: device("Console"),
            load_source: device("LoadSource"),
            operations_console: device("OperationsConsole"),
        }
    }

    fn apply(&self, settings: &mut TaggedIo) {
        if self.alternate_console.is_some() {
            settings
                .alternate_console
                .clone_from(&self.alternate_console);
        }
        set(
            &mut settings.alternate_load_source,
            &self.alternate_load_source,
        );
        set(&mut settings.console, &self.console);
        set(&mut settings.load_source, &self.load_source);
        if self.operations_console.is_some() {
            settings
                .operations_console
                .clone_from(&self.operations_console);
        }
    }
}

fn set<T: Clone>(place: &mut T, given: &Option<T>) {
    if let Some(given) = given {
        place.clone_from(given);
    }
}

impl Settings {
    fn read(root: &Element) -> Result<Self, Refusal> {
        Ok(Self {
            availability_priority: integer(root, "AvailabilityPriority")?,
            compatibility: choice(
                root,
                "PendingProcessorCompatibilityMode",
                CompatibilityMode::parse,
            )?,
            profile_sync: choice(root, "CurrentProfileSync", ProfileSync::parse)?,
            performance_data: flag(root, "AllowPerformanceDataCollection")?,
            keylock: choice(root, "KeylockPosition", Keylock::parse)?,
            auto_start: [
                flag(root, "AutoStart")?,
                flag(root, "PowerOnWithHypervisor")?,
            ],
            connection_monitoring: flag(root, "IsConnectionMonitoringEnabled")?,
            error_path_reporting: flag(root, "IsRedundantErrorPathReportingEnabled")?,
            time_reference: flag(root, "IsTimeReferencePartition")?,
            service_partition: flag(root, "IsServicePartition")?,
            trusted_platform_module: flag(root, "IsVirtualTrustedPlatformModuleEnabled")?,
            restricted_io: flag(root, "IsRestrictedIOPartition")?,
            secure_boot: secure_boot(root)?,
            simplified_remote_restart: flag(root, "SimplifiedRemoteRestartCapable")?,
            remote_restart: flag(root, "RemoteRestartCapable")?,
            suspend: flag(root, "SuspendCapable")?,
            migration_disabled: flag(root, "MigrationDisable")?,
            ipl_source: text(root, "DesignatedIPLSource").map(str::to_owned),
            pending_boot_string: pending_boot_string(root)?,
            tagged: Tagged::read(root),
        })
    }

    /// Puts what the body names into the present settings.
    pub(crate) fn apply(&self, settings: &mut PartitionSettings) {
        set(
            &mut settings.availability_priority,
            &self.availability_priority,
        );
        set(&mut settings.compatibility, &self.compatibility);
        set(&mut settings.profile_sync, &self.profile_sync);
        set(&mut settings.performance_data, &self.performance_data);
        set(&mut settings.keylock, &self.keylock);
        let auto_start = settings.auto_start;
        let mut given = self.auto_start.into_iter().flatten();
        if given.any(|given| given != auto_start) {
            settings.auto_start = !auto_start;
        }
        set(
            &mut settings.connection_monitoring,
            &self.connection_monitoring,
        );
        set(
            &mut settings.error_path_reporting,
            &self.error_path_reporting,
        );
        set(&mut settings.time_reference, &self.time_reference);
        set(&mut settings.service_partition, &self.service_partition);
        set(
            &mut settings.trusted_platform_module,
            &self.trusted_platform_module,
        );
        set(&mut settings.restricted_io, &self.restricted_io);
        set(&mut settings.secure_boot, &self.secure_boot);
        set(
            &mut settings.simplified_remote_restart,
            &self.simplified_remote_restart,
        );
        set(&mut settings.remote_restart, &self.remote_restart);
        set(&mut settings.suspend, &self.suspend);
        set(&mut settings.migration_disabled, &self.migration_disabled);
        if self.ipl_source.is_some() {
            settings.ipl_source.clone_from(&self.ipl_source);
        }
        if self.pending_boot_string.is_some() {
            settings
                .pending_boot_string
                .clone_from(&self.pending_boot_string);
        }
        self.tagged.apply(&mut settings.tagged);
    }
}

fn secure_boot(root: &Element) -> Result<Option<u8>, Refusal> {
    match integer::<u8>(root, "PendingSecureBoot")? {
        Some(level) if level > 9 => Err(invalid(format!(
            "PendingSecureBoot is {level}; it goes from 0 to 9."
        ))),
        level => Ok(level),
    }
}

/// The boot list may be set, not emptied (captured from an HMC V10R3).
fn pending_boot_string(root: &Element) -> Result<Option<String>, Refusal> {
    let Some(pending) = root.descend(&["BootListInformation", "PendingBootString"]) else {
        return Ok(None);
    };
    match pending.value().map(str::trim) {
        Some(devices) if !devices.is_empty() => Ok(Some(devices.to_owned())),
        _ => Err(Refusal::logic("PendingBootString must not be empty.")),
    }
}
