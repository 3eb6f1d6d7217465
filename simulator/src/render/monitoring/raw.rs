//! Raw samples by their names, and that of the hypervisor (`phyp`): counters that only rise. Recording `phyp_pcm_data`.

use serde_json::{Value, json};

use super::super::context::{Context, upper};
use super::adapters::{network, storage};
use super::feed::categories;
use super::usage::{CYCLES_PER_SECOND, Used, in_cycles, sum, used_cycles};
use super::{operating_systems, raw_vios, stamp};
use crate::clock::Millis;
use crate::model::monitoring::Collection;
use crate::model::monitoring::load::{Sum, in_waves, trait_of, up_time};
use crate::model::names::{PartitionKind, PartitionState, SharingMode};
use crate::model::partition::{Partition, ProcessorSetting};
use crate::model::system::ManagedSystem;

/// The file with this name, if there is such a sample: `LTM_8247-22L*2125D4A_phyp_20150527T074430+0000.json`.
pub(super) fn file(
    cx: &Context<'_>,
    system: &ManagedSystem,
    collection: Collection,
    name: &str,
) -> Option<String> {
    let prefix = if collection == Collection::ShortTerm {
        "STM"
    } else {
        "LTM"
    };
    let rest = name.strip_suffix(".json")?.strip_prefix(prefix)?;
    let rest = rest.strip_prefix(&format!("_{}_", system.machine))?;
    let (category, moment) = rest.rsplit_once('_')?;
    let at = stamp::parse(moment)?;
    if !system.monitoring.has_sample(collection, cx.now, at)
        || !categories(cx, system, collection)
            .iter()
            .any(|known| known == category)
    {
        return None;
    }
    let sample = match category {
        "phyp" => hypervisor(cx, system, prefix, at),
        "lpar" => operating_systems::sample(cx, system, at),
        server => {
            let id = server.strip_prefix("vios_")?.parse::<u16>().ok()?;
            let vios = cx
                .world
                .vioses_of(system.uuid)
                .find(|vios| vios.partition.id == id)?;
            raw_vios::sample(cx, system, vios, prefix, at)
        }
    };
    serde_json::to_string_pretty(&sample).ok()
}

fn hypervisor(cx: &Context<'_>, system: &ManagedSystem, prefix: &str, at: Millis) -> Value {
    let world = cx.world;
    let up = up_time(at);
    let cycles = in_cycles(up.saturating_mul(100));
    let units = |units: crate::model::units::ProcUnits| decimal(units.hundredths());
    let pools = system
        .processor_pools
        .values()
        .filter(|pool| pool.takes_partitions());
    let pools = pools.map(|pool| {
        let used: u64 = world
            .assigned_to_pool(system.uuid, pool.id)
            .map(|(partition, _)| used_cycles(partition, at))
            .fold(0, u64::saturating_add);
        let most = if pool.id == 0 {
            system.processors.configurable
        } else {
            pool.maximum
        };
        json!({
            "id": pool.id,
            "name": pool.name,
            "assignedProcCycles": in_cycles(up.saturating_mul(u64::from(most.hundredths()))),
            "utilizedPoolCycles": used,
            "maxProcUnits": units(most),
            "borrowedPoolProcUnits": 0,
        })
    });
    let pools: Vec<Value> = pools.collect();
    let mut partitions: Vec<&Partition> = world
        .partitions_of(system.uuid)
        .map(|partition| &**partition)
        .collect();
    partitions.sort_by_key(|partition| partition.id);
    let partitions: Vec<Value> = partitions
        .iter()
        .map(|own| partition(cx, own, at))
        .collect();
    let mut servers: Vec<_> = world.vioses_of(system.uuid).collect();
    servers.sort_by_key(|vios| vios.partition.id);
    let servers: Vec<Value> = servers
        .iter()
        .map(|vios| partition(cx, &vios.partition, at))
        .collect();
    json!({ "systemUtil": {
        "utilInfo": info(system, prefix, "1.3.0", true),
        "utilSample": {
            "timeStamp": stamp::plain(at),
            "status": 0,
            "errorInfo": [],
            "timeBasedCycles": cycles,
            "systemFirmware": {
                "utilizedProcCycles": in_waves(up, CYCLES_PER_SECOND / 100),
                "assignedMem": world.hypervisor_memory(system.uuid),
            },
            "processor": {
                "totalProcUnits": units(system.processors.installed),
                "configurableProcUnits": units(system.processors.configurable),
                "availableProcUnits": units(world.available_processors(system.uuid)),
                "procCyclesPerSecond": CYCLES_PER_SECOND,
            },
            "memory": {
                "totalMem": system.memory.installed,
                "availableMem": world.available_memory(system.uuid),
                "configurableMem": system.memory.configurable,
            },
            "sharedProcessorPool": pools,
            "lparsUtil": partitions,
            "viosUtil": servers,
        },
    }})
}

