//! `SharedProcessorPool`, `SharedMemoryPool`, `LogicalPartitionProfile` and the preferences of performance monitoring.

use powervm_schema::xml::{Element, Namespace};
use uuid::Uuid;

use super::body::{self, flag, href, incomplete, integer, invalid, text, value};
use super::link::last_uuid;
use super::partition;
use crate::http::monitored::Monitored;
use crate::model::command::{
    MemoryPoolRequest, ProfileRequest, UpdateMonitoring, UpdateProcessorPool,
};
use crate::model::units::ProcUnits;
use crate::model::{Owner, Refusal};

/// A change of a shared processor pool.
pub(crate) fn update_processor_pool(
    root: &Element,
    system: Uuid,
    pool: Uuid,
) -> Result<UpdateProcessorPool, Refusal> {
    let units = |name| value(root, name, "float", ProcUnits::parse);
    Ok(UpdateProcessorPool {
        system,
        pool,
        name: text(root, "PoolName").map(str::to_owned),
        maximum: units("MaximumProcessingUnits")?,
        reserved: units("PendingReservedProcessingUnits")?,
    })
}

/// A shared memory pool, new or changed.
pub(crate) fn memory_pool(root: &Element, system: Uuid) -> Result<MemoryPoolRequest, Refusal> {
    let size = match integer(root, "PendingPoolMemory")? {
        Some(size) => Some(size),
        None => integer(root, "PoolSize")?,
    };
    let mut servers = Vec::new();
    for name in ["PagingServicePartitionOne", "PagingServicePartitionTwo"] {
        if let Some(link) = href(root, name) {
            let uuid =
                last_uuid(link).ok_or_else(|| invalid(format!("{name} names no resource.")))?;
            servers.push(uuid);
        }
    }
    let devices = root.child("PagingDevices").map(|list| {
        let devices = list.children_named("ReservedStorageDevice");
        let names = devices.filter_map(|device| {
            text(device, "UniqueDeviceID").or_else(|| text(device, "DeviceName"))
        });
        names.map(str::to_owned).collect()
    });
    Ok(MemoryPoolRequest {
        system,
        size,
        maximum: integer(root, "PendingMaximumPoolMemory")?,
        deduplication: flag(root, "MemoryDeduplicationEnabled")?,
        paging_servers: Some(servers).filter(|servers| !servers.is_empty()),
        devices,
    })
}

/// A partition profile, new or changed.
pub(crate) fn profile(root: &Element, owner: Owner) -> Result<ProfileRequest, Refusal> {
    let slots = root
        .child("IOConfigurationInstance")
        .map(|io| integer(io, "MaximumVirtualIOSlots"))
        .transpose()?;
    Ok(ProfileRequest {
        owner,
        name: text(root, "ProfileName").map(str::to_owned),
        memory: partition::memory(root, "ProfileMemory")?,
        processors: partition::processors(root, "ProcessorAttributes")?,
        maximum_slots: slots.flatten(),
    })
}

/// Preferences, of the system that the URL names or of those that the body names.
pub(crate) fn monitoring(
    monitored: &Monitored,
    bytes: &[u8],
) -> Result<Vec<UpdateMonitoring>, Refusal> {
    match monitored {
        Monitored::Preferences(system) => {
            let root = body::parse(bytes, &Namespace::Pcm, "ManagedSystemPcmPreference")?;
            Ok(vec![preference(&root, *system)?])
        }
        Monitored::AllPreferences => {
            let root = body::parse(bytes, &Namespace::Pcm, "ManagementConsolePcmPreference")?;
            let each = root.children_named("ManagedSystemPcmPreference");
            each.map(|own| {
                let link = href(own, "AssociatedManagedSystem")
                    .ok_or_else(|| incomplete(own, "AssociatedManagedSystem"))?;
                let system = last_uuid(link)
                    .ok_or_else(|| invalid("AssociatedManagedSystem names no resource."))?;
                preference(own, system)
            })
            .collect()
        }
        Monitored::Samples { .. } | Monitored::File { .. } => {
            Err(invalid("Metrics are read, not written."))
        }
    }
}

fn preference(root: &Element, system: Uuid) -> Result<UpdateMonitoring, Refusal> {
    Ok(UpdateMonitoring {
        system,
        long_term: flag(root, "LongTermMonitorEnabled")?,
        short_term: flag(root, "ShortTermMonitorEnabled")?,
        aggregation: flag(root, "AggregationEnabled")?,
        compute_long_term: flag(root, "ComputeLTMEnabled")?,
        energy: flag(root, "EnergyMonitorEnabled")?,
    })
}
