//! Volumes and interfaces of servers: attached, used for a while, detached.

use powervm_driver::network::NetworkInterface;
use powervm_driver::operations::{Control, VolumeRequest};
use powervm_driver::volume::Connection;
use powervm_simulator::model::Owner;
use uuid::Uuid;

use super::hall::{Chance, Hall, Home};
use crate::storage::{Protocol, Storage};

/// How many minutes somebody waits for a server that has booted to take devices.
const PATIENCE: u32 = 60;

/// Waits until a server takes devices: until it is off, or has booted and its connection is there.
pub(super) async fn ready(hall: &Hall, server: Uuid) -> bool {
    for _ in 0..PATIENCE {
        let world = hall.simulator.world();
        let found = world.partition(Owner::Partition(server));
        if found.is_none_or(|partition| partition.accepts_adapter_changes()) {
            return true;
        }
        hall.pause(1).await;
    }
    false
}

/// A volume is made, attached, detached and deleted, as Nova and Cinder do it together.
pub(super) async fn volume(hall: &Hall, home: &Home, server: Uuid, chance: &mut Chance) {
    let storage = Storage::of(&hall.simulator);
    let name = format!("volume-{server}-{}", chance.between(0, u64::MAX));
    match storage.create(&name, 1, Protocol::FibreChannel).await {
        Err(error) => hall.unexpected(format!("creating a volume: {error}")),
        Ok(volume) => {
            visit(hall, home, server, &storage, &volume, chance).await;
            for ended in [storage.unmap(&volume).await, storage.delete(&volume).await] {
                if let Err(error) = ended {
                    hall.unexpected(format!("removing a volume: {error}"));
                }
            }
        }
    }
}

async fn visit(
    hall: &Hall,
    home: &Home,
    server: Uuid,
    storage: &Storage,
    volume: &str,
    chance: &mut Chance,
) {
    let (driver, control) = (&home.driver, Control::default());
    let told = driver.volume_connector(server, Default::default()).await;
    let Some(told) = hall.note("connector", told) else {
        return;
    };
    let connector = serde_json::to_value(&told.connector).unwrap_or_default();
    let shown = match storage.map(volume, &connector, false).await {
        Ok(shown) => shown,
        Err(error) => return hall.unexpected(format!("showing a volume: {error}")),
    };
    let mut connection = match Connection::parse(&shown) {
        Ok(connection) => connection,
        Err(error) => return hall.unexpected(format!("reading a connection: {error}")),
    };
    if !ready(hall, server).await {
        return;
    }
    let wanted = VolumeRequest::of(server, connection.clone());
    let attached = driver.attach_volumes(wanted, &control).await;
    let Some(attached) = hall.note("attach volume", attached) else {
        return;
    };
    let first = attached.volumes.into_iter().next();
    connection.target_udid = first.and_then(|volume| volume.target_udid);
    hall.pause(chance.between(1, 10)).await;
    hall.restored("detach volume", || async {
        ready(hall, server).await;
        let gone = VolumeRequest::of(server, connection.clone());
        driver.detach_volumes(gone, &control).await
    })
    .await;
}

/// An interface comes and goes.
pub(super) async fn interface(hall: &Hall, home: &Home, server: Uuid, chance: &mut Chance) {
    if !ready(hall, server).await {
        return;
    }
    let (driver, control) = (&home.driver, Control::default());
    let wanted = NetworkInterface::on_vlan(1);
    let plugged = driver.attach_interface(server, wanted, &control).await;
    let plugged = hall.note("plug interface", plugged);
    let Some(mac) = plugged.and_then(|plugged| plugged.mac) else {
        return;
    };
    hall.pause(chance.between(1, 10)).await;
    hall.restored("unplug interface", || async {
        ready(hall, server).await;
        driver.detach_interface(server, mac, &control).await
    })
    .await;
}
