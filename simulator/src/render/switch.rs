//! `VirtualSwitch` and `VirtualNetwork`, children of a managed system. Recordings `vswitch_feed`, `nbbr_virtual_network`.

use super::context::Context;
use super::writer::{COD, CUD, CUR, ROR, UOM};
use crate::model::network::{VirtualNetwork, VirtualSwitch};
use crate::model::system::ManagedSystem;

/// `VirtualSwitch`. An HMC writes the name of switch 0 as `ETHERNET0(Default)`, a NovaLink does not.
pub(crate) fn render(cx: &Context<'_>, system: &ManagedSystem, switch: &VirtualSwitch) -> String {
    let mut w = cx.writer(1024);
    w.root(
        "VirtualSwitch",
        UOM,
        Some((&switch.uuid.to_string(), cx.created())),
        |w| {
            w.value("SwitchID", ROR, switch.id);
            w.value("SwitchMode", CUD, switch.mode);
            if cx.is_hmc() && switch.id == 0 {
                w.text("SwitchName", CUD, &format!("{}(Default)", switch.name));
            } else {
                w.text("SwitchName", CUD, &switch.name);
            }
            let networks = system
                .networks
                .values()
                .filter(|network| network.switch == switch.uuid);
            w.links(
                "VirtualNetworks",
                CUD,
                networks
                    .map(|network| cx.system_child(system.uuid, "VirtualNetwork", network.uuid)),
            );
        },
    );
    w.finish()
}

/// `VirtualNetwork`
pub(crate) fn render_network(
    cx: &Context<'_>,
    system: &ManagedSystem,
    network: &VirtualNetwork,
) -> String {
    let mut w = cx.writer(1024);
    w.root(
        "VirtualNetwork",
        UOM,
        Some((&network.uuid.to_string(), cx.created())),
        |w| {
            w.reference(
                "AssociatedSwitch",
                COD,
                &cx.system_child(system.uuid, "VirtualSwitch", network.switch),
            );
            w.text("NetworkName", CUR, &network.name);
            w.value("NetworkVLANID", COD, network.vlan);
            w.value("VswitchID", ROR, network.switch_id);
            w.value("TaggedNetwork", COD, network.tagged);
        },
    );
    w.finish()
}
