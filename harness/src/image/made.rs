//! A small disk image that looks bootable to POWER firmware.

use rand::Rng;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// The name of the image in the image service.
pub const MADE_NAME: &str = "powervm-harness-boot";

const SECTOR: usize = 512;
const PREP_START: usize = 2048;
const PREP_SECTORS: usize = 2048;
const ROOT_START: usize = PREP_START + PREP_SECTORS;
const ROOT_SECTORS: usize = 10_240;

/// The bytes of the image: 7 MiB with a DOS partition table, an active PowerPC PReP boot partition (type 0x41, where
/// POWER firmware looks for a boot loader) that starts with a big-endian 32-bit PowerPC ELF header, and a Linux
/// partition of noise. The same bytes every time.
#[must_use]
pub fn bootable() -> Vec<u8> {
    let mut disk = vec![0_u8; (ROOT_START + ROOT_SECTORS) * SECTOR];
    let mut put = |at: usize, bytes: &[u8]| {
        if let Some(place) = disk.get_mut(at..at + bytes.len()) {
            place.copy_from_slice(bytes);
        }
    };

    put(440, b"PVMH");
    put(446, &partition(true, 0x41, PREP_START, PREP_SECTORS));
    put(462, &partition(false, 0x83, ROOT_START, ROOT_SECTORS));
    put(510, &[0x55, 0xaa]);
    put(PREP_START * SECTOR, &elf_header());

    // Noise, so that a block that is lost, doubled or swapped on the way changes the checksum.
    put(ROOT_START * SECTOR, &noise(ROOT_SECTORS * SECTOR));
    disk
}

/// So many bytes of noise, the same every time.
#[must_use]
pub(super) fn noise(length: usize) -> Vec<u8> {
    let mut noise = vec![0_u8; length];
    ChaCha8Rng::seed_from_u64(0x0050_4f57_4552).fill_bytes(&mut noise);
    noise
}

/// An entry of the partition table; the cylinder fields say "use the sector numbers".
fn partition(active: bool, kind: u8, start: usize, sectors: usize) -> [u8; 16] {
    let mut entry = [0_u8; 16];
    let fields: [(usize, &[u8]); 5] = [
        (0, &[if active { 0x80 } else { 0 }, 0xfe, 0xff, 0xff]),
        (4, &[kind]),
        (5, &[0xfe, 0xff, 0xff]),
        (8, &(start as u32).to_le_bytes()),
        (12, &(sectors as u32).to_le_bytes()),
    ];
    for (at, bytes) in fields {
        for (to, from) in entry.iter_mut().skip(at).zip(bytes) {
            *to = *from;
        }
    }
    entry
}

/// The header of an executable as a boot loader for this firmware has it: ELF32, big-endian, PowerPC.
fn elf_header() -> [u8; 52] {
    let mut header = [0_u8; 52];
    let fields: [(usize, &[u8]); 6] = [
        (0, &[0x7f, b'E', b'L', b'F', 1, 2, 1]),
        (16, &2_u16.to_be_bytes()),
        (18, &20_u16.to_be_bytes()),
        (20, &1_u32.to_be_bytes()),
        (24, &0x0020_0000_u32.to_be_bytes()),
        (40, &52_u16.to_be_bytes()),
    ];
    for (at, bytes) in fields {
        for (to, from) in header.iter_mut().skip(at).zip(bytes) {
            *to = *from;
        }
    }
    header
}

#[cfg(test)]
mod tests {
    use super::bootable;

    #[test]
    fn it_has_a_boot_partition_where_firmware_looks() {
        let disk = bootable();
        assert_eq!(disk.len(), 7 << 20);
        assert_eq!(&disk[510..512], [0x55, 0xaa]);
        assert_eq!((disk[446], disk[450]), (0x80, 0x41));
        let start =
            u32::from_le_bytes(disk[454..458].try_into().expect("four bytes")) as usize * 512;
        assert_eq!(&disk[start..start + 7], b"\x7fELF\x01\x02\x01");
        assert!(
            disk[disk.len() - 512..].iter().any(|byte| *byte != 0),
            "noise to the end"
        );
    }
}
