//! Sizes of disks: bytes as images have them, gigabytes (of 2^30 bytes) as servers take them.

use powervm_schema::units::Gigabytes;

/// Gigabytes for so many bytes, rounded up to two decimals, as logical units are made.
#[must_use]
pub fn logical_unit_size(bytes: u64) -> Gigabytes {
    Gigabytes::holding(bytes).rounded_up_to(10_000)
}

/// Whole gigabytes for so many bytes, rounded up, as virtual disks are made.
#[must_use]
pub fn virtual_disk_size(bytes: u64) -> Gigabytes {
    Gigabytes::holding(bytes).rounded_up_to(1_000_000)
}

/// Bytes for people: two decimals, binary units.
#[must_use]
pub fn human(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["KiB", "MiB", "GiB", "TiB", "PiB"];
    if bytes < 1024 {
        return format!("{bytes} bytes");
    }
    let mut size = bytes as f64 / 1024.0;
    let mut unit = "KiB";
    for next in UNITS {
        unit = next;
        if size < 1024.0 {
            break;
        }
        size /= 1024.0;
    }
    format!("{size:.2} {unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const GIB: u64 = 1 << 30;

    #[test]
    fn logical_units_grow_in_hundredths_and_virtual_disks_in_whole_gigabytes() {
        for (bytes, unit, disk) in [
            (0, "0", "0"),
            (1, "0.01", "1"),
            (GIB / 2, "0.5", "1"),
            (GIB, "1", "1"),
            (GIB + 1, "1.01", "2"),
        ] {
            assert_eq!(logical_unit_size(bytes).to_string(), unit, "{bytes}");
            assert_eq!(virtual_disk_size(bytes).to_string(), disk, "{bytes}");
        }
    }

    #[test]
    fn sizes_for_people() {
        assert_eq!(human(1), "1 bytes");
        assert_eq!(human(1536), "1.50 KiB");
        assert_eq!(human(3 * GIB), "3.00 GiB");
    }
}
