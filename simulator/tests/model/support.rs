//! A world to work on, and the commands of ordinary clients in short form.

use powervm_simulator::clock::Millis;
use powervm_simulator::inventory::Inventory;
use powervm_simulator::model::command::*;
use powervm_simulator::model::job::{Job, JobTarget};
use powervm_simulator::model::names::*;
use powervm_simulator::model::partition::{Partition, PartitionSettings};
use powervm_simulator::model::storage::{Content, StorageOptions};
use powervm_simulator::model::vios::VirtualIoServer;
use powervm_simulator::model::{Command, Flavor, Outcome, Owner, Pace, Refusal, Resource, World};
use std::collections::BTreeMap;
use std::sync::Arc;
use uuid::Uuid;

pub(crate) use super::requests::*;

/// A world with its clock. Every command is followed by a check of all invariants, and a refused one must leave the
/// world as it was.
pub(crate) struct Room {
    pub(crate) world: World,
    pub(crate) now: Millis,
}

impl Room {
    pub(crate) fn new(flavor: Flavor) -> Self {
        Self {
            world: Inventory::default_for(flavor)
                .world(flavor, 7, Millis::EPOCH)
                .unwrap(),
            now: Millis::EPOCH,
        }
    }

    pub(crate) fn novalink() -> Self {
        Self::new(Flavor::NovaLink)
    }

    pub(crate) fn typical(flavor: Flavor) -> Self {
        let mut room = Self::new(flavor);
        room.world.pace = Pace::typical();
        room
    }

    pub(crate) fn apply(&mut self, command: Command) -> Result<Outcome, Refusal> {
        self.world.advance(self.now);
        let before = self.world.clone();
        let result = self.world.apply(self.now, command);
        assert_eq!(self.world.violations(), [], "after {result:?}");
        if result.is_err() {
            assert!(self.world == before, "a refused command changed the world");
        }
        result
    }

    #[track_caller]
    pub(crate) fn done(&mut self, command: Command) -> Outcome {
        self.apply(command).unwrap()
    }

    /// The message of the refusal.
    #[track_caller]
    pub(crate) fn refused(&mut self, command: Command) -> String {
        let refusal = self.apply(command).unwrap_err();
        assert!((400..600).contains(&refusal.status));
        refusal.message
    }

    pub(crate) fn wait(&mut self, milliseconds: u64) {
        self.now = self.now.plus(milliseconds);
        self.world.advance(self.now);
        assert_eq!(self.world.violations(), []);
    }

    pub(crate) fn system(&self) -> Uuid {
        *self.world.systems.keys().next().unwrap()
    }

    /// The Virtual I/O Servers in the order of their ids.
    pub(crate) fn vioses(&self) -> Vec<Uuid> {
        let mut all: Vec<(u16, Uuid)> = self
            .world
            .vioses
            .values()
            .map(|vios| (vios.partition.id, vios.partition.uuid))
            .collect();
        all.sort_unstable();
        all.into_iter().map(|(_, uuid)| uuid).collect()
    }

    pub(crate) fn vios(&self, number: usize) -> &Arc<VirtualIoServer> {
        &self.world.vioses[&self.vioses()[number]]
    }

    pub(crate) fn tier(&self) -> Uuid {
        *self.world.tiers.keys().next().unwrap()
    }

    pub(crate) fn partition(&self, uuid: Uuid) -> &Partition {
        &self.world.partitions[&uuid]
    }

    pub(crate) fn create(&self, name: &str) -> CreatePartition {
        CreatePartition {
            system: self.system(),
            uuid: None,
            id: None,
            name: name.to_owned(),
            description: None,
            kind: PartitionKind::AixLinux,
            memory: MemoryRequest {
                minimum: Some(1024),
                desired: Some(2048),
                maximum: Some(4096),
                ..MemoryRequest::default()
            },
            processors: Some(shared(10, 1)),
            maximum_slots: None,
            settings: PartitionSettings::default(),
            nvram: None,
            serial_number: None,
            io_slots: None,
        }
    }

    #[track_caller]
    pub(crate) fn partition_named(&mut self, name: &str) -> Uuid {
        self.partition_of(name, PartitionKind::AixLinux)
    }

