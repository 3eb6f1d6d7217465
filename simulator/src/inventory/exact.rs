//! What is known exactly of storage and partitions that are there already: identities, sizes, adapters, mappings. An
//! inventory made of recordings says most of this; one written by hand need not.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::hardware::missing;
use super::{InventoryError, PartitionInventory, SystemInventory};
use crate::model::command::{CreatePartition, MemoryRequest, ProcessorRequest};
use crate::model::names::{PartitionKind, SharingMode};
use crate::model::partition::PartitionSettings;
use crate::model::units::ProcUnits;

/// A virtual disk in a volume group.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VirtualDiskInventory {
    /// Its name, up to 15 characters.
    pub name: String,
    /// Its size in megabytes.
    pub mb: u64,
    /// How many reads a second it is limited to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_iops: Option<u32>,
    /// How many writes a second it is limited to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub write_iops: Option<u32>,
    /// Whether its Virtual I/O Server encrypts it (LUKS).
    #[serde(default)]
    pub encrypted: bool,
}

/// A virtual optical medium in a media repository.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MediumInventory {
    /// Its name.
    pub name: String,
    /// Its size in megabytes.
    pub mb: u64,
}

/// A logical unit in the default tier of a pool.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LogicalUnitInventory {
    /// Its name, unique in the pool if a partition is to have it.
    pub name: String,
    /// Its size in megabytes.
    pub mb: u64,
    /// Whether it holds an image that others are clones of.
    #[serde(default)]
    pub image: bool,
    /// The name of the image that it is a clone of; one further up in the list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cloned_from: Option<String>,
    /// Whether it takes room only as it fills; the pool's usual way if nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thin: Option<bool>,
}

/// The processors of a partition in full.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProcessorInventory {
    /// Whether they are whole processors of its own.
    #[serde(default)]
    pub dedicated: bool,
    /// The fewest virtual, or dedicated, processors.
    pub minimum: u16,
    /// How many it wants.
    pub desired: u16,
    /// The most.
    pub maximum: u16,
    /// The least share in hundredths; of shared processors only, as the following ones.
    #[serde(default)]
    pub minimum_units_hundredths: u32,
    /// The share that it wants.
    #[serde(default)]
    pub units_hundredths: u32,
    /// The largest share.
    #[serde(default)]
    pub maximum_units_hundredths: u32,
    /// Whether it may not have more than its share.
    #[serde(default)]
    pub capped: bool,
    /// Its weight when there is more to have, 0 to 255; 128 if nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight: Option<u8>,
    /// The name of its shared processor pool; the default one if nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pool: Option<String>,
}

/// A network adapter of a partition.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AdapterInventory {
    /// The VLAN of untagged frames.
    #[serde(default = "super::defaults::vlan")]
    pub vlan: u16,
    /// VLANs of tagged frames.
    #[serde(default)]
    pub tagged_vlans: Vec<u16>,
    /// Its MAC address, 12 hexadecimal digits; drawn if nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mac: Option<String>,
    /// Its slot; the next one if nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slot: Option<u16>,
    /// The name of its virtual switch; the default one if nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub switch: Option<String>,
    /// The priority of its frames, 0 to 7; none if nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quality_of_service: Option<u8>,
    /// Its largest frame, in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mtu: Option<u32>,
    /// The bridge of Open vSwitch that a NovaLink plugs it into.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ovs_bridge: Option<String>,
    /// What Open vSwitch notes of it, such as `iface-id=…,iface-status=active`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ovs_external_ids: Option<String>,
}

/// Storage that a Virtual I/O Server shows to a partition: exactly one of `disk`, `virtual_disk`, `logical_unit` and
/// `medium`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MappingInventory {
    /// The name of the Virtual I/O Server.
    pub vios: String,
    /// One of its disks, such as `hdisk5`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disk: Option<String>,
    /// A virtual disk of one of its volume groups.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub virtual_disk: Option<String>,
    /// A logical unit of its pool.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logical_unit: Option<String>,
    /// A medium of its repository.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub medium: Option<String>,
    /// The slot of the partition's adapter; the next one if nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_slot: Option<u16>,
    /// The slot of the server's adapter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server_slot: Option<u16>,
}

