//! A live migration as a whole, with a driver for each host.

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

use super::arrived::Arrived;
use super::course::Place;
use super::data::{LiveMigration, MigrationData};
use super::{arrive, depart};
use crate::error::{Error, ErrorKind, Result};
use crate::operations::control::Control;
use crate::operations::driver::Driver;
use crate::operations::operation::Notes;
use crate::partition::PartitionUuid;
use crate::saga::{Outline, Saga, Step};

pub(in crate::operations) const THERE: &str = "check the destination";
pub(in crate::operations) const HERE: &str = "check the source";
pub(in crate::operations) const PREPARE: &str = "prepare the destination";
const MOVE: &str = "move the server";

/// How often a server that has moved is looked at.
const TRIES: u32 = 3;
/// Pause before the second time.
const PAUSE: Duration = Duration::from_secs(2);

/// A server that has moved.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Migrated {
    /// Name of the system that it came from.
    pub from: String,
    /// Name of the system that it is on.
    pub to: String,
    /// What it is there.
    #[serde(flatten)]
    pub arrived: Arrived,
}

impl Driver {
    /// Moves a server of this host to the destination while it runs. One that is there already has moved already.
    ///
    /// Both hosts are checked, the destination is prepared, the migration validated and made, and what it leaves is
    /// removed. Whatever fails before the server has moved, and a cancellation, leaves both hosts as they were. A
    /// killed driver's work is finished or undone by the recovery of both hosts' drivers, the source's first.
    ///
    /// # Errors
    /// No such server; [`Error::Saga`] with the step that failed; a server that has moved and could not be looked at.
    pub async fn live_migrate(
        &self,
        destination: &Self,
        request: LiveMigration,
        control: &Control,
    ) -> Result<Migrated> {
        self.lead(destination, request, false, control).await
    }

    /// As [`Self::live_migrate`]; `is_cold` of a server that is off, or will be when it goes.
    pub(super) async fn lead(
        &self,
        destination: &Self,
        request: LiveMigration,
        is_cold: bool,
        control: &Control,
    ) -> Result<Migrated> {
        let uuid = self.find_on_either(destination, &request).await?;
        let lead = Arc::new(Lead {
            source: self.clone(),
            destination: destination.clone(),
            // A step that fails stops the others, and not what the caller does next.
            control: control.for_steps(),
            uuid,
            request,
            is_cold,
            notes: Notes::default(),
        });
        let outcome = match Place::surely(self, uuid).await? {
            place if control.is_dry_run() && place != Place::Gone => {
                return Err(Error::DryRun(Arc::new(lead.outline().await?)));
            }
            Place::Gone => lead.clone().check_destination_only().await,
            _ => {
                recipe(&lead)
                    .run(Arc::clone(&lead), control.saga_options(&lead.control))
                    .await
            }
        };
        let has_moved = lead.notes.with(|notes| notes.has_moved);
        match outcome {
            Err(error) if !has_moved => Err(error),
            _ => lead.look_at_it().await,
        }
    }

    pub(super) async fn find_on_either(
        &self,
        destination: &Self,
        request: &LiveMigration,
    ) -> Result<PartitionUuid> {
        match self.resolve(&request.server).await {
            Err(error) if error.is_not_found() => destination
                .resolve(&request.server)
                .await
                .map_err(|_| error),
            found => found,
        }
    }
}

/// What is done, and after what. Each host's driver keeps its own part in its journal.
fn recipe(lead: &Lead) -> Saga<Lead> {
    let there = &lead.destination.shared.system.name;
    Saga::new(format!("migrate {} to {there}", lead.request.server))
        .step(Step::new(THERE, Lead::check_destination))
        .step(Step::new(HERE, Lead::check_source).after([THERE]))
        .step(
            Step::new(PREPARE, Lead::prepare)
                .after([HERE])
                .undo(Lead::roll_back),
        )
        .step(Step::new(MOVE, Lead::move_it).after([PREPARE]))
}

#[derive(Default)]
struct Known {
    data: Option<MigrationData>,
    has_moved: bool,
}

struct Lead {
    source: Driver,
    destination: Driver,
    control: Control,
    uuid: PartitionUuid,
    request: LiveMigration,
    /// Whether the server is off, or will be when it goes.
    is_cold: bool,
    notes: Notes<Known>,
}

