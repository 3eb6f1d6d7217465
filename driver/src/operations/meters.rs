//! Meters of all servers and of the host, read from the console and kept for as long as they are the newest.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use powervm_schema::atom::Entry;
use powervm_schema::network::ClientNetworkAdapter;
use serde::Serialize;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::driver::Driver;
use super::list::{is_management, sized};
use super::request::ServerRef;
use crate::error::{Error, ErrorKind, Result};
use crate::metering::{
    Facts, History, HostCpu, HostMeters, InstanceMeters, Listing, Sample, place_of,
};
use crate::network::Mac;
use crate::partition::PartitionUuid;
use crate::rest::Groups;

/// Samples come every 30 s: the console is not asked for the next one before half of that is over.
const LOOK_AGAIN: Duration = Duration::from_secs(15);

/// Everything that is metered.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Metered {
    /// Name of the system.
    pub system: String,
    /// Machine type, model and serial number.
    pub machine: String,
    /// The host.
    pub host: HostMeters,
    /// Where the time of the host's processors went since this meter began.
    pub cpu_since_start: HostCpu,
    /// The servers, by name.
    pub servers: Vec<InstanceMeters>,
}

/// Reads meters. It keeps the newest, and what else is asked for only when something is new.
pub struct Meter {
    driver: Driver,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    looked: Option<Instant>,
    sample: Option<Sample>,
    at: Option<Timestamp>,
    metered: Option<Arc<Metered>>,
    cpu: HostCpu,
    macs: BTreeMap<String, Option<Mac>>,
}

impl Meter {
    /// Reads the meters of this driver's host.
    #[must_use]
    pub fn of(driver: &Driver) -> Self {
        Self {
            driver: driver.clone(),
            kept: Mutex::default(),
        }
    }

    /// The newest meters: those that were read before, unless there may be newer ones.
    ///
    /// # Errors
    /// The long term monitor is off, or has no sample yet; those of the requests.
    pub async fn read(&self) -> Result<Arc<Metered>> {
        let mut kept = self.kept.lock().await;
        let is_recent = kept
            .looked
            .is_some_and(|looked| looked.elapsed() < LOOK_AGAIN);
        if let Some(metered) = kept.metered.as_ref().filter(|_| is_recent) {
            return Ok(Arc::clone(metered));
        }
        let listing = self.driver.listing().await?;
        kept.looked = Some(Instant::now());
        if kept.at.is_some()
            && kept.at == listing.newest()
            && let Some(metered) = &kept.metered
        {
            return Ok(Arc::clone(metered));
        }
        let session = self.driver.session();
        let history = History::read(session, &listing, kept.sample.clone()).await?;
        let metered = Arc::new(self.metered(&history, &mut kept).await?);
        kept.at = Some(history.at());
        kept.sample = Some(history.into_newest());
        kept.metered = Some(Arc::clone(&metered));
        Ok(metered)
    }

    async fn metered(&self, history: &History, kept: &mut Kept) -> Result<Metered> {
        let partitions = self.driver.partitions().await?;
        let mut servers = Vec::new();
        for entry in partitions.iter().filter(|entry| !is_management(entry)) {
            let Ok(server) = sized(entry) else {
                continue;
            };
            let uuid = server.summary.id;
            self.driver
                .learn_macs(uuid, history, &mut kept.macs)
                .await?;
            let facts = Facts {
                processors: server.vcpus,
                mac_at: &|place| kept.macs.get(place).copied().flatten(),
            };
            // One that came after the sample was taken is in the next one.
            servers.extend(history.instance(uuid, &facts));
        }
        servers.sort_by(|a, b| (&a.name, a.id).cmp(&(&b.name, b.id)));
        let told: BTreeSet<&str> = servers
            .iter()
            .flat_map(|server| &server.interfaces)
            .map(|interface| place_of(&interface.name))
            .collect();
        kept.macs.retain(|place, _| told.contains(place.as_str()));
        let host = history.host();
        kept.cpu = kept.cpu.and(host.cpu.unwrap_or_default());
        let system = &self.driver.shared.system;
        Ok(Metered {
            system: system.name.clone(),
            machine: system.machine.clone(),
            host,
            cpu_since_start: kept.cpu,
            servers,
        })
    }
}

impl Driver {
    /// The meters of one server: counters of the newest sample, rates between the two newest.
    ///
    /// # Errors
    /// No such server; one that is in no sample yet; as [`Meter::read`].
    pub async fn server_meters(&self, server: impl Into<ServerRef>) -> Result<InstanceMeters> {
        let partition = self.resolve(&server.into()).await?;
        let entry = self
            .session()
            .get_entry(&super::driver::path_of(partition), Groups::None)
            .await?;
        let server = sized(&entry)?;
        let history = self.history().await?;
        let mut macs = BTreeMap::new();
        self.learn_macs(partition, &history, &mut macs).await?;
        let facts = Facts {
            processors: server.vcpus,
            mac_at: &|place| macs.get(place).copied().flatten(),
        };
        history.instance(partition, &facts).ok_or_else(|| {
            Error::operation(
                ErrorKind::NotFound,
                format!("{} is in no sample of meters", server.summary.name),
                "try again within a minute: a sample is taken every 30 s",
            )
        })
    }

    /// Meters of the host: counters of the newest sample, the time of processors between the two newest.
    ///
    /// # Errors
    /// As [`Meter::read`].
    pub async fn host_meters(&self) -> Result<HostMeters> {
        Ok(self.history().await?.host())
    }

    async fn history(&self) -> Result<History> {
        History::read(self.session(), &self.listing().await?, None).await
    }

    /// What samples there are. A console that collects none says what it says of a missing authority, so that its
    /// preferences are asked.
    async fn listing(&self) -> Result<Listing> {
        let system = &self.shared.system;
        match Listing::read(self.session(), &system.uuid).await {
            Err(error) if error.is_not_found() || error.kind() == ErrorKind::Forbidden => {
                if matches!(self.is_monitored().await, Ok(false)) {
                    return Err(Error::operation(
                        ErrorKind::Precondition,
                        format!(
                            "the long term monitor of {} is off: nothing is metered",
                            system.name
                        ),
                        "switch it on with `powervm host monitor --on`, which changes the host for everybody",
                    ));
                }
                Err(error)
            }
            listing => listing,
        }
    }

    async fn partitions(&self) -> Result<Vec<Entry>> {
        let path = format!("ManagedSystem/{}/LogicalPartition", self.shared.system.uuid);
        Ok(self.session().get_feed(&path, Groups::None).await?.entries)
    }

    /// Asks for the addresses of a partition's adapters, if one of them is at a place that is not known.
    async fn learn_macs(
        &self,
        partition: PartitionUuid,
        history: &History,
        known: &mut BTreeMap<String, Option<Mac>>,
    ) -> Result<()> {
        let places = history.places(partition);
        if places.iter().all(|place| known.contains_key(place)) {
            return Ok(());
        }
        let adapters = match self.adapters(partition).await {
            // It went after it was listed.
            Err(error) if error.is_not_found() => return Ok(()),
            adapters => adapters?,
        };
        for place in places {
            known.entry(place).or_default();
        }
        for entry in &adapters {
            let adapter = ClientNetworkAdapter(&entry.content);
            if let Some(place) = adapter.location_code().map(place_of)
                && let Some(mac) = known.get_mut(place)
            {
                *mac = adapter.mac_address().and_then(|mac| mac.parse().ok());
            }
        }
        Ok(())
    }
}
