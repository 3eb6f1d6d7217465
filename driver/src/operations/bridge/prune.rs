//! Takes VLANs off a bridge that nobody uses any more.

use std::collections::BTreeSet;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use powervm_schema::network::ClientNetworkAdapter;
use serde::Serialize;

use super::change::{Asked, BridgeChange};
use super::provision::listed;
use super::{BridgeRef, Driver};
use crate::error::{Error, Result};
use crate::network::bridge::{self, Bridge};
use crate::operations::control::Control;
use crate::rest::Groups;

/// How many partitions are looked at at a time.
const AT_ONCE: usize = 8;

/// What to prune.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prune {
    /// VLANs that stay although no adapter on the host has them: those of ports that are about to come.
    pub keep: BTreeSet<u16>,
    /// How many go at most.
    pub limit: usize,
}

impl Default for Prune {
    /// Three at a time, as operators of the SEA agent know it.
    fn default() -> Self {
        Self {
            keep: BTreeSet::new(),
            limit: 3,
        }
    }
}

/// What became of a bridge's VLANs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Pruned {
    /// UUID of the bridge.
    pub bridge: String,
    /// What went.
    pub removed: BTreeSet<u16>,
    /// What it carries now.
    pub vlans: BTreeSet<u16>,
}

impl Driver {
    /// Takes the VLANs off a bridge that no adapter on its switch has, of whatever partition, and that are not to be
    /// kept. Those of its primary trunk adapters stay in any case.
    ///
    /// # Errors
    /// No such bridge; [`Error::Saga`] when the update failed, after which the VLANs are where they were.
    pub async fn prune(
        &self,
        bridge: &BridgeRef,
        prune: &Prune,
        control: &Control,
    ) -> Result<Pruned> {
        let turn = self.bridge_turn().await;
        let target = self.pick(bridge, &self.read_bridges().await?).await?;
        let mut needed = self.vlans_of_adapters(&target).await?;
        needed.extend(&prune.keep);
        // Whoever waits to have VLANs bridged needs them, too.
        needed.extend(self.shared.bridges.all().values().flatten());
        let (removed, edit) = bridge::prune(&target, &needed, prune.limit);
        let mut vlans = target.tagged();
        vlans.insert(target.port_vlan);
        vlans.retain(|vlan| !removed.contains(vlan));
        if let Some(edit) = edit {
            let names = self.names().await?;
            let asked = Asked {
                title: format!("prune VLANs {}", listed(&removed)),
                switch: names.switch_of(&target).unwrap_or_default(),
                edits: vec![edit],
            };
            BridgeChange::perform(self, asked, control, turn).await?;
        }
        Ok(Pruned {
            bridge: target.uuid,
            removed,
            vlans,
        })
    }

    /// VLANs, untagged and tagged, of every adapter on the bridge's switch that is no trunk.
    async fn vlans_of_adapters(&self, target: &Bridge) -> Result<BTreeSet<u16>> {
        let path = format!("ManagedSystem/{}/LogicalPartition", self.shared.system.uuid);
        let (partitions, vioses) =
            futures_util::try_join!(self.session().get_feed(&path, Groups::None), self.vioses(),)?;
        let partitions = partitions.entries.iter();
        let mut owners: Vec<String> = partitions
            .map(|entry| format!("LogicalPartition/{}", entry.id))
            .collect();
        owners.extend(vioses.iter().map(|vios| vios.path()));
        let switch = target.switch;
        let reads = owners.into_iter().map(|owner| async move {
            let path = format!("{owner}/ClientNetworkAdapter");
            let feed = match self.session().get_feed(&path, Groups::None).await {
                // Gone in between.
                Err(error) if error.is_not_found() => return Ok(BTreeSet::new()),
                feed => feed?,
            };
            let mut vlans = BTreeSet::new();
            for entry in &feed.entries {
                let adapter = ClientNetworkAdapter(&entry.content);
                let is_trunk = adapter.trunk_priority().ok().flatten().is_some();
                if is_trunk || adapter.virtual_switch_id().ok().flatten() != switch {
                    continue;
                }
                vlans.extend(adapter.port_vlan().ok().flatten());
                vlans.extend(adapter.tagged_vlan_ids().unwrap_or_default());
            }
            Ok::<_, Error>(vlans)
        });
        let vlans = stream::iter(reads).buffer_unordered(AT_ONCE);
        let vlans: Vec<BTreeSet<u16>> = vlans.try_collect().await?;
        Ok(vlans.into_iter().flatten().collect())
    }
}
