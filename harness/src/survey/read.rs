//! Reads a host through its REST API, feed by feed.

use powervm_driver::rest::{Groups, Session};
use powervm_driver::{ErrorKind, Result};
use powervm_schema::atom::Entry;
use powervm_schema::file::File;
use powervm_schema::network::{ClientNetworkAdapter, VirtualNetwork};
use powervm_schema::partition::{BasePartition, LogicalPartition};
use powervm_schema::storage::{LogicalUnit, LogicalUnitType, SharedStoragePool, Tier, VolumeGroup};
use powervm_schema::system::ManagedSystem;
use powervm_schema::vios::{VirtualIoServer, VirtualScsiMapping};
use powervm_schema::xml::Element;

use super::devices;
use super::{
    MappingFacts, NetworkAdapterFacts, PartitionFacts, PoolFacts, Survey, SystemFacts, UnitFacts,
    VolumeGroupFacts,
};

/// The slot of a server adapter that any client may use.
const ANY_SLOT: u32 = 65_535;

impl Survey {
    /// Reads everything.
    ///
    /// # Errors
    /// The first read that fails: half an inventory would call the other half lost.
    pub async fn read(session: &Session) -> Result<Self> {
        let mut survey = Self::default();
        for entry in session
            .get_feed("ManagedSystem", Groups::None)
            .await?
            .entries
        {
            let facts = system(&entry);
            let path = format!("ManagedSystem/{}/VirtualNetwork", entry.id);
            for network in session.get_feed(&path, Groups::None).await?.entries {
                let name = text(VirtualNetwork(&network.content).name());
                survey.virtual_networks.push((facts.name.clone(), name));
            }
            survey.systems.push(facts);
        }
        for entry in session
            .get_feed("LogicalPartition", Groups::None)
            .await?
            .entries
        {
            let view = LogicalPartition(&entry.content);
            let facts = partition(&entry, &view.partition(), false);
            let path = format!("LogicalPartition/{}/ClientNetworkAdapter", entry.id);
            for adapter in absent_as_empty(
                session
                    .get_feed(&path, Groups::None)
                    .await
                    .map(|feed| feed.entries),
            )? {
                survey
                    .network_adapters
                    .push(network_adapter(&facts.name, &adapter));
            }
            let nics = devices::of_partition(session, &entry.id, &facts.name).await?;
            survey.devices.extend(nics);
            survey.partitions.push(facts);
        }
        let groups = Groups::Named(&devices::GROUPS);
        for entry in session.get_feed("VirtualIOServer", groups).await?.entries {
            let view = VirtualIoServer(&entry.content);
            let facts = partition(&entry, &view.partition(), true);
            survey.mappings.extend(
                view.scsi_mappings()
                    .map(|found| mapping(&facts.name, &found)),
            );
            survey
                .devices
                .extend(devices::of_server(&facts.name, &view));
            let path = format!("VirtualIOServer/{}/VolumeGroup", entry.id);
            for group in session.get_feed(&path, Groups::None).await?.entries {
                survey.volume_groups.push(volume_group(&facts.name, &group));
            }
            survey.partitions.push(facts);
        }
        for entry in session
            .get_feed("SharedStoragePool", Groups::None)
            .await?
            .entries
        {
            survey.pools.push(pool(session, &entry).await?);
        }
        for entry in session.get_feed("web/File", Groups::Omitted).await?.entries {
            survey
                .files
                .push(File(&entry.content).name().unwrap_or_default().to_owned());
        }
        Ok(survey)
    }
}

/// A partition may go between two reads; that its adapters went with it is no failure of the audit.
fn absent_as_empty<T>(read: Result<Vec<T>>) -> Result<Vec<T>> {
    match read {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
        read => read,
    }
}

fn text(text: Option<&str>) -> String {
    text.unwrap_or_default().to_owned()
}

