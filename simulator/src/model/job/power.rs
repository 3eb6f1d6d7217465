//! Powering partitions on and off (`docs/protocol/partitions.md`).

use std::sync::Arc;

use super::Job;
use super::lifecycle::End;
use crate::clock::Millis;
use crate::model::agenda::Effect;
use crate::model::names::{BootMode, Flavor, Keylock, PartitionKind, PartitionState, RmcState};
use crate::model::partition::{Partition, PartitionCapabilities};
use crate::model::profile::Profile;
use crate::model::resource::Owner;
use crate::model::world::World;

/// What a `PowerOff` job asks for.
#[derive(serde::Serialize, serde::Deserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub struct PowerOff {
    /// Whether the operating system shuts itself down (`osshutdown`), instead of the hypervisor (`shutdown`).
    pub by_os: bool,
    /// `immediate=true`: without waiting for applications, or for the operating system.
    pub immediate: bool,
    /// `restart=true`, and `operation=dumprestart`.
    pub restart: bool,
}

impl PowerOff {
    fn read(job: &Job) -> Result<Self, String> {
        let (by_os, dump) = match job.parameter("operation").unwrap_or("shutdown").trim() {
            "shutdown" => (false, false),
            "osshutdown" => (true, false),
            "dumprestart" | "retrydump" => (false, true),
            other => {
                return Err(format!(
                    "HSCL0617 The operation {other} of PowerOff is not valid."
                ));
            }
        };
        Ok(Self {
            by_os,
            immediate: dump || job.is_set("immediate"),
            restart: dump || job.is_set("restart"),
        })
    }
}

impl World {
    pub(super) fn begin_power_on(&mut self, now: Millis, job: &Job) {
        let Some((owner, partition)) = self.target(now, job) else {
            return;
        };
        if partition.state != PartitionState::NotActivated {
            // What a console said to a profile that was to be activated (recording `job_response_completed_failed`).
            let code = match job.operation.as_str() {
                "ActivateCurrentProfile" => "HSCL05DF",
                _ => self.code("HSCL3681", "PVME01042026"),
            };
            let text = format!(
                "{code} Partition {} cannot be activated: it is {}, not not activated.",
                partition.name, partition.state
            );
            return self.refuse_job(now, job.id, text);
        }
        let boot_mode = match job.parameter("bootmode").map(str::trim) {
            None | Some("norm") => BootMode::Normal,
            Some("sms") => BootMode::SystemManagementServices,
            Some("of") => BootMode::OpenFirmware,
            Some("dd") => BootMode::DiagnosticDefault,
            Some("ds") => BootMode::DiagnosticStored,
            Some("pbl") => BootMode::Petitboot,
            Some(other) => {
                return self.refuse_job(
                    now,
                    job.id,
                    format!("HSCL0617 The boot mode {other} is not valid."),
                );
            }
        };
        let keylock = match job.parameter("keylock").map(str::trim) {
            Some("norm" | "normal") => Some(Keylock::Normal),
            Some("manual") => Some(Keylock::Manual),
            _ => None,
        };
        let partition = match self.with_profile(owner, &partition, job) {
            Ok(partition) => partition,
            Err(why) => return self.refuse_job(now, job.id, why),
        };
        self.edit_partition(owner, |partition| {
            partition.settings.boot_mode = boot_mode;
            partition.settings.keylock = keylock.unwrap_or(partition.settings.keylock);
            partition.settings.pending_boot_string = None;
        });
        self.activate(now, owner, &partition, job.id);
        self.plan_eject(now, job, &partition);
    }

    pub(super) fn begin_power_off(&mut self, now: Millis, job: &Job) {
        let Some((owner, partition)) = self.target(now, job) else {
            return;
        };
        let request = match PowerOff::read(job) {
            Ok(request) => request,
            Err(why) => return self.refuse_job(now, job.id, why),
        };
        if partition.is_management {
            return self.refuse_job(
                now,
                job.id,
                "HSCL05DF The management partition cannot be powered off from here.",
            );
        }
        if partition.state == PartitionState::NotActivated {
            let code = self.code("HSCL1558", "PVME04000005");
            let text = format!(
                "{code} Partition {} is already powered off.",
                partition.name
            );
            return self.refuse_job(now, job.id, text);
        }
        if partition.is_in_hand() && partition.state != PartitionState::Suspended {
            let text = format!(
                "HSCL05DF Partition {} is {}: the operation cannot be performed in this state.",
                partition.name, partition.state
            );
            return self.refuse_job(now, job.id, text);
        }
        // IBM i is asked by the hypervisor itself; pypowervm asks for it without looking at RMC.
        let hears = partition.kind == PartitionKind::IbmI
            || partition.rmc.is_up() && partition.capabilities.os_shutdown;
        let os_can = partition.state == PartitionState::Running && hears;
        if request.by_os && !os_can {
            let code = self.code("HSCL0DB4", "PVME01050905");
            let text = format!(
                "{code} Partition {} has no operating system with an active RMC connection to shut it down.",
                partition.name
            );
            return self.refuse_job(now, job.id, text);
        }
        let down_already = matches!(
            partition.state,
            PartitionState::ShuttingDown | PartitionState::Starting
        );
        if down_already && !request.immediate {
            let text = format!(
                "HSCL05DF Partition {} is {}: the operation cannot be performed in this state.",
                partition.name, partition.state
            );
            return self.refuse_job(now, job.id, text);
        }
        let at_once =
            request.immediate && !request.by_os || partition.state != PartitionState::Running;
        let span = match (at_once, request.by_os) {
            (true, _) => self.pace.power_off_immediate,
            (false, false) => self.pace.power_off,
            (false, true) => self.pace.os_shutdown,
        };
        self.edit_partition(owner, |partition| {
            partition.activation += 1;
            partition.state = PartitionState::ShuttingDown;
            partition.rmc = lost(partition.rmc);
            partition.capabilities = PartitionCapabilities::default();
        });
        self.announce_partition(now, owner, "PartitionState,Other");
        let activation = self
            .partition(owner)
            .map_or(0, |partition| partition.activation);
        let wait = span.draw(&mut self.ids);
        self.agenda.plan(
            now.plus(wait),
            Effect::Stopped {
                owner,
                activation,
                job: job.id,
                request,
            },
        );
    }

