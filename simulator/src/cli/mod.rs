//! `powervm-sim`: the simulator on sockets.

pub mod address;
mod inventory;
mod ready;
mod record;
mod replay;
mod run;
mod until;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand, ValueEnum};
use secrecy::SecretString;

use crate::model::Flavor;
use address::Listen;

/// Exit code of a run that could not start; clap itself ends with 2 for a wrong command line.
const FAILED: u8 = 1;

/// Emulates the PowerVM REST API of an HMC or a NovaLink, for trying clients without POWER hardware.
#[derive(Debug, Parser)]
#[command(name = "powervm-sim", version, about, max_term_width = 100)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the API until SIGTERM or SIGINT.
    #[command(after_help = SERVE_HELP)]
    Serve(Box<Serve>),
    /// Make, describe or import inventory files.
    #[command(subcommand)]
    Inventory(inventory::Command),
    /// Record a session with a real HMC or NovaLink: a proxy before it, until SIGTERM or SIGINT.
    #[command(after_help = record::HELP)]
    Record(record::Record),
    /// Serve a recording again, until SIGTERM or SIGINT.
    #[command(after_help = replay::HELP)]
    Replay(replay::Replay),
}

const SERVE_HELP: &str = "\
Without options: a NovaLink with one POWER system, two Virtual I/O Servers, a shared storage pool over both and a \
bridged network, on the loopback interface only.

Exit codes: 0 ended by a signal, 1 could not start, 2 wrong command line.

Examples:
  powervm-sim serve
  powervm-sim serve --flavor hmc --systems 3 --partitions 50 --weather typical
  powervm-sim serve --systems 2 --shared-storage
  powervm-sim serve --systems 2 --shared-storage --only-system neo --admin 0 --ready-file a.json --peer b=b.json
  powervm-sim serve --listen 127.0.0.1:0 --tls-listen none --ready-file sim.json";

/// Which product to emulate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum FlavorName {
    /// A NovaLink partition: one system, logon with password or token file.
    Novalink,
    /// A Hardware Management Console: one or more systems, logon with password.
    Hmc,
}

impl From<FlavorName> for Flavor {
    fn from(name: FlavorName) -> Self {
        match name {
            FlavorName::Novalink => Self::NovaLink,
            FlavorName::Hmc => Self::Hmc,
        }
    }
}

/// What `powervm-sim serve` is told.
#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// The product to emulate.
    #[arg(long, value_enum, default_value_t = FlavorName::Novalink)]
    flavor: FlavorName,

    /// Where to listen for http: ADDRESS:PORT, PORT (on the loopback interface; 0 picks a free one) or none.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:12080")]
    listen: Listen,

    /// Where to listen for https.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:12443")]
    tls_listen: Listen,

    /// Certificate of the https listener with its chain, PEM; a self-signed one is made if absent.
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,

    /// Private key of the certificate, PEM.
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,

    /// The user that may log on [default: neo on a NovaLink, hscroot on an HMC].
    #[arg(long, value_name = "USER")]
    user: Option<String>,

    /// The user's password; others on this machine can see it here, so better set the variable. Generated if absent.
    #[arg(long, value_name = "PASSWORD", env = "POWERVM_SIM_PASSWORD", hide_env_values = true, value_parser = secret)]
    password: Option<SecretString>,

    /// Folder for the token files of a NovaLink [default: a private temporary folder].
    #[arg(long, value_name = "DIR")]
    token_dir: Option<PathBuf>,

    /// What stands in the machine room, TOML.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["systems", "vios", "partitions", "shared_storage"])]
    inventory: Option<PathBuf>,

    /// How many POWER systems. Each has a NovaLink of its own in that flavour, which listens one port above the last.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1000))]
    systems: Option<u16>,

    /// How many Virtual I/O Servers each system has [default: 2].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=16))]
    vios: Option<u16>,

    /// How many partitions each system has already.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(0..=1000))]
    partitions: Option<u16>,

    /// All systems see one storage, so that partitions can move between them.
    #[arg(long)]
    shared_storage: bool,

    /// Simulate only this system of the machine room; other processes have the others, from the same options and seed.
    #[arg(long, value_name = "NAME")]
    only_system: Option<String>,

    /// Another powervm-sim on this machine that partitions can move to: what migrations call its console
    /// (TargetRemoteHMCIPAddress), and the file that it is told with --ready-file. It needs --admin. May be repeated.
    #[arg(long = "peer", value_name = "NAME=READY-FILE", value_parser = peer)]
    peers: Vec<(String, PathBuf)>,

    /// Seed of identifiers and weather: the same seed and the same requests give the same answers.
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,

    /// How long things take and what goes wrong: calm, typical, stormy, or a weather file.
    #[arg(long, value_name = "NAME|FILE", default_value = "calm")]
    weather: String,

    /// How many times as fast as real time simulated time runs; waits are rounded up to a millisecond of real time.
    #[arg(long, value_name = "FACTOR", default_value_t = 1.0, value_parser = positive)]
    time_scale: f64,

    /// Where to serve the simulator's own API; a loopback address. Off if absent.
    #[arg(long, value_name = "ADDR")]
    admin: Option<Listen>,

    /// File to write addresses and credentials to, as JSON, once everything listens; readable by its owner only.
    #[arg(long, value_name = "FILE")]
    ready_file: Option<PathBuf>,

    /// File in which the state survives: read at the start if it is there (instead of an inventory), written at the
    /// end, on SIGUSR1 and through the admin API, always as a whole.
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,

    /// Check the model's invariants after every change; a violation is answered with 500 and logged.
    #[arg(long)]
    check_invariants: bool,
}