fn system(entry: &Entry) -> SystemFacts {
    let view = ManagedSystem(&entry.content);
    let memory = view.memory();
    let processors = view.processors();
    let units = processors.and_then(|processors| {
        processors
            .current_available_system_processor_units()
            .ok()
            .flatten()
    });
    SystemFacts {
        name: text(view.name()),
        memory_free_mb: memory
            .as_ref()
            .and_then(|memory| memory.current_available_system_memory().ok().flatten())
            .unwrap_or_default(),
        memory_region_mb: memory
            .and_then(|memory| memory.memory_region_size().ok().flatten())
            .unwrap_or_default(),
        units_free: units.map_or(0, |units| (units.as_f64() * 100.0).round() as u64),
    }
}

fn partition(entry: &Entry, view: &BasePartition<&Element>, is_vios: bool) -> PartitionFacts {
    PartitionFacts {
        uuid: entry.id.to_uppercase(),
        id: view.id().ok().flatten(),
        name: text(view.name()),
        is_vios,
    }
}

fn network_adapter(partition: &str, entry: &Entry) -> NetworkAdapterFacts {
    let view = ClientNetworkAdapter(&entry.content);
    NetworkAdapterFacts {
        partition: partition.to_owned(),
        mac: text(view.mac_address()),
        slot: view.slot().ok().flatten(),
    }
}

fn mapping(vios: &str, view: &VirtualScsiMapping<&Element>) -> MappingFacts {
    let server = view.server_adapter();
    let adapter = server.as_ref().map(|server| server.adapter());
    let storage = view.storage().and_then(|storage| storage.mapped());
    let remote_slot = adapter
        .as_ref()
        .and_then(|adapter| adapter.remote_slot().ok().flatten());
    MappingFacts {
        vios: vios.to_owned(),
        adapter: text(adapter.as_ref().and_then(|adapter| adapter.name())),
        has_client: view.client_adapter().is_some(),
        client_id: adapter
            .as_ref()
            .and_then(|adapter| adapter.remote_partition_id().ok().flatten()),
        for_anybody: remote_slot == Some(ANY_SLOT),
        storage: storage.as_ref().map(|storage| text(storage.name())),
        storage_udid: storage
            .as_ref()
            .and_then(|storage| storage.udid())
            .map(str::to_owned),
    }
}

fn volume_group(vios: &str, entry: &Entry) -> VolumeGroupFacts {
    let view = VolumeGroup(&entry.content);
    let repository = view.media_repositories().next().map(|repository| {
        let media = repository
            .optical_media()
            .map(|medium| (text(medium.name()), text(medium.udid())))
            .collect();
        (text(repository.name()), media)
    });
    VolumeGroupFacts {
        name: text(view.name()),
        vios: vios.to_owned(),
        free: view
            .free_space()
            .ok()
            .flatten()
            .map_or(0, |free| millionths(free.as_f64())),
        disks: view
            .virtual_disks()
            .map(|disk| (text(disk.name()), text(disk.udid())))
            .collect(),
        repository,
    }
}

async fn pool(session: &Session, entry: &Entry) -> Result<PoolFacts> {
    let view = SharedStoragePool(&entry.content);
    let mut facts = PoolFacts {
        name: text(view.name()),
        free: view
            .free_space()
            .ok()
            .flatten()
            .map_or(0, |free| millionths(free.as_f64())),
        units: Vec::new(),
    };
    let tiers = session
        .get_feed(
            &format!("SharedStoragePool/{}/Tier", entry.id),
            Groups::None,
        )
        .await?;
    for tier in tiers.entries {
        let name = text(Tier(&tier.content).name());
        let units = session
            .get_feed(&format!("Tier/{}/LogicalUnit", tier.id), Groups::None)
            .await?;
        facts
            .units
            .extend(units.entries.iter().map(|unit| logical_unit(&name, unit)));
    }
    Ok(facts)
}

fn logical_unit(tier: &str, entry: &Entry) -> UnitFacts {
    let view = LogicalUnit(&entry.content);
    UnitFacts {
        tier: tier.to_owned(),
        name: text(view.name()),
        udid: text(view.udid()),
        is_image: view.unit_type().ok().flatten() == Some(LogicalUnitType::Image),
        cloned_from: view.cloned_from().map(str::to_owned),
        in_use: view.in_use().ok().flatten().unwrap_or(false),
    }
}

/// Gigabytes as a whole number, so that amounts can be compared.
fn millionths(gigabytes: f64) -> u64 {
    (gigabytes * 1_000_000.0).round() as u64
}
