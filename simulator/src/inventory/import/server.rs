//! Virtual I/O Servers with their disks, volume groups and bridges.

use std::collections::{BTreeMap, BTreeSet};

use powervm_schema::xml::Element;

use super::super::{
    DiskInventory, MediumInventory, NetworkInventory, ViosInventory, VirtualDiskInventory,
    VolumeGroupInventory, defaults,
};
use super::Systems;
use super::documents::{Documents, Item, megabytes, number, text};
use super::partition::{memory_of, units_of};
use super::system::system_of;
use crate::model::names::{Flavor, ReservePolicy};

/// The names of SAN volumes by their UDIDs.
#[derive(Debug, Default)]
pub(super) struct Volumes {
    names: BTreeMap<String, String>,
}

impl Volumes {
    /// The name of the volume with this UDID; the same on every server that sees it.
    pub(super) fn name(&mut self, udid: &str) -> String {
        let next = format!("volume{}", self.names.len() + 1);
        self.names.entry(udid.to_owned()).or_insert(next).clone()
    }

    /// The name, if a server sees the volume.
    pub(super) fn known(&self, udid: &str) -> Option<&String> {
        self.names.get(udid)
    }
}

/// The servers themselves.
pub(super) fn servers(
    documents: &Documents,
    found: &mut Systems,
    flavor: Flavor,
    remarks: &mut Vec<String>,
) {
    for item in documents.all("VirtualIOServer") {
        let Some(name) = item.text("PartitionName") else {
            continue;
        };
        let Some(system) = system_of(item, found).and_then(|system| found.get_mut(&system)) else {
            continue;
        };
        let id = item.text("PartitionID").and_then(|id| id.parse().ok());
        let twice = |other: &ViosInventory| other.name == name || id.is_some() && other.id == id;
        if system.vioses.iter().any(twice) {
            remarks.push(format!(
                "Virtual I/O Server {name} is left out: {} has another with its name or number",
                system.name
            ));
            continue;
        }
        let ports = item.anywhere("PhysicalFibreChannelPort").into_iter();
        let numbers =
            ports.filter_map(|port| text(port, &["PortName"])?.strip_prefix("fcs")?.parse().ok());
        let ports = numbers.max().map_or(0, |last: u16| last.saturating_add(1));
        system.vioses.push(ViosInventory {
            name: name.to_owned(),
            uuid: Some(item.uuid),
            id,
            level: level(item),
            memory_mb: memory_of(item).1.unwrap_or_else(defaults::vios_memory_mb),
            processor_units_hundredths: units_of(item).unwrap_or_else(defaults::vios_units),
            dedicated_processors: dedicated(item),
            disks: Vec::new(),
            volume_groups: Vec::new(),
            fc_ports: ports.min(64),
            iscsi: true,
            is_management: flavor == Flavor::NovaLink
                && item.text("IsManagementPartition") == Some("true")
                && !system.vioses.iter().any(|other| other.is_management),
            network: network(item),
        });
    }
    for system in found.values_mut() {
        system.vioses.sort_by_key(|vios| vios.id);
        agree_on_vlans(&mut system.vioses);
    }
}

/// The servers of one bridge bridge the same VLANs; where their documents differ, all of them.
fn agree_on_vlans(servers: &mut [ViosInventory]) {
    let mut all: BTreeMap<u16, BTreeSet<u16>> = BTreeMap::new();
    for network in servers.iter().filter_map(|vios| vios.network.as_ref()) {
        all.entry(network.vlan)
            .or_default()
            .extend(&network.tagged_vlans);
    }
    for network in servers.iter_mut().filter_map(|vios| vios.network.as_mut()) {
        if let Some(vlans) = all.get(&network.vlan) {
            network.tagged_vlans = vlans.iter().copied().take(20).collect();
        }
    }
}

/// How many whole processors it has, if it has no share.
fn dedicated(item: &Item) -> Option<u16> {
    let configuration = item.child("PartitionProcessorConfiguration")?;
    if text(configuration, &["HasDedicatedProcessors"]) != Some("true") {
        return None;
    }
    let desired = ["DedicatedProcessorConfiguration", "DesiredProcessors"];
    number(configuration, &desired).filter(|processors| *processors > 0)
}

/// `VIOS 2.2.6.10` of `OperatingSystemVersion`.
fn level(item: &Item) -> String {
    let version = item.text("OperatingSystemVersion").unwrap_or_default();
    let level = version.strip_prefix("VIOS").unwrap_or(version).trim();
    let good = !level.is_empty()
        && level
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'.');
    if good {
        level.to_owned()
    } else {
        defaults::vios_level()
    }
}

