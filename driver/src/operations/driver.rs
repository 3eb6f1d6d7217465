//! The driver itself: one host, its disks, and what concurrent operations share.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::Value;
use uuid::Uuid;

use super::bridge::Orders;
use super::operation::Open;
use super::shared::{Fresh, Turns};
use super::trunk::Pairs;
use crate::config::{self, Config, DiskDriver};
use crate::devices::{Devices, LocalDevices};
use crate::error::{ErrorKind, Result};
use crate::host::{Switches, System, Vios, vios};
use crate::journal::{Journal, NoJournal};
use crate::partition::PartitionUuid;
use crate::rest::Session;
use crate::storage::local::LocalDisks;
use crate::storage::media::Repository;
use crate::storage::ssp::{ImageCache, Patience, Pool, Units};
use crate::store::{self, Store};
use crate::transaction::Group;

/// How long what is left of the host is believed: concurrent deploys look once, and the server has
/// the last word.
const ROOM_IS_FRESH: Duration = Duration::from_secs(10);
/// How long the states of Virtual I/O Servers, and which switches and repositories there are, are
/// believed.
const HOST_IS_FRESH: Duration = Duration::from_secs(60);

/// Drives one host through one session. Clones share everything, and operations of all clones may
/// run at the same time.
#[derive(Clone)]
pub struct Driver {
    pub(super) shared: Arc<Shared>,
    pub(super) devices: Arc<dyn Devices>,
    /// Where slot maps and NVRAM are kept, if they are.
    pub(super) store: Option<Arc<dyn Store>>,
}

pub(super) struct Shared {
    pub(super) session: Session,
    pub(super) group: Group,
    pub(super) config: Config,
    pub(super) system: Identity,
    pub(super) disks: Disks,
    pub(super) instances: Turns<PartitionUuid>,
    pub(super) networks: Turns<String>,
    pub(super) trunks: Pairs,
    pub(super) bridges: Orders,
    pub(super) journal: Arc<dyn Journal>,
    running: Mutex<BTreeSet<u64>>,
    /// What is prepared for partitions that are on their way here.
    pub(super) arrivals: Mutex<BTreeMap<PartitionUuid, Open>>,
    pub(super) volumes: Turns<String>,
    room: Fresh<System>,
    pub(super) vioses: Fresh<Vec<Vios>>,
    pub(super) switches: Fresh<Switches>,
    repositories: Fresh<Repositories>,
    names: Fresh<Vec<(String, Uuid)>>,
    random: Mutex<ChaCha8Rng>,
    uploads: AtomicUsize,
}

/// Media repositories, and the Virtual I/O Servers that were asked for them.
struct Repositories {
    asked: BTreeSet<String>,
    found: Vec<Repository>,
}

/// What never changes about the host.
#[derive(Debug, Clone)]
pub(super) struct Identity {
    pub(super) uuid: String,
    pub(super) name: String,
    pub(super) machine: String,
}

/// Where boot disks live.
pub(super) enum Disks {
    Ssp { pool: Pool, images: ImageCache },
    Local(LocalDisks),
}

impl Shared {
    /// Numbers, in the journal, of what this process is doing.
    pub(super) fn running(&self) -> MutexGuard<'_, BTreeSet<u64>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Driver {
    /// As [`Driver::connect_with`], without a journal: what a killed driver leaves behind, stays.
    ///
    /// # Errors
    /// As [`Driver::connect_with`].
    pub async fn connect(session: Session, config: Config) -> Result<Self> {
        Self::connect_with(session, config, Arc::new(NoJournal)).await
    }

