//! `powervm server resize`, `resize-confirm` and `resize-revert`

use std::path::PathBuf;

use super::arguments::{Resize, ResizeRevert};
use super::output::{Output, Table};
use super::server::shown;
use super::volume::connections;
use crate::error::{Error, ErrorKind, Result};
use crate::operations::{
    Before, ConfirmRequest, Control, DepartRequest, Destination, Driver, ResizeRequest,
    RevertRequest, ServerRef,
};
use crate::partition::name::{migrating_name, resizing_name};
use crate::partition::{Flavor, PartitionUuid};

/// Resizes a server.
pub(super) async fn resize(
    driver: &Driver,
    asked: &Resize,
    output: &Output,
    control: &Control,
) -> Result<()> {
    let reference = ServerRef::parse(&asked.server);
    let now = driver.show(reference.clone()).await?;
    let request = ResizeRequest {
        instance: now.summary.id.as_uuid(),
        name: named(&reference),
        flavor: Flavor {
            vcpus: asked.vcpus.unwrap_or(now.vcpus),
            memory_mb: asked.memory.unwrap_or(now.memory_mb),
            root_gb: asked.disk,
            extra_specs: asked.property.iter().cloned().collect(),
        },
        from_gb: None,
    };
    match asked.live {
        true => driver.resize_live(request, control).await?,
        false => driver.resize(request, control).await?,
    }
    done(driver, now.summary.id, output).await
}

/// Lets a server leave for another host.
pub(super) async fn depart(
    driver: &Driver,
    server: &str,
    volume: &[PathBuf],
    output: &Output,
    control: &Control,
) -> Result<()> {
    let reference = ServerRef::parse(server);
    let now = driver.show(reference.clone()).await?;
    let request = DepartRequest {
        volumes: connections(volume)?,
        metadata: Default::default(),
        instance: now.summary.id.as_uuid(),
        name: named(&reference),
        destination: Destination::OtherHost,
        flavor: Flavor {
            vcpus: now.vcpus,
            memory_mb: now.memory_mb,
            ..Flavor::default()
        },
        from_gb: None,
        timeout: None,
    };
    let left = driver.migrate_disk_and_power_off(request, control).await?;
    output.print(&left, |left| {
        let mut table = Table::of_fields();
        table
            .field("uuid", now.summary.id.as_uuid())
            .field("name", &left.before.name)
            .field("was_on", left.was_on);
        if let Some(disk) = &left.disk {
            table
                .field("cluster", &disk.cluster_name)
                .field("pool", &disk.ssp_name);
        }
        table
    })
}

/// Confirms it.
pub(super) async fn confirm(
    driver: &Driver,
    server: &str,
    output: &Output,
    control: &Control,
) -> Result<()> {
    let found = find(driver, server).await?;
    let request = ConfirmRequest {
        instance: found.as_uuid(),
        name: named(&ServerRef::parse(server)),
    };
    driver.confirm_migration(request, control).await?;
    match driver.show(found.as_uuid()).await {
        // It has moved: nothing is left of it here.
        Err(error) if error.is_not_found() => {
            output.print(&serde_json::json!({"confirmed": server}), |_| {
                let mut table = Table::with(&["Confirmed"]);
                table.row([server]);
                table
            })
        }
        shown_server => output.print(&shown_server?, shown),
    }
}

/// Reverts it.
pub(super) async fn revert(
    driver: &Driver,
    asked: &ResizeRevert,
    output: &Output,
    control: &Control,
) -> Result<()> {
    let found = find(driver, &asked.server).await?;
    let request = RevertRequest {
        volumes: connections(&asked.volume)?,
        metadata: Default::default(),
        instance: found.as_uuid(),
        name: named(&ServerRef::parse(&asked.server)),
        before: Before::Journal,
        power_on: !asked.no_start,
    };
    driver.finish_revert_migration(request, control).await?;
    done(driver, found, output).await
}

async fn done(driver: &Driver, server: PartitionUuid, output: &Output) -> Result<()> {
    let server = driver.show(server.as_uuid()).await?;
    output.print(&server, |server| -> Table { shown(server) })
}

fn named(server: &ServerRef) -> Option<String> {
    match server {
        ServerRef::Name(name) => Some(name.clone()),
        ServerRef::Uuid(_) => None,
    }
}

/// The server that is being resized: under the name that it was made with, its partition is not to be found.
async fn find(driver: &Driver, server: &str) -> Result<PartitionUuid> {
    let reference = ServerRef::parse(server);
    if let Some(partition) = reference.partition() {
        return Ok(partition);
    }
    let temporary = [resizing_name(server), migrating_name(server)];
    let temporary: Vec<String> = temporary.into_iter().flatten().collect();
    let servers = driver.list().await?;
    let mut found = servers
        .iter()
        .filter(|found| temporary.contains(&found.name));
    match (found.next(), found.next()) {
        (Some(found), None) => Ok(found.id),
        _ => Err(Error::operation(
            ErrorKind::NotFound,
            format!("there is no server '{server}' that is being resized or moved"),
            "list the servers: one that is being resized or moved is called 'resize_' or 'migrate_' and its name",
        )),
    }
}
