//! What trunk adapters there are, and the removal of those that nobody needs.

use std::time::Duration;

use serde::Serialize;
use uuid::Uuid;

use super::{Driver, all, delete, orphans};
use crate::error::Result;
use crate::network::Mac;
use crate::network::trunk::Trunk;
use crate::rest::Flavor;

/// Between the two looks after which a trunk adapter counts as an orphan: somebody else may be about to make its
/// partner.
const SECOND_LOOK: Duration = Duration::from_secs(5);

/// A trunk adapter of the management partition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TrunkInfo {
    /// Its device on the management partition.
    pub device: String,
    /// The bridge of Open vSwitch that it is a port of.
    pub bridge: String,
    /// The VLAN that it shares with its partner.
    pub vlan: u16,
    /// Address of its partner.
    pub mac: Option<Mac>,
    /// The instance that it is for.
    pub instance: Option<Uuid>,
    /// Whether its server is still on another host.
    pub arriving: bool,
    /// Whether no partition of the host has an adapter on its VLAN.
    pub alone: bool,
}

impl TrunkInfo {
    fn of(trunk: &Trunk, alone: bool) -> Self {
        Self {
            device: trunk.device.clone(),
            bridge: trunk.bridge.clone(),
            vlan: trunk.line.1,
            mac: trunk.ids.mac(),
            instance: trunk.ids.instance(),
            arriving: trunk.ids.is_arriving(),
            alone,
        }
    }
}

impl Driver {
    /// The trunk adapters that lead to Open vSwitch, by VLAN.
    ///
    /// # Errors
    /// Those of the requests.
    pub async fn trunks(&self) -> Result<Vec<TrunkInfo>> {
        let trunks = all(self).await?;
        let alone = orphans::among(self, trunks.clone()).await?;
        let told = trunks.iter();
        Ok(told
            .map(|trunk| TrunkInfo::of(trunk, alone.contains(trunk)))
            .collect())
    }

    /// Removes the trunk adapters whose server is gone: those that say for which server they are, are not waiting for it
    /// to arrive, and stay without a partner for a while. What this process is just plugging is none of them.
    ///
    /// # Errors
    /// Those of the requests.
    pub async fn sweep_trunks(&self) -> Result<Vec<TrunkInfo>> {
        if self.session().flavor() == Flavor::Hmc || self.orphans().await?.is_empty() {
            return Ok(Vec::new());
        }
        tokio::time::sleep(SECOND_LOOK).await;
        let orphans = self.orphans().await?;
        for trunk in &orphans {
            tracing::warn!(
                device = trunk.device,
                vlan = trunk.line.1,
                "removing a trunk adapter whose server is gone"
            );
        }
        delete(self, &orphans).await?;
        let told = orphans.iter();
        Ok(told.map(|trunk| TrunkInfo::of(trunk, true)).collect())
    }

    async fn orphans(&self) -> Result<Vec<Trunk>> {
        let plugging = self.shared.trunks.taken().clone();
        let mut trunks = all(self).await?;
        trunks.retain(|trunk| {
            trunk.ids.instance().is_some()
                && trunk.ids.mac().is_some()
                && !trunk.ids.is_arriving()
                && !plugging.contains(&trunk.line.1)
        });
        orphans::among(self, trunks).await
    }
}
