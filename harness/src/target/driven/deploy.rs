//! Servers made and removed.

use powervm_driver::operations::{Control, DestroyRequest, Server};
use powervm_driver::volume::Connection;
use uuid::Uuid;

use super::{Driven, Home, request};
use crate::target::{Failure, Instance, Order, ServerView};

impl Driven {
    pub(super) async fn deploy(
        &self,
        order: &Order,
        control: &Control,
    ) -> Result<ServerView, Failure> {
        let place = order.host.saturating_sub(1);
        let home = self.home(place)?;
        let volumes = self.shown_to(order, place).await?;
        let wanted = request::spawn(order, volumes, request::new_interfaces(order));
        match home.driver.spawn(wanted, control).await {
            Ok(server) => {
                self.settle(order, place, &server).await;
                Ok(request::view(&server, place))
            }
            Err(error) => {
                self.hide_all(&order.volumes).await;
                Err(error.into())
            }
        }
    }

    /// Notes where a server is now and what it has.
    pub(super) async fn settle(&self, order: &Order, place: usize, server: &Server) {
        let networks = request::same_interfaces(server);
        self.note(order.instance.uuid, |known| {
            known.place = place;
            known.is_shelved = false;
            known.root_gb = order.size.root_gb;
            known.networks = networks;
            known.volumes.clone_from(&order.volumes);
        });
    }

    /// The volumes of an order, shown to the host at that place.
    pub(super) async fn shown_to(
        &self,
        order: &Order,
        place: usize,
    ) -> Result<Vec<Connection>, Failure> {
        let driver = &self.home(place)?.driver;
        let mut connections = Vec::new();
        for (number, word) in order.volumes.iter().enumerate() {
            let is_bootable = number == 0 && order.image.is_none();
            let host = (place, driver);
            let instance = order.instance.uuid;
            connections.push(self.volumes.show(word, is_bootable, host, instance).await?);
        }
        Ok(connections)
    }

    /// Of these volumes how the host at that place reaches those that it does.
    pub(super) fn reached(&self, words: &[String], place: usize) -> Vec<Connection> {
        let shown = words.iter().map(|word| self.volumes.shown(word, place));
        shown.flatten().collect()
    }

    pub(super) async fn hide_all(&self, words: &[String]) {
        for word in words {
            if let Err(error) = self.volumes.hide(word).await {
                tracing::info!(%error, volume = word, "could not be hidden");
            }
        }
    }

    pub(super) async fn remove(
        &self,
        instance: &Instance,
        control: &Control,
    ) -> Result<(), Failure> {
        let known = self.known(instance.uuid);
        let home = self.home(known.place)?;
        self.take_away(home, instance, true, control).await?;
        self.hide_all(&known.volumes).await;
        self.lock().remove(&instance.uuid);
        Ok(())
    }

    /// Removes a server from a host, with its disks or without.
    pub(super) async fn take_away(
        &self,
        home: &Home,
        instance: &Instance,
        destroy_disks: bool,
        control: &Control,
    ) -> Result<(), Failure> {
        let known = self.known(instance.uuid);
        let wanted = DestroyRequest {
            name: Some(instance.name.clone()),
            destroy_disks,
            volumes: self.reached(&known.volumes, known.place),
            ..DestroyRequest::of(instance.uuid)
        };
        home.driver.destroy(wanted, control).await?;
        Ok(())
    }

    /// Reads a server again and notes the interfaces that it has now.
    pub(super) async fn look_again(&self, instance: Uuid) -> Result<(), Failure> {
        let server = self.driver_of(instance)?.show(instance).await?;
        let networks = request::same_interfaces(&server);
        self.note(instance, |known| known.networks = networks);
        Ok(())
    }
}
