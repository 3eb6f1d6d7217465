//! Virtual switches and virtual networks (`docs/protocol/partitions.md`).

use std::collections::BTreeSet;
use std::sync::Arc;
use uuid::Uuid;

use super::{NetworkAdapter, VirtualNetwork, VirtualSwitch};
use crate::clock::Millis;
use crate::model::command::{CreateNetwork, Outcome};
use crate::model::names::{EventKind, Flavor, SwitchMode};
use crate::model::partition::Partition;
use crate::model::refusal::Refusal;
use crate::model::resource::{Owner, Resource};
use crate::model::system::ManagedSystem;
use crate::model::world::World;

/// The longest name of a switch or network.
pub const NAME_LENGTH: usize = 64;

impl World {
    pub(in crate::model) fn create_switch(
        &mut self,
        now: Millis,
        system: Uuid,
        name: String,
        mode: SwitchMode,
    ) -> Result<Outcome, Refusal> {
        let there = self.system(system)?;
        check_name(&name)?;
        check_switch_name_is_free(&there, None, &name)?;
        let used: BTreeSet<u16> = there.switches.values().map(|switch| switch.id).collect();
        let id = (0..16)
            .find(|id| !used.contains(id))
            .ok_or_else(|| Refusal::logic("A managed system has at most 16 virtual switches."))?;
        let switch = VirtualSwitch {
            uuid: self.ids.named_uuid(),
            id,
            name,
            mode,
            version: self.touch(),
        };
        let resource = Resource::VirtualSwitch {
            system,
            switch: switch.uuid,
        };
        self.edit_system(system, |system| {
            system.switches.insert(switch.uuid, Arc::new(switch));
        });
        self.announce(now, EventKind::AddUri, resource, "");
        self.touch_system(now, system);
        Ok(Outcome::Written(resource))
    }

    pub(in crate::model) fn update_switch(
        &mut self,
        now: Millis,
        system: Uuid,
        switch: Uuid,
        name: Option<String>,
        mode: Option<SwitchMode>,
    ) -> Result<Outcome, Refusal> {
        let there = self.system(system)?;
        let before = there
            .switches
            .get(&switch)
            .ok_or_else(|| Refusal::not_found("VirtualSwitch", switch))?;
        let resource = Resource::VirtualSwitch { system, switch };
        let name = name.unwrap_or_else(|| before.name.clone());
        let mode = mode.unwrap_or(before.mode);
        if name == before.name && mode == before.mode {
            return Ok(Outcome::Written(resource));
        }
        check_name(&name)?;
        check_switch_name_is_free(&there, Some(switch), &name)?;
        if before.id == 0 && name != before.name {
            return Err(Refusal::logic(
                "The default virtual switch cannot be renamed.",
            ));
        }
        let version = self.touch();
        self.edit_system(system, |system| {
            if let Some(switch) = system.switches.get_mut(&switch).map(Arc::make_mut) {
                (switch.name, switch.mode, switch.version) = (name, mode, version);
            }
        });
        self.announce(now, EventKind::ModifyUri, resource, "Other");
        Ok(Outcome::Written(resource))
    }

    pub(in crate::model) fn delete_switch(
        &mut self,
        now: Millis,
        system: Uuid,
        switch: Uuid,
    ) -> Result<Outcome, Refusal> {
        let there = self.system(system)?;
        let gone = there
            .switches
            .get(&switch)
            .ok_or_else(|| Refusal::not_found("VirtualSwitch", switch))?;
        if gone.id == 0 {
            return Err(Refusal::logic(
                "The default virtual switch cannot be removed.",
            ));
        }
        let plugged = |partition: &Partition| {
            partition
                .network_adapters
                .values()
                .any(|adapter| adapter.switch == switch)
        };
        if self.all_partitions_of(system).any(plugged)
            || there
                .networks
                .values()
                .any(|network| network.switch == switch)
        {
            return Err(Refusal::logic(format!(
                "Virtual switch {} is in use.",
                gone.name
            )));
        }
        let resource = Resource::VirtualSwitch { system, switch };
        self.edit_system(system, |system| {
            system.switches.remove(&switch);
        });
        self.announce(now, EventKind::DeleteUri, resource, "");
        self.touch_system(now, system);
        Ok(Outcome::Deleted(resource))
    }

