//! Requests that tests send, filled in where it does not matter.

use powervm_simulator::model::command::*;
use powervm_simulator::model::names::*;
use powervm_simulator::model::storage::StorageOptions;
use powervm_simulator::model::units::{Gigabytes, ProcUnits};
use powervm_simulator::model::{Command, Owner};
use uuid::Uuid;

pub(crate) fn shared(units: u32, processors: u16) -> ProcessorRequest {
    let units = Some(ProcUnits::from_hundredths(units));
    ProcessorRequest {
        dedicated: Some(false),
        sharing: Some(SharingMode::Uncapped),
        minimum_units: units,
        desired_units: units,
        maximum_units: units,
        minimum_virtual: Some(processors),
        desired_virtual: Some(processors),
        maximum_virtual: Some(processors),
        ..ProcessorRequest::default()
    }
}

pub(crate) fn dedicated(processors: u16) -> ProcessorRequest {
    ProcessorRequest {
        dedicated: Some(true),
        sharing: Some(SharingMode::SharedIdle),
        minimum_processors: Some(processors),
        desired_processors: Some(processors),
        maximum_processors: Some(processors),
        ..ProcessorRequest::default()
    }
}

pub(crate) fn unit(
    tier: Uuid,
    name: &str,
    gigabytes: u64,
    cloned_from: Option<String>,
) -> CreateLogicalUnit {
    CreateLogicalUnit {
        tier,
        name: name.to_owned(),
        capacity: Gigabytes::whole(gigabytes),
        thin: None,
        kind: None,
        cloned_from,
    }
}

pub(crate) fn mapping(client: Uuid, storage: StorageName) -> ScsiMapping {
    ScsiMapping {
        client: Some(client),
        storage: Some(storage),
        ..ScsiMapping::default()
    }
}

pub(crate) fn lu(udid: &str) -> StorageName {
    StorageName::LogicalUnit {
        udid: Some(udid.to_owned()),
        name: None,
    }
}

pub(crate) fn hdisk(name: &str) -> StorageName {
    StorageName::PhysicalVolume {
        udid: None,
        name: Some(name.to_owned()),
    }
}

pub(crate) fn vdisk(name: &str) -> StorageName {
    StorageName::VirtualDisk {
        udid: None,
        name: Some(name.to_owned()),
    }
}

pub(crate) fn medium(name: &str) -> StorageName {
    StorageName::OpticalMedium {
        name: name.to_owned(),
    }
}

pub(crate) fn disk(name: &str, gigabytes: u64) -> DiskRequest {
    DiskRequest {
        udid: None,
        name: name.to_owned(),
        label: None,
        capacity: Gigabytes::whole(gigabytes),
        base_image: None,
        kind: None,
        file_format: None,
        options: StorageOptions::default(),
    }
}

pub(crate) fn adapter(owner: Owner) -> CreateNetworkAdapter {
    CreateNetworkAdapter {
        owner,
        slot: SlotChoice::Next,
        mac: None,
        vlan: 1,
        tagged_vlans: Vec::new(),
        tagged: None,
        switch: None,
        allowed_os_macs: None,
        quality_of_service: None,
        enabled: None,
        required: None,
        station: None,
        trunk: None,
        mtu: None,
        ovs_bridge: None,
        ovs_external_ids: None,
    }
}

pub(crate) fn delete_partition(partition: Uuid) -> Command {
    Command::DeletePartition {
        partition,
        reset_serial_number: false,
    }
}
