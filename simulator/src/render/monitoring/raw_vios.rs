//! Raw samples of a Virtual I/O Server: its adapters, and what its clients do with them. Recording `vios_pcm_data`.

use serde_json::{Value, json};

use super::super::context::Context;
use super::adapters::{packets, transfers};
use super::raw::info;
use super::stamp;
use super::usage::sum;
use crate::clock::Millis;
use crate::model::monitoring::load::Sum;
use crate::model::partition::Partition;
use crate::model::system::ManagedSystem;
use crate::model::vios::VirtualIoServer;

pub(super) fn sample(
    cx: &Context<'_>,
    system: &ManagedSystem,
    vios: &VirtualIoServer,
    prefix: &str,
    at: Millis,
) -> Value {
    let partition = &vios.partition;
    json!({ "systemUtil": {
        "utilInfo": info(system, prefix, "1.0.0", false),
        "utilSample": {
            "timeStamp": stamp::plain(at),
            "viosUtil": [{
                "id": partition.id.to_string(),
                "name": partition.name,
                "memory": { "utilizedMem": partition.memory.current / 5 * 2 },
                "network": network(system, vios, at),
                "storage": storage(cx, system, vios, at),
            }],
            "status": 0,
            "errorInfo": [],
        },
    }})
}

fn network(system: &ManagedSystem, vios: &VirtualIoServer, at: Millis) -> Value {
    let own = sum(&vios.partition, at);
    let ports = vios
        .shared_ethernet
        .iter()
        .map(|sea| {
            (
                sea.backing_device.clone(),
                sea.backing_location.clone(),
                true,
            )
        })
        .chain(
            vios.free_ports
                .iter()
                .map(|(device, location)| (device.clone(), location.clone(), false)),
        );
    let physical = ports
        .zip(200_u16..)
        .map(|((device, location, used), number)| {
            let counted = if used { own } else { idle(own) };
            adapter(
                &device,
                "physical",
                &location,
                packets(&vios.partition, number, &counted),
            )
        });
    let trunks = vios
        .partition
        .network_adapters
        .values()
        .filter_map(|adapter| {
            let device = adapter.trunk.as_ref()?.device.clone()?;
            Some((device, adapter.slot))
        });
    let virtually = trunks.map(|(device, slot)| {
        let location = format!(
            "{}-T1",
            system.machine.slot_location(vios.partition.id, slot)
        );
        adapter(
            &device,
            "virtual",
            &location,
            packets(&vios.partition, slot, &own),
        )
    });
    let shared = vios.shared_ethernet.iter().map(|sea| {
        let trunks: Vec<_> = sea
            .trunks
            .iter()
            .filter_map(|trunk| vios.partition.network_adapters.get(trunk))
            .collect();
        let slot = trunks.first().map_or(0, |trunk| trunk.slot);
        let devices = trunks
            .iter()
            .filter_map(|trunk| trunk.trunk.as_ref()?.device.clone());
        let bridged: Vec<String> = std::iter::once(sea.backing_device.clone())
            .chain(devices)
            .collect();
        let location = format!(
            "{}-T1",
            system.machine.slot_location(vios.partition.id, slot)
        );
        let mut value = adapter(
            &sea.device,
            "sea",
            &location,
            packets(&vios.partition, slot, &own),
        );
        if let Some(object) = value.as_object_mut() {
            object.insert("bridgedAdapters".to_owned(), json!(bridged));
        }
        value
    });
    let generic: Vec<Value> = virtually.chain(physical).collect();
    json!({ "genericAdapters": generic, "sharedAdapters": shared.collect::<Vec<Value>>() })
}

fn adapter(id: &str, kind: &str, location: &str, (received, sent): (u64, u64)) -> Value {
    json!({
        "id": id,
        "type": kind,
        "physicalLocation": location,
        "receivedPackets": received,
        "sentPackets": sent,
        "droppedPackets": 0,
        "receivedBytes": received.saturating_mul(800),
        "sentBytes": sent.saturating_mul(600),
    })
}

