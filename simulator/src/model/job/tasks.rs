//! Jobs that are done as soon as they begin.

use super::Job;
use super::catalogue::Operation;
use super::lifecycle::End;
use crate::clock::Millis;
use crate::model::partition::page_table;
use crate::model::resource::Owner;
use crate::model::world::World;
use uuid::Uuid;

impl World {
    pub(super) fn run_job(&mut self, now: Millis, operation: Operation, job: &Job) -> End {
        let done = || End::Ok(vec![("result".to_owned(), String::new())]);
        let uuid = job.target.uuid();
        match operation {
            Operation::PowerOn
            | Operation::ActivateCurrentProfile
            | Operation::PowerOff
            | Operation::MigrateValidate
            | Operation::MigrateRecover => done(),
            Operation::CloseVterm => {
                self.close_console(uuid);
                done()
            }
            Operation::RemoveDevice
            | Operation::ConfigDevice
            | Operation::GetFreePhysicalVolumes
            | Operation::RescanVirtualDisk
            | Operation::RbdExists => self.run_device_job(now, operation, job),
            Operation::LuaRecovery => self.recover(now, uuid, job.parameter("inputXML")),
            Operation::IscsiDiscovery => self.iscsi_discovery(now, uuid, job),
            Operation::IscsiRemove => self.iscsi_remove(now, uuid, job),
            Operation::GetNextWwpns => self.hand_out_wwpns(job),
            Operation::QueryReservedMemory => self.reserved_memory(job),
            Operation::CliRunner => self.run_cli(now, job.parameter("cmd").unwrap_or_default()),
            Operation::MigrateAbort => self.abort_migration(now, job),
            Operation::SuspendValidate => self.validate_suspend(job, false),
            Operation::ResumeValidate => self.validate_suspend(job, true),
            Operation::RequestMaster => self.request_control(now, job, "coManagementMasterStatus"),
            Operation::RequestController => {
                self.request_control(now, job, "coManagementControllerStatus")
            }
            Operation::ReleaseController => self.release_control(now, job),
            Operation::ModifySriovMode => self.modify_sriov_mode(now, job),
            Operation::PowerOnSystem => self.power_on_system(now, job),
            Operation::PowerOffSystem => self.power_off_system(now, job),
            Operation::CreateCluster
            | Operation::DeleteCluster
            | Operation::CreateLogicalUnit
            | Operation::DeleteLogicalUnit
            | Operation::GrowLogicalUnit
            | Operation::LinkedClone => self.run_cluster_job(now, operation, job),
            Operation::NetworkBootDevices => self.network_boot_devices(job),
            other => self.run_identity_job(now, other, job).unwrap_or_else(done),
        }
    }

    pub(super) fn close_console(&mut self, partition: Option<Uuid>) {
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
}
