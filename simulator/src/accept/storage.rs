//! `LogicalUnit`, `SharedStoragePool` and `File`.

use powervm_schema::xml::Element;
use uuid::Uuid;

use super::body::{choice, flag, incomplete, integer, required, text, value, wrong_type};
use super::volume_group::gigabytes;
use crate::model::Refusal;
use crate::model::command::{
    CreateFile, CreateLogicalUnit, NodeRequest, PoolUnits, UpdateCluster, UpdateLogicalUnit,
    UpdatePool, VolumeName,
};
use crate::model::names::{FileKind, LogicalUnitKind};

/// A new logical unit: a disk, an image or a clone of one, also the tiny markers that guard uploads.
pub(crate) fn create_unit(root: &Element, tier: Uuid) -> Result<CreateLogicalUnit, Refusal> {
    Ok(CreateLogicalUnit {
        tier,
        name: required(root, "UnitName")?.to_owned(),
        capacity: gigabytes(root, "UnitCapacity")?
            .ok_or_else(|| incomplete(root, "UnitCapacity"))?,
        thin: flag(root, "ThinDevice")?,
        kind: choice(root, "LogicalUnitType", LogicalUnitKind::parse)?,
        cloned_from: text(root, "ClonedFrom").map(str::to_owned),
    })
}

/// A change of a logical unit: its name and its size. What it is and what it was cloned from stays.
pub(crate) fn update_unit(
    root: &Element,
    tier: Uuid,
    unit: Uuid,
) -> Result<UpdateLogicalUnit, Refusal> {
    Ok(UpdateLogicalUnit {
        tier,
        unit,
        name: text(root, "UnitName").map(str::to_owned),
        thin: flag(root, "ThinDevice")?,
        capacity: gigabytes(root, "UnitCapacity")?,
    })
}

/// `LogicalUnits` of a pool; those without a UDID are new.
fn pool_units(root: &Element) -> Result<Option<PoolUnits>, Refusal> {
    let Some(list) = root.child("LogicalUnits") else {
        return Ok(None);
    };
    let mut units = PoolUnits::default();
    for unit in list
        .children()
        .filter(|unit| unit.local_name() == "LogicalUnit")
    {
        match text(unit, "UniqueDeviceID") {
            Some(udid) => units.kept.push(udid.to_owned()),
            None => units.new.push(create_unit(unit, Uuid::nil())?),
        }
    }
    Ok(Some(units))
}

/// A change of a cluster: its nodes.
pub(crate) fn update_cluster(root: &Element, cluster: Uuid) -> UpdateCluster {
    UpdateCluster {
        cluster,
        nodes: NodeRequest::list(root),
    }
}

/// A change of a pool.
pub(crate) fn update_pool(root: &Element, pool: Uuid) -> Result<UpdatePool, Refusal> {
    let percent = |text: &str| {
        text.trim_end_matches('%')
            .trim()
            .parse()
            .ok()
            .filter(|percent| *percent <= 100_u8)
    };
    Ok(UpdatePool {
        pool,
        name: text(root, "StoragePoolName").map(str::to_owned),
        alert_threshold: value(root, "AlertThreshold", "percentage", percent)?,
        units: pool_units(root)?,
        volumes: VolumeName::list(root),
    })
}

/// A new file: what will be uploaded, and where it goes.
pub(crate) fn create_file(root: &Element) -> Result<CreateFile, Refusal> {
    let owned = |name: &str| text(root, name).map(str::to_owned);
    let kind = choice(root, "FileEnumType", FileKind::parse)?
        .ok_or_else(|| incomplete(root, "FileEnumType"))?;
    let vios = required(root, "TargetVirtualIOServerUUID")?;
    Ok(CreateFile {
        name: required(root, "Filename")?.to_owned(),
        media_type: owned("InternetMediaType"),
        kind,
        vios: Uuid::try_parse(vios)
            .map_err(|_| wrong_type("TargetVirtualIOServerUUID", vios, "UUID"))?,
        device: owned("TargetDeviceUniqueDeviceID"),
        expected_bytes: integer(root, "ExpectedFileSizeInBytes")?,
        expected_sha256: sha256(root)?,
    })
}

/// The digest, in lower case.
fn sha256(root: &Element) -> Result<Option<String>, Refusal> {
    let digest = |text: &str| {
        (text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit()))
            .then(|| text.to_ascii_lowercase())
    };
    value(root, "SHA256", "SHA-256 digest", digest)
}
