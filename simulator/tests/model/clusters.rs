//! Clusters: their jobs, their nodes and the disks of their pools.

use powervm_simulator::model::command::{NodeRequest, UpdateCluster, UpdatePool, VolumeName};
use powervm_simulator::model::job::JobTarget;
use powervm_simulator::model::names::JobStatus;
use powervm_simulator::model::storage::VolumeUsage;
use powervm_simulator::model::units::Gigabytes;
use powervm_simulator::model::{Command, Flavor, World};
use uuid::Uuid;

use super::support::{Room, lu, mapping};

impl Room {
    /// Disks that both servers see and nobody uses.
    fn shared_disks(&mut self) -> Vec<VolumeName> {
        for server in self.vioses() {
            self.submit(JobTarget::VirtualIoServer(server), "ConfigDevice", &[]);
        }
        let (first, second) = (self.vios(0), self.vios(1));
        let free = first.physical_volumes.iter().filter(|disk| {
            World::is_volume_available(first, disk)
                && second
                    .physical_volumes
                    .iter()
                    .any(|other| other.udid == disk.udid)
        });
        free.map(|disk| VolumeName {
            name: Some(disk.name.clone()),
            udid: Some(disk.udid.clone()),
        })
        .collect()
    }

    fn pool(&self) -> Uuid {
        *self.world.pools.keys().next().unwrap()
    }

    fn pool_disks(&self) -> Vec<VolumeName> {
        let pool = &self.world.pools[&self.pool()];
        let disks = pool.physical_volumes.iter();
        disks
            .map(|disk| VolumeName {
                name: None,
                udid: Some(disk.udid.clone()),
            })
            .collect()
    }

    fn volumes(&self, volumes: Vec<VolumeName>) -> Command {
        Command::UpdatePool(UpdatePool {
            pool: self.pool(),
            name: None,
            alert_threshold: None,
            units: None,
            volumes: Some(volumes),
        })
    }

    fn node(&self, number: usize) -> NodeRequest {
        NodeRequest {
            vios: Some(self.vioses()[number]),
            host: Some(format!("node{number}.example.com")),
            partition: None,
        }
    }

    fn nodes(&self, nodes: Vec<NodeRequest>) -> Command {
        Command::UpdateCluster(UpdateCluster {
            cluster: *self.world.clusters.keys().next().unwrap(),
            nodes: Some(nodes),
        })
    }

    /// A job of the only cluster, or of none, and its results.
    fn cluster_job(
        &mut self,
        cluster: Option<Uuid>,
        operation: &str,
        parameters: &[(&str, &str)],
    ) -> Result<String, String> {
        let job = self.submit(JobTarget::Cluster(cluster), operation, parameters);
        let job = self.job(job);
        let result = job.results.iter().find(|(name, _)| name == "result");
        let text = result.map(|(_, text)| text.clone());
        match job.status {
            JobStatus::CompletedOk => Ok(text.unwrap()),
            _ => Err(text.or(job.exception.clone()).unwrap()),
        }
    }
}

#[test]
fn a_pool_grows_with_its_disks_and_gives_back_what_it_does_not_need() {
    let mut room = Room::novalink();
    let added = room.shared_disks().swap_remove(0);
    let before = room.world.pools[&room.pool()].clone();
    let tier = room.world.tiers[&room.tier()].capacity;
    let all = [room.pool_disks(), vec![added.clone()]].concat();
    room.done(room.volumes(all.clone()));
    let after = &room.world.pools[&room.pool()];
    let disk = after.physical_volumes.last().unwrap();
    let size = Gigabytes::from_megabytes(disk.megabytes);
    assert_eq!(Some(&disk.udid), added.udid.as_ref());
    assert_eq!(after.capacity, before.capacity.plus(size));
    assert_eq!(room.world.tiers[&room.tier()].capacity, tier.plus(size));
    for server in [0, 1] {
        let mut seen = room.vios(server).physical_volumes.iter();
        let seen = seen.find(|own| Some(&own.udid) == added.udid.as_ref());
        assert_eq!(seen.unwrap().usage, VolumeUsage::Pool(before.uuid));
    }
    let version = after.version;
    room.done(room.volumes(all));
    assert_eq!(room.world.pools[&room.pool()].version, version);
    room.done(room.volumes(room.pool_disks()[..before.physical_volumes.len()].to_vec()));
    assert_eq!(room.world.pools[&room.pool()].capacity, before.capacity);
    let free = room.shared_disks();
    assert!(free.iter().any(|disk| disk.udid == added.udid));
    let refused = room.refused(room.volumes(Vec::new()));
    assert!(refused.contains("needs the space"), "{refused}");
    let twice = [
        room.pool_disks(),
        vec![VolumeName {
            name: Some("hdisk999".to_owned()),
            udid: None,
        }],
    ];
    let refused = room.refused(room.volumes(twice.concat()));
    assert!(refused.contains("no disk hdisk999"), "{refused}");
}

