//! What Cinder has to know of the host before it shows it a volume.

use std::time::Duration;

use uuid::Uuid;

use super::iscsi::DISCOVERY;
use super::ports;
use super::report::ConnectorInfo;
use super::request::Metadata;
use crate::config::FcStrategy;
use crate::error::Result;
use crate::operations::device_jobs;
use crate::operations::driver::Driver;
use crate::operations::request::ServerRef;
use crate::rest::{Flavor, Job};
use crate::storage::mapping::Client;
use crate::volume::{Connector, Wwpn, npiv};

/// Characters of the host's name before the server's.
const HOST_LENGTH: usize = 20;
/// How long it may take.
const INITIATOR_TIMEOUT: Duration = Duration::from_secs(120);

impl Driver {
    /// The connector that Cinder wants, and what is to be kept for the instance.
    ///
    /// The Virtual I/O Servers are looked at now, so that a port that was added counts.
    ///
    /// # Errors
    /// Those of the requests.
    pub async fn volume_connector(
        &self,
        server: impl Into<ServerRef>,
        metadata: Metadata,
    ) -> Result<ConnectorInfo> {
        let server = server.into();
        if !self.has_npiv() {
            let wwpns = self.physical_ports().await?;
            return self.connector(None, wwpns, metadata).await;
        }
        let uuid = self.resolve(&server).await?;
        let client = Client {
            uuid,
            id: None,
            href: self.partition_href(uuid),
        };
        let (wwpns, metadata) = ports::names(self, &client, &metadata).await?;
        self.connector(Some(&server), wwpns, metadata).await
    }

    /// The connector for a server that is on its way to this host. Of the names of its own ports those that log in
    /// here: the second of each pair. What is kept for the instance stays as it is until the server has come.
    ///
    /// # Errors
    /// Those of the requests.
    pub async fn arriving_connector(
        &self,
        instance: Uuid,
        metadata: Metadata,
    ) -> Result<ConnectorInfo> {
        let server = ServerRef::Uuid(instance);
        if !self.has_npiv() {
            return self.volume_connector(server, metadata).await;
        }
        let fabrics = self.config().volumes.npiv_fabrics();
        let pairs = fabrics.flat_map(|(fabric, _)| npiv::kept(&metadata, fabric));
        let wwpns = pairs.map(|pair| pair.names[1]).collect();
        self.connector(Some(&server), wwpns, metadata).await
    }

    fn has_npiv(&self) -> bool {
        self.config().volumes.fc_attach_strategy == FcStrategy::Npiv
    }

    /// A server with names of its own is kept apart from the others by the storage.
    async fn connector(
        &self,
        own: Option<&ServerRef>,
        wwpns: Vec<Wwpn>,
        metadata: Metadata,
    ) -> Result<ConnectorInfo> {
        let host = self.storage_host();
        let start = || host.chars().take(HOST_LENGTH).collect::<String>();
        let host = match own {
            None => host.to_owned(),
            Some(ServerRef::Name(name)) => format!("{}_{name}", start()),
            Some(ServerRef::Uuid(uuid)) => format!("{}_{uuid}", start()),
        };
        let connector = Connector {
            wwpns,
            initiator: self.initiator().await?,
            multipath: self.config().volumes.volume_use_multipath,
            host,
        };
        Ok(ConnectorInfo {
            connector,
            metadata,
        })
    }

    /// The name of the first iSCSI initiator. A Virtual I/O Server that cannot tell it has none.
    async fn initiator(&self) -> Result<Option<String>> {
        if self.session().flavor() == Flavor::Hmc {
            return Ok(None);
        }
        for vios in self.active_vioses().await? {
            let job = Job::new(vios.path(), DISCOVERY).timeout(INITIATOR_TIMEOUT);
            match device_jobs::once(self.session(), &vios.path(), &job).await {
                Ok(outcome) => {
                    let name = outcome.results.get("InitiatorName").map(|name| name.trim());
                    if let Some(name) = name.filter(|name| !name.is_empty()) {
                        return Ok(Some(name.to_owned()));
                    }
                }
                Err(error) => tracing::info!(%error, vios = vios.name, "no iSCSI initiator"),
            }
        }
        Ok(None)
    }

    /// Names of the Virtual I/O Servers' ports that volumes can be reached through.
    async fn physical_ports(&self) -> Result<Vec<Wwpn>> {
        let vioses = self.active_vioses().await?;
        let ports = vioses.iter().flat_map(|vios| &vios.ports);
        let mut names: Vec<Wwpn> = ports
            .filter(|port| port.total > 0)
            .map(|port| port.wwpn)
            .collect();
        names.sort_unstable();
        names.dedup();
        Ok(names)
    }

    /// The name under which storage keeps this host's ports.
    fn storage_host(&self) -> &str {
        let configured = self.config().volumes.host.as_str();
        if configured.is_empty() {
            &self.shared.system.name
        } else {
            configured
        }
    }
}
