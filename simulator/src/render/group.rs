//! `Group`. Cassette `refresher.yml`: its links leave the port out and name a partition that has gone by zeros.

use uuid::Uuid;

use super::context::{Context, upper};
use super::writer::{COD, COR, Facets, ROR, UOM};
use crate::model::directory::Group;

const SINCE: &str = "V1_2_0";
const MEMBERS: Facets = COD.since(SINCE);

/// The resource's own element.
pub(crate) fn render(cx: &Context<'_>, group: &Group) -> String {
    let base = cx.base.without_port();
    let href = |path: &str| format!("{base}/rest/api/uom/{path}");
    let mut w = cx.writer(2048);
    w.root(
        "Group",
        UOM,
        Some((&group.uuid.to_string(), cx.created())),
        |w| {
            w.value("GroupUUID", ROR.since(SINCE), group.uuid);
            w.text("GroupName", COR.since(SINCE), &group.name);
            w.text("GroupDescription", COR.since(SINCE), &group.description);
            w.text("GroupColor", COR.since(SINCE), &group.color);
            let partitions = group.partitions.iter().map(|uuid| {
                let there = cx.world.partitions.get(uuid);
                let system = there.map(|partition| partition.system);
                let system = system.or_else(|| cx.world.systems.keys().next().copied());
                let uuid = if there.is_some() { *uuid } else { Uuid::nil() };
                href(&format!(
                    "ManagedSystem/{}/LogicalPartition/{}",
                    system.unwrap_or_default(),
                    upper(uuid)
                ))
            });
            w.links("AssociatedLogicalPartitions", MEMBERS, partitions);
            let vioses = group.vioses.iter();
            w.links(
                "AssociatedVirtualIOServers",
                MEMBERS,
                vioses.map(|uuid| href(&format!("VirtualIOServer/{}", upper(*uuid)))),
            );
            let systems = group.systems.iter();
            w.links(
                "AssociatedManagedSystems",
                MEMBERS,
                systems.map(|uuid| href(&format!("ManagedSystem/{uuid}"))),
            );
        },
    );
    w.finish()
}
