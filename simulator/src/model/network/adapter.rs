//! Network adapters come and go (`docs/protocol/partitions.md`).

use std::sync::Arc;
use uuid::Uuid;

use super::{NetworkAdapter, Trunk, VirtualSwitch};
use crate::clock::Millis;
use crate::model::command::{CreateNetworkAdapter, Outcome, UpdateNetworkAdapter};
use crate::model::names::EventKind;
use crate::model::partition::Partition;
use crate::model::refusal::Refusal;
use crate::model::resource::{Owner, Resource};
use crate::model::world::World;

/// The most tagged VLANs on one adapter.
pub const TAGGED_VLANS: usize = 20;

impl World {
    pub(in crate::model) fn create_network_adapter(
        &mut self,
        now: Millis,
        request: CreateNetworkAdapter,
    ) -> Result<Outcome, Refusal> {
        let owner = request.owner;
        let partition = self.changeable(owner)?;
        let switch = self.switch_for(&partition, request.switch)?;
        check_vlans(request.vlan, &request.tagged_vlans)?;
        check_quality_of_service(request.quality_of_service)?;
        let slot = self.free_slot(owner, request.slot)?;
        let mac = match request.mac.as_deref().filter(|text| !text.is_empty()) {
            Some(text) => self.check_mac(&partition, text)?,
            None => self.made_mac(&partition, slot),
        };
        let adapter = NetworkAdapter {
            uuid: self.ids.named_uuid(),
            slot,
            mac,
            vlan: request.vlan,
            tagged: request.tagged.unwrap_or(!request.tagged_vlans.is_empty()),
            tagged_vlans: sorted(request.tagged_vlans),
            switch: switch.uuid,
            switch_id: switch.id,
            required: request.required.unwrap_or(false),
            allowed_os_macs: request.allowed_os_macs.unwrap_or_else(|| "ALL".to_owned()),
            quality_of_service: request.quality_of_service,
            enabled: request.enabled.unwrap_or(true),
            station: request.station,
            trunk: self.named_trunk(owner, request.trunk),
            mtu: request.mtu,
            ovs_bridge: request.ovs_bridge,
            ovs_external_ids: request.ovs_external_ids,
            version: self.touch(),
        };
        self.check_trunk(partition.system, &adapter)?;
        let resource = Resource::ClientNetworkAdapter {
            owner,
            adapter: adapter.uuid,
        };
        self.edit_partition(owner, |partition| {
            partition
                .network_adapters
                .insert(adapter.uuid, Arc::new(adapter));
        });
        self.settle_adapters(now, owner, partition.system);
        self.announce(now, EventKind::AddUri, resource, "");
        Ok(Outcome::Written(resource))
    }

    pub(in crate::model) fn update_network_adapter(
        &mut self,
        now: Millis,
        request: UpdateNetworkAdapter,
    ) -> Result<Outcome, Refusal> {
        let owner = request.owner;
        let partition = self.existing(owner)?;
        let before = partition
            .network_adapters
            .get(&request.adapter)
            .map(Arc::clone);
        let before =
            before.ok_or_else(|| Refusal::not_found("ClientNetworkAdapter", request.adapter))?;
        let mut after = (*before).clone();
        after.vlan = request.vlan.unwrap_or(before.vlan);
        after.tagged_vlans = request
            .tagged_vlans
            .map_or_else(|| before.tagged_vlans.clone(), sorted);
        after.tagged = request.tagged.unwrap_or(before.tagged);
        if let Some(macs) = &request.allowed_os_macs {
            after.allowed_os_macs.clone_from(macs);
        }
        after.quality_of_service = request
            .quality_of_service
            .unwrap_or(before.quality_of_service);
        after.enabled = request.enabled.unwrap_or(before.enabled);
        after.required = request.required.unwrap_or(before.required);
        after.trunk = request.trunk.or(after.trunk);
        after.mtu = request.mtu.or(after.mtu);
        after.ovs_bridge = request.ovs_bridge.or(after.ovs_bridge);
        after.ovs_external_ids = request.ovs_external_ids.or(after.ovs_external_ids);
        let resource = Resource::ClientNetworkAdapter {
            owner,
            adapter: request.adapter,
        };
        if after == *before {
            return Ok(Outcome::Written(resource));
        }
        if after.carries() != before.carries() {
            self.check_not_bridged_adapter(owner, request.adapter)?;
        }
        check_vlans(after.vlan, &after.tagged_vlans)?;
        check_quality_of_service(after.quality_of_service)?;
        self.check_trunk(partition.system, &after)?;
        after.version = self.touch();
        self.edit_partition(owner, |partition| {
            partition
                .network_adapters
                .insert(request.adapter, Arc::new(after));
        });
        self.settle_adapters(now, owner, partition.system);
        self.announce(now, EventKind::ModifyUri, resource, "Other");
        Ok(Outcome::Written(resource))
    }

