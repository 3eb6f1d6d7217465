//! Smaller jobs about partitions: their UUID, licences, the control panel, affinity, serial numbers, profiles.

use std::sync::Arc;

use uuid::Uuid;

use super::Job;
use super::catalogue::Operation;
use super::lifecycle::End;
use crate::clock::Millis;
use crate::model::monitoring::load::trait_of;
use crate::model::names::{EventKind, PartitionKind, PartitionState};
use crate::model::profile;
use crate::model::resource::{Owner, Resource};
use crate::model::world::World;

/// What the control panel of an IBM i partition can be asked for.
const PANEL_FUNCTIONS: [&str; 8] = [
    "dumprestart",
    "dston",
    "retrydump",
    "remotedstoff",
    "remotedston",
    "iopreset",
    "iopdump",
    "consoleservice",
];

impl World {
    pub(super) fn run_identity_job(
        &mut self,
        now: Millis,
        operation: Operation,
        job: &Job,
    ) -> Option<End> {
        let done = |outcome: Result<(), String>| match outcome {
            Ok(()) => End::Ok(vec![("result".to_owned(), String::new())]),
            Err(why) => End::Failed(why),
        };
        Some(match operation {
            Operation::CloneUuid => done(self.clone_uuid(now, job)),
            Operation::AddLicense => done(self.add_license(job)),
            Operation::PanelFunction => done(self.panel_function(job)),
            Operation::GetDpoStatus => self.affinity_scores(job),
            Operation::AddSerialNumber
            | Operation::RemoveSerialNumber
            | Operation::TransferSerialNumber => done(self.serial_number_job(now, operation, job)),
            Operation::SaveCurrentConfig => done(self.save_configuration(now, job)),
            Operation::ChangeDefaultProfileName => done(self.rename_default_profile(now, job)),
            _ => return None,
        })
    }

    /// Job `CloneUUID`: the partition is deleted, and another one of the system takes its UUID over.
    fn clone_uuid(&mut self, now: Millis, job: &Job) -> Result<(), String> {
        let original = self.target_partition(job)?;
        let name = parameter(job, "targetLparName")?;
        let surrogate = self
            .partition_named(original.system, name)
            .filter(|surrogate| surrogate.uuid != original.uuid)
            .ok_or_else(|| {
                format!("HSCL8012 The partition {name} was not found on the managed system.")
            })?;
        if surrogate.state != PartitionState::NotActivated || surrogate.is_management {
            return Err(format!(
                "HSCL05DF Partition {} is {}. It must be not activated.",
                surrogate.name, surrogate.state
            ));
        }
        let before = self.clone();
        self.delete_partition(now, original.uuid, false)
            .map_err(|refusal| refusal.message)?;
        self.announce(
            now,
            EventKind::DeleteUri,
            Resource::LogicalPartition(surrogate.uuid),
            "",
        );
        if let Err(why) = self.change_uuid(surrogate.uuid, original.uuid) {
            *self = before;
            return Err(why);
        }
        self.announce(
            now,
            EventKind::AddUri,
            Resource::LogicalPartition(original.uuid),
            "",
        );
        self.touch_system(now, original.system);
        Ok(())
    }

    /// Every place that knows a partition by its UUID learns the new one.
    fn change_uuid(&mut self, from: Uuid, to: Uuid) -> Result<(), String> {
        let partition = self
            .partitions
            .remove(&from)
            .ok_or("HSCL8012 The partition was not found on the managed system.")?;
        let mut partition = (*partition).clone();
        partition.uuid = to;
        partition.version = self.touch();
        let system = partition.system;
        let number = partition.serial_number.clone();
        self.partitions.insert(to, Arc::new(partition));
        let servers: Vec<Uuid> = self
            .vioses_of(system)
            .map(|vios| vios.partition.uuid)
            .collect();
        for server in servers {
            self.edit_vios(server, |vios, version| {
                vios.rename_client(from, to, version)
            });
        }
        self.edit_system(system, |system| {
            for slot in &mut system.io_slots {
                if slot.owner == Some(from) {
                    slot.owner = Some(to);
                }
            }
            let serial = number.and_then(|number| system.serial_numbers.get_mut(&number));
            if let Some(serial) = serial {
                Arc::make_mut(serial).partition = Some(to);
            }
        });
        Ok(())
    }

