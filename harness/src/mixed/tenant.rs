//! Tenants: each deploys a server, lives with it for a while, and deletes it; over and over.

use std::time::Duration;

use powervm_driver::Error;
use powervm_driver::network::NetworkInterface;
use powervm_driver::operations::{Control, DestroyRequest, Reboot, SpawnRequest, Stop};
use powervm_driver::partition::Flavor;
use powervm_driver::rest::Job;
use powervm_driver::storage::image::{Image as DriverImage, ImageSource};
use powervm_driver::storage::media::ConfigDrive;
use powervm_simulator::model::Owner;
use uuid::Uuid;

use super::hall::{Chance, Hall, Home};
use super::{change, devices, jobs};
use crate::image::{Origin, derived_uuid};

pub(super) async fn live(hall: &Hall, number: u16) {
    let mut chance = hall.chance("tenant", number);
    let mut life = 0_u64;
    loop {
        if !hall.is_busy() {
            hall.pause(chance.between(1, 10)).await;
        }
        if !hall.is_another() {
            return;
        }
        life += 1;
        let uuid = derived_uuid(&[
            b"tenant",
            &hall.seed.to_be_bytes(),
            &number.to_be_bytes(),
            &life.to_be_bytes(),
        ]);
        let Some(home) = chance.of(&hall.homes) else {
            return;
        };
        let name = format!("t{number}-{life}");
        let request = order(hall, uuid, name.clone(), &mut chance);
        // A medium of one Virtual I/O Server binds a partition to its system.
        let moves = request.config_drive.is_none();
        let made = home.driver.spawn(request, &Control::default()).await;
        let left = match &made {
            Err(Error::Saga(failure)) => failure.left_behind.len(),
            _ => 0,
        };
        if hall.note("spawn", made).is_some() {
            for _ in 0..chance.between(1, 6) {
                hall.pause(chance.between(1, 25)).await;
                act(hall, uuid, moves, &mut chance).await;
            }
        } else {
            if left > 0 {
                hall.recover().await;
            }
            if is_there(hall, uuid) {
                hall.unexpected(format!("spawn of {uuid} failed and left its partition"));
            }
        }
        destroy(hall, home, uuid, &name).await;
    }
}

fn is_there(hall: &Hall, uuid: Uuid) -> bool {
    let world = hall.simulator.world();
    world.partition(Owner::Partition(uuid)).is_some()
}

/// The image, as the driver takes it.
pub(super) fn image(hall: &Hall) -> DriverImage {
    let source = match &hall.image.origin {
        Origin::Memory(bytes) => ImageSource::Bytes(bytes.clone()),
        Origin::File(path) => ImageSource::File(path.clone()),
        Origin::Temporary(path) => ImageSource::File(path.to_path_buf()),
    };
    DriverImage {
        id: hall.image.uuid,
        name: hall.image.name.clone(),
        checksum: hall.image.md5.clone(),
        size: hall.image.bytes,
        source,
    }
}

fn order(hall: &Hall, uuid: Uuid, name: String, chance: &mut Chance) -> SpawnRequest {
    SpawnRequest {
        instance: uuid,
        name,
        flavor: Flavor {
            vcpus: 1,
            memory_mb: 256 * chance.between(2, 8),
            root_gb: 1,
            extra_specs: std::collections::BTreeMap::new(),
        },
        image: Some(image(hall)),
        volumes: Vec::new(),
        metadata: std::collections::BTreeMap::new(),
        networks: (0..chance.between(1, 2))
            .map(|_| NetworkInterface::on_vlan(1))
            .collect(),
        config_drive: (chance.between(0, 1) == 0).then(ConfigDrive::default),
        power_on: true,
    }
}

async fn act(hall: &Hall, uuid: Uuid, moves: bool, chance: &mut Chance) {
    let Some(home) = hall.home_of(uuid) else {
        return hall.unexpected(format!("the partition {uuid} of a server has gone"));
    };
    let (driver, control) = (&home.driver, Control::default());
    match chance.between(0, 12) {
        10 | 11 => change::size(hall, home, uuid, chance).await,
        12 => change::disk(hall, home, uuid, moves).await,
        0 => {
            let stopped = driver.stop(uuid, Stop::Graceful, &control).await;
            hall.note("stop", stopped);
            hall.pause(chance.between(1, 5)).await;
            hall.note("start", driver.start(uuid, &control).await);
        }
        1 => {
            let rebooted = driver.reboot(uuid, Reboot::Soft, &control).await;
            hall.note("reboot soft", rebooted);
        }
        2 => {
            let rebooted = driver.reboot(uuid, Reboot::Hard, &control).await;
            hall.note("reboot hard", rebooted);
        }
        3 => {
            hall.note("show", driver.show(uuid).await);
            hall.note("list", driver.list().await);
        }
        4 | 5 => devices::volume(hall, home, uuid, chance).await,
        6 | 7 => devices::interface(hall, home, uuid, chance).await,
        _ if moves => migrate(hall, home, uuid).await,
        _ => {}
    }
}

/// The server moves to the other system, if there is one. Only one that is off or has booted can.
async fn migrate(hall: &Hall, home: &Home, uuid: Uuid) {
    let Some(other) = hall.homes.iter().find(|other| other.system != home.system) else {
        return;
    };
    if !devices::ready(hall, uuid).await {
        return;
    }
    let job = Job::new(format!("LogicalPartition/{uuid}"), "Migrate")
        .parameter("TargetManagedSystemName", &other.name)
        .timeout(Duration::from_secs(3600));
    let partition = format!("LogicalPartition/{uuid}");
    let migrated = jobs::run(hall, home.driver.session(), &partition, "Migrate", job).await;
    hall.note("migrate", migrated);
}

/// Nothing of a server stays, however long it takes.
async fn destroy(hall: &Hall, first: &Home, uuid: Uuid, name: &str) {
    hall.restored("destroy", || async {
        let home = hall.home_of(uuid).unwrap_or(first);
        let request = DestroyRequest {
            name: Some(name.to_owned()),
            ..DestroyRequest::of(uuid)
        };
        home.driver.destroy(request, &Control::default()).await
    })
    .await;
}
