//! Changes the VLANs of bridges, and takes that back when it does not come to its end.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use powervm_schema::network::VirtualNetwork;
use serde::{Deserialize, Serialize};
use tokio::sync::OwnedMutexGuard;

use super::Driver;
use crate::error::{Error, ErrorKind, Result};
use crate::host::Switch;
use crate::network::bridge::{Edit, Move, after, groups, write, write_groups};
use crate::operations::control::Control;
use crate::operations::operation::{Notes, Operation, Plan};
use crate::rest::{Flavor, Groups};
use crate::saga::{Saga, Step};
use crate::transaction::{Changed, edit};

/// Bridges that change.
pub(in crate::operations) struct BridgeChange {
    driver: Driver,
    asked: Asked,
    notes: Notes<()>,
    _turn: OwnedMutexGuard<()>,
}

/// What is to be done: the whole of it, so that it can be taken back by whoever reads it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(in crate::operations) struct Asked {
    pub(super) title: String,
    /// Name of the switch.
    pub(super) switch: String,
    pub(super) edits: Vec<Edit>,
}

impl Operation for BridgeChange {
    const KIND: &'static str = "bridge";
    const PLAN: Plan = Plan::Undo;
    type Asked = Asked;
    type Notes = ();

    fn asked(&self) -> &Asked {
        &self.asked
    }

    fn notes(&self) -> &Notes<()> {
        &self.notes
    }

    /// One bridge after the other: a VLAN leaves one before it gets onto another.
    fn recipe(&self) -> Saga<Self> {
        let mut saga = Saga::new(self.asked.title.clone());
        let mut before: Option<String> = None;
        for (index, edit) in self.asked.edits.iter().enumerate() {
            let name = format!("update {}: bridge {}", index + 1, edit.bridge);
            let step = Step::new(name.clone(), move |change: Arc<Self>| async move {
                change.apply(index, false).await
            })
            .undo(move |change: Arc<Self>| async move { change.apply(index, true).await });
            saga.push(match before.replace(name) {
                Some(before) => step.after([before]),
                None => step,
            });
        }
        saga
    }

    async fn revive(
        driver: &Driver,
        asked: Asked,
        (): (),
        _control: &Control,
    ) -> Result<Option<Self>> {
        Ok(Some(Self {
            driver: driver.clone(),
            asked,
            notes: Notes::new(()),
            _turn: driver.bridge_turn().await,
        }))
    }
}

impl BridgeChange {
    /// Does it.
    pub(super) async fn perform(
        driver: &Driver,
        asked: Asked,
        control: &Control,
        turn: OwnedMutexGuard<()>,
    ) -> Result<()> {
        let change = Arc::new(Self {
            driver: driver.clone(),
            asked,
            notes: Notes::new(()),
            _turn: turn,
        });
        driver.perform(&change, control, &control.for_steps()).await
    }

    async fn apply(&self, index: usize, is_undone: bool) -> Result<()> {
        let Some(wanted) = self.asked.edits.get(index) else {
            return Ok(());
        };
        let wanted = if is_undone {
            wanted.inverse()
        } else {
            wanted.clone()
        };
        let is_hmc = self.driver.session().flavor() == Flavor::Hmc;
        let networks = if is_hmc {
            self.networks(&wanted.moves).await?
        } else {
            BTreeMap::new()
        };
        let path = self.driver.bridge_path(&wanted.bridge);
        let change = |document: &mut powervm_schema::xml::Element| {
            let bridge = powervm_schema::network::NetworkBridge(&*document);
            let primary = bridge.port_vlan().ok().flatten().unwrap_or(0);
            let shares = bridge.load_balancing().ok().flatten().unwrap_or(false);
            let before = groups(document, primary);
            let then = after(&before, primary, shares, &wanted.moves);
            if then == before {
                return Ok(Changed::No);
            }
            if is_hmc {
                write_groups(document, &then, &before, &networks);
            } else {
                write(document, &then, &wanted.moves);
            }
            Ok(Changed::Yes)
        };
        edit(self.driver.session(), &path, Groups::None, change)
            .await
            .map(drop)
    }

    /// The virtual networks of all VLANs of the switch, by VLAN; those that the moves need are made, and an untagged one
    /// that is to be tagged now is made anew.
    async fn networks(&self, moves: &[Move]) -> Result<BTreeMap<u16, String>> {
        let switches = self.driver.switches().await?;
        let switch = switches.named(&self.asked.switch).ok_or_else(|| {
            Error::operation(
                ErrorKind::NotFound,
                format!("the virtual switch {} is gone", self.asked.switch),
                "see powervm network bridge list",
            )
        })?;
        let (mut tagged, mut placeholders) = (BTreeSet::new(), BTreeSet::new());
        for one in moves {
            if let Move::Add { vlan, group } = *one {
                tagged.insert(vlan);
                placeholders.insert(group);
            }
        }
        let there = self.read_networks(switch).await?;
        let session = self.driver.session();
        let system = &self.driver.shared.system.uuid;
        let path = format!("ManagedSystem/{system}/VirtualNetwork");
        let mut changed = false;
        let wanted = placeholders.iter().map(|vlan| (*vlan, false));
        for (vlan, is_tagged) in wanted.chain(tagged.iter().map(|vlan| (*vlan, true))) {
            match there.get(&vlan) {
                // A placeholder's network may be either; that of a VLAN has to be tagged.
                Some(network) if network.is_tagged || !is_tagged => continue,
                Some(network) => session.ensure_deleted(&network.href).await?,
                None => {}
            }
            changed = true;
            let mut network = VirtualNetwork::new();
            network
                .set_switch(switch.plain_href())
                .set_name(format!("VLAN{vlan}-{}", switch.name))
                .set_vlan(vlan)
                .set_tagged(is_tagged);
            if let Err(error) = session.create(&path, &network.0).await {
                // Another client may have been faster, or the answer was lost.
                let now = self.read_networks(switch).await?;
                if now.get(&vlan).is_none_or(|now| is_tagged && !now.is_tagged) {
                    return Err(error);
                }
            }
        }
        let now = if changed {
            self.read_networks(switch).await?
        } else {
            there
        };
        Ok(now
            .into_iter()
            .map(|(vlan, network)| (vlan, network.href))
            .collect())
    }

    async fn read_networks(&self, switch: &Switch) -> Result<BTreeMap<u16, Network>> {
        let path = format!(
            "ManagedSystem/{}/VirtualNetwork",
            self.driver.shared.system.uuid
        );
        let feed = self.driver.session().get_feed(&path, Groups::None).await?;
        let networks = feed.entries.iter().filter_map(|entry| {
            let network = VirtualNetwork(&entry.content);
            let is_its = network.switch_id().ok().flatten() == switch.id;
            let known = Network {
                href: entry.self_href()?.to_owned(),
                is_tagged: network.tagged().ok().flatten().unwrap_or(true),
            };
            Some((network.vlan().ok().flatten().filter(|_| is_its)?, known))
        });
        Ok(networks.collect())
    }
}

/// A virtual network that is there.
struct Network {
    href: String,
    is_tagged: bool,
}
