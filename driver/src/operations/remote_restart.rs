//! Remote restart: a server whose system has failed starts on another one that the same console manages, and what is
//! left of it is removed when its system is back.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use powervm_schema::atom::Entry;
use powervm_schema::partition::{LogicalPartition, RemoteRestartState};
use serde::{Deserialize, Serialize};
use tokio::sync::OwnedMutexGuard;
use uuid::Uuid;

use super::control::Control;
use super::driver::{Driver, path_of};
use super::jobs;
use super::migrate::course::Place;
use super::migrate::tidy::{self, Had};
use super::operation::{Notes, Operation, Plan};
use super::power::{self, state_of};
use super::request::ServerRef;
use super::volume::stale;
use crate::error::{Error, ErrorKind, Result};
use crate::partition::state::is_startable;
use crate::partition::{PartitionUuid, PowerState};
use crate::rest::{Flavor, Groups, Job};
use crate::saga::{Saga, Step};

/// The job of all of it.
const JOB: &str = "RemoteRestart";
/// How long a restart may take: its disks are looked for on all servers, and it boots.
const TIMEOUT: Duration = Duration::from_secs(3600);

const CHECK: &str = "validate the restart";
const RESTART: &str = "restart it here";
const START: &str = "see that it runs";
const CLEAN: &str = "clean the system up";
const MAPPINGS: &str = "remove its mappings";
const LEFT: &str = "remove its config drive";

/// A server to be restarted on the driver's host.
#[derive(Debug, Clone)]
pub struct RemoteRestartRequest {
    /// The server, which is on another system of the console.
    pub server: ServerRef,
    /// Whether its VLANs may lack a bridge here.
    pub override_vlan_bridge: bool,
}

impl RemoteRestartRequest {
    /// With its VLANs bridged.
    #[must_use]
    pub fn of(server: impl Into<ServerRef>) -> Self {
        Self {
            server: server.into(),
            override_vlan_bridge: false,
        }
    }
}

impl Driver {
    /// Starts a server here whose system has failed. One that is here already is only started, if it is off.
    ///
    /// When its system is back, [`Driver::remote_restart_cleanup`] removes what is left of the server there. Its state
    /// is [`PowerState::Unknown`] if it could not be read after that.
    ///
    /// # Errors
    /// A NovaLink, which manages no other system; a server that is not capable of it; [`Error::Saga`] with the step
    /// that failed, such as the validation while the server's system works.
    pub async fn remote_restart(
        &self,
        request: RemoteRestartRequest,
        control: &Control,
    ) -> Result<PowerState> {
        self.refuse_novalink()?;
        let entry = self.find_anywhere(&request.server).await?;
        let uuid = uuid_of(&entry)?;
        let turn = self.shared.instances.take(&uuid).await;
        let is_here = self.refuse_others(&entry.content).is_ok();
        let state = LogicalPartition(&entry.content).remote_restart_state();
        let state = state.ok().flatten();
        if !is_here && state != Some(RemoteRestartState::RemoteRestartable) {
            let state = state.map_or_else(|| "unknown".to_owned(), |state| state.to_string());
            return Err(Error::operation(
                ErrorKind::Precondition,
                format!(
                    "{} cannot be restarted on another system: its remote restart state is {state}",
                    request.server
                ),
                "evacuate it; servers that are made with powervm:srr_capability=true on a capable host can",
            ));
        }
        let asked = Asked {
            server: request.server.to_string(),
            partition: uuid.as_uuid(),
            what: What::Restart {
                override_vlan_bridge: request.override_vlan_bridge,
            },
        };
        let restarted = self.perform_restart(asked, turn, control).await;
        if let Err(error) = restarted {
            if is_here || Place::surely(self, uuid).await? != Place::Here {
                return Err(error);
            }
            // What has come stays.
            control.warn(format!(
                "the server has come, and something failed then: {error}"
            ));
            self.start(uuid.as_uuid(), control).await?;
        }
        self.keep_slots_if_possible(uuid, control).await;
        // It has come and was started: that its state cannot be read now makes no failure of it.
        match state_of(self.session(), uuid).await {
            Ok(state) => Ok(PowerState::of(&state)),
            Err(error) => {
                control.warn(format!(
                    "the server was restarted, and its state cannot be read: {error}"
                ));
                Ok(PowerState::Unknown)
            }
        }
    }

