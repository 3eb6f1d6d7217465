//! Job `RemoteRestart`: a partition whose system has failed starts on another one (`docs/protocol/mobility.md`).

use std::sync::Arc;

use uuid::Uuid;

use super::options::{adapter_mapping, items, number};
use super::{Manner, Options};
use crate::clock::Millis;
use crate::model::job::Job;
use crate::model::job::lifecycle::End;
use crate::model::names::{PartitionState, SystemState};
use crate::model::partition::Partition;
use crate::model::resource::Owner;
use crate::model::system::ManagedSystem;
use crate::model::world::World;

impl World {
    pub(in crate::model) fn begin_remote_restart(&mut self, now: Millis, job: &Job) {
        let operation = job
            .parameter("Operation")
            .map(|text| text.trim().to_ascii_lowercase())
            .unwrap_or_default();
        let done = || End::Ok(vec![("detailedStatus".to_owned(), String::new())]);
        let checked = match operation.as_str() {
            "validate" => self.check_remote_restart(job).map(|_| ()),
            "restart" => match self.check_remote_restart(job) {
                Ok((partition, target, options)) => {
                    return self.restart_on(now, job, &partition, &target, &options);
                }
                Err(why) => Err(why),
            },
            // The source keeps nothing here that would have to be cleaned up.
            "cleanup" => self.restartable(job).map(|_| ()),
            "recover" | "cancel" => Err(
                "HSCL05DF The partition is not being restarted remotely: there is nothing to recover."
                    .to_owned(),
            ),
            "" => Err("The parameter Operation is missing.".to_owned()),
            other => Err(format!("The operation {other} of RemoteRestart is not valid.")),
        };
        match checked {
            Ok(()) => {
                let wait = self.pace.other_job.draw(&mut self.ids);
                self.plan_end(now.plus(wait), job.id, done());
            }
            Err(why) => self.refuse_job(now, job.id, why),
        }
    }

    fn restart_on(
        &mut self,
        now: Millis,
        job: &Job,
        partition: &Partition,
        target: &Arc<ManagedSystem>,
        options: &Options,
    ) {
        let before = self.clone();
        match self.take_over(now, partition.uuid, target, options) {
            Ok(moved) => self.activate(now, Owner::Partition(moved.uuid), &moved, job.id),
            Err(why) => {
                *self = before;
                self.refuse_job(now, job.id, why);
            }
        }
    }

    fn take_over(
        &mut self,
        now: Millis,
        uuid: Uuid,
        target: &Arc<ManagedSystem>,
        options: &Options,
    ) -> Result<Arc<Partition>, String> {
        let bundle = self.bundle(uuid).ok_or("The partition has gone.")?;
        let arrival = self.plan_arrival(target, &bundle, Manner::Inactive, options)?;
        let id = self
            .id_for_new_partition(target.uuid, None)
            .map_err(|refusal| refusal.message)?;
        self.move_partition(now, &bundle, id, arrival, |partition| {
            partition.state = PartitionState::NotActivated;
        })
        .map_err(|refusal| refusal.message)?;
        self.partitions
            .get(&uuid)
            .map(Arc::clone)
            .ok_or_else(|| "The partition has gone.".to_owned())
    }

    fn check_remote_restart(
        &self,
        job: &Job,
    ) -> Result<(Arc<Partition>, Arc<ManagedSystem>, Options), String> {
        let partition = self.restartable(job)?;
        let word = |name: &str| {
            job.parameter(name)
                .map(str::trim)
                .filter(|text| !text.is_empty())
        };
        let named = word("targetManagedSystem").or_else(|| word("targetManagedSystemUUID"));
        let options = Options {
            target: named
                .ok_or("The parameter targetManagedSystem is missing.")?
                .to_owned(),
            console: word("targetRemoteHMCIPAddress").map(str::to_owned),
            user: word("targetRemoteHMCUserId").map(str::to_owned),
            processor_pool: number(word("sharedProcessorPoolID"), "sharedProcessorPoolID")?,
            fibre_channel: items(word("virtualFCMappings"), adapter_mapping)?,
            vlan_bridge_override: word("vlanbridge").is_some(),
            ..Options::default()
        };
        let of_uuid = |system: &&Arc<ManagedSystem>| {
            system
                .uuid
                .to_string()
                .eq_ignore_ascii_case(&options.target)
        };
        let target = match self.systems.values().find(of_uuid) {
            Some(system) => Arc::clone(system),
            None => self.migration_target(&options)?,
        };
        let mut options = options;
        if let Some(name) = word("sharedProcessorPoolName") {
            let mut pools = target.processor_pools.values();
            let pool = pools.find(|pool| pool.name == name);
            options.processor_pool = Some(pool.map(|pool| pool.id).ok_or_else(|| {
                format!(
                    "System {} has no shared processor pool {name}.",
                    target.name
                )
            })?);
        }
        let source = self.systems.get(&partition.system);
        if let Some(source) = source.filter(|source| source.state == SystemState::Operating) {
            return Err(format!(
                "System {} is operating: its partitions cannot be restarted remotely. Migrate them instead.",
                source.name
            ));
        }
        let bundle = self
            .bundle(partition.uuid)
            .ok_or("The partition has gone.")?;
        self.plan_arrival(&target, &bundle, Manner::Inactive, &options)?;
        Ok((partition, target, options))
    }

    fn restartable(&self, job: &Job) -> Result<Arc<Partition>, String> {
        let partition = job
            .target
            .uuid()
            .and_then(|uuid| self.partitions.get(&uuid).map(Arc::clone))
            .ok_or("HSCL8012 The partition was not found on the managed system.")?;
        if partition.is_remote_restartable() {
            return Ok(partition);
        }
        Err(format!(
            "Partition {} is not capable of remote restart.",
            partition.name
        ))
    }
}

impl Partition {
    /// Whether it may start elsewhere when its system fails.
    #[must_use]
    pub const fn is_remote_restartable(&self) -> bool {
        self.settings.simplified_remote_restart || self.settings.remote_restart
    }

    /// `RemoteRestartState`: `Invalid` of a partition that may not be restarted remotely (recorded of most), else
    /// `Remote_Restartable`.
    #[must_use]
    pub const fn remote_restart_state(&self) -> &'static str {
        if self.is_remote_restartable() {
            "Remote_Restartable"
        } else {
            "Invalid"
        }
    }
}
