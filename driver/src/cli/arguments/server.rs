//! Servers.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use uuid::Uuid;

use super::snapshot::Snapshot;
use crate::network::NetworkInterface;
use crate::operations::ServerRef;

#[derive(Debug, Clone, Subcommand)]
pub(in crate::cli) enum ServerVerb {
    /// Make a server
    Create(Box<Create>),
    /// List servers
    List,
    /// Show a server
    Show {
        /// Name or UUID
        server: String,
    },
    /// Tell what servers do by themselves, as it happens
    Watch,
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
    /// Copy a server's boot disk to an image, on the management partition of a NovaLink
    Snapshot(Snapshot),
    /// Have a server that runs write down its memory, as a crash would, and start again
    Dump {
        /// Name or UUID
        server: String,
    },
    /// Suspend a server that runs, on an HMC
    Suspend {
        /// Name or UUID
        server: String,
    },
    /// Resume a server that is suspended
    Resume {
        /// Name or UUID
        server: String,
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
#[derive(Debug, Clone, Args)]
pub(in crate::cli) struct Create {
    /// Its name
    pub(in crate::cli) name: String,
    /// Its UUID; a random one without
    #[arg(long)]
    pub(in crate::cli) uuid: Option<Uuid>,
    /// Raw disk image: a file or an http(s) URL; without, the server boots from its first volume
    #[arg(long, value_name = "FILE|URL", required_unless_present = "volume")]
    pub(in crate::cli) image: Option<String>,
    /// File with the connection_info of a volume that it has from the start; repeatable
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) volume: Vec<PathBuf>,
    /// Name of the image; the file's without
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) image_name: Option<String>,
    /// MD5 or SHA-256 of the image; a file is read for it without
    #[arg(long, value_name = "HEX")]
    pub(in crate::cli) image_checksum: Option<String>,
    /// Virtual processors
    #[arg(long, default_value_t = 1)]
    pub(in crate::cli) vcpus: u32,
    /// Memory in MB
    #[arg(long, visible_alias = "ram", value_name = "MB", default_value_t = 1024)]
    pub(in crate::cli) memory: u64,
    /// Boot disk in GB; 0 is as large as the image
    #[arg(long, value_name = "GB", default_value_t = 0)]
    pub(in crate::cli) disk: u64,
    /// Extra spec of the flavor, such as powervm:proc_units=0.5; repeatable
    #[arg(long, value_name = "KEY=VALUE", value_parser = pair)]
    pub(in crate::cli) property: Vec<(String, String)>,
    /// Interface: N or vlan=N,mac=ADDRESS; on SR-IOV ports sriov=NETWORK,vlan=N,redundancy=N,capacity=SHARE;
    /// repeatable
    #[arg(long, visible_alias = "nic", value_name = "VLAN")]
    pub(in crate::cli) network: Vec<NetworkInterface>,
    /// Attach a config drive; the options below imply it
    #[arg(long)]
    pub(in crate::cli) config_drive: bool,
    /// File with user data for the config drive
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) user_data: Option<PathBuf>,
    /// SSH public key file for the config drive; repeatable
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) public_key: Vec<PathBuf>,
    /// Host name for the config drive; the server's name without
    #[arg(long)]
    pub(in crate::cli) hostname: Option<String>,
    /// Metadata for the config drive; repeatable
    #[arg(long, value_name = "KEY=VALUE", value_parser = pair)]
    pub(in crate::cli) meta: Vec<(String, String)>,
    /// File to appear in the guest; repeatable
    #[arg(long, value_name = "GUEST_PATH=FILE", value_parser = pair)]
    pub(in crate::cli) file: Vec<(String, String)>,
    /// Leave it powered off
    #[arg(long)]
    pub(in crate::cli) no_start: bool,
}

impl ServerVerb {
    /// Whether it changes anything on the host.
    pub(in crate::cli) fn changes(&self) -> bool {
        !matches!(self, Self::List | Self::Show { .. } | Self::Watch)
    }

    /// The verb for each of the servers that it names.
    pub(in crate::cli) fn one_by_one(&self) -> Vec<Self> {
        let many = match self {
            Self::Start { server }
            | Self::Stop { server, .. }
            | Self::Reboot { server, .. }
            | Self::Delete { server, .. } => server.len(),
            _ => 1,
        };
        let only = |number: usize| {
            let mut verb = self.clone();
            if let Self::Start { server }
            | Self::Stop { server, .. }
            | Self::Reboot { server, .. }
            | Self::Delete { server, .. } = &mut verb
            {
                *server = server.get(number).cloned().into_iter().collect();
            }
            verb
        };
        (0..many).map(only).collect()
    }

    /// Servers as they were named.
    pub(in crate::cli) fn servers(names: &[String]) -> impl Iterator<Item = ServerRef> {
        names.iter().map(|name| ServerRef::parse(name))
    }
}

fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("write it as KEY=VALUE".to_owned()),
    }
}
