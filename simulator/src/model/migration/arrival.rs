//! What a partition will be on its target: planned first, so that a refusal changes nothing, and then taken in.

use std::sync::Arc;

use imbl::OrdMap;
use uuid::Uuid;

use super::fibre_channel::ArrivingFc;
use super::storage::ArrivingBus;
use super::vnic::ArrivingNic;
use super::{Bundle, Manner, Options};
use crate::clock::Millis;
use crate::model::command::{ScsiMapping, SlotChoice, TargetName};
use crate::model::names::{EventKind, MigrationState, PartitionState};
use crate::model::network::NetworkAdapter;
use crate::model::partition::{Partition, ProcessorSetting};
use crate::model::refusal::Refusal;
use crate::model::resource::{Owner, Resource};
use crate::model::system::ManagedSystem;
use crate::model::world::World;

/// A partition's place on its target.
#[derive(serde::Serialize, serde::Deserialize, Clone, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// The system.
    pub system: Uuid,
    /// Its shared processor pool there.
    pub processor_pool: u8,
    /// Its network adapters there.
    pub adapters: Vec<NetworkAdapter>,
    /// Its virtual SCSI adapters there.
    pub buses: Vec<ArrivingBus>,
    /// Its virtual Fibre Channel adapters there.
    pub fc: Vec<ArrivingFc>,
    /// Its virtual NICs there.
    pub nics: Vec<ArrivingNic>,
}

impl World {
    /// Checks everything on the target and says what the partition will be there.
    ///
    /// # Errors
    /// The first thing that does not fit.
    pub fn plan_arrival(
        &self,
        target: &ManagedSystem,
        bundle: &Bundle,
        manner: Manner,
        options: &Options,
    ) -> Result<Arrival, String> {
        self.check_entry(target, bundle, manner, options)?;
        let processor_pool = self.arriving_pool(target, bundle, options)?;
        Ok(Arrival {
            system: target.uuid,
            processor_pool,
            adapters: self.arriving_adapters(target, bundle, options)?,
            buses: self.plan_storage(target, bundle, options)?,
            fc: self.plan_fc(target, bundle, options)?,
            nics: self.plan_nics(target, bundle)?,
        })
    }

    /// The pool asked for, the one with the same name, or the default one.
    fn arriving_pool(
        &self,
        target: &ManagedSystem,
        bundle: &Bundle,
        options: &Options,
    ) -> Result<u8, String> {
        let pools = || target.processor_pools.values();
        let asked = match &options.processor_pool_name {
            Some(name) => {
                let named = pools().find(|pool| pool.name == *name);
                let id = named.map(|pool| pool.id).ok_or_else(|| {
                    format!(
                        "System {} has no shared processor pool {name}.",
                        target.name
                    )
                })?;
                Some(id)
            }
            None => options.processor_pool,
        };
        let ProcessorSetting::Shared(shared) = &bundle.partition.processors.configured else {
            return Ok(0);
        };
        let name = bundle.processor_pool.as_deref();
        let like_named = || {
            let found = pools()
                .filter(|pool| pool.takes_partitions())
                .find(|pool| Some(pool.name.as_str()) == name);
            found.map_or(0, |pool| pool.id)
        };
        let pool = asked.unwrap_or_else(like_named);
        let mut there = shared.clone();
        there.pool = pool;
        self.check_processor_pool(target, None, &ProcessorSetting::Shared(there))
            .map_err(|refusal| refusal.message)?;
        Ok(pool)
    }

