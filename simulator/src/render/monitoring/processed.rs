//! Processed and aggregated metrics: what raw counters come to for each period, as averages in lists of one. Cassette
//! `metrics_capture_lpar.yml`.

use serde_json::{Value, json};
use uuid::Uuid;

use super::super::context::{Context, upper};
use super::adapters::{packets, transfers};
use super::raw::{affinity, decimal, mode, title_case};
use super::usage::{CYCLES_PER_SECOND, Used, sum};
use super::{MOST_SAMPLES, stamp};
use crate::clock::Millis;
use crate::model::monitoring::Collection;
use crate::model::partition::{Partition, ProcessorSetting};
use crate::model::system::ManagedSystem;

/// The file with this name: `LogicalPartition_<uuid>_<start>_<end>_30.json`.
pub(super) fn file(cx: &Context<'_>, collection: Collection, name: &str) -> Option<String> {
    let mut parts = name.strip_suffix(".json")?.split('_');
    let kind = parts.next()?;
    let uuid = Uuid::try_parse(parts.next()?).ok()?;
    let start = stamp::parse(parts.next()?)?;
    let end = stamp::parse(parts.next()?)?;
    let frequency: u64 = parts.next()?.parse().ok()?;
    if parts.next().is_some() || frequency.checked_mul(1000)? != collection.period() {
        return None;
    }
    let (system, partition) = match kind {
        "ManagedSystem" => (cx.world.systems.get(&uuid)?, None),
        "LogicalPartition" => {
            let partition = cx.world.partitions.get(&uuid)?;
            (cx.world.systems.get(&partition.system)?, Some(&**partition))
        }
        _ => return None,
    };
    let moments =
        system
            .monitoring
            .samples(collection, cx.now, (Some(start), Some(end)), MOST_SAMPLES);
    let (first, last) = (moments.first()?, moments.last()?);
    let samples: Vec<Value> = moments
        .iter()
        .map(|at| {
            let span = Span {
                from: Millis(at.0.saturating_sub(collection.period())),
                to: *at,
            };
            match partition {
                Some(partition) => of_partition(cx, partition, span),
                None => of_system(cx, system, span),
            }
        })
        .collect();
    let metric = match collection {
        Collection::Aggregated => "Aggregated",
        _ => "Processed",
    };
    let file = json!({ "systemUtil": {
        "utilInfo": {
            "version": "1.3.0",
            "metricType": metric,
            "frequency": frequency,
            "startTimeStamp": stamp::plain(*first),
            "endTimeStamp": stamp::plain(*last),
            "mtms": system.machine.to_string(),
            "name": system.name,
            "metricArrayOrder": ["AVG"],
            "uuid": system.uuid.to_string(),
        },
        "utilSamples": samples,
    }});
    serde_json::to_string(&file).ok()
}

/// The time that a sample stands for.
#[derive(Clone, Copy)]
struct Span {
    from: Millis,
    to: Millis,
}

impl Span {
    /// The rate of a counter in units a second.
    fn rate(self, counter: impl Fn(Millis) -> u64) -> Value {
        let grown = counter(self.to).saturating_sub(counter(self.from));
        let seconds = (self.to.0 - self.from.0).max(1) as f64 / 1000.0;
        average(grown as f64 / seconds)
    }
}

/// A list of one value with three decimals, as an integer where it is one.
fn average(value: f64) -> Value {
    let rounded = (value * 1000.0).round() / 1000.0;
    if rounded.fract() == 0.0 && rounded.abs() < 9e15 {
        json!([rounded as i64])
    } else {
        json!([rounded])
    }
}

fn of_partition(cx: &Context<'_>, partition: &Partition, span: Span) -> Value {
    json!({
        "sampleType": "LogicalPartition",
        "lparsUtil": [lpar(cx, partition, span)],
        "sampleInfo": { "timeStamp": stamp::plain(span.to), "status": 0 },
    })
}

