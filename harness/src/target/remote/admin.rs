//! The admin API of a `powervm-sim`: its inventory, and what lies on its disks.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use http::Request;
use http::header::AUTHORIZATION;
use http_body_util::{BodyExt, Limited};
use powervm_driver::rest::{Body, Endpoint, HttpTransport, Transport};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::audit::{Inventory, ItemKind};
use crate::scenario::RefusalKind;
use crate::target::look::Look;
use crate::target::{Content, Failure, Instance};

/// The largest answer that is read: a hundred thousand partitions fit.
const LARGEST_ANSWER: usize = 256 << 20;

/// What reports call this view of a host.
const VIEW: &str = "the admin API";

/// The admin API of one simulator.
pub struct Admin {
    origin: String,
    token: SecretString,
    transport: Arc<dyn Transport>,
}

impl Admin {
    /// The admin API at this URL.
    ///
    /// # Errors
    /// A URL that is none of `http://HOST:PORT`.
    pub fn new(url: &str, token: SecretString) -> powervm_driver::Result<Self> {
        let endpoint = Endpoint::new(url)?;
        let transport = Arc::new(HttpTransport::new(&endpoint)?);
        Ok(Self {
            origin: endpoint.origin(),
            token,
            transport,
        })
    }

    async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Failure> {
        let failure = |what: String| Failure {
            kind: RefusalKind::Other,
            message: format!("GET {}{path}: {what}", self.origin),
        };
        let request = Request::get(format!("{}{path}", self.origin))
            .header(
                AUTHORIZATION,
                format!("Bearer {}", self.token.expose_secret()),
            )
            .body(Body::empty())
            .map_err(|error| failure(error.to_string()))?;
        let answer = self
            .transport
            .call(request)
            .await
            .map_err(|error| failure(error.to_string()))?;
        let status = answer.status();
        if !status.is_success() {
            return Err(failure(format!(
                "{status}; check the URL and the token in POWERVM_ADMIN_TOKEN"
            )));
        }
        let body = Limited::new(answer.into_body(), LARGEST_ANSWER)
            .collect()
            .await
            .map_err(|error| failure(error.to_string()))?
            .to_bytes();
        serde_json::from_slice(&body)
            .map_err(|error| failure(format!("not an answer of powervm-sim: {error}")))
    }
}

#[derive(Debug, Deserialize)]
struct Listing {
    virtual_io_servers: Vec<Server>,
    partitions: Vec<Partition>,
    tiers: Vec<Tier>,
    files: Vec<Named>,
    jobs: Vec<Job>,
}

#[derive(Debug, Deserialize)]
struct Named {
    name: String,
}

