//! Logical ports come, change and go.

use std::collections::BTreeSet;
use std::sync::Arc;
use uuid::Uuid;

use super::rules::{self, Share};
use super::{LogicalPort, VnicName};
use crate::clock::Millis;
use crate::model::command::{CreateLogicalPort, Outcome, UpdateLogicalPort};
use crate::model::names::EventKind;
use crate::model::partition::Partition;
use crate::model::refusal::Refusal;
use crate::model::resource::{Owner, Resource};
use crate::model::world::World;

impl World {
    pub(in crate::model) fn create_logical_port(
        &mut self,
        now: Millis,
        request: CreateLogicalPort,
    ) -> Result<Outcome, Refusal> {
        let owner = request.owner;
        let partition = self.changeable(owner)?;
        let system = partition.system;
        let port = self.new_logical_port(&partition, request, None)?;
        let resource = Resource::SriovEthernetLogicalPort {
            owner,
            port: port.uuid,
        };
        self.insert_logical_port(owner, port);
        self.announce(now, EventKind::AddUri, resource, "");
        self.settle_logical_ports(now, system, &BTreeSet::from([owner]));
        Ok(Outcome::Written(resource))
    }

    /// The logical port that the request makes on the partition, checked but not there yet.
    pub(super) fn new_logical_port(
        &mut self,
        partition: &Partition,
        request: CreateLogicalPort,
        vnic: Option<VnicName>,
    ) -> Result<LogicalPort, Refusal> {
        let configuration = match vnic {
            Some(_) => 0,
            None => free_configuration(partition, request.configuration)?,
        };
        let share = Share {
            adapter: request.adapter,
            port: request.port,
            configuration,
            capacity: request.capacity,
            maximum: request.maximum_capacity,
            promiscuous: request.promiscuous,
        };
        let (capacity, maximum_capacity) = self.check_share(partition.system, share, None)?;
        rules::check_vlan(request.vlan)?;
        rules::check_priority(request.priority)?;
        let number = self.free_logical_port(partition.system, request.adapter)?;
        let mac = match request.mac.as_deref().filter(|text| !text.is_empty()) {
            Some(text) => self.check_mac(partition, text)?,
            None => self.unused_mac(partition.system),
        };
        let device = match request.owner {
            Owner::Vios(vios) => self
                .vioses
                .get(&vios)
                .map(|server| Self::free_ethernet_device(server)),
            Owner::Partition(_) => None,
        };
        Ok(LogicalPort {
            uuid: self.ids.named_uuid(),
            configuration,
            number,
            adapter: request.adapter,
            port: request.port,
            capacity,
            maximum_capacity,
            vlan: request.vlan,
            priority: request.priority,
            promiscuous: request.promiscuous,
            diagnostic: request.diagnostic,
            debug: request.debug,
            huge_dma: request.huge_dma,
            allowed_macs: rules::allowed_macs(request.allowed_macs.as_deref())?,
            allowed_vlans: rules::allowed_vlans(request.allowed_vlans.as_deref())?,
            mac,
            vnic,
            device,
            version: self.touch(),
        })
    }

    pub(in crate::model) fn update_logical_port(
        &mut self,
        now: Millis,
        request: UpdateLogicalPort,
    ) -> Result<Outcome, Refusal> {
        let owner = request.owner;
        let partition = self.existing(owner)?;
        let before = partition.logical_ports.get(&request.port).map(Arc::clone);
        let before =
            before.ok_or_else(|| Refusal::not_found("SRIOVEthernetLogicalPort", request.port))?;
        let mut after = (*before).clone();
        after.vlan = request.vlan.unwrap_or(after.vlan);
        after.priority = request.priority.unwrap_or(after.priority);
        after.promiscuous = request.promiscuous.unwrap_or(after.promiscuous);
        after.diagnostic = request.diagnostic.unwrap_or(after.diagnostic);
        after.debug = request.debug.unwrap_or(after.debug);
        if request.allowed_macs.is_some() {
            after.allowed_macs = rules::allowed_macs(request.allowed_macs.as_deref())?;
        }
        if request.allowed_vlans.is_some() {
            after.allowed_vlans = rules::allowed_vlans(request.allowed_vlans.as_deref())?;
        }
        after.capacity = request.capacity.unwrap_or(after.capacity);
        after.maximum_capacity = request.maximum_capacity.unwrap_or(after.maximum_capacity);
        let resource = Resource::SriovEthernetLogicalPort {
            owner,
            port: request.port,
        };
        if after == *before {
            return Ok(Outcome::Written(resource));
        }
        if before.is_for_vnic() {
            return Err(Refusal::logic(
                "The logical port backs a virtual NIC and is changed through it.",
            ));
        }
        self.changeable(owner)?;
        let capacity = (after.capacity, after.maximum_capacity);
        if capacity != (before.capacity, before.maximum_capacity)
            && partition.state.holds_resources()
        {
            return Err(Refusal::logic(
                "HSCL127D The SR-IOV logical port operation failed. The capacity of a logical port cannot change while its partition is active.",
            ));
        }
        let share = Share {
            adapter: after.adapter,
            port: after.port,
            configuration: after.configuration,
            capacity: Some(after.capacity),
            maximum: Some(after.maximum_capacity),
            promiscuous: after.promiscuous,
        };
        self.check_share(partition.system, share, Some(before.uuid))?;
        rules::check_vlan(after.vlan)?;
        rules::check_priority(after.priority)?;
        if before.promiscuous && !after.promiscuous {
            self.check_not_bridged(owner, &before)?;
        }
        after.version = self.touch();
        self.insert_logical_port(owner, after);
        self.announce(now, EventKind::ModifyUri, resource, "Other");
        self.settle_logical_ports(now, partition.system, &BTreeSet::from([owner]));
        Ok(Outcome::Written(resource))
    }

