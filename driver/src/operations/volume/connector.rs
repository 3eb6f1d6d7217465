//! What Cinder has to know of the host before it shows it a volume.

use super::report::ConnectorInfo;
use super::request::Metadata;
use crate::error::Result;
use crate::operations::driver::Driver;
use crate::operations::request::ServerRef;
use crate::volume::{Connector, Wwpn};

impl Driver {
    /// The connector that Cinder wants, and what is to be kept for the instance.
    ///
    /// The Virtual I/O Servers are looked at now, so that a port that was added counts.
    ///
    /// # Errors
    /// Those of the requests.
    pub async fn volume_connector(
        &self,
        _server: impl Into<ServerRef>,
        metadata: Metadata,
    ) -> Result<ConnectorInfo> {
        let options = &self.config().volumes;
        let connector = Connector {
            wwpns: self.physical_ports().await?,
            initiator: None,
            multipath: options.volume_use_multipath,
            host: self.storage_host().to_owned(),
        };
        Ok(ConnectorInfo {
            connector,
            metadata,
        })
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
