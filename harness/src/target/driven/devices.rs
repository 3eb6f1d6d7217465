//! Volumes, interfaces and consoles of servers.

use powervm_driver::network::NetworkInterface;
use powervm_driver::operations::{Control, VolumeRequest};
use powervm_driver::rest::Flavor;

use super::Driven;
use crate::scenario::RefusalKind;
use crate::target::{Failure, Task};

impl Driven {
    pub(super) async fn attach_volume(
        &self,
        task: &Task,
        word: &str,
        control: &Control,
    ) -> Result<(), Failure> {
        let instance = task.order.instance.uuid;
        let known = self.known(instance);
        if !known.is_shelved {
            let driver = &self.home(known.place)?.driver;
            let host = (known.place, driver);
            let is_new = self.volumes.shown(word, known.place).is_none();
            let shown = self.volumes.show(word, false, host, instance).await?;
            self.until_booted(driver, instance).await;
            let wanted = VolumeRequest::of(instance, shown);
            match driver.attach_volumes(wanted, control).await {
                Ok(report) => {
                    for volume in &report.volumes {
                        let udid = volume.target_udid.as_ref();
                        self.volumes.learn(&volume.volume, known.place, udid);
                    }
                }
                Err(error) => {
                    if is_new {
                        self.hide_all(&[word.to_owned()]).await;
                    }
                    return Err(error.into());
                }
            }
        }
        self.note(instance, |known| {
            known.volumes.clone_from(&task.order.volumes)
        });
        Ok(())
    }

    pub(super) async fn detach_volume(
        &self,
        task: &Task,
        word: &str,
        control: &Control,
    ) -> Result<(), Failure> {
        let instance = task.order.instance.uuid;
        let known = self.known(instance);
        if !known.is_shelved {
            let driver = &self.home(known.place)?.driver;
            let Some(shown) = self.volumes.shown(word, known.place) else {
                return Err(Failure {
                    kind: RefusalKind::NotFound,
                    message: format!("no server here has the volume {word}"),
                });
            };
            self.until_booted(driver, instance).await;
            let wanted = VolumeRequest::of(instance, shown);
            driver.detach_volumes(wanted, control).await?;
            self.volumes.hide(word).await?;
        }
        self.note(instance, |known| {
            known.volumes.clone_from(&task.order.volumes)
        });
        Ok(())
    }

    pub(super) async fn attach_interface(
        &self,
        task: &Task,
        vlan: u16,
        control: &Control,
    ) -> Result<(), Failure> {
        let instance = task.order.instance.uuid;
        let driver = self.driver_of(instance)?;
        self.until_booted(driver, instance).await;
        let wanted = NetworkInterface::on_vlan(vlan);
        driver.attach_interface(instance, wanted, control).await?;
        self.look_again(instance).await
    }

    /// The last one on that VLAN; one that is not there is taken away already.
    pub(super) async fn detach_interface(
        &self,
        task: &Task,
        vlan: u16,
        control: &Control,
    ) -> Result<(), Failure> {
        let instance = task.order.instance.uuid;
        let driver = self.driver_of(instance)?;
        self.until_booted(driver, instance).await;
        let server = driver.show(instance).await?;
        let mut interfaces: Vec<_> = server.interfaces.iter().collect();
        interfaces.sort_by_key(|interface| interface.slot);
        let last = interfaces
            .into_iter()
            .rfind(|interface| interface.vlan == Some(vlan));
        if let Some(mac) = last.and_then(|interface| interface.mac) {
            driver.detach_interface(instance, mac, control).await?;
        }
        self.look_again(instance).await
    }

    /// What a client would connect to; and nobody has the console open afterwards.
    pub(super) async fn console(&self, task: &Task) -> Result<(), Failure> {
        let instance = task.order.instance.uuid;
        let home = self.home_of(instance)?;
        if home.session.flavor() == Flavor::NovaLink {
            home.driver.console_command(instance).await?;
        }
        home.driver.close_console(instance).await?;
        Ok(())
    }
}
