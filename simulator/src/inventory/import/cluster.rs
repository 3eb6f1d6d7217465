//! Clusters, their pools and what lies in them.

use std::collections::{BTreeMap, BTreeSet};

use powervm_schema::xml::Element;
use uuid::Uuid;

use super::super::{ClusterInventory, DiskInventory, LogicalUnitInventory, defaults};
use super::Systems;
use super::documents::{Documents, Item, last_uuid, megabytes, number, text};
use super::server::{Volumes, disk};

/// The clusters of the servers found.
pub(super) fn clusters(
    documents: &Documents,
    found: &mut Systems,
    volumes: &mut Volumes,
    remarks: &mut Vec<String>,
) -> Vec<ClusterInventory> {
    let mut made = Vec::new();
    let mut members = BTreeSet::new();
    for cluster in documents.all("Cluster") {
        let name = cluster.text("ClusterName").unwrap_or("cluster").to_owned();
        let nodes: Vec<(Uuid, Uuid)> = nodes(cluster, found)
            .into_iter()
            .filter(|(_, vios)| members.insert(*vios))
            .collect();
        if nodes.is_empty() {
            remarks.push(format!(
                "cluster {name} is left out: no document describes its Virtual I/O Servers"
            ));
            continue;
        }
        let pool = cluster
            .child("ClusterSharedStoragePool")
            .and_then(|link| last_uuid(link.attribute("href")?))
            .and_then(|uuid| documents.get("SharedStoragePool", uuid));
        made.push(describe(
            documents, found, volumes, &name, cluster, pool, &nodes,
        ));
    }
    if made.is_empty() {
        made.extend(of_mappings(documents, found, volumes, remarks));
    }
    made
}

/// The servers of a cluster that are there: systems and servers.
fn nodes(cluster: &Item, found: &Systems) -> Vec<(Uuid, Uuid)> {
    let links = cluster
        .members("Node", "Node")
        .filter_map(|node| last_uuid(node.child("VirtualIOServer")?.attribute("href")?));
    links
        .filter_map(|vios| Some((system_with(found, vios)?, vios)))
        .collect()
}

fn system_with(found: &Systems, vios: Uuid) -> Option<Uuid> {
    let mut systems = found.iter();
    let has = |system: &super::super::SystemInventory| {
        system.vioses.iter().any(|own| own.uuid == Some(vios))
    };
    systems
        .find(|(_, system)| has(system))
        .map(|(uuid, _)| *uuid)
}

fn describe(
    documents: &Documents,
    found: &mut Systems,
    volumes: &mut Volumes,
    name: &str,
    cluster: &Item,
    pool: Option<&Item>,
    nodes: &[(Uuid, Uuid)],
) -> ClusterInventory {
    let pool_name = pool
        .and_then(|pool| pool.text("StoragePoolName"))
        .map_or_else(|| format!("{name}-pool"), str::to_owned);
    let repository = cluster.members("RepositoryDisk", "PhysicalVolume").next();
    let repository = volume(
        found,
        volumes,
        nodes,
        repository,
        &format!("{name}-repository"),
        10,
    );
    let capacity = pool
        .and_then(|pool| pool.text("Capacity"))
        .and_then(megabytes)
        .unwrap_or(1 << 20);
    let disks: Vec<&Element> = pool
        .map(|pool| pool.members("PhysicalVolumes", "PhysicalVolume").collect())
        .unwrap_or_default();
    let mut in_pool: Vec<String> = disks
        .iter()
        .zip(1..)
        .map(|(disk, number)| {
            volume(
                found,
                volumes,
                nodes,
                Some(disk),
                &format!("{pool_name}-{number}"),
                1,
            )
        })
        .collect();
    if in_pool.is_empty() {
        let gb = capacity.div_ceil(1024).max(1);
        in_pool.push(volume(
            found,
            volumes,
            nodes,
            None,
            &format!("{pool_name}-1"),
            gb,
        ));
    }
    let servers: Vec<Uuid> = nodes.iter().map(|(_, vios)| *vios).collect();
    ClusterInventory {
        name: name.to_owned(),
        pool: pool_name,
        nodes: nodes
            .iter()
            .filter_map(|node| node_name(found, *node))
            .collect(),
        repository,
        volumes: in_pool,
        overcommit_percent: 1000,
        logical_units: units(documents, pool, &servers),
    }
}

fn node_name(found: &Systems, (system, vios): (Uuid, Uuid)) -> Option<String> {
    let system = found.get(&system)?;
    let vios = system.vioses.iter().find(|own| own.uuid == Some(vios))?;
    Some(format!("{}/{}", system.name, vios.name))
}

/// The name of a SAN volume that the nodes see; if none does, they get it.
fn volume(
    found: &mut Systems,
    volumes: &mut Volumes,
    nodes: &[(Uuid, Uuid)],
    described: Option<&Element>,
    name: &str,
    usual_gb: u64,
) -> String {
    let udid = described.and_then(|volume| text(volume, &["UniqueDeviceID"]));
    let known = udid.and_then(|udid| volumes.known(udid).cloned());
    let name = known
        .or_else(|| udid.map(|udid| volumes.name(udid)))
        .unwrap_or_else(|| name.to_owned());
    let gb: Option<u64> = described.and_then(|volume| number(volume, &["VolumeCapacity"]));
    let gb = gb
        .map_or(usual_gb, |megabytes| megabytes.div_ceil(1024))
        .max(1);
    for (system, vios) in nodes {
        let Some(system) = found.get_mut(system) else {
            continue;
        };
        let Some(vios) = system.vioses.iter_mut().find(|own| own.uuid == Some(*vios)) else {
            continue;
        };
        if vios
            .disks
            .iter()
            .any(|disk| disk.san.as_ref() == Some(&name))
        {
            continue;
        }
        let free = (0..).map(|number: u32| format!("hdisk{number}"));
        let mut free = free
            .into_iter()
            .filter(|name| vios.disks.iter().all(|disk| disk.name != *name));
        let next = free.next().unwrap_or_default();
        vios.disks.push(DiskInventory {
            udid: udid.map(str::to_owned),
            san: Some(name.clone()),
            ..disk(&next, gb)
        });
    }
    name
}

