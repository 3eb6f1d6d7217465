//! Virtual NICs come and go; with them logical ports on the Virtual I/O Servers.

use std::collections::BTreeSet;
use std::sync::Arc;
use uuid::Uuid;

use super::rules;
use super::{BACKING_DEVICES, BackingDevice, Vnic, VnicName};
use crate::clock::Millis;
use crate::model::command::{BackingDeviceRequest, CreateLogicalPort, CreateVnic, Outcome};
use crate::model::names::EventKind;
use crate::model::partition::Partition;
use crate::model::refusal::Refusal;
use crate::model::resource::{Owner, Resource};
use crate::model::world::World;

/// `FailOverPriority` of a device for which none was said (cassette `refresher.yml`).
const PRIORITY: u8 = 50;

impl World {
    pub(in crate::model) fn create_vnic(
        &mut self,
        now: Millis,
        request: CreateVnic,
    ) -> Result<Outcome, Refusal> {
        let owner = Owner::Partition(request.partition);
        let partition = self.changeable(owner)?;
        let count = request.backing.len();
        self.check_capable(&partition, count)?;
        rules::check_vlan(request.vlan)?;
        rules::check_priority(request.vlan_priority)?;
        let slot = self.free_slot(owner, request.slot)?;
        let mac = match request.mac.as_deref().filter(|text| !text.is_empty()) {
            Some(text) => self.check_mac(&partition, text)?,
            None => self.made_mac(&partition, slot),
        };
        let name = VnicName {
            partition: request.partition,
            vnic: self.ids.named_uuid(),
        };
        let mut vnic = Vnic {
            uuid: name.vnic,
            slot,
            mac,
            vlan: request.vlan,
            vlan_priority: request.vlan_priority,
            allowed_vlans: rules::allowed_vlans(request.allowed_vlans.as_deref())?,
            allowed_os_macs: rules::allowed_macs(request.allowed_os_macs.as_deref())?,
            auto_failover: request.auto_failover.unwrap_or(true),
            backing: Vec::new(),
            version: self.touch(),
        };
        // The NIC first, so that its address is taken when those of its logical ports are made.
        self.store_vnic(request.partition, vnic.clone());
        let mut servers = BTreeSet::new();
        for device in &request.backing {
            let device = self.add_backing(now, &partition, &vnic, name, device)?;
            servers.insert(Owner::Vios(device.vios));
            vnic.backing.push(device);
        }
        self.store_vnic(request.partition, vnic);
        let resource = Resource::VirtualNic {
            partition: request.partition,
            vnic: name.vnic,
        };
        self.announce(now, EventKind::AddUri, resource, "");
        servers.insert(owner);
        self.settle_logical_ports(now, partition.system, &servers);
        Ok(Outcome::Written(resource))
    }

    pub(in crate::model) fn delete_vnic(
        &mut self,
        now: Millis,
        partition: Uuid,
        vnic: Uuid,
    ) -> Result<Outcome, Refusal> {
        let owner = Owner::Partition(partition);
        let there = self.existing(owner)?;
        let gone = there.vnics.get(&vnic).map(Arc::clone);
        let gone = gone.ok_or_else(|| Refusal::not_found("VirtualNICDedicated", vnic))?;
        self.changeable(owner)?;
        let resource = Resource::VirtualNic { partition, vnic };
        self.announce(now, EventKind::DeleteUri, resource, "");
        let mut owners = self.take_vnic(now, partition, &gone);
        owners.insert(owner);
        self.settle_logical_ports(now, there.system, &owners);
        Ok(Outcome::Deleted(resource))
    }

    /// Takes the virtual NICs and logical ports of a partition that goes, or leaves, away.
    pub(in crate::model) fn remove_sriov_of(&mut self, now: Millis, uuid: Uuid) {
        let Some(partition) = self.partitions.get(&uuid).map(Arc::clone) else {
            return;
        };
        if partition.vnics.is_empty() && partition.logical_ports.is_empty() {
            return;
        }
        let mut owners = BTreeSet::new();
        for vnic in partition.vnics.values() {
            owners.extend(self.take_vnic(now, uuid, vnic));
        }
        for port in partition.logical_ports.keys() {
            self.remove_logical_port(Owner::Partition(uuid), *port);
        }
        self.settle_logical_ports(now, partition.system, &owners);
    }

