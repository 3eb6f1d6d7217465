//! What can be said on the command line. Secrets cannot: other users of the machine would see them.

mod agent;
mod config;
mod devices;
mod image;
mod meters;
mod migration;
mod network;
mod rebuild;
mod rescue;
mod resize;
mod server;
mod snapshot;
mod store;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

pub(super) use self::config::ConfigVerb;
pub(super) use self::devices::{InterfaceVerb, Kept, VolumeVerb, Volumes};
pub(super) use self::image::{ConsoleVerb, ImageVerb};
pub(super) use self::meters::Metrics;
pub(super) use self::migration::{LiveMigrate, Migrate};
pub(super) use self::rebuild::{Drive, Rebuild};
pub(super) use self::rescue::Rescue;
pub(super) use self::resize::{Resize, ResizeRevert};
pub(super) use self::server::{Create, ServerVerb};
pub(super) use self::snapshot::Snapshot;
pub(super) use self::store::StoreVerb;
use super::connection::DEFAULT_ENDPOINT;
use super::exit;
use crate::config::DiskDriver;
pub(in crate::cli) use agent::AgentArguments;
pub(in crate::cli) use network::{BridgeVerb, NetworkVerb};

/// Makes and manages servers on a PowerVM host, through its HMC or NovaLink.
#[derive(Debug, Parser)]
#[command(name = "powervm", version, after_help = exit::HELP, max_term_width = 100)]
pub(in crate::cli) struct Arguments {
    #[command(flatten)]
    pub(in crate::cli) connection: Connection,
    #[command(flatten)]
    pub(in crate::cli) place: Place,
    /// Print JSON instead of tables
    #[arg(long, global = true)]
    pub(in crate::cli) json: bool,
    /// Look at everything, print the steps that would be done, and do none
    #[arg(long, global = true)]
    pub(in crate::cli) dry_run: bool,
    #[command(subcommand)]
    pub(in crate::cli) noun: Noun,
}

/// Where the server is and how it is recognised.
///
/// The password comes from POWERVM_PASSWORD or from the file that POWERVM_PASSWORD_FILE or
/// --password-file names; without either, the token file of NovaLink is used.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Connection")]
pub(in crate::cli) struct Connection {
    /// URL of the REST API, such as https://hmc.example:12443
    #[arg(
        long,
        global = true,
        env = "POWERVM_ENDPOINT",
        value_name = "URL",
        default_value = DEFAULT_ENDPOINT
    )]
    pub(in crate::cli) endpoint: String,
    /// User to log on as; the password comes from the environment or a file
    #[arg(long, global = true, env = "POWERVM_USER")]
    pub(in crate::cli) user: Option<String>,
    /// File that holds the password
    #[arg(
        long,
        global = true,
        env = "POWERVM_PASSWORD_FILE",
        value_name = "FILE"
    )]
    pub(in crate::cli) password_file: Option<PathBuf>,
    /// Trust certificates that this authority (PEM) signed
    #[arg(long, global = true, value_name = "FILE", group = "trust")]
    pub(in crate::cli) ca: Option<PathBuf>,
    /// Trust exactly the certificate with this SHA-256 fingerprint
    #[arg(long, global = true, value_name = "SHA256", group = "trust")]
    pub(in crate::cli) fingerprint: Option<String>,
    /// Trust any certificate: whoever sits between can read the password
    #[arg(long, global = true, group = "trust")]
    pub(in crate::cli) insecure: bool,
}

/// Where boot disks live, and the rest of the configuration.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Configuration")]
pub(in crate::cli) struct Place {
    /// Configuration file with a [powervm] group
    #[arg(long, global = true, env = "POWERVM_CONFIG", value_name = "FILE")]
    pub(in crate::cli) config: Option<PathBuf>,
    /// Where boot disks live: ssp or localdisk (instead of the file's)
    #[arg(long, global = true, value_name = "DRIVER")]
    pub(in crate::cli) disk_driver: Option<DiskDriver>,
    /// Volume group of the boot disks of localdisk (instead of the file's)
    #[arg(long, global = true, value_name = "NAME")]
    pub(in crate::cli) volume_group: Option<String>,
    /// Cluster of the shared storage pool (instead of the file's)
    #[arg(long, global = true, value_name = "NAME")]
    pub(in crate::cli) cluster: Option<String>,
    /// System to manage, where the HMC manages several
    #[arg(long, global = true, value_name = "NAME")]
    pub(in crate::cli) system: Option<String>,
    /// File of the journal of this host (instead of the file's)
    #[arg(long, global = true, env = "POWERVM_JOURNAL", value_name = "FILE")]
    pub(in crate::cli) journal: Option<PathBuf>,
    /// What tells this system from others with the same serial number (instead of the file's)
    #[arg(long, global = true, env = "POWERVM_HOST_LOCK", value_name = "TEXT")]
    pub(in crate::cli) host_lock: Option<String>,
}