fn storage(cx: &Context<'_>, system: &ManagedSystem, vios: &VirtualIoServer, at: Millis) -> Value {
    let client = |uuid: uuid::Uuid| cx.world.partitions.get(&uuid).map(|partition| &**partition);
    let transfers_of = |partition: Option<&Partition>, slot: u16| {
        partition.map_or((0, 0), |partition| {
            transfers(partition, slot, &sum(partition, at))
        })
    };
    let virtually = vios.buses.values().map(|bus| {
        let end = bus.client;
        let done = transfers_of(
            end.and_then(|end| client(end.partition)),
            end.map_or(0, |end| end.slot),
        );
        let location = system.machine.slot_location(vios.partition.id, bus.slot);
        disk_adapter(&bus.adapter_name(), Some("virtual"), &location, done)
    });
    let ports = vios.fc_ports().map(|port| {
        let lent = vios
            .fc_mappings
            .values()
            .filter(|mapping| mapping.port.as_ref() == Some(&port.name));
        let (mut total, mut clients) = ((0_u64, 0_u64), Vec::new());
        for mapping in lent {
            let end = mapping.client;
            let done = transfers_of(
                end.and_then(|end| client(end.partition)),
                end.map_or(0, |end| end.slot),
            );
            total = (
                total.0.saturating_add(done.0),
                total.1.saturating_add(done.1),
            );
            let wwpn = end.map_or(0, |end| end.wwpns[0]);
            let location = system
                .machine
                .slot_location(vios.partition.id, mapping.slot);
            let mut value = disk_adapter(&mapping.adapter_name(), None, &location, done);
            if let Some(object) = value.as_object_mut() {
                object.insert("wwpn".to_owned(), json!(format!("{wwpn:016x}")));
                object.insert("runningSpeed".to_owned(), json!(8));
            }
            clients.push(value);
        }
        let mut value = disk_adapter(&port.name, None, &port.location, total);
        if let Some(object) = value.as_object_mut() {
            object.insert("wwpn".to_owned(), json!(format!("{:016x}", port.wwpn)));
            object.insert("runningSpeed".to_owned(), json!(8));
            object.insert("ports".to_owned(), Value::Array(clients));
        }
        value
    });
    let unit = vios
        .fc_adapters
        .first()
        .and_then(|adapter| adapter.location.rsplit_once("-P1").map(|(unit, _)| unit));
    let unit = unit.unwrap_or("U78CB.001.0000000");
    let own = transfers(&vios.partition, 0, &sum(&vios.partition, at));
    let pool = cx
        .world
        .cluster_of(vios.partition.uuid)
        .and_then(|cluster| cx.world.pools.get(&cluster.pool));
    let pools = pool.map(|pool| {
        let free = cx.world.free_in_pool(pool.uuid);
        let mut value = disk_adapter(&pool.name, None, "", own);
        if let Some(object) = value.as_object_mut() {
            object.shift_remove("physicalLocation");
            let disks: Vec<&str> = pool
                .physical_volumes
                .iter()
                .map(|volume| volume.name.as_str())
                .collect();
            object.insert("poolDisks".to_owned(), json!(disks));
            object.insert("totalSpace".to_owned(), json!(pool.capacity.megabytes()));
            let used = pool.capacity.minus(free);
            object.insert("usedSpace".to_owned(), json!(used.megabytes()));
        }
        value
    });
    json!({
        "fiberChannelAdapters": ports.collect::<Vec<Value>>(),
        "genericPhysicalAdapters":
            [disk_adapter("sissas0", Some("sas"), &format!("{unit}-P1-C14-T1"), own)],
        "genericVirtualAdapters": virtually.collect::<Vec<Value>>(),
        "sharedStoragePools": pools.into_iter().collect::<Vec<Value>>(),
    })
}

fn disk_adapter(
    id: &str,
    kind: Option<&str>,
    location: &str,
    (reads, writes): (u64, u64),
) -> Value {
    let mut value = json!({
        "id": id,
        "type": kind,
        "physicalLocation": location,
        "numOfReads": reads,
        "numOfWrites": writes,
        "readBytes": reads.saturating_mul(16_384),
        "writeBytes": writes.saturating_mul(8_192),
    });
    if let (None, Some(object)) = (kind, value.as_object_mut()) {
        object.shift_remove("type");
    }
    value
}

/// Counters of a port that nothing uses.
const fn idle(sum: Sum) -> Sum {
    Sum {
        ran: 0,
        entitled: 0,
        ..sum
    }
}
