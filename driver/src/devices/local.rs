//! Disks of the Linux partition that this program runs on.

use std::collections::BTreeSet;
use std::io;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::fs;
use tokio::io::AsyncSeekExt;
use tokio::time::{Instant, sleep};

use super::{Devices, Disk, Opened};
use crate::error::{Error, ErrorKind, Result};

/// Where Linux names disks by their identifiers.
pub const BY_ID: &str = "/dev/disk/by-id";
/// Where Linux tells of its devices.
const SYSFS: &str = "/sys";
/// How often a disk is looked for that has not come or gone yet.
const LOOK_AGAIN: Duration = Duration::from_millis(250);
/// How long a device that is let go of may stay.
const GOING: Duration = Duration::from_secs(10);
/// How much of a disk's identifier its name in [`BY_ID`] ends with. The host's firmware hands on no more.
const TAIL: usize = 32;
/// Fewer characters than this tell no disk from all others.
const SHORTEST: usize = 12;
/// What the address of a virtual adapter has beside its slot's number.
const VIRTUAL_ADAPTER: u32 = 0x3000_0000;

/// Finds a disk by its identifier, once the adapter that it is behind was told to look for it, as the drivers of the
/// Python family do.
#[derive(Debug, Clone)]
pub struct LocalDevices {
    folder: PathBuf,
    sysfs: PathBuf,
    patience: Duration,
}

impl LocalDevices {
    /// Disks that are named in `folder`, `patience` after they were mapped at the latest.
    ///
    /// In any folder but Linux's own, [`BY_ID`], files may stand for disks, and nothing is asked of the machine.
    #[must_use]
    pub fn named_in(folder: impl Into<PathBuf>, patience: Duration) -> Self {
        Self {
            folder: folder.into(),
            sysfs: PathBuf::from(SYSFS),
            patience,
        }
    }

    /// The same on a machine whose devices are told of here and not in `/sys`.
    #[must_use]
    pub fn told_of_in(self, sysfs: impl Into<PathBuf>) -> Self {
        Self {
            sysfs: sysfs.into(),
            ..self
        }
    }

    fn adapters(&self) -> PathBuf {
        self.sysfs.join("bus/vio/devices")
    }

    /// Has the adapter in this slot look for disks. Without a slot, or where there is no such adapter, nothing is done:
    /// the disk may be there already.
    async fn scan(&self, slot: Option<u32>) {
        let Some(slot) = slot else { return };
        let adapter = self
            .adapters()
            .join(format!("{:x}", VIRTUAL_ADAPTER | slot));
        for host in entries(&adapter, "host").await {
            for scsi in entries(&host.join("scsi_host"), "host").await {
                if let Err(error) = fs::write(scsi.join("scan"), "- - -").await {
                    tracing::warn!(%error, adapter = %adapter.display(), "the adapter was not told to look for disks");
                }
            }
        }
    }

    /// The disk whose name ends with the end of this identifier.
    async fn find(&self, udid: &str) -> Result<Option<PathBuf>> {
        let tail = tail(udid)?;
        let mut found = BTreeSet::new();
        for link in entries(&self.folder, "").await {
            if link.to_string_lossy().ends_with(tail)
                && let Ok(device) = fs::canonicalize(&link).await
            {
                found.insert(device);
            }
        }
        if found.len() > 1 {
            let names: Vec<String> = found
                .iter()
                .map(|path| path.display().to_string())
                .collect();
            return Err(Error::operation(
                ErrorKind::Local,
                format!(
                    "several disks have an identifier that ends in {tail}: {}",
                    names.join(", ")
                ),
                "see which of them are left over and remove them",
            ));
        }
        Ok(found.pop_first())
    }

    async fn wait_for(&self, slot: Option<u32>, udid: &str) -> Result<PathBuf> {
        self.scan(slot).await;
        let start = Instant::now();
        loop {
            if let Some(device) = self.find(udid).await? {
                return Ok(device);
            }
            if start.elapsed() >= self.patience {
                return Err(Error::operation(
                    ErrorKind::Local,
                    format!(
                        "the disk {udid} did not appear in {} within {} s of being mapped to this partition",
                        self.folder.display(),
                        self.patience.as_secs()
                    ),
                    "run this on the management partition of the NovaLink, or raise device_timeout",
                ));
            }
            sleep(LOOK_AGAIN).await;
        }
    }

    async fn read(&self, path: &Path) -> Result<Opened> {
        let name = path.display().to_string();
        let open = async {
            let mut file = fs::File::open(path).await?;
            // A device has no length, only an end.
            let size = file.seek(io::SeekFrom::End(0)).await?;
            file.rewind().await?;
            Ok::<_, io::Error>((file, size))
        };
        let (file, size) = open.await.map_err(|error| {
            Error::caused(
                ErrorKind::Local,
                format!("the disk {name} cannot be read"),
                "run this as a user who may read disks",
                error,
            )
        })?;
        Ok(Opened {
            device: name,
            size,
            content: Box::pin(file),
        })
    }

    async fn let_go(&self, udid: &str) -> Result<()> {
        let Some(device) = self.find(udid).await? else {
            return Ok(());
        };
        let is_disk = fs::metadata(&device)
            .await
            .is_ok_and(|found| found.file_type().is_block_device());
        let Some(name) = device.file_name().filter(|_| is_disk) else {
            return Ok(());
        };
        let block = self.sysfs.join("block").join(name);
        let removal = block.join("device/delete");
        match fs::write(&removal, "1").await {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            written => written.map_err(|error| stays(&device, Some(error)))?,
        }
        let start = Instant::now();
        while fs::try_exists(&block).await.unwrap_or(false) {
            if start.elapsed() >= GOING {
                return Err(stays(&device, None));
            }
            sleep(LOOK_AGAIN).await;
        }
        Ok(())
    }
}

