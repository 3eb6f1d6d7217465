//! `VirtualFibreChannelClientAdapter` and `VirtualSCSIClientAdapter`: storage adapters as their partition lists them.
//!
//! The former as in the recordings `vfc_client_adapter_feed` (NovaLink) and `refresher.yml` (HMC). The latter has no
//! recording: it has the elements of a mapping's client adapter, and the server adapter where the other kind has it.

use super::context::Context;
use super::fc_mapping::FcEnds;
use super::scsi_mapping::ScsiEnds;
use super::writer::{CUR, ROR, UOD, UOM, Writer};
use crate::model::partition::Partition;
use crate::model::vios::{FcMapping, ScsiBus, VirtualIoServer, client_uuid};

/// `VirtualFibreChannelClientAdapter`
pub(crate) fn render_fc(
    cx: &Context<'_>,
    partition: &Partition,
    vios: &VirtualIoServer,
    mapping: &FcMapping,
) -> String {
    let mut w = cx.writer(5 * 1024);
    let (Some(system), Some(client)) = (cx.world.systems.get(&partition.system), mapping.client)
    else {
        return String::new();
    };
    let ends = FcEnds {
        cx,
        machine: &system.machine,
        vios,
        mapping,
    };
    let id = client_uuid(partition.uuid, client.slot).to_string();
    let identity = Some((id.as_str(), cx.created()));
    w.root("VirtualFibreChannelClientAdapter", UOM, identity, |w| {
        ends.client_adapter(w, &client, |w| {
            let href = cx.vios(system.uuid, vios.partition.uuid);
            // Cassette `refresher.yml`.
            w.reference("ConnectingPartition", CUR, &href);
        });
        w.section("ServerAdapter", CUR, |w| ends.server_adapter(w));
        ends.wwpns(w, &client);
        // Cassette `refresher.yml`.
        w.section("NportLoggedInStatus", UOD, |w| {
            let reason = login_reason(client.slot, vios, mapping);
            for wwpn in client.wwpns {
                login(w, wwpn, &reason);
            }
        });
    });
    w.finish()
}

/// All 64 recorded statuses are unknown, those of ports that work included; only the reason differs.
fn login(w: &mut Writer, wwpn: u64, reason: &str) {
    w.member("VirtualFibreChannelNPortLoginStatus", |w| {
        w.value("WWPN", ROR, format_args!("{wwpn:016x}"));
        w.text("WWPNStatus", UOD, "Unknown");
        w.text("LoggedInBy", ROR.volatile(), "Unknown");
        w.text("StatusReason", ROR.volatile(), reason);
    });
}

/// What the console found when it asked the Virtual I/O Server.
fn login_reason(slot: u16, vios: &VirtualIoServer, mapping: &FcMapping) -> String {
    let (server, id) = (&vios.partition.name, vios.partition.id);
    if !vios.partition.rmc.is_up() {
        let text = format!(
            "HSCL2957 Either there is currently no RMC connection between the management console and the partition {server} or the partition does not support dynamic partitioning operations."
        );
        return reason("2957", &text, std::slice::from_ref(server));
    }
    if mapping.port.is_none() {
        let text = format!(
            "HSCLB022 The mapping of virtual fibre channel client adapter {slot} to virtual fibre channel server adapter {} on Virtual I/O Server partition {id} is not valid.",
            mapping.slot
        );
        let arguments = [slot, mapping.slot, id].map(|number| number.to_string());
        return reason("B022", &text, &arguments);
    }
    "MIG_PROP_DEFAULT_ENGLISH_MESSAGE=null, MIG_PROP_MESSAGE_ID=null, MIG_PROP_MESSAGE_PARMS=null, MIG_PROP_NLS_ENCODED_MSG_STRING=".to_owned()
}

fn reason(id: &str, text: &str, arguments: &[String]) -> String {
    const ARGUMENT: &str = "HSC_SERVER_ARG_DELIMETER";
    format!(
        "MIG_PROP_DEFAULT_ENGLISH_MESSAGE={text}, MIG_PROP_MESSAGE_ID={id}, MIG_PROP_MESSAGE_PARMS=[{}], MIG_PROP_NLS_ENCODED_MSG_STRING=HSC_SERVER_BEG_DELIMETERHSCCIMExceptionBundle{ARGUMENT}{id}{ARGUMENT} {ARGUMENT}{}{ARGUMENT}{}{ARGUMENT}HSC_SERVER_END_DELIMETER",
        arguments.join(", "),
        arguments.len(),
        arguments.join(ARGUMENT)
    )
}

/// `VirtualSCSIClientAdapter`
pub(crate) fn render_scsi(
    cx: &Context<'_>,
    partition: &Partition,
    vios: &VirtualIoServer,
    bus: &ScsiBus,
) -> String {
    let mut w = cx.writer(4 * 1024);
    let (Some(system), Some(client)) = (cx.world.systems.get(&partition.system), bus.client) else {
        return String::new();
    };
    let ends = ScsiEnds {
        machine: &system.machine,
        server: &vios.partition,
        bus,
    };
    let id = client_uuid(partition.uuid, client.slot).to_string();
    let identity = Some((id.as_str(), cx.created()));
    w.root(
        "VirtualSCSIClientAdapter",
        UOM,
        identity,
        |w: &mut Writer| {
            ends.client_adapter(w, &client);
            w.section("ServerAdapter", CUR, |w| {
                let backing = ends.backing_name(cx, vios);
                ends.server_adapter(w, backing.as_deref());
            });
        },
    );
    w.finish()
}
