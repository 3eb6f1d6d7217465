//! Gives a server another interface, or takes one away; it may be running or off.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use tokio::sync::OwnedMutexGuard;
use uuid::Uuid;

use super::control::Control;
use super::driver::Driver;
use super::operation::{Notes, Operation, Plan};
use super::plan::PlannedInterface;
use super::plug::{self, Plugged};
use super::plug_events::Expected;
use super::power::without_saga;
use super::request::ServerRef;
use super::server::InterfaceInfo;
use super::target::Target;
use crate::error::{Error, ErrorKind, Result};
use crate::network::{Attachment, Mac, NetworkInterface};
use crate::partition::PartitionUuid;
use crate::saga::{Saga, Step};

const PLUG: &str = "plug the interface";
const PLUGGED: &str = "wait for the network";
const UNPLUG: &str = "unplug the interface";
const KEEP: &str = "keep the slots";

impl Driver {
    /// Gives a server an interface. One with the address that it has already is left as it is.
    ///
    /// A failed or cancelled call leaves the server as it was.
    ///
    /// # Errors
    /// No such server, or one whose devices cannot be changed now; no port for the interface;
    /// [`Error::Saga`] when it could not be plugged.
    pub async fn attach_interface(
        &self,
        server: impl Into<ServerRef>,
        interface: NetworkInterface,
        control: &Control,
    ) -> Result<InterfaceInfo> {
        let server = server.into();
        let partition = self.resolve(&server).await?;
        let instance = match server {
            ServerRef::Uuid(instance) => instance,
            ServerRef::Name(_) => partition.as_uuid(),
        };
        let turn = self.shared.instances.take(&partition).await;
        let (target, before) = futures_util::try_join!(
            Target::read(self, partition),
            plug::interfaces(self, partition),
        )?;
        let named =
            |plugged: &&Plugged| interface.mac.is_some() && plugged.info.mac == interface.mac;
        if let Some(there) = before.iter().find(named) {
            if !control.is_dry_run() {
                plug::refresh(self, instance, &interface, there).await?;
            }
            return Ok(there.info.clone());
        }
        target.check()?;
        let planned = self
            .plan_interface(partition, instance, interface, &before)
            .await?;
        let steps = control.for_steps();
        let plug = Arc::new(Plug {
            driver: self.clone(),
            partition,
            asked: AskedPlug {
                partition: partition.as_uuid(),
                server: target.name,
                is_pair: matches!(planned.interface.attachment, Attachment::Ovs(_)),
                mac: planned.mac,
                waits_for_network: Expected::is_wanted(
                    self,
                    control,
                    std::slice::from_ref(&planned),
                ),
                before: before.into_iter().map(|plugged| plugged.path).collect(),
                keeps_slots: self.keeps(),
            },
            planned: Some(planned),
            control: steps.clone(),
            notes: Notes::default(),
            mac: Mutex::default(),
            expected: Mutex::default(),
            _turn: turn,
        });
        self.perform(&plug, control, &steps).await?;
        plug.report().await
    }

    /// Takes an interface away from a server. One that it does not have is taken already; so is one of a
    /// server that does not exist.
    ///
    /// # Errors
    /// A server whose devices cannot be changed now; those of the requests.
    pub async fn detach_interface(
        &self,
        server: impl Into<ServerRef>,
        mac: Mac,
        control: &Control,
    ) -> Result<Option<InterfaceInfo>> {
        let partition = match self.resolve(&server.into()).await {
            Err(error) if error.is_not_found() => return Ok(None),
            partition => partition?,
        };
        let turn = self.shared.instances.take(&partition).await;
        let Some(target) = Target::find(self, partition).await? else {
            return Ok(None);
        };
        let all = plug::interfaces(self, partition).await?;
        let Some(plugged) = all
            .into_iter()
            .find(|plugged| plugged.info.mac == Some(mac))
        else {
            control.warn(format!("{} has no interface {mac}", target.name));
            return Ok(None);
        };
        target.check()?;
        let steps = control.for_steps();
        let unplug = Arc::new(Unplug {
            driver: self.clone(),
            asked: AskedUnplug {
                partition: partition.as_uuid(),
                server: target.name,
                mac,
            },
            plugged: plugged.clone(),
            notes: Notes::default(),
            _turn: turn,
        });
        self.perform(&unplug, control, &steps)
            .await
            .map_err(without_saga)?;
        self.keep_slots_if_possible(partition, control).await;
        Ok(Some(plugged.info))
    }

