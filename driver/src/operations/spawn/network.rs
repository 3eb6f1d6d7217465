//! The server's interfaces.

use std::sync::{Arc, PoisonError};

use super::Spawn;
use crate::error::{Error, Result};
use crate::network::Mac;
use crate::network::adapter::{MANAGEMENT_VLAN, NewAdapter};
use crate::operations::plug;
use crate::operations::plug_events::Expected;
use crate::storage::media::config_drive::PluggedInterface;

impl Spawn {
    /// One adapter after the other: the guest finds them in the order of their slots.
    pub(super) async fn plug_interfaces(self: Arc<Self>) -> Result<()> {
        if self.note(|found| found.macs.is_some()) {
            return Ok(());
        }
        let plan = &self.order()?.plan;
        let partition = self.partition;
        let expected = Expected::of(
            &self.driver,
            &self.control,
            self.asked.instance,
            &plan.interfaces,
        );
        let expected = expected.await?.map(Arc::new);
        *self.expected.lock().unwrap_or_else(PoisonError::into_inner) = expected;
        let mut macs = Vec::new();
        for planned in &plan.interfaces {
            macs.push(plug::plug(&self.driver, partition, planned).await?);
        }
        let mut management = None;
        if let Some(planned) = &plan.management {
            let new = NewAdapter {
                switch: &planned.switch,
                vlan: MANAGEMENT_VLAN,
                mac: planned.mac,
                slot: planned.slot,
            };
            let made = plug::plug_into_switch(&self.driver, partition, &new).await?;
            management = Some(made.mac);
        }
        self.note(|found| found.macs = Some((macs, management)));
        Ok(())
    }

    /// Nobody is reached by a server that starts before its ports are connected.
    pub(super) async fn wait_for_network(self: Arc<Self>) -> Result<()> {
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

    /// Addresses as chosen, or as the server gave them.
    pub(super) fn addresses(&self) -> Result<(Vec<PluggedInterface>, Option<Mac>)> {
        let plan = &self.order()?.plan;
        let given = self.note(|found| found.macs.clone());
        let given_mac = |index: usize| {
            given
                .as_ref()
                .and_then(|(macs, _)| macs.get(index).copied())
        };
        let mut plugged = Vec::new();
        for (index, planned) in plan.interfaces.iter().enumerate() {
            let mac = given_mac(index).or(planned.mac);
            let mac = mac.ok_or_else(|| Error::internal("an interface has no address yet"))?;
            plugged.push(PluggedInterface {
                interface: planned.interface.clone(),
                mac,
            });
        }
        let management = given
            .as_ref()
            .and_then(|(_, management)| *management)
            .or_else(|| plan.management.as_ref().and_then(|planned| planned.mac));
        Ok((plugged, management))
    }
}
