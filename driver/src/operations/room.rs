//! Whether the storage can ever have a disk.

use powervm_schema::units::Gigabytes;

use super::driver::{Disks, Driver};
use crate::error::{Error, ErrorKind, Result};

/// Refuses a disk that has no place, before anything is touched. `has` is what is there of it.
///
/// Of a volume group, a disk takes its room at once. Those of a pool are thin: together they may be larger than it is, and
/// whether there is room when one is written only the server knows; but none is larger than the whole tier.
///
/// # Errors
/// [`ErrorKind::NoSpace`]; those of the requests, of which a disk that fits into its pool needs none.
pub(super) async fn check(
    driver: &Driver,
    disk: &str,
    wanted: Gigabytes,
    has: Gigabytes,
) -> Result<()> {
    let (place, room, needed) = match &driver.shared.disks {
        Disks::Ssp { pool, .. } => {
            if wanted <= pool.tier_size {
                return Ok(());
            }
            // It may have grown since it was found.
            let total = pool.capacity(driver.session()).await?.total_gb;
            let place = format!("the tier {} of the pool {} has", pool.tier, pool.name);
            (place, total, wanted.as_f64())
        }
        Disks::Local(disks) => {
            let capacity = disks.capacity().await?;
            let place = format!("the volume group {} has left", disks.name);
            let left = capacity.total_gb - capacity.used_gb;
            (place, left, wanted.saturating_sub(has).as_f64())
        }
    };
    if needed <= room {
        return Ok(());
    }
    Err(Error::operation(
        ErrorKind::NoSpace,
        format!(
            "the boot disk {disk} takes {needed} GB, which is more than the {room} GB that {place}"
        ),
        "free some, choose a size with a smaller boot disk, or use another host",
    ))
}