#[derive(Debug, Clone, Subcommand)]
pub(in crate::cli) enum Noun {
    /// Servers: partitions with their disks and interfaces
    #[command(subcommand)]
    Server(ServerVerb),
    /// Interfaces of servers
    #[command(subcommand)]
    Interface(InterfaceVerb),
    /// Volumes that Cinder keeps
    #[command(subcommand)]
    Volume(VolumeVerb),
    /// Images that are kept on the host
    #[command(subcommand)]
    Image(ImageVerb),
    /// Consoles of servers
    #[command(subcommand)]
    Console(ConsoleVerb),
    /// Slots and NVRAM of servers, as they are kept outside of the host
    #[command(subcommand)]
    Store(StoreVerb),
    /// Network bridges, SR-IOV ports and trunk adapters of the host
    #[command(subcommand)]
    Network(NetworkVerb),
    /// The host
    #[command(subcommand)]
    Host(HostVerb),
    /// Tell meters of the host and its servers to Prometheus
    Metrics(Metrics),
    /// The configuration; asks no server
    #[command(subcommand)]
    Config(ConfigVerb),
    /// Look the host over, change nothing, and say what would stop a deploy
    Doctor,
    /// Show what a killed powervm left behind; with --apply, finish or undo it
    ///
    /// Every command that changes something does so first, so this is for looking, and for hosts that nothing else is
    /// to be done on.
    Recover(Recover),
}

/// Show what a killed powervm left behind.
#[derive(Debug, Clone, Args)]
pub(in crate::cli) struct Recover {
    /// Finish or undo it now
    #[arg(long, conflicts_with = "history")]
    pub(in crate::cli) apply: bool,
    /// Show the last operations that ended instead
    #[arg(long, value_name = "NUMBER", num_args = 0..=1, default_missing_value = "20")]
    pub(in crate::cli) history: Option<usize>,
}

#[derive(Debug, Clone, Subcommand)]
pub(in crate::cli) enum HostVerb {
    /// Show what the host has and what is left of it
    Show,
    /// List everything on the host that a deploy makes
    Inventory,
    /// Show what the host uses of processors and memory, from its meters
    Stats,
    /// Show how long the host has been up
    Uptime,
    /// Show whether meters are taken of the host; with --on or --off, have them taken or not
    Monitor {
        /// Have a sample taken every 30 s, for everybody who reads meters
        #[arg(long)]
        on: bool,
        /// Have none taken
        #[arg(long, conflicts_with = "on")]
        off: bool,
    },
}

impl HostVerb {
    /// Whether it changes anything on the host.
    pub(in crate::cli) fn changes(&self) -> bool {
        matches!(self, Self::Monitor { on, off } if *on || *off)
    }
}

impl Noun {
    /// The command for each server that it names, one after the other.
    pub(in crate::cli) fn one_by_one(&self) -> Vec<Self> {
        match self {
            Self::Server(verb) => verb.one_by_one().into_iter().map(Self::Server).collect(),
            other => vec![other.clone()],
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_arguments_are_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn a_server_is_described_in_one_line() {
        let arguments = Arguments::try_parse_from([
            "powervm",
            "--endpoint",
            "https://hmc",
            "server",
            "create",
            "web",
            "--image",
            "a.raw",
            "--vcpus",
            "2",
            "--ram",
            "2048",
            "--property",
            "powervm:uncapped=false",
            "--nic",
            "vlan=7",
            "--network",
            "8",
            "--json",
        ])
        .unwrap();
        let Noun::Server(ServerVerb::Create(create)) = arguments.noun else {
            panic!()
        };
        assert_eq!(
            (create.vcpus, create.memory, create.network.len()),
            (2, 2048, 2)
        );
        assert_eq!(
            create.property,
            [("powervm:uncapped".to_owned(), "false".to_owned())]
        );
        assert!(arguments.json);
    }

    #[test]
    fn nothing_takes_a_password() {
        for name in ["--password", "--token"] {
            assert!(Arguments::try_parse_from(["powervm", name, "hush", "host", "show"]).is_err());
        }
        assert!(
            Arguments::try_parse_from(["powervm", "--insecure", "--ca", "x", "host", "show"])
                .is_err()
        );
    }
}
