//! Disks, adapters and ports with the identities that real ones carry.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::collections::BTreeMap;
use std::sync::Arc;
use uuid::Uuid;

use super::network::FIRST_SLOT;
use super::{DiskInventory, InventoryError, VolumeGroupInventory, san};
use crate::model::ids::Ids;
use crate::model::names::{EncryptionState, ReservePolicy, VolumeState};
use crate::model::san::{San, discovered};
use crate::model::storage::{
    LuksEncryptor, MediaRepository, PhysicalVolume, StorageOptions, Transport, VolumeGroup,
    VolumeUsage,
};
use crate::model::units::Gigabytes;
use crate::model::vios::{FcAdapter, FcPort};

/// A disk as a Virtual I/O Server reports it (recordings `fake_vios_ssp_npiv.txt`, `fake_volume_group.txt`).
pub(super) fn physical_volume(
    disk: &DiskInventory,
    san: &mut San,
    place: (Option<&FcPort>, &str),
    ids: &mut Ids,
) -> PhysicalVolume {
    let plain = plain_volume(disk, san, place, ids);
    let policy = disk
        .reserve_policy
        .as_deref()
        .and_then(ReservePolicy::parse);
    PhysicalVolume {
        options: storage_options(disk.read_iops, disk.write_iops, disk.encrypted),
        reserve_policy: policy.unwrap_or(plain.reserve_policy),
        ..plain
    }
}

/// Limits of a disk, and encryption with the ciphers of recording `fake_vios_ssp_npiv`.
pub(super) fn storage_options(
    read_iops: Option<u32>,
    write_iops: Option<u32>,
    encrypted: bool,
) -> StorageOptions {
    StorageOptions {
        read_iops,
        write_iops,
        encryption_state: encrypted.then_some(EncryptionState::Unlocked),
        encryption: encrypted.then(|| LuksEncryptor {
            cipher: Some("aes-cbc-essiv:sha256".to_owned()),
            key_size: Some(512),
            hash: Some("sha512".to_owned()),
        }),
        tag: None,
    }
}

fn plain_volume(
    disk: &DiskInventory,
    san: &mut San,
    (port, adapter): (Option<&FcPort>, &str),
    ids: &mut Ids,
) -> PhysicalVolume {
    if let Some(volume) = &disk.san {
        let (volume, lun) = san::volume_of(san, volume, disk.gb, ids);
        let location = match port {
            Some(port) => port.location.clone(),
            None => format!("{adapter}-T1"),
        };
        let path = (san::OWN_TARGET, lun);
        let mut found = discovered::fibre_channel(disk.name.clone(), &volume, &location, path);
        if let Some(udid) = &disk.udid {
            found.udid.clone_from(udid);
        }
        return found;
    }
    let serial = ids.hex(16).to_uppercase();
    let short = |digits: usize| serial.get(..digits).unwrap_or_default();
    PhysicalVolume {
        name: disk.name.clone(),
        udid: disk.udid.clone().unwrap_or_else(|| {
            format!(
                "01{}",
                STANDARD.encode(format!("1IBM     IPR-0   {serial}"))
            )
        }),
        unique_id: format!("391BIBMIPR-0   {serial}10IPR-0   {}03IBMsas", short(8)),
        megabytes: disk.gb.saturating_mul(1024),
        description: "SAS RAID 0 Disk Array".to_owned(),
        location: format!("{adapter}-R1-L{}-L0", short(10)),
        state: VolumeState::Active,
        reserve_policy: ReservePolicy::NoReserve,
        transport: Transport::Local,
        label: None,
        options: StorageOptions::default(),
        naa: None,
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

/// Fibre Channel adapters with two ports each in these slots.
pub(super) fn fc_adapters(
    ports: u16,
    unit: &str,
    slots: impl Iterator<Item = u32>,
    fabrics: usize,
    ids: &mut Ids,
) -> Vec<FcAdapter> {
    let numbers: Vec<u16> = (0..ports).collect();
    let adapters = numbers.chunks(2).zip(slots);
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
                        fabric: usize::from(*number)
                            .checked_rem(fabrics)
                            .unwrap_or_default(),
                    }
                });
            let ports = ports.collect();
            FcAdapter {
                description: "8 Gigabit PCI Express Dual Port Fibre Channel Adapter".to_owned(),
                location,
                id: FIRST_SLOT.saturating_add(slot),
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
