//! Raw samples of the hypervisor (`phyp`) and of operating systems (`lpar`): counters that only rise. Recordings
//! `phyp_pcm_data` and `lpar_pcm_data`.

use serde_json::{Value, json};

use super::super::context::{Context, upper};
use super::feed::categories;
use super::{raw_vios, stamp};
use crate::clock::Millis;
use crate::model::monitoring::Collection;
use crate::model::monitoring::load::{Sum, in_waves, trait_of, up_time};
use crate::model::names::{PartitionKind, PartitionState, SharingMode};
use crate::model::partition::{Partition, ProcessorSetting};
use crate::model::system::ManagedSystem;

/// `procCyclesPerSecond`
pub(super) const CYCLES_PER_SECOND: u64 = 512_000_000;

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
        "lpar" => operating_systems(cx, system, at),
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

/// What a partition has used by a moment, in cycles.
pub(super) struct Used {
    pub(super) entitled: u64,
    pub(super) capped: u64,
    pub(super) uncapped: u64,
    pub(super) idle: u64,
}

impl Used {
    /// A steady share of what it is entitled to, with waves; an uncapped partition takes a little more than that. Idle
    /// cycles are among the capped ones: clients subtract them (`docs/protocol/monitoring.md`).
    pub(super) fn of(partition: &Partition, sum: &Sum) -> Self {
        let entitled = in_cycles(sum.entitled);
        let part = |percent: u64| entitled / 100 * percent;
        let waves = in_waves(
            sum.ran,
            CYCLES_PER_SECOND / 1000 * (1 + trait_of(partition.uuid, b'w') / 20),
        );
        let uncapped = partition.processors.current.sharing() == SharingMode::Uncapped;
        let idle = part(10 + trait_of(partition.uuid, b'i') / 4);
        let busy = part(5 + trait_of(partition.uuid, b'c') / 3);
        Self {
            entitled,
            capped: idle.saturating_add(busy).saturating_add(waves),
            uncapped: if uncapped {
                part(trait_of(partition.uuid, b'u') / 12)
            } else {
                0
            },
            idle,
        }
    }

    pub(super) const fn total(&self) -> u64 {
        self.capped.saturating_add(self.uncapped)
    }
}

fn used_cycles(partition: &Partition, at: Millis) -> u64 {
    Used::of(partition, &sum(partition, at)).total()
}

/// What has added up for a partition; nothing for one that has no past.
pub(super) fn sum(partition: &Partition, at: Millis) -> Sum {
    partition.load.sum(at).unwrap_or(Sum {
        state: partition.state,
        ran: 0,
        entitled: 0,
    })
}

fn network(cx: &Context<'_>, partition: &Partition, sum: &Sum) -> Vec<Value> {
    let Some(system) = cx.world.systems.get(&partition.system) else {
        return Vec::new();
    };
    let adapters = partition.network_adapters.values();
    let adapters = adapters.map(|adapter| {
        let (received, sent) = packets(partition, adapter.slot, sum);
        json!({
            "vlanId": adapter.vlan,
            "vswitchId": adapter.switch_id,
            "physicalLocation": system.machine.slot_location(partition.id, adapter.slot),
            "isPortVLANID": true,
            "receivedPackets": received,
            "sentPackets": sent,
            "droppedPackets": received / 100_000,
            "sentBytes": sent.saturating_mul(600),
            "receivedBytes": received.saturating_mul(800),
            "receivedPhysicalPackets": received / 2,
            "sentPhysicalPackets": sent / 2,
            "droppedPhysicalPackets": 0,
            "sentPhysicalBytes": (sent / 2).saturating_mul(600),
            "receivedPhysicalBytes": (received / 2).saturating_mul(800),
        })
    });
    adapters.collect()
}

/// Packets received and sent by the adapter in a slot.
pub(super) fn packets(partition: &Partition, slot: u16, sum: &Sum) -> (u64, u64) {
    let purpose = u8::try_from(slot % 200).unwrap_or(0);
    let received = in_waves(sum.ran, 20 + trait_of(partition.uuid, purpose));
    let sent = in_waves(
        sum.ran,
        10 + trait_of(partition.uuid, purpose.wrapping_add(50)) / 2,
    );
    (received, sent)
}

/// Reads and writes through the adapter in a slot.
pub(super) fn transfers(partition: &Partition, slot: u16, sum: &Sum) -> (u64, u64) {
    let purpose = u8::try_from(slot % 200).unwrap_or(0).wrapping_add(100);
    let reads = in_waves(sum.ran, 2 + trait_of(partition.uuid, purpose) / 10);
    let writes = in_waves(
        sum.ran,
        4 + trait_of(partition.uuid, purpose.wrapping_add(9)) / 8,
    );
    (reads, writes)
}

