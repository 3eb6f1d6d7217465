//! A simulator and a driver in one process, on tokio's paused clock.
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use powervm_driver::config::{Config, DiskDriver};
use powervm_driver::network::NetworkInterface;
use powervm_driver::operations::{Control, DestroyRequest, Driver, Progress, Server, SpawnRequest};
use powervm_driver::partition::Flavor as Size;
use powervm_driver::rest::{
    CallObserver, CallRecord, Credentials, Endpoint, ServiceTransport, Session, SessionOptions,
};
use powervm_driver::saga::Phase;
use powervm_driver::storage::image::{Image, ImageSource};
use powervm_driver::storage::media::ConfigDrive;
use powervm_harness::audit::{Inventory, ItemKind};
use powervm_harness::target::embedded::books;
use powervm_simulator::inventory::{Inventory as Room, Sizes};
use powervm_simulator::weather::Weather;
use powervm_simulator::{Flavor, Simulator};
use uuid::Uuid;

pub(crate) const FLAVORS: [Flavor; 2] = [Flavor::NovaLink, Flavor::Hmc];
pub(crate) const DISKS: [DiskDriver; 2] = [DiskDriver::Ssp, DiskDriver::LocalDisk];

/// A simulator and a driver that is connected to it.
pub(crate) struct Bench {
    pub(crate) simulator: Simulator,
    pub(crate) driver: Driver,
    pub(crate) calls: Arc<Calls>,
}

/// Every request, in order.
#[derive(Default)]
pub(crate) struct Calls(Mutex<Vec<(String, String)>>);

impl CallObserver for Calls {
    fn called(&self, record: &CallRecord) {
        self.0
            .lock()
            .unwrap()
            .push((record.method.to_string(), record.path.clone()));
    }
}

impl Calls {
    pub(crate) fn take(&self) -> Vec<(String, String)> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

pub(crate) fn config(disk: DiskDriver) -> Config {
    Config {
        disk_driver: disk,
        volume_group_name: "datavg".to_owned(),
        ..Config::default()
    }
}

pub(crate) fn simulator(flavor: Flavor, weather: Weather) -> Simulator {
    Simulator::builder()
        .flavor(flavor)
        .weather(weather)
        .seed(7)
        .check_invariants(true)
        .build()
        .unwrap()
}

/// A NovaLink that runs on the first of two Virtual I/O Servers, and not on a partition of its own.
pub(crate) fn novalink_on_a_server() -> Simulator {
    let mut room = Room::sized(Flavor::NovaLink, Sizes::default());
    for system in &mut room.systems {
        system.management_partition = None;
        system.partitions.clear();
        system.vioses[0].is_management = true;
    }
    Simulator::builder()
        .flavor(Flavor::NovaLink)
        .inventory(room)
        .seed(7)
        .check_invariants(true)
        .build()
        .unwrap()
}

/// A host whose Virtual I/O Servers have no media repository yet.
pub(crate) fn without_repositories(flavor: Flavor) -> Simulator {
    let sizes = Sizes {
        partitions: 0,
        ..Sizes::default()
    };
    let mut room = Room::sized(flavor, sizes);
    let systems = room.systems.iter_mut();
    let vioses = systems.flat_map(|system| &mut system.vioses);
    for group in vioses.flat_map(|vios| &mut vios.volume_groups) {
        group.repository_gb = None;
        group.media.clear();
    }
    Simulator::builder()
        .flavor(flavor)
        .inventory(room)
        .weather(Weather::Calm)
        .seed(7)
        .check_invariants(true)
        .build()
        .unwrap()
}

pub(crate) async fn session(simulator: &Simulator, seed: u64, calls: Arc<Calls>) -> Session {
    let credentials = simulator.credentials();
    let endpoint = Endpoint::new("http://localhost:12080")
        .unwrap()
        .credentials(Credentials::Password {
            user: credentials.user.clone(),
            password: credentials.password.clone(),
        });
    let transport = Arc::new(ServiceTransport::new(simulator.router()));
    let options = SessionOptions {
        seed,
        observer: Some(calls),
        ..SessionOptions::default()
    };
    Session::logon(endpoint, transport, options).await.unwrap()
}

impl Bench {
    pub(crate) async fn new(flavor: Flavor, disk: DiskDriver) -> Self {
        Self::with(simulator(flavor, Weather::Calm), config(disk)).await
    }

