//! The furnished inventory: the default one with something of every kind in it.

use serde::Deserialize;

use super::{
    DiskInventory, EnterprisePoolInventory, GroupInventory, Inventory, InventoryError,
    MediumInventory, MemoryPoolInventory, PartitionInventory, VolumeGroupInventory,
};
use crate::model::Flavor;

/// What is added, in the words of an inventory file.
const ADDITIONS: &str = include_str!("furnished.toml");
/// Processors that the second Virtual I/O Server has for itself.
const DEDICATED: u16 = 2;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Additions {
    authorized_keys: Vec<String>,
    processor_pools: Vec<String>,
    serial_numbers: Vec<String>,
    memory_pool: MemoryPoolInventory,
    disks: Vec<DiskInventory>,
    volume_group: VolumeGroupInventory,
    media: Vec<MediumInventory>,
    partitions: Vec<PartitionInventory>,
    groups: Vec<GroupInventory>,
    enterprise_pools: Vec<EnterprisePoolInventory>,
}

impl Inventory {
    /// [`Inventory::default_for`] the flavour with a partition of every kind and every kind of device and pool: what
    /// `powervm-sim serve` starts with if nothing is said of the inventory.
    ///
    /// # Errors
    /// [`InventoryError::Syntax`] if what is added is no inventory.
    pub fn furnished(flavor: Flavor) -> Result<Self, InventoryError> {
        let additions: Additions =
            toml::from_str(ADDITIONS).map_err(|error| InventoryError::Syntax(error.to_string()))?;
        let mut inventory = Self::default_for(flavor);
        for system in &mut inventory.systems {
            for vios in &mut system.vioses {
                vios.disks.extend(additions.disks.clone());
                let first = vios.volume_groups.first_mut();
                if let Some(repository) = first.filter(|group| group.repository_gb.is_some()) {
                    repository.media.extend(additions.media.clone());
                }
                vios.volume_groups.push(additions.volume_group.clone());
            }
            if let Some(second) = system.vioses.get_mut(1) {
                second.dedicated_processors = Some(DEDICATED);
            }
            system
                .processor_pools
                .clone_from(&additions.processor_pools);
            system.serial_numbers.clone_from(&additions.serial_numbers);
            system.memory_pool = Some(additions.memory_pool.clone());
            system.partitions.clone_from(&additions.partitions);
        }
        if flavor == Flavor::Hmc {
            let systems = inventory.systems.iter_mut();
            let partitions = systems.flat_map(|system| &mut system.partitions);
            for adapter in partitions.flat_map(|partition| partition.adapters.iter_mut().flatten())
            {
                // Open vSwitch runs on a NovaLink.
                (adapter.mtu, adapter.ovs_bridge, adapter.ovs_external_ids) = (None, None, None);
            }
        }
        inventory.authorized_keys = additions.authorized_keys;
        inventory.groups = additions.groups;
        inventory.enterprise_pools = additions.enterprise_pools;
        Ok(inventory)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Millis;
    use crate::model::names::PartitionState;

    #[test]
    fn the_furnished_machine_room_stands_in_both_flavours() {
        for flavor in [Flavor::Hmc, Flavor::NovaLink] {
            let inventory = Inventory::furnished(flavor).unwrap();
            let world = inventory.world(flavor, 0, Millis::EPOCH).unwrap();
            let violations = world.violations();
            assert!(violations.is_empty(), "{violations:?}");
            let partitions = world.partitions.values();
            let own = partitions.filter(|partition| !partition.is_management);
            let running = own.filter(|partition| partition.state == PartitionState::Running);
            assert_eq!(running.count(), 3);
        }
    }
}
