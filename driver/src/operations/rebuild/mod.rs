//! Gives a server a new boot disk and config drive in the place of those that it has.
//!
//! The partition stays, with its number, interfaces, volumes, slots and NVRAM. What comes has names of its own, so that
//! what goes is there until nothing can fail any more (`docs/decisions/rebuild.md`).

mod old;
mod run;

use std::sync::Arc;

use powervm_schema::partition::{LogicalPartition, PartitionType};
use powervm_schema::xml::Element;
use uuid::Uuid;

use self::old::Old;
pub(super) use self::run::Rebuild;
use self::run::{Asked, Made, Order};
use super::control::Control;
use super::driver::{Driver, path_of};
use super::imaged::{self, Boarded, DiskNames, DiskNotes, ImageNames};
use super::operation::{Notes, Operation};
use super::plug;
use super::target::Target;
use super::volume::Metadata;
use super::{power, reach, recovery, unfinished};
use crate::error::{Error, ErrorKind, Result};
use crate::host::Vios;
use crate::host::switches::MANAGEMENT;
use crate::network::NetworkInterface;
use crate::partition::PartitionUuid;
use crate::partition::state::{is_startable, is_stoppable};
use crate::rest::Groups;
use crate::storage::image::Image;
use crate::storage::media::ConfigDrive;
use crate::storage::media::config_drive::{PluggedInterface, Subject};

/// A server to be made anew where it is.
#[derive(Debug, Clone)]
pub struct RebuildRequest {
    /// The instance's UUID.
    pub instance: Uuid,
    /// The server's name as it was made with, for the config drive; the partition's own serves otherwise.
    pub name: Option<String>,
    /// What its boot disk is to hold; nothing for a server that boots from a volume, which keeps it.
    pub image: Option<Image>,
    /// GB that its boot disk is to have at least; 0 for as many as it has.
    pub root_gb: u64,
    /// What the guest is to be told; without, it has no config drive any more.
    pub config_drive: Option<ConfigDrive>,
    /// What the config drive tells of the interfaces with these addresses; of others, it tells what the host knows.
    pub networks: Vec<NetworkInterface>,
    /// What is kept for the instance: the operating system of the image, as `image_os_distro`.
    pub metadata: Metadata,
}

impl Driver {
    /// Powers a server off, gives it a boot disk with this image and a new config drive in the place of those that it
    /// has, and powers it on again if it ran. Its volumes stay attached, and it keeps its number, interfaces, slots and
    /// NVRAM. What was on its boot disk is lost.
    ///
    /// A failed or cancelled call leaves the server as it was, and running if it ran, but for a cached image. Once the
    /// old disk is about to go, it goes on to its end; a call that fails after that is finished by the next start, or
    /// by the same call.
    ///
    /// # Errors
    /// Before anything is changed: no such server; an image for one that boots from a volume, or none for one that does
    /// not; one that is being rescued; a Virtual I/O Server that serves it and is out of reach. Then [`Error::Saga`]
    /// with the step that failed.
    pub async fn rebuild(&self, request: RebuildRequest, control: &Control) -> Result<()> {
        let uuid = PartitionUuid::of_instance(request.instance);
        if !control.is_dry_run() {
            self.finish_rebuilds(uuid, control).await?;
        }
        let turn = self.shared.instances.take(&uuid).await;
        unfinished::refuse(self, uuid).await?;
        let flight = request.image.as_ref().map(|image| Boarded::of(self, image));
        let (asked, vioses, target) = self.plan_rebuild(uuid, &request).await?;
        let steps = control.for_steps();
        let rebuild = Arc::new(Rebuild {
            driver: self.clone(),
            control: steps.clone(),
            vioses,
            target,
            asked,
            order: Some(Order { request }),
            is_gone: false,
            is_past_return: false,
            notes: Notes::new(Made {
                disk: DiskNotes::boarded(flight),
                ..Made::default()
            }),
            _turn: turn,
        });
        let done = self.perform(&rebuild, control, &steps).await;
        let is_decided = rebuild.is_decided();
        drop(rebuild);
        match done {
            Err(error) if is_decided => {
                control.warn(format!(
                    "the server is made anew, and what it had is still to be removed: {error}"
                ));
                self.finish_rebuilds(uuid, control).await?;
            }
            done => done?,
        }
        self.keep_slots_if_possible(uuid, control).await;
        Ok(())
    }

    /// Brings to their ends what earlier calls have begun: an operation that follows must not find two disks.
    pub(super) async fn finish_rebuilds(
        &self,
        partition: PartitionUuid,
        control: &Control,
    ) -> Result<()> {
        for record in unfinished::of(self, partition, &[Rebuild::KIND]).await? {
            recovery::take_up(self, &record, control).await?;
        }
        Ok(())
    }

