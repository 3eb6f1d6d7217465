//! Servers that get another size, or leave for another host.

use std::collections::BTreeMap;
use std::time::Duration;

use powervm_driver::Result;
use powervm_driver::operations::{
    ArriveRequest, Before, ConfirmRequest, Control, DepartRequest, Destination, Driver,
    ResizeRequest, RevertRequest, SpawnRequest,
};
use powervm_driver::partition::Flavor;

use crate::matrix::furniture::volumes;

use super::devices::all_volumes;
use super::{BOTH, Entry, Failed, LIMIT, POOL, SUBJECT, destroy, instance, name, request, spawn};

pub(super) const ENTRIES: &[Entry] = &[
    Entry {
        name: "resize",
        disks: BOTH,
        prepare: |driver, control| Box::pin(spawn(driver, control, 1, true)),
        run: |driver, control| Box::pin(resize(driver, control)),
        reverse: Some(|driver, control| Box::pin(revert(driver, control))),
        failed: Failed::AsBefore,
        limit: LIMIT,
    },
    Entry {
        name: "live resize",
        disks: POOL,
        prepare: |driver, control| Box::pin(prepare_live(driver, control)),
        run: |driver, control| Box::pin(live(driver, control, 2, 2048)),
        reverse: Some(|driver, control| Box::pin(live(driver, control, 1, 1024))),
        failed: Failed::AsBefore,
        limit: LIMIT,
    },
    Entry {
        name: "departure for another size",
        disks: POOL,
        prepare: |driver, control| Box::pin(spawn(driver, control, 1, true)),
        run: |driver, control| Box::pin(depart(driver, control, Destination::SameHost)),
        reverse: Some(|driver, control| Box::pin(revert(driver, control))),
        failed: Failed::AsBefore,
        limit: LIMIT,
    },
    Entry {
        name: "departure for another host",
        disks: POOL,
        prepare: |driver, control| Box::pin(spawn(driver, control, 1, true)),
        run: |driver, control| Box::pin(depart(driver, control, Destination::OtherHost)),
        reverse: Some(|driver, control| Box::pin(revert(driver, control))),
        failed: Failed::AsBefore,
        limit: LIMIT,
    },
    Entry {
        name: "arrival in another size",
        disks: POOL,
        prepare: |driver, control| {
            Box::pin(async move {
                spawn(driver, control, 1, true).await?;
                depart(driver, control, Destination::SameHost).await
            })
        },
        run: |driver, control| Box::pin(arrive(driver, control)),
        reverse: None,
        failed: Failed::AsBefore,
        limit: LIMIT,
    },
    Entry {
        name: "arrival with a disk that is there",
        disks: BOTH,
        prepare: |driver, control| {
            Box::pin(async move {
                spawn(driver, control, 1, true).await?;
                destroy(driver, control, 1, false).await
            })
        },
        run: |driver, control| Box::pin(arrive_with_disk(driver, control)),
        reverse: Some(|driver, control| Box::pin(destroy(driver, control, 1, false))),
        failed: Failed::AsBefore,
        limit: LIMIT,
    },
    Entry {
        name: "confirmation of a resize",
        disks: POOL,
        prepare: |driver, control| {
            Box::pin(async move {
                spawn(driver, control, 1, true).await?;
                resize(driver, control).await
            })
        },
        run: |driver, control| Box::pin(confirm(driver, control)),
        reverse: None,
        failed: Failed::Repeatable,
        limit: LIMIT,
    },
    Entry {
        name: "confirmation of a move",
        disks: POOL,
        prepare: |driver, control| {
            Box::pin(async move {
                spawn(driver, control, 1, true).await?;
                depart(driver, control, Destination::OtherHost).await
            })
        },
        run: |driver, control| Box::pin(confirm(driver, control)),
        reverse: None,
        failed: Failed::Repeatable,
        limit: LIMIT,
    },
    Entry {
        name: "reversion of a resize",
        disks: POOL,
        prepare: |driver, control| {
            Box::pin(async move {
                spawn(driver, control, 1, true).await?;
                resize(driver, control).await
            })
        },
        run: |driver, control| Box::pin(revert(driver, control)),
        reverse: None,
        failed: Failed::Repeatable,
        limit: LIMIT,
    },
    Entry {
        name: "reversion of a move",
        disks: POOL,
        prepare: |driver, control| {
            Box::pin(async move {
                spawn(driver, control, 1, true).await?;
                depart(driver, control, Destination::OtherHost).await
            })
        },
        run: |driver, control| Box::pin(revert(driver, control)),
        reverse: None,
        failed: Failed::Repeatable,
        limit: LIMIT,
    },
];

/// Those of servers with volumes whose connections end meanwhile.
pub(super) const WITH_VOLUMES: &[Entry] = &[
    Entry {
        name: "resize with volumes attached",
        disks: POOL,
        prepare: |driver, control| Box::pin(with_volumes(driver, control)),
        run: |driver, control| Box::pin(resize(driver, control)),
        reverse: Some(|driver, control| Box::pin(revert(driver, control))),
        failed: Failed::AsBefore,
        limit: LIMIT,
    },
    Entry {
        name: "departure with volumes",
        disks: POOL,
        prepare: |driver, control| Box::pin(with_volumes(driver, control)),
        run: |driver, control| Box::pin(depart(driver, control, Destination::SameHost)),
        reverse: None,
        failed: Failed::AsBefore,
        limit: LIMIT,
    },
    Entry {
        name: "departure with volumes for another host",
        disks: POOL,
        prepare: |driver, control| Box::pin(with_volumes(driver, control)),
        run: |driver, control| Box::pin(depart(driver, control, Destination::OtherHost)),
        reverse: None,
        failed: Failed::AsBefore,
        limit: LIMIT,
    },
    Entry {
        name: "arrival with volumes",
        disks: POOL,
        prepare: |driver, control| {
            Box::pin(async move {
                with_volumes(driver, control).await?;
                depart(driver, control, Destination::SameHost).await
            })
        },
        run: |driver, control| Box::pin(arrive(driver, control)),
        reverse: Some(|driver, control| Box::pin(leave_again(driver, control))),
        failed: Failed::AsBefore,
        limit: LIMIT,
    },
    Entry {
        name: "reversion with volumes",
        disks: POOL,
        prepare: |driver, control| {
            Box::pin(async move {
                with_volumes(driver, control).await?;
                become_larger(driver, control).await
            })
        },
        run: |driver, control| Box::pin(revert(driver, control)),
        reverse: Some(|driver, control| Box::pin(become_larger(driver, control))),
        failed: Failed::Repeatable,
        limit: LIMIT,
    },
];

