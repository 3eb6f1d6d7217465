//! Two hosts of one machine room, each with a driver and a journal: two systems of an HMC, or two NovaLinks.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use powervm_driver::Result;
use powervm_driver::config::{Config, DiskDriver};
use powervm_driver::journal::{Journal, JournalFile};
use powervm_driver::network::NetworkInterface;
use powervm_driver::operations::{
    ConsoleAccess, Control, DestroyRequest, Driver, LiveMigration, Migrated, MigrationData,
    VolumeRequest,
};
use powervm_driver::volume::Connection;
use powervm_harness::audit::Inventory;
use powervm_harness::storage::{Protocol, Storage};
use powervm_harness::target::embedded::books;
use powervm_simulator::inventory::{Inventory as Room, Sizes};
use powervm_simulator::model::job::incident::Incident;
use powervm_simulator::model::pace::Pace;
use powervm_simulator::weather::{Forecast, Weather};
use powervm_simulator::{Flavor, Simulator};
use uuid::Uuid;

use crate::support::{Calls, config, instance, request, session};

/// Two systems with one storage.
pub(crate) fn room(flavor: Flavor) -> Room {
    let sizes = Sizes {
        systems: 2,
        partitions: 0,
        ..Sizes::default()
    };
    Room::sized(flavor, sizes).with_shared_storage()
}

/// Nothing takes time but migrations.
pub(crate) fn weather() -> Weather {
    let (calm, typical) = (Forecast::calm(), Pace::typical());
    let pace = Pace {
        migration_start: typical.migration_start,
        migration: typical.migration,
        migration_gigabyte: typical.migration_gigabyte,
        ..calm.pace.clone()
    };
    Weather::Custom(Box::new(Forecast { pace, ..calm }))
}

pub(crate) struct Hosts {
    pub(crate) simulator: Simulator,
    pub(crate) names: Vec<String>,
    pub(crate) systems: Vec<Uuid>,
    pub(crate) drivers: Vec<Driver>,
    pub(crate) journals: Vec<JournalFile>,
    pub(crate) calls: Arc<Calls>,
    /// The world as a failed migration has to leave it.
    pub(crate) before: Mutex<Option<Inventory>>,
}

impl Hosts {
    pub(crate) async fn new(flavor: Flavor) -> Self {
        Self::on(flavor, DiskDriver::Ssp).await
    }

    pub(crate) async fn on(flavor: Flavor, disk: DiskDriver) -> Self {
        Self::with(flavor, room(flavor), |_, _| config(disk)).await
    }

    /// With a server that runs.
    pub(crate) async fn running(flavor: Flavor) -> Self {
        let hosts = Self::new(flavor).await;
        hosts.spawn(1).await;
        hosts.note().await;
        hosts
    }

    pub(crate) async fn with(
        flavor: Flavor,
        room: Room,
        config: impl Fn(&Simulator, usize) -> Config,
    ) -> Self {
        let simulator = Simulator::builder()
            .flavor(flavor)
            .inventory(room)
            .weather(weather())
            .seed(7)
            .check_invariants(true)
            .build()
            .unwrap();
        let world = simulator.world();
        let found = world.systems_in_order();
        let names: Vec<String> = found.iter().map(|system| system.name.clone()).collect();
        let systems = found.iter().map(|system| system.uuid).collect();
        let mut hosts = Self {
            names,
            systems,
            drivers: Vec::new(),
            journals: Vec::new(),
            calls: Arc::default(),
            before: Mutex::default(),
            simulator,
        };
        for number in 0..2 {
            let config = config(&hosts.simulator, number);
            hosts.journals.push(JournalFile::in_memory().unwrap());
            let driver = hosts.driver(number, config).await;
            hosts.drivers.push(driver);
        }
        hosts
    }

    /// Another driver of a host, on its journal.
    pub(crate) async fn driver(&self, number: usize, config: Config) -> Driver {
        let consoles = self.simulator.novalinks();
        let console = consoles.get(number).unwrap_or(&self.simulator);
        let session = session(console, 1 + number as u64, Arc::clone(&self.calls)).await;
        let config = Config {
            managed_system: self.names[number].clone(),
            ..config
        };
        let journal = Arc::new(self.journals[number].clone());
        Driver::connect_with(session, config, journal)
            .await
            .unwrap()
    }

    pub(crate) fn source(&self) -> &Driver {
        &self.drivers[0]
    }

    pub(crate) fn destination(&self) -> &Driver {
        &self.drivers[1]
    }

    pub(crate) fn access(&self) -> ConsoleAccess {
        ConsoleAccess {
            address: Some(self.names[1].clone()),
            ..ConsoleAccess::default()
        }
    }

    pub(crate) fn order(&self) -> LiveMigration {
        LiveMigration {
            access: self.access(),
            ..LiveMigration::of(instance(1))
        }
    }

