//! What happens between a power-on and an operating system that answers (`docs/protocol/partitions.md`).

use uuid::Uuid;

use super::lifecycle::End;
use crate::clock::Millis;
use crate::model::agenda::Effect;
use crate::model::names::{BootMode, CompatibilityMode, PartitionKind, PartitionState, RmcState};
use crate::model::partition::{Partition, PartitionCapabilities, ProcessorSetting};
use crate::model::resource::Owner;
use crate::model::units::ProcUnits;
use crate::model::vios::Backing;
use crate::model::world::World;

/// Reference codes between the start of an activation and the operating system's own.
const FIRMWARE_CODES: [&str; 2] = ["C2001010", "CA00E1DC"];
/// What a partition shows that has nothing to boot, or was told to stop in its firmware.
const FIRMWARE_IDLE: &str = "AA00E158";

impl World {
    /// Assigns memory and processors and starts up; without enough of them the partition goes into `error`.
    pub(in crate::model) fn activate(
        &mut self,
        now: Millis,
        owner: Owner,
        partition: &Partition,
        job: u64,
    ) {
        match self.grant(partition) {
            Ok((memory, processors, device)) => {
                self.edit_partition(owner, |partition| {
                    if let Some(shared) = &mut partition.memory.shared {
                        shared.device = device;
                    }
                    partition.memory.current = memory;
                    partition.memory.active = true;
                    partition.processors.current = processors;
                    partition.processors.active = true;
                });
                self.start_up(now, owner, job);
                self.touch_system(now, partition.system);
            }
            Err(why) => {
                self.edit_partition(owner, |partition| {
                    partition.state = PartitionState::Error;
                    partition.reference_code = format!("B2001230 LP={:05}", partition.id);
                });
                self.announce_partition(now, owner, "PartitionState,ReferenceCode,Other");
                self.refuse_job(now, job, why);
            }
        }
    }

    /// From here a first start and a restart are the same.
    pub(super) fn start_up(&mut self, now: Millis, owner: Owner, job: u64) {
        self.edit_partition(owner, |partition| {
            partition.activation += 1;
            partition.state = PartitionState::Starting;
            partition.rmc = if partition.kind == PartitionKind::IbmI {
                RmcState::None
            } else {
                RmcState::Inactive
            };
            partition.capabilities = PartitionCapabilities::default();
            partition.reference_code = FIRMWARE_CODES[0].to_owned();
        });
        self.announce_partition(now, owner, "PartitionState,ReferenceCode,Other");
        let activation = self
            .partition(owner)
            .map_or(0, |partition| partition.activation);
        let wait = self.pace.power_on.draw(&mut self.ids);
        self.agenda.plan(
            now.plus(wait),
            Effect::Started {
                owner,
                activation,
                job,
            },
        );
    }

    /// `running`: the job is done, the operating system has yet to come up.
    pub(in crate::model) fn started(
        &mut self,
        now: Millis,
        owner: Owner,
        activation: u64,
        job: u64,
    ) {
        let best = self
            .partition(owner)
            .map(|partition| self.best_mode(partition));
        if !self.is_current(owner, activation) {
            return self.finish_job(
                now,
                job,
                &End::Failed("HSCL05DF The activation was ended by a power-off.".to_owned()).into(),
            );
        }
        self.edit_partition(owner, |partition| {
            partition.state = PartitionState::Running;
            partition.started = Some(now);
            partition.reference_code = FIRMWARE_CODES[1].to_owned();
            partition.current_compatibility = best.unwrap_or(CompatibilityMode::Default);
            partition.current_secure_boot = partition.settings.secure_boot;
        });
        self.announce_partition(now, owner, "PartitionState,ReferenceCode,Other");
        self.finish_job(
            now,
            job,
            &End::Ok(vec![("result".to_owned(), String::new())]).into(),
        );
        if self.boots(owner) {
            let boot = self.pace.boot.draw(&mut self.ids);
            let rmc = self.pace.rmc.draw(&mut self.ids).max(boot);
            self.agenda
                .plan(now.plus(boot), Effect::Booted { owner, activation });
            if self
                .partition(owner)
                .is_some_and(|partition| partition.kind != PartitionKind::IbmI)
            {
                self.agenda
                    .plan(now.plus(rmc), Effect::RmcConnected { owner, activation });
            }
        } else {
            let wait = self.pace.open_firmware.draw(&mut self.ids);
            self.agenda.plan(
                now.plus(wait),
                Effect::FellToOpenFirmware { owner, activation },
            );
        }
    }

    pub(in crate::model) fn booted(&mut self, now: Millis, owner: Owner, activation: u64) {
        self.change_if_running(now, owner, activation, "ReferenceCode,Other", |partition| {
            partition.reference_code = match partition.kind {
                PartitionKind::AixLinux => "Linux ppc64le".to_owned(),
                PartitionKind::IbmI => Partition::OFF_CODE.to_owned(),
                PartitionKind::VirtualIoServer => String::new(),
            };
        });
    }

    pub(in crate::model) fn fell_to_open_firmware(
        &mut self,
        now: Millis,
        owner: Owner,
        activation: u64,
    ) {
        self.change_if_running(
            now,
            owner,
            activation,
            "PartitionState,ReferenceCode,Other",
            |partition| {
                partition.state = PartitionState::OpenFirmware;
                partition.reference_code = FIRMWARE_IDLE.to_owned();
            },
        );
    }

