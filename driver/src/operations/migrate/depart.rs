//! The source lets a server go.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use powervm_schema::xml::Element;
use serde::{Deserialize, Serialize};
use tokio::sync::OwnedMutexGuard;

use super::course::{self, MIGRATE, Place, VALIDATE};
use super::data::{MigrationData, MigrationOptions, Prepared, SourceHost};
use super::networks;
use super::tidy::{self, Had};
use crate::error::{Error, ErrorKind, Result};
use crate::host::Vios;
use crate::operations::control::Control;
use crate::operations::driver::{Driver, path_of};
use crate::operations::operation::{Notes, Operation, Plan};
use crate::operations::{jobs, map, partition};
use crate::partition::PartitionUuid;
use crate::rest::Job;
use crate::saga::{Saga, Step, checkpoint};
use crate::storage::drives::{self, Loaded};
use crate::storage::mapping::{Client, GROUP};
use crate::transaction::Changed;
use crate::volume::Connection;

const MEDIA: &str = "take the media out";
const CHECK: &str = "validate the migration";
const MOVE: &str = "migrate";
const TIDY: &str = "tidy up the source";

/// Closes an open console of the partition.
const CLOSE: &str = "CloseVterm";
/// How long the validation may take.
const VALIDATION: Duration = Duration::from_secs(900);
/// How often what the server has left is tried to be removed, before its removal counts as failed.
const TRIES: u32 = 3;
/// Pause before the second try; it doubles.
const PAUSE: Duration = Duration::from_secs(1);

impl Driver {
    /// Moves an instance of this host to the destination that is prepared for it, and removes what it leaves here: its
    /// config drive, which nobody can bring to the destination, the disks of its volumes, and trunk adapters.
    ///
    /// A failed or cancelled call, and one that takes longer than the options allow, leaves the instance here as it
    /// was: the migration is aborted. Once it has moved, the call succeeds.
    ///
    /// # Errors
    /// Data of a migration that is not prepared; [`Error::Saga`] with the step that failed, such as the validation.
    pub async fn live_migration(
        &self,
        data: &MigrationData,
        volumes: &[Connection],
        options: &MigrationOptions,
        control: &Control,
    ) -> Result<()> {
        let uuid = data.partition();
        let turn = self.shared.instances.take(&uuid).await;
        let asked = Asked {
            data: data.clone(),
            volumes: volumes.to_vec(),
            options: options.clone(),
        };
        asked.parts()?;
        let steps = control.for_steps();
        let depart = Arc::new(Depart {
            driver: self.clone(),
            asked,
            vioses: self.active_vioses().await?,
            control: steps.clone(),
            notes: Notes::default(),
            has_gone: false,
            _turn: turn,
        });
        let outcome = self.perform(&depart, control, &steps).await;
        match outcome {
            Err(error) if depart.notes.with(|notes| notes.has_moved) => {
                control.warn(format!(
                    "{} has moved, and something of it is left on {}: {error}",
                    data.title(),
                    self.shared.system.name
                ));
                Ok(())
            }
            outcome => outcome,
        }
    }

    /// Removes what an instance that has moved left on this host, for whoever knows its volumes only after the
    /// migration. That there is nothing is as good.
    ///
    /// # Errors
    /// The instance is still here; what could not be removed.
    pub async fn post_live_migration_at_source(
        &self,
        data: &MigrationData,
        volumes: &[Connection],
    ) -> Result<()> {
        let uuid = data.partition();
        let _turn = self.shared.instances.take(&uuid).await;
        if Place::surely(self, uuid).await? != Place::Gone {
            return Err(Error::operation(
                ErrorKind::Precondition,
                format!("{} is still on {}", data.title(), self.shared.system.name),
                "migrate it first",
            ));
        }
        let vioses = self.active_vioses().await?;
        let trunks = self.depart_trunks(data.instance).await;
        let rest = tidy::up(self, &vioses, uuid, &Had::default(), volumes).await;
        trunks.and(rest)
    }
}

/// What is done, and after what.
pub(super) fn recipe(data: &MigrationData) -> Saga<Depart> {
    let (name, there) = (data.title(), &data.destination.system);
    Saga::new(format!("migrate {name} to {there}"))
        .step(Step::new(MEDIA, Depart::take_media_out).undo(Depart::put_media_back))
        .step(Step::new(CHECK, Depart::validate).after([MEDIA]))
        .step(
            Step::new(MOVE, Depart::migrate)
                .after([CHECK])
                .undo(Depart::bring_back),
        )
        .step(Step::new(TIDY, Depart::tidy_up).after([MOVE]))
}

