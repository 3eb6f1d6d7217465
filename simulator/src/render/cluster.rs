//! `Cluster`. Recording `cluster`.

use super::context::Context;
use super::physical_volume;
use super::writer::{COR, CUD, CUR, ROR, UOM, Writer};
use crate::model::pool::{Cluster, Node};
use crate::model::system::MachineId;

/// The resource's own element.
pub(crate) fn render(cx: &Context<'_>, cluster: &Cluster) -> String {
    let mut w = cx.writer(4096);
    w.root(
        "Cluster",
        UOM,
        Some((&cluster.uuid.to_string(), cx.created())),
        |w| {
            w.text("ClusterName", COR, &cluster.name);
            w.text("ClusterID", CUD, &cluster.id);
            w.section("RepositoryDisk", CUD, |w| {
                physical_volume::write_of_pool(w, &cluster.repository, false)
            });
            w.reference(
                "ClusterSharedStoragePool",
                CUD,
                &cx.href(&format!("SharedStoragePool/{}", cluster.pool)),
            );
            w.section("Node", CUD, |w| {
                for node in &cluster.nodes {
                    write_node(w, cx, node);
                }
            });
        },
    );
    w.finish()
}

/// The link to the server runs through its system: nova looks for its own system's UUID in it. A NovaLink has none for
/// nodes on other systems (pypowervm reads the link as optional for that reason).
fn write_node(w: &mut Writer, cx: &Context<'_>, node: &Node) {
    let known = cx.world.whole.as_deref().unwrap_or(cx.world);
    let Some(vios) = known.vioses.get(&node.vios) else {
        return;
    };
    let Some(system) = known.systems.get(&vios.partition.system) else {
        return;
    };
    let own = cx.world.vioses.contains_key(&node.vios);
    w.member("Node", |w| {
        w.text("HostName", CUD, &node.host);
        w.value("PartitionID", CUD, vios.partition.id);
        w.section("MachineTypeModelAndSerialNumber", CUD, |w| {
            machine(w, &system.machine)
        });
        w.text("VirtualIOServerLevel", CUD, &vios.level);
        if own {
            w.reference("VirtualIOServer", CUD, &cx.vios(system.uuid, node.vios));
        }
        w.text(
            "State",
            ROR.since("V1_3_0"),
            if vios.partition.rmc.is_up() {
                "Up"
            } else {
                "Down"
            },
        );
    });
}

/// The three parts of a machine's identity where nobody may set them.
pub(crate) fn machine_read_only(w: &mut Writer, machine: &MachineId) {
    w.text("MachineType", ROR, &machine.machine_type);
    w.text("Model", ROR, &machine.model);
    w.text("SerialNumber", ROR, &machine.serial);
}

/// The three parts of a machine's identity.
pub(crate) fn machine(w: &mut Writer, machine: &MachineId) {
    w.text("MachineType", CUR, &machine.machine_type);
    w.text("Model", CUR, &machine.model);
    w.text("SerialNumber", CUR, &machine.serial);
}
