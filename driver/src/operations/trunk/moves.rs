//! Trunk adapters of a server that moves to another host while it runs: its adapters come along, their partners do not.
//!
//! On the destination a partner is made beforehand, on a VLAN that is free there, and the job is told the VLAN
//! ([`vlan_mappings`]). It carries a mark until the server is there, so that nobody takes it for an orphan, whatever
//! happens to the driver meanwhile. Nothing of it has to be remembered: whatever was made is found again by the
//! addresses of the server's adapters.

use std::collections::{BTreeMap, BTreeSet};

use powervm_schema::network::ClientNetworkAdapter;
use uuid::Uuid;

use super::{Driver, Wanted, all, create, delete, of_server, orphans};
use crate::error::{Error, ErrorKind, Result};
use crate::network::{Attachment, Mac, NetworkInterface, OvsPort};
use crate::partition::PartitionUuid;
use crate::rest::Groups;
use crate::transaction::{Changed, edit};

/// The VLANs that a server's adapters will have on the destination, by their addresses. It travels to the source.
pub type TrunkVlans = BTreeMap<Mac, u16>;

impl Driver {
    /// The destination, before: makes a trunk adapter for each interface on Open vSwitch and says on which VLANs. What an
    /// earlier try left for these addresses goes first. If one cannot be made, none is left.
    ///
    /// # Errors
    /// An interface without an address, no management partition, no free VLAN; those of the requests.
    pub async fn prepare_trunks(
        &self,
        instance: Uuid,
        interfaces: &[NetworkInterface],
    ) -> Result<TrunkVlans> {
        let ports = ports(interfaces)?;
        if ports.is_empty() {
            return Ok(TrunkVlans::new());
        }
        super::host(self).await?;
        let macs: BTreeSet<Mac> = ports.iter().map(|(mac, ..)| *mac).collect();
        self.take_back_trunks(&macs).await?;
        let mut vlans = TrunkVlans::new();
        for (mac, port, mtu) in ports {
            let wanted = Wanted {
                port,
                mac,
                instance,
                mtu,
                arriving: true,
            };
            match create(self, &wanted).await {
                Ok(reserved) => {
                    vlans.insert(mac, reserved.vlan);
                }
                Err(error) => {
                    if let Err(left) = self.take_back_trunks(&macs).await {
                        tracing::warn!(%left, "trunk adapters of a server that does not come are left");
                    }
                    return Err(error);
                }
            }
        }
        Ok(vlans)
    }

    /// The destination, when the server is there: its trunk adapters are like any others.
    ///
    /// # Errors
    /// Those of the requests.
    pub async fn confirm_trunks(&self, instance: Uuid) -> Result<()> {
        for trunk in of_server(self, PartitionUuid::of_instance(instance)).await? {
            if !trunk.ids.is_arriving() {
                continue;
            }
            let ids = trunk.ids.clone().arrived().text();
            edit(self.session(), &trunk.path, Groups::None, |document| {
                ClientNetworkAdapter(document).set_ovs_port_external_ids(&ids);
                Ok(Changed::Yes)
            })
            .await?;
        }
        Ok(())
    }

    /// The destination, when the server does not come, and the source, when it is gone: removes the trunk adapters of
    /// these addresses whose partner is not on this host, and no others. VLANs are not asked for: somebody else may have
    /// them by now.
    ///
    /// # Errors
    /// Those of the requests.
    pub async fn take_back_trunks(&self, macs: &BTreeSet<Mac>) -> Result<()> {
        let mut trunks = all(self).await?;
        trunks.retain(|trunk| trunk.ids.mac().is_some_and(|mac| macs.contains(&mac)));
        delete(self, &orphans::among(self, trunks).await?).await
    }

    /// The source, once the server is gone: removes the trunk adapters that name it.
    ///
    /// # Errors
    /// Adapters of the server are still here; those of the requests.
    pub async fn depart_trunks(&self, instance: Uuid) -> Result<()> {
        let partition = PartitionUuid::of_instance(instance);
        let trunks = of_server(self, partition).await?;
        let count = trunks.len();
        let alone = orphans::among(self, trunks).await?;
        delete(self, &alone).await?;
        if alone.len() == count {
            return Ok(());
        }
        Err(Error::operation(
            ErrorKind::Precondition,
            format!("partition {partition} still has adapters on this host"),
            "wait until it has moved",
        ))
    }
}

fn ports(interfaces: &[NetworkInterface]) -> Result<Vec<(Mac, &OvsPort, Option<u32>)>> {
    let mut ports = Vec::new();
    for interface in interfaces {
        let Attachment::Ovs(port) = &interface.attachment else {
            continue;
        };
        port.check().map_err(|wrong| {
            Error::invalid(
                format!("the interface's port cannot be: {wrong}"),
                "name it so",
            )
        })?;
        let mac = interface.mac.ok_or_else(|| {
            Error::invalid(
                format!("the interface {} has no address", port.interface),
                "give the address that the server's adapter has",
            )
        })?;
        ports.push((mac, port, interface.mtu));
    }
    Ok(ports)
}

/// What the migration job is told of the VLANs: `FA163E000001/7,FA163E000002/8`; none when there is nothing to tell.
#[must_use]
pub fn vlan_mappings(vlans: &TrunkVlans) -> Option<String> {
    let pairs: Vec<String> = vlans
        .iter()
        .map(|(mac, vlan)| format!("{}/{vlan}", mac.rest()))
        .collect();
    (!pairs.is_empty()).then(|| pairs.join(","))
}