    pub(in crate::model) fn delete_logical_port(
        &mut self,
        now: Millis,
        owner: Owner,
        port: Uuid,
    ) -> Result<Outcome, Refusal> {
        let partition = self.existing(owner)?;
        let logical = partition.logical_ports.get(&port).map(Arc::clone);
        let logical =
            logical.ok_or_else(|| Refusal::not_found("SRIOVEthernetLogicalPort", port))?;
        if logical.is_for_vnic() {
            return Err(Refusal::logic(
                "The logical port backs a virtual NIC and goes with it.",
            ));
        }
        self.changeable(owner)?;
        self.check_not_bridged(owner, &logical)?;
        let resource = Resource::SriovEthernetLogicalPort { owner, port };
        self.announce(now, EventKind::DeleteUri, resource, "");
        self.remove_logical_port(owner, port);
        self.settle_logical_ports(now, partition.system, &BTreeSet::from([owner]));
        Ok(Outcome::Deleted(resource))
    }

    fn check_not_bridged(&self, owner: Owner, logical: &LogicalPort) -> Result<(), Refusal> {
        let Owner::Vios(vios) = owner else {
            return Ok(());
        };
        let bridged = self.vioses.get(&vios).is_some_and(|server| {
            let mut shared = server.shared_ethernet.iter();
            shared.any(|sea| Some(sea.backing_device.as_str()) == logical.device.as_deref())
        });
        if bridged {
            return Err(Refusal::logic(
                "The logical port is behind a shared Ethernet adapter.",
            ));
        }
        Ok(())
    }

    pub(super) fn insert_logical_port(&mut self, owner: Owner, port: LogicalPort) {
        self.edit_partition(owner, |partition| {
            partition.logical_ports.insert(port.uuid, Arc::new(port));
        });
    }

    pub(super) fn remove_logical_port(&mut self, owner: Owner, port: Uuid) {
        self.edit_partition(owner, |partition| {
            partition.logical_ports.remove(&port);
        });
    }

    /// The devices of the owners have changed, and what the system's physical ports have left.
    pub(in crate::model) fn settle_logical_ports(
        &mut self,
        now: Millis,
        system: Uuid,
        owners: &BTreeSet<Owner>,
    ) {
        for owner in owners {
            if let Owner::Vios(vios) = owner {
                self.edit_vios(*vios, |server, version| server.network_version = version);
            }
            self.announce_partition(now, *owner, "Other");
        }
        self.touch_system(now, system);
    }
}

/// The lowest free number, or the one wished for.
fn free_configuration(partition: &Partition, wish: Option<u16>) -> Result<u16, Refusal> {
    let own = partition
        .logical_ports
        .values()
        .filter(|port| !port.is_for_vnic());
    let used: BTreeSet<u16> = own.map(|port| port.configuration).collect();
    match wish {
        Some(id) if used.contains(&id) => Err(Refusal::logic(format!(
            "HSCL127D The SR-IOV logical port operation failed. HSCL1288 The logical port with configuration ID {id} is already assigned."
        ))),
        Some(id) => Ok(id),
        None => (0..=u16::MAX).find(|id| !used.contains(id)).ok_or_else(|| {
            Refusal::logic("The partition has no configuration ID left for a logical port.")
        }),
    }
}
