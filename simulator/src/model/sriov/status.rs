//! How the backing devices of a virtual NIC do, worked out from what they stand on.

use uuid::Uuid;

use super::{BackingDevice, Percent, Vnic};
use crate::model::names::{BackingState, PartitionState, SriovMode, SriovState};
use crate::model::resource::Owner;
use crate::model::world::World;

/// One backing device as it shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BackingStatus {
    /// The device.
    pub device: BackingDevice,
    /// `Status`
    pub state: BackingState,
    /// `IsActive`: traffic runs through it.
    pub active: bool,
}

impl World {
    /// The backing devices of a virtual NIC. Of those that are well the one with the lowest priority is active; if none
    /// is well, the one with the lowest priority all the same (cassette `refresher.yml`: active and `LINK_DOWN`).
    #[must_use]
    pub fn backing_statuses(&self, vnic: &Vnic) -> Vec<BackingStatus> {
        let states: Vec<(BackingDevice, BackingState)> = vnic
            .backing
            .iter()
            .map(|device| (*device, self.backing_state(*device)))
            .collect();
        let rank = |(place, (device, state)): &(usize, &(BackingDevice, BackingState))| {
            let preference = if vnic.auto_failover {
                device.priority
            } else {
                0
            };
            (*state != BackingState::Operational, preference, *place)
        };
        let active = states.iter().enumerate().min_by_key(rank);
        let active = active.map(|(place, _)| place);
        states
            .iter()
            .enumerate()
            .map(|(place, (device, state))| BackingStatus {
                device: *device,
                state: *state,
                active: Some(place) == active,
            })
            .collect()
    }

    fn backing_state(&self, device: BackingDevice) -> BackingState {
        let Some(server) = self.vioses.get(&device.vios) else {
            return BackingState::Unknown;
        };
        if server.partition.state != PartitionState::Running {
            return BackingState::PoweredOff;
        }
        let Some(port) = server.partition.logical_ports.get(&device.port) else {
            return BackingState::Unknown;
        };
        let system = self.systems.get(&server.partition.system);
        let adapter = system.and_then(|system| system.sriov_adapter(port.adapter));
        let Some(adapter) = adapter.filter(|adapter| {
            adapter.state == SriovState::Running && adapter.mode == SriovMode::Sriov
        }) else {
            return BackingState::AdapterError;
        };
        let link = adapter
            .ports
            .iter()
            .any(|physical| physical.id == port.port && physical.link);
        if link {
            BackingState::Operational
        } else {
            BackingState::LinkDown
        }
    }

    /// The capacity of the active backing device (`DesiredCapacityPercentage`).
    #[must_use]
    pub fn vnic_capacity(&self, vnic: &Vnic) -> Option<Percent> {
        let statuses = self.backing_statuses(vnic);
        let active = statuses.iter().find(|status| status.active)?.device;
        let port = self.logical_port(Owner::Vios(active.vios), active.port)?;
        Some(port.capacity)
    }

    /// The versions of everything that a virtual NIC's document shows.
    pub(in crate::model) fn vnic_versions(&self, partition: Uuid, vnic: &Vnic) -> Vec<u64> {
        let mut versions = vec![vnic.version];
        for status in self.backing_statuses(vnic) {
            let port = self.logical_port(Owner::Vios(status.device.vios), status.device.port);
            versions.push(port.map_or(0, |port| port.version));
            versions.push(status.state as u64 * 2 + u64::from(status.active));
        }
        let up = self.partitions.get(&partition);
        versions.push(u64::from(
            up.is_some_and(|partition| partition.state == PartitionState::Running),
        ));
        versions.push(u64::from(up.is_some_and(|partition| partition.rmc.is_up())));
        versions
    }
}
