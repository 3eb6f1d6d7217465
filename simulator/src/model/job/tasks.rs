//! Jobs that are done as soon as they begin.

use super::Job;
use super::catalogue::Operation;
use super::lifecycle::End;
use crate::clock::Millis;
use crate::model::partition::page_table;
use crate::model::resource::Owner;
use crate::model::storage::VolumeUsage;
use crate::model::vios::Backing;
use crate::model::world::World;
use std::sync::Arc;
use uuid::Uuid;

impl World {
    pub(super) fn run_job(&mut self, now: Millis, operation: Operation, job: &Job) -> End {
        let done = || End::Ok(vec![("result".to_owned(), String::new())]);
        let uuid = job.target.uuid();
        match operation {
            Operation::PowerOn | Operation::PowerOff => done(),
            Operation::CloseVterm => {
                self.close_console(uuid);
                done()
            }
            Operation::RemoveDevice => match (uuid, job.parameter("devName")) {
                (Some(vios), Some(device)) => self
                    .remove_device(now, vios, device.trim())
                    .map_or_else(End::Failed, |()| done()),
                _ => End::Exception("The parameter devName is missing.".to_owned()),
            },
            Operation::QueryReservedMemory => self.reserved_memory(job),
            Operation::CliRunner => self.run_cli(now, job.parameter("cmd").unwrap_or_default()),
            Operation::LinkedClone => match (
                job.parameter("SourceUDID"),
                job.parameter("DestinationUDID"),
            ) {
                (Some(source), Some(destination)) => self
                    .link_clone(now, source.trim(), destination.trim())
                    .map_or_else(|refusal| End::Failed(refusal.message), |()| done()),
                _ => End::Exception(
                    "The parameters SourceUDID and DestinationUDID are needed.".to_owned(),
                ),
            },
        }
    }

    fn close_console(&mut self, partition: Option<Uuid>) {
        let open = partition.filter(|uuid| {
            self.partitions
                .get(uuid)
                .is_some_and(|partition| partition.console_open)
        });
        if let Some(uuid) = open {
            self.edit_partition(Owner::Partition(uuid), |partition| {
                partition.console_open = false
            });
        }
    }

    /// A disk leaves the device list of a Virtual I/O Server, unless something uses it.
    fn remove_device(&mut self, now: Millis, vios: Uuid, device: &str) -> Result<(), String> {
        let server = self
            .vioses
            .get(&vios)
            .map(Arc::clone)
            .ok_or_else(|| "HSCL8012 The Virtual I/O Server was not found.".to_owned())?;
        let Some(volume) = server.physical_volume(device) else {
            return Err(format!(
                "HSCL2970 The IOServer command on {} has failed: there is no device {device}.",
                server.partition.name
            ));
        };
        let mapped = server.maps(&Backing::PhysicalVolume {
            name: volume.name.clone(),
        });
        if mapped || volume.usage != VolumeUsage::Unused {
            return Err(format!(
                "HSCL2970 The IOServer command on {} has failed: device {device} is busy.",
                server.partition.name
            ));
        }
        self.edit_vios(vios, |server, version| {
            server
                .physical_volumes
                .retain(|volume| volume.name != device);
            server.storage_version = version;
        });
        self.announce_partition(now, Owner::Vios(vios), "Other");
        Ok(())
    }

    /// Desired memory and what the hypervisor needs besides, in megabytes.
    fn reserved_memory(&self, job: &Job) -> End {
        let number = |name: &str| {
            job.parameter(name)
                .and_then(|text| text.trim().parse::<u64>().ok())
        };
        let system = job.target.uuid().and_then(|uuid| self.systems.get(&uuid));
        let (Some(system), Some(desired), Some(maximum)) =
            (system, number("DesiredMemory"), number("MaximumMemory"))
        else {
            return End::Exception(
                "The parameters DesiredMemory and MaximumMemory are needed, in megabytes."
                    .to_owned(),
            );
        };
        let required = desired.saturating_add(page_table(maximum, 7, system.memory.region));
        End::Ok(vec![
            ("RequiredMemory".to_owned(), required.to_string()),
            (
                "CurrentAvailableSystemMemory".to_owned(),
                self.available_memory(system.uuid).to_string(),
            ),
        ])
    }

    /// The few console commands that clients run: closing a console, and removing a disk on a Virtual I/O Server.
    fn run_cli(&mut self, now: Millis, command: &str) -> End {
        let unquoted = command.replace(['"', '\''], " ");
        let words: Vec<&str> = unquoted.split_whitespace().collect();
        let after = |flag: &str| {
            words
                .iter()
                .position(|word| *word == flag)
                .and_then(|at| words.get(at + 1))
                .copied()
        };
        let outcome = match words.first().copied() {
            Some("rmvterm") => {
                let named =
                    |name: &str, id: &str| after("-p") == Some(name) || after("--id") == Some(id);
                let found = self
                    .partitions
                    .values()
                    .find(|partition| named(&partition.name, &partition.id.to_string()));
                match found.map(|partition| partition.uuid) {
                    Some(uuid) => {
                        self.close_console(Some(uuid));
                        Ok(())
                    }
                    None => Err(
                        "HSCL8012 The partition was not found on the managed system.".to_owned(),
                    ),
                }
            }
            Some("viosvrcmd") if words.contains(&"rmdev") => {
                let server = self
                    .vioses
                    .values()
                    .find(|vios| after("-p") == Some(vios.partition.name.as_str()));
                match (server.map(|vios| vios.partition.uuid), after("-dev")) {
                    (Some(vios), Some(device)) => self.remove_device(now, vios, device),
                    _ => Err(
                        "HSCL8012 The Virtual I/O Server was not found on the managed system."
                            .to_owned(),
                    ),
                }
            }
            _ => return End::Exception("The command is not supported by CLIRunner.".to_owned()),
        };
        outcome.map_or_else(End::Failed, |()| {
            End::Ok(vec![("result".to_owned(), String::new())])
        })
    }
}
