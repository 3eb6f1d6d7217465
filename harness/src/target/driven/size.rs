//! Servers that get another size, and the end of that: confirmed or taken back. The end of a move is the same.

use powervm_driver::operations::{
    Before, ConfirmRequest, Control, DestroyRequest, Metadata, ResizeRequest, RevertRequest,
};

use super::{Driven, request};
use crate::target::{Failure, Task};

impl Driven {
    pub(super) async fn resize(&self, task: &Task, control: &Control) -> Result<(), Failure> {
        let instance = &task.order.instance;
        let driver = self.driver_of(instance.uuid)?;
        let before = driver.show(instance.uuid).await?;
        let wanted = ResizeRequest {
            instance: instance.uuid,
            name: Some(instance.name.clone()),
            flavor: request::flavor(&task.order.size),
            from_gb: None,
        };
        driver.resize(wanted, control).await?;
        let was_on = before.summary.state == "running";
        self.note(instance.uuid, |known| known.was_on = was_on);
        Ok(())
    }

    pub(super) async fn confirm(&self, task: &Task, control: &Control) -> Result<(), Failure> {
        let instance = &task.order.instance;
        let known = self.known(instance.uuid);
        let home = self.home(known.came_from.unwrap_or(known.place))?;
        let wanted = ConfirmRequest {
            instance: instance.uuid,
            name: Some(instance.name.clone()),
        };
        home.driver.confirm_migration(wanted, control).await?;
        self.note(instance.uuid, |known| known.came_from = None);
        Ok(())
    }

    pub(super) async fn revert(&self, task: &Task, control: &Control) -> Result<(), Failure> {
        let instance = &task.order.instance;
        let known = self.known(instance.uuid);
        if known.came_from.is_some() {
            let wanted = DestroyRequest {
                name: Some(instance.name.clone()),
                destroy_disks: false,
                ..DestroyRequest::of(instance.uuid)
            };
            let there = &self.home(known.place)?.driver;
            there.destroy(wanted, control).await?;
        }
        let place = known.came_from.unwrap_or(known.place);
        let wanted = RevertRequest {
            instance: instance.uuid,
            name: Some(instance.name.clone()),
            before: Before::Journal,
            power_on: known.was_on,
            volumes: Vec::new(),
            metadata: Metadata::new(),
        };
        let here = &self.home(place)?.driver;
        here.finish_revert_migration(wanted, control).await?;
        self.note(instance.uuid, |known| {
            known.place = place;
            known.came_from = None;
        });
        Ok(())
    }
}