    /// The adapters plugged into the switches of the same names, with the VLANs that the request maps them to.
    fn arriving_adapters(
        &self,
        target: &ManagedSystem,
        bundle: &Bundle,
        options: &Options,
    ) -> Result<Vec<NetworkAdapter>, String> {
        let bridged = self.bridged_vlans(target.uuid);
        let mut adapters = Vec::new();
        for mapping in &options.vlans {
            let known = bundle.partition.network_adapters.values();
            if !known.into_iter().any(|adapter| adapter.mac == mapping.mac) {
                return Err(format!(
                    "Partition {} has no virtual Ethernet adapter with the MAC address {:012X}.",
                    bundle.partition.name, mapping.mac
                ));
            }
        }
        for (uuid, switch_name, bridged_before) in &bundle.switches {
            let Some(before) = bundle.partition.network_adapters.get(uuid) else {
                continue;
            };
            let switch = target
                .switches
                .values()
                .find(|switch| switch.name == *switch_name)
                .ok_or_else(|| {
                    format!(
                        "System {} has no virtual switch {switch_name} for the virtual Ethernet adapter in slot {} of partition {}.",
                        target.name, before.slot, bundle.partition.name
                    )
                })?;
            let mut adapter = (**before).clone();
            (adapter.switch, adapter.switch_id) = (switch.uuid, switch.id);
            if let Some(mapping) = options
                .vlans
                .iter()
                .find(|mapping| mapping.mac == before.mac)
            {
                adapter.vlan = mapping.vlan;
                adapter.tagged_vlans = mapping
                    .tagged
                    .clone()
                    .unwrap_or_else(|| before.tagged_vlans.clone());
                adapter.tagged_vlans.sort_unstable();
                adapter.tagged_vlans.dedup();
                adapter.tagged = !adapter.tagged_vlans.is_empty() || before.tagged;
            }
            if let Some(vlan) = adapter.vlans().find(|vlan| !(1..=4094).contains(vlan)) {
                return Err(format!("The VLAN {vlan} is not valid."));
            }
            let needed = |vlan: &u16| bridged_before.contains(vlan);
            let missing = adapter
                .vlans()
                .filter(needed)
                .find(|vlan| !bridged.contains(&(switch.uuid, *vlan)));
            if let Some(vlan) = missing.filter(|_| !options.vlan_bridge_override) {
                return Err(format!(
                    "VLAN {vlan} on virtual switch {switch_name} is not bridged to a physical network on system {}.",
                    target.name
                ));
            }
            let bridge = bundle.ovs_bridges.iter().find(|(own, _)| own == uuid);
            if let Some((_, bridge)) = bridge.filter(|_| !options.ovs_override)
                && self.ovs_bridge(target.uuid, switch.uuid, adapter.vlan) != Some(bridge.as_str())
            {
                return Err(format!(
                    "System {} has no trunk adapter with VLAN {} on virtual switch {switch_name} for the Open vSwitch bridge {bridge}.",
                    target.name, adapter.vlan
                ));
            }
            adapters.push(adapter);
        }
        Ok(adapters)
    }

    /// Moves a partition within this world: it leaves its system and is taken in by another one with the number `id`.
    ///
    /// # Errors
    /// What could not be made; the world is then half changed, so whoever calls this keeps the old one.
    pub(super) fn move_partition(
        &mut self,
        now: Millis,
        bundle: &Bundle,
        id: u16,
        arrival: Arrival,
        settled: impl FnOnce(&mut Partition),
    ) -> Result<(), Refusal> {
        self.depart(now, bundle.partition.uuid)
            .ok_or_else(|| Refusal::not_found("LogicalPartition", bundle.partition.uuid))?;
        self.take_in(now, bundle, id, arrival, settled)
    }

    /// A partition has left: it goes with its adapters and its virtual serial number. What it was, if it was there.
    pub(super) fn depart(&mut self, now: Millis, uuid: Uuid) -> Option<Arc<Partition>> {
        let gone = self.partitions.get(&uuid).map(Arc::clone)?;
        let resource = Resource::LogicalPartition(uuid);
        self.announce(now, EventKind::DeleteUri, resource, "");
        self.remove_buses_of(now, uuid);
        self.remove_fc_mappings_of(now, uuid);
        self.remove_sriov_of(now, uuid);
        if let Some(number) = &gone.serial_number {
            self.release_serial_number(now, gone.system, number, false);
            // It cannot fail: nobody has the number now.
            let _ = self.remove_serial_number(now, gone.system, number, false);
        }
        self.partitions.remove(&uuid);
        self.derive_networks(now, gone.system);
        self.touch_system(now, gone.system);
        Some(gone)
    }