    /// Job `AddLicense` of an IBM i partition.
    fn add_license(&self, job: &Job) -> Result<(), String> {
        let partition = self.target_partition(job)?;
        let key = parameter(job, "licKey")?;
        if partition.kind != PartitionKind::IbmI {
            return Err(format!(
                "Partition {} is no IBM i partition.",
                partition.name
            ));
        }
        if key.len() > 256 || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err("The license key is not valid.".to_owned());
        }
        Ok(())
    }

    /// Job `PanelFunction` of an IBM i partition.
    fn panel_function(&self, job: &Job) -> Result<(), String> {
        let partition = self.target_partition(job)?;
        let operation = parameter(job, "operation")?;
        if !PANEL_FUNCTIONS.contains(&operation) {
            return Err(format!("The panel function {operation} is not valid."));
        }
        if partition.kind != PartitionKind::IbmI {
            return Err(format!(
                "Partition {} is no IBM i partition.",
                partition.name
            ));
        }
        if !partition.state.works() {
            return Err(format!(
                "HSCL05DF Partition {} is {}: it has no control panel in this state.",
                partition.name, partition.state
            ));
        }
        Ok(())
    }

    /// Job `GetDPOStatus`: how well memory and processors of each partition lie together, as JSON.
    fn affinity_scores(&self, job: &Job) -> End {
        let Some(system) = job
            .target
            .uuid()
            .filter(|uuid| self.systems.contains_key(uuid))
        else {
            return End::Failed("The managed system was not found.".to_owned());
        };
        let mut partitions: Vec<_> = self.all_partitions_of(system).collect();
        partitions.sort_by_key(|partition| partition.id);
        let scores = partitions.into_iter().map(|partition| {
            let score = if partition.memory.active {
                100 - trait_of(partition.uuid, b'a') / 10
            } else {
                0
            };
            serde_json::json!({
                "LPAR_ID": partition.id,
                "LPAR_NAME": partition.name,
                "CURRENT_AFFINITY_SCORE": score,
            })
        });
        let list = serde_json::Value::Array(scores.collect());
        End::Ok(vec![("result".to_owned(), list.to_string())])
    }

    fn serial_number_job(
        &mut self,
        now: Millis,
        operation: Operation,
        job: &Job,
    ) -> Result<(), String> {
        let system = job
            .target
            .uuid()
            .filter(|uuid| self.systems.contains_key(uuid))
            .ok_or("The managed system was not found.")?;
        let number = parameter(job, "VirtualSerialNumber")?;
        match operation {
            Operation::AddSerialNumber => self.add_serial_number(now, system, number),
            Operation::RemoveSerialNumber => {
                self.remove_serial_number(now, system, number, job.is_set("ResetAutoAssign"))
            }
            _ => {
                let target = parameter(job, "TargetManagedSystem")?;
                self.transfer_serial_number(now, system, number, target)
            }
        }
    }

    /// Job `SaveCurrentConfig`: the configuration becomes a profile, or replaces the one of that name.
    fn save_configuration(&mut self, now: Millis, job: &Job) -> Result<(), String> {
        let (owner, partition) = self.profiled_target(job)?;
        let name = job
            .parameter("profileName")
            .or_else(|| job.parameter("LogicalPartitionProfile"))
            .map(str::trim)
            .filter(|name| !name.is_empty())
            .unwrap_or(profile::DEFAULT)
            .to_owned();
        let known = partition.profiles.iter().find(|known| known.name == name);
        let known = known.map(|known| known.uuid);
        if known.is_none() && partition.profiles.len() >= profile::PROFILES {
            return Err(format!(
                "Partition {} has its maximum of {} profiles.",
                partition.name,
                profile::PROFILES
            ));
        }
        let uuid = known.unwrap_or_else(|| self.ids.named_uuid());
        let version = self.touch();
        let saved = Arc::new(partition.as_profile(uuid, &name, version));
        self.edit_partition(owner, |partition| {
            partition.profiles.retain(|kept| kept.uuid != uuid);
            partition.profiles.push(saved);
        });
        self.announce_partition(now, owner, "Other");
        Ok(())
    }

    /// Job `ChangeDefaultProfileName`: which profile an activation without a name takes.
    fn rename_default_profile(&mut self, now: Millis, job: &Job) -> Result<(), String> {
        let (owner, partition) = self.profiled_target(job)?;
        let name = job
            .parameter("profileName")
            .or_else(|| job.parameter("newProfileName"))
            .map(str::trim)
            .unwrap_or_default();
        let wanted = partition.profiles.iter().find(|known| known.name == name);
        let uuid = wanted
            .map(|known| known.uuid)
            .ok_or_else(|| format!("HSCL800F The profile {name} was not found."))?;
        self.edit_partition(owner, |partition| partition.profile = uuid);
        self.announce_partition(now, owner, "Other");
        Ok(())
    }

    fn profiled_target(
        &self,
        job: &Job,
    ) -> Result<(Owner, crate::model::partition::Partition), String> {
        let owner = job.target.owner();
        let found = owner.and_then(|owner| Some((owner, self.partition(owner)?.clone())));
        found
            .ok_or_else(|| "HSCL8012 The partition was not found on the managed system.".to_owned())
    }
}

/// A parameter that has to be there.
fn parameter<'j>(job: &'j Job, name: &str) -> Result<&'j str, String> {
    job.parameter(name)
        .map(str::trim)
        .filter(|value| !value.is_empty())
        .ok_or_else(|| format!("The parameter {name} is missing."))
}
