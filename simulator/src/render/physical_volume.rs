//! `PhysicalVolume`, as a Virtual I/O Server sees it and as a pool or a cluster lists it.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};

use super::storage;
use super::writer::{CUD, CUR, ROR, Writer};
use crate::model::storage::{PhysicalVolume, Transport, VolumeUsage};
use crate::model::vios::{Backing, VirtualIoServer};

/// What the label of a disk without one says, in base64 (`UNKNOWN`).
const UNKNOWN_LABEL: &str = "VU5LTk9XTg==";
/// Hexadecimal digits of a page 83 descriptor.
const DESCRIPTOR: usize = 32;

/// The whole element, the same in every list and mapping.
pub(crate) fn write(w: &mut Writer, volume: &PhysicalVolume, available: bool) {
    let from_storage = volume.transport != Transport::Local;
    w.member("PhysicalVolume", |w| {
        storage::options(w, &volume.options);
        w.text("Description", CUD, &volume.description);
        w.text("LocationCode", ROR, &volume.location);
        if from_storage {
            w.text("PersistentReserveKeyValue", ROR, "none");
        }
        w.value("ReservePolicy", CUD, volume.reserve_policy);
        let algorithm = if from_storage {
            "Round_Robin"
        } else {
            "Failover"
        };
        w.text("ReservePolicyAlgorithm", CUD, algorithm);
        w.optional("UniqueDeviceID", ROR, some(&volume.udid));
        w.value("AvailableForUsage", CUD, available);
        w.value("VolumeCapacity", CUR, volume.megabytes);
        w.text("VolumeName", CUR, &volume.name);
        w.value("VolumeState", ROR, volume.state);
        w.optional("VolumeUniqueID", ROR, some(&volume.unique_id));
        w.value("IsFibreChannelBacked", ROR, volume.is_fibre_channel());
        if from_storage {
            // Both in the cassette `refresher.yml`, the label also in `vscsibus_feed` of a NovaLink.
            w.text("StorageLabel", ROR.since("V1_3_0"), &label(volume));
            w.optional(
                "DescriptorPage83",
                ROR.since("V1_5_0"),
                descriptor(&volume.udid).as_deref(),
            );
        }
    });
}

/// The short form of a pool, a tier or a cluster (recordings `ssp`, `tier`, `cluster`).
pub(crate) fn write_of_pool(w: &mut Writer, volume: &PhysicalVolume, with_label: bool) {
    w.member("PhysicalVolume", |w| {
        w.text("Description", CUD, &volume.description);
        w.text("UniqueDeviceID", ROR, &volume.udid);
        w.value("VolumeCapacity", CUR, volume.megabytes);
        w.text("VolumeName", CUR, &volume.name);
        w.value("VolumeState", ROR, volume.state);
        w.value("IsFibreChannelBacked", ROR, volume.is_fibre_channel());
        if with_label {
            // Recorded of a tier (`tier`) and, in the cassette `refresher.yml`, of a pool.
            w.text("StorageLabel", ROR.since("V1_3_0"), &label(volume));
        }
    });
}

fn some(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty())
}

/// The name that the storage gave the volume, in base64.
fn label(volume: &PhysicalVolume) -> String {
    match &volume.label {
        Some(label) => STANDARD.encode(label),
        None => UNKNOWN_LABEL.to_owned(),
    }
}

/// Whether a client may have the volume: nobody uses it, and no mapping shows it.
pub(crate) fn is_available(vios: &VirtualIoServer, volume: &PhysicalVolume) -> bool {
    volume.usage == VolumeUsage::Unused
        && !vios.maps(&Backing::PhysicalVolume {
            name: volume.name.clone(),
        })
}

/// The page 83 descriptor in base64: the last 32 hexadecimal digits of what the UDID holds in base64 after its `01`.
fn descriptor(udid: &str) -> Option<String> {
    let encoded = udid.strip_prefix("01")?.trim_end_matches('=');
    let decoded = STANDARD_NO_PAD.decode(encoded).ok()?;
    let digits = decoded.get(decoded.len().checked_sub(DESCRIPTOR)?..)?;
    digits
        .iter()
        .all(u8::is_ascii_hexdigit)
        .then(|| STANDARD.encode(digits))
}

#[cfg(test)]
mod tests {
    /// Cassette `refresher.yml`.
    #[test]
    fn the_descriptor_is_the_end_of_the_udid() {
        let udid = "01M0lCTTIxNDU1MjQ2MDA1MDc2NDAwODEwMERDNDgwMDAwMDAwMDAwMkJGMA==";
        assert_eq!(
            super::descriptor(udid).unwrap(),
            "NjAwNTA3NjQwMDgxMDBEQzQ4MDAwMDAwMDAwMDJCRjA="
        );
        assert_eq!(super::descriptor("01short"), None);
        assert_eq!(super::descriptor("nonsense"), None);
    }
}
