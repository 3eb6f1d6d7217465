//! The steps of a deploy that make its disk and its config drive, and take them back.

use std::sync::Arc;

use super::Spawn;
use crate::error::Result;
use crate::host::Vios;
use crate::operations::control::Control;
use crate::operations::driver::Driver;
use crate::operations::imaged::{self, DiskNames, DiskNotes, MakesDisk};
use crate::saga::checkpoint;
use crate::storage::image::Image;
use crate::storage::media::Repository;
use crate::storage::media::config_drive::Subject;
use crate::storage::upload;

impl Spawn {
    pub(super) async fn provide_image(self: Arc<Self>) -> Result<()> {
        imaged::provide_image(&*self).await
    }

    pub(super) async fn release_image(self: Arc<Self>) -> Result<()> {
        imaged::release_image(&*self).await
    }

    pub(super) async fn create_disk(self: Arc<Self>) -> Result<()> {
        imaged::create_disk(&*self).await
    }

    pub(super) async fn delete_disk(self: Arc<Self>) -> Result<()> {
        imaged::delete_disk(&*self).await
    }

    pub(super) async fn upload_config_drive(self: Arc<Self>) -> Result<()> {
        let request = &self.order()?.request;
        let Some(drive) = &request.config_drive else {
            return Ok(());
        };
        if self.note(|found| found.media_uploaded) {
            return Ok(());
        }
        let (interfaces, management) = self.addresses()?;
        let tells_management = self.driver.config().use_rmc_ipv6_scheme;
        let subject = Subject {
            partition: self.partition,
            name: &request.name,
            interfaces: &interfaces,
            management: management.filter(|_| tells_management),
        };
        let image = drive.image(&subject)?;
        let repository = self.driver.repository_for_upload(&self.vioses).await?;
        self.note(|found| found.media = Some(repository.clone()));
        checkpoint().await?;
        let (session, name) = (self.driver.session(), self.media_name());
        upload::media(session, &self.control, &name, &repository.vios, image).await?;
        self.note(|found| found.media_uploaded = true);
        Ok(())
    }

    pub(super) async fn delete_config_drive(self: Arc<Self>) -> Result<()> {
        let Some(repository) = self.note(|found| found.media.clone()) else {
            return Ok(());
        };
        self.remove_media(&repository).await
    }

    async fn remove_media(&self, repository: &Repository) -> Result<()> {
        let name = self.media_name();
        upload::forget_media(self.driver.session(), &name, &repository.vios).await?;
        repository
            .remove_media(&self.driver.shared.group, &[name])
            .await
    }
}

impl MakesDisk for Spawn {
    fn driver(&self) -> &Driver {
        &self.driver
    }

    fn control(&self) -> &Control {
        &self.control
    }

    fn vioses(&self) -> &[Vios] {
        &self.vioses
    }

    fn disk_names(&self) -> Option<&DiskNames> {
        self.asked.disk.as_ref()
    }

    fn disk_source(&self) -> Result<(&Image, u64)> {
        let request = &self.order()?.request;
        let image = request.image.as_ref().ok_or_else(imaged::no_image)?;
        Ok((image, request.flavor.root_gb))
    }

    fn disk_notes<T>(&self, change: impl FnOnce(&mut DiskNotes) -> T) -> T {
        self.note(|found| change(&mut found.disk))
    }
}
