//! The physical volume that a volume of the storage becomes on a Virtual I/O Server.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{IscsiAccess, SanVolume};
use crate::model::names::{ReservePolicy, VolumeState};
use crate::model::storage::{PhysicalVolume, StorageOptions, Transport, VolumeUsage};

/// What a Fibre Channel disk's UDID holds before its NAA name: length, vendor and product (recordings
/// `fake_vios_ssp_npiv`, `vscsibus_feed`).
const FC_PRODUCT: &str = "3IBM2145524";
/// The same of an iSCSI disk.
const ISCSI_PRODUCT: &str = "3IBM2145iSC";

/// A disk over Fibre Channel, found through the port at `location` at a target under a number.
#[must_use]
pub fn fibre_channel(
    name: String,
    volume: &SanVolume,
    location: &str,
    (target, lun): (u64, u32),
) -> PhysicalVolume {
    PhysicalVolume {
        description: "MPIO IBM 2076 FC Disk".to_owned(),
        location: format!("{location}-W{target:016X}-L{lun:X}000000000000"),
        unique_id: unique_id(volume, "04214503IBMfcp"),
        udid: udid(volume, FC_PRODUCT),
        transport: Transport::FibreChannel { target, lun },
        ..disk(name, volume)
    }
}

/// A disk over iSCSI.
#[must_use]
pub fn iscsi(name: String, volume: &SanVolume, access: &IscsiAccess, unit: &str) -> PhysicalVolume {
    PhysicalVolume {
        description: "MPIO IBM 2145 iSCSI Disk".to_owned(),
        location: format!("{unit}-Tiscsi0-W{}-L{:X}", access.iqn, access.lun),
        unique_id: unique_id(volume, "04214505IBMiscsi"),
        udid: udid(volume, ISCSI_PRODUCT),
        transport: Transport::Iscsi {
            iqn: access.iqn.clone(),
            lun: access.lun,
        },
        ..disk(name, volume)
    }
}

fn disk(name: String, volume: &SanVolume) -> PhysicalVolume {
    PhysicalVolume {
        name,
        udid: String::new(),
        unique_id: String::new(),
        megabytes: volume.megabytes,
        description: String::new(),
        location: String::new(),
        state: VolumeState::Active,
        reserve_policy: ReservePolicy::NoReserve,
        transport: Transport::Local,
        label: Some(volume.name.clone()),
        options: StorageOptions::default(),
        naa: volume.naa.clone(),
        usage: VolumeUsage::Unused,
        content: volume.content,
    }
}

/// `01` and the base64 of product and NAA name; nothing for a volume that does not tell its name.
fn udid(volume: &SanVolume, product: &str) -> String {
    let encoded = |naa: &String| format!("01{}", STANDARD.encode(format!("{product}{naa}")));
    volume.naa.as_ref().map(encoded).unwrap_or_default()
}

fn unique_id(volume: &SanVolume, end: &str) -> String {
    let whole = |naa: &String| format!("33213{naa}{end}");
    volume.naa.as_ref().map(whole).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::super::{Access, FibreChannelAccess};
    use super::*;
    use uuid::Uuid;

    /// Recording `vscsibus_feed`.
    #[test]
    fn a_disk_has_the_identity_that_real_ones_have() {
        let volume = SanVolume {
            uuid: Uuid::nil(),
            name: "volume".to_owned(),
            megabytes: 10_240,
            naa: Some("6005076400810094B000000000006452".to_owned()),
            access: Access::FibreChannel(FibreChannelAccess::default()),
            content: None,
        };
        let disk = fibre_channel(
            "hdisk10".to_owned(),
            &volume,
            "U78C9.001.WZS094N-P1-C12-T1",
            (0x5005_0768_0B22_447B, 10),
        );
        assert_eq!(
            disk.udid,
            "01M0lCTTIxNDU1MjQ2MDA1MDc2NDAwODEwMDk0QjAwMDAwMDAwMDAwNjQ1Mg=="
        );
        assert_eq!(
            disk.unique_id,
            "3321360050764008100".to_owned() + "94B00000000000645204214503IBMfcp"
        );
        assert_eq!(
            disk.location,
            "U78C9.001.WZS094N-P1-C12-T1-W500507680B22447B-LA000000000000"
        );
    }
}
