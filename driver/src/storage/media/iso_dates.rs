//! Gives every record of an ISO 9660 image the same date.
//!
//! Dates stand in the volume descriptors (ECMA-119 8.4.26 to 8.4.29), in every directory record
//! (9.1.5) and in the Rock Ridge `TF` entries behind those.

const SECTOR: usize = 2048;
const FIRST_DESCRIPTOR: usize = 16;
const PRIMARY: u8 = 1;
const SUPPLEMENTARY: u8 = 2;
const TERMINATOR: u8 = 255;
/// Where a volume descriptor has its root directory's record.
const ROOT_RECORD: usize = 156;
/// Where a volume descriptor has its creation and modification date, 17 characters each.
const DESCRIPTOR_DATES: std::ops::Range<usize> = 813..847;
/// Depth of directories that the format allows, Rock Ridge's more generous one included.
const MAX_DEPTH: usize = 32;

/// A date in the two forms that the format has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct IsoDate {
    binary: [u8; 7],
    digits: [u8; 17],
}

impl IsoDate {
    /// The date so many seconds after the Unix epoch, in UTC; the format knows the years 1900 to 2155.
    pub(super) fn of(seconds: i64) -> Option<Self> {
        let (day, time) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
        let (year, month, day) = civil(day);
        let years = u8::try_from(year.checked_sub(1900)?).ok()?;
        let time = u32::try_from(time).ok()?;
        let (hour, minute, second) = (time / 3600, time / 60 % 60, time % 60);
        let mut digits = [0; 17];
        let text = format!("{year:04}{month:02}{day:02}{hour:02}{minute:02}{second:02}00");
        digits.get_mut(..16)?.copy_from_slice(text.as_bytes());
        let small = |number: u32| u8::try_from(number).ok();
        let binary = [
            years,
            small(month)?,
            small(day)?,
            small(hour)?,
            small(minute)?,
            small(second)?,
            0,
        ];
        Some(Self { binary, digits })
    }
}

/// Year, month and day of so many days after 1970-01-01, in the proleptic Gregorian calendar.
///
/// The year is counted from March, so that the leap day comes last and months follow a line.
fn civil(days: i64) -> (i64, u32, u32) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let day_of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 {
        from_march + 3
    } else {
        from_march - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    // All three are small and positive by construction.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    (year, month as u32, day as u32)
}

/// Sets every date in the image. `None` when the image is not laid out as the standard wants.
pub(super) fn set_dates(image: &mut [u8], date: IsoDate) -> Option<()> {
    for sector in FIRST_DESCRIPTOR.. {
        let at = sector * SECTOR;
        match *image.get(at)? {
            TERMINATOR => return Some(()),
            PRIMARY | SUPPLEMENTARY => {
                let dates =
                    image.get_mut(at + DESCRIPTOR_DATES.start..at + DESCRIPTOR_DATES.end)?;
                for digits in dates.chunks_exact_mut(date.digits.len()) {
                    digits.copy_from_slice(&date.digits);
                }
                date_record(image, at + ROOT_RECORD, date)?;
                let root = extent(image, at + ROOT_RECORD)?;
                date_directory(image, root, date, MAX_DEPTH)?;
            }
            _ => {}
        }
    }
    None
}

fn date_directory(
    image: &mut [u8],
    (start, length): (usize, usize),
    date: IsoDate,
    depth: usize,
) -> Option<()> {
    let depth = depth.checked_sub(1)?;
    let (mut at, end) = (start, start.checked_add(length)?);
    let mut position = 0;
    while at < end {
        let record = usize::from(*image.get(at)?);
        if record == 0 {
            // A record never crosses a sector: the rest of this one is padding.
            at = (at / SECTOR + 1) * SECTOR;
            continue;
        }
        date_record(image, at, date)?;
        date_rock_ridge(image, at, record, date)?;
        // The first two records are the directory itself and its parent.
        if position > 1 && is_directory(image, at)? {
            let inner = extent(image, at)?;
            date_directory(image, inner, date, depth)?;
        }
        position += 1;
        at = at.checked_add(record)?;
    }
    Some(())
}

fn date_record(image: &mut [u8], at: usize, date: IsoDate) -> Option<()> {
    image
        .get_mut(at + 18..at + 25)?
        .copy_from_slice(&date.binary);
    Some(())
}

/// Dates the `TF` entries in a record's system use area; `C`ontinued areas hold names, never dates.
fn date_rock_ridge(image: &mut [u8], at: usize, record: usize, date: IsoDate) -> Option<()> {
    let name = usize::from(*image.get(at + 32)?);
    // An even name is followed by a padding byte.
    let mut entry = at + 33 + name + (1 - name % 2);
    let end = at.checked_add(record)?;
    while entry + 4 <= end {
        let length = usize::from(*image.get(entry + 2)?);
        if length < 4 || entry + length > end {
            break;
        }
        if image.get(entry..entry + 2)? == b"TF" {
            for stamp in image
                .get_mut(entry + 5..entry + length)?
                .chunks_exact_mut(date.binary.len())
            {
                stamp.copy_from_slice(&date.binary);
            }
        }
        entry += length;
    }
    Some(())
}

fn is_directory(image: &[u8], at: usize) -> Option<bool> {
    Some(image.get(at + 25)? & 2 != 0)
}

/// Where a record's data lie: first byte and length.
fn extent(image: &[u8], at: usize) -> Option<(usize, usize)> {
    let word = |at: usize| {
        let bytes: [u8; 4] = image.get(at..at + 4)?.try_into().ok()?;
        usize::try_from(u32::from_le_bytes(bytes)).ok()
    };
    Some((word(at + 2)?.checked_mul(SECTOR)?, word(at + 10)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_gregorian() {
        for (seconds, digits) in [
            (0, "1970010100000000"),
            (951_782_400, "2000022900000000"),
            (1_767_225_599, "2025123123595900"),
            (-2_208_988_800, "1900010100000000"),
            (4_107_542_399, "2100022823595900"),
            (4_107_542_400, "2100030100000000"),
        ] {
            let date = IsoDate::of(seconds).unwrap();
            assert_eq!(&date.digits[..16], digits.as_bytes(), "{seconds}");
            assert_eq!(date.digits[16], 0);
        }
        assert_eq!(
            IsoDate::of(951_782_400 + 3661).unwrap().binary,
            [100, 2, 29, 1, 1, 1, 0]
        );
    }

    #[test]
    fn years_beyond_the_format_have_no_date() {
        assert_eq!(IsoDate::of(-2_208_988_801), None);
        assert_eq!(IsoDate::of(i64::MAX), None);
    }

    #[test]
    fn what_is_no_image_is_left_undated() {
        let date = IsoDate::of(0).unwrap();
        assert_eq!(set_dates(&mut [], date), None);
        assert_eq!(set_dates(&mut vec![1; 64 * SECTOR], date), None);
        assert_eq!(set_dates(&mut vec![0; 64 * SECTOR], date), None);
    }
}
