//! What can be said on the command line. Secrets cannot: other users of the machine would see them.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use uuid::Uuid;

use super::exit;
use crate::config::DiskDriver;
use crate::network::{Mac, NetworkInterface};
use crate::operations::ServerRef;

/// Makes and manages servers on a PowerVM host, through its HMC or NovaLink.
#[derive(Debug, Parser)]
#[command(name = "powervm", version, after_help = exit::HELP, max_term_width = 100)]
pub(super) struct Arguments {
    #[command(flatten)]
    pub(super) connection: Connection,
    #[command(flatten)]
    pub(super) place: Place,
    /// Print JSON instead of tables
    #[arg(long, global = true)]
    pub(super) json: bool,
    #[command(subcommand)]
    pub(super) noun: Noun,
}

/// Where the server is and how it is recognised.
///
/// The password comes from POWERVM_PASSWORD or from the file that POWERVM_PASSWORD_FILE or
/// --password-file names; without either, the token file of NovaLink is used.
#[derive(Debug, Args)]
#[command(next_help_heading = "Connection")]
pub(super) struct Connection {
    /// URL of the REST API, such as https://hmc.example:12443
    #[arg(
        long,
        global = true,
        env = "POWERVM_ENDPOINT",
        value_name = "URL",
        default_value = "http://127.0.0.1:12080"
    )]
    pub(super) endpoint: String,
    /// User to log on as; the password comes from the environment or a file
    #[arg(long, global = true, env = "POWERVM_USER")]
    pub(super) user: Option<String>,
    /// File that holds the password
    #[arg(
        long,
        global = true,
        env = "POWERVM_PASSWORD_FILE",
        value_name = "FILE"
    )]
    pub(super) password_file: Option<PathBuf>,
    /// Trust certificates that this authority (PEM) signed
    #[arg(long, global = true, value_name = "FILE", group = "trust")]
    pub(super) ca: Option<PathBuf>,
    /// Trust exactly the certificate with this SHA-256 fingerprint
    #[arg(long, global = true, value_name = "SHA256", group = "trust")]
    pub(super) fingerprint: Option<String>,
    /// Trust any certificate: whoever sits between can read the password
    #[arg(long, global = true, group = "trust")]
    pub(super) insecure: bool,
}

