//! What Cinder has to know of the host before it shows it a volume.

use std::time::Duration;

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
use crate::volume::{Connector, Wwpn};

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
        let options = &self.config().volumes;
        let is_npiv = options.fc_attach_strategy == FcStrategy::Npiv;
        let mut host = self.storage_host().to_owned();
        let (wwpns, metadata) = if is_npiv {
            let uuid = self.resolve(&server).await?;
            let client = Client {
                uuid,
                id: None,
                href: self.partition_href(uuid),
            };
            // Each server has names of its own, so the storage keeps it apart from the others.
            let start: String = host.chars().take(HOST_LENGTH).collect();
            let name = match &server {
                ServerRef::Name(name) => name.clone(),
                ServerRef::Uuid(uuid) => uuid.to_string(),
            };
            host = format!("{start}_{name}");
            ports::names(self, &client, &metadata).await?
        } else {
            (self.physical_ports().await?, metadata)
        };
        let connector = Connector {
            wwpns,
            initiator: self.initiator().await?,
            multipath: options.volume_use_multipath,
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
