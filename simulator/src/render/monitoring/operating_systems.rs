//! Raw samples of operating systems (`lpar`). Recording `lpar_pcm_data`.

use serde_json::{Value, json};

use super::super::context::{Context, upper};
use super::stamp;
use super::usage::sum;
use crate::clock::Millis;
use crate::model::monitoring::load::trait_of;
use crate::model::names::PartitionState;
use crate::model::partition::Partition;
use crate::model::system::ManagedSystem;

/// What operating systems tell of their memory through RMC.
pub(super) fn sample(cx: &Context<'_>, system: &ManagedSystem, at: Millis) -> Value {
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
