//! Default values, and inventories made to measure.

use super::{
    ClusterInventory, DiskInventory, Inventory, ManagementInventory, NetworkInventory,
    PartitionInventory, SanInventory, SriovInventory, SystemInventory, ViosInventory,
    VolumeGroupInventory,
};
use crate::model::Flavor;
use crate::model::network::VirtualSwitch;

/// The VLAN of the control channel between two shared Ethernet adapters (recording `fake_network_bridge`).
const CONTROL_CHANNEL: u16 = 99;

/// How much of everything: the numbers on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sizes {
    /// Managed systems, each with a NovaLink of its own in that flavour.
    pub systems: u16,
    /// Virtual I/O Servers of each system.
    pub vioses: u16,
    /// Partitions of each system that are there already, every other one running.
    pub partitions: u16,
}

impl Default for Sizes {
    fn default() -> Self {
        Self {
            systems: 1,
            vioses: 2,
            partitions: 0,
        }
    }
}

impl Inventory {
    /// The default inventory with so much of everything. Memory and processors grow with the number of partitions.
    #[must_use]
    pub fn sized(flavor: Flavor, sizes: Sizes) -> Self {
        let count = sizes.systems.max(1);
        let systems: Vec<SystemInventory> = (1..=count)
            .map(|number| system(flavor, number, sizes))
            .collect();
        let clusters = systems
            .iter()
            .filter_map(|system| cluster(system, count > 1))
            .collect();
        Self {
            console: None,
            authorized_keys: Vec::new(),
            systems,
            clusters,
            san: SanInventory::default(),
            groups: Vec::new(),
            enterprise_pools: Vec::new(),
            templates: Vec::new(),
            peers: Vec::new(),
        }
    }
}

impl Inventory {
    /// The same with one storage for all systems, so that partitions can move between them: every system's servers see
    /// the first one's SAN volumes, and one cluster has them all. Partitions of the other systems get their system's
    /// name before their own, as two of one name could neither move nor have their disks in one pool.
    #[must_use]
    pub fn with_shared_storage(mut self) -> Self {
        let Some(names) = self.systems.first().map(san_volumes) else {
            return self;
        };
        for (number, system) in self.systems.iter_mut().enumerate() {
            if number > 0 {
                for partition in &mut system.partitions {
                    partition.name = format!("{}-{}", system.name, partition.name);
                }
            }
            let own = san_volumes(system);
            let renamed = |volume: &String| {
                let index = own.iter().position(|name| name == volume);
                index.and_then(|index| names.get(index)).cloned()
            };
            for disk in system.vioses.iter_mut().flat_map(|vios| &mut vios.disks) {
                disk.san = disk.san.as_ref().and_then(renamed);
            }
        }
        let nodes: Vec<String> = self
            .clusters
            .iter()
            .flat_map(|cluster| cluster.nodes.clone())
            .collect();
        self.clusters.truncate(1);
        if let Some(cluster) = self.clusters.first_mut() {
            "cluster".clone_into(&mut cluster.name);
            "ssp".clone_into(&mut cluster.pool);
            cluster.nodes = nodes;
        }
        self
    }
}

/// The names of the SAN volumes that the servers of a system see, in their order.
fn san_volumes(system: &SystemInventory) -> Vec<String> {
    let mut names = Vec::new();
    for disk in system.vioses.iter().flat_map(|vios| &vios.disks) {
        if let Some(name) = disk.san.as_ref().filter(|name| !names.contains(*name)) {
            names.push(name.clone());
        }
    }
    names
}

fn system(flavor: Flavor, number: u16, sizes: Sizes) -> SystemInventory {
    let partitions: Vec<PartitionInventory> = (1..=sizes.partitions).map(partition).collect();
    let extra = u64::from(sizes.partitions);
    SystemInventory {
        name: if number == 1 {
            "neo".to_owned()
        } else {
            format!("neo{number}")
        },
        uuid: None,
        machine_type: machine_type(),
        model: model(),
        serial: format!(
            "21{:04X}A",
            0x25D4_u32.wrapping_add(u32::from(number) - 1) & 0xffff
        ),
        description: String::new(),
        location: String::new(),
        memory_mb: memory_mb() + extra * (partition_memory_mb() + memory_region_mb()),
        hypervisor_mb: hypervisor_mb(),
        memory_region_mb: memory_region_mb(),
        processors: processors() + u32::from(sizes.partitions) * partition_units() / 100,
        compatibility_modes: compatibility_modes(),
        switches: if flavor == Flavor::NovaLink {
            switches()
        } else {
            Vec::new()
        },
        processor_pools: Vec::new(),
        memory_pool: None,
        serial_numbers: Vec::new(),
        management_partition: (flavor == Flavor::NovaLink).then(|| ManagementInventory {
            name: management_name(),
            uuid: None,
            id: None,
            memory_mb: management_memory_mb(),
            disk_gb: management_disk_gb(),
        }),
        sriov: vec![SriovInventory::recorded(8)],
        vioses: (1..=sizes.vioses)
            .map(|vios_number| {
                let mut vios = vios(number, vios_number);
                // A NovaLink's Virtual I/O Servers are too new to need one.
                let channel = flavor == Flavor::Hmc && sizes.vioses > 1;
                if let Some(network) = vios.network.as_mut().filter(|_| channel) {
                    network.control_channel = Some(CONTROL_CHANNEL);
                }
                vios
            })
            .collect(),
        partitions,
    }
}