fn secret(text: &str) -> Result<SecretString, String> {
    if text.is_empty() {
        Err("an empty password lets nobody in".to_owned())
    } else {
        Ok(SecretString::from(text.to_owned()))
    }
}

fn peer(text: &str) -> Result<(String, PathBuf), String> {
    match text.split_once('=') {
        Some((name, file)) if !name.trim().is_empty() && !file.is_empty() => {
            Ok((name.trim().to_owned(), PathBuf::from(file)))
        }
        _ => Err("give a name and the peer's ready file, such as 192.0.2.11=other.json".to_owned()),
    }
}

fn positive(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(factor) if factor.is_finite() && factor > 0.0 => Ok(factor),
        _ => Err("give a number above 0".to_owned()),
    }
}

/// Does what the command line says; the process ends with what this returns.
#[must_use]
pub fn main(cli: Cli) -> ExitCode {
    let done = match cli.command {
        Command::Serve(serve) => run::serve(&serve),
        Command::Inventory(command) => inventory::run(&command),
        Command::Record(record) => record::run(&record),
        Command::Replay(replay) => replay::run(&replay),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("powervm-sim: {error:#}");
            ExitCode::from(FAILED)
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;
    use secrecy::ExposeSecret as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn the_documented_options_are_there() {
        let line = "powervm-sim serve --flavor hmc --listen 127.0.0.1:0 --tls-listen 0 --tls-cert c --tls-key k --user u \
            --password p --token-dir d --systems 2 --vios 2 --partitions 3 --seed 7 --weather typical --time-scale 10 \
            --admin 0 --ready-file r --state s --check-invariants --only-system neo --peer 192.0.2.11=other.json";
        let Command::Serve(serve) = Cli::try_parse_from(line.split_whitespace())
            .unwrap()
            .command
        else {
            panic!("another command");
        };
        assert_eq!(serve.flavor, FlavorName::Hmc);
        assert_eq!(serve.password.as_ref().unwrap().expose_secret(), "p");
        assert!(!format!("{serve:?}").contains("\"p\""));
        assert!(
            Cli::try_parse_from("powervm-sim serve --inventory f --vios 2".split_whitespace())
                .is_err()
        );
        assert!(Cli::try_parse_from("powervm-sim serve --tls-cert f".split_whitespace()).is_err());
        assert_eq!(
            serve.peers,
            [("192.0.2.11".to_owned(), "other.json".into())]
        );
        assert!(Cli::try_parse_from("powervm-sim serve --peer b".split_whitespace()).is_err());
        assert!(
            Cli::try_parse_from("powervm-sim serve --time-scale 0".split_whitespace()).is_err()
        );
    }
}