    /// The interface with the switch and the address that it will have. Without an address it gets the
    /// next of those that follow from the server's UUID.
    async fn plan_interface(
        &self,
        partition: PartitionUuid,
        instance: Uuid,
        interface: NetworkInterface,
        before: &[Plugged],
    ) -> Result<PlannedInterface> {
        let (system, switches) = futures_util::try_join!(self.system(), self.switches())?;
        let switch = plug::switch_for(&interface, &switches)?;
        if interface.mac.is_some() && !system.limits.custom_mac {
            return Err(Error::operation(
                ErrorKind::Precondition,
                "the host chooses the addresses of adapters itself",
                "leave the address out, or use another host",
            ));
        }
        let is_free = |mac: &Mac| before.iter().all(|plugged| plugged.info.mac != Some(*mac));
        let derived = || {
            (0..=before.len())
                .map(|number| Mac::derived(partition.as_uuid(), &format!("hot{number}")))
                .find(is_free)
        };
        let mac = interface.mac.or_else(|| {
            if system.limits.custom_mac {
                derived()
            } else {
                None
            }
        });
        let planned = PlannedInterface {
            instance,
            interface,
            switch,
            mac,
            slot: None,
        };
        plug::foresee(self, std::slice::from_ref(&planned)).await?;
        Ok(planned)
    }
}

/// An interface on its way, or on its way back.
pub(super) struct Plug {
    driver: Driver,
    partition: PartitionUuid,
    asked: AskedPlug,
    /// What is to be plugged; not needed on the way back.
    planned: Option<PlannedInterface>,
    control: Control,
    notes: Notes<()>,
    mac: Mutex<Option<Mac>>,
    /// The port that the network service is listened to for.
    expected: Mutex<Option<Arc<Expected>>>,
    _turn: OwnedMutexGuard<()>,
}

/// What the journal keeps of the order: enough to tell the interface from those that were there.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct AskedPlug {
    partition: Uuid,
    server: String,
    /// Whether a trunk adapter belongs to it.
    is_pair: bool,
    /// Its address, if we chose one.
    mac: Option<Mac>,
    /// Whether the network service is waited for.
    #[serde(default)]
    waits_for_network: bool,
    /// Paths of the interfaces that the server had.
    before: BTreeSet<String>,
    /// Whether the server's slots are kept.
    #[serde(default)]
    keeps_slots: bool,
}

impl Operation for Plug {
    const KIND: &'static str = "attach interface";
    const PLAN: Plan = Plan::Undo;
    type Asked = AskedPlug;
    type Notes = ();

    fn asked(&self) -> &AskedPlug {
        &self.asked
    }

    fn notes(&self) -> &Notes<()> {
        &self.notes
    }

    fn recipe(&self) -> Saga<Self> {
        let saga = Saga::new(format!("plug an interface into {}", self.asked.server))
            .step(Step::new(PLUG, Self::plug).undo(Self::unplug));
        // A slot that is kept and not in use harms nobody, so there is nothing to take back.
        let saga = match self.asked.keeps_slots {
            true => saga.step(Step::new(KEEP, Self::keep_slots).after([PLUG])),
            false => saga,
        };
        match self.asked.waits_for_network {
            true => saga.step(Step::new(PLUGGED, Self::wait_for_network).after([PLUG])),
            false => saga,
        }
    }

    /// Whoever asked was never told of the interface's address.
    async fn revive(
        driver: &Driver,
        asked: AskedPlug,
        (): (),
        control: &Control,
    ) -> Result<Option<Self>> {
        let partition = PartitionUuid::of_instance(asked.partition);
        let turn = driver.shared.instances.take(&partition).await;
        if Target::find(driver, partition).await?.is_none() {
            return Ok(None);
        }
        Ok(Some(Self {
            driver: driver.clone(),
            partition,
            asked,
            planned: None,
            control: control.clone(),
            notes: Notes::default(),
            mac: Mutex::default(),
            expected: Mutex::default(),
            _turn: turn,
        }))
    }
}