fn vios(system: u16, number: u16) -> ViosInventory {
    let local = |name: &str, gb: u64| DiskInventory {
        name: name.to_owned(),
        gb,
        udid: None,
        san: None,
        reserve_policy: None,
        read_iops: None,
        write_iops: None,
        encrypted: false,
    };
    let san = |index: u16, gb: u64, volume: String| DiskInventory {
        name: format!("hdisk{index}"),
        gb,
        udid: None,
        san: Some(format!("system{system}_{volume}")),
        reserve_policy: None,
        read_iops: None,
        write_iops: None,
        encrypted: false,
    };
    let mut disks = vec![
        local("hdisk0", 558),
        local("hdisk1", 4096),
        san(2, 10, "repository".to_owned()),
    ];
    disks.extend((0..4).map(|index| san(3 + index, 4096, format!("pool{index}"))));
    disks.extend((0..4).map(|index| san(7 + index, 100, format!("volume{index}"))));
    let group = |name: &str, disk: &str, reserved_gb, repository_gb| VolumeGroupInventory {
        name: name.to_owned(),
        disks: vec![disk.to_owned()],
        reserved_gb,
        repository_gb,
        virtual_disks: Vec::new(),
        media: Vec::new(),
    };
    ViosInventory {
        name: format!("vios{number}"),
        uuid: None,
        id: None,
        level: vios_level(),
        memory_mb: vios_memory_mb(),
        processor_units_hundredths: vios_units(),
        dedicated_processors: None,
        disks,
        volume_groups: vec![
            group("rootvg", "hdisk0", 60, Some(40)),
            group("datavg", "hdisk1", 0, None),
        ],
        fc_ports: fc_ports(),
        iscsi: iscsi(),
        is_management: false,
        network: u8::try_from(number)
            .ok()
            .filter(|priority| *priority <= 2)
            .map(|priority| NetworkInventory {
                vlan: vlan(),
                tagged_vlans: (100..110).collect(),
                priority,
                control_channel: None,
            }),
    }
}

fn cluster(system: &SystemInventory, several: bool) -> Option<ClusterInventory> {
    let mut volumes = system
        .vioses
        .first()?
        .disks
        .iter()
        .filter_map(|disk| disk.san.clone());
    let suffix = if several {
        format!("_{}", system.name)
    } else {
        String::new()
    };
    Some(ClusterInventory {
        name: format!("cluster{suffix}"),
        pool: format!("ssp{suffix}"),
        nodes: system
            .vioses
            .iter()
            .map(|vios| format!("{}/{}", system.name, vios.name))
            .collect(),
        repository: volumes.next()?,
        volumes: volumes.take(4).collect(),
        overcommit_percent: overcommit_percent(),
        logical_units: Vec::new(),
    })
}

fn partition(number: u16) -> PartitionInventory {
    PartitionInventory {
        name: format!("existing-{number:04}"),
        uuid: None,
        id: None,
        kind: None,
        memory_minimum_mb: None,
        memory_maximum_mb: None,
        maximum_slots: None,
        processors: None,
        adapters: None,
        mappings: Vec::new(),
        fc_mappings: Vec::new(),
        description: None,
        shared_memory: false,
        io_slots: Vec::new(),
        serial_number: None,
        memory_mb: partition_memory_mb(),
        virtual_processors: partition_processors(),
        processor_units_hundredths: partition_units(),
        vlan: vlan(),
        disk_gb: Some(10),
        running: number % 2 == 1,
        fc_adapters: if number == 1 { 2 } else { 0 },
        sriov: matches!(number, 2 | 3),
    }
}

pub(super) const fn console(flavor: Flavor) -> &'static str {
    match flavor {
        Flavor::Hmc => "hmc",
        Flavor::NovaLink => "novalink",
    }
}

pub(super) fn machine_type() -> String {
    "8247".to_owned()
}

pub(super) fn model() -> String {
    "22L".to_owned()
}

pub(super) const fn memory_mb() -> u64 {
    1 << 20
}

pub(super) const fn hypervisor_mb() -> u64 {
    8192
}

pub(super) const fn memory_region_mb() -> u64 {
    256
}

pub(super) const fn processors() -> u32 {
    24
}

pub(super) fn compatibility_modes() -> Vec<String> {
    ["POWER6", "POWER6_Plus", "POWER7", "POWER8"]
        .map(str::to_owned)
        .to_vec()
}

pub(super) fn switches() -> Vec<String> {
    vec![VirtualSwitch::MANAGEMENT.to_owned()]
}

pub(super) fn management_name() -> String {
    "novalink".to_owned()
}

pub(super) const fn management_memory_mb() -> u64 {
    4096
}

pub(super) const fn management_disk_gb() -> u64 {
    30
}

pub(super) const fn vios_memory_mb() -> u64 {
    8192
}

pub(super) const fn vios_units() -> u32 {
    100
}

pub(super) const fn iscsi() -> bool {
    true
}

pub(super) fn vios_level() -> String {
    "2.2.6.10".to_owned()
}

pub(super) const fn fc_ports() -> u16 {
    2
}

pub(super) const fn vlan() -> u16 {
    1
}

pub(super) const fn overcommit_percent() -> u32 {
    100
}

pub(super) const fn partition_memory_mb() -> u64 {
    2048
}

pub(super) const fn partition_processors() -> u16 {
    1
}

pub(super) const fn partition_units() -> u32 {
    10
}

pub(super) fn group_color() -> String {
    "Grey".to_owned()
}
