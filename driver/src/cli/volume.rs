//! `powervm volume …`

use std::io::Read;
use std::path::{Path, PathBuf};

use super::arguments::{Kept, VolumeVerb, Volumes};
use super::output::{Output, Table};
use crate::error::{Error, ErrorKind, Result};
use crate::operations::{
    ConnectorInfo, Control, Driver, Metadata, ServerRef, VolumeRequest, VolumesReport,
};
use crate::volume::Connection;

/// The largest file that is read.
const LARGEST: u64 = 4 << 20;

pub(super) async fn run(
    driver: &Driver,
    verb: &VolumeVerb,
    output: &Output,
    control: &Control,
) -> Result<()> {
    match verb {
        VolumeVerb::Connector { server, kept } => {
            let metadata = read_metadata(kept)?;
            let told = driver
                .volume_connector(ServerRef::parse(server), metadata)
                .await?;
            if !control.is_dry_run() {
                keep(kept, &told.metadata)?;
            }
            output.print(&told, connector)
        }
        VolumeVerb::Attach(volumes) => {
            let report = driver.attach_volumes(request(volumes)?, control).await?;
            keep(&volumes.kept, &report.metadata)?;
            output.print(&report, listed)
        }
        VolumeVerb::Detach(volumes) => {
            let report = driver.detach_volumes(request(volumes)?, control).await?;
            keep(&volumes.kept, &report.metadata)?;
            output.print(&report, listed)
        }
        VolumeVerb::Extend(volumes) => {
            let report = driver.extend_volumes(request(volumes)?, control).await?;
            output.print(&report, listed)
        }
    }
}

fn request(volumes: &Volumes) -> Result<VolumeRequest> {
    Ok(VolumeRequest {
        server: ServerRef::parse(&volumes.server),
        volumes: connections(&volumes.connection)?,
        metadata: read_metadata(&volumes.kept)?,
    })
}

/// Reads files with `connection_info`, which may hold passwords: nothing of them is repeated.
pub(super) fn connections(files: &[PathBuf]) -> Result<Vec<Connection>> {
    let mut all = Vec::new();
    for path in files {
        all.extend(Connection::parse_text(&read(path)?)?);
    }
    Ok(all)
}

fn read(path: &Path) -> Result<String> {
    let mut text = String::new();
    let read = if path == Path::new("-") {
        std::io::stdin()
            .lock()
            .take(LARGEST)
            .read_to_string(&mut text)
    } else {
        std::fs::File::open(path).and_then(|file| file.take(LARGEST).read_to_string(&mut text))
    };
    match read {
        Ok(_) => Ok(text),
        Err(error) => Err(Error::caused(
            ErrorKind::Local,
            format!("{} cannot be read: {error}", path.display()),
            "give a text file that this user can read",
            error,
        )),
    }
}

pub(super) fn read_metadata(kept: &Kept) -> Result<Metadata> {
    let Some(path) = &kept.metadata else {
        return Ok(Metadata::new());
    };
    if !path.exists() {
        return Ok(Metadata::new());
    }
    serde_json::from_str(&read(path)?).map_err(|error| {
        Error::caused(
            ErrorKind::Invalid,
            format!("{} is no JSON object of texts", path.display()),
            "give the file that an earlier call has written",
            error,
        )
    })
}

pub(super) fn keep(kept: &Kept, metadata: &Metadata) -> Result<()> {
    let Some(path) = &kept.metadata else {
        return Ok(());
    };
    let text = serde_json::to_string_pretty(metadata).map_err(std::io::Error::other);
    text.and_then(|text| std::fs::write(path, text))
        .map_err(|error| {
            Error::caused(
                ErrorKind::Local,
                format!("{} cannot be written", path.display()),
                "keep what is printed as metadata, the next call needs it",
                error,
            )
        })
}

fn connector(told: &ConnectorInfo) -> Table {
    let connector = &told.connector;
    let mut table = Table::of_fields();
    table
        .field("host", &connector.host)
        .field("multipath", connector.multipath);
    if let Some(initiator) = &connector.initiator {
        table.field("initiator", initiator);
    }
    for wwpn in &connector.wwpns {
        table.field("wwpn", wwpn);
    }
    for (key, value) in &told.metadata {
        table.field(key, value);
    }
    table
}

fn listed(report: &VolumesReport) -> Table {
    let mut table = Table::with(&["Server", "Volume", "Served by", "Device", "UDID"]);
    for volume in &report.volumes {
        let udid = volume.target_udid.clone().unwrap_or_default();
        if volume.paths.is_empty() {
            table.row([report.server.as_str(), &volume.volume, "", "", &udid]);
        }
        for path in &volume.paths {
            table.row([
                report.server.as_str(),
                &volume.volume,
                &path.served_by,
                &path.device,
                &udid,
            ]);
        }
    }
    table
}