impl Plug {
    async fn plug(self: Arc<Self>) -> Result<()> {
        if self.mac().is_some() {
            return Ok(());
        }
        let planned = self
            .planned
            .as_ref()
            .ok_or_else(|| Error::internal("an interface that is taken back cannot be plugged"))?;
        let expected = Expected::of(
            &self.driver,
            &self.control,
            planned.instance,
            std::slice::from_ref(planned),
        );
        let expected = expected.await?.map(Arc::new);
        *self.expected.lock().unwrap_or_else(PoisonError::into_inner) = expected;
        let mac = plug::plug(&self.driver, self.partition, planned).await?;
        *self.mac.lock().unwrap_or_else(PoisonError::into_inner) = Some(mac);
        Ok(())
    }

    async fn wait_for_network(self: Arc<Self>) -> Result<()> {
        let expected = self
            .expected
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        match expected {
            Some(expected) => expected.wait(&self.control).await,
            None => Ok(()),
        }
    }

    async fn keep_slots(self: Arc<Self>) -> Result<()> {
        self.driver.keep_slots(self.partition).await.map(drop)
    }

    fn mac(&self) -> Option<Mac> {
        *self.mac.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn unplug(self: Arc<Self>) -> Result<()> {
        let AskedPlug {
            is_pair,
            mac,
            before,
            ..
        } = &self.asked;
        plug::take_back(&self.driver, self.partition, *is_pair, *mac, before).await
    }

    async fn report(&self) -> Result<InterfaceInfo> {
        let mac = self.mac();
        let all = plug::interfaces(&self.driver, self.partition).await;
        let found = all
            .ok()
            .and_then(|all| all.into_iter().find(|plugged| plugged.info.mac == mac));
        // It is there even if it cannot be read now.
        Ok(found.map_or_else(
            || InterfaceInfo {
                mac,
                vlan: self.planned.as_ref().map(|planned| planned.interface.vlan),
                switch: None,
                slot: None,
            },
            |plugged| plugged.info,
        ))
    }
}

/// An interface that goes: one step, which makes sure that it is gone.
pub(super) struct Unplug {
    driver: Driver,
    asked: AskedUnplug,
    plugged: Plugged,
    notes: Notes<()>,
    _turn: OwnedMutexGuard<()>,
}

/// What the journal keeps of the order.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct AskedUnplug {
    partition: Uuid,
    server: String,
    mac: Mac,
}

impl Operation for Unplug {
    const KIND: &'static str = "detach interface";
    const PLAN: Plan = Plan::Finish;
    type Asked = AskedUnplug;
    type Notes = ();

    fn asked(&self) -> &AskedUnplug {
        &self.asked
    }

    fn notes(&self) -> &Notes<()> {
        &self.notes
    }

    fn recipe(&self) -> Saga<Self> {
        let AskedUnplug { mac, server, .. } = &self.asked;
        Saga::new(format!("unplug the interface {mac} from {server}"))
            .step(Step::new(UNPLUG, Self::remove))
    }

    async fn revive(
        driver: &Driver,
        asked: AskedUnplug,
        (): (),
        _: &Control,
    ) -> Result<Option<Self>> {
        let partition = PartitionUuid::of_instance(asked.partition);
        let turn = driver.shared.instances.take(&partition).await;
        if Target::find(driver, partition).await?.is_none() {
            return Ok(None);
        }
        let mut all = plug::interfaces(driver, partition).await?;
        all.retain(|plugged| plugged.info.mac == Some(asked.mac));
        Ok(all.pop().map(|plugged| Self {
            driver: driver.clone(),
            asked,
            plugged,
            notes: Notes::default(),
            _turn: turn,
        }))
    }
}

impl Unplug {
    async fn remove(self: Arc<Self>) -> Result<()> {
        plug::unplug(&self.driver, &self.plugged).await
    }
}