    /// Removes what is left on this host of a server that was restarted on another one. That there is nothing is as
    /// good.
    ///
    /// # Errors
    /// A NovaLink; a server that is still here; what could not be removed, in which case the call can be repeated.
    pub async fn remote_restart_cleanup(
        &self,
        server: impl Into<ServerRef>,
        control: &Control,
    ) -> Result<()> {
        self.refuse_novalink()?;
        let server = server.into();
        let entry = self.find_anywhere(&server).await?;
        let uuid = uuid_of(&entry)?;
        if self.refuse_others(&entry.content).is_ok() {
            return Err(Error::operation(
                ErrorKind::Precondition,
                format!("{server} is on {}", self.shared.system.name),
                "only what a server left that has been restarted elsewhere is removed",
            ));
        }
        let turn = self.shared.instances.take(&uuid).await;
        let asked = Asked {
            server: server.to_string(),
            partition: uuid.as_uuid(),
            what: What::CleanUp,
        };
        self.perform_restart(asked, turn, control).await
    }

    async fn perform_restart(
        &self,
        asked: Asked,
        turn: OwnedMutexGuard<()>,
        control: &Control,
    ) -> Result<()> {
        let steps = control.for_steps();
        let restart = Arc::new(RemoteRestart {
            driver: self.clone(),
            control: steps.clone(),
            asked,
            notes: Notes::default(),
            is_here: false,
            _turn: turn,
        });
        self.perform(&restart, control, &steps).await
    }

    fn refuse_novalink(&self) -> Result<()> {
        if self.session().flavor() == Flavor::Hmc {
            return Ok(());
        }
        Err(Error::operation(
            ErrorKind::Precondition,
            "a NovaLink restarts no servers of other systems",
            "evacuate the server, or use an HMC that manages both systems",
        ))
    }

    /// The server's partition on whichever system of the console.
    async fn find_anywhere(&self, server: &ServerRef) -> Result<Entry> {
        let name = match server {
            ServerRef::Uuid(uuid) => {
                let path = path_of(PartitionUuid::of_instance(*uuid));
                return self.session().get_entry(&path, Groups::None).await;
            }
            ServerRef::Name(name) => name,
        };
        let session = self.session();
        let feed = session
            .search("LogicalPartition", "PartitionName", name)
            .await?;
        let mut found = feed.entries.into_iter();
        match (found.next(), found.next()) {
            (Some(entry), None) => Ok(entry),
            (None, _) => Err(Error::operation(
                ErrorKind::NotFound,
                format!("the console knows no server {server}"),
                "name a server of one of its systems",
            )),
            (Some(_), Some(_)) => Err(Error::invalid(
                format!("several servers are named {server}"),
                "give the server's UUID",
            )),
        }
    }
}

fn uuid_of(entry: &Entry) -> Result<PartitionUuid> {
    PartitionUuid::parse(&entry.id).ok_or_else(|| {
        Error::operation(
            ErrorKind::BadAnswer,
            "the server tells of a partition without a UUID",
            "check that the endpoint is the REST API of an HMC",
        )
    })
}

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum What {
    Restart { override_vlan_bridge: bool },
    CleanUp,
}

/// What the journal keeps of it.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Asked {
    server: String,
    partition: Uuid,
    what: What,
}

/// A remote restart on its way, or the removal of what it left.
pub(super) struct RemoteRestart {
    driver: Driver,
    control: Control,
    asked: Asked,
    notes: Notes<()>,
    /// It had come when another process took this up.
    is_here: bool,
    _turn: OwnedMutexGuard<()>,
}

impl Operation for RemoteRestart {
    const KIND: &'static str = "remote restart";
    const PLAN: Plan = Plan::Undo;
    type Asked = Asked;
    type Notes = ();

    fn asked(&self) -> &Asked {
        &self.asked
    }

    fn notes(&self) -> &Notes<()> {
        &self.notes
    }

    /// What has come stays, and what was left is removed to its end.
    fn plan(&self) -> Plan {
        if self.is_here || self.asked.what == What::CleanUp {
            Plan::Finish
        } else {
            Plan::Undo
        }
    }

