//! Servers that move between two hosts.

use std::time::Duration;

use powervm_driver::Result;
use powervm_driver::operations::{ConsoleAccess, Control, Driver, LiveMigration, MigrationOptions};

use super::{Pair, SUBJECT, instance, spawn};
use crate::target::Flavor;

/// Until RMC is up, without which nothing moves.
const BOOT: Duration = Duration::from_secs(60);
/// Shorter than usual, so that a case whose job never begins is over soon.
const PATIENCE: Duration = Duration::from_secs(900);

pub(super) const PAIRS: &[Pair] = &[Pair {
    name: "live migration",
    flavors: &[Flavor::NovaLink, Flavor::Hmc],
    prepare: |source, _, control| Box::pin(prepare(source, control)),
    run: |source, destination, control| Box::pin(migrate(source, destination, control)),
    no_return: "migrate",
    // The migration, its end when it is stopped, and as much for the validation.
    limit: Duration::from_secs(2 * 3600),
}];

async fn prepare(source: &Driver, control: &Control) -> Result<()> {
    spawn(source, control, SUBJECT, true).await?;
    tokio::time::sleep(BOOT).await;
    Ok(())
}

async fn migrate(source: &Driver, destination: &Driver, control: &Control) -> Result<()> {
    let order = LiveMigration {
        access: ConsoleAccess {
            address: Some("destination".to_owned()),
            ..ConsoleAccess::default()
        },
        options: MigrationOptions {
            limit: PATIENCE,
            ..MigrationOptions::default()
        },
        ..LiveMigration::of(instance(SUBJECT))
    };
    source
        .live_migrate(destination, order, control)
        .await
        .map(drop)
}
