//! The destination's part in the move of a server that is off: it comes, gets its size, and runs.

use std::sync::{Arc, Mutex, PoisonError};

use powervm_schema::partition::LogicalPartition;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::course::Place;
use super::data::LiveMigration;
use super::lead::Migrated;
use super::refused;
use crate::error::{Error, ErrorKind, Result};
use crate::operations::control::Control;
use crate::operations::driver::{Driver, path_of};
use crate::operations::operation::{Notes, Operation, Plan};
use crate::operations::plan::find_pool;
use crate::operations::resize::ResizeRequest;
use crate::operations::{jobs, power, resize};
use crate::partition::configuration::NewSize;
use crate::partition::power::POWER_ON;
use crate::partition::{Flavor, PartitionUuid};
use crate::rest::Groups;
use crate::saga::{Saga, Step};

pub(super) const TAKE: &str = "take the server over";
pub(super) const SIZE: &str = "change its size";
pub(super) const ON: &str = "power on there";

/// What the journal keeps of the order.
#[derive(Debug, Serialize, Deserialize)]
pub(in crate::operations) struct Asked {
    pub(super) instance: Uuid,
    /// The partition's name.
    pub(super) server: String,
    /// Its new size, if it is to have one.
    pub(super) flavor: Option<Flavor>,
    /// Whether it is to run.
    pub(super) power_on: bool,
}

/// A server that comes while it is off.
pub(in crate::operations) struct Settle {
    pub(super) driver: Driver,
    /// Where it comes from; nothing when it has come already.
    pub(super) source: Option<(Driver, LiveMigration)>,
    pub(super) control: Control,
    pub(super) asked: Asked,
    pub(super) migrated: Mutex<Option<Migrated>>,
    pub(super) notes: Notes<()>,
}

/// What is done, and after what.
fn recipe(asked: &Asked, comes: bool) -> Saga<Settle> {
    let mut saga = Saga::new(format!("take {} over while it is off", asked.server));
    let mut last = Vec::new();
    if comes {
        saga.push(Step::new(TAKE, Settle::take_over).undo(Settle::run_where_it_is));
        last = vec![TAKE];
    }
    if asked.flavor.is_some() {
        saga.push(Step::new(SIZE, Settle::size).after(last));
        last = vec![SIZE];
    }
    if asked.power_on {
        saga.push(Step::new(ON, Settle::power_on).after(last));
    }
    saga
}

impl Operation for Settle {
    const KIND: &'static str = "cold arrival";
    const PLAN: Plan = Plan::Undo;
    const SURROUNDS: bool = true;
    type Asked = Asked;
    type Notes = ();

    fn asked(&self) -> &Asked {
        &self.asked
    }

    fn notes(&self) -> &Notes<()> {
        &self.notes
    }

    /// Taken up only if it has come.
    fn plan(&self) -> Plan {
        match self.source {
            Some(_) => Plan::Undo,
            None => Plan::Finish,
        }
    }

    fn recipe(&self) -> Saga<Self> {
        recipe(&self.asked, self.source.is_some())
    }

    /// Where the server is decides: one that has come gets its size and runs, and of one that has not there is nothing.
    async fn revive(
        driver: &Driver,
        asked: Asked,
        (): (),
        control: &Control,
    ) -> Result<Option<Self>> {
        let uuid = PartitionUuid::of_instance(asked.instance);
        match Place::surely(driver, uuid).await? {
            Place::Here => {}
            Place::Gone if driver.arrival(uuid).await?.is_none() => return Ok(None),
            Place::Gone | Place::Leaving(_) => {
                return Err(refused(
                    &asked.server,
                    "it may still be on its way",
                    "recover again when that is over",
                ));
            }
        }
        jobs::see_off(driver.session(), uuid, POWER_ON).await?;
        Ok(Some(Self {
            driver: driver.clone(),
            source: None,
            control: control.clone(),
            asked,
            migrated: Mutex::default(),
            notes: Notes::default(),
        }))
    }
}

impl Settle {
    fn uuid(&self) -> PartitionUuid {
        PartitionUuid::of_instance(self.asked.instance)
    }

    /// What is known of the move, once it is made.
    pub(super) fn migrated(&self) -> Option<Migrated> {
        let migrated = self.migrated.lock();
        migrated.unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn take_over(self: Arc<Self>) -> Result<()> {
        let Some((source, order)) = &self.source else {
            return Ok(());
        };
        let moved = source.lead(&self.driver, order.clone(), true, &self.control);
        let migrated = moved.await?;
        let mut known = self.migrated.lock().unwrap_or_else(PoisonError::into_inner);
        *known = Some(migrated);
        Ok(())
    }

    /// What has come is not sent back.
    async fn run_where_it_is(self: Arc<Self>) -> Result<()> {
        match Place::surely(&self.driver, self.uuid()).await? {
            Place::Here if self.asked.power_on => {
                let _turn = self.driver.shared.instances.take(&self.uuid()).await;
                power::start(&self.driver, self.uuid()).await
            }
            _ => Ok(()),
        }
    }

    async fn size(self: Arc<Self>) -> Result<()> {
        match &self.asked.flavor {
            Some(flavor) => {
                let give = self
                    .driver
                    .size_there(self.uuid(), flavor.clone(), &self.control);
                give.await
            }
            None => Ok(()),
        }
    }

    async fn power_on(self: Arc<Self>) -> Result<()> {
        let _turn = self.driver.shared.instances.take(&self.uuid()).await;
        power::start(&self.driver, self.uuid()).await
    }
}

impl Driver {
    /// Gives a server that has come its size, unless it has it already.
    pub(super) async fn size_there(
        &self,
        uuid: PartitionUuid,
        flavor: Flavor,
        control: &Control,
    ) -> Result<()> {
        let name = self.show(uuid.as_uuid()).await?.summary.name;
        if resize::is_to_be_confirmed(&name) {
            return Ok(());
        }
        let request = ResizeRequest {
            instance: uuid.as_uuid(),
            name: Some(name),
            flavor,
            from_gb: None,
        };
        self.resize(request, control).await
    }

    /// That a server of another host can have this size here, before it leaves.
    ///
    /// # Errors
    /// A size that breaks a rule or that this host has no room for; a server whose last resize is not confirmed.
    pub(super) async fn could_size(
        &self,
        source: &Self,
        uuid: PartitionUuid,
        flavor: &Flavor,
    ) -> Result<()> {
        let path = path_of(uuid);
        let entry = source.session().get_entry(&path, Groups::None).await?;
        let document = LogicalPartition(&entry.content);
        let name = document.partition().name().unwrap_or_default();
        if resize::is_to_be_confirmed(name) {
            return Err(Error::operation(
                ErrorKind::Exists,
                format!("'{name}' is being resized already"),
                "confirm or revert that first",
            ));
        }
        let system = self.system().await?;
        let new = NewSize::of(flavor, self.config().sizing(), &system.limits, &document)?;
        system.limits.check(&new.sizing)?;
        system.room.check(name, &new.sizing)?;
        if new.pool.is_none() {
            find_pool(self, &new.sizing).await?;
        }
        Ok(())
    }
}
