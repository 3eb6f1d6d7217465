//! The steps of a resize, and the ways back.

use std::sync::Arc;
use std::time::Duration;

use powervm_schema::partition::LogicalPartition;
use powervm_schema::xml::Element;
use serde::{Deserialize, Serialize};
use tokio::sync::OwnedMutexGuard;
use uuid::Uuid;

use super::disk::{self, Growth};
use super::request::{Destination, DiskInfo};
use crate::error::{Error, ErrorKind, Result};
use crate::operations::control::Control;
use crate::operations::driver::{Disks, Driver, path_of};
use crate::operations::operation::{Notes, Operation, Plan};
use crate::operations::{jobs, power};
use crate::partition::name::{migrating_name, partition_name, resizing_name};
use crate::partition::power::{POWER_OFF as POWER_OFF_JOB, POWER_ON as POWER_ON_JOB};
use crate::partition::{Configuration, PartitionUuid, Sizing, document};
use crate::rest::Groups;
use crate::saga::{Saga, Step};
use crate::transaction::{self, Changed};

pub(super) const POWER_OFF: &str = "power off";
pub(super) const RENAME: &str = "rename the partition";
pub(super) const SIZE: &str = "change processors and memory";
const DISK: &str = "grow the boot disk";
pub(super) const POWER_ON: &str = "power on";

/// Which part of a resize.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::operations) enum Part {
    /// All of it, on this host.
    Whole,
    /// All of it, as it runs.
    Live,
    /// The server leaves.
    Leave(Destination),
    /// It arrives on the host that it left.
    Arrive {
        /// Whether it is to run then.
        power_on: bool,
    },
}

/// A partition's name, and the one that it bears while its resize is to be confirmed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(in crate::operations) struct TwoNames {
    pub(super) usual: String,
    pub(super) temporary: String,
}

impl TwoNames {
    pub(super) fn of(server: &str, part: Part) -> Result<Self> {
        let temporary = match part {
            Part::Leave(Destination::OtherHost) => migrating_name(server),
            _ => resizing_name(server),
        };
        match (partition_name(server), temporary) {
            (Ok(usual), Ok(temporary)) => Ok(Self { usual, temporary }),
            (Err(error), _) | (_, Err(error)) => Err(Error::caused(
                ErrorKind::Invalid,
                error.to_string(),
                "give the server's name",
                error,
            )),
        }
    }

    /// That the partition bears the name that it should at the beginning of this part.
    pub(super) fn check(&self, now: &str, is_named: bool, part: Part) -> Result<()> {
        let is_leaving = !is_named && super::is_to_be_confirmed(now);
        match part {
            Part::Arrive { .. } if now == self.temporary => Ok(()),
            Part::Arrive { .. } => Err(Error::operation(
                ErrorKind::Precondition,
                format!(
                    "the server's partition is called '{now}', and not '{}'",
                    self.temporary
                ),
                "let it leave first",
            )),
            Part::Live => Ok(()),
            _ if is_leaving || now != self.usual => Err(Error::operation(
                ErrorKind::Exists,
                format!(
                    "the server is being resized or moved already: its partition is called '{now}'"
                ),
                "confirm or revert that first, or give the server's own name",
            )),
            _ => Ok(()),
        }
    }
}

/// What the journal keeps of it.
#[derive(Debug, Serialize, Deserialize)]
pub(in crate::operations) struct Asked {
    pub(super) instance: Uuid,
    /// The server's name as it was made with.
    pub(super) server: String,
    pub(super) part: Part,
    pub(super) names: TwoNames,
    pub(super) before: Configuration,
    pub(super) growth: Option<Growth>,
    pub(super) was_on: bool,
}

/// A resize, or a part of one, on its way.
pub(in crate::operations) struct Resize {
    pub(super) driver: Driver,
    pub(super) control: Control,
    pub(super) uuid: PartitionUuid,
    pub(super) patience: Duration,
    pub(super) asked: Asked,
    /// What it is to become; not needed on the way back.
    pub(super) new: Option<(Sizing, u32)>,
    pub(super) notes: Notes<()>,
    pub(super) _turn: OwnedMutexGuard<()>,
}

/// What is done, and after what. Disks do not shrink, so that they grow comes as late as can be.
fn recipe(asked: &Asked) -> Saga<Resize> {
    let power_off = || Step::new(POWER_OFF, Resize::power_off).undo(Resize::power_on_again);
    let rename = || {
        Step::new(RENAME, Resize::rename)
            .after([POWER_OFF])
            .undo(Resize::rename_back)
    };
    let size = || Step::new(SIZE, Resize::size).undo(Resize::size_back);
    let power_on = || Step::new(POWER_ON, Resize::power_on).undo(Resize::power_off_again);
    let saga = Saga::new(asked.title());
    let (mut saga, mut last) = match asked.part {
        Part::Whole => {
            let saga = saga.step(power_off()).step(rename());
            (saga.step(size().after([RENAME])), SIZE)
        }
        Part::Leave(_) => (saga.step(power_off()).step(rename()), RENAME),
        Part::Live | Part::Arrive { .. } => (saga.step(size()), SIZE),
    };
    if asked.growth.is_some() {
        saga.push(
            Step::new(DISK, Resize::grow)
                .after([last])
                .undo(Resize::stay_grown),
        );
        last = DISK;
    }
    if asked.is_to_run() {
        saga.push(power_on().after([last]));
    }
    saga
}

impl Asked {
    fn title(&self) -> String {
        let server = &self.server;
        match self.part {
            Part::Whole => format!("resize {server}"),
            Part::Live => format!("resize {server} as it runs"),
            Part::Leave(Destination::SameHost) => format!("prepare the resize of {server}"),
            Part::Leave(Destination::OtherHost) => format!("prepare the move of {server}"),
            Part::Arrive { .. } => format!("finish the resize of {server}"),
        }
    }