    /// Removes a virtual NIC and its logical ports; the Virtual I/O Servers that had them.
    fn take_vnic(&mut self, now: Millis, partition: Uuid, vnic: &Vnic) -> BTreeSet<Owner> {
        let mut owners = BTreeSet::new();
        for device in &vnic.backing {
            self.drop_backing(now, *device);
            owners.insert(Owner::Vios(device.vios));
        }
        self.edit_partition(Owner::Partition(partition), |partition| {
            partition.vnics.remove(&vnic.uuid);
        });
        owners
    }

    /// The logical port of a new backing device.
    pub(in crate::model) fn add_backing(
        &mut self,
        now: Millis,
        partition: &Partition,
        vnic: &Vnic,
        name: VnicName,
        request: &BackingDeviceRequest,
    ) -> Result<BackingDevice, Refusal> {
        let server = self
            .vioses
            .get(&request.vios)
            .filter(|server| server.partition.system == partition.system)
            .map(Arc::clone)
            .ok_or_else(|| Refusal::not_found("VirtualIOServer", request.vios))?;
        if !server.partition.state.holds_resources() {
            return Err(Refusal::logic(format!(
                "Virtual I/O Server {} does not run and cannot serve a virtual NIC.",
                server.partition.name
            )));
        }
        let owner = Owner::Vios(request.vios);
        self.changeable(owner)?;
        let priority = request.priority.unwrap_or(PRIORITY);
        check_failover_priority(priority)?;
        let port = CreateLogicalPort {
            capacity: request.capacity,
            maximum_capacity: request.maximum_capacity,
            vlan: vnic.vlan,
            priority: vnic.vlan_priority,
            allowed_macs: Some(vnic.allowed_os_macs.clone()),
            allowed_vlans: Some(vnic.allowed_vlans.clone()),
            ..CreateLogicalPort::on(owner, request.adapter, request.port)
        };
        let port = self.new_logical_port(&server.partition, port, Some(name))?;
        let device = BackingDevice {
            vios: request.vios,
            port: port.uuid,
            priority,
        };
        let resource = Resource::SriovEthernetLogicalPort {
            owner,
            port: port.uuid,
        };
        self.insert_logical_port(owner, port);
        self.announce(now, EventKind::AddUri, resource, "");
        Ok(device)
    }

    pub(super) fn drop_backing(&mut self, now: Millis, device: BackingDevice) {
        let owner = Owner::Vios(device.vios);
        let resource = Resource::SriovEthernetLogicalPort {
            owner,
            port: device.port,
        };
        self.announce(now, EventKind::DeleteUri, resource, "");
        self.remove_logical_port(owner, device.port);
    }

    /// What the system has to offer for so many backing devices.
    pub(super) fn check_capable(
        &self,
        partition: &Partition,
        devices: usize,
    ) -> Result<(), Refusal> {
        let capabilities = self
            .systems
            .get(&partition.system)
            .map(|system| &system.capabilities);
        if !capabilities.is_some_and(|capabilities| capabilities.vnic) {
            return Err(Refusal::logic(
                "The managed system does not support virtual NICs.",
            ));
        }
        if devices == 0 || devices > BACKING_DEVICES {
            return Err(Refusal::logic(format!(
                "A virtual NIC has 1 to {BACKING_DEVICES} backing devices."
            )));
        }
        if devices > 1 && !capabilities.is_some_and(|capabilities| capabilities.vnic_failover) {
            return Err(Refusal::logic(
                "The managed system does not support virtual NICs with several backing devices.",
            ));
        }
        Ok(())
    }

    pub(in crate::model) fn store_vnic(&mut self, partition: Uuid, vnic: Vnic) {
        self.edit_partition(Owner::Partition(partition), |partition| {
            partition.vnics.insert(vnic.uuid, Arc::new(vnic));
        });
    }
}

pub(super) fn check_failover_priority(priority: u8) -> Result<(), Refusal> {
    if (1..=100).contains(&priority) {
        return Ok(());
    }
    Err(Refusal::logic(format!(
        "The failover priority {priority} is not valid: priorities run from 1 to 100."
    )))
}
