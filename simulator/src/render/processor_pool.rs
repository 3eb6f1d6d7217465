//! `SharedProcessorPool`, a child of a managed system. Recordings `shrprocpool` and the cassette `refresher.yml`.

use super::base_partition::owner;
use super::context::Context;
use super::writer::{CUD, CUR, ROR, UOM};
use crate::model::Owner;
use crate::model::processor_pool::SharedProcessorPool;
use crate::model::system::ManagedSystem;

/// The resource's own element. The default pool has no limits to show.
pub(crate) fn render(
    cx: &Context<'_>,
    system: &ManagedSystem,
    pool: &SharedProcessorPool,
) -> String {
    let mut w = cx.writer(1536);
    w.root(
        "SharedProcessorPool",
        UOM,
        Some((&pool.uuid.to_string(), cx.created())),
        |w| {
            let assigned = cx.world.assigned_to_pool(system.uuid, pool.id);
            let links: Vec<String> = assigned
                .map(|(partition, _)| match owner(partition) {
                    Owner::Partition(uuid) => cx.partition(system.uuid, uuid),
                    Owner::Vios(uuid) => cx.vios(system.uuid, uuid),
                })
                .collect();
            if !links.is_empty() {
                w.links("AssignedPartitions", CUD, links);
            }
            if pool.id != 0 {
                w.value("CurrentReservedProcessingUnits", ROR, pool.reserved);
                w.value("MaximumProcessingUnits", CUD, pool.maximum);
                w.value("PendingReservedProcessingUnits", CUD, pool.reserved);
            }
            w.value("PoolID", ROR, pool.id);
            w.value(
                "AvailableProcUnits",
                CUD,
                cx.world.available_in_processor_pool(system.uuid, pool),
            );
            w.text("PoolName", CUR, &pool.name);
        },
    );
    w.finish()
}