/// `utilInfo`
pub(super) fn info(system: &ManagedSystem, prefix: &str, version: &str, named: bool) -> Value {
    let mut info = json!({
        "version": version,
        "metricType": "Raw",
        "monitoringType": prefix,
        "mtms": system.machine.to_string(),
    });
    if let (true, Some(info)) = (named, info.as_object_mut()) {
        info.insert("name".to_owned(), json!(system.name));
    }
    info
}

fn partition(cx: &Context<'_>, partition: &Partition, at: Millis) -> Value {
    let vios = partition.kind == PartitionKind::VirtualIoServer;
    let sum = sum(partition, at);
    let memory = if vios {
        json!({ "assignedMem": partition.memory.current })
    } else {
        let backed = if partition.memory.active {
            partition.memory.current
        } else {
            0
        };
        json!({ "logicalMem": partition.memory.current, "backedPhysicalMem": backed })
    };
    let mut value = json!({
        "id": partition.id,
        "uuid": upper(partition.uuid),
        "type": kind(partition.kind),
        "name": partition.name,
        "state": title_case(sum.state),
        "affinityScore": affinity(partition),
        "memory": memory,
        "processor": processor(partition, &sum),
    });
    if let Some(object) = value.as_object_mut() {
        if vios {
            object.remove("type");
        }
        let network = network(cx, partition, &sum);
        if !network.is_empty() {
            object.insert(
                "network".to_owned(),
                json!({ "virtualEthernetAdapters": network }),
            );
        }
        let storage = storage(cx, partition);
        if !storage.is_empty() {
            object.insert("storage".to_owned(), Value::Object(storage));
        }
    }
    value
}

fn processor(partition: &Partition, sum: &Sum) -> Value {
    let used = Used::of(partition, sum);
    let mut value = json!({
        "poolId": 0,
        "mode": mode(partition.processors.current.sharing()),
        "maxVirtualProcessors": 0,
        "maxProcUnits": 0,
        "weight": 0,
        "entitledProcCycles": used.entitled,
        "utilizedCappedProcCycles": used.capped,
        "utilizedUnCappedProcCycles": used.uncapped,
        "idleProcCycles": used.idle,
        "donatedProcCycles": 0,
        "timeSpentWaitingForDispatch": 0,
        "totalInstructions": used.total() / 5 * 4,
        "totalInstructionsExecutionTime": used.total(),
    });
    let Some(object) = value.as_object_mut() else {
        return value;
    };
    let mut put = |name: &str, value: Value| {
        object.insert(name.to_owned(), value);
    };
    match &partition.processors.current {
        ProcessorSetting::Shared(shared) => {
            put("poolId", json!(shared.pool));
            put("maxVirtualProcessors", json!(shared.maximum_virtual));
            put("maxProcUnits", decimal(shared.maximum_units.hundredths()));
            put("weight", json!(shared.uncapped_weight.unwrap_or(0)));
        }
        ProcessorSetting::Dedicated { maximum, .. } => {
            put("maxVirtualProcessors", json!(maximum));
            put("maxProcUnits", json!(maximum));
            object.shift_remove("poolId");
            object.shift_remove("weight");
        }
    }
    value
}

/// Hundredths as a number: `0.5`, `20`.
pub(super) fn decimal(hundredths: u32) -> Value {
    if hundredths.is_multiple_of(100) {
        json!(hundredths / 100)
    } else {
        json!(f64::from(hundredths) / 100.0)
    }
}

pub(super) fn affinity(partition: &Partition) -> u64 {
    if partition.memory.active {
        100 - trait_of(partition.uuid, b'a') / 10
    } else {
        0
    }
}

const fn kind(kind: PartitionKind) -> &'static str {
    match kind {
        PartitionKind::AixLinux => "aixlinux",
        PartitionKind::IbmI => "ibmi",
        PartitionKind::VirtualIoServer => "vios",
    }
}

pub(super) const fn mode(sharing: SharingMode) -> &'static str {
    match sharing {
        SharingMode::Capped => "cap",
        SharingMode::Uncapped => "uncap",
        SharingMode::SharedIdle => "share_idle_procs",
        SharingMode::SharedIdleWhileActive => "share_idle_procs_active",
        SharingMode::SharedIdleAlways => "share_idle_procs_always",
        SharingMode::KeepIdle => "keep_idle_procs",
    }
}

/// `Not Activated`, as consoles print states to people.
pub(super) fn title_case(state: PartitionState) -> String {
    let words = state.as_str().split(' ').map(|word| {
        let mut letters = word.chars();
        letters
            .next()
            .map(|first| first.to_uppercase().chain(letters).collect::<String>())
            .unwrap_or_default()
    });
    words.collect::<Vec<String>>().join(" ")
}