    pub(in crate::model) fn stopped(
        &mut self,
        now: Millis,
        owner: Owner,
        activation: u64,
        job: u64,
        request: PowerOff,
    ) {
        let done = End::Ok(vec![("result".to_owned(), String::new())]);
        if !self.is_current(owner, activation) {
            // A harder power-off took over; what this one was to bring about has come or is coming about.
            return self.finish_job(now, job, &done.into());
        }
        let partition = self.partition(owner).cloned();
        if request.restart
            && partition
                .as_ref()
                .is_some_and(|partition| partition.memory.active)
        {
            return self.start_up(now, owner, job);
        }
        self.edit_partition(owner, |partition| {
            partition.state = PartitionState::NotActivated;
            partition.reference_code = Partition::OFF_CODE.to_owned();
            partition.started = None;
            partition.progress = None;
            partition.rmc = lost(partition.rmc);
            partition.follow_configuration();
        });
        self.announce_partition(now, owner, "PartitionState,ReferenceCode,Other");
        match partition {
            // A restart after a start that failed for want of resources has to find them first.
            Some(partition) if request.restart => self.activate(now, owner, &partition, job),
            Some(partition) => {
                self.touch_system(now, partition.system);
                self.finish_job(now, job, &done.into());
            }
            None => self.finish_job(now, job, &done.into()),
        }
    }

    /// `remove_optical_name` and `remove_optical_time`: a medium that is to be unloaded some seconds after the start.
    fn plan_eject(&mut self, now: Millis, job: &Job, partition: &Arc<Partition>) {
        let Some(name) = job
            .parameter("remove_optical_name")
            .map(str::trim)
            .filter(|name| !name.is_empty())
        else {
            return;
        };
        let seconds = job
            .parameter("remove_optical_time")
            .and_then(|text| text.trim().parse().ok())
            .unwrap_or(0_u64);
        let at = now.plus(seconds.saturating_mul(1000));
        self.agenda.plan(
            at,
            Effect::EjectMedium {
                partition: partition.uuid,
                name: name.to_owned(),
            },
        );
    }

    /// The partition as it is to be activated: as the profile says that the job names, if it names one.
    fn with_profile(
        &mut self,
        owner: Owner,
        partition: &Arc<Partition>,
        job: &Job,
    ) -> Result<Arc<Partition>, String> {
        let Some(name) = job
            .parameter("LogicalPartitionProfile")
            .map(str::trim)
            .filter(|name| !name.is_empty())
        else {
            return Ok(Arc::clone(partition));
        };
        let named = |profile: &&Arc<Profile>| {
            profile.name == name || profile.uuid.to_string().eq_ignore_ascii_case(name)
        };
        let profile = partition.profiles.iter().find(named).map(Arc::clone);
        let profile =
            profile.ok_or_else(|| format!("HSCL800F The profile {name} was not found."))?;
        self.apply_profile(owner, partition, &profile)
            .map_err(|refusal| refusal.message)?;
        let configured = self.partition(owner).cloned().map(Arc::new);
        Ok(configured.unwrap_or_else(|| Arc::clone(partition)))
    }

    /// The partition that a job works on; a job whose partition has gone fails.
    fn target(&mut self, now: Millis, job: &Job) -> Option<(Owner, Arc<Partition>)> {
        let owner = job.target.owner()?;
        let partition = self.partition(owner).cloned().map(Arc::new);
        if partition.is_none() {
            self.refuse_job(
                now,
                job.id,
                "HSCL8012 The partition was not found on the managed system.",
            );
        }
        partition.map(|partition| (owner, partition))
    }

    const fn code(&self, hmc: &'static str, novalink: &'static str) -> &'static str {
        match self.flavor {
            Flavor::Hmc => hmc,
            Flavor::NovaLink => novalink,
        }
    }
}

const fn lost(rmc: RmcState) -> RmcState {
    match rmc {
        RmcState::None => RmcState::None,
        _ => RmcState::Inactive,
    }
}