impl Lead {
    fn data(&self) -> Result<MigrationData> {
        let data = self.notes.with(|notes| notes.data.clone());
        data.ok_or_else(|| Error::internal("the migration's hosts were not checked"))
    }

    fn keep(&self, data: MigrationData) {
        self.notes.with(|notes| notes.data = Some(data));
    }

    async fn check_destination(self: Arc<Self>) -> Result<()> {
        let access = self.request.access.clone();
        let instance = self.uuid.as_uuid();
        let checked = self
            .destination
            .check_migration_destination(instance, access);
        self.keep(checked.await?);
        Ok(())
    }

    async fn check_source(self: Arc<Self>) -> Result<()> {
        let checked = self.source.check_source(self.data()?, self.is_cold);
        self.keep(checked.await?);
        Ok(())
    }

    async fn prepare(self: Arc<Self>) -> Result<()> {
        let volumes = &self.request.volumes;
        let prepared = self
            .destination
            .pre_live_migration(self.data()?, volumes, &self.control)
            .await?;
        self.keep(prepared);
        Ok(())
    }

    async fn roll_back(self: Arc<Self>) -> Result<()> {
        if self.notes.with(|notes| notes.has_moved) {
            return Ok(());
        }
        let volumes = &self.request.volumes;
        self.destination
            .rollback_live_migration_at_destination(&self.data()?, volumes, &Control::default())
            .await
    }

    /// The steps of all of it, once both hosts have been checked.
    async fn outline(self: &Arc<Self>) -> Result<Outline> {
        Arc::clone(self).check_destination().await?;
        Arc::clone(self).check_source().await?;
        let data = self.data()?;
        let mut outline = arrive::recipe(&data.title()).outline()?;
        let (there, here) = (outline.steps, depart::recipe(&data).outline()?);
        let last = there.last().map(|step| step.name.clone());
        outline.saga.clone_from(&here.saga);
        outline.steps = there;
        for mut step in here.steps {
            if step.after.is_empty() {
                step.after.extend(last.clone());
            }
            outline.steps.push(step);
        }
        Ok(outline)
    }

    async fn move_it(self: Arc<Self>) -> Result<()> {
        let (volumes, options) = (&self.request.source_volumes, &self.request.options);
        self.source
            .live_migration(&self.data()?, volumes, options, &self.control)
            .await?;
        self.notes.with(|notes| notes.has_moved = true);
        Ok(())
    }

    /// The server is not on the source.
    async fn check_destination_only(self: Arc<Self>) -> Result<()> {
        if Place::surely(&self.destination, self.uuid).await? != Place::Here {
            return Err(Error::operation(
                ErrorKind::NotFound,
                format!("{} is on neither of the two hosts", self.request.server),
                "see which host it is on",
            ));
        }
        self.notes.with(|notes| notes.has_moved = true);
        Ok(())
    }

    async fn look_at_it(&self) -> Result<Migrated> {
        let data = match self.notes.with(|notes| notes.data.clone()) {
            Some(data) => data,
            None => self.data_of_one_that_is_there().await?,
        };
        let (volumes, metadata) = (&self.request.volumes, &self.request.metadata);
        let look = || {
            self.destination
                .post_live_migration_at_destination(&data, volumes, metadata)
        };
        let mut looked = look().await;
        for _ in 1..TRIES {
            let Err(error) = &looked else { break };
            tracing::warn!(%error, "looking at the server again");
            tokio::time::sleep(PAUSE).await;
            looked = look().await;
        }
        let there = &self.destination.shared.system.name;
        let arrived = looked.map_err(|error| {
            Error::caused(
                error.kind(),
                format!(
                    "{} is on {there} now, but could not be looked at there: {error}",
                    self.request.server
                ),
                "repeat the migration: it only looks",
                error,
            )
        })?;
        Ok(Migrated {
            from: self.source.shared.system.name.clone(),
            to: there.clone(),
            arrived,
        })
    }

    /// What is known of a server that was there before anything was asked.
    async fn data_of_one_that_is_there(&self) -> Result<MigrationData> {
        let (access, instance) = (self.request.access.clone(), self.uuid.as_uuid());
        self.destination.describe(instance, access).await
    }
}
