//! Servers that move between two hosts.

use std::time::Duration;

use anyhow::Context;
use powervm_driver::Result;
use powervm_driver::network::NetworkInterface;
use powervm_driver::operations::{
    ColdMigration, ConsoleAccess, Control, Driver, LiveMigration, MigrationOptions,
    RemoteRestartRequest,
};
use powervm_driver::partition;
use powervm_simulator::Simulator;
use powervm_simulator::model::Command;
use powervm_simulator::model::names::SystemState;

use super::resize::size;
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
        befalls: None,
        run: |source, destination, control| Box::pin(migrate(source, destination, control)),
        no_return: "migrate",
        limit: LONGEST,
    },
    Pair {
        name: "live migration on Open vSwitch",
        flavors: &[Flavor::NovaLink],
        prepare: |source, _, control| Box::pin(prepare(source, control, PORT.parse().ok())),
        befalls: None,
        run: |source, destination, control| Box::pin(migrate(source, destination, control)),
        no_return: "migrate",
        limit: LONGEST,
    },
    Pair {
        name: "cold migration",
        flavors: &[Flavor::NovaLink, Flavor::Hmc],
        prepare: |source, _, control| Box::pin(prepare(source, control, None)),
        befalls: None,
        run: |source, destination, control| Box::pin(cold(source, destination, None, control)),
        no_return: "migrate",
        limit: LONGEST,
    },
    Pair {
        name: "cold migration in another size",
        flavors: &[Flavor::NovaLink, Flavor::Hmc],
        prepare: |source, _, control| Box::pin(prepare(source, control, None)),
        befalls: None,
        run: |source, destination, control| {
            Box::pin(cold(source, destination, Some(size(2, 2048)), control))
        },
        no_return: "migrate",
        limit: LONGEST,
    },
    Pair {
        name: "remote restart",
        flavors: &[Flavor::Hmc],
        prepare: |source, _, control| Box::pin(prepare_restartable(source, control)),
        befalls: Some(lose_first_system),
        run: |_, destination, control| Box::pin(restart(destination, control)),
        no_return: "restart it here",
        limit: LONGEST,
    },
];

/// A server that its console may restart on another system.
async fn prepare_restartable(source: &Driver, control: &Control) -> Result<()> {
    let mut server = request(SUBJECT, true);
    server.config_drive = None;
    let spec = ("powervm:srr_capability".to_owned(), "true".to_owned());
    server.flavor.extra_specs.extend([spec]);
    source.spawn(server, control).await?;
    tokio::time::sleep(BOOT).await;
    Ok(())
}

fn lose_first_system(simulator: &Simulator) -> anyhow::Result<()> {
    let world = simulator.world();
    let systems = world.systems_in_order();
    let first = systems.first().context("there is no system")?;
    simulator.apply(Command::SetSystemState {
        system: first.uuid,
        state: SystemState::Error,
    })?;
    Ok(())
}

async fn restart(destination: &Driver, control: &Control) -> Result<()> {
    let request = RemoteRestartRequest::of(instance(SUBJECT));
    let restarted = destination.remote_restart(request, control).await;
    restarted.map(drop)
}

async fn prepare(source: &Driver, control: &Control, port: Option<NetworkInterface>) -> Result<()> {
    let mut server = request(SUBJECT, true);
    server.networks.extend(port);
    source.spawn(server, control).await?;
    tokio::time::sleep(BOOT).await;
    Ok(())
}

fn order() -> LiveMigration {
    LiveMigration {
        access: ConsoleAccess {
            address: Some("destination".to_owned()),
            ..ConsoleAccess::default()
        },
        options: MigrationOptions {
            limit: PATIENCE,
            ..MigrationOptions::default()
        },
        ..LiveMigration::of(instance(SUBJECT))
    }
}

async fn cold(
    source: &Driver,
    destination: &Driver,
    flavor: Option<partition::Flavor>,
    control: &Control,
) -> Result<()> {
    let request = ColdMigration {
        order: order(),
        flavor,
    };
    let moved = source.cold_migrate(destination, request, control).await;
    moved.map(drop)
}

async fn migrate(source: &Driver, destination: &Driver, control: &Control) -> Result<()> {
    source
        .live_migrate(destination, order(), control)
        .await
        .map(drop)
}
