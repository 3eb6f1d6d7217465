//! Clusters are made, take servers in and go; their pools take disks in and give them back
//! (`docs/protocol/storage.md`).

use std::sync::Arc;
use uuid::Uuid;

use super::logical_unit::{check_name, failed};
use super::{Cluster, Node, SharedStoragePool, Tier, Units};
use crate::clock::Millis;
use crate::model::command::{CreateCluster, NodeRequest, Outcome, UpdateCluster, VolumeName};
use crate::model::ids::Ids;
use crate::model::names::EventKind;
use crate::model::refusal::Refusal;
use crate::model::resource::{Owner, Resource};
use crate::model::storage::{PhysicalVolume, VolumeUsage};
use crate::model::units::Gigabytes;
use crate::model::vios::{Backing, VirtualIoServer};
use crate::model::world::World;

/// The most servers of a cluster (levels of the server since 2.2.2 have 16).
pub const NODES: usize = 16;

/// The identities of a cluster that is being made.
pub(crate) struct Founding {
    /// The UUID of the cluster.
    pub(crate) cluster: Uuid,
    /// The UUID of its pool.
    pub(crate) pool: Uuid,
    tier: Uuid,
    /// What all unique device IDs of the pool have in common.
    serial: String,
}

/// What a cluster is made of, its disks already taken.
pub(crate) struct Parts {
    /// `ClusterName`
    pub(crate) name: String,
    /// `StoragePoolName`
    pub(crate) pool: String,
    /// Its servers.
    pub(crate) nodes: Vec<Node>,
    /// `RepositoryDisk`
    pub(crate) repository: PhysicalVolume,
    /// The disks of the pool.
    pub(crate) volumes: Vec<PhysicalVolume>,
    /// How much may be promised, in percent.
    pub(crate) overcommit_percent: u32,
}

impl Founding {
    pub(crate) fn draw(ids: &mut Ids) -> Self {
        Self {
            cluster: ids.named_uuid(),
            pool: ids.named_uuid(),
            tier: ids.named_uuid(),
            serial: format!("{}d311e58004000040f2e95d", ids.hex(10)),
        }
    }

    /// A cluster, its pool and the pool's one tier, which has all of its space (recordings `cluster`, `ssp`, `tier`).
    pub(crate) fn build(
        self,
        ids: &mut Ids,
        parts: Parts,
        version: u64,
    ) -> (Cluster, SharedStoragePool, Tier) {
        let capacity = parts.volumes.iter().map(size).sum();
        let udid = |prefix: &str, rest: String| format!("{prefix}{}{rest}", self.serial);
        let tier = Tier {
            uuid: self.tier,
            pool: self.pool,
            name: "SYSTEM".to_owned(),
            udid: udid("25", ids.hex(32)),
            is_default: true,
            capacity,
            failure_group: "Default".to_owned(),
            failure_group_udid: udid("26", ids.hex(32)),
            units: Units::default(),
            version,
        };
        let pool = SharedStoragePool {
            uuid: self.pool,
            cluster: self.cluster,
            name: parts.pool,
            udid: udid("24", ids.hex(32)),
            capacity,
            alert_threshold: 35,
            overcommit_percent: parts.overcommit_percent,
            physical_volumes: parts.volumes,
            tiers: vec![self.tier],
            version,
        };
        let cluster = Cluster {
            uuid: self.cluster,
            name: parts.name,
            id: udid("22", String::new()),
            repository: parts.repository,
            nodes: parts.nodes,
            pool: self.pool,
            version,
        };
        (cluster, pool, tier)
    }
}

impl World {
    /// Job `Create` of `Cluster`. The caller takes the world back if it is refused.
    pub(in crate::model) fn create_cluster(
        &mut self,
        now: Millis,
        request: CreateCluster,
    ) -> Result<Uuid, Refusal> {
        check_name(&request.name)?;
        check_name(&request.pool)?;
        let mut clusters = self.clusters.values();
        if clusters.any(|cluster| cluster.name == request.name) {
            return Err(failed(&format!(
                "a cluster named {} exists already.",
                request.name
            )));
        }
        let mut nodes = Vec::new();
        for wish in &request.nodes {
            nodes.push(self.new_node(wish)?);
        }
        check_nodes(&nodes)?;
        if request.volumes.is_empty() {
            return Err(failed("a shared storage pool needs at least one disk."));
        }
        let founding = Founding::draw(&mut self.ids);
        let usage = VolumeUsage::Repository(founding.cluster);
        let repository = self.take_volume(now, &nodes, &request.repository, usage)?;
        let mut volumes = Vec::new();
        for name in &request.volumes {
            volumes.push(self.take_volume(now, &nodes, name, VolumeUsage::Pool(founding.pool))?);
        }
        let version = self.touch();
        let parts = Parts {
            name: request.name,
            pool: request.pool,
            nodes,
            repository,
            volumes,
            overcommit_percent: 100,
        };
        let (cluster, pool, tier) = founding.build(&mut self.ids, parts, version);
        let uuid = cluster.uuid;
        let made = [
            Resource::Cluster(uuid),
            Resource::SharedStoragePool(pool.uuid),
            Resource::Tier(tier.uuid),
        ];
        self.tiers.insert(tier.uuid, Arc::new(tier));
        self.pools.insert(pool.uuid, Arc::new(pool));
        self.clusters.insert(uuid, Arc::new(cluster));
        for resource in made {
            self.announce(now, EventKind::AddUri, resource, "");
        }
        Ok(uuid)
    }