    pub(in crate::model) fn create_network(
        &mut self,
        now: Millis,
        request: CreateNetwork,
    ) -> Result<Outcome, Refusal> {
        let there = self.system(request.system)?;
        self.check_networks_are_managed()?;
        check_name(&request.name)?;
        let switch = there
            .switches
            .get(&request.switch)
            .ok_or_else(|| Refusal::not_found("VirtualSwitch", request.switch))?;
        if !(1..=4094).contains(&request.vlan) {
            return Err(Refusal::logic(format!(
                "The VLAN ID {} is not valid: VLAN IDs run from 1 to 4094.",
                request.vlan
            )));
        }
        if there
            .networks
            .values()
            .any(|network| network.name == request.name)
        {
            return Err(Refusal::logic(format!(
                "There is a virtual network named {} already.",
                request.name
            )));
        }
        if there
            .networks
            .values()
            .any(|network| network.switch == request.switch && network.vlan == request.vlan)
        {
            return Err(Refusal::logic(format!(
                "There is a virtual network for VLAN {} on {} already.",
                request.vlan, switch.name
            )));
        }
        let network = VirtualNetwork {
            uuid: self.ids.named_uuid(),
            switch: switch.uuid,
            switch_id: switch.id,
            name: request.name,
            vlan: request.vlan,
            tagged: request.tagged,
            version: 0,
        };
        let resource = Resource::VirtualNetwork {
            system: request.system,
            network: network.uuid,
        };
        let (switch, vlan) = (network.switch, network.vlan);
        self.add_network(now, request.system, network);
        self.touch_adapters_on(request.system, switch, vlan);
        Ok(Outcome::Written(resource))
    }

    pub(in crate::model) fn update_network(
        &mut self,
        now: Millis,
        system: Uuid,
        network: Uuid,
        name: Option<String>,
    ) -> Result<Outcome, Refusal> {
        let there = self.system(system)?;
        let before = there
            .networks
            .get(&network)
            .ok_or_else(|| Refusal::not_found("VirtualNetwork", network))?;
        let resource = Resource::VirtualNetwork { system, network };
        let Some(name) = name.filter(|name| *name != before.name) else {
            return Ok(Outcome::Written(resource));
        };
        self.check_networks_are_managed()?;
        check_name(&name)?;
        if there.networks.values().any(|other| other.name == name) {
            return Err(Refusal::logic(format!(
                "There is a virtual network named {name} already."
            )));
        }
        let version = self.touch();
        self.edit_system(system, |system| {
            if let Some(network) = system.networks.get_mut(&network).map(Arc::make_mut) {
                (network.name, network.version) = (name, version);
            }
        });
        self.announce(now, EventKind::ModifyUri, resource, "Other");
        Ok(Outcome::Written(resource))
    }

    pub(in crate::model) fn delete_network(
        &mut self,
        now: Millis,
        system: Uuid,
        network: Uuid,
    ) -> Result<Outcome, Refusal> {
        let there = self.system(system)?;
        self.check_networks_are_managed()?;
        let gone = there
            .networks
            .get(&network)
            .ok_or_else(|| Refusal::not_found("VirtualNetwork", network))?;
        let bridged = there.bridges.values().any(|bridge| {
            let groups = self.load_groups(system, bridge.uuid);
            let mut groups = groups.iter();
            groups.any(|group| {
                self.networks_of_group(system, bridge, group)
                    .contains(&network)
            })
        });
        if bridged {
            return Err(Refusal::logic(format!(
                "Virtual network {} is bridged. Take it off the network bridge first.",
                gone.name
            )));
        }
        self.remove_network(now, system, network);
        self.touch_adapters_on(system, gone.switch, gone.vlan);
        Ok(Outcome::Deleted(Resource::VirtualNetwork {
            system,
            network,
        }))
    }

    /// On NovaLink there is a network for every VLAN that some adapter has on a switch, and no other.
    pub(crate) fn derive_networks(&mut self, now: Millis, system: Uuid) {
        let Some(there) = self
            .systems
            .get(&system)
            .map(Arc::clone)
            .filter(|_| self.flavor == Flavor::NovaLink)
        else {
            return;
        };
        let adapters = self
            .all_partitions_of(system)
            .flat_map(|partition| partition.network_adapters.values());
        let wanted: BTreeSet<(Uuid, u16)> = adapters
            .flat_map(|adapter| adapter.vlans().map(|vlan| (adapter.switch, vlan)))
            .collect();
        for network in there
            .networks
            .values()
            .filter(|network| !wanted.contains(&(network.switch, network.vlan)))
        {
            self.remove_network(now, system, network.uuid);
        }
        let present: BTreeSet<(Uuid, u16)> = there
            .networks
            .values()
            .map(|network| (network.switch, network.vlan))
            .collect();
        for (switch, vlan) in wanted.difference(&present) {
            let Some(switch) = there.switches.get(switch) else {
                continue;
            };
            let network = VirtualNetwork {
                uuid: self.ids.named_uuid(),
                switch: switch.uuid,
                switch_id: switch.id,
                name: format!("{}-{vlan}", switch.name),
                vlan: *vlan,
                tagged: *vlan != 1,
                version: 0,
            };
            self.add_network(now, system, network);
        }
    }

