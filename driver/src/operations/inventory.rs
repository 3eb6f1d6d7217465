//! Everything on the host that an operation could leave behind, in one sorted listing.

use powervm_schema::atom::Entry;
use powervm_schema::file::File;
use powervm_schema::network::ClientNetworkAdapter;
use powervm_schema::partition::LogicalPartition;
use powervm_schema::storage::{LogicalUnit, SharedStoragePool, Tier, VolumeGroup};
use powervm_schema::vios::{VirtualFibreChannelMapping, VirtualIoServer, VirtualScsiMapping};
use powervm_schema::xml::Element;
use serde::Serialize;

use super::driver::Driver;
use crate::error::Result;
use crate::host::Vios;
use crate::rest::Groups;
use crate::storage::mapping::{self, Kind};
use crate::storage::names::base_name;

/// Kinds of things in an inventory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ItemKind {
    /// A partition.
    Partition,
    /// A virtual Ethernet adapter of a partition.
    Adapter,
    /// A SCSI or Fibre Channel mapping of a Virtual I/O Server.
    Mapping,
    /// A logical unit of a shared storage pool.
    LogicalUnit,
    /// A virtual disk of a volume group.
    VirtualDisk,
    /// A media repository of a volume group.
    MediaRepository,
    /// An optical medium.
    Medium,
    /// The record of an upload.
    File,
}

/// One thing on the host.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Item {
    /// What it is.
    pub kind: ItemKind,
    /// Its name, with what tells it from others of the name.
    pub name: String,
    /// What it belongs to: a partition, a Virtual I/O Server with its volume group, a pool with its
    /// tier; empty for the host itself.
    pub place: String,
}

/// Everything on the host. Equal inventories mean that nothing was left behind.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Inventory {
    /// Sorted by kind, name and place.
    pub items: Vec<Item>,
}

impl Inventory {
    /// Adds a thing.
    fn add(&mut self, kind: ItemKind, name: impl Into<String>, place: impl Into<String>) {
        self.items.push(Item {
            kind,
            name: name.into(),
            place: place.into(),
        });
    }

    /// What is in this inventory and not in `other`, as often as it is missing there.
    #[must_use]
    pub fn beyond(&self, other: &Self) -> Vec<Item> {
        let mut rest = other.items.clone();
        let mut beyond = self.items.clone();
        beyond.retain(|item| match rest.iter().position(|found| found == item) {
            Some(at) => {
                rest.swap_remove(at);
                false
            }
            None => true,
        });
        beyond
    }
}

impl Driver {
    /// Everything on the host, read now: partitions, adapters, mappings, logical units, virtual
    /// disks, media and upload records.
    ///
    /// # Errors
    /// Those of the requests. A listing that could not be read whole is none.
    pub async fn inventory(&self) -> Result<Inventory> {
        let mut inventory = Inventory::default();
        self.add_partitions(&mut inventory).await?;
        self.add_mappings(&mut inventory).await?;
        self.add_local_storage(&mut inventory).await?;
        self.add_pools(&mut inventory).await?;
        for entry in self
            .session()
            .get_feed("web/File", Groups::Omitted)
            .await?
            .entries
        {
            inventory.add(
                ItemKind::File,
                File(&entry.content).name().unwrap_or_default(),
                "",
            );
        }
        inventory.items.sort();
        Ok(inventory)
    }

    async fn feed(&self, path: &str) -> Result<Vec<Entry>> {
        Ok(self.session().get_feed(path, Groups::None).await?.entries)
    }

    async fn add_partitions(&self, inventory: &mut Inventory) -> Result<()> {
        for entry in self
            .feed(&format!(
                "ManagedSystem/{}/LogicalPartition",
                self.shared.system.uuid
            ))
            .await?
        {
            let document = LogicalPartition(&entry.content);
            let name = document.partition().name().unwrap_or_default();
            inventory.add(ItemKind::Partition, format!("{name} ({})", entry.id), "");
            for adapter in self
                .feed(&format!(
                    "LogicalPartition/{}/ClientNetworkAdapter",
                    entry.id
                ))
                .await?
            {
                let adapter = ClientNetworkAdapter(&adapter.content);
                let number = |number: Option<u64>| {
                    number.map_or_else(|| "?".to_owned(), |number| number.to_string())
                };
                let vlan = number(adapter.port_vlan().ok().flatten().map(u64::from));
                let slot = number(adapter.slot().ok().flatten().map(u64::from));
                let mac = adapter.mac_address().unwrap_or_default();
                inventory.add(
                    ItemKind::Adapter,
                    format!("{mac} on VLAN {vlan} in slot {slot}"),
                    name,
                );
            }
        }
        Ok(())
    }