    /// Checks the host, and that boot disks have a place. Call [`Driver::recover`] before the first operation: it
    /// finishes or undoes what the journal says that another process left behind.
    ///
    /// The server has to manage exactly one system, unless the configuration names one; the
    /// Virtual I/O Servers that run are waited for; the pool or volume group of the boot disks has
    /// to be there.
    ///
    /// # Errors
    /// What of that is not so, and those of the requests; with a journal on disk also, that another driver of this
    /// machine works on the system.
    pub async fn connect_with(
        session: Session,
        config: Config,
        journal: Arc<dyn Journal>,
    ) -> Result<Self> {
        config.check()?;
        let system = System::find(&session, &config.managed_system).await?;
        journal.claim(&system.machine, &config.host_lock)?;
        let patience = config::wait(config.vios_active_wait_timeout);
        let all = vios::wait_until_ready(&session, &system.uuid, patience).await?;
        let active = vios::active(&all)?;
        let group = Group::new(session.clone());
        let disks = match config.disk_driver {
            DiskDriver::Ssp => {
                let pool = Pool::find(&session, &system.uuid, &config.cluster_name).await?;
                let units = Units::of(session.clone(), pool.tier_path());
                let patience = Patience {
                    wait: config::wait(config.image_wait_timeout),
                    stale_after: config::wait(config.image_marker_stale_after),
                    takeover: config.image_marker_takeover,
                };
                Disks::Ssp {
                    pool,
                    images: ImageCache::new(session.clone(), units, patience),
                }
            }
            DiskDriver::LocalDisk => Disks::Local(
                LocalDisks::find(&session, &group, &active, &config.volume_group_name).await?,
            ),
        };
        tracing::info!(system = system.name, machine = system.machine, disks = %config.disk_driver, "connected");
        let identity = Identity {
            uuid: system.uuid,
            name: system.name,
            machine: system.machine,
        };
        // Drivers of two systems may have one session, and must not draw the same numbers.
        let halves = uuid::Uuid::try_parse(&identity.uuid).map(|uuid| uuid.as_u64_pair());
        let (high, low) = halves.unwrap_or_default();
        let seed = session.options().seed ^ high ^ low;
        let patience = config::wait(config.device_timeout);
        let devices = LocalDevices::named_in(&config.device_folder, patience);
        let store = store::of_config(&config)?;
        Ok(Self {
            devices: Arc::new(devices),
            store,
            shared: Arc::new(Shared {
                random: Mutex::new(ChaCha8Rng::seed_from_u64(seed)),
                session,
                group,
                config,
                system: identity,
                disks,
                instances: Turns::default(),
                networks: Turns::default(),
                trunks: Pairs::default(),
                bridges: Orders::default(),
                journal,
                running: Mutex::default(),
                arrivals: Mutex::default(),
                volumes: Turns::default(),
                room: Fresh::for_at_most(ROOM_IS_FRESH),
                vioses: Fresh::for_at_most(HOST_IS_FRESH),
                switches: Fresh::for_at_most(HOST_IS_FRESH),
                repositories: Fresh::for_at_most(HOST_IS_FRESH),
                names: Fresh::for_at_most(ROOM_IS_FRESH),
                uploads: AtomicUsize::new(0),
            }),
        })
    }

    /// The same, with disks read there and not on this machine.
    #[must_use]
    pub fn reading_disks_of(self, devices: impl Devices + 'static) -> Self {
        Self {
            devices: Arc::new(devices),
            ..self
        }
    }

    /// The same, with slot maps and NVRAM kept there and not where the configuration says.
    #[must_use]
    pub fn keeping_in(self, store: impl Store + 'static) -> Self {
        Self {
            store: Some(Arc::new(store)),
            ..self
        }
    }

    /// The session that it works through.
    #[must_use]
    pub fn session(&self) -> &Session {
        &self.shared.session
    }

