//! Servers that go to the other host.

use powervm_driver::operations::{ColdMigration, ConsoleAccess, Control, LiveMigration, Migrated};

use super::{Driven, request};
use crate::target::{Failure, Order, Task};

impl Driven {
    /// Moves a server that is off meanwhile. That it can be taken back is noted: the host that it left has nothing of it.
    pub(super) async fn migrate(&self, task: &Task, control: &Control) -> Result<(), Failure> {
        let instance = task.order.instance.uuid;
        let here = self.known(instance).place;
        let there = task.order.host.saturating_sub(1);
        self.move_cold(&task.order, there, control).await?;
        self.note(instance, |known| known.came_from = Some(here));
        Ok(())
    }

    pub(super) async fn move_cold(
        &self,
        order: &Order,
        there: usize,
        control: &Control,
    ) -> Result<(), Failure> {
        let here = self.known(order.instance.uuid).place;
        let (source, destination) = (self.home(here)?, self.home(there)?);
        let wanted = ColdMigration {
            order: self.passage(order, here, there).await?,
            flavor: None,
        };
        let moved = source
            .driver
            .cold_migrate(&destination.driver, wanted, control)
            .await?;
        self.has_come(order, there, &moved).await;
        Ok(())
    }

    pub(super) async fn live_migrate(&self, task: &Task, control: &Control) -> Result<(), Failure> {
        let order = &task.order;
        let instance = order.instance.uuid;
        let here = self.known(instance).place;
        let there = order.host.saturating_sub(1);
        let (source, destination) = (self.home(here)?, self.home(there)?);
        self.until_booted(&source.driver, instance).await;
        let wanted = self.passage(order, here, there).await?;
        let moved = source
            .driver
            .live_migrate(&destination.driver, wanted, control)
            .await?;
        self.has_come(order, there, &moved).await;
        Ok(())
    }

    /// What moves, with its volumes as both hosts see them.
    async fn passage(
        &self,
        order: &Order,
        here: usize,
        there: usize,
    ) -> Result<LiveMigration, Failure> {
        let address = self.home(there)?.address.clone();
        Ok(LiveMigration {
            access: ConsoleAccess {
                address: Some(address).filter(|address| !address.is_empty()),
                ..ConsoleAccess::default()
            },
            volumes: self.shown_to(order, there).await?,
            source_volumes: self.reached(&order.volumes, here),
            ..LiveMigration::of(order.instance.uuid)
        })
    }

    async fn has_come(&self, order: &Order, there: usize, moved: &Migrated) {
        for volume in &moved.arrived.volumes {
            let udid = volume.target_udid.as_ref();
            self.volumes.learn(&volume.volume, there, udid);
        }
        self.settle(order, there, &moved.arrived.server).await;
    }

    /// That the host is lost is played: its partition goes, its disks stay.
    pub(super) async fn evacuate(&self, task: &Task, control: &Control) -> Result<(), Failure> {
        let order = &task.order;
        let known = self.known(order.instance.uuid);
        let there = order.host.saturating_sub(1);
        let lost = self.home(known.place)?;
        self.take_away(lost, &order.instance, false, control)
            .await?;
        let volumes = self.shown_to(order, there).await?;
        let mut wanted = request::spawn(order, volumes, known.networks);
        wanted.image = None;
        let destination = &self.home(there)?.driver;
        let server = destination.evacuate(wanted, None, control).await?;
        self.settle(order, there, &server).await;
        Ok(())
    }
}