    /// Job `Delete` of a `Cluster`: refused while its pool holds logical units; its disks are free again.
    pub(in crate::model) fn delete_cluster(
        &mut self,
        now: Millis,
        uuid: Uuid,
    ) -> Result<(), Refusal> {
        let cluster = self.clusters.get(&uuid).map(Arc::clone);
        let cluster = cluster.ok_or_else(|| Refusal::not_found("Cluster", uuid))?;
        let pool = self.pools.get(&cluster.pool).map(Arc::clone);
        let pool = pool.ok_or_else(|| Refusal::not_found("SharedStoragePool", cluster.pool))?;
        self.check_pool_is_up(pool.uuid)?;
        if self.tiers_of(pool.uuid).any(|tier| !tier.units.is_empty()) {
            return Err(failed(&format!(
                "the shared storage pool {} holds logical units. Delete them first.",
                pool.name
            )));
        }
        for volume in std::iter::once(&cluster.repository).chain(&pool.physical_volumes) {
            self.mark_volume(now, &volume.udid, VolumeUsage::Unused);
        }
        for tier in &pool.tiers {
            self.announce(now, EventKind::DeleteUri, Resource::Tier(*tier), "");
            self.tiers.remove(tier);
        }
        let gone = Resource::SharedStoragePool(pool.uuid);
        self.announce(now, EventKind::DeleteUri, gone, "");
        self.pools.remove(&pool.uuid);
        self.announce(now, EventKind::DeleteUri, Resource::Cluster(uuid), "");
        self.clusters.remove(&uuid);
        Ok(())
    }

    /// The list of nodes is replaced as a whole: servers join that see all disks of the pool, and those leave that map
    /// none of its logical units.
    pub(in crate::model) fn update_cluster(
        &mut self,
        now: Millis,
        request: UpdateCluster,
    ) -> Result<Outcome, Refusal> {
        let cluster = self.clusters.get(&request.cluster).map(Arc::clone);
        let cluster = cluster.ok_or_else(|| Refusal::not_found("Cluster", request.cluster))?;
        let resource = Resource::Cluster(cluster.uuid);
        let Some(wishes) = request.nodes else {
            return Ok(Outcome::Written(resource));
        };
        let mut nodes = Vec::new();
        for wish in &wishes {
            let present = cluster.nodes.iter().find(|node| self.is_node(node, wish));
            nodes.push(match present {
                Some(node) => node.clone(),
                None => {
                    let node = self.new_node(wish)?;
                    self.check_sees_pool(&cluster, &node)?;
                    node
                }
            });
        }
        if nodes == cluster.nodes {
            return Ok(Outcome::Written(resource));
        }
        check_nodes(&nodes)?;
        self.check_pool_is_up(cluster.pool)?;
        let tiers: Vec<Uuid> = self.tiers_of(cluster.pool).map(|tier| tier.uuid).collect();
        let stays = |node: &Node| nodes.iter().any(|kept| kept.vios == node.vios);
        for node in cluster.nodes.iter().filter(|node| !stays(node)) {
            let maps = self.vioses.get(&node.vios).is_some_and(|vios| {
                vios.devices().any(|(_, device)| {
                    matches!(device.backing, Backing::LogicalUnit { tier, .. } if tiers.contains(&tier))
                })
            });
            if maps {
                return Err(failed(&format!(
                    "node {} maps logical units of the pool. Remove its mappings first.",
                    node.host
                )));
            }
        }
        let version = self.touch();
        if let Some(cluster) = self.clusters.get_mut(&request.cluster).map(Arc::make_mut) {
            cluster.nodes = nodes;
            cluster.version = version;
        }
        self.announce(now, EventKind::ModifyUri, resource, "Other");
        Ok(Outcome::Written(resource))
    }