    /// Its configuration.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.shared.config
    }

    /// Numbers, in the journal, of what this process is doing.
    pub(super) fn running(&self) -> MutexGuard<'_, BTreeSet<u64>> {
        self.shared.running()
    }

    /// The host with its limits and what is left of it, read within the last seconds.
    pub(super) async fn system(&self) -> Result<Arc<System>> {
        let shared = &self.shared;
        shared
            .room
            .get(|| System::refresh(&shared.session, &shared.system.uuid))
            .await
    }

    /// All Virtual I/O Servers, read within the last minute.
    pub(super) async fn vioses(&self) -> Result<Arc<Vec<Vios>>> {
        let shared = &self.shared;
        shared
            .vioses
            .get(|| Vios::all(&shared.session, &shared.system.uuid))
            .await
    }

    /// The Virtual I/O Servers that can work. When there seems to be none, they are looked at again.
    pub(super) async fn active_vioses(&self) -> Result<Vec<Vios>> {
        if let Ok(active) = vios::active(&self.vioses().await?) {
            return Ok(active);
        }
        self.shared.vioses.forget().await;
        vios::active(&self.vioses().await?)
    }

    /// All Virtual I/O Servers, read now if one of them could not be reached within the last minute.
    pub(super) async fn vioses_now(&self) -> Result<Arc<Vec<Vios>>> {
        let known = self.vioses().await?;
        if known.iter().all(|vios| vios.is_active) {
            return Ok(known);
        }
        self.shared.vioses.forget().await;
        self.vioses().await
    }

    /// The names of the system's partitions with their UUIDs, read within the last seconds. Empty where the server has no
    /// such list: it has the last word anyway.
    pub(super) async fn partition_names(&self) -> Result<Arc<Vec<(String, Uuid)>>> {
        let path = format!("ManagedSystem/{}/LogicalPartition", self.shared.system.uuid);
        let read = async || {
            let all = match self.session().quick(&path, "All").await {
                Err(error)
                    if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::BadAnswer) =>
                {
                    tracing::debug!(%error, "the names of partitions are not known");
                    return Ok(Vec::new());
                }
                all => all?,
            };
            let text = |of: &Value, key: &str| of.get(key)?.as_str().map(str::to_owned);
            let known = |of: &Value| {
                let uuid = Uuid::try_parse(&text(of, "UUID")?).ok()?;
                Some((text(of, "PartitionName")?, uuid))
            };
            let all = all.as_array().map(Vec::as_slice).unwrap_or_default();
            Ok(all.iter().filter_map(known).collect())
        };
        self.shared.names.get(read).await
    }

    /// Forgets them: a partition was made.
    pub(super) async fn forget_partition_names(&self) {
        self.shared.names.forget().await;
    }

    /// The virtual switches, read within the last minute.
    pub(super) async fn switches(&self) -> Result<Arc<Switches>> {
        let shared = &self.shared;
        shared
            .switches
            .get(|| Switches::read(&shared.session, &shared.system.uuid))
            .await
    }

    /// Forgets which switches there are: one was made.
    pub(super) async fn forget_switches(&self) {
        self.shared.switches.forget().await;
    }

    /// The media repositories of these Virtual I/O Servers, found within the last minute.
    pub(super) async fn repositories(&self, active: &[Vios]) -> Result<Vec<Repository>> {
        let shared = &self.shared;
        let look = async || {
            Ok(Repositories {
                asked: active.iter().map(|vios| vios.uuid.clone()).collect(),
                found: Repository::find_all(&shared.session, active).await?,
            })
        };
        let mut known = shared.repositories.get(look).await?;
        // One that could not be reached then may have a repository all the same.
        if !active.iter().all(|vios| known.asked.contains(&vios.uuid)) {
            shared.repositories.forget().await;
            known = shared.repositories.get(look).await?;
        }
        let is_active = |place: &&Repository| active.iter().any(|vios| vios.uuid == place.vios);
        Ok(known.found.iter().filter(is_active).cloned().collect())
    }

    /// A media repository for the next config drive, made if there is none. Config drives are
    /// spread over the Virtual I/O Servers.
    pub(super) async fn repository_for_upload(&self, active: &[Vios]) -> Result<Repository> {
        // One at a time: two deploys would both find none.
        let _turn = self
            .shared
            .networks
            .take(&"media repository".to_owned())
            .await;
        let mut found = self.repositories(active).await?;
        if found.is_empty() {
            let config = &self.shared.config;
            let (group, size) = (
                &config.vopt_media_volume_group,
                u64::from(config.vopt_media_rep_size),
            );
            let made = Repository::create(
                &self.shared.session,
                &self.shared.group,
                active,
                group,
                size,
            )
            .await;
            self.shared.repositories.forget().await;
            return made;
        }
        let index = self.next_upload() % found.len();
        Ok(found.swap_remove(index))
    }

    /// Whose turn it is to carry an upload.
    pub(super) fn next_upload(&self) -> usize {
        self.shared.uploads.fetch_add(1, Ordering::Relaxed)
    }

    /// Tells this driver's markers from others'.
    pub(super) fn tag(&self) -> u32 {
        self.shared
            .random
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .next_u32()
    }

    /// A partition's address on the server, as mappings refer to it.
    pub(super) fn partition_href(&self, partition: PartitionUuid) -> String {
        format!(
            "{}/rest/api/uom/{}",
            self.shared.session.endpoint().origin(),
            path_of(partition)
        )
    }
}

/// A partition's path below the API's root.
pub(super) fn path_of(partition: PartitionUuid) -> String {
    format!("LogicalPartition/{partition}")
}

impl fmt::Debug for Driver {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Driver")
            .field("system", &self.shared.system.name)
            .field("session", &self.shared.session)
            .finish_non_exhaustive()
    }
}