/// The first shared Ethernet adapter with all VLANs of its trunk adapters.
fn network(item: &Item) -> Option<NetworkInventory> {
    let adapter = item
        .members("SharedEthernetAdapters", "SharedEthernetAdapter")
        .next()?;
    let vlan: u16 = number(adapter, &["PortVLANID"])?;
    let trunks: Vec<&Element> = adapter
        .child("TrunkAdapters")
        .map(|list| list.children_named("TrunkAdapter").collect())
        .unwrap_or_default();
    let mut tagged = BTreeSet::new();
    for trunk in &trunks {
        let own: Option<u16> = number(trunk, &["PortVLANID"]);
        let listed = text(trunk, &["TaggedVLANIDs"]).unwrap_or_default();
        let listed: Vec<u16> = listed
            .split_ascii_whitespace()
            .filter_map(|vlan| vlan.parse().ok())
            .collect();
        // A trunk adapter with tagged VLANs has a placeholder of its own.
        tagged.extend(own.filter(|own| listed.is_empty() && *own != vlan));
        tagged.extend(listed);
    }
    tagged.remove(&vlan);
    let priority = trunks
        .iter()
        .find_map(|trunk| number(trunk, &["TrunkPriority"]));
    Some(NetworkInventory {
        vlan,
        tagged_vlans: tagged.into_iter().take(20).collect(),
        priority: priority.unwrap_or(1),
        control_channel: text(adapter, &["ControlChannelID"]).and_then(|vlan| vlan.parse().ok()),
    })
}

/// Their disks and volume groups.
pub(super) fn storage(
    documents: &Documents,
    found: &mut Systems,
    volumes: &mut Volumes,
    remarks: &mut Vec<String>,
) {
    for system in found.values_mut() {
        for vios in &mut system.vioses {
            let Some(item) = vios
                .uuid
                .and_then(|uuid| documents.get("VirtualIOServer", uuid))
            else {
                continue;
            };
            for volume in item.members("PhysicalVolumes", "PhysicalVolume") {
                add_disk(vios, volume, volumes);
            }
            let groups = documents.all("VolumeGroup");
            let uuid = vios.uuid;
            for group in groups.filter(|group| group.above("VirtualIOServer") == uuid) {
                add_group(vios, group, volumes, remarks);
            }
            if vios.volume_groups.is_empty() {
                make_root_group(vios, item, remarks);
            }
            // The volume group of the server itself comes first.
            vios.volume_groups
                .sort_by_key(|group| group.name != "rootvg");
        }
    }
}

/// A local disk of which no more is known.
pub(super) fn disk(name: &str, gb: u64) -> DiskInventory {
    DiskInventory {
        name: name.to_owned(),
        gb,
        udid: None,
        san: None,
        reserve_policy: None,
        read_iops: None,
        write_iops: None,
        encrypted: false,
    }
}

fn add_disk(vios: &mut ViosInventory, volume: &Element, volumes: &mut Volumes) {
    let Some(name) = text(volume, &["VolumeName"]) else {
        return;
    };
    if vios.disks.iter().any(|disk| disk.name == name) {
        return;
    }
    let udid = text(volume, &["UniqueDeviceID"]).map(str::to_owned);
    let megabytes: u64 = number(volume, &["VolumeCapacity"]).unwrap_or(0);
    let shared = text(volume, &["IsFibreChannelBacked"]) == Some("true");
    let policy =
        text(volume, &["ReservePolicy"]).filter(|policy| ReservePolicy::parse(policy).is_some());
    vios.disks.push(DiskInventory {
        san: udid
            .as_deref()
            .filter(|_| shared)
            .map(|udid| volumes.name(udid)),
        udid,
        reserve_policy: policy
            .filter(|policy| *policy != ReservePolicy::NoReserve.as_str())
            .map(str::to_owned),
        ..disk(name, megabytes.div_ceil(1024).max(1))
    });
}

