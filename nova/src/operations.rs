//! The driver's operations by the names that Python calls them.

use std::sync::Arc;
use std::time::Duration;

use powervm_driver::devices::Machine;
use powervm_driver::operations::{
    ArriveRequest, Before, ConfirmRequest, Control, DepartRequest, Destination, DestroyRequest,
    Reboot, RescueRequest, RevertRequest, SnapshotRequest, Stop,
};
use powervm_driver::operations::{Driver, NovaMethod, PlugEvents};
use powervm_driver::storage::capture::CaptureTarget;
use powervm_driver::storage::image::Feed;
use powervm_driver::storage::names;
use serde::Serialize;
use serde_json::Value;

use crate::migration;
use crate::request::{
    self, Arriving, Cache, Destroy, Move, One, Plug, Prune, Rebuild, Rescue, Spawn, Unplug,
    Volumes, read,
};
use crate::trouble::Trouble;

/// What goes along with a request and is no plain data.
#[derive(Default)]
pub struct Along {
    /// Where an image comes from.
    pub feed: Option<Arc<dyn Feed>>,
    /// Where an image goes.
    pub target: Option<CaptureTarget>,
    /// Who hears from Neutron that ports are connected.
    pub plugs: Option<Arc<dyn PlugEvents>>,
}

/// Does an operation and tells what came of it.
///
/// # Errors
/// A request that cannot be read, an unknown name, and what the operation fails with.
pub async fn perform(
    driver: &Driver,
    name: &str,
    request: &Value,
    along: Along,
    control: &Control,
) -> Result<Value, Trouble> {
    let Along {
        feed,
        target,
        plugs,
    } = along;
    let control = &match plugs {
        Some(plugs) => control.clone().waiting_for_plugs(plugs),
        None => control.clone(),
    };
    if let Some(told) = look(driver, name, request).await {
        return told;
    }
    if let Some(told) = migration::perform(driver, name, request, control).await? {
        return Ok(told);
    }
    match name {
        "spawn" | "arrive_from_disk" => {
            let asked: Spawn = read(request)?;
            let (is_there, place) = (asked.existing_disk, asked.place.clone());
            let asked = asked.request(feed)?;
            tell(if is_there {
                driver.evacuate(asked, place, control).await?
            } else {
                driver.spawn(asked, control).await?
            })
        }
        "monitor" => tell(driver.monitor(true, control).await?),
        "rebuild" => {
            let asked: Rebuild = read(request)?;
            tell(driver.rebuild(asked.request(feed)?, control).await?)
        }
        "destroy" => {
            let asked: Destroy = read(request)?;
            let asked = DestroyRequest {
                instance: asked.instance,
                name: asked.name,
                destroy_disks: asked.destroy_disks,
                volumes: request::connections(&asked.volumes)?,
            };
            tell(driver.destroy(asked, control).await?)
        }
        "start" | "stop" | "reboot" | "dump" | "suspend" | "resume" => {
            power(driver, name, &read(request)?, control).await
        }
        "attach_volumes" => {
            let asked: Volumes = read(request)?;
            tell(driver.attach_volumes(asked.request()?, control).await?)
        }
        "detach_volumes" => {
            let asked: Volumes = read(request)?;
            tell(driver.detach_volumes(asked.request()?, control).await?)
        }
        "extend_volumes" => {
            let asked: Volumes = read(request)?;
            tell(driver.extend_volumes(asked.request()?, control).await?)
        }
        "attach_interface" => {
            let asked: Plug = read(request)?;
            let port = asked.port.try_into()?;
            tell(
                driver
                    .attach_interface(asked.instance, port, control)
                    .await?,
            )
        }
        "detach_interface" => {
            let asked: Unplug = read(request)?;
            let mac = asked
                .mac
                .parse()
                .map_err(|error| Trouble::invalid(format!("the port's address: {error}")))?;
            tell(
                driver
                    .detach_interface(asked.instance, mac, control)
                    .await?,
            )
        }
        "rescue" => {
            let asked: Rescue = read(request)?;
            let Some(feed) = feed else {
                return Err(Trouble::invalid("there is an image but no download"));
            };
            let asked = RescueRequest {
                instance: asked.instance,
                name: asked.name,
                image: asked.image.fed(feed),
            };
            tell(driver.rescue(asked, control).await?)
        }
        "cache_image" => {
            let asked: Cache = read(request)?;
            let Some(feed) = feed else {
                return Err(Trouble::invalid("there is an image but no download"));
            };
            tell(driver.cache_image(asked.image.fed(feed), control).await?)
        }
        "prune_images" => {
            let asked: Prune = read(request)?;
            let keep = asked.keep.into_iter().map(names::image_virtual_disk);
            tell(driver.prune_images(&keep.collect(), control).await?)
        }
        "unrescue" => {
            let asked: One = read(request)?;
            tell(driver.unrescue(asked.instance, asked.name, control).await?)
        }
        "snapshot" => {
            let asked: One = read(request)?;
            let Some(target) = target else {
                return Err(Trouble::invalid("there is no place for the image"));
            };
            let asked = SnapshotRequest {
                server: asked.instance.into(),
                target,
            };
            tell(driver.snapshot(asked, control).await?)
        }
        "depart" | "arrive" | "confirm" | "revert" => {
            change(driver, name, read(request)?, control).await
        }
        "recover" => {
            let recovered = driver.recover(control).await?;
            let told = recovered.into_iter().map(|found| {
                let trouble = found.result.err().map(Trouble::from);
                serde_json::json!({"title": found.was.title, "trouble": trouble})
            });
            Ok(told.collect())
        }
        name => Err(Trouble::invalid(format!("there is no operation '{name}'"))),
    }
}