    #[track_caller]
    fn partition_of(&mut self, name: &str, kind: PartitionKind) -> Uuid {
        let create = CreatePartition {
            kind,
            ..self.create(name)
        };
        match self.done(Command::CreatePartition(Box::new(create))) {
            Outcome::Written(Resource::LogicalPartition(uuid)) => uuid,
            other => panic!("{other:?}"),
        }
    }

    #[track_caller]
    pub(crate) fn unit(&mut self, name: &str, gigabytes: u64, cloned_from: Option<String>) -> Uuid {
        let create = unit(self.tier(), name, gigabytes, cloned_from);
        match self.done(Command::CreateLogicalUnit(create)) {
            Outcome::Written(Resource::LogicalUnit { unit, .. }) => unit,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn unit_udid(&self, unit: Uuid) -> String {
        self.world
            .logical_unit(self.tier(), unit)
            .unwrap()
            .udid
            .clone()
    }

    /// Posts the mappings of a server back with these added.
    pub(crate) fn map(
        &mut self,
        number: usize,
        added: Vec<ScsiMapping>,
    ) -> Result<Outcome, Refusal> {
        let vios = self.vioses()[number];
        let mut mappings = self.world.posted_mappings(vios);
        mappings.extend(added);
        self.post_mappings(number, mappings)
    }

    pub(crate) fn post_mappings(
        &mut self,
        number: usize,
        mappings: Vec<ScsiMapping>,
    ) -> Result<Outcome, Refusal> {
        let vios = self.vioses()[number];
        self.apply(Command::UpdateVios(Box::new(UpdateVios {
            vios,
            base: None,
            scsi_mappings: Some(mappings),
            fc_mappings: None,
        })))
    }

    /// Posts the virtual Fibre Channel mappings of a server back with these added.
    pub(crate) fn map_fc(
        &mut self,
        number: usize,
        added: Vec<FcMappingRequest>,
    ) -> Result<Outcome, Refusal> {
        let vios = self.vioses()[number];
        let mut mappings = self.world.posted_fc_mappings(vios);
        mappings.extend(added);
        self.post_fc_mappings(number, mappings)
    }

    pub(crate) fn post_fc_mappings(
        &mut self,
        number: usize,
        mappings: Vec<FcMappingRequest>,
    ) -> Result<Outcome, Refusal> {
        let vios = self.vioses()[number];
        self.apply(Command::UpdateVios(Box::new(UpdateVios {
            vios,
            base: None,
            scsi_mappings: None,
            fc_mappings: Some(mappings),
        })))
    }

    /// A job of a Virtual I/O Server, and what came of it by name.
    #[track_caller]
    pub(crate) fn server_job(
        &mut self,
        number: usize,
        operation: &str,
        parameters: &[(&str, &str)],
    ) -> BTreeMap<String, String> {
        let target = JobTarget::VirtualIoServer(self.vioses()[number]);
        let job = self.submit(target, operation, parameters);
        let job = self.job(job);
        assert!(job.status.is_final(), "{job:?}");
        let status = ("status".to_owned(), job.status.to_string());
        let exception = job
            .exception
            .clone()
            .map(|text| ("exception".to_owned(), text));
        let all = job.results.iter().cloned().chain([status]).chain(exception);
        all.collect()
    }

    /// A partition that will boot: with a mapped logical unit that holds something.
    #[track_caller]
    pub(crate) fn bootable(&mut self, name: &str) -> Uuid {
        self.bootable_of(name, PartitionKind::AixLinux)
    }

    #[track_caller]
    pub(crate) fn bootable_of(&mut self, name: &str, kind: PartitionKind) -> Uuid {
        let partition = self.partition_of(name, kind);
        let unit = self.unit(&format!("boot_{name}"), 10, None);
        let udid = self.unit_udid(unit);
        self.upload(
            FileKind::BrokeredDiskImage,
            "image",
            Some(udid.clone()),
            1 << 20,
        )
        .unwrap();
        self.map(0, vec![mapping(partition, lu(&udid))]).unwrap();
        partition
    }

    pub(crate) fn upload(
        &mut self,
        kind: FileKind,
        name: &str,
        device: Option<String>,
        bytes: u64,
    ) -> Result<Outcome, Refusal> {
        let create = CreateFile {
            name: name.to_owned(),
            media_type: None,
            kind,
            vios: self.vioses()[0],
            device,
            expected_bytes: Some(bytes),
            expected_sha256: None,
        };
        let Outcome::Written(Resource::File(file)) = self.apply(Command::CreateFile(create))?
        else {
            panic!("no file")
        };
        let content = Content {
            bytes,
            sha256: [bytes.to_le_bytes()[0]; 32],
        };
        let outcome = self.apply(Command::CommitFile { file, content });
        self.done(Command::DeleteFile(file));
        outcome
    }

    #[track_caller]
    pub(crate) fn submit(
        &mut self,
        target: JobTarget,
        operation: &str,
        parameters: &[(&str, &str)],
    ) -> u64 {
        let parameters = parameters
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let submit = SubmitJob {
            target,
            operation: operation.to_owned(),
            parameters,
        };
        match self.done(Command::SubmitJob(submit)) {
            Outcome::Written(Resource::Job(job)) => job,
            other => panic!("{other:?}"),
        }
    }

    #[track_caller]
    pub(crate) fn power(
        &mut self,
        partition: Uuid,
        operation: &str,
        parameters: &[(&str, &str)],
    ) -> u64 {
        self.submit(
            JobTarget::LogicalPartition(partition),
            operation,
            parameters,
        )
    }

    pub(crate) fn job(&self, job: u64) -> &Job {
        &self.world.jobs[&job]
    }

    /// The text of a failed job's `result`.
    #[track_caller]
    pub(crate) fn failure(&self, job: u64) -> &str {
        let job = self.job(job);
        assert_eq!(job.status, JobStatus::CompletedWithError, "{job:?}");
        &job.results
            .iter()
            .find(|(name, _)| name == "result")
            .unwrap()
            .1
    }

    #[track_caller]
    pub(crate) fn succeeded(&self, job: u64) {
        assert_eq!(
            self.job(job).status,
            JobStatus::CompletedOk,
            "{:?}",
            self.job(job)
        );
    }

    pub(crate) fn update(&mut self, update: UpdatePartition) -> Result<Outcome, Refusal> {
        self.apply(Command::UpdatePartition(Box::new(update)))
    }

    pub(crate) fn plug(
        &mut self,
        owner: Owner,
        change: impl FnOnce(&mut CreateNetworkAdapter),
    ) -> Result<Uuid, Refusal> {
        let mut create = adapter(owner);
        change(&mut create);
        match self.apply(Command::CreateNetworkAdapter(create))? {
            Outcome::Written(Resource::ClientNetworkAdapter { adapter, .. }) => Ok(adapter),
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn update_group(
        &mut self,
        number: usize,
        name: &str,
        change: impl FnOnce(&mut UpdateVolumeGroup),
    ) -> Result<Outcome, Refusal> {
        let mut update = self.group_as_posted(number, name);
        change(&mut update);
        self.apply(Command::UpdateVolumeGroup(update))
    }

    /// A volume group as a client would post it back unchanged.
    pub(crate) fn group_as_posted(&self, number: usize, name: &str) -> UpdateVolumeGroup {
        let vios = self.vios(number);
        let group = vios
            .volume_groups
            .iter()
            .find(|group| group.name == name)
            .unwrap();
        let disks = group.disks.values().map(|disk| DiskRequest {
            udid: Some(disk.udid.clone()),
            name: disk.name.clone(),
            label: Some(disk.label.clone()),
            capacity: disk.capacity,
            base_image: None,
            kind: Some(disk.kind),
            file_format: disk.file_format.clone(),
            options: StorageOptions::default(),
        });
        let repositories = group.repository.iter().map(|repository| RepositoryRequest {
            name: repository.name.clone(),
            size: repository.size,
            media: repository
                .media
                .values()
                .map(|medium| MediumRequest {
                    name: medium.name.clone(),
                    mount: Some(medium.mount),
                    size: Some(medium.size),
                })
                .collect(),
        });
        UpdateVolumeGroup {
            vios: vios.partition.uuid,
            group: group.uuid,
            disks: Some(disks.collect()),
            repositories: Some(repositories.collect()),
            physical_volumes: Some(group.physical_volumes.clone()),
        }
    }
}
