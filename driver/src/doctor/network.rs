//! Switches, and the bridges that lead outside.

use powervm_schema::network::NetworkBridge;

use super::Diagnosis;
use crate::config::Config;
use crate::host::System;
use crate::host::switches::{MANAGEMENT, Switches};
use crate::rest::{Flavor, Groups, Session};

pub(super) async fn examine(
    session: &Session,
    system: &System,
    config: &Config,
    diagnosis: &mut Diagnosis,
) {
    let read = Switches::read(session, &system.uuid).await;
    let Some(switches) = diagnosis.needed("virtual switches", read) else {
        return;
    };
    if let Some(switch) = diagnosis.needed("virtual switch", switches.bridged()) {
        diagnosis.good("virtual switch", format!("{} is there", switch.name));
    }
    // Only a NovaLink partition has such a switch to talk to the others.
    if config.use_rmc_mgmt_vif && session.flavor() == Flavor::NovaLink {
        let about = "management switch";
        if switches.named(MANAGEMENT).is_some() {
            diagnosis.good(about, format!("{MANAGEMENT} is there"));
        } else {
            let found = format!("there is no {MANAGEMENT}: servers get no management interface");
            let remedy =
                "live with it when their own networks reach the console, or make the switch";
            diagnosis.odd(about, found, remedy);
        }
    }
    let path = format!("ManagedSystem/{}/NetworkBridge", system.uuid);
    let read = session.get_feed(&path, Groups::None).await;
    let Some(feed) = diagnosis.wanted("network bridges", read) else {
        return;
    };
    if feed.entries.is_empty() {
        let found =
            "there is none: no VLAN leads out of the host through a shared Ethernet adapter";
        let remedy = "make one, or use SR-IOV ports";
        diagnosis.odd("network bridges", found, remedy);
    }
    for entry in &feed.entries {
        let bridge = NetworkBridge(&entry.content);
        let adapters: Vec<&str> = bridge
            .shared_ethernet_adapters()
            .filter_map(|adapter| adapter.device_name())
            .collect();
        let vlan = bridge.port_vlan().ok().flatten();
        let about = vlan.map_or_else(
            || "network bridge".to_owned(),
            |vlan| format!("network bridge of VLAN {vlan}"),
        );
        diagnosis.good(
            about,
            format!("shared Ethernet adapters {}", adapters.join(", ")),
        );
    }
}
