//! Volumes and interfaces that come and go.

use powervm_driver::Result;
use powervm_driver::network::NetworkInterface;
use powervm_driver::operations::{Control, DestroyRequest, Driver, SpawnRequest, VolumeRequest};

use super::{Entry, Failed, LIMIT, POOL, SUBJECT, destroy, instance, request, spawn};
use crate::matrix::furniture::volumes;

/// The second interface's address.
const MAC: &str = "fa:16:3e:5a:6a:02";

/// Interfaces.
pub(super) const ENTRIES: &[Entry] = &[
    Entry {
        name: "attach interface",
        disks: POOL,
        prepare: |driver, control| Box::pin(spawn(driver, control, SUBJECT, false)),
        run: |driver, control| Box::pin(plug(driver, control)),
        reverse: Some(|driver, control| Box::pin(unplug(driver, control))),
        failed: Failed::AsBefore,
        limit: LIMIT,
    },
    Entry {
        name: "detach interface",
        disks: POOL,
        prepare: |driver, control| {
            Box::pin(async move {
                spawn(driver, control, SUBJECT, false).await?;
                plug(driver, control).await
            })
        },
        run: |driver, control| Box::pin(unplug(driver, control)),
        reverse: None,
        failed: Failed::Repeatable,
        limit: LIMIT,
    },
];

/// Volumes that Virtual I/O Servers serve.
pub(super) const SERVED: &[Entry] = &[
    Entry {
        name: "attach volumes",
        disks: POOL,
        prepare: |driver, control| Box::pin(spawn(driver, control, SUBJECT, false)),
        run: |driver, control| Box::pin(attach(driver, control)),
        reverse: Some(|driver, control| Box::pin(detach(driver, control))),
        failed: Failed::AsBefore,
        limit: LIMIT,
    },
    DETACH,
    EXTEND,
    SPAWN,
    DESTROY,
];

/// Volumes behind ports of the server's own, which it keeps until it is removed.
pub(super) const THROUGH_PORTS: &[Entry] = &[
    Entry {
        name: "attach volumes",
        disks: POOL,
        prepare: |driver, control| Box::pin(spawn(driver, control, SUBJECT, false)),
        run: |driver, control| Box::pin(attach(driver, control)),
        reverse: None,
        failed: Failed::AsBefore,
        limit: LIMIT,
    },
    SPAWN,
    DESTROY,
];

const DETACH: Entry = Entry {
    name: "detach volumes",
    disks: POOL,
    prepare: |driver, control| Box::pin(with_volumes(driver, control)),
    run: |driver, control| Box::pin(detach(driver, control)),
    reverse: None,
    // Once disks are gone, there is no way back.
    failed: Failed::Repeatable,
    limit: LIMIT,
};

const EXTEND: Entry = Entry {
    name: "extend volumes",
    disks: POOL,
    prepare: |driver, control| Box::pin(with_volumes(driver, control)),
    run: |driver, control| Box::pin(extend(driver, control)),
    reverse: None,
    failed: Failed::Repeatable,
    limit: LIMIT,
};

const SPAWN: Entry = Entry {
    name: "spawn from a volume",
    disks: POOL,
    prepare: |_, _| Box::pin(async { Ok(()) }),
    run: |driver, control| Box::pin(spawn_from_volume(driver, control)),
    reverse: Some(|driver, control| Box::pin(destroy(driver, control, SUBJECT, true))),
    failed: Failed::AsBefore,
    limit: LIMIT,
};

const DESTROY: Entry = Entry {
    name: "destroy with volumes",
    disks: POOL,
    prepare: |driver, control| Box::pin(spawn_from_volume(driver, control)),
    run: |driver, control| Box::pin(destroy_with_volumes(driver, control)),
    reverse: None,
    failed: Failed::Repeatable,
    limit: LIMIT,
};

async fn plug(driver: &Driver, control: &Control) -> Result<()> {
    let interface = NetworkInterface {
        mac: MAC.parse().ok(),
        ..NetworkInterface::on_vlan(1)
    };
    let plugged = driver.attach_interface(instance(SUBJECT), interface, control);
    plugged.await.map(drop)
}

async fn unplug(driver: &Driver, control: &Control) -> Result<()> {
    let Ok(mac) = MAC.parse() else { return Ok(()) };
    let unplugged = driver.detach_interface(instance(SUBJECT), mac, control);
    unplugged.await.map(drop)
}

pub(super) fn all_volumes() -> VolumeRequest {
    let volumes = volumes();
    VolumeRequest {
        server: instance(SUBJECT).into(),
        volumes: volumes.connections.clone(),
        metadata: volumes.metadata.clone(),
    }
}

async fn with_volumes(driver: &Driver, control: &Control) -> Result<()> {
    spawn(driver, control, SUBJECT, false).await?;
    attach(driver, control).await
}

async fn attach(driver: &Driver, control: &Control) -> Result<()> {
    driver
        .attach_volumes(all_volumes(), control)
        .await
        .map(drop)
}

async fn detach(driver: &Driver, control: &Control) -> Result<()> {
    driver
        .detach_volumes(all_volumes(), control)
        .await
        .map(drop)
}

async fn extend(driver: &Driver, control: &Control) -> Result<()> {
    driver
        .extend_volumes(all_volumes(), control)
        .await
        .map(drop)
}

pub(super) async fn spawn_from_volume(driver: &Driver, control: &Control) -> Result<()> {
    let volumes = volumes();
    let request = SpawnRequest {
        image: None,
        volumes: volumes.connections.clone(),
        metadata: volumes.metadata.clone(),
        ..request(SUBJECT, true)
    };
    driver.spawn(request, control).await.map(drop)
}

async fn destroy_with_volumes(driver: &Driver, control: &Control) -> Result<()> {
    let request = DestroyRequest {
        volumes: volumes().connections.clone(),
        ..DestroyRequest::of(instance(SUBJECT))
    };
    driver.destroy(request, control).await
}