#[test]
fn nodes_leave_and_join() {
    let mut room = Room::new(Flavor::Hmc);
    let client = room.partition_named("one");
    let unit = room.unit("disk", 1, None);
    let udid = room.unit_udid(unit);
    room.map(0, vec![mapping(client, lu(&udid))]).unwrap();
    let refused = room.refused(room.nodes(vec![room.node(1)]));
    assert!(refused.contains("maps logical units"), "{refused}");
    room.done(room.nodes(vec![room.node(0)]));
    assert!(room.world.cluster_of(room.vioses()[1]).is_none());
    room.done(room.nodes(vec![room.node(0), room.node(1)]));
    assert!(room.world.cluster_of(room.vioses()[1]).is_some());
    let refused = room.refused(room.nodes(vec![room.node(0), room.node(0)]));
    assert!(refused.contains("named twice"), "{refused}");
    assert!(
        room.refused(room.nodes(Vec::new()))
            .contains("1 to 16 nodes")
    );
}

#[test]
fn a_cluster_is_deleted_and_made_again() {
    for flavor in [Flavor::Hmc, Flavor::NovaLink] {
        let mut room = Room::new(flavor);
        let cluster = *room.world.clusters.keys().next().unwrap();
        if flavor == Flavor::Hmc {
            let unit = room.unit("disk", 1, None);
            let refused = room.cluster_job(Some(cluster), "Delete", &[]).unwrap_err();
            assert!(refused.contains("holds logical units"), "{refused}");
            room.done(Command::DeleteLogicalUnit {
                tier: room.tier(),
                unit,
            });
            room.cluster_job(Some(cluster), "Delete", &[]).unwrap();
            assert!(room.world.clusters.is_empty() && room.world.tiers.is_empty());
        }
        let disks = room.shared_disks();
        let name = |at: usize| disks[at].name.clone().unwrap();
        let node = room.vioses()[0];
        let cluster_xml = |host: &str| {
            format!(
                "<Cluster><ClusterName>c1</ClusterName><RepositoryDisk><PhysicalVolume><VolumeName>{}</VolumeName></PhysicalVolume></RepositoryDisk><Node><Node><HostName>{host}</HostName><VirtualIOServer href=\"https://h/rest/api/uom/VirtualIOServer/{node}\"/></Node></Node></Cluster>",
                name(0)
            )
        };
        let pool_xml = format!(
            "<SharedStoragePool><PhysicalVolumes><PhysicalVolume><VolumeName>{}</VolumeName></PhysicalVolume></PhysicalVolumes><StoragePoolName>p1</StoragePoolName></SharedStoragePool>",
            name(1)
        );
        let cluster = cluster_xml("vios1.example.com");
        let made = room.cluster_job(
            None,
            "Create",
            &[("clusterXml", &cluster), ("sspXml", &pool_xml)],
        );
        if flavor == Flavor::NovaLink {
            assert!(made.unwrap_err().contains("is a node of cluster"));
            continue;
        }
        assert_eq!(made.unwrap(), "");
        let made = room.world.clusters.values().next().unwrap();
        let pool = &room.world.pools[&made.pool];
        assert_eq!((made.name.as_str(), pool.name.as_str()), ("c1", "p1"));
        assert_eq!((made.nodes.len(), pool.physical_volumes.len()), (1, 1));
        assert_eq!(room.world.tiers[&pool.tiers[0]].capacity, pool.capacity);
        let torn = room.cluster_job(None, "Create", &[("clusterXml", "<Cluster/>")]);
        assert!(torn.unwrap_err().contains("sspXml is missing"));
    }
}

#[test]
fn units_are_made_grown_and_deleted_by_jobs() {
    let mut room = Room::new(Flavor::Hmc);
    let cluster = room.world.clusters.keys().next().copied();
    let udid = room
        .cluster_job(
            cluster,
            "CreateLogicalUnit",
            &[
                ("LUName", "by_job"),
                ("LUSize", "2"),
                ("LUType", "THICK"),
                ("DeviceType", "VirtualIO_Disk"),
                ("TierUDID", ""),
            ],
        )
        .unwrap();
    let found = |room: &Room| {
        let tier = &room.world.tiers[&room.tier()];
        tier.unit(&udid).map(|unit| (unit.capacity, unit.thin))
    };
    assert_eq!(found(&room), Some((Gigabytes::whole(2), false)));
    for (operation, parameters, error) in [
        ("GrowLogicalUnit", vec![("Capacity", "1")], "cannot shrink"),
        ("GrowLogicalUnit", vec![("Capacity", "much")], "no number"),
        ("GrowLogicalUnit", vec![], "Capacity is missing"),
        (
            "CreateLogicalUnit",
            vec![("LUName", "x")],
            "LUSize is missing",
        ),
        (
            "CreateLogicalUnit",
            vec![("LUName", "by_job"), ("LUSize", "1")],
            "exists already",
        ),
        (
            "CreateLogicalUnit",
            vec![("LUName", "y"), ("LUSize", "1"), ("LUType", "FAT")],
            "LUType",
        ),
    ] {
        let mut all = vec![("LogicalUnitUDID", udid.as_str())];
        all.extend(parameters);
        let why = room.cluster_job(cluster, operation, &all).unwrap_err();
        assert!(why.contains(error), "{operation}: {why}");
    }
    let named = ("LogicalUnitUDID", udid.as_str());
    room.cluster_job(cluster, "GrowLogicalUnit", &[named, ("Capacity", "3.5")])
        .unwrap();
    assert_eq!(found(&room).unwrap().0, Gigabytes::parse("3.5").unwrap());
    room.cluster_job(cluster, "DeleteLogicalUnit", &[named])
        .unwrap();
    assert_eq!(found(&room), None);
}