/// What the journal keeps of the order.
#[derive(Debug, Serialize, Deserialize)]
pub(in crate::operations) struct Asked {
    data: MigrationData,
    /// Without credentials.
    volumes: Vec<Connection>,
    options: MigrationOptions,
}

impl Asked {
    fn parts(&self) -> Result<(&SourceHost, &Prepared)> {
        let parts = (self.data.source.as_ref(), self.data.prepared.as_ref());
        if let (Some(source), Some(prepared)) = parts {
            return Ok((source, prepared));
        }
        Err(Error::invalid(
            "the destination of the migration is not prepared",
            "check both hosts and prepare the destination first, and hand in what that returns",
        ))
    }

    /// The parameters of a migration and of its validation.
    fn parameters(&self, mut job: Job) -> Result<Job> {
        let (source, prepared) = self.parts()?;
        let there = &self.data.destination;
        job = job.parameter("TargetManagedSystemName", &there.system);
        if source.console != there.console {
            if let Some(address) = &there.access.address {
                job = job.parameter("TargetRemoteHMCIPAddress", address);
            }
            job = job.parameter("TargetRemoteHMCUserID", &there.access.user);
        }
        for (name, items) in [
            ("VirtualFCMappings", &prepared.fc_mappings),
            ("VirtualSCSIMappings", &prepared.scsi_mappings),
            ("VlanMappings", &prepared.vlan_mappings),
        ] {
            if !items.is_empty() {
                job = job.parameter(name, items.join(","));
            }
        }
        if networks::has_trunks(prepared) {
            job = job.parameter("OVSOverride", "2");
        }
        if self.options.override_vlan_bridge {
            job = job.parameter("VLANBridgeOverride", "2");
        }
        if self.options.affinity {
            job = job.parameter("Affinity", "true");
        }
        Ok(job)
    }
}

/// What its steps know.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(in crate::operations) struct Noted {
    had: Had,
    has_moved: bool,
}

/// A server on its way out.
pub(in crate::operations) struct Depart {
    driver: Driver,
    asked: Asked,
    vioses: Vec<Vios>,
    control: Control,
    notes: Notes<Noted>,
    /// It had gone when another process took this up.
    has_gone: bool,
    _turn: OwnedMutexGuard<()>,
}

impl Operation for Depart {
    const KIND: &'static str = "live migration";
    const PLAN: Plan = Plan::Undo;
    type Asked = Asked;
    type Notes = Noted;

    fn asked(&self) -> &Asked {
        &self.asked
    }

    fn notes(&self) -> &Notes<Noted> {
        &self.notes
    }

    /// What has gone is not brought back.
    fn plan(&self) -> Plan {
        if self.has_gone {
            Plan::Finish
        } else {
            Plan::Undo
        }
    }

    fn recipe(&self) -> Saga<Self> {
        recipe(&self.asked.data)
    }

    /// A migration that goes on without its driver is waited for: it is closer to its end than to its beginning.
    async fn revive(
        driver: &Driver,
        asked: Asked,
        noted: Noted,
        control: &Control,
    ) -> Result<Option<Self>> {
        let uuid = asked.data.partition();
        let turn = driver.shared.instances.take(&uuid).await;
        for operation in [CLOSE, VALIDATE] {
            jobs::see_off(driver.session(), uuid, operation).await?;
        }
        let place = course::wait(driver, uuid, asked.options.limit, control).await?;
        Ok(Some(Self {
            driver: driver.clone(),
            asked,
            vioses: driver.active_vioses().await?,
            control: control.clone(),
            notes: Notes::new(noted),
            has_gone: place == Place::Gone,
            _turn: turn,
        }))
    }
}

impl Depart {
    fn uuid(&self) -> PartitionUuid {
        self.asked.data.partition()
    }

    async fn has_gone(&self) -> Result<bool> {
        let place = Place::surely(&self.driver, self.uuid()).await?;
        if place == Place::Gone {
            self.notes.with(|notes| notes.has_moved = true);
        }
        Ok(place == Place::Gone)
    }

    async fn client(&self) -> Result<Client> {
        Ok(Client {
            uuid: self.uuid(),
            id: partition::number(&self.driver, self.uuid()).await?,
            href: self.driver.partition_href(self.uuid()),
        })
    }