    /// Takes a partition in that has left its source: it becomes one of the target with the number `id`, and its
    /// adapters are made there.
    ///
    /// # Errors
    /// What could not be made; the world is then half changed, so whoever calls this keeps the old one.
    pub(super) fn take_in(
        &mut self,
        now: Millis,
        bundle: &Bundle,
        id: u16,
        arrival: Arrival,
        settled: impl FnOnce(&mut Partition),
    ) -> Result<(), Refusal> {
        let uuid = bundle.partition.uuid;
        let target = self.system(arrival.system)?;
        let pool = arrival.processor_pool;
        let mut adapters = OrdMap::new();
        for mut adapter in arrival.adapters {
            adapter.version = self.touch();
            adapters.insert(adapter.uuid, Arc::new(adapter));
        }
        let mut partition = bundle.partition.clone();
        partition.system = arrival.system;
        partition.id = id;
        partition.logical_serial = format!("{}{id:X}", target.machine.serial);
        partition.network_adapters = adapters;
        partition.vnics = OrdMap::new();
        partition.migration = MigrationState::NotMigrating;
        partition.nvram_version = self.touch();
        partition.set_clock(bundle.packed, now);
        for profile in &mut partition.profiles {
            Arc::make_mut(profile).version = self.touch();
        }
        for setting in [
            &mut partition.processors.configured,
            &mut partition.processors.current,
        ] {
            if let ProcessorSetting::Shared(shared) = setting {
                shared.pool = pool;
            }
        }
        self.partitions.insert(uuid, Arc::new(partition));
        self.edit_partition(Owner::Partition(uuid), settled);
        if let Some(number) = &bundle.partition.serial_number {
            self.add_serial_number(now, arrival.system, number)
                .map_err(Refusal::logic)?;
            self.assign_serial_number(now, arrival.system, number, uuid);
        }
        self.bring_units(now, bundle)?;
        for bus in arrival.buses {
            let mapping = ScsiMapping {
                client: Some(uuid),
                client_slot: SlotChoice::Given(bus.client_slot),
                server_slot: bus.server_slot,
                ..ScsiMapping::default()
            };
            let slot = self.add_bus(bus.vios, uuid, &mapping)?;
            let mut touched = std::collections::BTreeSet::new();
            for (lua, backing) in bus.devices {
                let device = ScsiMapping {
                    target: Some(TargetName {
                        lua: Some(lua),
                        ..TargetName::default()
                    }),
                    ..mapping.clone()
                };
                touched.insert(backing.clone());
                self.add_device(bus.vios, slot, backing, &device)?;
            }
            self.settle_mappings(now, bus.vios, &touched, &std::collections::BTreeSet::new());
        }
        for adapter in arrival.fc {
            self.add_fc_mapping(adapter.vios, &adapter.request(uuid))?;
            self.settle_fc_mappings(now, adapter.vios, &std::collections::BTreeSet::new());
        }
        self.settle_nics(now, uuid, arrival.nics)?;
        self.derive_networks(now, arrival.system);
        self.announce(now, EventKind::AddUri, Resource::LogicalPartition(uuid), "");
        self.touch_system(now, arrival.system);
        Ok(())
    }
}

impl Partition {
    /// Tells its moments by another clock, which shows `here` when its own shows `there`.
    fn set_clock(&mut self, there: Millis, here: Millis) {
        let told = |moment: Millis| Millis(here.0.saturating_sub(there.0.saturating_sub(moment.0)));
        self.started = self.started.map(told);
        self.load.set_clock(told);
    }
}

impl PartitionState {
    /// Whether a migration has the partition in hand.
    #[must_use]
    pub const fn is_migrating(self) -> bool {
        matches!(self, Self::MigratingRunning | Self::MigratingNotActive)
    }
}
