//! From the command line to a target and an image.

use std::env;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, anyhow};
use powervm_driver::rest::{Credentials, Endpoint, Trust};
use powervm_driver::volume::Connection;
use powervm_simulator::weather::{Weather, file as weather_file};
use secrecy::SecretString;

use crate::image::{Image, download};
use crate::storage::Storage;
use crate::target::embedded::{Embedded, EmbeddedOptions};
use crate::target::remote::{Remote, RemoteOptions, SecondHost, admin::Admin};
use crate::target::{CallWatch, Flavor, Target, VolumeSource};

use super::Stop;
use super::arguments::{EndpointArguments, FlavorArgument, TargetArguments};

const EMBEDDED: &str = "embedded";

/// Whether the target is the simulator in this process.
pub(super) fn is_embedded(arguments: &TargetArguments) -> bool {
    arguments.target == EMBEDDED
}

/// Makes the target that the command line names.
pub(super) async fn open(arguments: &TargetArguments) -> Result<Box<dyn Target>, Stop> {
    open_watched(arguments, None).await
}

/// Makes the target that the command line names; `watch` sees every request of its hosts.
pub(super) async fn open_watched(
    arguments: &TargetArguments,
    watch: Option<Arc<dyn CallWatch>>,
) -> Result<Box<dyn Target>, Stop> {
    if is_embedded(arguments) {
        let (weather, weather_name) = weather(&arguments.weather).map_err(Stop::usage)?;
        let embedded = Embedded::new(EmbeddedOptions {
            flavor: flavor(arguments),
            seed: arguments.seed,
            weather,
            weather_name,
            check_invariants: arguments.check_invariants,
        });
        return Ok(match watch {
            Some(watch) => Box::new(embedded.watched_by(watch)),
            None => Box::new(embedded),
        });
    }
    let options =
        remote(&arguments.target, arguments.seed, &arguments.endpoint).map_err(Stop::usage)?;
    let remote = Remote::connect(options).await?;
    Ok(match watch {
        Some(watch) => Box::new(remote.watched_by(watch)),
        None => Box::new(remote),
    })
}

/// The product that the command line names.
pub(super) fn flavor(arguments: &TargetArguments) -> Flavor {
    match arguments.flavor {
        FlavorArgument::Novalink => Flavor::NovaLink,
        FlavorArgument::Hmc => Flavor::Hmc,
    }
}

/// The weather that the command line names, and what reports call it.
pub(super) fn weather(text: &str) -> anyhow::Result<(Weather, String)> {
    Ok(match text {
        "calm" => (Weather::Calm, text.to_owned()),
        "typical" => (Weather::Typical, text.to_owned()),
        "stormy" => (Weather::Stormy, text.to_owned()),
        path => {
            let file = fs::read_to_string(path).with_context(|| {
                format!("the weather {path:?} is neither calm, typical nor stormy, nor a file that can be read")
            })?;
            let forecast =
                weather_file::parse(&file).with_context(|| format!("the weather file {path}"))?;
            // The name without folders: reports hold no paths.
            let name = Path::new(path)
                .file_stem()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            (Weather::Custom(Box::new(forecast)), name)
        }
    })
}

fn remote(url: &str, seed: u64, arguments: &EndpointArguments) -> anyhow::Result<RemoteOptions> {
    let endpoint = Endpoint::new(url)?
        .credentials(credentials(arguments)?)
        .trust(trust(arguments)?);
    let config = arguments.config.as_deref().map(read_config).transpose()?;
    let mut volumes = VolumeSource::None;
    let admin = match &arguments.admin {
        None => None,
        Some(url) => {
            let token = env::var("POWERVM_ADMIN_TOKEN").map_err(|_| {
                anyhow!("--admin needs its token in the environment variable POWERVM_ADMIN_TOKEN")
            })?;
            let token = SecretString::from(token);
            volumes = VolumeSource::Simulated(Storage::at(url, token.clone())?);
            Some(Admin::new(url, token)?)
        }
    };
    if let Some(path) = &arguments.volumes {
        let text = fs::read_to_string(path)
            .with_context(|| format!("the list of volumes {}", path.display()))?;
        volumes = VolumeSource::Given(Connection::parse_text(&text)?);
    }
    Ok(RemoteOptions {
        second: second(arguments)?,
        captures: arguments.user.is_none() && endpoint.is_loopback(),
        endpoint,
        config,
        admin,
        volumes,
        seed,
    })
}

/// The other of two hosts, reached with the same credentials as the first.
fn second(arguments: &EndpointArguments) -> anyhow::Result<Option<SecondHost>> {
    let endpoint = match &arguments.second {
        None => None,
        Some(url) => Some(
            Endpoint::new(url)?
                .credentials(credentials(arguments)?)
                .trust(trust(arguments)?),
        ),
    };
    let system = arguments.second_system.clone().unwrap_or_default();
    Ok((endpoint.is_some() || !system.is_empty()).then_some(SecondHost { endpoint, system }))
}

/// The driver's configuration, read without its checks: which of its keys are needed, the scenario decides.
fn read_config(path: &Path) -> anyhow::Result<powervm_driver::config::Config> {
    Ok(powervm_driver::config::Config::load(path)?)
}

fn credentials(arguments: &EndpointArguments) -> anyhow::Result<Credentials> {
    let Some(user) = arguments.user.clone() else {
        return Ok(Credentials::TokenFile);
    };
    let password = match (&arguments.password_file, env::var("POWERVM_PASSWORD")) {
        (Some(file), _) => {
            let text = fs::read_to_string(file)
                .with_context(|| format!("the password file {}", file.display()))?;
            text.trim_end_matches(['\r', '\n']).to_owned()
        }
        (None, Ok(password)) => password,
        (None, Err(_)) => {
            return Err(anyhow!(
                "the user {user} needs a password: give --password-file or set POWERVM_PASSWORD"
            ));
        }
    };
    Ok(Credentials::Password {
        user,
        password: SecretString::from(password),
    })
}

fn trust(arguments: &EndpointArguments) -> anyhow::Result<Trust> {
    Ok(
        match (&arguments.ca, &arguments.fingerprint, arguments.insecure) {
            (Some(ca), ..) => Trust::Authority(ca.clone()),
            (None, Some(fingerprint), _) => Trust::Pinned(fingerprint.parse()?),
            (None, None, true) => Trust::Anything,
            (None, None, false) => Trust::System,
        },
    )
}

/// The image that the command line names: a file, or a URL that is downloaded once; without either, one that is made.
pub(super) fn image(argument: Option<&str>) -> Result<Image, Stop> {
    match argument {
        None => Ok(Image::made()),
        Some(url) if url.starts_with("http://") || url.starts_with("https://") => {
            // On a clock of its own: the embedded target's would run its timeouts out at once.
            Ok(super::run::runtime(false)?.block_on(download(url))?)
        }
        Some(path) => Image::file(Path::new(path)).map_err(Stop::usage),
    }
}
