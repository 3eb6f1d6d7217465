//! A partition comes into being.

use imbl::OrdMap;
use std::sync::Arc;
use uuid::Uuid;

use super::rules::{self, NO_MEMORY, ONE_PROCESSOR};
use super::{Partition, PartitionCapabilities, PartitionProcessors};
use crate::clock::Millis;
use crate::model::command::{CreatePartition, IoSlotName, Outcome};
use crate::model::lowest::lowest_free;
use crate::model::monitoring::Load;
use crate::model::names::{
    CompatibilityMode, EventKind, Flavor, MigrationState, PartitionKind, PartitionState, RmcState,
};
use crate::model::profile;
use crate::model::refusal::Refusal;
use crate::model::resource::Resource;
use crate::model::world::World;

impl World {
    pub(in crate::model) fn create_partition(
        &mut self,
        now: Millis,
        request: CreatePartition,
    ) -> Result<Outcome, Refusal> {
        if request.kind == PartitionKind::VirtualIoServer {
            return Err(Refusal::internal(
                " REST0140 Invalid Partition Type associated with LogicalPartition",
            ));
        }
        let wishes = request.io_slots.clone();
        let (partition, serial_number) = self.new_partition(now, request)?;
        let (uuid, system) = (partition.uuid, partition.system);
        let has_nvram = partition.nvram.is_some();
        let resource = Resource::LogicalPartition(uuid);
        self.partitions.insert(uuid, Arc::new(partition));
        if let Some(number) = serial_number {
            self.assign_serial_number(now, system, &number, uuid);
        }
        self.claim_io_slots(uuid, wishes)?;
        self.announce(now, EventKind::AddUri, resource, "");
        if has_nvram {
            self.announce(now, EventKind::ModifyUri, resource, "NVRAM");
        }
        self.touch_system(now, system);
        Ok(Outcome::Written(resource))
    }

    /// The slots that a new partition asks for.
    pub(in crate::model) fn claim_io_slots(
        &mut self,
        uuid: Uuid,
        wishes: Option<Vec<IoSlotName>>,
    ) -> Result<(), Refusal> {
        let partition = self.owner(uuid).and_then(|owner| self.partition(owner));
        if let (Some(partition), Some(wishes)) = (partition.cloned(), wishes) {
            self.assign_io_slots(&partition, &wishes)?;
        }
        Ok(())
    }

    /// A partition of either kind and the serial number that it is to have. Checks in the order in which a console does:
    /// type, name, identity, then sizes.
    pub(in crate::model) fn new_partition(
        &mut self,
        now: Millis,
        request: CreatePartition,
    ) -> Result<(Partition, Option<String>), Refusal> {
        let system = self.system(request.system)?;
        if request.kind == PartitionKind::IbmI && !system.capabilities.ibmi {
            return Err(Refusal::logic(format!(
                "System {} does not support IBM i partitions.",
                system.name
            )));
        }
        rules::check_name(&request.name)?;
        request
            .description
            .as_deref()
            .map_or(Ok(()), rules::check_description)?;
        self.check_name_is_free(system.uuid, None, &request.name)?;
        let uuid = self.uuid_for_new_partition(request.uuid)?;
        let id = self.id_for_new_partition(system.uuid, request.id)?;
        let memory = rules::memory(&system, &NO_MEMORY, &request.memory)?;
        let setting = request.processors.map_or(Ok(ONE_PROCESSOR), |wish| {
            rules::processors(&system, None, &wish)
        })?;
        self.check_processor_pool(&system, None, &setting)?;
        let serial_number = request
            .serial_number
            .as_deref()
            .map(|wish| self.choose_serial_number(system.uuid, wish))
            .transpose()?;
        let maximum_slots = request.maximum_slots.unwrap_or(64);
        rules::check_slots(maximum_slots)?;
        rules::check_settings(&system, &request.settings)?;
        request
            .nvram
            .as_deref()
            .map_or(Ok(()), rules::check_nvram)?;
        let mac_prefix = self.unused_mac_prefix();
        let version = self.touch();
        let mut partition = Partition {
            uuid,
            system: system.uuid,
            id,
            name: request.name,
            description: request.description,
            kind: request.kind,
            state: PartitionState::NotActivated,
            rmc: if request.kind == PartitionKind::IbmI {
                RmcState::None
            } else {
                RmcState::Inactive
            },
            rmc_address: None,
            os_version: "Unknown".to_owned(),
            reference_code: Partition::OFF_CODE.to_owned(),
            started: None,
            capabilities: PartitionCapabilities::default(),
            memory,
            processors: PartitionProcessors {
                configured: setting.clone(),
                current: setting,
                active: false,
            },
            maximum_slots,
            settings: request.settings,
            current_compatibility: CompatibilityMode::Default,
            current_secure_boot: 0,
            nvram: request.nvram,
            mac_prefix,
            logical_serial: format!("{}{id:X}", system.machine.serial),
            is_management: false,
            profile: self.ids.named_uuid(),
            profiles: Vec::new(),
            migration: MigrationState::NotMigrating,
            progress: None,
            serial_number: serial_number.clone(),
            load: Load::default(),
            network_adapters: OrdMap::new(),
            logical_ports: OrdMap::new(),
            vnics: OrdMap::new(),
            console_open: false,
            activation: 0,
            version,
            nvram_version: version,
        };
        partition.follow_configuration();
        partition.note_load(now);
        if self.flavor == Flavor::Hmc {
            let first = partition.as_profile(partition.profile, profile::DEFAULT, version);
            partition.profiles.push(Arc::new(first));
        }
        Ok((partition, serial_number))
    }

