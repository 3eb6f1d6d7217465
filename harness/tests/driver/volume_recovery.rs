//! A driver is killed while a server with volumes is made or removed, and the next one goes on with its journal.

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::storage::*;
use crate::support::*;
use futures_util::future::BoxFuture;
use http::{Request, Response};
use powervm_driver::config::{Config, DiskDriver, FcStrategy};
use powervm_driver::journal::{Beginning, Journal, JournalFile, Outcome, Record};
use powervm_driver::operations::{Control, DestroyRequest, Driver, SpawnRequest};
use powervm_driver::rest::{
    Body, Credentials, Endpoint, ServiceTransport, Session, SessionOptions, Transport,
    TransportError,
};
use powervm_driver::saga::Event;
use powervm_driver::volume::Transport as Reached;
use powervm_harness::storage::Protocol;
use powervm_simulator::weather::Weather;
use powervm_simulator::{Flavor, Simulator};
use secrecy::ExposeSecret;
use tokio_util::sync::CancellationToken;

/// What a driver has of the world, until it dies.
struct Mortal {
    service: Arc<dyn Transport>,
    journal: JournalFile,
    requests: AtomicUsize,
    /// The request that it does not live to see the answer of; an even one is not sent either.
    last: usize,
    death: CancellationToken,
}

impl Mortal {
    fn of(simulator: &Simulator, journal: &JournalFile, last: usize) -> Arc<Self> {
        Arc::new(Self {
            service: Arc::new(ServiceTransport::new(simulator.router())),
            journal: journal.clone(),
            requests: AtomicUsize::new(0),
            last,
            death: CancellationToken::new(),
        })
    }

    /// Never ends once the driver is dead.
    async fn live(&self) {
        if self.death.is_cancelled() {
            pending::<()>().await;
        }
    }

    async fn alive<T>(&self, work: impl Future<Output = T>) -> T {
        self.live().await;
        work.await
    }
}

impl Transport for Mortal {
    fn call(
        &self,
        request: Request<Body>,
    ) -> BoxFuture<'_, Result<Response<Body>, TransportError>> {
        Box::pin(async move {
            self.live().await;
            if self.requests.fetch_add(1, Ordering::SeqCst) + 1 == self.last {
                if self.last % 2 == 1 {
                    let _ = self.service.call(request).await;
                }
                self.death.cancel();
                return pending().await;
            }
            let answer = self.service.call(request).await;
            self.live().await;
            answer
        })
    }
}

impl Journal for Mortal {
    fn begin<'a>(&'a self, beginning: &'a Beginning) -> BoxFuture<'a, powervm_driver::Result<u64>> {
        Box::pin(self.alive(self.journal.begin(beginning)))
    }

    fn note<'a>(&'a self, id: u64, event: &'a Event) -> BoxFuture<'a, powervm_driver::Result<()>> {
        Box::pin(self.alive(self.journal.note(id, event)))
    }

    fn end<'a>(
        &'a self,
        id: u64,
        outcome: &'a Outcome,
    ) -> BoxFuture<'a, powervm_driver::Result<()>> {
        Box::pin(self.alive(self.journal.end(id, outcome)))
    }

    fn pending(&self) -> BoxFuture<'_, powervm_driver::Result<Vec<Record>>> {
        Box::pin(self.alive(self.journal.pending()))
    }

    fn history(&self, most: usize) -> BoxFuture<'_, powervm_driver::Result<Vec<Record>>> {
        Box::pin(self.alive(self.journal.history(most)))
    }
}

/// How a server reaches its volumes.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Way {
    Disks,
    Iscsi,
    Ports,
}

/// A host with volumes for a server, and a journal.
struct Scene {
    bench: Bench,
    config: Config,
    journal: JournalFile,
    request: SpawnRequest,
}

impl Scene {
    async fn new(way: Way) -> Self {
        let simulator = simulator(Flavor::NovaLink, Weather::Calm);
        let mut config = config(DiskDriver::Ssp);
        if way == Way::Ports {
            config.volumes.fc_attach_strategy = FcStrategy::Npiv;
            let world = simulator.world();
            let ports = world.vioses.values().flat_map(|vios| vios.fc_ports());
            let names = ports
                .filter(|port| port.fabric == 0)
                .map(|port| format!("{:016x}", port.wwpn).parse().unwrap());
            let names = names.collect();
            config.volumes.fabric_ports.insert("A".to_owned(), names);
        }
        let bench = Bench::with(simulator, config.clone()).await;
        let protocol = match way {
            Way::Iscsi => Protocol::Iscsi,
            Way::Disks | Way::Ports => Protocol::FibreChannel,
        };
        let mut request = request(1);
        let told = bench
            .driver
            .volume_connector(instance(1), Default::default())
            .await
            .unwrap();
        let mut san = San::with(&bench, 0, protocol, way == Way::Iscsi).await;
        let connector = serde_json::to_value(&told.connector).unwrap();
        let id = san.storage.create("volume-0", 1, protocol).await.unwrap();
        san.ids.push(id);
        request.volumes = vec![san.show_to(0, &connector).await];
        request.metadata = told.metadata;
        Self {
            bench,
            config,
            journal: JournalFile::in_memory().unwrap(),
            request,
        }
    }

