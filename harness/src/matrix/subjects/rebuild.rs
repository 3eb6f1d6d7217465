//! Servers that get a new boot disk and a new config drive.

use powervm_driver::Result;
use powervm_driver::operations::{Control, Driver, Metadata, RebuildRequest, Stop};
use powervm_driver::storage::media::ConfigDrive;
use powervm_driver::storage::names;

use super::devices::spawn_from_volume;
use super::{BOTH, Entry, Failed, LIMIT, POOL, SUBJECT, instance, made_image, name, spawn};
use crate::audit::Inventory;

/// What the server had is deleted: after this, nothing is taken back.
const DECIDES: Failed = Failed::AsBeforeUntil("delete what it had");

pub(super) const ENTRIES: &[Entry] = &[
    Entry {
        name: "rebuild",
        disks: BOTH,
        prepare: |driver, control| Box::pin(spawn(driver, control, SUBJECT, true)),
        run: |driver, control| Box::pin(rebuild(driver, control, true)),
        reverse: None,
        failed: DECIDES,
        limit: LIMIT,
    },
    Entry {
        name: "rebuild of one that is off, without its config drive",
        disks: POOL,
        prepare: |driver, control| {
            Box::pin(async move {
                spawn(driver, control, SUBJECT, true).await?;
                let stopped = driver.stop(instance(SUBJECT), Stop::Hard, control);
                stopped.await.map(drop)
            })
        },
        run: |driver, control| Box::pin(without_drive(driver, control)),
        reverse: None,
        failed: DECIDES,
        limit: LIMIT,
    },
];

/// Of a server that boots from a volume.
pub(super) const FROM_VOLUME: &[Entry] = &[Entry {
    name: "rebuild",
    disks: POOL,
    prepare: |driver, control| Box::pin(spawn_from_volume(driver, control)),
    run: |driver, control| Box::pin(rebuild(driver, control, false)),
    reverse: None,
    failed: DECIDES,
    limit: LIMIT,
}];

fn request(has_image: bool) -> RebuildRequest {
    RebuildRequest {
        instance: instance(SUBJECT),
        name: Some(name(SUBJECT)),
        image: has_image.then(made_image),
        root_gb: 1,
        config_drive: Some(ConfigDrive::default()),
        networks: Vec::new(),
        metadata: Metadata::new(),
    }
}

async fn rebuild(driver: &Driver, control: &Control, has_image: bool) -> Result<()> {
    driver.rebuild(request(has_image), control).await
}

async fn without_drive(driver: &Driver, control: &Control) -> Result<()> {
    let request = RebuildRequest {
        config_drive: None,
        ..request(true)
    };
    driver.rebuild(request, control).await
}

/// A boot disk and a config drive have one of two names, in turn: how often a server was made anew is
/// nothing that a case leaves behind.
pub(in crate::matrix) fn name_as_usual(inventory: &mut Inventory) {
    let units = names::boot_units(&name(SUBJECT));
    let disks = names::boot_virtual_disks(&name(SUBJECT), instance(SUBJECT));
    let drives = names::config_drives(instance(SUBJECT));
    for item in &mut inventory.items {
        for [usual, other] in [&units, &disks, &drives] {
            item.name = item.name.replace(other, usual);
        }
    }
    inventory.items.sort();
}
