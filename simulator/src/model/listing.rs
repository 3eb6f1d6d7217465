//! Everything there is, as plain sorted lines: for audits, and to compare two worlds whatever their versions.

use std::collections::BTreeMap;

use super::vios::VirtualIoServer;
use super::world::World;

/// One thing of the world.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Item {
    /// What it is, such as `partition` or `virtual disk`.
    pub kind: &'static str,
    /// Its name with its place, such as `neo/vios1/rootvg/boot_x`; unique for its kind.
    pub name: String,
    /// What there is to say about it: state, sizes, identifiers.
    pub detail: String,
}

/// How two listings differ at one thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Difference {
    /// Only in the later one.
    Added(Item),
    /// Only in the earlier one.
    Removed(Item),
    /// In both, with different details.
    Changed {
        /// As it was.
        before: Item,
        /// As it is.
        after: Item,
    },
}

impl std::fmt::Display for Difference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Added(item) => write!(f, "+ {} {} ({})", item.kind, item.name, item.detail),
            Self::Removed(item) => write!(f, "- {} {} ({})", item.kind, item.name, item.detail),
            Self::Changed { before, after } => {
                write!(
                    f,
                    "~ {} {} ({} -> {})",
                    after.kind, after.name, before.detail, after.detail
                )
            }
        }
    }
}

