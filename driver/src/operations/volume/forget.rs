//! Makes Virtual I/O Servers forget disks that nobody uses any more.

use std::time::Duration;

use powervm_schema::atom::Entry;
use powervm_schema::xml::Element;

use super::{find, iscsi};
use crate::error::{Error, ErrorKind, Result};
use crate::host::Vios;
use crate::operations::device_jobs;
use crate::operations::driver::Driver;
use crate::rest::{Flavor, Groups, Job};
use crate::storage::mapping::GROUP;
use crate::storage::volumes;
use crate::volume::{Connection, Transport};

/// The job that removes a disk.
pub(super) const REMOVAL: &str = "RemoveDevice";
/// The job that runs a command on the console.
pub(super) const COMMAND: &str = "CLIRunner";
/// How often a removal is tried.
const TRIES: u32 = 3;
/// Pause before the second try; it doubles.
const PAUSE: Duration = Duration::from_secs(1);

/// Removes a disk from the list of a Virtual I/O Server, unless a mapping serves it to somebody.
/// `mappings` is the server as it was read after the last change of its mappings.
///
/// # Errors
/// Those of the requests after several tries, unless the disk has gone all the same.
pub(in crate::operations) async fn disk(
    driver: &Driver,
    vios: &Vios,
    mappings: &Element,
    name: &str,
    udid: Option<&str>,
) -> Result<()> {
    if volumes::is_served(mappings, name) {
        tracing::debug!(
            vios = vios.name,
            disk = name,
            "others use the disk, it stays"
        );
        return Ok(());
    }
    let mut pause = PAUSE;
    for _ in 1..TRIES {
        match remove(driver, vios, name, udid).await {
            Ok(()) => return Ok(()),
            Err(error) => tracing::warn!(%error, disk = name, "trying to remove the disk again"),
        }
        tokio::time::sleep(pause).await;
        pause *= 2;
    }
    remove(driver, vios, name, udid).await
}

async fn remove(driver: &Driver, vios: &Vios, name: &str, udid: Option<&str>) -> Result<()> {
    let (target, job) = removal(driver, vios, name).await?;
    let Err(error) = device_jobs::once(driver.session(), &target, &job).await else {
        return Ok(());
    };
    // A try whose answer was lost may have done it, and the next one then found nothing to remove.
    match udid {
        Some(udid) => match find::disks_with(driver, vios, udid).await {
            Ok(names) if !names.iter().any(|found| found == name) => Ok(()),
            _ => Err(error),
        },
        None => Err(error),
    }
}

/// A NovaLink has a job for it; a console runs the server's own command.
async fn removal(driver: &Driver, vios: &Vios, name: &str) -> Result<(String, Job)> {
    if driver.session().flavor() == Flavor::NovaLink {
        let job = Job::new(vios.path(), REMOVAL).parameter("devName", name);
        return Ok((vios.path(), job));
    }
    let (Some(console), Some(id)) = (console(driver).await?, vios.id) else {
        return Err(Error::operation(
            ErrorKind::BadAnswer,
            format!(
                "the console does not tell how to run a command on {}",
                vios.name
            ),
            "check that the endpoint is the REST API of an HMC",
        ));
    };
    let machine = &driver.shared.system.machine;
    let command = format!("viosvrcmd -m {machine} --id {id} -c \"rmdev -dev {name}\"");
    let job = Job::new(console.clone(), COMMAND)
        .parameter("cmd", command)
        .parameter("acknowledgeThisAPIMayGoAwayInTheFuture", "true");
    Ok((console, job))
}

/// The path of the console, behind one.
///
/// # Errors
/// Those of the request.
pub(super) async fn console(driver: &Driver) -> Result<Option<String>> {
    let session = driver.session();
    let consoles = session.get_feed("ManagementConsole", Groups::None).await?;
    let first = consoles.entries.first();
    Ok(first.map(|entry| format!("ManagementConsole/{}", entry.id)))
}

/// Removes a volume's disk, however it came there; see [`disk`].
///
/// # Errors
/// As [`disk`].
pub(in crate::operations) async fn volume(
    driver: &Driver,
    vios: &Vios,
    mappings: &Element,
    volume: &Connection,
    name: &str,
    udid: Option<&str>,
) -> Result<()> {
    match &volume.transport {
        Transport::FibreChannel(_) => disk(driver, vios, mappings, name, udid).await,
        // Whoever else uses the disk keeps it, and the session with it.
        Transport::Iscsi(_) if volumes::is_served(mappings, name) => Ok(()),
        Transport::Iscsi(target) => iscsi::remove(driver, vios, target).await,
        Transport::File(_) | Transport::Rbd(_) => Ok(()),
    }
}

/// As [`volume`], of a server whose mappings are read now.
///
/// # Errors
/// As [`disk`].
pub(in crate::operations) async fn volume_now(
    driver: &Driver,
    vios: &Vios,
    connection: &Connection,
    name: &str,
    udid: Option<&str>,
) -> Result<()> {
    let entry = mappings_now(driver, vios).await?;
    volume(driver, vios, &entry.content, connection, name, udid).await
}

/// Logs off from an iSCSI volume's target, and removes its disk, whatever that is called; not while the server serves
/// the volume to somebody.
///
/// # Errors
/// Those of the requests, and a disk that stays.
pub(in crate::operations) async fn target_now(
    driver: &Driver,
    vios: &Vios,
    connection: &Connection,
) -> Result<()> {
    let Transport::Iscsi(target) = &connection.transport else {
        return Ok(());
    };
    let entry = mappings_now(driver, vios).await?;
    if volumes::is_tagged(&entry.content, &connection.volume) {
        return Ok(());
    }
    iscsi::remove(driver, vios, target).await
}

/// As [`disk`], of a server whose mappings are read now.
///
/// # Errors
/// As [`disk`].
pub(in crate::operations) async fn disk_now(
    driver: &Driver,
    vios: &Vios,
    name: &str,
    udid: Option<&str>,
) -> Result<()> {
    let entry = mappings_now(driver, vios).await?;
    disk(driver, vios, &entry.content, name, udid).await
}

async fn mappings_now(driver: &Driver, vios: &Vios) -> Result<Entry> {
    driver
        .session()
        .get_entry(&vios.path(), Groups::Named(&[GROUP]))
        .await
}
