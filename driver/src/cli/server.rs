//! `powervm server …`

use std::path::Path;

use serde::Serialize;
use uuid::Uuid;

use super::arguments::{Create, Drive, ServerVerb};
use super::connection::{Origin, random};
use super::migration;
use super::output::{Output, Table};
use super::volume::connections;
use super::{rebuild, rescue, resize};
use crate::error::{Error, ErrorKind, Result};
use crate::operations::{
    Control, DestroyRequest, Driver, Metadata, Reboot, Server, ServerRef, ServerSummary,
    SpawnRequest, Stop,
};
use crate::partition::{Flavor, PowerState};
use crate::storage::image::Image;
use crate::storage::media::ConfigDrive;

pub(super) async fn run(
    driver: &Driver,
    verb: &ServerVerb,
    origin: &Origin<'_>,
    output: &Output,
    control: &Control,
) -> Result<()> {
    match verb {
        ServerVerb::Create(create) => {
            let request = request(create).await?;
            let instance = request.instance;
            let server = match create.existing_disk {
                true => driver.spawn_from_disk(request, None, control).await?,
                false => driver.spawn(request, control).await?,
            };
            output.print(&Created { instance, server }, |created| {
                shown(&created.server)
            })
        }
        ServerVerb::Rebuild(asked) => rebuild::run(driver, asked, output, control).await,
        ServerVerb::Evacuate(order) => {
            if order.server.uuid.is_none() {
                return Err(Error::invalid(
                    "a server that is evacuated is named by its UUID",
                    "give --uuid",
                ));
            }
            let request = request(&order.server).await?;
            let instance = request.instance;
            let server = driver.evacuate(request, None, control).await?;
            output.print(&Created { instance, server }, |made| shown(&made.server))
        }
        ServerVerb::List => output.print(&driver.list().await?, |servers| listed(servers)),
        ServerVerb::Show { server } => {
            output.print(&driver.show(ServerRef::parse(server)).await?, shown)
        }
        ServerVerb::Diagnostics { server } => {
            super::meters::diagnostics(driver, server, output).await
        }
        ServerVerb::Meters { server } => super::meters::server(driver, server, output).await,
        ServerVerb::Watch => super::watch::run(driver, output, control).await,
        ServerVerb::Start { server } => {
            let mut states = Vec::new();
            for server in ServerVerb::servers(server) {
                states.push(Changed::new(
                    &server,
                    driver.start(server.clone(), control).await?,
                ));
            }
            output.print(&states, |states| changed(states))
        }
        ServerVerb::Stop { server, hard } => {
            let how = if *hard { Stop::Hard } else { Stop::Graceful };
            let mut states = Vec::new();
            for server in ServerVerb::servers(server) {
                states.push(Changed::new(
                    &server,
                    driver.stop(server.clone(), how, control).await?,
                ));
            }
            output.print(&states, |states| changed(states))
        }
        ServerVerb::Reboot { server, hard, .. } => {
            let how = if *hard { Reboot::Hard } else { Reboot::Soft };
            let mut states = Vec::new();
            for server in ServerVerb::servers(server) {
                states.push(Changed::new(
                    &server,
                    driver.reboot(server.clone(), how, control).await?,
                ));
            }
            output.print(&states, |states| changed(states))
        }
        ServerVerb::Rescue(asked) => rescue::rescue(driver, asked, output, control).await,
        ServerVerb::Unrescue { server } => rescue::unrescue(driver, server, output, control).await,
        ServerVerb::Resize(asked) => resize::resize(driver, asked, output, control).await,
        ServerVerb::Depart { server, volume } => {
            resize::depart(driver, server, volume, output, control).await
        }
        ServerVerb::Migrate(order) => {
            migration::migrate(driver, order, origin, output, control).await
        }
        ServerVerb::ResizeConfirm { server } => {
            resize::confirm(driver, server, output, control).await
        }
        ServerVerb::ResizeRevert(asked) => resize::revert(driver, asked, output, control).await,
        ServerVerb::Snapshot(given) => super::snapshot::run(driver, given, output, control).await,
        ServerVerb::LiveMigrate(order) => {
            migration::live_migrate(driver, order, origin, output, control).await
        }
        ServerVerb::LiveMigrateAbort { server } => {
            migration::abort(driver, server, output, control).await
        }
        ServerVerb::LiveMigrateRecover { server, force } => {
            migration::recover(driver, server, *force, output, control).await
        }
        ServerVerb::RemoteRestart {
            server,
            override_vlan_bridge,
        } => migration::restart(driver, server, *override_vlan_bridge, output, control).await,
        ServerVerb::RemoteRestartCleanup { server } => {
            migration::clean_up(driver, server, output, control).await
        }
        ServerVerb::Dump { server } => {
            let server = ServerRef::parse(server);
            let state = driver.dump(server.clone(), control).await?;
            output.print(&[Changed::new(&server, state)], |states| changed(states))
        }
        ServerVerb::Suspend { server } => {
            let server = ServerRef::parse(server);
            let state = driver.suspend(server.clone(), control).await?;
            output.print(&[Changed::new(&server, state)], |states| changed(states))
        }
        ServerVerb::Resume { server } => {
            let server = ServerRef::parse(server);
            let state = driver.resume(server.clone(), control).await?;
            output.print(&[Changed::new(&server, state)], |states| changed(states))
        }
        ServerVerb::Delete { server, keep_disks } => {
            for server in ServerVerb::servers(server) {
                delete(driver, &server, !keep_disks, control).await?;
            }
            output.print(&serde_json::json!({"deleted": server}), |_| {
                let mut table = Table::with(&["Deleted"]);
                for server in server {
                    table.row([server]);
                }
                table
            })
        }
    }
}