/// Logical units of a pool: of the pool's document, of unit feeds, and of mappings; images first, each name once.
fn units(
    documents: &Documents,
    pool: Option<&Item>,
    servers: &[Uuid],
) -> Vec<LogicalUnitInventory> {
    let mut elements: Vec<&Element> = Vec::new();
    if let Some(pool) = pool {
        elements.extend(pool.members("LogicalUnits", "LogicalUnit"));
    }
    let of_feed: Vec<LogicalUnit> = documents
        .all("LogicalUnit")
        .filter_map(|item| LogicalUnit::of(|name| item.text(name)))
        .collect();
    for server in servers {
        let item = documents.get("VirtualIOServer", *server);
        let mappings = item
            .into_iter()
            .flat_map(|item| item.members("VirtualSCSIMappings", "VirtualSCSIMapping"));
        elements
            .extend(mappings.filter_map(|mapping| mapping.descend(&["Storage", "LogicalUnit"])));
    }
    let named = elements
        .into_iter()
        .filter_map(|element| LogicalUnit::of(|name| text(element, &[name])));
    let mut by_name: BTreeMap<String, LogicalUnit> = BTreeMap::new();
    for unit in of_feed.into_iter().chain(named) {
        by_name.entry(unit.name.clone()).or_insert(unit);
    }
    let images: BTreeMap<String, String> = by_name
        .values()
        .filter(|unit| unit.image)
        .filter_map(|unit| Some((unit.udid.clone()?, unit.name.clone())))
        .collect();
    let mut units: Vec<LogicalUnitInventory> = by_name
        .into_values()
        .map(|unit| LogicalUnitInventory {
            cloned_from: unit.cloned_from.and_then(|udid| images.get(&udid).cloned()),
            name: unit.name,
            mb: unit.mb,
            image: unit.image,
            thin: unit.thin,
        })
        .collect();
    units.sort_by_key(|unit| !unit.image);
    units
}

struct LogicalUnit {
    name: String,
    udid: Option<String>,
    mb: u64,
    image: bool,
    thin: Option<bool>,
    cloned_from: Option<String>,
}

impl LogicalUnit {
    fn of<'a>(text: impl Fn(&str) -> Option<&'a str>) -> Option<Self> {
        Some(Self {
            name: text("UnitName")?.to_owned(),
            udid: text("UniqueDeviceID").map(str::to_owned),
            mb: text("UnitCapacity")
                .and_then(megabytes)
                .unwrap_or(1024)
                .max(1),
            image: text("LogicalUnitType") == Some("VirtualIO_Image"),
            thin: text("ThinDevice").and_then(|thin| thin.parse().ok()),
            cloned_from: text("ClonedFrom").map(str::to_owned),
        })
    }
}

/// Without a document of any cluster: one for each system whose mappings show logical units.
fn of_mappings(
    documents: &Documents,
    found: &mut Systems,
    volumes: &mut Volumes,
    remarks: &mut Vec<String>,
) -> Vec<ClusterInventory> {
    let mut made = Vec::new();
    let systems: Vec<Uuid> = found.keys().copied().collect();
    for uuid in systems {
        let Some(system) = found.get(&uuid) else {
            continue;
        };
        let mapped = system
            .partitions
            .iter()
            .flat_map(|partition| &partition.mappings);
        let servers: BTreeSet<&str> = mapped
            .filter(|mapping| mapping.logical_unit.is_some())
            .map(|mapping| mapping.vios.as_str())
            .collect();
        let nodes: Vec<(Uuid, Uuid)> = system
            .vioses
            .iter()
            .filter(|vios| servers.contains(vios.name.as_str()))
            .filter_map(|vios| Some((uuid, vios.uuid?)))
            .collect();
        if nodes.is_empty() {
            continue;
        }
        let name = format!("cluster-{}", system.name);
        remarks.push(format!(
            "{name} is made up: mappings show logical units, and no document describes their pool"
        ));
        let units = units(
            documents,
            None,
            &nodes.iter().map(|(_, vios)| *vios).collect::<Vec<_>>(),
        );
        let gb = units
            .iter()
            .map(|unit| unit.mb)
            .sum::<u64>()
            .div_ceil(1024)
            .max(100)
            * 2;
        let pool = format!("pool-{}", system.name);
        let repository = volume(
            found,
            volumes,
            &nodes,
            None,
            &format!("{name}-repository"),
            10,
        );
        let in_pool = volume(found, volumes, &nodes, None, &format!("{pool}-1"), gb);
        made.push(ClusterInventory {
            name,
            pool,
            nodes: nodes
                .iter()
                .filter_map(|node| node_name(found, *node))
                .collect(),
            repository,
            volumes: vec![in_pool],
            overcommit_percent: defaults::overcommit_percent(),
            logical_units: units,
        });
    }
    made
}