    pub(crate) async fn with(simulator: Simulator, config: Config) -> Self {
        let calls = Arc::new(Calls::default());
        let session = session(&simulator, 1, Arc::clone(&calls)).await;
        let driver = Driver::connect(session, config).await.unwrap();
        Self {
            simulator,
            driver,
            calls,
        }
    }

    /// Everything in the simulator's world, as it is when nothing is on its way any more.
    pub(crate) async fn world(&self) -> Inventory {
        settle().await;
        let mut inventory = books::inventory(&self.simulator.world());
        inventory.items.sort();
        inventory
    }

    pub(crate) async fn spawn(&self, number: u32) -> powervm_driver::Result<Server> {
        self.driver
            .spawn(request(number), &Control::default())
            .await
    }

    pub(crate) async fn destroy(&self, number: u32) -> powervm_driver::Result<()> {
        self.driver
            .destroy(DestroyRequest::of(instance(number)), &Control::default())
            .await
    }

    /// Nothing that the simulator's own rules forbid happened.
    pub(crate) fn assert_sound(&self) {
        assert_eq!(self.simulator.violations(), Vec::<String>::new());
    }
}

/// Lets what goes on in the background come to its end.
pub(crate) async fn settle() {
    tokio::time::sleep(Duration::from_secs(5)).await;
}

pub(crate) fn instance(number: u32) -> Uuid {
    Uuid::from_u128(
        0xf1c2_0000_0000_4000_8000_0000_0000_0000 | u128::from(number) << 96 | u128::from(number),
    )
}

pub(crate) const IMAGE: &[u8] = b"a very small disk image, but a disk image";

pub(crate) fn image() -> Image {
    let md5 = "d8d77b2f8ff4ef8ac9e9bd3ecbbd0dd7";
    let unchecked = Image::new(
        "cirros",
        "",
        0,
        ImageSource::Bytes(bytes::Bytes::from_static(IMAGE)),
    );
    Image {
        checksum: format!("version-{md5}"),
        size: IMAGE.len() as u64,
        ..unchecked
    }
}

pub(crate) fn request(number: u32) -> SpawnRequest {
    SpawnRequest {
        instance: instance(number),
        name: format!("web-{number}"),
        flavor: Size {
            vcpus: 1,
            memory_mb: 1024,
            root_gb: 1,
            extra_specs: BTreeMap::new(),
        },
        image: Some(image()),
        volumes: Vec::new(),
        metadata: BTreeMap::new(),
        networks: vec![NetworkInterface::on_vlan(1)],
        config_drive: Some(ConfigDrive::default()),
        power_on: true,
    }
}

/// What a failed or removed server may leave: the image cache of local disk, and a media repository.
pub(crate) fn without_caches(mut inventory: Inventory) -> Inventory {
    inventory.items.retain(|item| {
        let is_cache = item.kind == ItemKind::VirtualDisk && item.name.starts_with("i_");
        !is_cache && item.kind != ItemKind::VirtualNetwork && item.kind != ItemKind::MediaRepository
    });
    inventory
        .quantities
        .retain(|quantity, _| !quantity.name.starts_with("free space"));
    inventory
}

/// Fails with what is not as it was.
pub(crate) fn assert_same(before: &Inventory, after: &Inventory, about: &str) {
    let missing: Vec<_> = before
        .items
        .iter()
        .filter(|item| !after.items.contains(item))
        .collect();
    let left: Vec<_> = after
        .items
        .iter()
        .filter(|item| !before.items.contains(item))
        .collect();
    assert!(
        missing.is_empty() && left.is_empty(),
        "{about}: left {left:?}, missing {missing:?}"
    );
    assert_eq!(before.quantities, after.quantities, "{about}");
}

/// The same, but for caches.
pub(crate) fn assert_as_before(before: Inventory, after: Inventory, about: &str) {
    assert_same(&without_caches(before), &without_caches(after), about);
}

/// Watches for the beginning of steps.
pub(crate) fn at_step(
    step: &'static str,
    then: impl Fn() + Send + Sync + 'static,
) -> impl Fn(&Progress) + Send + Sync {
    move |progress: &Progress| {
        if let Progress::Step(event) = progress
            && &*event.step == step
            && event.phase == Phase::Begin
        {
            then();
        }
    }
}

/// Ends when a request has met the rule.
pub(crate) async fn is_met(simulator: &Simulator, rule: u64) {
    while simulator.faults().hits(rule) != Some(1) {
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}
