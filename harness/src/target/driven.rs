//! A host through the driver: the same code for the embedded simulator and for any endpoint.

use std::collections::BTreeSet;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use powervm_driver::config::{Config, DiskDriver};
use powervm_driver::network::NetworkInterface;
use powervm_driver::operations::{
    Control, DestroyRequest, Driver, Progress, Reboot, Server, SpawnRequest, Stop, StorageKind,
};
use powervm_driver::partition::Flavor;
use powervm_driver::rest::Session;
use powervm_driver::saga::Phase;
use powervm_driver::storage::image::{Image as DriverImage, ImageSource};
use powervm_driver::storage::media::ConfigDrive;
use powervm_driver::{Error, ErrorKind};
use tokio_util::sync::CancellationToken;

use crate::audit::Inventory;
use crate::image::{Image, Origin};
use crate::scenario::{Disk, RebootKind, RefusalKind};
use crate::survey::Survey;

use super::look::Look;
use super::{
    Capacity, Content, Failure, Host, Instance, Meter, Order, PhaseWatch, ServerView, Traffic,
};

impl From<Disk> for DiskDriver {
    fn from(disk: Disk) -> Self {
        match disk {
            Disk::Ssp => Self::Ssp,
            Disk::Localdisk => Self::LocalDisk,
        }
    }
}

/// A host that the driver drives.
pub struct Driven {
    disk: Disk,
    driver: Driver,
    session: Session,
    meter: Arc<Meter>,
    look: Box<dyn Look>,
}

impl Driven {
    /// Connects the driver.
    ///
    /// # Errors
    /// When the host cannot be driven with this configuration.
    pub async fn connect(
        session: Session,
        disk: Disk,
        config: Config,
        meter: Arc<Meter>,
        look: Box<dyn Look>,
    ) -> powervm_driver::Result<Self> {
        let config = Config {
            disk_driver: disk.into(),
            ..config
        };
        let driver = Driver::connect(session.clone(), config).await?;
        Ok(Self {
            disk,
            driver,
            session,
            meter,
            look,
        })
    }
}

/// Goes along with an operation of the driver.
fn control(watch: PhaseWatch, cancel: &CancellationToken) -> Control {
    let note = move |progress: &Progress| {
        let Progress::Step(event) = progress else {
            return;
        };
        match &event.phase {
            Phase::Begin => watch(&event.step, None),
            Phase::End { .. } => watch(&event.step, Some(true)),
            Phase::Failed { .. } => watch(&event.step, Some(false)),
            _ => {}
        }
    };
    Control::default()
        .watched_by(note)
        .cancelled_by(cancel.clone())
}

fn request(order: &Order) -> SpawnRequest {
    SpawnRequest {
        instance: order.instance.uuid,
        name: order.instance.name.clone(),
        flavor: Flavor {
            vcpus: order.vcpus,
            memory_mb: order.memory_mb,
            root_gb: order.root_gb,
            extra_specs: order.extra_specs.clone(),
        },
        image: Some(image(&order.image)),
        volumes: Vec::new(),
        metadata: std::collections::BTreeMap::new(),
        networks: order
            .networks
            .iter()
            .map(|vlan| NetworkInterface::on_vlan(*vlan))
            .collect(),
        config_drive: order.config_drive.then(ConfigDrive::default),
        power_on: order.power_on,
    }
}

fn image(image: &Image) -> DriverImage {
    DriverImage {
        id: image.uuid,
        name: image.name.clone(),
        checksum: image.md5.clone(),
        size: image.bytes,
        source: match &image.origin {
            Origin::Memory(bytes) => ImageSource::Bytes(bytes.clone()),
            Origin::File(path) => ImageSource::File(path.clone()),
            Origin::Temporary(path) => ImageSource::File(path.to_path_buf()),
        },
    }
}

fn view(server: &Server) -> ServerView {
    ServerView {
        name: server.summary.name.clone(),
        state: server.summary.state.clone(),
        vcpus: Some(server.vcpus),
        memory_mb: Some(server.memory_mb),
    }
}

fn failure(error: &Error) -> Failure {
    Failure {
        kind: kind(error),
        message: error.to_string(),
    }
}

/// What servers say when something is used up or taken: message identifiers of the hypervisor and of AIX's volume
/// manager, and the words of the pool.
const SERVER_WORDS: [(&str, RefusalKind); 6] = [
    ("HSCL03EC", RefusalKind::NoMemory),
    ("HSCL03F4", RefusalKind::NoProcessors),
    ("HSCL05DE", RefusalKind::NameInUse),
    ("exists already in the pool", RefusalKind::NameInUse),
    ("0516-404", RefusalKind::NoSpace),
    ("has not enough free space", RefusalKind::NoSpace),
];

