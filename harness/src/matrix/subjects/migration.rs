//! Servers that move between two hosts.

use std::time::Duration;

use powervm_driver::Result;
use powervm_driver::network::NetworkInterface;
use powervm_driver::operations::{ConsoleAccess, Control, Driver, LiveMigration, MigrationOptions};

use super::{Pair, SUBJECT, instance, request};
use crate::target::Flavor;

/// Until RMC is up, without which nothing moves.
const BOOT: Duration = Duration::from_secs(60);
/// Shorter than usual, so that a case whose job never begins is over soon.
const PATIENCE: Duration = Duration::from_secs(900);

/// The migration, its end when it is stopped, and as much for the validation.
const LONGEST: Duration = Duration::from_secs(2 * 3600);
/// An interface on Open vSwitch.
const PORT: &str = "ovs=br-int,id=matrix-port,mac=fa:16:3e:00:00:0a";

pub(super) const PAIRS: &[Pair] = &[
    Pair {
        name: "live migration",
        flavors: &[Flavor::NovaLink, Flavor::Hmc],
        prepare: |source, _, control| Box::pin(prepare(source, control, None)),
        run: |source, destination, control| Box::pin(migrate(source, destination, control)),
        no_return: "migrate",
        limit: LONGEST,
    },
    Pair {
        name: "live migration on Open vSwitch",
        flavors: &[Flavor::NovaLink],
        prepare: |source, _, control| Box::pin(prepare(source, control, PORT.parse().ok())),
        run: |source, destination, control| Box::pin(migrate(source, destination, control)),
        no_return: "migrate",
        limit: LONGEST,
    },
];

async fn prepare(source: &Driver, control: &Control, port: Option<NetworkInterface>) -> Result<()> {
    let mut server = request(SUBJECT, true);
    server.networks.extend(port);
    source.spawn(server, control).await?;
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