/// After this long a server's RMC connection is up.
const BOOTED: Duration = Duration::from_secs(15 * 60);

pub(super) fn size(vcpus: u32, memory_mb: u64) -> Flavor {
    Flavor {
        vcpus,
        memory_mb,
        root_gb: 0,
        extra_specs: BTreeMap::new(),
    }
}

/// A server that runs and has volumes, and an agent in it.
async fn with_volumes(driver: &Driver, control: &Control) -> Result<()> {
    spawn(driver, control, SUBJECT, false).await?;
    driver.attach_volumes(all_volumes(), control).await?;
    driver.start(instance(SUBJECT), control).await?;
    tokio::time::sleep(BOOTED).await;
    Ok(())
}

/// What is done to it is done, but for its volumes, which are ended meanwhile.
async fn become_larger(driver: &Driver, control: &Control) -> Result<()> {
    depart(driver, control, Destination::SameHost).await?;
    arrive(driver, control).await?;
    tokio::time::sleep(BOOTED).await;
    driver
        .detach_volumes(all_volumes(), control)
        .await
        .map(drop)
}

/// One that has arrived is taken back, and leaves without what it had.
async fn leave_again(driver: &Driver, control: &Control) -> Result<()> {
    revert(driver, control).await?;
    tokio::time::sleep(BOOTED).await;
    depart(driver, control, Destination::SameHost).await
}

async fn resize(driver: &Driver, control: &Control) -> Result<()> {
    let request = ResizeRequest {
        instance: instance(SUBJECT),
        name: Some(name(SUBJECT)),
        flavor: size(2, 2048),
        from_gb: None,
    };
    driver.resize(request, control).await
}

/// A server that has room to grow, and time for its RMC connection to come up.
async fn prepare_live(driver: &Driver, control: &Control) -> Result<()> {
    spawn(driver, control, SUBJECT, false).await?;
    let mut flavor = size(1, 1024);
    for (key, value) in [
        ("max_mem", "4096"),
        ("max_vcpu", "4"),
        ("max_proc_units", "2"),
    ] {
        flavor
            .extra_specs
            .insert(format!("powervm:{key}"), value.to_owned());
    }
    let request = ResizeRequest {
        instance: instance(SUBJECT),
        name: Some(name(SUBJECT)),
        flavor,
        from_gb: None,
    };
    driver.resize(request, control).await?;
    confirm(driver, control).await?;
    driver.start(instance(SUBJECT), control).await?;
    tokio::time::sleep(BOOTED).await;
    Ok(())
}

async fn live(driver: &Driver, control: &Control, vcpus: u32, memory_mb: u64) -> Result<()> {
    let request = ResizeRequest {
        instance: instance(SUBJECT),
        name: Some(name(SUBJECT)),
        flavor: size(vcpus, memory_mb),
        from_gb: None,
    };
    driver.resize_live(request, control).await
}

async fn depart(driver: &Driver, control: &Control, destination: Destination) -> Result<()> {
    let request = DepartRequest {
        volumes: volumes().connections.clone(),
        metadata: volumes().metadata.clone(),
        instance: instance(SUBJECT),
        name: Some(name(SUBJECT)),
        destination,
        flavor: size(2, 2048),
        from_gb: None,
        timeout: None,
    };
    let left = driver.migrate_disk_and_power_off(request, control).await;
    left.map(drop)
}

async fn arrive(driver: &Driver, control: &Control) -> Result<()> {
    let request = ArriveRequest {
        volumes: volumes().connections.clone(),
        metadata: volumes().metadata.clone(),
        instance: instance(SUBJECT),
        name: name(SUBJECT),
        flavor: size(2, 2048),
        power_on: true,
    };
    driver.finish_migration(request, control).await.map(drop)
}

async fn arrive_with_disk(driver: &Driver, control: &Control) -> Result<()> {
    let request = SpawnRequest {
        image: None,
        ..request(SUBJECT, true)
    };
    let arrived = driver.spawn_from_disk(request, None, control).await;
    arrived.map(drop)
}

async fn confirm(driver: &Driver, control: &Control) -> Result<()> {
    let request = ConfirmRequest {
        instance: instance(SUBJECT),
        name: Some(name(SUBJECT)),
    };
    driver.confirm_migration(request, control).await
}

async fn revert(driver: &Driver, control: &Control) -> Result<()> {
    let request = RevertRequest {
        volumes: volumes().connections.clone(),
        metadata: volumes().metadata.clone(),
        instance: instance(SUBJECT),
        name: Some(name(SUBJECT)),
        before: Before::Flavor(Box::new(size(1, 1024))),
        power_on: true,
    };
    let reverted = driver.finish_revert_migration(request, control).await;
    reverted.map(drop)
}