fn lpar(cx: &Context<'_>, partition: &Partition, span: Span) -> Value {
    let state = sum(partition, span.to).state;
    let mut value = json!({
        "id": partition.id,
        "name": partition.name,
        "type": partition.kind.as_str(),
        "affinityScore": affinity(partition),
        "memory": {
            "logicalMem": [partition.memory.current],
            "backedPhysicalMem": [if partition.memory.active { partition.memory.current } else { 0 }],
        },
        "processor": processor(partition, span),
        "network": { "virtualEthernetAdapters": ethernet(cx, partition, span) },
        "storage": storage(cx, partition, span),
        "state": title_case(state),
        "uuid": upper(partition.uuid),
    });
    if let (crate::model::names::PartitionKind::VirtualIoServer, Some(object)) =
        (partition.kind, value.as_object_mut())
    {
        object.shift_remove("type");
        object.insert(
            "memory".to_owned(),
            json!({
                "assignedMem": [partition.memory.current],
                "utilizedMem": [partition.memory.current / 5 * 2],
            }),
        );
    }
    value
}

fn processor(partition: &Partition, span: Span) -> Value {
    let units = |part: fn(&Used) -> u64| {
        let cycles = |at: Millis| part(&Used::of(partition, &sum(partition, at)));
        let grown = cycles(span.to).saturating_sub(cycles(span.from));
        let seconds = (span.to.0 - span.from.0).max(1) as f64 / 1000.0;
        average(grown as f64 / CYCLES_PER_SECOND as f64 / seconds)
    };
    let (pool, weight, virtuals, most) = match &partition.processors.current {
        ProcessorSetting::Shared(shared) => (
            shared.pool,
            shared.uncapped_weight.unwrap_or(0),
            shared.maximum_virtual,
            decimal(shared.maximum_units.hundredths()),
        ),
        ProcessorSetting::Dedicated { maximum, .. } => (0, 0, *maximum, json!(maximum)),
    };
    json!({
        "poolId": pool,
        "weight": weight,
        "mode": mode(partition.processors.current.sharing()),
        "maxVirtualProcessors": [virtuals],
        "maxProcUnits": [most],
        "entitledProcUnits": units(|used| used.entitled),
        "utilizedProcUnits": units(Used::total),
        "utilizedCappedProcUnits": units(|used| used.capped),
        "utilizedUncappedProcUnits": units(|used| used.uncapped),
        "idleProcUnits": units(|used| used.idle),
        "donatedProcUnits": [0],
        "timeSpentWaitingForDispatch": [0],
        "timePerInstructionExecution": [0],
    })
}

fn ethernet(cx: &Context<'_>, partition: &Partition, span: Span) -> Vec<Value> {
    let Some(system) = cx.world.systems.get(&partition.system) else {
        return Vec::new();
    };
    let adapters = partition.network_adapters.values().map(|adapter| {
        let received = |at: Millis| packets(partition, adapter.slot, &sum(partition, at)).0;
        let sent = |at: Millis| packets(partition, adapter.slot, &sum(partition, at)).1;
        let moved = |at: Millis| {
            received(at)
                .saturating_mul(800)
                .saturating_add(sent(at).saturating_mul(600))
        };
        json!({
            "transferredPhysicalBytes": span.rate(|at| moved(at) / 2),
            "transferredBytes": span.rate(moved),
            "physicalLocation": system.machine.slot_location(partition.id, adapter.slot),
            "vlanId": adapter.vlan,
            "vswitchId": adapter.switch_id,
            "isPortVlanId": true,
            "receivedPackets": span.rate(received),
            "sentPackets": span.rate(sent),
            "droppedPackets": [0],
            "sentBytes": span.rate(|at| sent(at).saturating_mul(600)),
            "receivedBytes": span.rate(|at| received(at).saturating_mul(800)),
            "receivedPhysicalPackets": span.rate(|at| received(at) / 2),
            "sentPhysicalPackets": span.rate(|at| sent(at) / 2),
            "droppedPhysicalPackets": [0],
            "sentPhysicalBytes": span.rate(|at| (sent(at) / 2).saturating_mul(600)),
            "receivedPhysicalBytes": span.rate(|at| (received(at) / 2).saturating_mul(800)),
        })
    });
    adapters.collect()
}

