//! The destination prepares itself, and takes that back.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tokio::sync::OwnedMutexGuard;

use super::course::Place;
use super::data::{MigrationData, Prepared, SourceDisk, SourceHost};
use super::destination::Mobility;
use super::{adapters, console, networks, refused};
use crate::error::{Error, ErrorKind, Result};
use crate::host::Vios;
use crate::journal::Outcome;
use crate::operations::control::Control;
use crate::operations::driver::{Disks, Driver};
use crate::operations::operation::{Log, Notes, Open, Operation, Plan};
use crate::operations::volume::find;
use crate::operations::volume::request::{refuse_twins, turns};
use crate::operations::volume::search::Search;
use crate::partition::PartitionUuid;
use crate::saga::{Saga, Step, checkpoint};
use crate::volume::Connection;

const KEY: &str = "let the source's console in";
const NETWORKS: &str = "look for the networks";
const TRUNKS: &str = "make the trunk adapters";
const CONFIRM: &str = "confirm the trunk adapters";
const FIND: &str = "find the volumes there";
const CHOOSE: &str = "choose servers for the adapters";

impl Driver {
    /// Makes this host ready for an instance that is to come: the source's console may log on to this one's, the
    /// volumes are found on the Virtual I/O Servers, and it is decided which of these serves which adapter.
    ///
    /// What it made stays, and stands in the journal, until the migration is over:
    /// [`post_live_migration_at_destination`](Self::post_live_migration_at_destination) or
    /// [`rollback_live_migration_at_destination`](Self::rollback_live_migration_at_destination). A failed or cancelled
    /// call leaves the host as it was.
    ///
    /// # Errors
    /// Data of a migration whose source was not checked; a switch, a volume or a port that is not there;
    /// [`Error::Saga`] with the step that failed.
    pub async fn pre_live_migration(
        &self,
        mut data: MigrationData,
        volumes: &[Connection],
        control: &Control,
    ) -> Result<MigrationData> {
        refuse_twins(volumes)?;
        let uuid = data.partition();
        let turn = self.shared.instances.take(&uuid).await;
        let mut held = turns(self, volumes).await;
        held.push(turn);
        // Asked again, its preparations are made anew.
        if !control.is_dry_run() {
            self.withdraw(&data, volumes, control).await?;
        }
        let steps = control.for_steps();
        self.shared.vioses.forget().await;
        let vioses = self.active_vioses().await?;
        data.prepared = None;
        let arrive = Arc::new(Arrive {
            driver: self.clone(),
            search: Search::new(self, &steps, volumes, &vioses, |_, _| false),
            vioses,
            asked: Asked {
                data: data.clone(),
                volumes: volumes.to_vec(),
            },
            notes: Notes::default(),
            is_here: false,
            _turns: held,
        });
        arrive.source()?;
        let open = self.perform_first(&arrive, control, &steps).await?;
        self.arrivals().insert(uuid, open);
        data.prepared = Some(arrive.notes.with(|notes| notes.clone()));
        Ok(data)
    }

    /// Takes back what this host has prepared for an instance that does not come. That there is nothing is as good.
    ///
    /// # Errors
    /// The instance is here; [`Error::Saga`] with what could not be taken back.
    pub async fn rollback_live_migration_at_destination(
        &self,
        data: &MigrationData,
        volumes: &[Connection],
        control: &Control,
    ) -> Result<()> {
        let uuid = data.partition();
        let turn = self.shared.instances.take(&uuid).await;
        let mut held = turns(self, volumes).await;
        held.push(turn);
        match Place::surely(self, uuid).await? {
            Place::Gone => self.withdraw(data, volumes, control).await,
            Place::Here | Place::Leaving(_) => Err(Error::operation(
                ErrorKind::Precondition,
                format!("{} is on {}", data.title(), self.shared.system.name),
                "nothing is taken from it; see how its migration ended",
            )),
        }
    }

    pub(super) fn arrivals(
        &self,
    ) -> std::sync::MutexGuard<'_, std::collections::BTreeMap<PartitionUuid, Open>> {
        let arrivals = self.shared.arrivals.lock();
        arrivals.unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// The number of the record of what is prepared for a partition, by this process or another one.
    pub(super) async fn arrival(&self, uuid: PartitionUuid) -> Result<Option<u64>> {
        if let Some(open) = self.arrivals().get(&uuid) {
            return Ok(Some(open.id));
        }
        let pending = self.shared.journal.pending().await?;
        let mut records = pending.into_iter().filter(|record| {
            let asked = serde_json::from_value::<Asked>(record.beginning.asked.clone());
            record.beginning.kind == Arrive::KIND
                && asked.is_ok_and(|asked| asked.data.partition() == uuid)
        });
        Ok(records.next().map(|record| record.id))
    }

    /// The migration is over for this host.
    pub(super) async fn end_arrival(&self, uuid: PartitionUuid, outcome: &Outcome) -> Result<()> {
        if let Some(id) = self.arrival(uuid).await? {
            self.close(id, outcome).await?;
        }
        self.arrivals().remove(&uuid);
        Ok(())
    }