    pub(in crate::model) fn delete_network_adapter(
        &mut self,
        now: Millis,
        owner: Owner,
        adapter: Uuid,
    ) -> Result<Outcome, Refusal> {
        let partition = self.existing(owner)?;
        if !partition.network_adapters.contains_key(&adapter) {
            return Err(Refusal::not_found("ClientNetworkAdapter", adapter));
        }
        self.changeable(owner)?;
        self.check_not_bridged_adapter(owner, adapter)?;
        let resource = Resource::ClientNetworkAdapter { owner, adapter };
        self.announce(now, EventKind::DeleteUri, resource, "");
        self.edit_partition(owner, |partition| {
            partition.network_adapters.remove(&adapter);
        });
        self.settle_adapters(now, owner, partition.system);
        Ok(Outcome::Deleted(resource))
    }

    /// What belongs to a shared Ethernet adapter changes with its network bridge only.
    fn check_not_bridged_adapter(&self, owner: Owner, adapter: Uuid) -> Result<(), Refusal> {
        let server = match owner {
            Owner::Vios(uuid) => self.vioses.get(&uuid),
            Owner::Partition(_) => None,
        };
        if server.is_some_and(|server| server.bridging(adapter).is_some()) {
            return Err(Refusal::logic(
                "The adapter belongs to a shared Ethernet adapter and cannot be changed or removed by itself.",
            ));
        }
        Ok(())
    }

    pub(in crate::model) fn existing(&self, owner: Owner) -> Result<Partition, Refusal> {
        let kind = if matches!(owner, Owner::Vios(_)) {
            "VirtualIOServer"
        } else {
            "LogicalPartition"
        };
        self.partition(owner)
            .cloned()
            .ok_or_else(|| Refusal::not_found(kind, owner.uuid()))
    }

    /// The owner, if adapters may come and go now.
    pub(in crate::model) fn changeable(&self, owner: Owner) -> Result<Partition, Refusal> {
        let partition = self.existing(owner)?;
        if partition.accepts_adapter_changes() {
            Ok(partition)
        } else {
            Err(self.no_rmc(&partition))
        }
    }

    fn switch_for(
        &self,
        partition: &Partition,
        wish: Option<Uuid>,
    ) -> Result<Arc<VirtualSwitch>, Refusal> {
        let system = self.systems.get(&partition.system);
        let switch = system.and_then(|system| match wish {
            Some(uuid) => system.switches.get(&uuid),
            None => system.switch_by_id(0),
        });
        switch.map(Arc::clone).ok_or_else(|| {
            Refusal::logic(
                "The virtual switch of the adapter does not exist on the managed system.",
            )
        })
    }

    /// 12 hexadecimal digits, with or without separators, of a unicast address that nobody else on the system has.
    pub(in crate::model) fn check_mac(
        &self,
        partition: &Partition,
        text: &str,
    ) -> Result<u64, Refusal> {
        let digits: String = text
            .chars()
            .filter(|c| !matches!(c, ':' | '-' | '.'))
            .collect();
        let mac = Some(digits)
            .filter(|digits| digits.len() == 12)
            .and_then(|digits| u64::from_str_radix(&digits, 16).ok());
        let unicast = |mac: &u64| mac >> 40 & 1 == 0 && *mac != 0;
        let mac = mac.filter(unicast).ok_or_else(|| {
            Refusal::logic(format!("The MAC address {text:?} is not valid: give the 12 hexadecimal digits of a unicast address."))
        })?;
        let custom = self
            .systems
            .get(&partition.system)
            .is_none_or(|system| system.capabilities.custom_mac_address);
        if !custom {
            return Err(Refusal::logic(
                "The managed system does not support custom MAC addresses.",
            ));
        }
        if self.has_address(partition.system, mac) {
            return Err(Refusal::logic(format!(
                "The MAC address {mac:012X} is already in use on the managed system."
            )));
        }
        Ok(mac)
    }