    async fn plan_rebuild(
        &self,
        uuid: PartitionUuid,
        request: &RebuildRequest,
    ) -> Result<(Asked, Vec<Vios>, Target)> {
        let target = Target::read(self, uuid).await?;
        let entry = self
            .session()
            .get_entry(&path_of(uuid), Groups::None)
            .await?;
        refuse_other_system(&target.name, &entry.content, &request.metadata)?;
        let state = power::state_of(self.session(), uuid).await?;
        if !is_stoppable(&state) && !is_startable(&state) {
            return Err(Error::operation(
                ErrorKind::Precondition,
                format!("{} is {state} and cannot be powered off", target.name),
                "wait until it is done",
            ));
        }
        let seen = self.mappings().await?;
        let so = format!("the disks of {} cannot be exchanged", target.name);
        let vioses = reach::all_that_serve(self, uuid, &seen, &so).await?;
        let old = Old::find(self, &target, &seen, &vioses).await?;
        let disk = match (&request.image, &old.disk) {
            (Some(image), Some(disk)) => {
                let server = request.name.as_deref().unwrap_or(&target.name);
                let (unit, name) = disk.successors(server);
                Some(DiskNames {
                    namesakes: imaged::namesakes(self, &unit, &name).await?,
                    unit,
                    disk: name,
                    image: ImageNames::of(image),
                    tag: self.tag(),
                })
            }
            (None, None) => None,
            (Some(_), None) => return Err(boots_from_volume(&target.name)),
            (None, Some(_)) => {
                return Err(Error::invalid(
                    format!("there is nothing to make {} from", target.name),
                    "give an image",
                ));
            }
        };
        let asked = Asked {
            instance: request.instance,
            server: request.name.clone().unwrap_or_else(|| target.name.clone()),
            was_on: is_stoppable(&state),
            servers: vioses.iter().map(|vios| vios.uuid.clone()).collect(),
            gigabytes: match (request.root_gb, &old.disk) {
                (0, Some(disk)) => disk.gigabytes,
                (asked, _) => asked,
            },
            disk,
            drive: match request.config_drive {
                Some(_) => Some(old.next_drive(request.instance)?),
                None => None,
            },
            old,
        };
        Ok((asked, vioses, target))
    }
}

/// A server's interfaces as its config drive tells of them, and the image of that drive.
async fn drive_image(driver: &Driver, asked: &Asked, request: &RebuildRequest) -> Result<Vec<u8>> {
    let Some(drive) = &request.config_drive else {
        return Err(Error::internal("there is no config drive to be made"));
    };
    let uuid = PartitionUuid::of_instance(asked.instance);
    let (mut interfaces, mut management) = (Vec::new(), None);
    for plugged in plug::interfaces(driver, uuid).await? {
        let Some(mac) = plugged.info.mac else {
            continue;
        };
        if plugged.info.switch.as_deref() == Some(MANAGEMENT) {
            management = Some(mac);
            continue;
        }
        let told = request.networks.iter().find(|told| told.mac == Some(mac));
        let interface = match told {
            Some(told) => told.clone(),
            None => NetworkInterface::on_vlan(plugged.info.vlan.unwrap_or_default()),
        };
        interfaces.push(PluggedInterface { interface, mac });
    }
    let tells_management = driver.config().use_rmc_ipv6_scheme;
    drive.image(&Subject {
        partition: uuid,
        name: &asked.server,
        interfaces: &interfaces,
        management: management.filter(|_| tells_management),
    })
}

/// A partition stays of its kind: one for IBM i starts nothing else, and no other starts IBM i.
fn refuse_other_system(server: &str, document: &Element, metadata: &Metadata) -> Result<()> {
    let Some(is_asked) = super::ibmi::is_told(metadata) else {
        return Ok(());
    };
    let kind = LogicalPartition(document)
        .partition()
        .partition_type()
        .ok()
        .flatten();
    if is_asked == (kind == Some(PartitionType::Os400)) {
        return Ok(());
    }
    Err(Error::operation(
        ErrorKind::Precondition,
        format!(
            "the partition of {server} was made for another operating system than the image has"
        ),
        "delete the server and make it anew, or choose another image",
    ))
}

fn boots_from_volume(server: &str) -> Error {
    Error::operation(
        ErrorKind::Precondition,
        format!(
            "{server} has no boot disk of its own that an image could replace: it boots from a volume"
        ),
        "leave the image out to make its config drive anew; what is on the volume is for its storage to replace",
    )
}