    async fn withdraw(
        &self,
        data: &MigrationData,
        volumes: &[Connection],
        control: &Control,
    ) -> Result<()> {
        let uuid = data.partition();
        let record = self.arrival(uuid).await?;
        let Some(prepared) = data.prepared.clone() else {
            return match record {
                Some(_) => self.withdraw_recorded(uuid, control).await,
                None => Ok(()),
            };
        };
        let steps = control.for_steps();
        let asked = Asked {
            data: data.clone(),
            volumes: volumes.to_vec(),
        };
        let arrive = Arc::new(Arrive::again(self, asked, prepared, &steps).await?);
        let saga = arrive.journaled();
        let names: Vec<String> = saga.names().map(str::to_owned).collect();
        let mut options = control.saga_options(&steps);
        if let Some(id) = record {
            let log = Log::of_recovery(self, id, Arc::clone(&options.observer));
            options = options.observer(Arc::new(log));
        }
        saga.unwind(&names, arrive, options).await?;
        self.end_arrival(uuid, &Outcome::Undone).await
    }

    /// Takes back what only the journal knows of.
    async fn withdraw_recorded(&self, uuid: PartitionUuid, control: &Control) -> Result<()> {
        let pending = self.shared.journal.pending().await?;
        let id = self.arrival(uuid).await?;
        let Some(record) = pending.into_iter().find(|record| Some(record.id) == id) else {
            return Ok(());
        };
        let unreadable = |error: serde_json::Error| {
            Error::caused(
                ErrorKind::Precondition,
                format!("the journal's entry {} cannot be read", record.id),
                "use the version of powervm that began it",
                error,
            )
        };
        let asked: Asked =
            serde_json::from_value(record.beginning.asked.clone()).map_err(unreadable)?;
        let prepared = match record.notes() {
            Some(notes) => serde_json::from_value(notes.clone()).map_err(unreadable)?,
            None => Prepared::default(),
        };
        let data = MigrationData {
            prepared: Some(prepared),
            ..asked.data
        };
        Box::pin(self.withdraw(&data, &asked.volumes, control)).await
    }
}

/// What is done, and after what.
pub(super) fn recipe(title: &str) -> Saga<Arrive> {
    Saga::new(format!("prepare for {title}"))
        .step(Step::new(NETWORKS, Arrive::look_for_networks))
        .step(
            Step::new(KEY, Arrive::let_in)
                .after([NETWORKS])
                .undo(Arrive::shut_out),
        )
        .step(
            Step::new(TRUNKS, Arrive::make_trunks)
                .after([NETWORKS])
                .undo(Arrive::take_trunks_back),
        )
        .step(
            Step::new(FIND, Arrive::find)
                .after([NETWORKS])
                .undo(Arrive::forget),
        )
        .step(Step::new(CHOOSE, Arrive::choose).after([FIND]))
}

/// What the journal keeps of the order.
#[derive(Debug, Serialize, Deserialize)]
pub(in crate::operations) struct Asked {
    data: MigrationData,
    /// Without credentials.
    volumes: Vec<Connection>,
}

/// The preparation of a destination on its way.
pub(in crate::operations) struct Arrive {
    driver: Driver,
    asked: Asked,
    vioses: Vec<Vios>,
    search: Search,
    notes: Notes<Prepared>,
    /// The partition has come: there is nothing to take back.
    is_here: bool,
    _turns: Vec<OwnedMutexGuard<()>>,
}

impl Operation for Arrive {
    const KIND: &'static str = "prepare live migration";
    const PLAN: Plan = Plan::Undo;
    type Asked = Asked;
    type Notes = Prepared;

    fn asked(&self) -> &Asked {
        &self.asked
    }

    fn notes(&self) -> &Notes<Prepared> {
        &self.notes
    }

    fn plan(&self) -> Plan {
        if self.is_here {
            Plan::Finish
        } else {
            Plan::Undo
        }
    }

    fn recipe(&self) -> Saga<Self> {
        let title = self.asked.data.title();
        if self.is_here {
            return Saga::new(format!("prepare for {title}"))
                .step(Step::new(CONFIRM, Self::confirm_trunks));
        }
        recipe(&title)
    }

    /// Where the partition is decides: what was prepared for one that has come is in use.
    async fn revive(
        driver: &Driver,
        asked: Asked,
        prepared: Prepared,
        control: &Control,
    ) -> Result<Option<Self>> {
        let uuid = asked.data.partition();
        let turn = driver.shared.instances.take(&uuid).await;
        let place = Place::surely(driver, uuid).await?;
        let is_here = place == Place::Here;
        // Whether it is this one that still goes on, only the source knows.
        let may_come = !is_here && Mobility::of(driver).await?.is_busy();
        if may_come || matches!(place, Place::Leaving(_)) {
            return Err(refused(
                &asked.data.title(),
                format!(
                    "migrations to {} are still going on",
                    driver.shared.system.name
                ),
                "recover again when they are over",
            ));
        }
        let mut arrive = Self::again(driver, asked, prepared, control).await?;
        arrive.is_here = is_here;
        arrive._turns.push(turn);
        Ok(Some(arrive))
    }
}