/// The driver sorts errors by what a caller can do; which of several things is used up, the words say.
fn kind(error: &Error) -> RefusalKind {
    let text = error.to_string();
    match error.kind() {
        ErrorKind::Invalid => RefusalKind::BadFlavor,
        ErrorKind::Exists => RefusalKind::NameInUse,
        ErrorKind::NotFound => RefusalKind::NotFound,
        ErrorKind::Cancelled => RefusalKind::Cancelled,
        ErrorKind::NoSpace if text.contains("memory") => RefusalKind::NoMemory,
        ErrorKind::NoSpace if text.contains("process") => RefusalKind::NoProcessors,
        ErrorKind::NoSpace => RefusalKind::NoSpace,
        _ => {
            let known = SERVER_WORDS.iter().find(|(words, _)| text.contains(words));
            known.map_or(RefusalKind::Other, |(_, kind)| *kind)
        }
    }
}

impl Host for Driven {
    fn create<'a>(
        &'a self,
        order: &'a Order,
        watch: PhaseWatch,
        cancel: &'a CancellationToken,
    ) -> BoxFuture<'a, Result<ServerView, Failure>> {
        Box::pin(async move {
            let server = self
                .driver
                .spawn(request(order), &control(watch, cancel))
                .await;
            server
                .map(|server| view(&server))
                .map_err(|error| failure(&error))
        })
    }

    fn show<'a>(&'a self, instance: &'a Instance) -> BoxFuture<'a, Result<ServerView, Failure>> {
        Box::pin(async move {
            let server = self.driver.show(instance.uuid).await;
            server
                .map(|server| view(&server))
                .map_err(|error| failure(&error))
        })
    }

    fn list(&self) -> BoxFuture<'_, Result<Vec<String>, Failure>> {
        Box::pin(async move {
            let servers = self.driver.list().await.map_err(|error| failure(&error))?;
            Ok(servers.into_iter().map(|server| server.name).collect())
        })
    }

    fn stop<'a>(
        &'a self,
        instance: &'a Instance,
        watch: PhaseWatch,
        cancel: &'a CancellationToken,
    ) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(async move {
            let stopped = self
                .driver
                .stop(instance.uuid, Stop::Graceful, &control(watch, cancel))
                .await;
            stopped.map(drop).map_err(|error| failure(&error))
        })
    }

    fn start<'a>(
        &'a self,
        instance: &'a Instance,
        watch: PhaseWatch,
        cancel: &'a CancellationToken,
    ) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(async move {
            let started = self
                .driver
                .start(instance.uuid, &control(watch, cancel))
                .await;
            started.map(drop).map_err(|error| failure(&error))
        })
    }

    fn reboot<'a>(
        &'a self,
        instance: &'a Instance,
        kind: RebootKind,
        watch: PhaseWatch,
        cancel: &'a CancellationToken,
    ) -> BoxFuture<'a, Result<(), Failure>> {
        let kind = match kind {
            RebootKind::Soft => Reboot::Soft,
            RebootKind::Hard => Reboot::Hard,
        };
        Box::pin(async move {
            let rebooted = self
                .driver
                .reboot(instance.uuid, kind, &control(watch, cancel))
                .await;
            rebooted.map(drop).map_err(|error| failure(&error))
        })
    }

    fn delete<'a>(
        &'a self,
        instance: &'a Instance,
        watch: PhaseWatch,
        cancel: &'a CancellationToken,
    ) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(async move {
            let request = DestroyRequest {
                name: Some(instance.name.clone()),
                ..DestroyRequest::of(instance.uuid)
            };
            let destroyed = self.driver.destroy(request, &control(watch, cancel)).await;
            destroyed.map(drop).map_err(|error| failure(&error))
        })
    }

    fn capacity(&self) -> BoxFuture<'_, Result<Capacity, Failure>> {
        Box::pin(async move {
            let survey = Survey::read(&self.session)
                .await
                .map_err(|error| failure(&error))?;
            Ok(survey.capacity(self.disk, &self.driver.config().volume_group_name))
        })
    }

    fn inventory(&self) -> BoxFuture<'_, Result<Vec<Inventory>, Failure>> {
        Box::pin(async move {
            let survey = Survey::read(&self.session)
                .await
                .map_err(|error| failure(&error))?;
            let mut views = vec![survey.inventory()];
            views.extend(self.look.inventories().await?);
            Ok(views)
        })
    }

    fn content<'a>(&'a self, instance: &'a Instance) -> BoxFuture<'a, Content> {
        Box::pin(async move {
            let server = match self.driver.show(instance.uuid).await {
                Ok(server) => server,
                Err(error) => return Content::Missing(error.to_string()),
            };
            let disks: BTreeSet<String> = server
                .storage
                .into_iter()
                .filter(|storage| {
                    matches!(
                        storage.kind,
                        StorageKind::LogicalUnit | StorageKind::VirtualDisk
                    )
                })
                .map(|storage| storage.name)
                .collect();
            let disks: Vec<String> = disks.into_iter().collect();
            self.look.content(instance, &disks).await
        })
    }

    fn traffic(&self) -> Traffic {
        self.meter.read()
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            if let Err(error) = self.session.logoff().await {
                tracing::info!(%error, "the logoff was not heard; the session will expire");
            }
        })
    }
}
