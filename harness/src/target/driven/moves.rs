//! Servers that go to the other host.

use powervm_driver::operations::{
    Before, ConsoleAccess, Control, DepartRequest, Destination, LiveMigration, Metadata,
    RevertRequest,
};

use super::{Driven, request};
use crate::target::{Failure, Task};

impl Driven {
    /// Moves a server that is off meanwhile; it stays prepared where it was until the move is confirmed.
    pub(super) async fn migrate(&self, task: &Task, control: &Control) -> Result<(), Failure> {
        let order = &task.order;
        let instance = &order.instance;
        let known = self.known(instance.uuid);
        let (here, there) = (known.place, order.host.saturating_sub(1));
        let (source, destination) = (&self.home(here)?.driver, &self.home(there)?.driver);
        let wanted = DepartRequest {
            instance: instance.uuid,
            name: Some(instance.name.clone()),
            destination: Destination::OtherHost,
            flavor: request::flavor(&order.size),
            from_gb: None,
            timeout: None,
            volumes: Vec::new(),
            metadata: Metadata::new(),
        };
        let left = source.migrate_disk_and_power_off(wanted, control).await?;
        let volumes = self.shown_to(order, there).await?;
        let mut wanted = request::spawn(order, volumes, known.networks);
        (wanted.image, wanted.power_on) = (None, left.was_on);
        let arrived = match left.disk {
            Some(disk) => {
                destination
                    .spawn_from_disk(wanted, Some(disk), control)
                    .await
            }
            None => destination.evacuate(wanted, None, control).await,
        };
        let server = match arrived {
            Ok(server) => server,
            Err(error) => {
                let back = RevertRequest {
                    instance: instance.uuid,
                    name: Some(instance.name.clone()),
                    before: Before::Kept(Box::new(left.before)),
                    power_on: left.was_on,
                    volumes: Vec::new(),
                    metadata: Metadata::new(),
                };
                source.finish_revert_migration(back, control).await?;
                return Err(error.into());
            }
        };
        self.settle(order, there, &server).await;
        self.note(instance.uuid, |known| {
            known.came_from = Some(here);
            known.was_on = left.was_on;
        });
        Ok(())
    }

    pub(super) async fn live_migrate(&self, task: &Task, control: &Control) -> Result<(), Failure> {
        let order = &task.order;
        let instance = order.instance.uuid;
        let known = self.known(instance);
        let (here, there) = (known.place, order.host.saturating_sub(1));
        let (source, destination) = (self.home(here)?, self.home(there)?);
        self.until_booted(&source.driver, instance).await;
        let wanted = LiveMigration {
            access: ConsoleAccess {
                address: Some(destination.address.clone()).filter(|address| !address.is_empty()),
                ..ConsoleAccess::default()
            },
            volumes: self.shown_to(order, there).await?,
            source_volumes: self.reached(&order.volumes, here),
            ..LiveMigration::of(instance)
        };
        let moved = source
            .driver
            .live_migrate(&destination.driver, wanted, control)
            .await?;
        for volume in &moved.arrived.volumes {
            let udid = volume.target_udid.as_ref();
            self.volumes.learn(&volume.volume, there, udid);
        }
        self.settle(order, there, &moved.arrived.server).await;
        Ok(())
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