    /// A driver that dies at a request, counted from when it is connected; never at number 0.
    async fn driver(&self, last: usize) -> (Driver, Arc<Mortal>) {
        let mortal = Mortal::of(&self.bench.simulator, &self.journal, last);
        let credentials = self.bench.simulator.credentials();
        let endpoint = Endpoint::new("http://localhost:12080")
            .unwrap()
            .credentials(Credentials::Password {
                user: credentials.user.clone(),
                password: credentials.password.clone(),
            });
        let wire: Arc<dyn Transport> = Arc::clone(&mortal) as _;
        let session = Session::logon(endpoint, Arc::new(wire), SessionOptions::default())
            .await
            .unwrap();
        let journal: Arc<dyn Journal> = Arc::clone(&mortal) as _;
        let driver = Driver::connect_with(session, self.config.clone(), journal)
            .await
            .unwrap();
        (driver, mortal)
    }

    async fn removal(&self, driver: &Driver) -> powervm_driver::Result<()> {
        let request = DestroyRequest {
            volumes: self.request.volumes.clone(),
            ..DestroyRequest::of(instance(1))
        };
        driver.destroy(request, &Control::default()).await
    }

    async fn act(&self, driver: &Driver, removes: bool) -> powervm_driver::Result<()> {
        if removes {
            self.removal(driver).await
        } else {
            let control = Control::default();
            let made = driver.spawn(self.request.clone(), &control).await;
            made.map(drop)
        }
    }

    fn sessions(&self) -> usize {
        let world = self.bench.simulator.world();
        let sessions = world.vioses.values().map(|vios| vios.iscsi.sessions.len());
        sessions.sum()
    }
}

/// How many requests a driver sends until it is connected, and for its work.
async fn requests(way: Way, removes: bool) -> (usize, usize) {
    let scene = Scene::new(way).await;
    let (driver, mortal) = scene.driver(0).await;
    if removes {
        scene.act(&driver, false).await.unwrap();
    }
    let (driver, other) = if removes {
        scene.driver(0).await
    } else {
        (driver, mortal)
    };
    let connected = other.requests.load(Ordering::SeqCst);
    scene.act(&driver, removes).await.unwrap();
    (connected, other.requests.load(Ordering::SeqCst))
}

async fn survives(way: Way, removes: bool) {
    let (connected, all) = requests(way, removes).await;
    assert!(all > connected + 10, "{connected} of {all}");
    let mut recovered = 0;
    for last in connected + 1..=all {
        let scene = Scene::new(way).await;
        let before = scene.bench.world().await;
        if removes {
            let (driver, _) = scene.driver(0).await;
            scene.act(&driver, false).await.unwrap();
        }
        let (driver, mortal) = scene.driver(last).await;
        let about = format!("{way:?}, request {last} of {all}");
        tokio::select! {
            () = mortal.death.cancelled() => {}
            outcome = scene.act(&driver, removes) => panic!("{about}: it lives: {outcome:?}"),
        }
        let (heir, _) = scene.driver(0).await;
        for one in heir.recover(&Control::default()).await.unwrap() {
            one.result
                .unwrap_or_else(|error| panic!("{about}: {error}"));
            recovered += 1;
        }
        assert_eq!(scene.journal.pending().await.unwrap(), [], "{about}");
        let ended = scene.journal.history(1).await.unwrap();
        let is_there = ended
            .first()
            .is_none_or(|record| record.ended == Some(Outcome::Done));
        if removes || is_there {
            // It was not written down and has not begun, or was done but for the answer.
            scene.removal(&heir).await.unwrap();
        }
        assert_same(
            &without_caches(before.clone()),
            &without_caches(scene.bench.world().await),
            &about,
        );
        assert_eq!(scene.sessions(), 0, "{about}");
        scene.bench.assert_sound();
    }
    assert!(recovered > 10, "{recovered}");
}

#[tokio::test(start_paused = true)]
async fn a_killed_deploy_with_disks_of_virtual_io_servers_is_undone() {
    survives(Way::Disks, false).await;
}

#[tokio::test(start_paused = true)]
async fn a_killed_deploy_with_an_iscsi_volume_is_undone_without_its_credentials() {
    survives(Way::Iscsi, false).await;
}

#[tokio::test(start_paused = true)]
async fn a_killed_deploy_with_ports_of_its_own_is_undone() {
    survives(Way::Ports, false).await;
}

#[tokio::test(start_paused = true)]
async fn a_killed_removal_of_a_server_with_disks_of_virtual_io_servers_is_finished() {
    survives(Way::Disks, true).await;
}

#[tokio::test(start_paused = true)]
async fn a_killed_removal_of_a_server_with_an_iscsi_volume_is_finished() {
    survives(Way::Iscsi, true).await;
}

#[tokio::test(start_paused = true)]
async fn a_killed_removal_of_a_server_with_ports_of_its_own_is_finished() {
    survives(Way::Ports, true).await;
}

#[tokio::test(start_paused = true)]
async fn the_journal_has_no_credentials() {
    let scene = Scene::new(Way::Iscsi).await;
    let Reached::Iscsi(target) = &scene.request.volumes[0].transport else {
        panic!()
    };
    let chap = target.chap.clone().unwrap();
    let (driver, _) = scene.driver(0).await;
    scene.act(&driver, false).await.unwrap();
    scene.act(&driver, true).await.unwrap();
    let history = scene.journal.history(2).await.unwrap();
    assert_eq!(history.len(), 2);
    let text = serde_json::to_string(&history).unwrap();
    assert!(text.contains(&target.ways[0].iqn), "{text}");
    assert!(!text.contains(&chap.user), "{text}");
    assert!(!text.contains(chap.password.expose_secret()), "{text}");
}