fn add_group(
    vios: &mut ViosInventory,
    group: &Item,
    volumes: &mut Volumes,
    remarks: &mut Vec<String>,
) {
    let Some(name) = group.text("GroupName") else {
        return;
    };
    let mut disks = Vec::new();
    for volume in group.members("PhysicalVolumes", "PhysicalVolume") {
        add_disk(vios, volume, volumes);
        disks.extend(text(volume, &["VolumeName"]).map(str::to_owned));
    }
    if disks.is_empty() {
        remarks.push(format!(
            "volume group {name} of {} is left out: its disks are not known",
            vios.name
        ));
        return;
    }
    let size = |text: Option<&str>| text.and_then(megabytes).unwrap_or(0);
    let virtual_disks: Vec<VirtualDiskInventory> = group
        .members("VirtualDisks", "VirtualDisk")
        .filter_map(virtual_disk)
        .collect();
    let repository = group
        .members("MediaRepositories", "VirtualMediaRepository")
        .next();
    let repository_gb = repository.map(|repository| {
        size(text(repository, &["RepositorySize"]))
            .div_ceil(1024)
            .max(1)
    });
    let total: u64 = vios
        .disks
        .iter()
        .filter(|disk| disks.contains(&disk.name))
        .map(|disk| disk.gb)
        .sum();
    let used = virtual_disks
        .iter()
        .map(|disk| disk.mb)
        .sum::<u64>()
        .div_ceil(1024)
        + repository_gb.unwrap_or(0);
    let free = size(group.text("FreeSpace")) / 1024;
    vios.volume_groups.push(VolumeGroupInventory {
        name: name.to_owned(),
        disks,
        reserved_gb: total.saturating_sub(used).saturating_sub(free),
        repository_gb,
        virtual_disks,
        media: repository.map(media).unwrap_or_default(),
    });
}

fn virtual_disk(disk: &Element) -> Option<VirtualDiskInventory> {
    Some(VirtualDiskInventory {
        name: text(disk, &["DiskName"])?.to_owned(),
        mb: text(disk, &["DiskCapacity"])
            .and_then(megabytes)
            .unwrap_or(1)
            .max(1),
        read_iops: text(disk, &["ReadIOPS"]).and_then(|limit| limit.parse().ok()),
        write_iops: text(disk, &["WriteIOPS"]).and_then(|limit| limit.parse().ok()),
        encrypted: disk.child("EncryptionAgent").is_some(),
    })
}

fn media(repository: &Element) -> Vec<MediumInventory> {
    let list = repository.child("OpticalMedia").into_iter();
    let media = list.flat_map(|list| list.children_named("VirtualOpticalMedia"));
    media
        .filter_map(|medium| {
            Some(MediumInventory {
                name: text(medium, &["MediaName"])?.to_owned(),
                mb: text(medium, &["Size"])
                    .and_then(megabytes)
                    .unwrap_or(1)
                    .max(1),
            })
        })
        .collect()
}

/// A server needs a `rootvg`; if no document tells of one, its first local disk that is taken makes it.
fn make_root_group(vios: &mut ViosInventory, item: &Item, remarks: &mut Vec<String>) {
    let taken: BTreeSet<&str> = item
        .members("PhysicalVolumes", "PhysicalVolume")
        .filter(|volume| text(volume, &["AvailableForUsage"]) == Some("false"))
        .filter_map(|volume| text(volume, &["VolumeName"]))
        .collect();
    let local = vios
        .disks
        .iter()
        .find(|disk| disk.san.is_none() && taken.contains(disk.name.as_str()));
    let disk = match local {
        Some(disk) => disk.name.clone(),
        None => {
            let free = (0..).map(|number: u32| format!("hdisk{number}"));
            let mut free = free
                .into_iter()
                .filter(|name| vios.disks.iter().all(|disk| disk.name != *name));
            let name = free.next().unwrap_or_default();
            vios.disks.push(disk(&name, 500));
            name
        }
    };
    let repository = item
        .members("MediaRepositories", "VirtualMediaRepository")
        .next();
    let size = |repository: &Element| {
        text(repository, &["RepositorySize"])
            .and_then(megabytes)
            .unwrap_or(0)
    };
    let gb = repository.map_or(10, |repository| size(repository).div_ceil(1024).max(1));
    // Disks that mappings show and no group holds have to lie somewhere.
    let mapped = item.members("VirtualSCSIMappings", "VirtualSCSIMapping");
    let mapped = mapped.filter_map(|mapping| mapping.descend(&["Storage", "VirtualDisk"]));
    let mut names = BTreeSet::new();
    let virtual_disks: Vec<VirtualDiskInventory> = mapped
        .filter_map(virtual_disk)
        .filter(|disk| names.insert(disk.name.clone()))
        .collect();
    let gb_of_disks = virtual_disks
        .iter()
        .map(|disk| disk.mb)
        .sum::<u64>()
        .div_ceil(1024);
    if let Some(disk) = vios.disks.iter_mut().find(|other| other.name == disk) {
        disk.gb = disk.gb.max(gb + gb_of_disks + 40);
    }
    remarks.push(format!(
        "rootvg of {} is made up on {disk}: no VolumeGroup document tells of it",
        vios.name
    ));
    vios.volume_groups.push(VolumeGroupInventory {
        name: "rootvg".to_owned(),
        disks: vec![disk],
        reserved_gb: 30,
        repository_gb: Some(gb),
        virtual_disks,
        media: repository.map(media).unwrap_or_default(),
    });
}