/// The driver counts a server that is not there as deleted; who types its name wants to know.
async fn delete(
    driver: &Driver,
    server: &ServerRef,
    destroy_disks: bool,
    control: &Control,
) -> Result<()> {
    let found = driver.list().await?;
    let wanted = server.partition();
    let summary = found.iter().find(|found| match server {
        ServerRef::Name(name) => found.name == *name,
        ServerRef::Uuid(_) => Some(found.id) == wanted,
    });
    let Some(summary) = summary else {
        return Err(Error::operation(
            ErrorKind::NotFound,
            format!("there is no server {server}"),
            "list the servers to see their names",
        ));
    };
    let request = DestroyRequest {
        instance: summary.id.as_uuid(),
        name: None,
        destroy_disks,
        volumes: Vec::new(),
    };
    driver.destroy(request, control).await
}

async fn request(create: &Create) -> Result<SpawnRequest> {
    Ok(SpawnRequest {
        instance: match create.uuid {
            Some(uuid) => uuid,
            None => random_uuid()?,
        },
        name: create.name.clone(),
        flavor: Flavor {
            vcpus: create.vcpus,
            memory_mb: create.memory,
            root_gb: create.disk,
            extra_specs: create.property.iter().cloned().collect(),
        },
        image: match &create.image {
            None => None,
            Some(image) => {
                let (name, checksum) = (&create.image_name, &create.image_checksum);
                Some(image_of(image, name.as_deref(), checksum.as_deref()).await?)
            }
        },
        volumes: connections(&create.volume)?,
        metadata: Metadata::from_iter(
            create
                .os_distro
                .iter()
                .map(|distro| ("image_os_distro".to_owned(), distro.clone())),
        ),
        networks: create.network.clone(),
        config_drive: config_drive(&create.drive)?,
        power_on: !create.no_start,
    })
}

/// The image in a file or behind a URL.
pub(super) async fn image_of(
    given: &str,
    name: Option<&str>,
    checksum: Option<&str>,
) -> Result<Image> {
    if given.starts_with("http://") || given.starts_with("https://") {
        return Image::from_url(given, name, checksum).await;
    }
    let path = Path::new(given);
    match checksum {
        None => Image::from_file(path, name).await,
        Some(checksum) => Image::described_file(path, name, checksum).await,
    }
}

