//! Partition mobility between two systems.

mod conditions;
mod course;
mod journey;
mod network;
mod storage;

use powervm_simulator::clock::Millis;
use powervm_simulator::inventory::{Inventory, Sizes};
use powervm_simulator::model::command::*;
use powervm_simulator::model::events::EventData;
use powervm_simulator::model::job::JobTarget;
use powervm_simulator::model::listing::Item;
use powervm_simulator::model::migration::Phase;
use powervm_simulator::model::names::*;
use powervm_simulator::model::partition::{Partition, PartitionSettings};
use powervm_simulator::model::{Command, Flavor, Outcome, Owner, Pace, Resource};
use uuid::Uuid;

use super::support::{self, Room, hdisk, lu, mapping};

const HARD: [(&str, &str); 2] = [("operation", "shutdown"), ("immediate", "true")];

/// Two systems whose servers see the same storage.
pub(crate) struct Pair {
    pub(crate) room: Room,
    pub(crate) source: Uuid,
    pub(crate) target: Uuid,
}

impl Pair {
    /// With an HMC that manages both.
    pub(crate) fn new() -> Self {
        Self::of(Flavor::Hmc)
    }

    /// With a NovaLink on each.
    pub(crate) fn novalinks() -> Self {
        Self::of(Flavor::NovaLink)
    }

    fn of(flavor: Flavor) -> Self {
        let sizes = Sizes {
            systems: 2,
            ..Sizes::default()
        };
        let inventory = Inventory::sized(flavor, sizes).with_shared_storage();
        let mut room = Room::new(flavor);
        room.world = inventory.world(flavor, 7, Millis::EPOCH).unwrap();
        let named = |name: &str| {
            let systems = room.world.systems.values();
            systems
                .into_iter()
                .find(|system| system.name == name)
                .unwrap()
                .uuid
        };
        let (source, target) = (named("neo"), named("neo2"));
        Self {
            room,
            source,
            target,
        }
    }

    /// The source's public key becomes one of the target's authorised keys.
    pub(crate) fn trust(&mut self) {
        let key = self
            .room
            .world
            .console_of(self.source)
            .public_ssh_key
            .clone();
        self.room.done(Command::UpdateConsole {
            console: self.room.world.console_of(self.target).uuid,
            authorized_keys: vec![key.unwrap()],
        });
    }

    pub(crate) fn server(&self, system: Uuid, number: usize) -> Uuid {
        let servers = self.room.world.vioses_of(system);
        let mut servers: Vec<_> = servers
            .map(|vios| (vios.partition.id, vios.partition.uuid))
            .collect();
        servers.sort_unstable();
        servers[number].1
    }

    pub(crate) fn partition(&mut self, name: &str) -> Uuid {
        let mut create = self.room.create(name);
        create.system = self.source;
        match self.room.done(Command::CreatePartition(Box::new(create))) {
            Outcome::Written(Resource::LogicalPartition(uuid)) => uuid,
            other => panic!("{other:?}"),
        }
    }

    /// A partition with a mapped disk with something on it, on both servers, and an interface on VLAN 1.
    pub(crate) fn bootable(&mut self, name: &str) -> Uuid {
        let partition = self.partition(name);
        let unit = self.room.unit(&format!("boot_{name}"), 10, None);
        let udid = self.room.unit_udid(unit);
        self.room
            .upload(
                FileKind::BrokeredDiskImage,
                "image",
                Some(udid.clone()),
                1 << 20,
            )
            .unwrap();
        for number in 0..2 {
            let server = self.server(self.source, number);
            self.map(server, mapping(partition, lu(&udid)));
        }
        self.room
            .plug(Owner::Partition(partition), |create| create.vlan = 1)
            .unwrap();
        partition
    }

    pub(crate) fn running(&mut self, name: &str) -> Uuid {
        let partition = self.bootable(name);
        self.room.power(partition, "PowerOn", &[]);
        self.room.wait(1_000);
        assert!(self.room.partition(partition).rmc.is_up());
        partition
    }

    pub(crate) fn set(&mut self, partition: Uuid, change: impl FnOnce(&mut PartitionSettings)) {
        let mut update = UpdatePartition::of(Owner::Partition(partition));
        let mut settings = self.room.partition(partition).settings.clone();
        change(&mut settings);
        update.settings = Some(settings);
        self.room.update(update).unwrap();
    }

    pub(crate) fn map(&mut self, server: Uuid, added: ScsiMapping) {
        let mut mappings = self.room.world.posted_mappings(server);
        mappings.push(added);
        self.room.done(Command::UpdateVios(Box::new(UpdateVios {
            vios: server,
            base: None,
            scsi_mappings: Some(mappings),
            fc_mappings: None,
        })));
    }

    pub(crate) fn migrate(&mut self, partition: Uuid, parameters: &[(&str, &str)]) -> u64 {
        self.job(partition, "Migrate", parameters)
    }

    pub(crate) fn job(
        &mut self,
        partition: Uuid,
        operation: &str,
        parameters: &[(&str, &str)],
    ) -> u64 {
        let target = [("TargetManagedSystemName", "neo2")];
        let all: Vec<_> = target.iter().chain(parameters).copied().collect();
        self.room.power(partition, operation, &all)
    }

    /// Everything but jobs.
    fn things(&self) -> Vec<Item> {
        let mut items = self.room.world.listing();
        items.retain(|item| item.kind != "job");
        items
    }

    /// What `MigrateValidate` says against a migration; a `Migrate` says the same.
    #[track_caller]
    fn refused(&mut self, partition: Uuid, parameters: &[(&str, &str)]) -> String {
        let before = self.things();
        let validated = self.job(partition, "MigrateValidate", parameters);
        let text = self.room.failure(validated).to_owned();
        let migrated = self.migrate(partition, parameters);
        assert_eq!(self.room.failure(migrated), text);
        assert!(
            self.things() == before,
            "a refused migration changed something"
        );
        text
    }
}

fn typical(pair: &mut Pair) {
    pair.room.world.pace = Pace::typical();
}
