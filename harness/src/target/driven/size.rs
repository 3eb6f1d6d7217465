//! Servers that get another size, and the end of that: confirmed or taken back. The end of a move is the same.

use powervm_driver::operations::{
    Before, ConfirmRequest, Control, Metadata, ResizeRequest, RevertRequest,
};

use super::{Driven, request};
use crate::target::{Failure, Task};

impl Driven {
    pub(super) async fn resize(&self, task: &Task, control: &Control) -> Result<(), Failure> {
        let instance = &task.order.instance;
        let driver = self.driver_of(instance.uuid)?;
        let root_gb = self.known(instance.uuid).root_gb;
        let before = driver.show(instance.uuid).await?;
        let wanted = ResizeRequest {
            instance: instance.uuid,
            name: Some(instance.name.clone()),
            flavor: request::flavor(&task.order.size),
            from_gb: Some(root_gb),
        };
        driver.resize(wanted, control).await?;
        let was_on = before.summary.state == "running";
        self.note(instance.uuid, |known| {
            known.was_on = was_on;
            known.is_resized = true;
            known.root_gb_before = root_gb;
            known.root_gb = task.order.size.root_gb;
        });
        Ok(())
    }

    /// Of a move there is nothing to be confirmed: the host that the server left has nothing of it.
    pub(super) async fn confirm(&self, task: &Task, control: &Control) -> Result<(), Failure> {
        let instance = &task.order.instance;
        if self.known(instance.uuid).is_resized {
            let wanted = ConfirmRequest {
                instance: instance.uuid,
                name: Some(instance.name.clone()),
            };
            let driver = self.driver_of(instance.uuid)?;
            driver.confirm_migration(wanted, control).await?;
        }
        self.note(instance.uuid, |known| {
            known.came_from = None;
            known.is_resized = false;
        });
        Ok(())
    }

    /// The size is taken back first, then the server moves back.
    pub(super) async fn revert(&self, task: &Task, control: &Control) -> Result<(), Failure> {
        let instance = &task.order.instance;
        let known = self.known(instance.uuid);
        if known.is_resized {
            let wanted = RevertRequest {
                instance: instance.uuid,
                name: Some(instance.name.clone()),
                before: Before::Journal,
                power_on: known.was_on,
                volumes: Vec::new(),
                metadata: Metadata::new(),
            };
            let driver = self.driver_of(instance.uuid)?;
            driver.finish_revert_migration(wanted, control).await?;
            self.note(instance.uuid, |known| {
                known.is_resized = false;
                known.root_gb = known.root_gb_before;
            });
        }
        if let Some(place) = known.came_from {
            self.move_cold(&task.order, place, control).await?;
            self.note(instance.uuid, |known| known.came_from = None);
        }
        Ok(())
    }
}