/// The config drive that these options ask for.
pub(super) fn config_drive(asked: &Drive) -> Result<Option<ConfigDrive>> {
    let mut drive = ConfigDrive {
        hostname: asked.hostname.clone(),
        user_data: asked.user_data.as_deref().map(read).transpose()?,
        metadata: asked.meta.iter().cloned().collect(),
        ..ConfigDrive::default()
    };
    for path in &asked.public_key {
        let key = String::from_utf8(read(path)?).map_err(|error| {
            Error::caused(
                ErrorKind::Invalid,
                format!("{} is no key file", path.display()),
                "give a public key",
                error,
            )
        })?;
        let name = path
            .file_stem()
            .map_or_else(|| "key".into(), |name| name.to_string_lossy());
        drive
            .public_keys
            .insert(name.into_owned(), key.trim().to_owned());
    }
    for (guest, path) in &asked.file {
        drive.files.insert(guest.clone(), read(Path::new(path))?);
    }
    let wanted = asked.config_drive
        || drive.hostname.is_some()
        || drive.user_data.is_some()
        || !(drive.metadata.is_empty() && drive.public_keys.is_empty() && drive.files.is_empty());
    Ok(wanted.then_some(drive))
}

fn read(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).map_err(|error| {
        let what = format!("{} cannot be read: {error}", path.display());
        Error::caused(
            ErrorKind::Local,
            what,
            "give a file that this user can read",
            error,
        )
    })
}

fn random_uuid() -> Result<Uuid> {
    let bits = u128::from(random()?) << 64 | u128::from(random()?);
    Ok(uuid::Builder::from_random_bytes(bits.to_be_bytes()).into_uuid())
}

#[derive(Serialize)]
struct Created {
    instance: Uuid,
    #[serde(flatten)]
    server: Server,
}

#[derive(Serialize)]
struct Changed {
    server: String,
    status: PowerState,
}

impl Changed {
    fn new(server: &ServerRef, status: PowerState) -> Self {
        let server = match server {
            ServerRef::Uuid(uuid) => uuid.to_string(),
            ServerRef::Name(name) => name.clone(),
        };
        Self { server, status }
    }
}

fn changed(states: &[Changed]) -> Table {
    let mut table = Table::with(&["Server", "Status"]);
    for state in states {
        table.row([state.server.clone(), state.status.to_string()]);
    }
    table
}

fn listed(servers: &[ServerSummary]) -> Table {
    let mut table = Table::with(&["ID", "Name", "Status", "State", "RMC"]);
    for server in servers {
        let id = server.id.as_uuid().to_string();
        table.row([
            id,
            server.name.clone(),
            server.status.to_string(),
            server.state.clone(),
            server.rmc.clone(),
        ]);
    }
    table
}

pub(super) fn shown(server: &Server) -> Table {
    let summary = &server.summary;
    let mut table = Table::of_fields();
    table
        .field("id", summary.id.as_uuid())
        .field("name", &summary.name)
        .field("status", summary.status)
        .field("state", &summary.state)
        .field(
            "partition_id",
            summary
                .partition_id
                .map_or_else(String::new, |id| id.to_string()),
        )
        .field("rmc", &summary.rmc)
        .field("memory_mb", server.memory_mb)
        .field("vcpus", server.vcpus);
    if let Some(units) = server.proc_units {
        table.field("proc_units", units);
    }
    if let Some(code) = &server.reference_code {
        table.field("reference_code", code);
    }
    for interface in &server.interfaces {
        let part = |name: &str, value: Option<String>| value.map(|value| format!("{name} {value}"));
        let parts = [
            interface.mac.map(|mac| mac.to_string()),
            part("VLAN", interface.vlan.map(|vlan| vlan.to_string())),
            part("on", interface.switch.clone()),
            part("slot", interface.slot.map(|slot| slot.to_string())),
        ];
        table.field(
            "interface",
            parts.into_iter().flatten().collect::<Vec<_>>().join(", "),
        );
    }
    for storage in &server.storage {
        table.field(
            "storage",
            format!("{} through {}", storage.name, storage.served_by),
        );
    }
    table
}