#[derive(Debug, Deserialize)]
struct Partition {
    uuid: String,
    name: String,
    network_adapters: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct Server {
    name: String,
    volume_groups: Vec<Group>,
    scsi_mappings: Vec<Mapping>,
}

#[derive(Debug, Deserialize)]
struct Group {
    name: String,
    virtual_disks: Vec<Named>,
    media: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct Mapping {
    adapter: String,
    client: Option<String>,
    targets: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct Tier {
    name: String,
    logical_units: Vec<Named>,
}

#[derive(Debug, Deserialize)]
struct Job {
    id: u64,
    operation: String,
}

/// What lies on one disk.
#[derive(Debug, Deserialize)]
struct Lying {
    name: String,
    bytes: u64,
    sha256: String,
}

impl Listing {
    fn inventory(&self) -> Inventory {
        let mut inventory = Inventory::new(VIEW.to_owned());
        let names: BTreeMap<&str, &str> = self
            .partitions
            .iter()
            .map(|partition| (partition.uuid.as_str(), partition.name.as_str()))
            .collect();
        for partition in &self.partitions {
            inventory.add(ItemKind::Partition, &partition.name, "");
            for adapter in &partition.network_adapters {
                inventory.add(
                    ItemKind::Adapter,
                    format!("Ethernet {adapter}"),
                    &partition.name,
                );
            }
        }
        for server in &self.virtual_io_servers {
            inventory.add(ItemKind::Partition, &server.name, "");
            for mapping in &server.scsi_mappings {
                let uuid = mapping.client.as_deref().unwrap_or("any partition");
                let client = names.get(uuid).copied().unwrap_or(uuid);
                inventory.add(
                    ItemKind::Adapter,
                    format!("SCSI {}", mapping.adapter),
                    &server.name,
                );
                for target in &mapping.targets {
                    let name = format!("{} to {client}: {target}", mapping.adapter);
                    inventory.add(ItemKind::Mapping, name, &server.name);
                }
            }
            for group in &server.volume_groups {
                let place = format!("{} of {}", group.name, server.name);
                for disk in &group.virtual_disks {
                    inventory.add(ItemKind::VirtualDisk, &disk.name, &place);
                }
                for medium in &group.media {
                    inventory.add(ItemKind::Media, medium, &place);
                }
            }
        }
        for tier in &self.tiers {
            for unit in &tier.logical_units {
                inventory.add(
                    ItemKind::LogicalUnit,
                    &unit.name,
                    format!("tier {}", tier.name),
                );
            }
        }
        for file in &self.files {
            inventory.add(ItemKind::File, &file.name, "");
        }
        for job in &self.jobs {
            inventory.add(ItemKind::Job, format!("{} {}", job.operation, job.id), "");
        }
        inventory
    }
}

impl Look for Admin {
    fn inventories(&self) -> BoxFuture<'_, Result<Vec<Inventory>, Failure>> {
        Box::pin(async { Ok(vec![self.get::<Listing>("/inventory").await?.inventory()]) })
    }

    fn content<'a>(&'a self, _: &'a Instance, disks: &'a [String]) -> BoxFuture<'a, Content> {
        Box::pin(async {
            let found: BTreeMap<String, Lying> = match self.get("/contents").await {
                Ok(found) => found,
                Err(failure) => return Content::NotCheckable(failure.to_string()),
            };
            let [disk] = disks else {
                return Content::Missing(format!(
                    "the server has {} boot disks, not one",
                    disks.len()
                ));
            };
            let mut lying = found.into_values().filter(|lying| lying.name == *disk);
            match (lying.next(), lying.next()) {
                (None, _) => Content::Missing(format!("nothing was ever written to {disk}")),
                (Some(only), None) => Content::Sha256 {
                    disk: only.name,
                    bytes: only.bytes,
                    sha256: only.sha256,
                },
                (Some(_), Some(_)) => {
                    Content::NotCheckable(format!("there are several disks called {disk}"))
                }
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Listing;
    use crate::audit::{ItemKind, Policy, compare};

    const LISTING: &str = r#"{
        "systems": [], "virtual_io_servers": [{"uuid": "V", "name": "vios1", "state": "running",
            "volume_groups": [{"name": "rootvg", "virtual_disks": [{"udid": "03", "name": "b_x"}], "media": ["cfg_1.iso"]}],
            "scsi_mappings": [{"adapter": "vhost0", "slot": 3, "client": "P", "targets": ["vtscsi0"]}]}],
        "partitions": [{"uuid": "P", "id": 4, "name": "vm", "state": "running", "rmc": "none", "network_adapters": ["n"]}],
        "tiers": [{"uuid": "T", "name": "SYSTEM", "logical_units": [{"uuid": "L", "udid": "27", "name": "boot_vm"}]}],
        "files": [{"uuid": "F", "name": "f"}], "jobs": [{"id": 1, "operation": "PowerOn"}]}"#;

    #[test]
    fn a_listing_becomes_an_inventory() {
        let inventory = serde_json::from_str::<Listing>(LISTING)
            .expect("a listing")
            .inventory();
        assert_eq!(
            inventory.describe(),
            "the admin API: 2 partitions, 2 adapters, 1 mapping, 1 logical unit, 1 virtual disk, 1 medium, 1 file, 1 job"
        );
        let mapping = inventory
            .items
            .iter()
            .find(|item| item.kind == ItemKind::Mapping)
            .expect("a mapping");
        assert_eq!(
            mapping.to_string(),
            "mapping vhost0 to vm: vtscsi0 in vios1"
        );
        assert!(
            compare(
                std::slice::from_ref(&inventory),
                std::slice::from_ref(&inventory),
                Policy::Ssp
            )
            .is_clean()
        );
    }
}