fn storage(cx: &Context<'_>, partition: &Partition) -> serde_json::Map<String, Value> {
    let mut storage = serde_json::Map::new();
    let Some(system) = cx.world.systems.get(&partition.system) else {
        return storage;
    };
    let location = |slot: u16| system.machine.slot_location(partition.id, slot);
    let (mut generic, mut fibre) = (Vec::new(), Vec::new());
    for vios in cx.world.vioses_of(partition.system) {
        let id = vios.partition.id;
        let of_partition = |uuid: uuid::Uuid| uuid == partition.uuid;
        for bus in vios.buses.values() {
            if let Some(client) = bus.client.filter(|client| of_partition(client.partition)) {
                generic.push(json!({
                    "physicalLocation": location(client.slot),
                    "viosId": id,
                    "viosAdapterSlotId": bus.slot,
                }));
            }
        }
        for mapping in vios.fc_mappings.values() {
            if let Some(client) = mapping
                .client
                .filter(|client| of_partition(client.partition))
            {
                fibre.push(json!({
                    "wwpnPair": client.wwpns,
                    "viosId": id,
                    "physicalLocation": location(client.slot),
                }));
            }
        }
    }
    if !generic.is_empty() {
        storage.insert("genericVirtualAdapters".to_owned(), Value::Array(generic));
    }
    if !fibre.is_empty() {
        storage.insert(
            "virtualFiberChannelAdapters".to_owned(),
            Value::Array(fibre),
        );
    }
    storage
}

/// What operating systems tell of their memory through RMC.
fn operating_systems(cx: &Context<'_>, system: &ManagedSystem, at: Millis) -> Value {
    let mut partitions: Vec<&Partition> = cx
        .world
        .partitions_of(system.uuid)
        .map(|partition| &**partition)
        .collect();
    partitions.sort_by_key(|partition| partition.id);
    let list = partitions.into_iter().map(|partition| {
        let state = sum(partition, at).state;
        let error = if state != PartitionState::Running {
            Some(("6001", "Lpar is not in running state on Managed System"))
        } else if !partition.rmc.is_up() {
            Some(("6003", "RMC is INACTIVE on lpar"))
        } else {
            None
        };
        let (uuid, id) = (upper(partition.uuid), partition.id.to_string());
        if let Some((code, message)) = error {
            return json!({
                "uuid": uuid,
                "id": id,
                "name": partition.name,
                "errorInfo": { "errorId": code, "message": message },
                "timeStamp": null,
            });
        }
        let free = 20 + trait_of(partition.uuid, b'm') / 2;
        json!({
            "uuid": uuid,
            "id": id,
            "name": partition.name,
            "memory": {
                "pctRealMemAvbl": free + 10,
                "totalPgSpSizeCount": 131_072,
                "totalPgSpFreeCount": 130_000,
                "vmActivePgCount": partition.memory.current * 16 * (100 - free) / 100,
                "realMemSizeBytes": partition.memory.current << 20,
                "pctRealMemFree": free,
                "vmPgInRate": 0,
                "vmPgOutRate": trait_of(partition.uuid, b'p'),
                "vmPgSpInRate": 0,
                "vmPgSpOutRate": 0,
            },
            "timeStamp": stamp::compact(at),
        })
    });
    json!({ "lparUtil": list.collect::<Vec<Value>>() })
}

/// Hundredths of a processor times milliseconds as cycles.
pub(super) const fn in_cycles(hundredths: u64) -> u64 {
    hundredths.saturating_mul(CYCLES_PER_SECOND / 100_000)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Simulator;

    #[test]
    fn every_partition_uses_more_than_it_idles_and_less_than_it_may() {
        let world = Simulator::builder().build().unwrap().world();
        let mut partition = (**world.partitions.values().next().unwrap()).clone();
        let units = u64::from(partition.processors.current.desired_units().hundredths());
        for number in 0..500_u128 {
            partition.uuid =
                uuid::Uuid::from_u128((number << 64) | number.wrapping_mul(0x9e37_79b9));
            let mut before = None;
            for half_minute in 0..60_u64 {
                let ran = half_minute * 30_000;
                let used = Used::of(
                    &partition,
                    &Sum {
                        state: PartitionState::Running,
                        ran,
                        entitled: ran * units,
                    },
                );
                assert!(used.idle <= used.capped && used.capped <= used.entitled);
                let busy = used.total() - used.idle;
                assert!(before.is_none_or(|before| before < busy));
                before = Some(busy);
            }
        }
    }
}
