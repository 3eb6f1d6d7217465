//! Takes VLANs off a bridge that nobody uses any more.

use std::collections::BTreeSet;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use powervm_schema::atom::Entry;
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
        let mut owners = self.partition_paths().await?;
        owners.extend(self.vioses().await?.iter().map(|vios| vios.path()));
        let adapters = self.client_adapters(owners).await?;
        let on_switch = adapters
            .into_iter()
            .filter(|adapter| adapter.switch == target.switch);
        Ok(on_switch.flat_map(|adapter| adapter.vlans).collect())
    }

    /// Paths of the partitions of the host.
    pub(in crate::operations) async fn partition_paths(&self) -> Result<Vec<String>> {
        let path = format!("ManagedSystem/{}/LogicalPartition", self.shared.system.uuid);
        let feed = self.session().get_feed(&path, Groups::None).await?;
        let entries = feed.entries.iter();
        Ok(entries
            .map(|entry| format!("LogicalPartition/{}", entry.id))
            .collect())
    }

    /// The adapters of these owners that are no trunks. An owner that is gone has none.
    pub(in crate::operations) async fn client_adapters(
        &self,
        owners: Vec<String>,
    ) -> Result<Vec<ClientAdapter>> {
        let reads = owners.into_iter().map(|owner| async move {
            let path = format!("{owner}/ClientNetworkAdapter");
            let feed = match self.session().get_feed(&path, Groups::None).await {
                Err(error) if error.is_not_found() => return Ok(Vec::new()),
                feed => feed?,
            };
            let read = |entry: &Entry| {
                let adapter = ClientNetworkAdapter(&entry.content);
                if adapter.trunk_priority().ok().flatten().is_some() {
                    return None;
                }
                let mut vlans: BTreeSet<u16> =
                    adapter.port_vlan().ok().flatten().into_iter().collect();
                vlans.extend(adapter.tagged_vlan_ids().unwrap_or_default());
                Some(ClientAdapter {
                    switch: adapter.virtual_switch_id().ok().flatten(),
                    vlans,
                })
            };
            Ok::<_, Error>(feed.entries.iter().filter_map(read).collect())
        });
        let adapters = stream::iter(reads).buffer_unordered(AT_ONCE);
        let adapters: Vec<Vec<ClientAdapter>> = adapters.try_collect().await?;
        Ok(adapters.into_iter().flatten().collect())
    }
}

/// An adapter that is no trunk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::operations) struct ClientAdapter {
    /// Number of its switch.
    pub(in crate::operations) switch: Option<u32>,
    /// Its VLANs, the untagged one included.
    pub(in crate::operations) vlans: BTreeSet<u16>,
}