/// What Nova asked for when an operation of this name is done.
#[must_use]
pub fn method(name: &str, request: &Value) -> NovaMethod {
    if let Some(method) = migration::method(name) {
        return method;
    }
    match name {
        "spawn" if request.get("existing_disk") == Some(&Value::Bool(true)) => NovaMethod::Rebuild,
        "spawn" => NovaMethod::Spawn,
        "rebuild" => NovaMethod::Rebuild,
        "destroy" => NovaMethod::Destroy,
        "start" => NovaMethod::PowerOn,
        "stop" => NovaMethod::PowerOff,
        "reboot" | "dump" => NovaMethod::Reboot,
        "suspend" => NovaMethod::Suspend,
        "resume" => NovaMethod::Resume,
        "attach_volumes" => NovaMethod::AttachVolume,
        "detach_volumes" => NovaMethod::DetachVolume,
        "extend_volumes" => NovaMethod::ExtendVolume,
        "attach_interface" => NovaMethod::AttachInterface,
        "detach_interface" => NovaMethod::DetachInterface,
        "snapshot" => NovaMethod::Snapshot,
        "rescue" => NovaMethod::Rescue,
        "unrescue" => NovaMethod::Unrescue,
        "depart" => NovaMethod::Resize,
        "arrive" | "arrive_from_disk" => NovaMethod::FinishMigration,
        "confirm" => NovaMethod::ConfirmMigration,
        "revert" => NovaMethod::RevertMigration,
        "open_console" => NovaMethod::Console,
        "images" | "cache_image" | "prune_images" => NovaMethod::Images,
        "recover" => NovaMethod::InitHost,
        "power_state" | "volume_connector" | "arriving_connector" | "instance_on_disk"
        | "diagnostics" => NovaMethod::Instance,
        _ => NovaMethod::Host,
    }
}