impl Arrive {
    /// The preparation that was made, to be taken back.
    async fn again(
        driver: &Driver,
        asked: Asked,
        prepared: Prepared,
        control: &Control,
    ) -> Result<Self> {
        let vioses = driver.active_vioses().await?;
        let found = prepared.found.clone();
        Ok(Self {
            driver: driver.clone(),
            search: Search::revived(driver, control, &asked.volumes, &vioses, found),
            vioses,
            asked,
            notes: Notes::new(prepared),
            is_here: false,
            _turns: Vec::new(),
        })
    }

    fn source(&self) -> Result<&SourceHost> {
        self.asked.data.source.as_ref().ok_or_else(|| {
            Error::invalid(
                "the source of the migration has not been checked",
                "check it first, and hand in what that returns",
            )
        })
    }

    async fn look_for_networks(self: Arc<Self>) -> Result<()> {
        networks::check(&self.driver, self.source()?).await
    }

    async fn make_trunks(self: Arc<Self>) -> Result<()> {
        let mappings = networks::prepare(&self.driver, self.source()?).await?;
        self.notes.with(|notes| notes.vlan_mappings = mappings);
        Ok(())
    }

    async fn take_trunks_back(self: Arc<Self>) -> Result<()> {
        networks::take_back(&self.driver, self.source()?).await
    }

    async fn confirm_trunks(self: Arc<Self>) -> Result<()> {
        self.driver.confirm_trunks(self.asked.data.instance).await
    }

    /// The key of another console than this one.
    fn key(&self) -> Result<Option<&str>> {
        let source = self.source()?;
        let is_other = source.console != self.asked.data.destination.console;
        Ok(source.public_key.as_deref().filter(|_| is_other))
    }

    async fn let_in(self: Arc<Self>) -> Result<()> {
        let Some(key) = self.key()? else {
            return Ok(());
        };
        if !console::is_let_in(&self.driver, key).await? {
            self.notes.with(|notes| notes.key_is_new = true);
            checkpoint().await?;
            console::let_in(&self.driver, key).await?;
        }
        Ok(())
    }

    async fn shut_out(self: Arc<Self>) -> Result<()> {
        let is_new = self.notes.with(|notes| notes.key_is_new);
        match self.key()?.filter(|_| is_new) {
            Some(key) => console::shut_out(&self.driver, key).await,
            None => Ok(()),
        }
    }

    async fn find(self: Arc<Self>) -> Result<()> {
        let found = self.search.find().await;
        self.notes.with(|notes| notes.found = self.search.devices());
        found
    }

    async fn forget(self: Arc<Self>) -> Result<()> {
        self.search.forget().await
    }

    async fn choose(self: Arc<Self>) -> Result<()> {
        let source = self.source()?;
        let fabrics = self.driver.config().volumes.npiv_fabrics();
        let fabrics = fabrics
            .map(|(name, ports)| (name.to_owned(), ports.to_vec()))
            .collect();
        let fc = adapters::fibre_channel(&source.ports, &self.vioses, &fabrics)?;
        let scsi = adapters::scsi(&source.buses, &self.vioses, |vios, disk| {
            self.sees(vios, disk)
        });
        let mut udids = std::collections::BTreeMap::new();
        for (place, volume) in self.asked.volumes.iter().enumerate() {
            let devices = self
                .vioses
                .iter()
                .map(|vios| self.search.device(vios, place));
            let udid = devices
                .flatten()
                .find_map(|device| device.udid().map(str::to_owned));
            if let Some(udid) = udid.or_else(|| volume.target_udid.clone()) {
                udids.insert(volume.volume.clone(), udid);
            }
        }
        self.notes.with(|notes| {
            (notes.fc_mappings, notes.scsi_mappings) = (fc, scsi);
            notes.udids = udids;
        });
        Ok(())
    }

    /// Whether a Virtual I/O Server is known to see what is behind an adapter.
    fn sees(&self, vios: &Vios, disk: &SourceDisk) -> bool {
        match disk {
            SourceDisk::Unit => match &self.driver.shared.disks {
                Disks::Ssp { pool, .. } => pool.is_served_by(&vios.uuid),
                Disks::Local(_) => false,
            },
            SourceDisk::Volume { volume, udid } => {
                let mut asked = self.asked.volumes.iter().enumerate();
                asked.any(|(place, known)| {
                    let is_it = Some(&known.volume) == volume.as_ref()
                        || (udid.is_some() && known.target_udid == *udid);
                    is_it
                        && find::is_served(&self.driver, known)
                        && self.search.device(vios, place).is_some()
                })
            }
            SourceDisk::Other => false,
        }
    }
}