    fn is_to_run(&self) -> bool {
        match self.part {
            Part::Whole => self.was_on,
            Part::Live | Part::Leave(_) => false,
            Part::Arrive { power_on } => power_on,
        }
    }
}

impl Operation for Resize {
    const KIND: &'static str = "resize";
    const PLAN: Plan = Plan::Undo;
    type Asked = Asked;
    type Notes = ();

    fn asked(&self) -> &Asked {
        &self.asked
    }

    fn notes(&self) -> &Notes<()> {
        &self.notes
    }

    fn recipe(&self) -> Saga<Self> {
        recipe(&self.asked)
    }

    /// Whoever asked for it was never told: the server becomes what it was.
    async fn revive(
        driver: &Driver,
        asked: Asked,
        (): (),
        control: &Control,
    ) -> Result<Option<Self>> {
        let uuid = PartitionUuid::of_instance(asked.instance);
        let turn = driver.shared.instances.take(&uuid).await;
        match power::state_of(driver.session(), uuid).await {
            Err(error) if error.is_not_found() => return Ok(None),
            Err(error) => return Err(error),
            Ok(_) => {}
        }
        Ok(Some(Self {
            driver: driver.clone(),
            control: control.clone(),
            uuid,
            patience: driver.config().shutdown_timeout(),
            asked,
            new: None,
            notes: Notes::default(),
            _turn: turn,
        }))
    }
}

impl Resize {
    /// Where the boot disk is; nothing where the server boots from a volume.
    pub(super) async fn shared_disk(&self) -> Result<Option<DiskInfo>> {
        if !disk::is_there(&self.driver, self.uuid, &self.asked.server).await? {
            return Ok(None);
        }
        match &self.driver.shared.disks {
            Disks::Ssp { pool, .. } => Ok(Some(DiskInfo {
                cluster_name: pool.cluster.clone(),
                ssp_name: pool.name.clone(),
                ssp_uuid: pool.uuid.clone(),
            })),
            Disks::Local(disks) => Err(Error::operation(
                ErrorKind::Precondition,
                format!(
                    "{} cannot go to another host: its boot disk is in the volume group {} of this one",
                    self.asked.server, disks.name
                ),
                "resize it here, or boot it from a volume",
            )),
        }
    }

    async fn power_off(self: Arc<Self>) -> Result<()> {
        power::off_kindly(&self.driver, self.uuid, self.patience, &self.control).await
    }

    async fn power_on_again(self: Arc<Self>) -> Result<()> {
        // A job whose answer was lost must not strike afterwards.
        jobs::see_off(self.driver.session(), self.uuid, POWER_OFF_JOB).await?;
        match self.asked.was_on {
            true => power::start(&self.driver, self.uuid).await,
            false => Ok(()),
        }
    }

    async fn rename(self: Arc<Self>) -> Result<()> {
        rename(&self.driver, self.uuid, &self.asked.names.temporary).await
    }

    async fn rename_back(self: Arc<Self>) -> Result<()> {
        rename(&self.driver, self.uuid, &self.asked.names.usual).await
    }

    async fn size(self: Arc<Self>) -> Result<()> {
        let Some((sizing, pool)) = self.new.clone() else {
            return Err(Error::internal("a resize that is taken back cannot go on"));
        };
        edit(&self.driver, self.uuid, move |partition| {
            document::resize(partition, &sizing, pool);
            Ok(())
        })
        .await
    }

    async fn size_back(self: Arc<Self>) -> Result<()> {
        let before = self.asked.before.clone();
        edit(&self.driver, self.uuid, move |partition| {
            before.restore(partition)
        })
        .await
    }

    async fn grow(self: Arc<Self>) -> Result<()> {
        match &self.asked.growth {
            Some(growth) => growth.apply(&self.driver).await,
            None => Ok(()),
        }
    }

    /// Disks do not shrink.
    async fn stay_grown(self: Arc<Self>) -> Result<()> {
        let Some(growth) = &self.asked.growth else {
            return Ok(());
        };
        if growth
            .is_done(&self.driver, self.uuid, &self.asked.server)
            .await?
        {
            self.control.warn(format!(
                "the boot disk {} has grown to {} GB and stays so: disks do not shrink",
                growth.name, growth.to_gb
            ));
        }
        Ok(())
    }

    async fn power_on(self: Arc<Self>) -> Result<()> {
        power::on(&self.driver, self.uuid, None).await
    }

    async fn power_off_again(self: Arc<Self>) -> Result<()> {
        jobs::see_off(self.driver.session(), self.uuid, POWER_ON_JOB).await?;
        power::off_hard(&self.driver, self.uuid).await?;
        jobs::see_off(self.driver.session(), self.uuid, POWER_OFF_JOB).await
    }
}

pub(super) async fn rename(driver: &Driver, partition: PartitionUuid, name: &str) -> Result<()> {
    let name = name.to_owned();
    edit(driver, partition, move |document| {
        LogicalPartition(document)
            .partition_mut()
            .set_name(name.as_str());
        Ok(())
    })
    .await
}

/// Changes a partition's document; one that is as wanted is not sent.
pub(super) async fn edit(
    driver: &Driver,
    partition: PartitionUuid,
    change: impl Fn(&mut Element) -> Result<()> + Send,
) -> Result<()> {
    let edit = move |document: &mut Element| {
        let before = document.clone();
        change(document)?;
        Ok(Changed::from(*document != before))
    };
    transaction::edit(driver.session(), &path_of(partition), Groups::None, edit)
        .await
        .map(drop)
}
