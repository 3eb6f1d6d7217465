//! What a server's interfaces need on the destination.
//!
//! An interface on a shared Ethernet adapter needs its switch there, and a bridge for its VLAN, which the validation
//! of the migration checks. One on Open vSwitch needs a trunk adapter there, which is made before the server comes.

use std::collections::BTreeSet;

use super::data::{Prepared, SourceHost, SourceInterface, SourceTrunk};
use super::refused;
use crate::error::Result;
use crate::network::trunk::{Line, Trunk};
use crate::network::{Attachment, Mac, NetworkInterface};
use crate::operations::driver::Driver;
use crate::operations::trunk::{self, vlan_mappings};

/// Notes which of the interfaces have a trunk adapter on this host, the source. `lines` are their places.
///
/// # Errors
/// One is on the switch of Open vSwitch and has none; those of the requests.
pub(super) async fn look_for_trunks(
    driver: &Driver,
    partition: &str,
    interfaces: &mut [(SourceInterface, Option<Line>)],
) -> Result<()> {
    let switch = &driver.config().pvm_vswitch_for_novalink_io;
    if !interfaces.iter().any(|(of, _)| of.switch == *switch) {
        return Ok(());
    }
    let trunks = trunk::all(driver).await?;
    for (interface, line) in interfaces {
        if interface.switch != *switch {
            continue;
        }
        let partner = trunks.iter().find(|trunk| Some(trunk.line) == *line);
        let Some(trunk) = partner.and_then(of) else {
            return Err(refused(
                partition,
                format!(
                    "its interface {} has no trunk adapter to Open vSwitch",
                    interface.mac
                ),
                "detach the interface and attach it again",
            ));
        };
        interface.trunk = Some(trunk);
    }
    Ok(())
}

fn of(trunk: &Trunk) -> Option<SourceTrunk> {
    Some(SourceTrunk {
        instance: trunk.ids.instance()?,
        port: trunk.port()?,
        mtu: trunk.mtu,
    })
}

/// Whether the destination has what the interfaces need.
///
/// # Errors
/// A switch that is not there; Open vSwitch that is not; those of the requests.
pub(super) async fn check(driver: &Driver, source: &SourceHost) -> Result<()> {
    driver.shared.switches.forget().await;
    let switches = driver.switches().await?;
    for interface in &source.interfaces {
        // The switch of trunk adapters is made with the first of them.
        if interface.trunk.is_some() {
            trunk::host(driver).await?;
        } else if switches.named(&interface.switch).is_none() {
            let what = format!(
                "{} has no virtual switch {} for its interface {}",
                driver.shared.system.name, interface.switch, interface.mac
            );
            return Err(refused(
                &source.partition,
                what,
                "make the switch, or choose another host",
            ));
        }
    }
    Ok(())
}

/// Makes trunk adapters for the interfaces on Open vSwitch, and says what the migration is told of their VLANs.
///
/// # Errors
/// As [`Driver::prepare_trunks`].
pub(super) async fn prepare(driver: &Driver, source: &SourceHost) -> Result<Vec<String>> {
    let mut mappings = Vec::new();
    for (interface, trunk) in trunks_of(source) {
        let wanted = NetworkInterface {
            attachment: Attachment::Ovs(trunk.port.clone()),
            mac: Some(interface.mac),
            mtu: trunk.mtu,
            ..NetworkInterface::on_vlan(0)
        };
        let vlans = driver.prepare_trunks(trunk.instance, &[wanted]).await?;
        mappings.extend(vlan_mappings(&vlans));
    }
    Ok(mappings)
}

/// Takes back what [`prepare`] made, if the server did not come.
///
/// # Errors
/// Those of the requests.
pub(super) async fn take_back(driver: &Driver, source: &SourceHost) -> Result<()> {
    let macs: BTreeSet<Mac> = trunks_of(source).map(|(of, _)| of.mac).collect();
    if macs.is_empty() {
        return Ok(());
    }
    driver.take_back_trunks(&macs).await
}

fn trunks_of(source: &SourceHost) -> impl Iterator<Item = (&SourceInterface, &SourceTrunk)> {
    let interfaces = source.interfaces.iter();
    interfaces.filter_map(|interface| Some((interface, interface.trunk.as_ref()?)))
}

/// Whether VLANs of trunk adapters, which are others on the destination, are mapped: `OVSOverride`.
pub(super) fn has_trunks(prepared: &Prepared) -> bool {
    !prepared.vlan_mappings.is_empty()
}