    /// A medium lies on one Virtual I/O Server alone and keeps the server there. The drive goes along.
    async fn take_media_out(self: Arc<Self>) -> Result<()> {
        if self.has_gone().await? {
            return Ok(());
        }
        let client = self.client().await?;
        let vioses = self.driver.mappings().await?;
        for entry in vioses.iter() {
            let media = drives::loaded(&entry.content, &client);
            self.notes.with(|notes| {
                if !media.is_empty() {
                    let had = notes.had.media.entry(entry.id.clone()).or_default();
                    had.extend(media);
                }
            });
        }
        let had = map::of(&vioses, &client);
        self.notes.with(|notes| {
            let disks = had.into_iter().map(|(vios, had)| (vios, had.volumes));
            notes.had.disks.extend(disks);
        });
        checkpoint().await?;
        self.edit_media(move |document, media| drives::eject(document, &client, media))
            .await
    }

    async fn put_media_back(self: Arc<Self>) -> Result<()> {
        if self.has_gone().await? {
            return Ok(());
        }
        let client = self.client().await?;
        self.edit_media(move |document, media| drives::insert(document, &client, media))
            .await
    }

    async fn edit_media<F>(&self, edit: F) -> Result<()>
    where
        F: Fn(&mut Element, &[Loaded]) -> Changed + Clone + Send + 'static,
    {
        let had = self.notes.with(|notes| notes.had.media.clone());
        let edits = self.vioses.iter().filter_map(|vios| {
            let media: Vec<_> = had.get(&vios.uuid)?.iter().cloned().collect();
            let (edit, path) = (edit.clone(), vios.path());
            Some(async move {
                let group = &self.driver.shared.group;
                let edit = move |document: &mut Element| Ok(edit(document, &media));
                group.edit(&path, &[GROUP], edit).await.map(drop)
            })
        });
        join_all(edits).await.into_iter().collect()
    }

    async fn validate(self: Arc<Self>) -> Result<()> {
        if self.has_gone().await? {
            return Ok(());
        }
        let job = Job::new(path_of(self.uuid()), VALIDATE).timeout(VALIDATION);
        let job = self.asked.parameters(job)?;
        jobs::run(self.driver.session(), self.uuid(), VALIDATE, job)
            .await
            .map(drop)
    }

    async fn migrate(self: Arc<Self>) -> Result<()> {
        let limit = self.asked.options.limit;
        match Place::surely(&self.driver, self.uuid()).await? {
            Place::Here => {}
            Place::Gone => return self.has_gone().await.map(drop),
            Place::Leaving(_) => {
                return Err(Error::operation(
                    ErrorKind::Precondition,
                    format!("somebody else is migrating {}", self.asked.data.title()),
                    "wait for it, or abort it",
                ));
            }
        }
        self.close_console().await;
        let job = Job::new(path_of(self.uuid()), MIGRATE);
        let job = self.asked.parameters(job)?;
        course::run(&self.driver, self.uuid(), job, limit, &self.control).await?;
        self.notes.with(|notes| notes.has_moved = true);
        Ok(())
    }

    /// Whoever looks at the console here would look at nothing. That there is none is as good.
    async fn close_console(&self) {
        let job = Job::new(path_of(self.uuid()), CLOSE).timeout(VALIDATION);
        if let Err(error) = jobs::run(self.driver.session(), self.uuid(), CLOSE, job).await {
            tracing::debug!(%error, "could not close the partition's console");
        }
    }

    /// What has gone is not brought back: what it left is removed instead.
    async fn bring_back(self: Arc<Self>) -> Result<()> {
        match course::bring_back(&self.driver, self.uuid(), &self.control).await? {
            Place::Gone => self.tidy_up().await,
            Place::Here | Place::Leaving(_) => Ok(()),
        }
    }

    /// As soon as the server has gone, and not before: also when something failed after that.
    async fn tidy_up(self: Arc<Self>) -> Result<()> {
        if !self.has_gone().await? {
            return Ok(());
        }
        let had = self.notes.with(|notes| notes.had.clone());
        let mut pause = PAUSE;
        for _ in 1..TRIES {
            match self.try_to_tidy_up(&had).await {
                Ok(()) => return Ok(()),
                Err(error) => tracing::warn!(%error, "tidying up again"),
            }
            tokio::time::sleep(pause).await;
            pause *= 2;
        }
        self.try_to_tidy_up(&had).await
    }

    async fn try_to_tidy_up(&self, had: &Had) -> Result<()> {
        let volumes = &self.asked.volumes;
        let trunks = self.driver.depart_trunks(self.asked.data.instance).await;
        let rest = tidy::up(&self.driver, &self.vioses, self.uuid(), had, volumes).await;
        trunks.and(rest)
    }
}