    /// Whether an adapter on a system has this MAC address.
    pub(in crate::model) fn has_address(&self, system: Uuid, mac: u64) -> bool {
        self.partitions.has_mac(system, mac) || self.vioses.has_mac(system, mac)
    }

    /// An address that nobody on the system has.
    pub(in crate::model) fn unused_mac(&mut self, system: Uuid) -> u64 {
        loop {
            let mac = self.ids.mac_prefix() | self.ids.between(0, 0xff);
            if !self.has_address(system, mac) {
                return mac;
            }
        }
    }

    /// The partition's prefix with the slot as last byte (recording `cna_feed.txt`); slots beyond one byte take a new
    /// prefix.
    pub(in crate::model) fn made_mac(&mut self, partition: &Partition, slot: u16) -> u64 {
        let mut mac = partition.mac_prefix | u64::from(slot & 0xff);
        while self.has_address(partition.system, mac) {
            mac = self.ids.mac_prefix() | u64::from(slot & 0xff);
        }
        mac
    }

    /// Trunk adapters that bridge the same VLAN need different priorities.
    pub(in crate::model) fn check_trunk(
        &self,
        system: Uuid,
        adapter: &NetworkAdapter,
    ) -> Result<(), Refusal> {
        let Some(trunk) = &adapter.trunk else {
            return Ok(());
        };
        let adapters = self
            .all_partitions_of(system)
            .flat_map(|partition| partition.network_adapters.values());
        let mut trunks =
            adapters.filter(|other| other.uuid != adapter.uuid && other.switch == adapter.switch);
        let same = |other: &NetworkAdapter| {
            other
                .trunk
                .as_ref()
                .is_some_and(|other| other.priority == trunk.priority)
                && adapter
                    .vlans()
                    .any(|vlan| other.vlans().any(|theirs| theirs == vlan))
        };
        if trunks.any(|other| same(other)) {
            return Err(Refusal::logic(format!(
                "Another trunk adapter on the virtual switch has the same VLAN and the priority {}.",
                trunk.priority
            )));
        }
        Ok(())
    }

    /// The trunk with a device, where it has a Virtual I/O Server to name it.
    fn named_trunk(&self, owner: Owner, trunk: Option<Trunk>) -> Option<Trunk> {
        let mut trunk = trunk?;
        let server = match owner {
            Owner::Vios(uuid) => self.vioses.get(&uuid),
            Owner::Partition(_) => None,
        };
        if let Some(server) = server {
            trunk.device = Some(Self::free_ethernet_device(server));
        }
        Some(trunk)
    }

    fn settle_adapters(&mut self, now: Millis, owner: Owner, system: Uuid) {
        if let Owner::Vios(vios) = owner {
            self.edit_vios(vios, |server, version| server.network_version = version);
        }
        self.announce_partition(now, owner, "Other");
        self.derive_networks(now, system);
    }
}

pub(in crate::model) fn sorted(mut vlans: Vec<u16>) -> Vec<u16> {
    vlans.sort_unstable();
    vlans.dedup();
    vlans
}

fn check_quality_of_service(priority: Option<u8>) -> Result<(), Refusal> {
    match priority {
        Some(priority) if priority > 7 => Err(Refusal::logic(format!(
            "The quality of service priority {priority} is not valid: priorities run from 0 to 7."
        ))),
        _ => Ok(()),
    }
}

pub(in crate::model) fn check_vlans(vlan: u16, tagged: &[u16]) -> Result<(), Refusal> {
    if let Some(bad) = std::iter::once(&vlan)
        .chain(tagged)
        .find(|vlan| !(1..=4094).contains(*vlan))
    {
        return Err(Refusal::logic(format!(
            "The VLAN ID {bad} is not valid: VLAN IDs run from 1 to 4094."
        )));
    }
    if tagged.len() > TAGGED_VLANS {
        return Err(Refusal::logic(format!(
            "An adapter takes at most {TAGGED_VLANS} tagged VLANs."
        )));
    }
    if tagged.contains(&vlan) {
        return Err(Refusal::logic(format!(
            "VLAN {vlan} cannot be both the port VLAN and a tagged one."
        )));
    }
    Ok(())
}
