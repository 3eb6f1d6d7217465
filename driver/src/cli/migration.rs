//! `powervm server live-migrate …` and `powervm server remote-restart …`

use std::time::Duration;

use super::arguments::{Connection, LiveMigrate, Migrate, Place};
use super::connection::{self, Origin};
use super::output::{Output, Table};
use super::recover;
use super::volume::{connections, keep, read_metadata};
use crate::error::{Error, Result};
use crate::operations::{
    ColdMigration, ConsoleAccess, Control, Driver, LiveMigration, Migrated, MigrationOptions,
    RemoteRestartRequest, ServerRef,
};
use crate::partition::Flavor;
use crate::rest::Endpoint;

/// Moves a server to another host.
pub(super) async fn live_migrate(
    driver: &Driver,
    order: &LiveMigrate,
    origin: &Origin<'_>,
    output: &Output,
    control: &Control,
) -> Result<()> {
    let request = request(order, origin.connection)?;
    let destination = reach(order, origin, control).await?;
    let outcome = driver.live_migrate(&destination, request, control).await;
    connection::leave(destination.session()).await;
    let migrated = outcome?;
    keep(&order.kept, &migrated.arrived.metadata)?;
    output.print(&migrated, shown)
}

/// Moves a server to another host while it is off.
pub(super) async fn migrate(
    driver: &Driver,
    asked: &Migrate,
    origin: &Origin<'_>,
    output: &Output,
    control: &Control,
) -> Result<()> {
    let order = &asked.order;
    let move_it = request(order, origin.connection)?;
    let is_resized = asked.vcpus.is_some()
        || asked.memory.is_some()
        || asked.disk > 0
        || !asked.property.is_empty();
    let flavor = match is_resized {
        true => {
            let now = driver.show(move_it.server.clone()).await?;
            Some(Flavor {
                vcpus: asked.vcpus.unwrap_or(now.vcpus),
                memory_mb: asked.memory.unwrap_or(now.memory_mb),
                root_gb: asked.disk,
                extra_specs: asked.property.iter().cloned().collect(),
            })
        }
        false => None,
    };
    let destination = reach(order, origin, control).await?;
    let request = ColdMigration {
        order: move_it,
        flavor,
    };
    let outcome = driver.cold_migrate(&destination, request, control).await;
    connection::leave(destination.session()).await;
    let migrated = outcome?;
    keep(&order.kept, &migrated.arrived.metadata)?;
    output.print(&migrated, shown)
}

/// A driver of the other host.
async fn reach(order: &LiveMigrate, origin: &Origin<'_>, control: &Control) -> Result<Driver> {
    let (there, place) = destination(order, origin)?;
    let destination = match (order.to.is_elsewhere(origin.connection), origin.is_dry_run) {
        (false, true) => connection::connect(&there, &place).await?,
        (false, false) => connection::connect_to_change(&there, &place).await?,
        (true, true) => connection::connect_there(&there, &place).await?,
        (true, false) => connection::connect_there_to_change(&there, &place).await?,
    };
    if !origin.is_dry_run
        && let Err(error) = recover::first(&destination, control).await
    {
        connection::leave(destination.session()).await;
        return Err(error);
    }
    Ok(destination)
}

fn request(order: &LiveMigrate, here: &Connection) -> Result<LiveMigration> {
    let to = &order.to;
    let address = match &to.to_address {
        Some(address) => Some(address.clone()),
        None if to.is_elsewhere(here) => {
            let there = to.connection(here);
            let origin = Endpoint::new(&there.endpoint)?.origin();
            let host = origin.parse::<http::Uri>().ok();
            host.and_then(|uri| uri.host().map(str::to_owned))
        }
        None => None,
    };
    let usual = ConsoleAccess::default();
    Ok(LiveMigration {
        server: ServerRef::parse(&order.server),
        access: ConsoleAccess {
            address,
            user: to.to_console_user.clone().unwrap_or(usual.user),
        },
        volumes: connections(&order.volume)?,
        source_volumes: connections(&order.source_volume)?,
        metadata: read_metadata(&order.kept)?,
        options: MigrationOptions {
            limit: Duration::from_secs(order.limit),
            override_vlan_bridge: order.override_vlan_bridge,
            affinity: order.affinity,
        },
    })
}

/// Two hosts have two journals: that of this one is the other's only if somebody says so, and then it is refused.
fn destination(order: &LiveMigrate, origin: &Origin<'_>) -> Result<(Connection, Place)> {
    let there = order.to.connection(origin.connection);
    let mut place = order.to.place(origin.place);
    if place.journal.is_none() && order.to.to_config.is_none() {
        place.journal = Some(connection::usual_journal(&there, &place)?);
    }
    let here = connection::journal_path(origin.connection, origin.place)?;
    if connection::journal_path(&there, &place)? == here {
        return Err(Error::invalid(
            "both hosts would have the same journal, as if they were one",
            "name the system of each host with --system and --to-system, or another journal with --to-journal",
        ));
    }
    Ok((there, place))
}

fn shown(migrated: &Migrated) -> Table {
    let summary = &migrated.arrived.server.summary;
    let mut table = Table::of_fields();
    table
        .field("id", summary.id.as_uuid())
        .field("name", &summary.name)
        .field("from", &migrated.from)
        .field("to", &migrated.to)
        .field("status", summary.status)
        .field("state", &summary.state)
        .field(
            "partition_id",
            summary
                .partition_id
                .map_or_else(String::new, |id| id.to_string()),
        );
    for volume in &migrated.arrived.volumes {
        let paths: Vec<&str> = volume
            .paths
            .iter()
            .map(|path| path.served_by.as_str())
            .collect();
        table.field(
            "volume",
            format!("{} through {}", volume.volume, paths.join(", ")),
        );
    }
    table
}

/// Stops a migration.
pub(super) async fn abort(
    driver: &Driver,
    server: &str,
    output: &Output,
    control: &Control,
) -> Result<()> {
    let instance = driver.instance(&ServerRef::parse(server)).await?;
    driver.live_migration_abort(instance, control).await?;
    said(output, "aborted", server)
}

/// Undoes a migration that failed.
pub(super) async fn recover(
    driver: &Driver,
    server: &str,
    force: bool,
    output: &Output,
    control: &Control,
) -> Result<()> {
    let instance = driver.instance(&ServerRef::parse(server)).await?;
    driver
        .live_migration_recover(instance, force, control)
        .await?;
    said(output, "recovered", server)
}

/// Starts a server whose system has failed.
pub(super) async fn restart(
    driver: &Driver,
    server: &str,
    override_vlan_bridge: bool,
    output: &Output,
    control: &Control,
) -> Result<()> {
    let request = RemoteRestartRequest {
        override_vlan_bridge,
        ..RemoteRestartRequest::of(ServerRef::parse(server))
    };
    let state = driver.remote_restart(request, control).await?;
    let told = serde_json::json!({"server": server, "status": state});
    output.print(&told, |_| {
        let mut table = Table::with(&["Server", "Status"]);
        table.row([server.to_owned(), state.to_string()]);
        table
    })
}

/// Removes what it left where it was.
pub(super) async fn clean_up(
    driver: &Driver,
    server: &str,
    output: &Output,
    control: &Control,
) -> Result<()> {
    driver
        .remote_restart_cleanup(ServerRef::parse(server), control)
        .await?;
    said(output, "cleaned_up", server)
}

fn said(output: &Output, what: &str, server: &str) -> Result<()> {
    output.print(&serde_json::json!({what: server}), |_| {
        let mut table = Table::with(&["Server", "Result"]);
        table.row([server.to_owned(), what.replace('_', " ")]);
        table
    })
}
