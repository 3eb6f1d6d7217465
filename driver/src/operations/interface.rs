//! Gives a server another interface, or takes one away; it may be running or off.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OwnedMutexGuard;
use uuid::Uuid;

use super::control::Control;
use super::driver::Driver;
use super::plan::PlannedInterface;
use super::plug::{self, Plugged};
use super::request::ServerRef;
use super::server::InterfaceInfo;
use super::target::Target;
use crate::error::{Error, ErrorKind, Result};
use crate::network::{Mac, NetworkInterface};
use crate::partition::PartitionUuid;
use crate::saga::{Saga, Step};

const PLUG: &str = "plug the interface";

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
            plug::refresh(self, instance, &interface, there).await?;
            return Ok(there.info.clone());
        }
        target.check()?;
        let planned = self
            .plan_interface(partition, instance, interface, &before)
            .await?;
        let plug = Arc::new(Plug {
            driver: self.clone(),
            partition,
            planned,
            before: before.into_iter().map(|plugged| plugged.path).collect(),
            mac: Mutex::default(),
            _turn: turn,
        });
        let saga = Saga::new(format!("plug an interface into {}", target.name))
            .step(Step::new(PLUG, Plug::plug).undo(Plug::unplug));
        let options = control.saga_options(&control.for_steps());
        saga.run(Arc::clone(&plug), options).await?;
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
        let _turn = self.shared.instances.take(&partition).await;
        let target = match Target::read(self, partition).await {
            Err(error) if error.is_not_found() => return Ok(None),
            target => target?,
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
        plug::unplug(self, &plugged).await?;
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
        };
        plug::foresee(self, std::slice::from_ref(&planned)).await?;
        Ok(planned)
    }
}

/// An interface on its way.
struct Plug {
    driver: Driver,
    partition: PartitionUuid,
    planned: PlannedInterface,
    before: BTreeSet<String>,
    mac: Mutex<Option<Mac>>,
    _turn: OwnedMutexGuard<()>,
}

impl Plug {
    async fn plug(self: Arc<Self>) -> Result<()> {
        if self.mac().is_some() {
            return Ok(());
        }
        let mac = plug::plug(&self.driver, self.partition, &self.planned).await?;
        *self.mac.lock().unwrap_or_else(PoisonError::into_inner) = Some(mac);
        Ok(())
    }

    fn mac(&self) -> Option<Mac> {
        *self.mac.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn unplug(self: Arc<Self>) -> Result<()> {
        plug::take_back(&self.driver, self.partition, &self.planned, &self.before).await
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
                vlan: Some(self.planned.interface.vlan),
                switch: None,
                slot: None,
            },
            |plugged| plugged.info,
        ))
    }
}
