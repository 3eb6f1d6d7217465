//! A virtual NIC changes: its VLAN, its restrictions, its backing devices.

use std::collections::BTreeSet;
use std::sync::Arc;
use uuid::Uuid;

use super::vnic::check_failover_priority;
use super::{BackingDevice, Vnic, VnicName, rules};
use crate::clock::Millis;
use crate::model::command::{BackingDeviceRequest, Outcome, UpdateVnic};
use crate::model::names::EventKind;
use crate::model::partition::Partition;
use crate::model::refusal::Refusal;
use crate::model::resource::{Owner, Resource};
use crate::model::world::World;

impl World {
    pub(in crate::model) fn update_vnic(
        &mut self,
        now: Millis,
        request: UpdateVnic,
    ) -> Result<Outcome, Refusal> {
        let owner = Owner::Partition(request.partition);
        let partition = self.existing(owner)?;
        let before = partition.vnics.get(&request.vnic).map(Arc::clone);
        let before =
            before.ok_or_else(|| Refusal::not_found("VirtualNICDedicated", request.vnic))?;
        let resource = Resource::VirtualNic {
            partition: request.partition,
            vnic: request.vnic,
        };
        let mut after = changed(&before, &request)?;
        let mut owners = BTreeSet::from([owner]);
        if let Some(posted) = &request.backing {
            owners.extend(self.change_backing(now, &partition, &mut after, posted)?);
        }
        if after == *before {
            return Ok(Outcome::Written(resource));
        }
        self.changeable(owner)?;
        if shows(&after) != shows(&before) {
            owners.extend(self.pass_on(&after));
        }
        after.version = self.touch();
        self.store_vnic(request.partition, after);
        self.announce(now, EventKind::ModifyUri, resource, "Other");
        self.settle_logical_ports(now, partition.system, &owners);
        Ok(Outcome::Written(resource))
    }

    /// Backing devices are known by their logical port, or, where the body has none, by server, adapter and port. What
    /// is left out goes, what is new gets a logical port.
    fn change_backing(
        &mut self,
        now: Millis,
        partition: &Partition,
        vnic: &mut Vnic,
        posted: &[BackingDeviceRequest],
    ) -> Result<BTreeSet<Owner>, Refusal> {
        self.check_capable(partition, posted.len())?;
        let mut left = vnic.backing.clone();
        let mut kept: Vec<Option<BackingDevice>> = Vec::new();
        for request in posted {
            let place = left
                .iter()
                .position(|device| self.is_meant(*device, request));
            let mut device = place.map(|place| left.remove(place));
            if let (Some(device), Some(priority)) = (&mut device, request.priority) {
                check_failover_priority(priority)?;
                device.priority = priority;
            }
            kept.push(device);
        }
        let mut owners = BTreeSet::new();
        for gone in &left {
            self.drop_backing(now, *gone);
            owners.insert(Owner::Vios(gone.vios));
        }
        let name = VnicName {
            partition: partition.uuid,
            vnic: vnic.uuid,
        };
        let mut backing = Vec::new();
        for (request, kept) in posted.iter().zip(kept) {
            let device = match kept {
                Some(device) => device,
                None => self.add_backing(now, partition, vnic, name, request)?,
            };
            owners.insert(Owner::Vios(device.vios));
            backing.push(device);
        }
        if backing == vnic.backing {
            return Ok(BTreeSet::new());
        }
        vnic.backing = backing;
        Ok(owners)
    }

    fn is_meant(&self, device: BackingDevice, request: &BackingDeviceRequest) -> bool {
        if let Some(port) = request.logical_port {
            return device.port == port;
        }
        let port = self.logical_port(Owner::Vios(device.vios), device.port);
        device.vios == request.vios
            && port.is_some_and(|port| (port.adapter, port.port) == (request.adapter, request.port))
    }

    /// The logical ports do as the virtual NIC says.
    fn pass_on(&mut self, vnic: &Vnic) -> BTreeSet<Owner> {
        let mut owners = BTreeSet::new();
        for device in &vnic.backing {
            let owner = Owner::Vios(device.vios);
            let Some(mut port) = self.logical_port(owner, device.port).cloned() else {
                continue;
            };
            port.vlan = vnic.vlan;
            port.priority = vnic.vlan_priority;
            port.allowed_vlans.clone_from(&vnic.allowed_vlans);
            port.allowed_macs.clone_from(&vnic.allowed_os_macs);
            port.version = self.touch();
            self.insert_logical_port(owner, port);
            owners.insert(owner);
        }
        owners
    }

    /// The server's own list of what it serves (`VirtualNICBackingDevices`), by virtual NIC.
    pub fn backing_devices_of(
        &self,
        vios: Uuid,
    ) -> impl Iterator<Item = (&Partition, &Vnic, BackingDevice)> {
        let ports = self
            .vioses
            .get(&vios)
            .into_iter()
            .flat_map(|server| server.partition.logical_ports.values());
        ports.filter_map(move |port| {
            let name = port.vnic?;
            let client = self.partitions.get(&name.partition)?;
            let vnic = client.vnics.get(&name.vnic)?;
            let device = vnic
                .backing
                .iter()
                .find(|device| device.port == port.uuid)?;
            Some((&**client, &**vnic, *device))
        })
    }
}

fn changed(before: &Vnic, request: &UpdateVnic) -> Result<Vnic, Refusal> {
    let mut after = before.clone();
    after.vlan = request.vlan.unwrap_or(after.vlan);
    after.vlan_priority = request.vlan_priority.unwrap_or(after.vlan_priority);
    after.auto_failover = request.auto_failover.unwrap_or(after.auto_failover);
    if request.allowed_vlans.is_some() {
        after.allowed_vlans = rules::allowed_vlans(request.allowed_vlans.as_deref())?;
    }
    if request.allowed_os_macs.is_some() {
        after.allowed_os_macs = rules::allowed_macs(request.allowed_os_macs.as_deref())?;
    }
    rules::check_vlan(after.vlan)?;
    rules::check_priority(after.vlan_priority)?;
    Ok(after)
}

/// What of a virtual NIC its logical ports have too.
fn shows(vnic: &Vnic) -> (u16, u8, &str, &str) {
    (
        vnic.vlan,
        vnic.vlan_priority,
        &vnic.allowed_vlans,
        &vnic.allowed_os_macs,
    )
}
