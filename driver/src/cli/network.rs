//! `powervm network …`

use std::collections::BTreeSet;

use super::agent;
use super::arguments::{BridgeVerb, NetworkVerb};
use super::dry_run;
use super::output::{Output, Table};
use crate::error::Result;
use crate::operations::{BridgeInfo, Control, Driver, Prune, Pruned, SriovInfo, TrunkInfo};

pub(super) async fn run(
    driver: &Driver,
    verb: &NetworkVerb,
    output: &Output,
    control: &Control,
) -> Result<()> {
    match verb {
        NetworkVerb::Bridge(verb) => bridge(driver, verb, output, control).await,
        NetworkVerb::Agent(asked) => agent::run(driver, asked, output, control).await,
        NetworkVerb::Sriov => output.print(&driver.sriov().await?, ports),
        NetworkVerb::Trunks { sweep: true } => {
            let alone = driver.trunks().await?;
            let alone = alone.iter().filter(|trunk| trunk.alone && !trunk.arriving);
            let would = format!("remove {} trunk adapters without a server", alone.count());
            dry_run::instead(control, &would)?;
            output.print(&driver.sweep_trunks().await?, |all| trunks(all))
        }
        NetworkVerb::Trunks { .. } => output.print(&driver.trunks().await?, |all| trunks(all)),
    }
}

async fn bridge(
    driver: &Driver,
    verb: &BridgeVerb,
    output: &Output,
    control: &Control,
) -> Result<()> {
    match verb {
        BridgeVerb::List => output.print(&driver.bridges().await?, |all| bridges(all)),
        BridgeVerb::EnsureVlan { vlan, which } => {
            let vlans = vlan.iter().copied().collect();
            let bridge = driver.provision(&which.bridge(), &vlans, control).await?;
            output.print(&bridge, |bridge| bridges(std::slice::from_ref(bridge)))
        }
        BridgeVerb::PruneVlans { keep, limit, which } => {
            let prune = Prune {
                keep: keep.iter().copied().collect(),
                limit: *limit,
            };
            let pruned = driver.prune(&which.bridge(), &prune, control).await?;
            output.print(&pruned, shown)
        }
    }
}

fn numbers(vlans: &BTreeSet<u16>) -> String {
    let numbers: Vec<String> = vlans.iter().map(ToString::to_string).collect();
    numbers.join(" ")
}

fn bridges(all: &[BridgeInfo]) -> Table {
    let mut table = Table::with(&[
        "ID",
        "Switch",
        "Adapters",
        "Untagged",
        "Load group",
        "VLANs",
    ]);
    for bridge in all {
        let adapters: Vec<String> = bridge
            .adapters
            .iter()
            .map(|adapter| format!("{}:{}", adapter.device, adapter.virtual_io_server))
            .collect();
        for group in &bridge.groups {
            table.row([
                bridge.id.clone(),
                bridge.switch.clone().unwrap_or_default(),
                adapters.join(" "),
                bridge.port_vlan.to_string(),
                group.port_vlan.to_string(),
                numbers(&group.vlans),
            ]);
        }
    }
    table
}

fn shown(pruned: &Pruned) -> Table {
    let mut table = Table::of_fields();
    table
        .field("bridge", &pruned.bridge)
        .field("removed", numbers(&pruned.removed))
        .field("vlans", numbers(&pruned.vlans));
    table
}

fn ports(info: &SriovInfo) -> Table {
    let mut table = Table::with(&[
        "Adapter",
        "Port",
        "Location",
        "Network",
        "State",
        "Link",
        "Allocated",
        "Usable",
    ]);
    let number = |number: Option<u16>| number.map(|number| number.to_string()).unwrap_or_default();
    let yes = |is: bool| if is { "yes" } else { "no" }.to_owned();
    for port in &info.ports {
        table.row([
            number(port.adapter),
            number(port.port),
            port.location.clone(),
            port.label
                .clone()
                .unwrap_or_else(|| "(no label)".to_owned()),
            port.state.clone(),
            yes(port.link),
            port.allocated.clone().unwrap_or_default(),
            yes(port.usable),
        ]);
    }
    table
}

fn trunks(all: &[TrunkInfo]) -> Table {
    let mut table = Table::with(&["Device", "Bridge", "VLAN", "MAC", "Instance", "State"]);
    for trunk in all {
        let state = match (trunk.arriving, trunk.alone) {
            (true, _) => "waits for its server",
            (false, true) => "its server is gone",
            (false, false) => "in use",
        };
        table.row([
            trunk.device.clone(),
            trunk.bridge.clone(),
            trunk.vlan.to_string(),
            trunk.mac.map(|mac| mac.to_string()).unwrap_or_default(),
            trunk.instance.map(|id| id.to_string()).unwrap_or_default(),
            state.to_owned(),
        ]);
    }
    table
}