    /// Names are unique among all partitions of a system, Virtual I/O Servers included.
    pub(super) fn check_name_is_free(
        &self,
        system: Uuid,
        except: Option<Uuid>,
        name: &str,
    ) -> Result<(), Refusal> {
        let mut others = self
            .partitions
            .named(system, name)
            .chain(self.vioses.named(system, name))
            .filter(|other| Some(*other) != except);
        let mut arriving = self
            .arriving_at(system)
            .filter(|migration| Some(migration.partition) != except);
        if others.next().is_some() || arriving.any(|migration| migration.name == name) {
            return Err(Refusal::logic(format!(
                "HSCL05DE The name {name} is already used by another partition of the managed system."
            )));
        }
        Ok(())
    }

    fn uuid_for_new_partition(&mut self, wish: Option<Uuid>) -> Result<Uuid, Refusal> {
        match wish {
            Some(uuid) if uuid.is_nil() => {
                Err(Refusal::logic("The partition UUID must not be zero."))
            }
            Some(uuid) if self.owner(uuid).is_some() => Err(Refusal::logic(format!(
                "The partition UUID {} is already used by another partition.",
                uuid.to_string().to_uppercase()
            ))),
            Some(uuid) => Ok(uuid),
            None => Ok(self.ids.random_uuid()),
        }
    }

    /// The lowest free number, or the one wished for.
    pub(in crate::model) fn id_for_new_partition(
        &self,
        system: Uuid,
        wish: Option<u16>,
    ) -> Result<u16, Refusal> {
        let used = || {
            let servers = self.vioses.numbers(system);
            let arriving = self.arriving_at(system).map(|migration| migration.id);
            self.partitions
                .numbers(system)
                .chain(servers)
                .chain(arriving)
        };
        let most = self
            .systems
            .get(&system)
            .map_or(0, |system| system.maximum_partitions);
        match wish {
            Some(id) if id == 0 || id > most => Err(Refusal::logic(format!(
                "HSCL0617 The partition ID {id} must lie between 1 and {most}."
            ))),
            Some(id) if used().any(|used| used == id) => Err(Refusal::logic(format!(
                "HSCL0617 The partition ID {id} is already in use."
            ))),
            Some(id) => Ok(id),
            None => {
                let free = u16::try_from(lowest_free(1, used().map(u32::from))).ok();
                free.filter(|id| *id <= most).ok_or_else(|| {
                    Refusal::logic(format!(
                        "The managed system has its maximum of {most} partitions."
                    ))
                })
            }
        }
    }

    fn unused_mac_prefix(&mut self) -> u64 {
        loop {
            let prefix = self.ids.mac_prefix();
            if !self.partitions.has_mac_prefix(prefix) && !self.vioses.has_mac_prefix(prefix) {
                return prefix;
            }
        }
    }
}

impl Partition {
    /// While a partition is off, its current values are the configured ones (recording `lpar.txt`).
    pub(in crate::model) fn follow_configuration(&mut self) {
        self.memory.current_minimum = self.memory.minimum;
        self.memory.current = self.memory.desired;
        self.memory.current_maximum = self.memory.maximum;
        self.memory.active = false;
        if let Some(shared) = &mut self.memory.shared {
            shared.device = None;
        }
        self.processors.current = self.processors.configured.clone();
        self.processors.active = false;
    }
}
