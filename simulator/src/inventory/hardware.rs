//! Disks, adapters and ports with the identities that real ones carry.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::collections::BTreeMap;
use std::sync::Arc;
use uuid::Uuid;

use super::{DiskInventory, InventoryError, VolumeGroupInventory};
use crate::model::ids::Ids;
use crate::model::names::{ReservePolicy, VolumeState};
use crate::model::storage::{MediaRepository, PhysicalVolume, VolumeGroup, VolumeUsage};
use crate::model::units::Gigabytes;
use crate::model::vios::{FcAdapter, FcPort};

/// The identity of each SAN volume, shared by the Virtual I/O Servers that see it.
#[derive(Debug, Default)]
pub(super) struct San {
    names: BTreeMap<String, String>,
}

impl San {
    /// The NAA name of a volume: 32 hexadecimal digits, upper case.
    fn naa(&mut self, volume: &str, ids: &mut Ids) -> String {
        let make = || format!("60050768{}", ids.hex(24).to_uppercase());
        self.names
            .entry(volume.to_owned())
            .or_insert_with(make)
            .clone()
    }
}

/// A disk as a Virtual I/O Server reports it (recordings `fake_vios_ssp_npiv.txt`, `fake_volume_group.txt`).
pub(super) fn physical_volume(
    disk: &DiskInventory,
    index: usize,
    san: &mut San,
    unit: &str,
    ids: &mut Ids,
) -> PhysicalVolume {
    let (description, udid, unique_id, location, naa) = if let Some(volume) = &disk.san {
        let naa = san.naa(volume, ids);
        (
            "MPIO IBM 2076 FC Disk",
            format!("01{}", STANDARD.encode(format!("3IBM2145{}{naa}", "24C"))),
            format!("33213{naa}04214503IBMfcp"),
            format!("{unit}-P1-C3-T1-W500507680300104A-L{index:X}000000000000"),
            Some(naa),
        )
    } else {
        let serial = ids.hex(16).to_uppercase();
        (
            "SAS RAID 0 Disk Array",
            format!(
                "01{}",
                STANDARD.encode(format!("1IBM     IPR-0   {serial}"))
            ),
            format!(
                "391BIBMIPR-0   {serial}10IPR-0   {}03IBMsas",
                serial.get(..8).unwrap_or_default()
            ),
            format!(
                "{unit}-P1-C14-R1-L{}-L0",
                serial.get(..10).unwrap_or_default()
            ),
            None,
        )
    };
    PhysicalVolume {
        name: disk.name.clone(),
        udid,
        unique_id,
        megabytes: disk.gb.saturating_mul(1024),
        description: description.to_owned(),
        location,
        state: VolumeState::Active,
        reserve_policy: ReservePolicy::NoReserve,
        fibre_channel: naa.is_some(),
        naa,
        usage: VolumeUsage::Unused,
        content: None,
    }
}

/// A volume group over disks that are taken for it.
pub(super) fn volume_group(
    inventory: &VolumeGroupInventory,
    disks: &mut [PhysicalVolume],
    ids: &mut Ids,
) -> Result<Arc<VolumeGroup>, InventoryError> {
    let uuid = ids.named_uuid();
    let mut capacity = Gigabytes::ZERO;
    for name in &inventory.disks {
        let disk = disks
            .iter_mut()
            .find(|disk| disk.name == *name)
            .ok_or_else(|| missing("disk", name))?;
        if disk.usage != VolumeUsage::Unused {
            return Err(InventoryError::Inconsistent(format!(
                "disk {name} is in more than one volume group or pool"
            )));
        }
        disk.usage = VolumeUsage::VolumeGroup(uuid);
        capacity = capacity.plus(Gigabytes::from_megabytes(disk.megabytes));
    }
    let group = VolumeGroup {
        uuid,
        name: inventory.name.clone(),
        serial: format!("00f8d6de{}", ids.hex(24)),
        capacity,
        reserved: Gigabytes::whole(inventory.reserved_gb),
        partition_size: 64,
        maximum_volumes: 1024,
        physical_volumes: inventory.disks.clone(),
        disks: imbl::OrdMap::new(),
        next_disk: 1,
        repository: inventory.repository_gb.map(|gb| MediaRepository {
            name: "VMLibrary".to_owned(),
            size: Gigabytes::whole(gb),
            media: imbl::OrdMap::new(),
        }),
        version: 0,
    };
    if group.allocated() > group.capacity {
        return Err(InventoryError::Inconsistent(format!(
            "volume group {} is smaller than what lies in it",
            group.name
        )));
    }
    Ok(Arc::new(group))
}

/// Fibre Channel adapters with two ports each, from slot C3 of the enclosure on.
pub(super) fn fc_adapters(
    ports: u16,
    unit: &str,
    first_slot: u16,
    ids: &mut Ids,
) -> Vec<FcAdapter> {
    let numbers: Vec<u16> = (0..ports).collect();
    let adapters = numbers.chunks(2).zip(first_slot..);
    adapters
        .map(|(numbers, slot)| {
            let location = format!("{unit}-P1-C{slot}");
            let ports = numbers
                .iter()
                .zip(1..)
                .map(|(number, position): (&u16, u16)| {
                    let serial = ids.between(0, 0xff_ffff);
                    FcPort {
                        name: format!("fcs{number}"),
                        location: format!("{location}-T{position}"),
                        wwpn: 0x1000_0090_fa00_0000 | serial,
                        wwnn: 0x2000_0090_fa00_0000 | serial,
                        total: 64,
                        available: 64,
                    }
                });
            let ports = ports.collect();
            FcAdapter {
                description: "8 Gigabit PCI Express Dual Port Fibre Channel Adapter".to_owned(),
                location,
                id: 553_713_664 + u32::from(slot),
                ports,
            }
        })
        .collect()
}

pub(super) fn missing(kind: &str, name: &str) -> InventoryError {
    InventoryError::Inconsistent(format!("there is no {kind} named {name}"))
}

/// The UUID of the thing with this name, for lookups while building.
pub(super) type Named = BTreeMap<String, Uuid>;