    /// An adapter's document links to the networks of its VLANs.
    fn touch_adapters_on(&mut self, system: Uuid, switch: Uuid, vlan: u16) {
        let version = self.touch();
        let concerned = |adapter: &NetworkAdapter| {
            adapter.switch == switch && adapter.vlans().any(|own| own == vlan)
        };
        let owners: Vec<Owner> = self
            .all_partitions_of(system)
            .filter(|partition| {
                partition
                    .network_adapters
                    .values()
                    .any(|adapter| concerned(adapter))
            })
            .filter_map(|partition| self.owner(partition.uuid))
            .collect();
        for owner in owners {
            self.edit_partition(owner, |partition| {
                let adapters = partition.network_adapters.clone();
                for adapter in adapters.values().filter(|adapter| concerned(adapter)) {
                    let touched = NetworkAdapter {
                        version,
                        ..(**adapter).clone()
                    };
                    partition
                        .network_adapters
                        .insert(adapter.uuid, Arc::new(touched));
                }
            });
        }
    }

    /// The networks that an HMC keeps for a bridge: an untagged one for the port VLAN of each load group, tagged ones for
    /// the others (recording `nbbr_virtual_network`). A NovaLink has them anyway.
    pub(crate) fn keep_bridged_networks(&mut self, now: Millis, system: Uuid, bridge: Uuid) {
        let Some(there) = self
            .systems
            .get(&system)
            .map(Arc::clone)
            .filter(|_| self.flavor == Flavor::Hmc)
        else {
            return;
        };
        let Some(bridge) = there.bridges.get(&bridge) else {
            return;
        };
        let Some(switch) = there.switches.get(&bridge.switch) else {
            return;
        };
        let groups = self.load_groups(system, bridge.uuid);
        let wanted: Vec<(u16, bool)> = groups
            .iter()
            .flat_map(|group| {
                let tagged = group.tagged_vlans.iter().map(|vlan| (*vlan, true));
                std::iter::once((group.vlan, false)).chain(tagged)
            })
            .collect();
        for (vlan, tagged) in wanted {
            let mut networks = there.networks.values();
            if networks.any(|network| network.switch == switch.uuid && network.vlan == vlan) {
                continue;
            }
            let name = if tagged {
                format!("{}-{vlan}", switch.name)
            } else {
                format!("VLAN{vlan}-{}", switch.name)
            };
            let network = VirtualNetwork {
                uuid: self.ids.named_uuid(),
                switch: switch.uuid,
                switch_id: switch.id,
                name,
                vlan,
                tagged,
                version: 0,
            };
            self.add_network(now, system, network);
        }
    }

    fn add_network(&mut self, now: Millis, system: Uuid, network: VirtualNetwork) {
        let version = self.touch();
        let (uuid, switch) = (network.uuid, network.switch);
        self.edit_system(system, |system| {
            system
                .networks
                .insert(uuid, Arc::new(VirtualNetwork { version, ..network }));
            touch_switch(system, switch, version);
        });
        self.announce(
            now,
            EventKind::AddUri,
            Resource::VirtualNetwork {
                system,
                network: uuid,
            },
            "",
        );
    }

    fn remove_network(&mut self, now: Millis, system: Uuid, network: Uuid) {
        let version = self.touch();
        self.edit_system(system, |system| {
            if let Some(gone) = system.networks.remove(&network) {
                touch_switch(system, gone.switch, version);
            }
        });
        self.announce(
            now,
            EventKind::DeleteUri,
            Resource::VirtualNetwork { system, network },
            "",
        );
    }

    pub(in crate::model) fn system(&self, system: Uuid) -> Result<Arc<ManagedSystem>, Refusal> {
        self.systems
            .get(&system)
            .map(Arc::clone)
            .ok_or_else(|| Refusal::not_found("ManagedSystem", system))
    }

    pub(in crate::model) fn edit_system(
        &mut self,
        system: Uuid,
        change: impl FnOnce(&mut ManagedSystem),
    ) {
        if let Some(system) = self.systems.get_mut(&system).map(Arc::make_mut) {
            change(system);
        }
    }

    fn check_networks_are_managed(&self) -> Result<(), Refusal> {
        match self.flavor {
            Flavor::Hmc => Ok(()),
            Flavor::NovaLink => Err(Refusal::bad_request(
                "A NovaLink makes and removes virtual networks itself, with the adapters that use them.",
            )),
        }
    }
}

/// A switch's document lists its networks.
fn touch_switch(system: &mut ManagedSystem, switch: Uuid, version: u64) {
    if let Some(switch) = system.switches.get_mut(&switch).map(Arc::make_mut) {
        switch.version = version;
    }
}

fn check_switch_name_is_free(
    system: &ManagedSystem,
    except: Option<Uuid>,
    name: &str,
) -> Result<(), Refusal> {
    if system
        .switches
        .values()
        .any(|switch| Some(switch.uuid) != except && switch.name == name)
    {
        return Err(Refusal::logic(format!(
            "There is a virtual switch named {name} already."
        )));
    }
    Ok(())
}

fn check_name(name: &str) -> Result<(), Refusal> {
    if !name.is_empty()
        && name.len() <= NAME_LENGTH
        && name
            .bytes()
            .all(|byte| byte == b' ' || byte.is_ascii_graphic())
    {
        return Ok(());
    }
    Err(Refusal::logic(format!(
        "A virtual switch or network needs a name of 1 to {NAME_LENGTH} printable characters."
    )))
}