/// A virtual Fibre Channel adapter of a partition.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FcMappingInventory {
    /// The name of the Virtual I/O Server.
    pub vios: String,
    /// Its port, such as `fcs0`; not plugged if nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<String>,
    /// The adapter's two port names of 16 hexadecimal digits; drawn if nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wwpns: Option<[String; 2]>,
    /// The slot of the partition's adapter; the next one if nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_slot: Option<u16>,
    /// The slot of the server's adapter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server_slot: Option<u16>,
}

impl PartitionInventory {
    /// Whether there is anything to boot from.
    pub(super) fn has_storage(&self) -> bool {
        self.disk_gb.is_some()
            || !self.mappings.is_empty()
            || !self.fc_mappings.is_empty()
            || self.fc_adapters > 0
    }

    /// Whether its boot disk is all that its system's Virtual I/O Servers do for it, so that nothing it asks for by
    /// number can be taken by the disk of another one.
    pub(super) fn is_plain(&self) -> bool {
        self.mappings.is_empty()
            && self.fc_mappings.is_empty()
            && self.fc_adapters == 0
            && !self.sriov
    }

    /// The request that makes it.
    pub(super) fn creation(
        &self,
        system: Uuid,
        hardware: &SystemInventory,
    ) -> Result<CreatePartition, InventoryError> {
        let kind = self
            .kind
            .as_deref()
            .map_or(Ok(PartitionKind::AixLinux), |name| {
                PartitionKind::parse(name)
                    .filter(|kind| *kind != PartitionKind::VirtualIoServer)
                    .ok_or_else(|| missing("partition type", name))
            })?;
        Ok(CreatePartition {
            system,
            uuid: self.uuid,
            id: self.id,
            name: self.name.clone(),
            description: self.description.clone(),
            kind,
            memory: MemoryRequest {
                minimum: self.memory_minimum_mb,
                desired: Some(self.memory_mb),
                maximum: self.memory_maximum_mb,
                shared: self.shared_memory.then_some(true),
                ..MemoryRequest::default()
            },
            processors: Some(self.processor_request(hardware)?),
            maximum_slots: self.maximum_slots,
            settings: PartitionSettings {
                // Side B, as recorded (`lpar_ibmi`).
                ipl_source: (kind == PartitionKind::IbmI).then(|| "b".to_owned()),
                ..PartitionSettings::default()
            },
            nvram: None,
            serial_number: self.serial_number.clone(),
            io_slots: None,
        })
    }

    fn processor_request(
        &self,
        hardware: &SystemInventory,
    ) -> Result<ProcessorRequest, InventoryError> {
        let Some(exact) = &self.processors else {
            let units = Some(ProcUnits::from_hundredths(self.processor_units_hundredths));
            let processors = Some(self.virtual_processors);
            return Ok(ProcessorRequest {
                dedicated: Some(false),
                sharing: Some(SharingMode::Uncapped),
                minimum_units: units,
                desired_units: units,
                maximum_units: units,
                minimum_virtual: processors,
                desired_virtual: processors,
                maximum_virtual: processors,
                ..ProcessorRequest::default()
            });
        };
        if exact.dedicated {
            return Ok(ProcessorRequest {
                dedicated: Some(true),
                sharing: Some(SharingMode::SharedIdle),
                minimum_processors: Some(exact.minimum),
                desired_processors: Some(exact.desired),
                maximum_processors: Some(exact.maximum),
                ..ProcessorRequest::default()
            });
        }
        let pool = exact.pool.as_ref().map(|name| {
            let names = hardware.processor_pools.iter().zip(1_u8..);
            let mut named = names.filter(|(other, _)| *other == name);
            let found = named.next().map(|(_, id)| id);
            found.ok_or_else(|| missing("processor pool", name))
        });
        let units = |hundredths: u32| Some(ProcUnits::from_hundredths(hundredths));
        Ok(ProcessorRequest {
            dedicated: Some(false),
            sharing: Some(if exact.capped {
                SharingMode::Capped
            } else {
                SharingMode::Uncapped
            }),
            minimum_units: units(exact.minimum_units_hundredths),
            desired_units: units(exact.units_hundredths),
            maximum_units: units(exact.maximum_units_hundredths),
            minimum_virtual: Some(exact.minimum),
            desired_virtual: Some(exact.desired),
            maximum_virtual: Some(exact.maximum),
            pool: pool.transpose()?,
            uncapped_weight: exact.weight.filter(|_| !exact.capped),
            ..ProcessorRequest::default()
        })
    }
}
