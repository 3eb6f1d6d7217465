//! A server that has come.

use serde::Serialize;

use super::course::Place;
use super::data::MigrationData;
use crate::error::{Error, ErrorKind, Result};
use crate::host::Vios;
use crate::journal::Outcome;
use crate::operations::driver::Driver;
use crate::operations::plug;
use crate::operations::server::Server;
use crate::operations::volume::find;
use crate::operations::volume::ports::{self, Behind};
use crate::operations::volume::scene::Scene;
use crate::operations::volume::{AttachedVolume, Metadata, VolumePath};
use crate::storage::mapping::Client;
use crate::volume::npiv::{self, PortPair};
use crate::volume::{Connection, Wwpn};

/// A server after its migration.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Arrived {
    /// The server as it is now.
    pub server: Server,
    /// Its volumes, in the order asked for.
    pub volumes: Vec<AttachedVolume>,
    /// What is to be kept for the instance from now on.
    #[serde(skip_serializing_if = "Metadata::is_empty")]
    pub metadata: Metadata,
}

impl Driver {
    /// What there is to know of an instance that has come to this host, and what is to be kept for it from now on.
    /// Asking twice does no harm.
    ///
    /// The names of a server's own Fibre Channel ports change places: the second one has taken over.
    ///
    /// # Errors
    /// It is not here; those of the requests.
    pub async fn post_live_migration_at_destination(
        &self,
        data: &MigrationData,
        volumes: &[Connection],
        metadata: &Metadata,
    ) -> Result<Arrived> {
        let uuid = data.partition();
        if Place::surely(self, uuid).await? != Place::Here {
            return Err(Error::operation(
                ErrorKind::Precondition,
                format!(
                    "{} has not come to {}",
                    data.title(),
                    self.shared.system.name
                ),
                "see how its migration ended",
            ));
        }
        let server = self.show(uuid.as_uuid()).await?;
        let scene = Scene::look(self, uuid).await?;
        let client = Client {
            uuid,
            id: server.summary.partition_id,
            href: self.partition_href(uuid),
        };
        let lent = match self.config().volumes.npiv_fabrics().next() {
            Some(_) => ports::lent(self, &client).await?,
            None => Vec::new(),
        };
        let mut metadata = metadata.clone();
        let fabrics: Vec<String> = {
            let fabrics = self.config().volumes.npiv_fabrics();
            fabrics.map(|(name, _)| name.to_owned()).collect()
        };
        for fabric in &fabrics {
            turn_over(&mut metadata, fabric, &scene.vioses, &lent);
        }
        let volumes = volumes
            .iter()
            .map(|volume| attached(self, data, &scene, volume, &lent))
            .collect();
        self.confirm_trunks(data.instance).await?;
        self.end_arrival(uuid, &Outcome::Done).await?;
        plug::announce_all(self, uuid).await;
        // The server has come; that its slots are not kept is no reason to say otherwise.
        if self.keeps()
            && let Err(error) = self.keep_slots(uuid).await
        {
            tracing::warn!(%error, server = data.title(), "its slots could not be kept");
        }
        Ok(Arrived {
            server,
            volumes,
            metadata,
        })
    }
}

/// The names change places, once: a pair whose physical port is one of this host's has done so.
fn turn_over(metadata: &mut Metadata, fabric: &str, vioses: &[Vios], lent: &[Behind]) {
    let mut pairs = npiv::kept(metadata, fabric);
    if pairs.is_empty() {
        return;
    }
    for pair in &mut pairs {
        if npiv::owner_of(vioses, pair.port).is_some() {
            continue;
        }
        if let Some(port) = port_behind(pair, vioses, lent) {
            let [first, second] = pair.names;
            *pair = PortPair {
                port,
                names: [second, first],
            };
        }
    }
    npiv::keep(metadata, fabric, &pairs, true);
}

fn port_behind(pair: &PortPair, vioses: &[Vios], lent: &[Behind]) -> Option<Wwpn> {
    let has_names = |names: &[Wwpn]| pair.names.iter().all(|name| names.contains(name));
    let (vios, port, _) = lent.iter().find(|(.., names)| has_names(names))?;
    let vios = vioses.iter().find(|own| own.uuid == *vios)?;
    let port = vios
        .ports
        .iter()
        .find(|own| Some(&own.name) == port.as_ref())?;
    Some(port.wwpn)
}

fn attached(
    driver: &Driver,
    data: &MigrationData,
    scene: &Scene,
    volume: &Connection,
    lent: &[Behind],
) -> AttachedVolume {
    let prepared = data.prepared.as_ref();
    let udid = prepared.and_then(|prepared| prepared.udids.get(&volume.volume));
    let known = Connection {
        target_udid: volume.target_udid.clone().or_else(|| udid.cloned()),
        ..volume.clone()
    };
    let mut attached = AttachedVolume {
        volume: volume.volume.clone(),
        target_udid: known.target_udid.clone(),
        paths: Vec::new(),
    };
    for vios in &scene.vioses {
        if find::is_served(driver, volume) {
            let Some(served) = scene.served(vios, &known) else {
                continue;
            };
            attached.target_udid = attached.target_udid.or_else(|| served.mapped.udid.clone());
            attached.paths.push(VolumePath {
                served_by: vios.name.clone(),
                device: served.mapped.name.clone(),
                address: served.address.clone(),
            });
        } else {
            for (_, port, names) in lent.iter().filter(|(own, ..)| *own == vios.uuid) {
                attached.paths.push(VolumePath {
                    served_by: vios.name.clone(),
                    device: port.clone().unwrap_or_default(),
                    address: names.first().map(ToString::to_string),
                });
            }
        }
    }
    attached
}