    pub(in crate::model) fn rmc_connected(&mut self, now: Millis, owner: Owner, activation: u64) {
        self.change_if_running(now, owner, activation, "RMCState,Other", |partition| {
            partition.rmc = RmcState::Active;
            partition.capabilities = PartitionCapabilities::ALL;
            partition
                .rmc_address
                .get_or_insert_with(|| format!("198.51.100.{}", 1 + partition.id % 250));
            if partition.kind == PartitionKind::AixLinux {
                partition.os_version = "Linux/Debian 6.1.0-9-powerpc64le 12".to_owned();
            }
        });
    }

    /// Memory and processors for an activation: what is desired, or what there is if that is enough.
    fn grant(
        &self,
        partition: &Partition,
    ) -> Result<(u64, ProcessorSetting, Option<String>), String> {
        let device = self.paging_device_for(partition)?;
        let region = self
            .systems
            .get(&partition.system)
            .map_or(1, |system| system.memory.region.max(1));
        let available = self
            .available_memory(partition.system)
            .saturating_sub(partition.memory.overhead(region));
        let memory = if device.is_some() {
            partition.memory.desired
        } else {
            partition.memory.desired.min(available / region * region)
        };
        if memory < partition.memory.minimum {
            return Err(format!(
                "HSCL03EC There is not enough memory to activate partition {}: it needs at least {} MB, and {available} MB are available.",
                partition.name, partition.memory.minimum
            ));
        }
        let free = self.available_processors(partition.system);
        let too_few = |needed: ProcUnits| {
            format!(
                "HSCL03F4 There are not enough processing resources to activate partition {}: it needs at least {needed}, and {free} are available.",
                partition.name
            )
        };
        let mut processors = partition.processors.configured.clone();
        let needed = processors.minimum_units();
        if needed > free {
            return Err(too_few(needed));
        }
        match &mut processors {
            ProcessorSetting::Dedicated { desired, .. } => {
                *desired =
                    (*desired).min(u16::try_from(free.hundredths() / 100).unwrap_or(u16::MAX));
            }
            ProcessorSetting::Shared(shared) => {
                shared.desired_units = shared.desired_units.min(free)
            }
        }
        Ok((memory, processors, device))
    }

    /// Whether there is an operating system: a disk with something on it, and a boot mode that goes past the firmware.
    fn boots(&self, owner: Owner) -> bool {
        let Some(partition) = self.partition(owner) else {
            return false;
        };
        let past_firmware = !matches!(
            partition.settings.boot_mode,
            BootMode::SystemManagementServices | BootMode::OpenFirmware | BootMode::Petitboot
        );
        match owner {
            Owner::Vios(uuid) => {
                past_firmware
                    && self
                        .vioses
                        .get(&uuid)
                        .is_some_and(|vios| vios.is_installed())
            }
            Owner::Partition(uuid) => past_firmware && self.has_boot_disk(uuid),
        }
    }

    fn has_boot_disk(&self, client: Uuid) -> bool {
        self.servers_of(client).any(|vios| {
            let mut devices = vios.buses.of(client).flat_map(|bus| &bus.devices);
            devices.any(|device| {
                !matches!(device.backing, Backing::OpticalMedium { .. })
                    && self
                        .storage(vios, &device.backing)
                        .is_some_and(|storage| storage.content().is_some())
            })
        }) || self.sees_boot_volume(client)
    }

    /// Whether a virtual Fibre Channel adapter leads to a volume with something on it.
    fn sees_boot_volume(&self, client: Uuid) -> bool {
        let ports = self
            .fc_client_adapters(client)
            .into_iter()
            .filter_map(|(_, vios, mapping)| {
                let port = vios.fc_port(mapping.port.as_deref()?)?;
                Some((mapping.client?.wwpns, port.fabric))
            });
        ports
            .flat_map(|(wwpns, fabric)| wwpns.map(|wwpn| (wwpn, fabric)))
            .any(|(wwpn, fabric)| {
                self.san
                    .visible(wwpn, fabric)
                    .any(|(_, volume)| volume.content.is_some())
            })
    }

    /// The newest mode of the system, or the one asked for.
    fn best_mode(&self, partition: &Partition) -> CompatibilityMode {
        let wish = partition.settings.compatibility;
        let modes = self
            .systems
            .get(&partition.system)
            .map(|system| system.processors.compatibility_modes.as_slice());
        let newest = modes
            .unwrap_or_default()
            .iter()
            .max()
            .copied()
            .unwrap_or(wish);
        if wish == CompatibilityMode::Default {
            newest
        } else {
            wish
        }
    }

    pub(super) fn is_current(&self, owner: Owner, activation: u64) -> bool {
        self.partition(owner)
            .is_some_and(|partition| partition.activation == activation)
    }

    fn change_if_running(
        &mut self,
        now: Millis,
        owner: Owner,
        activation: u64,
        detail: &str,
        change: impl FnOnce(&mut Partition),
    ) {
        let running = self
            .partition(owner)
            .is_some_and(|partition| partition.state == PartitionState::Running);
        if running && self.is_current(owner, activation) {
            self.edit_partition(owner, change);
            self.announce_partition(now, owner, detail);
        }
    }
}