    pub(crate) async fn migrate(&self, order: &LiveMigration) -> Result<Migrated> {
        self.source()
            .live_migrate(self.destination(), order.clone(), &Control::default())
            .await
    }

    /// Both hosts' checks.
    pub(crate) async fn checked(&self) -> Result<MigrationData> {
        let data = self
            .destination()
            .check_migration_destination(instance(1), self.access())
            .await?;
        self.source().check_migration_source(data).await
    }

    pub(crate) async fn spawn(&self, number: u32) {
        self.spawn_as(request(number)).await;
    }

    /// On the `vlan`-th of the VLANs that shared Ethernet adapters bridge besides their own.
    pub(crate) async fn spawn_on(&self, number: u32, vlan: u16) {
        let mut request = request(number);
        request.networks = vec![NetworkInterface::on_vlan(100 + vlan)];
        self.spawn_as(request).await;
    }

    pub(crate) async fn spawn_as(&self, request: powervm_driver::operations::SpawnRequest) {
        self.source()
            .spawn(request, &Control::default())
            .await
            .unwrap();
        // Until RMC is up.
        tokio::time::sleep(Duration::from_secs(600)).await;
        self.note().await;
    }

    pub(crate) async fn destroy_there(&self, number: u32) {
        self.destination()
            .destroy(DestroyRequest::of(instance(number)), &Control::default())
            .await
            .unwrap();
    }

    /// A volume as the storage shows it to each of the two hosts.
    pub(crate) async fn volume(&self, protocol: Protocol) -> (Connection, Connection) {
        let storage = Storage::of(&self.simulator);
        let id = storage.create("moving", 1, protocol).await.unwrap();
        let mut shown = Vec::new();
        for driver in &self.drivers {
            let told = driver
                .volume_connector(instance(1), Default::default())
                .await
                .unwrap();
            let connector = serde_json::to_value(&told.connector).unwrap();
            let info = storage.map(&id, &connector, false).await.unwrap();
            shown.push(Connection::parse(&info).unwrap());
        }
        (shown.remove(0), shown.remove(0))
    }

    pub(crate) async fn attach(&self, volume: &Connection) {
        self.source()
            .attach_volumes(
                VolumeRequest::of(instance(1), volume.clone()),
                &Control::default(),
            )
            .await
            .unwrap();
        self.note().await;
    }

    pub(crate) async fn detach_there(&self, volume: &Connection) {
        self.destination()
            .detach_volumes(
                VolumeRequest::of(instance(1), volume.clone()),
                &Control::default(),
            )
            .await
            .unwrap();
    }

    pub(crate) async fn world(&self) -> Inventory {
        tokio::time::sleep(Duration::from_secs(60)).await;
        let mut inventory = books::inventory(&self.simulator.world());
        inventory.items.sort();
        inventory
    }

    pub(crate) async fn note(&self) {
        let world = self.world().await;
        *self.before.lock().unwrap() = Some(world);
    }

    /// Who may log on to the consoles.
    pub(crate) fn keys(&self) -> Vec<Vec<String>> {
        let world = self.simulator.world();
        let keys = world
            .consoles()
            .map(|console| console.authorized_keys.clone());
        keys.collect()
    }

    pub(crate) fn migrations(&self) -> Vec<Uuid> {
        self.simulator.world().migrations.keys().copied().collect()
    }

    pub(crate) fn jobs(&self) -> Vec<String> {
        let world = self.simulator.world();
        world
            .jobs
            .values()
            .map(|job| job.operation.clone())
            .collect()
    }

    pub(crate) fn vioses_of(&self, number: usize) -> Vec<Uuid> {
        let world = self.simulator.world();
        let vioses = world.vioses_of(self.systems[number]);
        vioses.map(|vios| vios.partition.uuid).collect()
    }

    pub(crate) fn stop_vios(simulator: &Simulator, vios: Uuid) {
        simulator.befall(vios, Incident::RmcLost, None).unwrap();
    }

    pub(crate) fn stop_vioses_there(&self, count: usize) {
        for vios in self.vioses_of(1).into_iter().take(count) {
            Self::stop_vios(&self.simulator, vios);
        }
    }

    /// How many operations the journals take for unfinished.
    pub(crate) async fn pending(&self) -> usize {
        let mut count = 0;
        for journal in &self.journals {
            count += journal.pending().await.unwrap().len();
        }
        count
    }

    pub(crate) async fn nothing_is_pending(&self) {
        for journal in &self.journals {
            let pending = journal.pending().await.unwrap();
            assert!(pending.is_empty(), "{pending:?}");
        }
    }

    pub(crate) fn assert_sound(&self) {
        assert_eq!(self.simulator.violations(), Vec::<String>::new());
    }
}
