//! Sees to it that a bridge carries VLANs.

use std::collections::BTreeSet;

use powervm_schema::network::VirtualNetwork;
use powervm_schema::vios::VirtualIoServer;

use super::change::{Asked, BridgeChange};
use super::{BridgeInfo, BridgeRef, Driver};
use crate::error::{Error, ErrorKind, Result};
use crate::network::bridge::{Bridge, Edit, Refused, Surroundings, after, ensure};
use crate::network::interface::MAX_VLAN;
use crate::operations::control::Control;
use crate::rest::Groups;

/// Where the adapters and bridges of a Virtual I/O Server stand.
const GROUP: &str = "ViosNetwork";

impl Driver {
    /// Sees to it that a bridge carries these VLANs. VLANs of another bridge of the same switch move; what several
    /// operations ask for at the same time is done with one update.
    ///
    /// Nothing is changed when one of the VLANs cannot be carried, and everything is as it was when an update fails.
    ///
    /// # Errors
    /// No such bridge; a VLAN that is the untagged one of another bridge, that of a control channel, or on a trunk
    /// adapter that belongs to no bridge; no room; [`Error::Saga`] when an update failed.
    pub async fn provision(
        &self,
        bridge: &BridgeRef,
        vlans: &BTreeSet<u16>,
        control: &Control,
    ) -> Result<BridgeInfo> {
        if let Some(vlan) = vlans.iter().find(|vlan| !(1..=MAX_VLAN).contains(*vlan)) {
            return Err(Error::invalid(
                format!("{vlan} is no VLAN"),
                "give numbers from 1 to 4094",
            ));
        }
        let (bridges, names) = futures_util::try_join!(self.read_bridges(), self.names())?;
        let target = self.pick(bridge, &bridges).await?;
        if vlans.iter().all(|vlan| target.carries(*vlan)) {
            return Ok(names.told(&target));
        }
        let waiting = Waiting::enter(self, &target.uuid, vlans);
        let turn = self.bridge_turn().await;
        let others = waiting.all();
        let bridges = self.read_bridges().await?;
        let by_id = BridgeRef::Id(target.uuid);
        let target = self.pick(&by_id, &bridges).await?;
        let edits = self
            .plan_bridging(&target, &bridges, vlans, &others)
            .await?;
        let mut then = target.clone();
        for edit in edits.iter().filter(|edit| edit.bridge == target.uuid) {
            then.groups = after(
                &then.groups,
                then.port_vlan,
                then.load_balancing,
                &edit.moves,
            );
        }
        let primary = then.port_vlan;
        then.groups
            .sort_by_key(|group| (group.port_vlan != primary, group.port_vlan));
        if !edits.is_empty() {
            let asked = Asked {
                title: format!("bridge VLANs {}", listed(vlans)),
                switch: names.switch_of(&target).unwrap_or_default(),
                edits,
            };
            BridgeChange::perform(self, asked, control, turn).await?;
        }
        // They are carried even if that cannot be read now.
        Ok(names.told(&then))
    }

    /// What is to be done for these VLANs, and for those that others wait for unless one of them cannot be.
    async fn plan_bridging(
        &self,
        target: &Bridge,
        bridges: &[Bridge],
        vlans: &BTreeSet<u16>,
        others: &BTreeSet<u16>,
    ) -> Result<Vec<Edit>> {
        if vlans.iter().all(|vlan| target.carries(*vlan)) {
            return Ok(Vec::new());
        }
        let (orphans, used) = futures_util::try_join!(
            self.orphan_vlans(target.switch),
            self.used_vlans(target.switch),
        )?;
        let around = Surroundings {
            bridges,
            orphans: &orphans,
            used: &used,
            flavor: self.session().flavor(),
            spread: self.config().load_balance_vlan_across_veas,
        };
        let ours = ensure(target, vlans, around).map_err(|why| refusal(target, &why))?;
        let together: BTreeSet<u16> = vlans.union(others).copied().collect();
        Ok(ensure(target, &together, around).unwrap_or(ours))
    }