/// What changed from one listing to another, in order of kind and name.
#[must_use]
pub fn differences(before: &[Item], after: &[Item]) -> Vec<Difference> {
    let index = |items: &[Item]| -> BTreeMap<(&'static str, String), Item> {
        items
            .iter()
            .map(|item| ((item.kind, item.name.clone()), item.clone()))
            .collect()
    };
    let (old, new) = (index(before), index(after));
    let mut found: BTreeMap<(&'static str, String), Difference> = BTreeMap::new();
    for (key, item) in &old {
        match new.get(key) {
            None => found.insert(key.clone(), Difference::Removed(item.clone())),
            Some(later) if later != item => found.insert(
                key.clone(),
                Difference::Changed {
                    before: item.clone(),
                    after: later.clone(),
                },
            ),
            Some(_) => None,
        };
    }
    for (key, item) in new {
        if !old.contains_key(&key) {
            found.insert(key, Difference::Added(item));
        }
    }
    found.into_values().collect()
}

impl World {
    /// Everything there is, sorted; the same for worlds that differ only in versions, events and plans.
    #[must_use]
    pub fn listing(&self) -> Vec<Item> {
        let mut items = Vec::new();
        let mut add = |kind, name: String, detail: String| items.push(Item { kind, name, detail });
        for system in self.systems.values() {
            for switch in system.switches.values() {
                add(
                    "virtual switch",
                    format!("{}/{}", system.name, switch.name),
                    format!("id {} mode {}", switch.id, switch.mode),
                );
            }
            for network in system.networks.values() {
                let detail = format!(
                    "vlan {} on switch {} tagged {}",
                    network.vlan, network.switch_id, network.tagged
                );
                add(
                    "virtual network",
                    format!("{}/{}", system.name, network.name),
                    detail,
                );
            }
            self.list_bridges(system, &mut add);
            for partition in self.all_partitions_of(system.uuid) {
                let place = format!("{}/{}", system.name, partition.name);
                let detail = format!(
                    "uuid {} id {} {} rmc {} code {:?} memory {:?} processors {:?} slots {} settings {:?} nvram {:?} console {}",
                    partition.uuid,
                    partition.id,
                    partition.state,
                    partition.rmc,
                    partition.reference_code,
                    partition.memory,
                    partition.processors,
                    partition.maximum_slots,
                    partition.settings,
                    partition.nvram,
                    partition.console_open
                );
                add("partition", place.clone(), detail);
                for adapter in partition.network_adapters.values() {
                    let detail = format!(
                        "slot {} vlan {} tagged {:?} switch {} trunk {:?}",
                        adapter.slot,
                        adapter.vlan,
                        adapter.tagged_vlans,
                        adapter.switch_id,
                        adapter.trunk
                    );
                    add(
                        "network adapter",
                        format!("{place}/{}", adapter.mac_text()),
                        detail,
                    );
                }
                self.list_sriov(partition, &place, &mut add);
            }
            for vios in self.vioses_of(system.uuid) {
                self.list_storage(&system.name, vios, &mut add);
            }
        }
        for tier in self.tiers.values() {
            let pool = self
                .pools
                .get(&tier.pool)
                .map(|pool| pool.name.as_str())
                .unwrap_or_default();
            for unit in tier.units.values() {
                let detail = format!(
                    "udid {} {} GB thin {} {} clone of {:?} in use {} content {:?}",
                    unit.udid,
                    unit.capacity,
                    unit.thin,
                    unit.kind,
                    unit.cloned_from,
                    unit.in_use,
                    unit.content.map(|content| content.sha256_hex())
                );
                add(
                    "logical unit",
                    format!("{pool}/{}/{}", tier.name, unit.name),
                    detail,
                );
            }
        }
        for volume in self.san.volumes.values() {
            let detail = format!(
                "{} MB {} {:?} {:?} content {:?}",
                volume.megabytes,
                volume.access.protocol(),
                volume.naa,
                volume.access,
                volume.content.map(|content| content.sha256_hex())
            );
            add(
                "storage volume",
                format!("{}/{}", volume.name, volume.uuid),
                detail,
            );
        }
        for file in self.files.values() {
            add(
                "file",
                file.uuid.to_string(),
                format!("{} {}", file.name, file.kind),
            );
        }
        for job in self.jobs.values() {
            add(
                "job",
                job.id.to_string(),
                format!("{} {:?} {}", job.operation, job.target, job.status),
            );
        }
        for console in self.consoles() {
            let keys = console.authorized_keys.join(" ");
            let name = format!("{} {}", console.name, console.uuid);
            add("console", name, format!("keys {keys}"));
        }
        items.sort();
        items
    }

    fn list_storage(
        &self,
        system: &str,
        vios: &VirtualIoServer,
        add: &mut impl FnMut(&'static str, String, String),
    ) {
        let place = format!("{system}/{}", vios.partition.name);
        for volume in &vios.physical_volumes {
            add(
                "physical volume",
                format!("{place}/{}", volume.name),
                format!("{} MB {} {:?}", volume.megabytes, volume.udid, volume.usage),
            );
        }
        for group in &vios.volume_groups {
            let group_place = format!("{place}/{}", group.name);
            add(
                "volume group",
                group_place.clone(),
                format!("{} GB, {} GB free", group.capacity, group.free()),
            );
            for disk in group.disks.values() {
                let content = disk.content.map(|content| content.sha256_hex());
                add(
                    "virtual disk",
                    format!("{group_place}/{}", disk.name),
                    format!("{} {} GB content {content:?}", disk.udid, disk.capacity),
                );
            }
            if let Some(repository) = &group.repository {
                add(
                    "media repository",
                    format!("{group_place}/{}", repository.name),
                    format!("{} GB", repository.size),
                );
                for medium in repository.media.values() {
                    let content = medium.content.map(|content| content.sha256_hex());
                    add(
                        "medium",
                        format!("{group_place}/{}", medium.name),
                        format!("{} GB {} content {content:?}", medium.size, medium.mount),
                    );
                }
            }
        }
        for (iqn, portal) in &vios.iscsi.sessions {
            add(
                "iSCSI session",
                format!("{place}/{iqn}/{portal}"),
                String::new(),
            );
        }
        for mapping in vios.fc_mappings.values() {
            let client = mapping.client.map(|client| {
                let [first, second] = client.wwpns;
                format!(
                    "partition {} slot {} {first:016x} {second:016x}",
                    client.partition_id, client.slot
                )
            });
            add(
                "virtual Fibre Channel adapter",
                format!("{place}/{}", mapping.adapter_name()),
                format!(
                    "slot {} client {client:?} port {:?}",
                    mapping.slot, mapping.port
                ),
            );
        }
        for bus in vios.buses.values() {
            let bus_place = format!("{place}/{}", bus.adapter_name());
            let client = bus
                .client
                .map(|client| format!("partition {} slot {}", client.partition_id, client.slot));
            add(
                "virtual SCSI adapter",
                bus_place.clone(),
                format!("slot {} client {client:?}", bus.slot),
            );
            for device in &bus.devices {
                let storage = self.storage(vios, &device.backing);
                let name = storage.as_ref().map(|storage| storage.name());
                add(
                    "mapping",
                    format!("{bus_place}/{}", device.target),
                    format!("{} {name:?} {}", device.lua, device.target_udid),
                );
            }
        }
    }
}
