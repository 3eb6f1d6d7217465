//! Our driver at work, in a process of its own.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};
use clap::Parser;
use powervm_driver::config::{Config, DiskDriver};
use powervm_driver::network::NetworkInterface;
use powervm_driver::operations::{Control, DestroyRequest, Driver, SpawnRequest};
use powervm_driver::partition::Flavor as Size;
use powervm_driver::rest::{Credentials, Endpoint, Session, SessionOptions};
use powervm_driver::storage::image::Image;
use powervm_driver::storage::media::ConfigDrive;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use uuid::Uuid;

/// What the worker is told; the same as Nova's is.
#[derive(Debug, Parser)]
pub(crate) struct Options {
    #[arg(long)]
    ready: PathBuf,
    /// Nova's worker keeps its logs there; ours has none.
    #[arg(long)]
    work: PathBuf,
    #[arg(long)]
    servers: u32,
    #[arg(long)]
    image: PathBuf,
    #[arg(long)]
    known_image: bool,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    std::fs::create_dir_all(&options.work)?;
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?
        .block_on(work(options))
}

async fn work(options: &Options) -> Result<()> {
    let ready: Value = serde_json::from_str(&std::fs::read_to_string(&options.ready)?)?;
    let url = ready
        .get("http")
        .and_then(Value::as_str)
        .context("no URL")?;
    let endpoint = Endpoint::new(url)?.credentials(Credentials::TokenFile);
    let session = Session::connect(endpoint, SessionOptions::default()).await?;
    let config = Config {
        disk_driver: DiskDriver::Ssp,
        ..Config::default()
    };
    let driver = Driver::connect(session, config).await?;
    let image = Image::from_file(&options.image, Some("crowd")).await?;
    let failures = if options.known_image {
        at_once(&driver, &image, 0..1, Act::Spawn).await
    } else {
        Vec::new()
    };
    let crowd = 1..options.servers + 1;
    step("ready", &failures)?;
    step(
        "spawned",
        &at_once(&driver, &image, crowd.clone(), Act::Spawn).await,
    )?;
    step(
        "destroyed",
        &at_once(&driver, &image, crowd, Act::Destroy).await,
    )
}

/// Says what is done, and waits for the word to go on.
fn step(done: &str, failures: &[String]) -> Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{}", json!({"done": done, "failures": failures}))?;
    out.flush()?;
    let mut word = String::new();
    if std::io::stdin().read_line(&mut word)? == 0 {
        bail!("nobody listens any more");
    }
    Ok(())
}

#[derive(Debug, Clone, Copy)]
enum Act {
    Spawn,
    Destroy,
}

async fn at_once(
    driver: &Driver,
    image: &Image,
    numbers: std::ops::Range<u32>,
    act: Act,
) -> Vec<String> {
    let mut running = JoinSet::new();
    for number in numbers {
        let (driver, image) = (driver.clone(), image.clone());
        running.spawn(async move {
            match act {
                Act::Spawn => driver
                    .spawn(request(number, image), &Control::default())
                    .await
                    .map(drop),
                Act::Destroy => {
                    let request = DestroyRequest {
                        name: Some(name(number)),
                        ..DestroyRequest::of(instance(number))
                    };
                    driver.destroy(request, &Control::default()).await
                }
            }
        });
    }
    let mut failures = Vec::new();
    while let Some(ended) = running.join_next().await {
        match ended {
            Ok(Ok(())) => {}
            Ok(Err(error)) => failures.push(error.to_string()),
            Err(error) => failures.push(error.to_string()),
        }
    }
    failures
}

fn instance(number: u32) -> Uuid {
    // Told apart by their first digits: names of media keep only the first 29.
    Uuid::from_u128(0xbe7c_0000_0000_4000_8000_0000_0000_0000 | u128::from(number) << 96)
}

fn name(number: u32) -> String {
    format!("crowd-{number}")
}

fn request(number: u32, image: Image) -> SpawnRequest {
    SpawnRequest {
        instance: instance(number),
        name: name(number),
        flavor: Size {
            vcpus: 1,
            memory_mb: 1024,
            root_gb: 1,
            extra_specs: BTreeMap::new(),
        },
        image: Some(image),
        volumes: Vec::new(),
        metadata: BTreeMap::new(),
        networks: vec![NetworkInterface::on_vlan(1)],
        config_drive: Some(ConfigDrive::default()),
        power_on: true,
    }
}
