//! Volumes that the storage has for a server, before any operation on them.

use std::sync::Arc;

use anyhow::{Context, bail};
use powervm_driver::config::{Config, FcStrategy};
use powervm_driver::operations::{Driver, Metadata};
use powervm_driver::volume::Connection;
use powervm_simulator::Simulator;

use super::subjects::{SUBJECT, instance};
use crate::storage::{Protocol, Storage};

/// How many volumes there are.
const COUNT: usize = 2;

tokio::task_local! {
    static VOLUMES: Arc<Volumes>;
}

/// How the server of an operation reaches its volumes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Furniture {
    /// There are none.
    Bare,
    /// As disks of Virtual I/O Servers, over Fibre Channel.
    Disks,
    /// As disks of Virtual I/O Servers, over iSCSI with CHAP.
    Iscsi,
    /// Through Fibre Channel ports of its own.
    Ports,
    /// There are none; slots and NVRAM are kept.
    Kept,
}

/// Volumes shown to the host, and what is kept for the server's ports.
#[derive(Debug, Default)]
pub(super) struct Volumes {
    pub(super) connections: Vec<Connection>,
    pub(super) metadata: Metadata,
}

/// The volumes of the case that is being played.
pub(super) fn volumes() -> Arc<Volumes> {
    VOLUMES.try_with(Arc::clone).unwrap_or_default()
}

/// Plays a case that has these.
pub(super) async fn with<T>(volumes: &Arc<Volumes>, case: impl Future<Output = T>) -> T {
    VOLUMES.scope(Arc::clone(volumes), case).await
}

impl Furniture {
    /// What it takes in the driver's configuration.
    pub(super) fn configure(
        self,
        simulator: &Simulator,
        config: &mut Config,
    ) -> anyhow::Result<()> {
        if self != Self::Ports {
            return Ok(());
        }
        config.volumes.fc_attach_strategy = FcStrategy::Npiv;
        let world = simulator.world();
        let ports = world.vioses.values().flat_map(|vios| vios.fc_ports());
        let names = ports.filter(|port| port.fabric == 0);
        let names = names.map(|port| format!("{:016x}", port.wwpn).parse());
        let names = names.collect::<Result<Vec<_>, _>>()?;
        if names.is_empty() {
            bail!("the host has no port on the first fabric");
        }
        let fabric = config.volumes.fabrics.first().cloned();
        let fabric = fabric.context("the driver knows of no fabric")?;
        config.volumes.fabric_ports.insert(fabric, names);
        Ok(())
    }

    /// Makes the volumes and shows them, as Nova and Cinder agree on it.
    pub(super) async fn provide(
        self,
        simulator: &Simulator,
        driver: &Driver,
    ) -> anyhow::Result<Volumes> {
        let (protocol, chap) = match self {
            Self::Bare | Self::Kept => return Ok(Volumes::default()),
            Self::Disks | Self::Ports => (Protocol::FibreChannel, false),
            Self::Iscsi => (Protocol::Iscsi, true),
        };
        let told = driver
            .volume_connector(instance(SUBJECT), Metadata::new())
            .await?;
        let connector = serde_json::to_value(&told.connector)?;
        let storage = Storage::of(simulator);
        let mut connections = Vec::new();
        for number in 0..COUNT {
            let refused = |failure: crate::target::Failure| anyhow::anyhow!(failure.message);
            let name = format!("matrix-volume-{number}");
            let id = storage.create(&name, 1, protocol).await.map_err(refused)?;
            let info = storage.map(&id, &connector, chap).await.map_err(refused)?;
            connections.push(Connection::parse(&info)?);
        }
        Ok(Volumes {
            connections,
            metadata: told.metadata,
        })
    }
}
