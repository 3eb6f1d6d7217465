//! Servers that are changed: another size, kept or given back, and another disk.

use std::collections::BTreeMap;

use powervm_driver::operations::{
    Before, ConfirmRequest, Control, Metadata, RebuildRequest, ResizeRequest, RevertRequest,
};
use powervm_driver::partition::Flavor;
use powervm_driver::storage::media::ConfigDrive;
use powervm_simulator::model::Owner;
use uuid::Uuid;

use super::hall::{Chance, Hall, Home};
use super::tenant::image;

/// A server gets another size, lives with it for a while, and keeps it or gets its own back.
pub(super) async fn size(hall: &Hall, home: &Home, server: Uuid, chance: &mut Chance) {
    let (driver, control) = (&home.driver, Control::default());
    let Some(name) = name_of(hall, server) else {
        return;
    };
    let request = ResizeRequest {
        instance: server,
        name: Some(name.clone()),
        flavor: Flavor {
            vcpus: u32::try_from(chance.between(1, 2)).unwrap_or(1),
            memory_mb: 256 * chance.between(2, 8),
            root_gb: chance.between(0, 1),
            extra_specs: BTreeMap::new(),
        },
        from_gb: None,
    };
    let is_kept = chance.between(0, 1) == 0;
    let resized = driver.resize(request, &control).await;
    if hall.note("resize server", resized).is_none() {
        return;
    }
    hall.pause(chance.between(1, 10)).await;
    if is_kept {
        hall.restored("confirm resize", || {
            let request = ConfirmRequest {
                instance: server,
                name: Some(name.clone()),
            };
            driver.confirm_migration(request, &control)
        })
        .await;
        return;
    }
    hall.restored("revert resize", || {
        let request = RevertRequest {
            volumes: Vec::new(),
            metadata: Default::default(),
            instance: server,
            name: Some(name.clone()),
            before: Before::Journal,
            power_on: true,
        };
        driver.finish_revert_migration(request, &control)
    })
    .await;
}

/// A server gets its image again. One that `moves` stays without a config drive.
pub(super) async fn disk(hall: &Hall, home: &Home, server: Uuid, moves: bool) {
    let request = RebuildRequest {
        instance: server,
        name: name_of(hall, server),
        image: Some(image(hall)),
        root_gb: 1,
        config_drive: (!moves).then(ConfigDrive::default),
        networks: Vec::new(),
        metadata: Metadata::new(),
    };
    let rebuilt = home.driver.rebuild(request, &Control::default()).await;
    hall.note("rebuild server", rebuilt);
}

fn name_of(hall: &Hall, server: Uuid) -> Option<String> {
    let world = hall.simulator.world();
    let found = world.partition(Owner::Partition(server));
    found.map(|partition| partition.name.clone())
}
