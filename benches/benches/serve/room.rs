//! What stands in the simulated machine rooms, found through the API.

use anyhow::{Context as _, Result};
use serde_json::Value;

use crate::client::Client;

/// A running partition of every room that has one: the first.
pub(crate) const PARTITION: &str = "existing-0001";

/// A partition as the quick properties tell of it.
#[derive(Clone, Debug)]
pub(crate) struct Partition {
    pub(crate) uuid: String,
    pub(crate) name: String,
    pub(crate) state: String,
}

/// All partitions that the inventory made, in the order of the API.
pub(crate) fn partitions(client: &mut Client) -> Result<Vec<Partition>> {
    let found = all(client, "LogicalPartition")?;
    let partitions = found.iter().map(|partition| {
        Some(Partition {
            uuid: text(partition, "UUID")?,
            name: text(partition, "PartitionName")?,
            state: text(partition, "PartitionState")?,
        })
    });
    let all: Option<Vec<Partition>> = partitions.collect();
    let mut all = all.context("quick/All lacks a property")?;
    all.retain(|partition| partition.name.starts_with("existing-"));
    Ok(all)
}

/// The UUIDs of all Virtual I/O Servers.
pub(crate) fn servers(client: &mut Client) -> Result<Vec<String>> {
    let found = all(client, "VirtualIOServer")?;
    let uuids: Option<Vec<String>> = found.iter().map(|server| text(server, "UUID")).collect();
    uuids.context("quick/All lacks a property")
}

fn all(client: &mut Client, kind: &str) -> Result<Vec<Value>> {
    let (_, text) = client.get(&format!("/rest/api/uom/{kind}/quick/All"))?;
    Ok(serde_json::from_str(&text)?)
}

fn text(object: &Value, key: &str) -> Option<String> {
    Some(object.get(key)?.as_str()?.to_owned())
}

/// The path of the partition's entry.
pub(crate) fn entry(uuid: &str) -> String {
    format!("/rest/api/uom/LogicalPartition/{uuid}?group=None")
}

/// The path of one of its quick properties.
pub(crate) fn quick(uuid: &str) -> String {
    format!("/rest/api/uom/LogicalPartition/{uuid}/quick/PartitionState")
}

/// The path of a Virtual I/O Server with its mappings.
pub(crate) fn server(uuid: &str) -> String {
    format!("/rest/api/uom/VirtualIOServer/{uuid}?group=ViosFCMapping,ViosSCSIMapping")
}