/// Where boot disks live, and the rest of the configuration.
#[derive(Debug, Args)]
#[command(next_help_heading = "Configuration")]
pub(super) struct Place {
    /// Configuration file with a [powervm] group
    #[arg(long, global = true, env = "POWERVM_CONFIG", value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// Where boot disks live: ssp or localdisk (instead of the file's)
    #[arg(long, global = true, value_name = "DRIVER")]
    pub(super) disk_driver: Option<DiskDriver>,
    /// Volume group of the boot disks of localdisk (instead of the file's)
    #[arg(long, global = true, value_name = "NAME")]
    pub(super) volume_group: Option<String>,
    /// Cluster of the shared storage pool (instead of the file's)
    #[arg(long, global = true, value_name = "NAME")]
    pub(super) cluster: Option<String>,
    /// System to manage, where the HMC manages several
    #[arg(long, global = true, value_name = "NAME")]
    pub(super) system: Option<String>,
    /// File of the journal of this host (instead of the file's)
    #[arg(long, global = true, env = "POWERVM_JOURNAL", value_name = "FILE")]
    pub(super) journal: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(super) enum Noun {
    /// Servers: partitions with their disks and interfaces
    #[command(subcommand)]
    Server(ServerVerb),
    /// Interfaces of servers
    #[command(subcommand)]
    Interface(InterfaceVerb),
    /// Volumes that Cinder keeps
    #[command(subcommand)]
    Volume(VolumeVerb),
    /// The host
    #[command(subcommand)]
    Host(HostVerb),
    /// Show what a killed powervm left behind; with --apply, finish or undo it
    ///
    /// Every command that changes something does so first, so this is for looking, and for hosts that nothing else is
    /// to be done on.
    Recover(Recover),
}

/// Show what a killed powervm left behind.
#[derive(Debug, Args)]
pub(super) struct Recover {
    /// Finish or undo it now
    #[arg(long, conflicts_with = "history")]
    pub(super) apply: bool,
    /// Show the last operations that ended instead
    #[arg(long, value_name = "NUMBER", num_args = 0..=1, default_missing_value = "20")]
    pub(super) history: Option<usize>,
}

#[derive(Debug, Subcommand)]
pub(super) enum InterfaceVerb {
    /// Give a server another interface
    Attach {
        /// Name or UUID of the server
        server: String,
        /// N or vlan=N,mac=ADDRESS; on SR-IOV ports sriov=NETWORK,vlan=N,redundancy=N,capacity=SHARE
        #[arg(value_name = "NETWORK")]
        network: NetworkInterface,
    },
    /// Take an interface away from a server
    Detach {
        /// Name or UUID of the server
        server: String,
        /// Address of the interface
        mac: Mac,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum VolumeVerb {
    /// Tell what Cinder has to know before it shows a volume to the host
    Connector {
        /// Name or UUID of the server that is to have the volume
        server: String,
        #[command(flatten)]
        kept: Kept,
    },
    /// Attach volumes to a server
    Attach(Volumes),
    /// Detach volumes from a server
    Detach(Volumes),
    /// Let a server see that volumes have grown
    Extend(Volumes),
}

/// Volumes of a server.
#[derive(Debug, Args)]
pub(super) struct Volumes {
    /// Name or UUID of the server
    pub(super) server: String,
    /// Files with connection_info as Cinder answers it, one or a list of them; - reads standard input
    #[arg(required = true, value_name = "FILE")]
    pub(super) connection: Vec<PathBuf>,
    #[command(flatten)]
    pub(super) kept: Kept,
}

/// What is kept for the instance.
#[derive(Debug, Args)]
pub(super) struct Kept {
    /// File with what an earlier call said to keep for the server, as a JSON object; it is replaced by what
    /// this one says
    #[arg(long, value_name = "FILE")]
    pub(super) metadata: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(super) enum ServerVerb {
    /// Make a server
    Create(Box<Create>),
    /// List servers
    List,
    /// Show a server
    Show {
        /// Name or UUID
        server: String,
    },
    /// Start servers
    Start {
        /// Names or UUIDs
        #[arg(required = true)]
        server: Vec<String>,
    },
    /// Stop servers: ask the guest, then insist
    Stop {
        /// Names or UUIDs
        #[arg(required = true)]
        server: Vec<String>,
        /// Take the power away at once
        #[arg(long)]
        hard: bool,
    },
    /// Reboot servers
    Reboot {
        /// Names or UUIDs
        #[arg(required = true)]
        server: Vec<String>,
        /// Ask the guest, then insist (the default)
        #[arg(long, conflicts_with = "hard")]
        soft: bool,
        /// Take the power away and give it back
        #[arg(long)]
        hard: bool,
    },
    /// Delete servers with their disks
    Delete {
        /// Names or UUIDs
        #[arg(required = true)]
        server: Vec<String>,
        /// Leave the disks
        #[arg(long)]
        keep_disks: bool,
    },
}

/// Make a server.
#[derive(Debug, Args)]
pub(super) struct Create {
    /// Its name
    pub(super) name: String,
    /// Its UUID; a random one without
    #[arg(long)]
    pub(super) uuid: Option<Uuid>,
    /// Raw disk image: a file or an http(s) URL; without, the server boots from its first volume
    #[arg(long, value_name = "FILE|URL", required_unless_present = "volume")]
    pub(super) image: Option<String>,
    /// File with the connection_info of a volume that it has from the start; repeatable
    #[arg(long, value_name = "FILE")]
    pub(super) volume: Vec<PathBuf>,
    /// Name of the image; the file's without
    #[arg(long, value_name = "NAME")]
    pub(super) image_name: Option<String>,
    /// MD5 or SHA-256 of the image; a file is read for it without
    #[arg(long, value_name = "HEX")]
    pub(super) image_checksum: Option<String>,
    /// Virtual processors
    #[arg(long, default_value_t = 1)]
    pub(super) vcpus: u32,
    /// Memory in MB
    #[arg(long, visible_alias = "ram", value_name = "MB", default_value_t = 1024)]
    pub(super) memory: u64,
    /// Boot disk in GB; 0 is as large as the image
    #[arg(long, value_name = "GB", default_value_t = 0)]
    pub(super) disk: u64,
    /// Extra spec of the flavor, such as powervm:proc_units=0.5; repeatable
    #[arg(long, value_name = "KEY=VALUE", value_parser = pair)]
    pub(super) property: Vec<(String, String)>,
    /// Interface: N or vlan=N,mac=ADDRESS; on SR-IOV ports sriov=NETWORK,vlan=N,redundancy=N,capacity=SHARE;
    /// repeatable
    #[arg(long, visible_alias = "nic", value_name = "VLAN")]
    pub(super) network: Vec<NetworkInterface>,
    /// Attach a config drive; the options below imply it
    #[arg(long)]
    pub(super) config_drive: bool,
    /// File with user data for the config drive
    #[arg(long, value_name = "FILE")]
    pub(super) user_data: Option<PathBuf>,
    /// SSH public key file for the config drive; repeatable
    #[arg(long, value_name = "FILE")]
    pub(super) public_key: Vec<PathBuf>,
    /// Host name for the config drive; the server's name without
    #[arg(long)]
    pub(super) hostname: Option<String>,
    /// Metadata for the config drive; repeatable
    #[arg(long, value_name = "KEY=VALUE", value_parser = pair)]
    pub(super) meta: Vec<(String, String)>,
    /// File to appear in the guest; repeatable
    #[arg(long, value_name = "GUEST_PATH=FILE", value_parser = pair)]
    pub(super) file: Vec<(String, String)>,
    /// Leave it powered off
    #[arg(long)]
    pub(super) no_start: bool,
}

#[derive(Debug, Subcommand)]
pub(super) enum HostVerb {
    /// Show what the host has and what is left of it
    Show,
    /// List everything on the host that a deploy makes
    Inventory,
}

fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("write it as KEY=VALUE".to_owned()),
    }
}

impl ServerVerb {
    /// Whether it changes anything on the host.
    pub(super) fn changes(&self) -> bool {
        !matches!(self, Self::List | Self::Show { .. })
    }

    /// Servers as they were named.
    pub(super) fn servers(names: &[String]) -> impl Iterator<Item = ServerRef> {
        names.iter().map(|name| ServerRef::parse(name))
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
