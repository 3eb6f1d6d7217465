//! How much of a physical port is given away, and who has it.

use std::collections::BTreeSet;
use uuid::Uuid;

use super::{LOGICAL_PORTS, LogicalPort, Percent, SriovAdapter, SriovPort, Vnic};
use crate::model::partition::Partition;
use crate::model::resource::Owner;
use crate::model::system::ManagedSystem;
use crate::model::world::World;

impl ManagedSystem {
    /// The shared adapter with this `SRIOVAdapterID`.
    #[must_use]
    pub fn sriov_adapter(&self, id: u16) -> Option<&SriovAdapter> {
        self.sriov_adapters
            .iter()
            .find(|adapter| adapter.id == Some(id))
    }

    /// A physical port by the numbers of its adapter and its own.
    #[must_use]
    pub fn sriov_port(&self, adapter: u16, port: u16) -> Option<&SriovPort> {
        let mut ports = self.sriov_adapter(adapter)?.ports.iter();
        ports.find(|candidate| candidate.id == port)
    }
}

impl World {
    /// The logical ports of a system with their partitions.
    pub fn logical_ports_of(
        &self,
        system: Uuid,
    ) -> impl Iterator<Item = (&Partition, &LogicalPort)> {
        self.all_partitions_of(system).flat_map(|partition| {
            let ports = partition.logical_ports.values();
            ports.map(move |port| (partition, &**port))
        })
    }

    /// The logical ports on a physical port.
    pub fn logical_ports_on(
        &self,
        system: Uuid,
        adapter: u16,
        port: u16,
    ) -> impl Iterator<Item = (&Partition, &LogicalPort)> {
        self.logical_ports_of(system)
            .filter(move |(_, logical)| logical.adapter == adapter && logical.port == port)
    }

    /// `AllocatedCapacity` of a physical port.
    #[must_use]
    pub fn allocated_capacity(&self, system: Uuid, adapter: u16, port: u16) -> Percent {
        self.logical_ports_on(system, adapter, port)
            .map(|(_, logical)| logical.capacity)
            .sum()
    }

    /// Which of an adapter's logical ports nobody has (`UnconfiguredLogicalPorts`).
    #[must_use]
    pub fn unconfigured_ports(&self, system: Uuid, adapter: u16) -> Vec<u16> {
        let used: BTreeSet<u16> = self
            .logical_ports_of(system)
            .filter(|(_, logical)| logical.adapter == adapter)
            .map(|(_, logical)| logical.number)
            .collect();
        (1..=LOGICAL_PORTS)
            .filter(|number| !used.contains(number))
            .collect()
    }

    /// `LocationCode` of a logical port: that of its physical port and `-S` with its number.
    #[must_use]
    pub fn logical_port_location(&self, system: Uuid, logical: &LogicalPort) -> String {
        let port = self
            .systems
            .get(&system)
            .and_then(|system| system.sriov_port(logical.adapter, logical.port));
        let port = port.map_or("", |port| port.location.as_str());
        format!("{port}-S{}", logical.number)
    }

    /// A logical port.
    #[must_use]
    pub fn logical_port(&self, owner: Owner, port: Uuid) -> Option<&LogicalPort> {
        self.partition(owner)?
            .logical_ports
            .get(&port)
            .map(|port| &**port)
    }

    /// A virtual NIC.
    #[must_use]
    pub fn vnic(&self, partition: Uuid, vnic: Uuid) -> Option<&Vnic> {
        self.partitions
            .get(&partition)?
            .vnics
            .get(&vnic)
            .map(|vnic| &**vnic)
    }
}
