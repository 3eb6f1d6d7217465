//! The steps of a deploy that concern its volumes and the ports that it reaches them through.

use std::sync::Arc;

use super::{Spawn, slots};
use crate::error::Result;
use crate::operations::volume::ports::{self, Ports};

impl Spawn {
    pub(super) async fn connect_ports(self: Arc<Self>) -> Result<()> {
        let metadata = &self.order()?.request.metadata;
        let mut ports = Ports::plan(&self.driver, &self.vioses, &self.client(), metadata).await?;
        if let Some(slots) = self.slots() {
            ports.take_slots(slots).map_err(slots::invalid_rebuild)?;
        }
        ports.connect(&self.driver).await
    }

    pub(super) async fn take_ports(self: Arc<Self>) -> Result<()> {
        ports::take_all(&self.driver, &self.vioses, &self.client()).await
    }

    pub(super) async fn find_volumes(self: Arc<Self>) -> Result<()> {
        let outcome = self.volumes.find().await;
        self.note(|found| found.devices = self.volumes.devices());
        outcome
    }

    pub(super) async fn forget_volumes(self: Arc<Self>) -> Result<()> {
        self.volumes.forget().await
    }
}
