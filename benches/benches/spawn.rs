//! Whole deploys with their deletes, driver against simulator in one process on the virtual clock: what they cost in
//! real time, whatever the weather says.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::error::Error;
use std::sync::Arc;

use bytes::Bytes;
use criterion::{Criterion, Throughput};
use powervm_driver::config::{Config, DiskDriver};
use powervm_driver::network::NetworkInterface;
use powervm_driver::operations::{Control, DestroyRequest, Driver, SpawnRequest};
use powervm_driver::partition::Flavor as Size;
use powervm_driver::rest::{Credentials, Endpoint, ServiceTransport, Session, SessionOptions};
use powervm_driver::storage::image::{Image, ImageSource};
use powervm_driver::storage::media::ConfigDrive;
use powervm_simulator::weather::Weather;
use powervm_simulator::{Flavor, Simulator};
use tokio::task::JoinSet;
use uuid::Uuid;

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

const IMAGE: &[u8] = b"a very small disk image";
const AT_ONCE: u32 = 10;

fn main() -> Outcome<()> {
    let mut criterion = Criterion::default().configure_from_args();
    let mut group = criterion.benchmark_group("spawn and destroy");
    group.sample_size(20);
    for (disk, name) in [
        (DiskDriver::Ssp, "ssp"),
        (DiskDriver::LocalDisk, "local disk"),
    ] {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .start_paused(true)
            .build()?;
        let driver = runtime.block_on(connect(disk))?;
        let failure = Cell::new(None);
        let note = |outcome: Outcome<()>| {
            if let Err(error) = outcome {
                failure.set(failure.take().or(Some(error)));
            }
        };
        group.throughput(Throughput::Elements(1));
        group.bench_function(format!("one, {name}"), |b| {
            b.iter(|| note(runtime.block_on(there_and_back(driver.clone(), 0))));
        });
        group.throughput(Throughput::Elements(AT_ONCE.into()));
        group.bench_function(format!("ten at once, {name}"), |b| {
            b.iter(|| note(runtime.block_on(at_once(&driver))));
        });
        // A failed deploy is quick: its time must not be taken for that of a deploy.
        if let Some(error) = failure.take() {
            return Err(error);
        }
    }
    group.finish();
    criterion.final_summary();
    Ok(())
}

async fn connect(disk: DiskDriver) -> Outcome<Driver> {
    let simulator = Simulator::builder()
        .flavor(Flavor::NovaLink)
        .weather(Weather::Typical)
        .build()?;
    let credentials = simulator.credentials();
    let endpoint = Endpoint::new("http://localhost:12080")?.credentials(Credentials::Password {
        user: credentials.user.clone(),
        password: credentials.password.clone(),
    });
    let transport = Arc::new(ServiceTransport::new(simulator.router()));
    let session = Session::logon(endpoint, transport, SessionOptions::default()).await?;
    let config = Config {
        disk_driver: disk,
        volume_group_name: "datavg".to_owned(),
        ..Config::default()
    };
    Ok(Driver::connect(session, config).await?)
}

async fn there_and_back(driver: Driver, number: u32) -> Outcome<()> {
    // Told apart by their first digits: names of media keep only the first 29.
    let instance = Uuid::from_u128(0xbe7c_0000_4000_8000_0000_0000 | u128::from(number) << 96);
    let request = SpawnRequest {
        instance,
        name: format!("bench-{number}"),
        flavor: Size {
            vcpus: 1,
            memory_mb: 1024,
            root_gb: 1,
            extra_specs: BTreeMap::new(),
        },
        image: Some(Image {
            size: IMAGE.len() as u64,
            ..Image::new(
                "bench",
                "",
                0,
                ImageSource::Bytes(Bytes::from_static(IMAGE)),
            )
        }),
        volumes: Vec::new(),
        metadata: BTreeMap::new(),
        networks: vec![NetworkInterface::on_vlan(1)],
        config_drive: Some(ConfigDrive::default()),
        power_on: true,
    };
    driver.spawn(request, &Control::default()).await?;
    driver
        .destroy(DestroyRequest::of(instance), &Control::default())
        .await?;
    Ok(())
}

async fn at_once(driver: &Driver) -> Outcome<()> {
    let mut deploys: JoinSet<Outcome<()>> = (0..AT_ONCE)
        .map(|number| there_and_back(driver.clone(), number))
        .collect();
    while let Some(deploy) = deploys.join_next().await {
        deploy??;
    }
    Ok(())
}
