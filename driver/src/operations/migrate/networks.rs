//! What a server's interfaces need on the destination.
//!
//! An interface on a shared Ethernet adapter needs its switch there, and a bridge for its VLAN, which the validation
//! of the migration checks.

use super::data::{Prepared, SourceHost};
use super::refused;
use crate::error::Result;
use crate::operations::driver::Driver;

/// Whether the destination has what the interfaces need.
///
/// # Errors
/// A switch that is not there; those of the request.
pub(super) async fn check(driver: &Driver, source: &SourceHost) -> Result<()> {
    driver.shared.switches.forget().await;
    let switches = driver.switches().await?;
    for interface in &source.interfaces {
        if switches.named(&interface.switch).is_none() {
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

/// Whether VLANs of trunk adapters, which are others on the destination, are mapped: `OVSOverride`.
pub(super) fn has_trunks(prepared: &Prepared) -> bool {
    !prepared.vlan_mappings.is_empty()
}
