//! Virtual I/O Servers that come and go, and physical slots that change hands.

use powervm_simulator::model::command::{CreatePartition, IoSlotName, UpdatePartition};
use powervm_simulator::model::job::JobTarget;
use powervm_simulator::model::names::{PartitionState, SriovMode};
use powervm_simulator::model::{Command, Flavor, Outcome, Owner, Refusal, Resource};
use uuid::Uuid;

use super::support::Room;

const FLAVORS: [Flavor; 2] = [Flavor::Hmc, Flavor::NovaLink];

fn slot(index: u32) -> IoSlotName {
    IoSlotName {
        index: Some(index),
        name: None,
    }
}

impl Room {
    fn new_server(&mut self, create: CreatePartition) -> Result<Uuid, Refusal> {
        match self.apply(Command::CreateVios(Box::new(create)))? {
            Outcome::Written(Resource::VirtualIoServer(uuid)) => Ok(uuid),
            other => panic!("{other:?}"),
        }
    }

    /// The slots by index and owner.
    fn slots(&self) -> Vec<(u32, Option<Uuid>)> {
        let system = &self.world.systems[&self.system()];
        system
            .io_slots
            .iter()
            .map(|slot| (slot.drc_index, slot.owner))
            .collect()
    }

    /// A slot that nobody has and no logical ports are cut from.
    fn free_slot(&self) -> u32 {
        let system = &self.world.systems[&self.system()];
        let shared = |index: u32| {
            let mut adapters = system.sriov_adapters.iter();
            adapters.any(|adapter| adapter.drc_index == index && adapter.mode == SriovMode::Sriov)
        };
        let mut free = self.slots().into_iter();
        free.find(|(index, owner)| owner.is_none() && !shared(*index))
            .unwrap()
            .0
    }

    fn give(&mut self, owner: Owner, slots: Vec<IoSlotName>) -> Result<Outcome, Refusal> {
        self.update(UpdatePartition {
            io_slots: Some(slots),
            ..UpdatePartition::of(owner)
        })
    }
}

#[test]
fn a_server_is_made_by_the_rules_of_partitions_and_stays_in_its_firmware() {
    for flavor in FLAVORS {
        let mut room = Room::typical(flavor);
        let number = room.world.vioses.len();
        let uuid = room.new_server(room.create("vios_new")).unwrap();
        let server = &room.world.vioses[&uuid];
        assert_eq!(room.world.vioses.len(), number + 1);
        assert_eq!(server.partition.state, PartitionState::NotActivated);
        assert_eq!(server.partition.os_version, "VIOS ");
        assert_eq!(
            server.partition.profiles.len(),
            usize::from(flavor == Flavor::Hmc)
        );
        let twice = room.new_server(room.create("vios_new")).unwrap_err();
        assert!(twice.message.contains("HSCL05DE"), "{twice}");
        let job = room.submit(JobTarget::VirtualIoServer(uuid), "PowerOn", &[]);
        room.wait(60_000);
        room.succeeded(job);
        let server = &room.world.vioses[&uuid].partition;
        assert_eq!(server.state, PartitionState::OpenFirmware);
        assert!(!server.rmc.is_up());
        let refused = room.refused(Command::DeleteVios(uuid));
        assert!(refused.contains("HSCL05DF"), "{refused}");
        room.submit(
            JobTarget::VirtualIoServer(uuid),
            "PowerOff",
            &[("operation", "shutdown"), ("immediate", "true")],
        );
        room.wait(60_000);
        room.done(Command::DeleteVios(uuid));
        assert_eq!(room.world.vioses.len(), number);
    }
}

#[test]
fn a_server_on_which_others_depend_stays() {
    let mut room = Room::typical(Flavor::Hmc);
    let uuid = room.vioses()[0];
    room.submit(
        JobTarget::VirtualIoServer(uuid),
        "PowerOff",
        &[("operation", "shutdown"), ("immediate", "true")],
    );
    room.wait(120_000);
    let refused = room.refused(Command::DeleteVios(uuid));
    assert!(refused.contains("it serves cluster"), "{refused}");
}

#[test]
fn slots_go_to_partitions_and_come_back() {
    for flavor in FLAVORS {
        let mut room = Room::new(flavor);
        let free = room.free_slot();
        let create = CreatePartition {
            io_slots: Some(vec![slot(free)]),
            ..room.create("with_slot")
        };
        let made = room.done(Command::CreatePartition(Box::new(create)));
        let Outcome::Written(Resource::LogicalPartition(first)) = made else {
            panic!("{made:?}")
        };
        assert!(room.slots().contains(&(free, Some(first))));
        let second = room.partition_named("without");
        let taken = room.give(Owner::Partition(second), vec![slot(free)]);
        let taken = taken.unwrap_err().message;
        assert!(taken.contains("belongs to partition with_slot"), "{taken}");
        let unknown = room.give(Owner::Partition(second), vec![slot(1)]);
        assert!(unknown.unwrap_err().message.contains("HSCL0617"));
        let version = room.partition(first).version;
        room.give(Owner::Partition(first), vec![slot(free)])
            .unwrap();
        assert_eq!(room.partition(first).version, version, "nothing changed");
        room.give(Owner::Partition(first), Vec::new()).unwrap();
        assert!(room.slots().contains(&(free, None)));
        let system = &room.world.systems[&room.system()];
        let place = system.io_slots.iter().find(|slot| slot.drc_index == free);
        let named = IoSlotName {
            index: None,
            name: Some(place.unwrap().location_code()),
        };
        room.give(Owner::Partition(second), vec![named]).unwrap();
        assert!(room.slots().contains(&(free, Some(second))));
        room.done(Command::DeletePartition {
            partition: second,
            reset_serial_number: false,
        });
        assert!(
            room.slots().contains(&(free, None)),
            "released with its owner"
        );
    }
}

#[test]
fn a_server_keeps_the_adapters_that_it_drives() {
    let mut room = Room::new(Flavor::Hmc);
    let uuid = room.vioses()[0];
    let own: Vec<u32> = room
        .slots()
        .into_iter()
        .filter(|(_, owner)| *owner == Some(uuid))
        .map(|(index, _)| index)
        .collect();
    assert!(!own.is_empty());
    let refused = room.give(Owner::Vios(uuid), Vec::new()).unwrap_err();
    assert!(refused.message.contains("HSCL2929"), "{refused}");
    let mut more: Vec<IoSlotName> = own.into_iter().map(slot).collect();
    more.push(slot(room.free_slot()));
    room.give(Owner::Vios(uuid), more).unwrap();
}

#[test]
fn a_running_partition_without_rmc_gets_no_slot() {
    let mut room = Room::typical(Flavor::NovaLink);
    let client = room.bootable("one");
    room.power(client, "PowerOn", &[]);
    room.wait(10_000);
    let free = room.free_slot();
    let refused = room.give(Owner::Partition(client), vec![slot(free)]);
    assert!(refused.unwrap_err().message.contains("HSCL2957"));
    room.wait(900_000);
    room.give(Owner::Partition(client), vec![slot(free)])
        .unwrap();
}