    fn recipe(&self) -> Saga<Self> {
        let server = &self.asked.server;
        match self.asked.what {
            What::Restart { .. } => Saga::new(format!("restart {server} remotely"))
                .step(Step::new(CHECK, Self::validate))
                .step(
                    Step::new(RESTART, Self::restart)
                        .after([CHECK])
                        .undo(Self::recover),
                )
                .step(Step::new(START, Self::start).after([RESTART])),
            What::CleanUp => Saga::new(format!("clean up after {server}"))
                .step(Step::new(CLEAN, Self::clean_up))
                .step(Step::new(MAPPINGS, Self::remove_mappings).after([CLEAN]))
                .step(Step::new(LEFT, Self::remove_config_drive).after([MAPPINGS])),
        }
    }

    async fn revive(
        driver: &Driver,
        asked: Asked,
        (): (),
        control: &Control,
    ) -> Result<Option<Self>> {
        let uuid = PartitionUuid::of_instance(asked.partition);
        let turn = driver.shared.instances.take(&uuid).await;
        jobs::see_off(driver.session(), uuid, JOB).await?;
        Ok(Some(Self {
            driver: driver.clone(),
            control: control.clone(),
            asked,
            notes: Notes::default(),
            is_here: Place::surely(driver, uuid).await? == Place::Here,
            _turn: turn,
        }))
    }
}

impl RemoteRestart {
    fn uuid(&self) -> PartitionUuid {
        PartitionUuid::of_instance(self.asked.partition)
    }

    async fn is_here(&self) -> Result<bool> {
        Ok(Place::surely(&self.driver, self.uuid()).await? == Place::Here)
    }

    async fn run(&self, operation: &str) -> Result<()> {
        let mut job = Job::new(path_of(self.uuid()), JOB)
            .timeout(TIMEOUT)
            .parameter("Operation", operation);
        if let What::Restart {
            override_vlan_bridge,
        } = self.asked.what
        {
            job = job.parameter("targetManagedSystem", &self.driver.shared.system.name);
            if override_vlan_bridge {
                job = job.parameter("vlanbridge", "2");
            }
        }
        jobs::run(self.driver.session(), self.uuid(), JOB, job)
            .await
            .map(drop)
    }

    async fn validate(self: Arc<Self>) -> Result<()> {
        if self.is_here().await? {
            return Ok(());
        }
        self.run("validate").await
    }

    async fn restart(self: Arc<Self>) -> Result<()> {
        if self.is_here().await? {
            return Ok(());
        }
        let Err(error) = self.run("restart").await else {
            return Ok(());
        };
        if self.is_here().await? {
            self.control.warn(format!(
                "the server has come, although the job did not say so: {error}"
            ));
            return Ok(());
        }
        Err(error)
    }

    /// One that got stuck on its way is brought back; what has come stays.
    async fn recover(self: Arc<Self>) -> Result<()> {
        if self.is_here().await? {
            return Ok(());
        }
        let path = path_of(self.uuid());
        let entry = self.driver.session().get_entry(&path, Groups::None).await?;
        let state = LogicalPartition(&entry.content).remote_restart_state();
        match state.ok().flatten() {
            Some(
                RemoteRestartState::SourceRemoteRestarting
                | RemoteRestartState::DestinationRemoteRestarting,
            ) => self.run("recover").await,
            _ => Ok(()),
        }
    }

    async fn start(self: Arc<Self>) -> Result<()> {
        let state = state_of(self.driver.session(), self.uuid()).await?;
        if is_startable(&state) {
            power::on(&self.driver, self.uuid(), None).await?;
        }
        Ok(())
    }

    async fn clean_up(self: Arc<Self>) -> Result<()> {
        self.run("cleanup").await
    }

    /// What the Virtual I/O Servers still serve to partitions that are gone.
    async fn remove_mappings(self: Arc<Self>) -> Result<()> {
        let vioses = self.driver.active_vioses().await?;
        let servers = vioses.iter().map(|vios| stale::clear(&self.driver, vios));
        join_all(servers)
            .await
            .into_iter()
            .try_for_each(|cleared| cleared.map(drop))
    }

    async fn remove_config_drive(self: Arc<Self>) -> Result<()> {
        let vioses = self.driver.active_vioses().await?;
        tidy::up(&self.driver, &vioses, self.uuid(), &Had::default(), &[]).await
    }
}