    /// `PhysicalVolumes` of a pool: new ones make its default tier larger, those left out go if their space is not needed.
    pub(super) fn change_pool_volumes(
        &mut self,
        now: Millis,
        uuid: Uuid,
        wishes: &[VolumeName],
    ) -> Result<(), Refusal> {
        let pool = self.pools.get(&uuid).map(Arc::clone);
        let pool = pool.ok_or_else(|| Refusal::not_found("SharedStoragePool", uuid))?;
        let (mut kept, mut new) = (Vec::new(), Vec::new());
        for wish in wishes {
            match pool.physical_volumes.iter().find(|own| wish.names(own)) {
                Some(own) => kept.push(own.udid.as_str()),
                None => new.push(wish),
            }
        }
        let leaves = |own: &&PhysicalVolume| !kept.contains(&own.udid.as_str());
        let gone: Vec<&PhysicalVolume> = pool.physical_volumes.iter().filter(leaves).collect();
        if new.is_empty() && gone.is_empty() {
            return Ok(());
        }
        self.check_pool_is_up(uuid)?;
        let cluster = self.clusters.get(&pool.cluster).map(Arc::clone);
        let nodes = cluster.map_or_else(Vec::new, |cluster| cluster.nodes.clone());
        let mut volumes: Vec<PhysicalVolume> = pool
            .physical_volumes
            .iter()
            .filter(|own| !leaves(own))
            .cloned()
            .collect();
        let mut grown = Gigabytes::ZERO;
        for name in new {
            let volume = self.take_volume(now, &nodes, name, VolumeUsage::Pool(uuid))?;
            grown = grown.plus(size(&volume));
            volumes.push(volume);
        }
        let shrunk: Gigabytes = gone.iter().map(|volume| size(volume)).sum();
        let usual = self.tiers_of(uuid).find(|tier| tier.is_default);
        let usual = usual.map(Arc::clone);
        let usual = usual.ok_or_else(|| failed("the pool has no default tier."))?;
        let (whole, own) = (pool.capacity.plus(grown), usual.capacity.plus(grown));
        let left = whole.minus(shrunk);
        let limit = u128::from(left.millionths()) * u128::from(pool.overcommit_percent) / 100;
        let allocated = pool.capacity.minus(self.free_in_pool(uuid));
        let promised = u128::from(self.promised_by_pool(uuid).millionths());
        if volumes.is_empty() || shrunk > own || allocated > left || promised > limit {
            return Err(failed(&format!(
                "the shared storage pool {} needs the space of the disks that are to leave it.",
                pool.name
            )));
        }
        for volume in gone {
            self.mark_volume(now, &volume.udid, VolumeUsage::Unused);
        }
        let version = self.touch();
        if let Some(pool) = self.pools.get_mut(&uuid).map(Arc::make_mut) {
            pool.physical_volumes = volumes;
            pool.capacity = left;
        }
        for tier in &pool.tiers {
            if let Some(tier) = self.tiers.get_mut(tier).map(Arc::make_mut) {
                tier.version = version;
            }
        }
        if let Some(tier) = self.tiers.get_mut(&usual.uuid).map(Arc::make_mut) {
            tier.capacity = own.minus(shrunk);
        }
        self.announce(
            now,
            EventKind::ModifyUri,
            Resource::Tier(usual.uuid),
            "Tier",
        );
        self.touch_pool(now, uuid);
        Ok(())
    }

    /// A server that can join a cluster.
    fn new_node(&self, wish: &NodeRequest) -> Result<Node, Refusal> {
        let found = self.vioses.values().find(|vios| self.is_server(vios, wish));
        let vios = found.ok_or_else(|| {
            failed(&format!(
                "there is no Virtual I/O Server for the node {}.",
                wish.host.as_deref().unwrap_or_default()
            ))
        })?;
        self.check_vios_is_ready(vios)?;
        let partition = &vios.partition;
        if let Some(cluster) = self.cluster_of(partition.uuid) {
            return Err(failed(&format!(
                "{} is a node of cluster {}.",
                partition.name, cluster.name
            )));
        }
        let host = wish.host.clone();
        Ok(Node {
            vios: partition.uuid,
            host: host.unwrap_or_else(|| format!("{}.example.com", partition.name)),
            address: partition.rmc_address.clone().unwrap_or_default(),
        })
    }

    fn is_server(&self, vios: &VirtualIoServer, wish: &NodeRequest) -> bool {
        let of_machine = |machine: &str, id: u16| {
            let system = self.systems.get(&vios.partition.system);
            vios.partition.id == id
                && system.is_some_and(|system| system.machine.to_string() == machine)
        };
        match (wish.vios, &wish.partition) {
            (Some(uuid), _) => vios.partition.uuid == uuid,
            (None, Some((machine, id))) => of_machine(machine, *id),
            (None, None) => false,
        }
    }

