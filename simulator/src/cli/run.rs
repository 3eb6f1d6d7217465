//! `powervm-sim serve`, from the command line to the last connection.

use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, anyhow};
use rand::TryRng as _;
use rand::rngs::SysRng;
use secrecy::SecretString;

use super::Serve;
use super::ready::{self, Ready};
use super::until::{self, Signal, Signals};
use crate::builder::BuildError;
use crate::inventory::{Inventory, Located, Sizes};
use crate::model::Flavor;
use crate::peer::Remote;
use crate::serve::{AdminOptions, ServeOptions, serve as listen};
use crate::simulator::Simulator;
use crate::tls::Certificate;
use crate::weather::{self, Weather};

/// Builds the simulator, serves it, waits for a signal.
pub(super) fn serve(options: &Serve) -> anyhow::Result<()> {
    until::run(until_signal(options))
}

async fn until_signal(options: &Serve) -> anyhow::Result<()> {
    // Installed first, so that a signal during the start ends it cleanly as well.
    let mut signals = Signals::new()?;

    let simulator = simulator(options)?;
    let admin_token = SecretString::from(format!("{:016x}{:016x}", random()?, random()?));
    let serving = listen(&simulator, &sockets(options, &admin_token)).await?;
    let ready = Ready {
        simulator: &simulator,
        serving: &serving,
        token_dir: options.token_dir.as_deref(),
        admin_token: serving.admin.map(|_| &admin_token),
        seed: options.seed,
        generated: options.password.is_none(),
    };
    if let Some(path) = &options.ready_file {
        ready::write(path, &ready.json())
            .with_context(|| format!("{} cannot be written", path.display()))?;
    }
    let _ = writeln!(std::io::stdout(), "{}", ready.text());

    while signals.next().await == Signal::Save {
        let simulator = simulator.clone();
        let saved = tokio::task::spawn_blocking(move || simulator.persist()).await;
        match saved.context("saving broke off")? {
            Ok(Some(path)) => tracing::info!(path = %path.display(), "state saved"),
            Ok(None) => tracing::warn!("there is no --state file to save to"),
            Err(error) => tracing::error!(%error, "the state is not saved"),
        }
    }
    tracing::info!("ending");
    if let Some(path) = &options.ready_file {
        let _ = std::fs::remove_file(path);
    }
    serving.stop().await;
    if let Some(path) = simulator.persist().context("the state is not saved")? {
        tracing::info!(path = %path.display(), "state saved");
    }
    Ok(())
}

fn simulator(options: &Serve) -> anyhow::Result<Simulator> {
    let (inventory, file) = inventory(options)?;
    let mut builder = Simulator::builder()
        .flavor(options.flavor.into())
        .inventory(inventory)
        .seed(options.seed)
        .secret_seed(random()?)
        .weather(weather(&options.weather)?)
        .time_scale(options.time_scale)
        .check_invariants(options.check_invariants);
    if let Some(user) = &options.user {
        builder = builder.user(user);
    }
    if let Some(password) = &options.password {
        builder = builder.password(password.clone());
    }
    if let Some(folder) = &options.token_dir {
        builder = builder.token_folder(folder);
    }
    if let Some(path) = &options.state {
        builder = builder.state_file(path);
    }
    if let Some(name) = &options.only_system {
        builder = builder.only_system(name);
    }
    for (name, ready_file) in &options.peers {
        builder = builder.peer(name, Arc::new(Remote::new(ready_file)?));
    }
    match (builder.build(), file) {
        (Err(BuildError::Inventory(error)), Some((path, text))) => {
            Err(anyhow!(Located::new(error, &text)).context(path.display().to_string()))
        }
        (built, _) => Ok(built?),
    }
}

/// The inventory, and the file that it comes from with its text.
type Chosen<'a> = (Inventory, Option<(&'a Path, String)>);

fn inventory(options: &Serve) -> anyhow::Result<Chosen<'_>> {
    let flavor = Flavor::from(options.flavor);
    if let Some(path) = &options.inventory {
        let text = read(path)?;
        let read = Inventory::from_toml(&text).with_context(|| path.display().to_string())?;
        return Ok((read, Some((path, text))));
    }
    let sizes = [options.systems, options.vios, options.partitions];
    if sizes.iter().all(Option::is_none) && !options.shared_storage {
        return Ok((Inventory::furnished(flavor)?, None));
    }
    let systems = options.systems.unwrap_or(1);
    let usual = Sizes::default();
    let sizes = Sizes {
        systems,
        vioses: options.vios.unwrap_or(usual.vioses),
        partitions: options.partitions.unwrap_or(usual.partitions),
    };
    let inventory = Inventory::sized(flavor, sizes);
    let inventory = if options.shared_storage {
        inventory.with_shared_storage()
    } else {
        inventory
    };
    Ok((inventory, None))
}

fn weather(name: &str) -> anyhow::Result<Weather> {
    Ok(match name {
        "calm" => Weather::Calm,
        "typical" => Weather::Typical,
        "stormy" => Weather::Stormy,
        path => {
            let text =
                read(Path::new(path)).context("--weather is calm, typical, stormy or a file")?;
            Weather::Custom(Box::new(
                weather::file::parse(&text).with_context(|| path.to_owned())?,
            ))
        }
    })
}

fn sockets(options: &Serve, admin_token: &SecretString) -> ServeOptions {
    let certificate = match (&options.tls_cert, &options.tls_key) {
        (Some(certificate), Some(key)) => Certificate::Files {
            certificate: certificate.clone(),
            key: key.clone(),
        },
        _ => Certificate::SelfSigned,
    };
    let admin = options.admin.and_then(|listen| listen.address());
    ServeOptions {
        http: options.listen.address(),
        https: options.tls_listen.address(),
        certificate,
        admin: admin.map(|address| AdminOptions {
            address,
            token: admin_token.clone(),
        }),
        most_connections: None,
    }
}

/// The largest inventory or weather file, in bytes.
const LARGEST_FILE: u64 = 64 * 1024 * 1024;

pub(super) fn read(path: &Path) -> anyhow::Result<String> {
    let told = || format!("{} cannot be read", path.display());
    if std::fs::metadata(path).with_context(told)?.len() > LARGEST_FILE {
        return Err(anyhow!(
            "{} is larger than {LARGEST_FILE} bytes",
            path.display()
        ));
    }
    std::fs::read_to_string(path).with_context(told)
}

/// From the operating system: tokens and passwords of a server must not follow from a seed that others know.
fn random() -> anyhow::Result<u64> {
    SysRng
        .try_next_u64()
        .context("the operating system gives no random numbers")
}