/// Operations that only look; none for other names.
async fn look(driver: &Driver, name: &str, request: &Value) -> Option<Result<Value, Trouble>> {
    let looked = async {
        match name {
            "host" => Some(tell(driver.host().await?)),
            "capacity" => Some(tell(driver.capacity().await?)),
            "images" => Some(tell(driver.images().await?)),
            "list" => Some(tell(driver.list().await?)),
            "sriov" => Some(tell(driver.sriov().await?)),
            "uptime" => Some(tell(driver.uptime().await?)),
            "host_meters" => Some(tell(driver.host_meters().await?)),
            "clock" => {
                let machine = Machine::default();
                Some(tell(driver.clock_mhz_beside(&machine).await?))
            }
            "diagnostics" => {
                let asked: One = read(request)?;
                Some(tell(driver.diagnostics(asked.instance).await?))
            }
            "arriving_connector" => {
                let asked: Arriving = read(request)?;
                let connector = driver.arriving_connector(asked.instance, asked.metadata);
                Some(tell(connector.await?))
            }
            "power_state" => {
                let asked: One = read(request)?;
                Some(tell(driver.power_state(asked.instance).await?))
            }
            "instance_on_disk" => {
                let asked: One = read(request)?;
                let name = asked.name.unwrap_or_default();
                Some(tell(driver.instance_on_disk(asked.instance, &name).await?))
            }
            "volume_connector" => {
                let asked: Volumes = read(request)?;
                let server = asked.server();
                Some(tell(driver.volume_connector(server, asked.metadata).await?))
            }
            "open_console" => {
                let asked: One = read(request)?;
                Some(tell(driver.open_console(asked.instance).await?))
            }
            _ => None,
        }
        .map_or(Ok(None), |told| told.map(Some))
    };
    looked.await.transpose()
}

async fn power(
    driver: &Driver,
    name: &str,
    asked: &One,
    control: &Control,
) -> Result<Value, Trouble> {
    let instance = asked.instance;
    tell(match (name, asked.hard) {
        ("start", _) => driver.start(instance, control).await?,
        ("stop", false) => driver.stop(instance, Stop::Graceful, control).await?,
        ("stop", true) => driver.stop(instance, Stop::Hard, control).await?,
        ("reboot", false) => driver.reboot(instance, Reboot::Soft, control).await?,
        ("reboot", true) => driver.reboot(instance, Reboot::Hard, control).await?,
        ("suspend", _) => driver.suspend(instance, control).await?,
        ("resume", _) => driver.resume(instance, control).await?,
        _ => driver.dump(instance, control).await?,
    })
}

/// The parts of a resize and of a cold migration.
async fn change(
    driver: &Driver,
    name: &str,
    asked: Move,
    control: &Control,
) -> Result<Value, Trouble> {
    let (instance, name_of_it) = (asked.instance, Some(asked.name.clone()));
    let volumes = request::connections(&asked.volumes)?;
    match name {
        "depart" => {
            let asked = DepartRequest {
                instance,
                name: name_of_it,
                destination: if asked.other_host {
                    Destination::OtherHost
                } else {
                    Destination::SameHost
                },
                flavor: asked.flavor.into(),
                from_gb: asked.from_gb,
                timeout: asked.timeout.map(Duration::from_secs),
                volumes,
                metadata: asked.metadata,
            };
            tell(driver.migrate_disk_and_power_off(asked, control).await?)
        }
        "arrive" => {
            let asked = ArriveRequest {
                instance,
                name: asked.name,
                flavor: asked.flavor.into(),
                power_on: asked.power_on,
                volumes,
                metadata: asked.metadata,
            };
            tell(driver.finish_migration(asked, control).await?)
        }
        "confirm" => {
            let asked = ConfirmRequest {
                instance,
                name: name_of_it,
            };
            tell(driver.confirm_migration(asked, control).await?)
        }
        _ => {
            let asked = RevertRequest {
                instance,
                name: name_of_it,
                before: Before::Flavor(Box::new(asked.flavor.into())),
                power_on: asked.power_on,
                volumes,
                metadata: asked.metadata,
            };
            tell(driver.finish_revert_migration(asked, control).await?)
        }
    }
}

pub(crate) fn tell<T: Serialize>(told: T) -> Result<Value, Trouble> {
    serde_json::to_value(told)
        .map_err(|error| Trouble::internal(format!("the result cannot be told: {error}")))
}
