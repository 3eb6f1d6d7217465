//! Boot disks made anew, replaced for a while, copied to images and brought back from them.

use powervm_driver::operations::{
    Control, Metadata, RebuildRequest, RescueRequest, SnapshotRequest,
};
use powervm_driver::storage::capture::CaptureTarget;
use powervm_driver::storage::media::ConfigDrive;

use super::{Driven, request};
use crate::image::Image;
use crate::scenario::RefusalKind;
use crate::target::{Failure, Task};

impl Driven {
    /// Makes a server anew where it is; one that was off is off afterwards.
    pub(super) async fn rebuild(&self, task: &Task, control: &Control) -> Result<(), Failure> {
        let order = &task.order;
        let instance = order.instance.uuid;
        let wanted = RebuildRequest {
            instance,
            name: Some(order.instance.name.clone()),
            image: order.image.as_ref().map(request::image),
            root_gb: order.size.root_gb,
            config_drive: order.config_drive.then(ConfigDrive::default),
            networks: self.known(instance).networks,
            metadata: Metadata::new(),
        };
        let driver = self.driver_of(instance)?;
        driver.rebuild(wanted, control).await?;
        Ok(())
    }

    pub(super) async fn rescue(&self, task: &Task, control: &Control) -> Result<(), Failure> {
        let instance = &task.order.instance;
        let Some(image) = &task.image else {
            return Err(without_image("a rescue"));
        };
        let wanted = RescueRequest {
            instance: instance.uuid,
            name: Some(instance.name.clone()),
            image: request::image(image),
        };
        let driver = self.driver_of(instance.uuid)?;
        driver.rescue(wanted, control).await?;
        Ok(())
    }

    pub(super) async fn unrescue(&self, task: &Task, control: &Control) -> Result<(), Failure> {
        let instance = &task.order.instance;
        let name = Some(instance.name.clone());
        let driver = self.driver_of(instance.uuid)?;
        driver.unrescue(instance.uuid, name, control).await?;
        Ok(())
    }

    /// Copies the boot disk to an image.
    pub(super) async fn snapshot(
        &self,
        task: &Task,
        word: &str,
        control: &Control,
    ) -> Result<Image, Failure> {
        let instance = task.order.instance.uuid;
        let file = self
            .folder
            .path()
            .join(format!("{}-{word}.raw", task.order.instance.server));
        let wanted = SnapshotRequest {
            server: instance.into(),
            target: CaptureTarget::File(file.clone()),
        };
        self.driver_of(instance)?.snapshot(wanted, control).await?;
        Image::file_named(&file, word.to_owned()).map_err(|error| Failure {
            kind: RefusalKind::Other,
            message: error.to_string(),
        })
    }

    /// Copies the boot disk to an image, and removes the server. One that boots from a volume keeps that, its slots
    /// and its NVRAM.
    pub(super) async fn shelve(
        &self,
        task: &Task,
        word: &str,
        control: &Control,
    ) -> Result<Option<Image>, Failure> {
        let instance = &task.order.instance;
        let image = match &task.order.image {
            Some(_) => Some(self.snapshot(task, word, control).await?),
            None => None,
        };
        let known = self.known(instance.uuid);
        let home = self.home(known.place)?;
        self.take_away(home, instance, image.is_some(), control)
            .await?;
        self.hide_all(&known.volumes).await;
        self.note(instance.uuid, |known| known.is_shelved = true);
        Ok(image)
    }

    /// Makes a shelved server again, with the interfaces that it had.
    pub(super) async fn unshelve(&self, task: &Task, control: &Control) -> Result<(), Failure> {
        let order = &task.order;
        let known = self.known(order.instance.uuid);
        if !known.is_shelved {
            return Err(Failure {
                kind: RefusalKind::Other,
                message: format!("{} is not shelved", order.instance.server),
            });
        }
        let place = order.host.saturating_sub(1);
        let home = self.home(place)?;
        let volumes = self.shown_to(order, place).await?;
        let wanted = request::spawn(order, volumes, known.networks);
        let server = match wanted.image {
            Some(_) => home.driver.spawn(wanted, control).await,
            None => home.driver.evacuate(wanted, None, control).await,
        };
        self.settle(order, place, &server?).await;
        Ok(())
    }
}

fn without_image(what: &str) -> Failure {
    Failure {
        kind: RefusalKind::Other,
        message: format!("{what} needs an image"),
    }
}
