//! Volumes for tests: made on the simulator's storage and shown to its host.
use std::ops::Range;
use std::time::Duration;

use powervm_driver::operations::{Control, VolumeRequest, VolumesReport};
use powervm_driver::partition::PartitionUuid;
use powervm_driver::volume::Connection;
use powervm_harness::audit::Inventory;
pub(crate) use powervm_harness::audit::ItemKind;
use powervm_harness::storage::{Protocol, Storage};
use serde_json::Value;
use uuid::Uuid;

use crate::support::{Bench, instance, request};

/// Volumes that the host may use.
pub(crate) struct San {
    pub(crate) storage: Storage,
    pub(crate) ids: Vec<String>,
    pub(crate) connections: Vec<Connection>,
    pub(crate) chap: bool,
}

impl San {
    pub(crate) async fn new(bench: &Bench, count: usize, protocol: Protocol) -> Self {
        Self::with(bench, count, protocol, false).await
    }

    pub(crate) async fn with(bench: &Bench, count: usize, protocol: Protocol, chap: bool) -> Self {
        let mut san = Self {
            storage: Storage::of(&bench.simulator),
            ids: Vec::new(),
            connections: Vec::new(),
            chap,
        };
        for number in 0..count {
            let name = format!("volume-{number}");
            san.ids
                .push(san.storage.create(&name, 1, protocol).await.unwrap());
            let shown = san.show(bench, number).await;
            san.connections.push(shown);
        }
        san
    }

    /// Lets the host use the volume of this number, as Nova and Cinder agree on it.
    pub(crate) async fn show(&self, bench: &Bench, number: usize) -> Connection {
        let told = bench
            .driver
            .volume_connector(instance(1), Default::default())
            .await
            .unwrap();
        let connector = serde_json::to_value(&told.connector).unwrap();
        self.show_to(number, &connector).await
    }

    pub(crate) async fn show_to(&self, number: usize, connector: &Value) -> Connection {
        let info = self
            .storage
            .map(&self.ids[number], connector, self.chap)
            .await
            .unwrap();
        Connection::parse(&info).unwrap()
    }

    pub(crate) fn request(&self, which: Range<usize>) -> VolumeRequest {
        VolumeRequest {
            server: instance(1).into(),
            volumes: self.connections[which].to_vec(),
            metadata: Default::default(),
        }
    }

    pub(crate) async fn attach(
        &self,
        bench: &Bench,
        which: Range<usize>,
    ) -> powervm_driver::Result<VolumesReport> {
        bench
            .driver
            .attach_volumes(self.request(which), &Control::default())
            .await
    }

    pub(crate) async fn detach(
        &self,
        bench: &Bench,
        which: Range<usize>,
    ) -> powervm_driver::Result<VolumesReport> {
        bench
            .driver
            .detach_volumes(self.request(which), &Control::default())
            .await
    }
}

/// A server that is off, or one that runs and can be told of new devices.
pub(crate) async fn ready(bench: &Bench, is_off: bool) {
    let mut request = request(1);
    request.power_on = !is_off;
    bench
        .driver
        .spawn(request, &Control::default())
        .await
        .unwrap();
    if !is_off {
        tokio::time::sleep(Duration::from_secs(3600)).await;
    }
}

pub(crate) fn partition(number: u32) -> PartitionUuid {
    PartitionUuid::of_instance(instance(number))
}

/// How many things of a kind there are more than before.
pub(crate) fn count(now: &Inventory, before: &Inventory, kind: ItemKind) -> usize {
    let of = |inventory: &Inventory| {
        inventory
            .items
            .iter()
            .filter(|item| item.kind == kind)
            .count()
    };
    of(now) - of(before)
}

/// Lets the server adapters of a partition lose their client.
pub(crate) fn strand(bench: &Bench, instance: Uuid) {
    let client = PartitionUuid::of_instance(instance).as_uuid();
    let world = bench.simulator.world();
    for vios in world.vioses.values() {
        let served = |bus: &powervm_simulator::model::vios::ScsiBus| {
            bus.client
                .as_ref()
                .is_some_and(|own| own.partition == client)
        };
        for (slot, _) in vios.buses.iter().filter(|(_, bus)| served(bus)) {
            let command = powervm_simulator::model::Command::StrandAdapter {
                vios: vios.partition.uuid,
                slot: *slot,
                any: false,
            };
            bench.simulator.apply(command).unwrap();
        }
    }
}

/// The size of a disk on the first server that has one of the name, in MB.
pub(crate) fn size_of(bench: &Bench, disk: &str) -> u64 {
    let world = bench.simulator.world();
    let found = world
        .vioses
        .values()
        .find_map(|vios| vios.physical_volume(disk).cloned());
    found.unwrap().megabytes
}