impl Devices for LocalDevices {
    fn check(&self) -> Result<()> {
        if self.folder != Path::new(BY_ID) || self.adapters().is_dir() {
            return Ok(());
        }
        Err(Error::operation(
            ErrorKind::Precondition,
            "a disk can only be read on the management partition of its NovaLink, and this is no partition of a PowerVM host",
            "run this there",
        ))
    }

    fn open<'a>(&'a self, disk: &'a Disk) -> BoxFuture<'a, Result<Opened>> {
        Box::pin(async move {
            match disk {
                Disk::Own(path) => self.read(path).await,
                Disk::Served { slot, udid } => {
                    let device = self.wait_for(*slot, udid).await?;
                    self.read(&device).await
                }
            }
        })
    }

    fn forget<'a>(&'a self, disk: &'a Disk) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            match disk {
                Disk::Own(_) => Ok(()),
                Disk::Served { udid, .. } => self.let_go(udid).await,
            }
        })
    }
}

/// The end of an identifier, by which a disk is told from all others.
fn tail(udid: &str) -> Result<&str> {
    let from = udid.len().saturating_sub(TAIL);
    let is_plain = udid
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"._-+".contains(&byte));
    match udid.get(from..) {
        Some(tail) if is_plain && tail.len() >= SHORTEST => Ok(tail),
        _ => Err(Error::operation(
            ErrorKind::BadAnswer,
            format!(
                "the identifier '{}' tells no disk from all others",
                crate::error::printable(udid)
            ),
            "check that the endpoint is the REST API of a NovaLink",
        )),
    }
}

fn stays(device: &Path, cause: Option<io::Error>) -> Error {
    let what = format!(
        "the disk {} is not mapped any more and stays",
        device.display()
    );
    let remedy = "write 1 to its device/delete in /sys/block";
    match cause {
        Some(error) => Error::caused(ErrorKind::Local, what, remedy, error),
        None => Error::operation(ErrorKind::Local, what, remedy),
    }
}

/// What a folder holds whose names begin so; nothing where there is no such folder.
async fn entries(folder: &Path, start: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let Ok(mut entries) = fs::read_dir(folder).await else {
        return found;
    };
    while let Ok(Some(entry)) = entries.next_entry().await {
        if entry.file_name().to_string_lossy().starts_with(start) {
            found.push(entry.path());
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use std::fs as now;

    use tokio::io::AsyncReadExt;

    use super::*;

    const UDID: &str = "27000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

    fn served(slot: u32) -> Disk {
        Disk::Served {
            slot: Some(slot),
            udid: UDID.to_owned(),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_disk_is_found_after_a_while_and_its_adapter_was_told_to_look() {
        let root = tempfile::tempdir().unwrap();
        let host = root
            .path()
            .join("sys/bus/vio/devices/30000007/host3/scsi_host/host3");
        let (names, scan) = (root.path().join("by-id"), host.join("scan"));
        now::create_dir_all(&host).unwrap();
        now::create_dir_all(&names).unwrap();
        let devices = LocalDevices::named_in(&names, Duration::from_secs(300))
            .told_of_in(root.path().join("sys"));
        let disk = names.join(format!("scsi-SAIX_{}", &UDID[UDID.len() - 32..]));
        let partition = names.join(format!("{}-part1", disk.display()));
        let comes = async {
            // Ten seconds have been too few for real adapters.
            sleep(Duration::from_secs(200)).await;
            now::write(&partition, "not this").unwrap();
            now::write(&disk, "content").unwrap();
        };
        let disk = served(7);
        let (opened, ()) = tokio::join!(devices.open(&disk), comes);
        let mut opened = opened.unwrap();
        let mut text = String::new();
        opened.content.read_to_string(&mut text).await.unwrap();
        assert_eq!((opened.size, text.as_str()), (7, "content"));
        assert_eq!(now::read_to_string(scan).unwrap(), "- - -");
        // A file is no device that the machine would have to let go of.
        devices.forget(&disk).await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn a_disk_that_does_not_come_or_is_not_alone_is_told_of() {
        let root = tempfile::tempdir().unwrap();
        let devices = LocalDevices::named_in(root.path(), Duration::from_secs(300));
        let error = devices.open(&served(2)).await.err().unwrap().to_string();
        assert!(
            error.contains("300 s") && error.contains("device_timeout"),
            "{error}"
        );
        for name in ["a", "b"] {
            let name = format!("{name}-{}", &UDID[UDID.len() - 32..]);
            now::write(root.path().join(name), "").unwrap();
        }
        let error = devices.open(&served(2)).await.err().unwrap().to_string();
        assert!(error.contains("several disks"), "{error}");
    }

    #[test]
    fn an_identifier_that_would_match_anything_is_refused() {
        for udid in [
            "",
            "27",
            "../../../etc/passwd",
            "270102030405060708090a0b0c0d\u{1b}0f",
        ] {
            assert!(tail(udid).is_err(), "{udid}");
        }
        assert_eq!(tail(UDID).unwrap().len(), TAIL);
    }

    #[test]
    fn a_machine_without_virtual_adapters_is_no_management_partition() {
        let root = tempfile::tempdir().unwrap();
        let devices = LocalDevices::named_in(BY_ID, Duration::from_secs(1)).told_of_in(root.path());
        assert!(devices.check().is_err());
        now::create_dir_all(root.path().join("bus/vio/devices")).unwrap();
        devices.check().unwrap();
    }
}