    /// VLANs of the trunk adapters on a switch that belong to no shared Ethernet adapter.
    async fn orphan_vlans(&self, switch: Option<u32>) -> Result<BTreeSet<u16>> {
        let path = format!("ManagedSystem/{}/VirtualIOServer", self.shared.system.uuid);
        let groups = Groups::Named(&[GROUP]);
        let feed = self.session().get_feed(&path, groups).await?;
        let mut orphans = BTreeSet::new();
        for entry in &feed.entries {
            let vios = VirtualIoServer(&entry.content);
            let bridging: BTreeSet<String> = vios
                .shared_ethernet_adapters()
                .flat_map(|adapter| {
                    let devices = adapter.trunk_adapters();
                    let devices =
                        devices.filter_map(|trunk| trunk.device_name().map(str::to_owned));
                    devices.collect::<Vec<_>>()
                })
                .collect();
            for trunk in vios.trunk_adapters() {
                let is_bridging = trunk
                    .device_name()
                    .is_some_and(|name| bridging.contains(name));
                if is_bridging || trunk.virtual_switch_id().ok().flatten() != switch {
                    continue;
                }
                orphans.extend(trunk.port_vlan().ok().flatten());
                orphans.extend(trunk.tagged_vlan_ids().unwrap_or_default());
            }
        }
        Ok(orphans)
    }

    /// VLANs that have a network on the switch.
    async fn used_vlans(&self, switch: Option<u32>) -> Result<BTreeSet<u16>> {
        let path = format!("ManagedSystem/{}/VirtualNetwork", self.shared.system.uuid);
        let feed = self.session().get_feed(&path, Groups::None).await?;
        let networks = feed
            .entries
            .iter()
            .map(|entry| VirtualNetwork(&entry.content));
        Ok(networks
            .filter(|network| network.switch_id().ok().flatten() == switch)
            .filter_map(|network| network.vlan().ok().flatten())
            .collect())
    }
}

/// An operation that waits for its turn with VLANs.
struct Waiting {
    driver: Driver,
    bridge: String,
    vlans: BTreeSet<u16>,
}

impl Waiting {
    fn enter(driver: &Driver, bridge: &str, vlans: &BTreeSet<u16>) -> Self {
        let mut orders = driver.shared.bridges.all();
        orders.entry(bridge.to_owned()).or_default().extend(vlans);
        Self {
            driver: driver.clone(),
            bridge: bridge.to_owned(),
            vlans: vlans.clone(),
        }
    }

    /// What all that wait want of this bridge.
    fn all(&self) -> BTreeSet<u16> {
        let orders = self.driver.shared.bridges.all();
        orders.get(&self.bridge).cloned().unwrap_or_default()
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let mut orders = self.driver.shared.bridges.all();
        if let Some(order) = orders.get_mut(&self.bridge) {
            order.retain(|vlan| !self.vlans.contains(vlan));
            if order.is_empty() {
                orders.remove(&self.bridge);
            }
        }
    }
}

fn refusal(target: &Bridge, why: &Refused) -> Error {
    let bridge = &target.uuid;
    let refused = |kind, what: String, remedy: &str| Error::operation(kind, what, remedy);
    match why {
        Refused::PrimaryOfPeer(vlan) => refused(
            ErrorKind::Precondition,
            format!(
                "VLAN {vlan} belongs to the primary trunk adapters of another bridge of the switch"
            ),
            "use another VLAN, or take it off that bridge yourself",
        ),
        Refused::ControlChannel(vlan) => refused(
            ErrorKind::Precondition,
            format!("VLAN {vlan} is that of a bridge's control channel"),
            "use another VLAN",
        ),
        Refused::Orphan(vlan) => refused(
            ErrorKind::Precondition,
            format!("VLAN {vlan} is on a trunk adapter that belongs to no shared Ethernet adapter"),
            "remove that trunk adapter from its Virtual I/O Server",
        ),
        Refused::Full(vlan) => refused(
            ErrorKind::NoSpace,
            format!("bridge {bridge} has no room for VLAN {vlan}"),
            "prune VLANs that nobody uses: powervm network bridge prune-vlans",
        ),
        Refused::NoPlaceholder => refused(
            ErrorKind::NoSpace,
            format!("bridge {bridge} cannot get another load group: every VLAN is in use"),
            "prune VLANs that nobody uses: powervm network bridge prune-vlans",
        ),
    }
}

/// VLANs in words.
pub(super) fn listed(vlans: &BTreeSet<u16>) -> String {
    let numbers: Vec<String> = vlans.iter().map(ToString::to_string).collect();
    numbers.join(", ")
}
