//! What documents of clusters and pools name: in the body of a POST, and in the parameters of the job that makes one.

use powervm_schema::xml::{Element, Limits};

use crate::model::command::{CreateCluster, NodeRequest, VolumeName};
use crate::model::resource::last_uuid;

impl VolumeName {
    /// A `PhysicalVolume`.
    pub(crate) fn read(volume: &Element) -> Self {
        Self {
            name: text(volume, "VolumeName"),
            udid: text(volume, "UniqueDeviceID"),
        }
    }

    /// The members of `PhysicalVolumes`; none if the document has no such element.
    pub(crate) fn list(root: &Element) -> Option<Vec<Self>> {
        let list = root.child("PhysicalVolumes")?;
        Some(
            list.children_named("PhysicalVolume")
                .map(Self::read)
                .collect(),
        )
    }
}

impl NodeRequest {
    /// The members of `Node`, which is the name of the list as well; none if the document has no such element.
    pub(crate) fn list(root: &Element) -> Option<Vec<Self>> {
        let list = root.child("Node")?;
        Some(list.children_named("Node").map(Self::read).collect())
    }

    fn read(node: &Element) -> Self {
        let link = node.child("VirtualIOServer");
        let href = link.and_then(|link| link.attribute("href"));
        let id = text(node, "PartitionID").and_then(|id| id.parse().ok());
        Self {
            vios: href.and_then(last_uuid),
            host: text(node, "HostName"),
            partition: machine(node).zip(id),
        }
    }
}

impl CreateCluster {
    /// The two documents that pypowervm sends (`clusterXml`, `sspXml`).
    ///
    /// # Errors
    /// What is missing, for the job's exception.
    pub(crate) fn read(cluster: &str, pool: &str) -> Result<Self, String> {
        let (cluster, pool) = (
            parse(cluster, "Cluster")?,
            parse(pool, "SharedStoragePool")?,
        );
        let needed = |root: &Element, name: &str| {
            text(root, name).ok_or_else(|| format!("{name} is missing."))
        };
        let repository = cluster.descend(&["RepositoryDisk", "PhysicalVolume"]);
        let repository = repository.ok_or("RepositoryDisk is missing.")?;
        Ok(Self {
            name: needed(&cluster, "ClusterName")?,
            repository: VolumeName::read(repository),
            nodes: NodeRequest::list(&cluster).unwrap_or_default(),
            pool: needed(&pool, "StoragePoolName")?,
            volumes: VolumeName::list(&pool).unwrap_or_default(),
        })
    }
}

fn parse(text: &str, name: &str) -> Result<Element, String> {
    let root = Element::parse_with(text.trim().as_bytes(), &Limits::REQUEST);
    root.ok()
        .filter(|root| root.local_name() == name)
        .ok_or_else(|| format!("There is no {name} document."))
}

/// `8247-22L*1234567`
fn machine(node: &Element) -> Option<String> {
    let machine = node.child("MachineTypeModelAndSerialNumber")?;
    let part = |name| text(machine, name);
    Some(format!(
        "{}-{}*{}",
        part("MachineType")?,
        part("Model")?,
        part("SerialNumber")?
    ))
}

fn text(parent: &Element, name: &str) -> Option<String> {
    let text = parent.child_value(name)?.trim();
    (!text.is_empty()).then(|| text.to_owned())
}
