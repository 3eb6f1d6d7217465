//! A partition goes, and with it every adapter that led to it.

use std::sync::Arc;
use uuid::Uuid;

use crate::clock::Millis;
use crate::model::command::Outcome;
use crate::model::names::{EventKind, PartitionState};
use crate::model::refusal::Refusal;
use crate::model::resource::Resource;
use crate::model::world::World;

impl World {
    /// Removes the partition, its network adapters and both ends of its virtual SCSI adapters. That the server ends go
    /// as well was captured on an HMC V10R3 (`docs/protocol/partitions.md`); the storage stays.
    pub(in crate::model) fn delete_partition(
        &mut self,
        now: Millis,
        uuid: Uuid,
        reset_serial_number: bool,
    ) -> Result<Outcome, Refusal> {
        let partition = self.partitions.get(&uuid).map(Arc::clone);
        let partition = partition.ok_or_else(|| Refusal::not_found("LogicalPartition", uuid))?;
        if partition.is_management {
            return Err(Refusal::logic(
                "The management partition cannot be deleted.",
            ));
        }
        if partition.console_open {
            return Err(Refusal::logic(format!(
                "HSCL151B Partition {} cannot be deleted because a virtual terminal is open. Close it and try again.",
                partition.name
            )));
        }
        if partition.state != PartitionState::NotActivated {
            return Err(Refusal::logic(format!(
                "HSCL05DF Partition {} is {}. It must be not activated to be deleted.",
                partition.name, partition.state
            )));
        }
        let resource = Resource::LogicalPartition(uuid);
        self.announce(now, EventKind::DeleteUri, resource, "");
        if let Some(number) = &partition.serial_number {
            self.release_serial_number(now, partition.system, number, reset_serial_number);
        }
        self.remove_buses_of(now, uuid);
        self.remove_sriov_of(now, uuid);
        self.remove_fc_mappings_of(now, uuid);
        self.release_io_slots(partition.system, uuid);
        self.partitions.remove(&uuid);
        self.derive_networks(now, partition.system);
        self.touch_system(now, partition.system);
        Ok(Outcome::Deleted(resource))
    }
}