    /// Whether a posted node is this one. A node of another NovaLink's system has no link; its host name tells.
    fn is_node(&self, node: &Node, wish: &NodeRequest) -> bool {
        match wish.vios {
            Some(uuid) => node.vios == uuid,
            None => {
                wish.host.as_deref() == Some(node.host.as_str())
                    || self
                        .vioses
                        .get(&node.vios)
                        .is_some_and(|vios| self.is_server(vios, wish))
            }
        }
    }

    fn check_sees_pool(&self, cluster: &Cluster, node: &Node) -> Result<(), Refusal> {
        let pool = self.pools.get(&cluster.pool);
        let volumes = pool.into_iter().flat_map(|pool| &pool.physical_volumes);
        for volume in std::iter::once(&cluster.repository).chain(volumes) {
            self.volume_seen_by(node, &volume.udid)?;
        }
        Ok(())
    }

    fn volume_seen_by(&self, node: &Node, udid: &str) -> Result<(), Refusal> {
        let server = self.vioses.get(&node.vios);
        let mut disks = server.into_iter().flat_map(|vios| &vios.physical_volumes);
        if disks.any(|disk| disk.udid == udid) {
            return Ok(());
        }
        Err(failed(&format!(
            "node {} does not see the disk {udid}.",
            node.host
        )))
    }

    /// A disk that the first node names, that every node sees and that nobody uses.
    fn take_volume(
        &mut self,
        now: Millis,
        nodes: &[Node],
        name: &VolumeName,
        usage: VolumeUsage,
    ) -> Result<PhysicalVolume, Refusal> {
        let servers = nodes.iter().filter_map(|node| self.vioses.get(&node.vios));
        let mut disks = servers.flat_map(|vios| &vios.physical_volumes);
        let found = disks.find(|disk| name.names(disk)).map(Arc::clone);
        let found = found.ok_or_else(|| failed(&format!("there is no disk {name}.")))?;
        for node in nodes {
            self.volume_seen_by(node, &found.udid)?;
        }
        let taken = self.vioses.values().any(|vios| {
            let own = vios.physical_volumes.iter();
            own.filter(|disk| disk.udid == found.udid)
                .any(|disk| !Self::is_volume_available(vios, disk))
        });
        if taken {
            return Err(failed(&format!("the disk {} is in use.", found.name)));
        }
        self.mark_volume(now, &found.udid, usage);
        Ok(PhysicalVolume {
            usage,
            ..(*found).clone()
        })
    }

    /// Whoever sees the disk sees who has it.
    fn mark_volume(&mut self, now: Millis, udid: &str, usage: VolumeUsage) {
        let sees = |vios: &&Arc<VirtualIoServer>| {
            vios.physical_volumes.iter().any(|disk| disk.udid == udid)
        };
        let servers: Vec<Uuid> = self
            .vioses
            .values()
            .filter(sees)
            .map(|vios| vios.partition.uuid)
            .collect();
        for server in servers {
            self.edit_vios(server, |vios, version| {
                for disk in vios
                    .physical_volumes
                    .iter_mut()
                    .filter(|disk| disk.udid == udid)
                {
                    Arc::make_mut(disk).usage = usage;
                }
                vios.storage_version = version;
            });
            self.announce_partition(now, Owner::Vios(server), "Other");
        }
    }
}

impl VolumeName {
    /// Whether it names this disk: by its unique device ID, or by its name where there is none.
    fn names(&self, disk: &PhysicalVolume) -> bool {
        match &self.udid {
            Some(udid) => disk.udid == *udid,
            None => self.name.as_deref() == Some(disk.name.as_str()),
        }
    }
}

impl std::fmt::Display for VolumeName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let shown = self.name.as_deref().or(self.udid.as_deref());
        f.write_str(shown.unwrap_or("without a name"))
    }
}

fn check_nodes(nodes: &[Node]) -> Result<(), Refusal> {
    if nodes.is_empty() || nodes.len() > NODES {
        return Err(failed(&format!("a cluster has 1 to {NODES} nodes.")));
    }
    let twice = nodes.iter().enumerate().find(|(at, node)| {
        let mut before = nodes.iter().take(*at);
        before.any(|other| other.vios == node.vios)
    });
    match twice {
        Some((_, node)) => Err(failed(&format!("node {} is named twice.", node.host))),
        None => Ok(()),
    }
}

fn size(volume: &PhysicalVolume) -> Gigabytes {
    Gigabytes::from_megabytes(volume.megabytes)
}
