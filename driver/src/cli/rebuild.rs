//! `powervm server rebuild`

use super::arguments::Rebuild;
use super::output::Output;
use super::server::{config_drive, image_of, shown};
use crate::error::Result;
use crate::operations::{Control, Driver, Metadata, RebuildRequest, ServerRef};

/// Gives a server a new boot disk and a new config drive.
pub(super) async fn run(
    driver: &Driver,
    asked: &Rebuild,
    output: &Output,
    control: &Control,
) -> Result<()> {
    let instance = driver.instance(&ServerRef::parse(&asked.server)).await?;
    let request = RebuildRequest {
        instance,
        name: None,
        image: match &asked.image {
            None => None,
            Some(image) => {
                let (name, checksum) = (&asked.image_name, &asked.image_checksum);
                Some(image_of(image, name.as_deref(), checksum.as_deref()).await?)
            }
        },
        root_gb: asked.disk,
        config_drive: config_drive(&asked.drive)?,
        networks: Vec::new(),
        metadata: Metadata::new(),
    };
    driver.rebuild(request, control).await?;
    output.print(&driver.show(instance).await?, shown)
}