fn storage(cx: &Context<'_>, partition: &Partition, span: Span) -> Value {
    let Some(system) = cx.world.systems.get(&partition.system) else {
        return json!({});
    };
    let (mut generic, mut fibre) = (Vec::new(), Vec::new());
    let counters = |slot: u16| {
        let reads = move |at: Millis| transfers(partition, slot, &sum(partition, at)).0;
        let writes = move |at: Millis| transfers(partition, slot, &sum(partition, at)).1;
        json!({
            "numOfReads": span.rate(reads),
            "numOfWrites": span.rate(writes),
            "readBytes": span.rate(move |at| reads(at).saturating_mul(16_384)),
            "writeBytes": span.rate(move |at| writes(at).saturating_mul(8_192)),
        })
    };
    let merged = |mut value: Value, slot: u16| {
        if let (Some(object), Value::Object(more)) = (value.as_object_mut(), counters(slot)) {
            object.extend(more);
        }
        value
    };
    for vios in cx.world.vioses_of(partition.system) {
        let of_partition = |uuid: Uuid| uuid == partition.uuid;
        for bus in vios.buses.values() {
            if let Some(client) = bus.client.filter(|client| of_partition(client.partition)) {
                let value = json!({
                    "transmittedBytes": [null],
                    "id": bus.adapter_name(),
                    "type": "virtual",
                    "viosId": vios.partition.id,
                    "physicalLocation": system.machine.slot_location(partition.id, client.slot),
                });
                generic.push(merged(value, client.slot));
            }
        }
        for mapping in vios.fc_mappings.values() {
            if let Some(client) = mapping
                .client
                .filter(|client| of_partition(client.partition))
            {
                let port = mapping.port.as_deref().and_then(|name| vios.fc_port(name));
                let value = json!({
                    "transmittedBytes": [0],
                    "wwpn": format!("{:016x}", client.wwpns[0]),
                    "wwpn2": format!("{:016x}", client.wwpns[1]),
                    "physicalLocation": system.machine.slot_location(partition.id, client.slot),
                    "viosId": vios.partition.id,
                    "runningSpeed": [8],
                    "physicalPortWWPN": format!("{:016x}", port.map_or(0, |port| port.wwpn)),
                });
                fibre.push(merged(value, client.slot));
            }
        }
    }
    json!({ "genericVirtualAdapters": generic, "virtualFiberChannelAdapters": fibre })
}

fn of_system(cx: &Context<'_>, system: &ManagedSystem, span: Span) -> Value {
    let world = cx.world;
    let units = |units: crate::model::units::ProcUnits| json!([decimal(units.hundredths())]);
    let used = |at: Millis| {
        world
            .all_partitions_of(system.uuid)
            .map(|partition| Used::of(partition, &sum(partition, at)).total())
            .fold(0, u64::saturating_add)
    };
    let seconds = (span.to.0 - span.from.0).max(1) as f64 / 1000.0;
    let grown = used(span.to).saturating_sub(used(span.from));
    let utilized = average(grown as f64 / CYCLES_PER_SECOND as f64 / seconds);
    let available = world.available_processors(system.uuid);
    let assigned: u64 = world
        .all_partitions_of(system.uuid)
        .filter(|partition| partition.memory.active)
        .map(|partition| partition.memory.current)
        .sum();
    let total = system.processors.configurable;
    let mut servers: Vec<_> = world.vioses_of(system.uuid).collect();
    servers.sort_by_key(|vios| vios.partition.id);
    let servers: Vec<Value> = servers
        .iter()
        .map(|vios| lpar(cx, &vios.partition, span))
        .collect();
    json!({
        "sampleType": "ManagedSystem",
        "systemFirmwareUtil": {
            "utilizedProcUnits": [0.01],
            "assignedMem": [world.hypervisor_memory(system.uuid)],
        },
        "serverUtil": {
            "processor": {
                "totalProcUnits": units(system.processors.installed),
                "utilizedProcUnits": utilized.clone(),
                "availableProcUnits": units(available),
                "configurableProcUnits": units(total),
            },
            "memory": {
                "totalMem": [system.memory.installed],
                "availableMem": [world.available_memory(system.uuid)],
                "configurableMem": [system.memory.configurable],
                "assignedMemToLpars": [assigned],
            },
            "physicalProcessorPool": {
                "assignedProcUnits": units(total),
                "utilizedProcUnits": utilized.clone(),
                "availableProcUnits": units(available),
                "configuredProcUnits": units(total),
                "borrowedProcUnits": [0],
            },
            "sharedProcessorPool": [{
                "id": 0,
                "name": "DefaultPool",
                "assignedProcUnits": units(total),
                "utilizedProcUnits": utilized,
                "availableProcUnits": units(available),
                "configuredProcUnits": [0],
                "borrowedProcUnits": [0],
            }],
        },
        "viosUtil": servers,
        "sampleInfo": { "timeStamp": stamp::plain(span.to), "status": 0 },
    })
}