    async fn add_mappings(&self, inventory: &mut Inventory) -> Result<()> {
        let path = format!("ManagedSystem/{}/VirtualIOServer", self.shared.system.uuid);
        let groups = Groups::Named(&["ViosFCMapping", "ViosSCSIMapping"]);
        for entry in self.session().get_feed(&path, groups).await?.entries {
            let vios = VirtualIoServer(&entry.content);
            let place = vios.partition().name().unwrap_or_default();
            for mapping in vios.scsi_mappings() {
                inventory.add(ItemKind::Mapping, scsi_name(mapping), place);
            }
            for mapping in vios.fibre_channel_mappings() {
                inventory.add(ItemKind::Mapping, fibre_channel_name(&mapping), place);
            }
        }
        Ok(())
    }

    async fn add_local_storage(&self, inventory: &mut Inventory) -> Result<()> {
        for vios in Vios::all(self.session(), &self.shared.system.uuid).await? {
            for entry in self.feed(&format!("{}/VolumeGroup", vios.path())).await? {
                let group = VolumeGroup(&entry.content);
                let place = format!("{}/{}", vios.name, group.name().unwrap_or_default());
                for disk in group.virtual_disks() {
                    inventory.add(
                        ItemKind::VirtualDisk,
                        base_name(disk.name().unwrap_or_default()),
                        &place,
                    );
                }
                for repository in group.media_repositories() {
                    inventory.add(
                        ItemKind::MediaRepository,
                        repository.name().unwrap_or_default(),
                        &place,
                    );
                    for media in repository.optical_media() {
                        inventory.add(ItemKind::Medium, media.name().unwrap_or_default(), &place);
                    }
                }
            }
        }
        Ok(())
    }

    async fn add_pools(&self, inventory: &mut Inventory) -> Result<()> {
        for pool in self.feed("SharedStoragePool").await? {
            let pool_name = SharedStoragePool(&pool.content)
                .name()
                .unwrap_or_default()
                .to_owned();
            for tier in self
                .feed(&format!("SharedStoragePool/{}/Tier", pool.id))
                .await?
            {
                let place = format!(
                    "{pool_name}/{}",
                    Tier(&tier.content).name().unwrap_or_default()
                );
                for unit in self.feed(&format!("Tier/{}/LogicalUnit", tier.id)).await? {
                    let name = LogicalUnit(&unit.content)
                        .name()
                        .unwrap_or_default()
                        .to_owned();
                    inventory.add(ItemKind::LogicalUnit, name, &place);
                }
            }
        }
        Ok(())
    }
}

fn scsi_name(mapping: VirtualScsiMapping<&Element>) -> String {
    let client = client_name(mapping.partition_href());
    let adapter = mapping
        .server_adapter()
        .and_then(|server| server.adapter().name())
        .unwrap_or("an adapter");
    match mapping::mapped(mapping) {
        None => format!("{adapter} without storage for {client}"),
        Some(mapped) => {
            let kind = match mapped.kind {
                Kind::LogicalUnit => "logical unit",
                Kind::VirtualDisk => "virtual disk",
                Kind::PhysicalVolume => "physical volume",
                Kind::OpticalMedia => "medium",
            };
            format!("{kind} {} on {adapter} for {client}", mapped.name)
        }
    }
}

fn fibre_channel_name(mapping: &VirtualFibreChannelMapping<&Element>) -> String {
    let port = mapping
        .port()
        .and_then(|port| port.0.child_value("PortName"))
        .unwrap_or("no port");
    let names = mapping
        .client_adapter()
        .and_then(|client| client.wwpns())
        .unwrap_or("no WWPNs");
    format!(
        "{port} for {} ({names})",
        client_name(mapping.partition_href())
    )
}

fn client_name(href: Option<&str>) -> &str {
    let path = href
        .and_then(|href| href.split('?').next())
        .unwrap_or_default();
    match path.trim_end_matches('/').rsplit('/').next() {
        Some(uuid) if !uuid.is_empty() => uuid,
        _ => "no partition",
    }
}
