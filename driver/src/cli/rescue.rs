//! `powervm server rescue` and `server unrescue`

use super::arguments::Rescue;
use super::output::Output;
use super::server::{image_of, shown};
use crate::error::Result;
use crate::operations::{Control, Driver, RescueRequest, ServerRef};

/// Starts a server from another disk.
pub(super) async fn rescue(
    driver: &Driver,
    asked: &Rescue,
    output: &Output,
    control: &Control,
) -> Result<()> {
    let found = driver.show(ServerRef::parse(&asked.server)).await?;
    let name = asked.image_name.as_deref();
    let request = RescueRequest {
        instance: found.summary.id.as_uuid(),
        name: None,
        image: image_of(&asked.image, name, asked.image_checksum.as_deref()).await?,
    };
    let instance = request.instance;
    driver.rescue(request, control).await?;
    output.print(&driver.show(instance).await?, shown)
}

/// Starts it from its own again.
pub(super) async fn unrescue(
    driver: &Driver,
    server: &str,
    output: &Output,
    control: &Control,
) -> Result<()> {
    let found = driver.show(ServerRef::parse(server)).await?;
    let instance = found.summary.id.as_uuid();
    driver.unrescue(instance, None, control).await?;
    output.print(&driver.show(instance).await?, shown)
}
