//! Servers.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use uuid::Uuid;

use super::rebuild::{Drive, Rebuild};
use super::rescue::Rescue;
use super::resize::{Resize, ResizeRevert};
use super::snapshot::Snapshot;
use super::store::Evacuate;
use super::{LiveMigrate, Migrate};
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
    /// Show diagnostics of a server, in Nova's fields
    Diagnostics {
        /// Name or UUID
        server: String,
    },
    /// Show what a server uses: processors, memory, interfaces, storage
    Meters {
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
    /// Start a server from another disk, to mend what is on its own
    Rescue(Rescue),
    /// Start a server from its own disk again, and remove the other one
    Unrescue {
        /// Name or UUID
        server: String,
    },
    /// Give a server another size; it is off meanwhile
    ///
    /// Its partition is called resize_NAME until resize-confirm or resize-revert.
    Resize(Box<Resize>),
    /// Let a server leave for another host of its pool: power it off and let its disk go
    ///
    /// There, `server create --uuid UUID --existing-disk` takes it; here, resize-confirm removes what is left of it, and
    /// resize-revert takes it back. Its partition is called migrate_NAME until then.
    Depart {
        /// Name or UUID
        server: String,
        /// File with the connection_info of a volume that is to be detached; repeatable
        #[arg(long, value_name = "FILE")]
        volume: Vec<PathBuf>,
    },
    /// Keep the size that a server got
    ResizeConfirm {
        /// The server's name as it was made with, or its UUID
        server: String,
    },
    /// Give a server the size back that it had
    ResizeRevert(ResizeRevert),
    /// Give a server a new boot disk from an image, and a new config drive: what was on its disk is lost, its volumes stay
    Rebuild(Box<Rebuild>),
    /// Make a server on this host whose own host is lost, from its disk in the pool and its volumes
    ///
    /// Give it all that it is to have, as to create, and its UUID, but no image: --existing-disk, or its volumes. Where slots and NVRAM are kept, it gets
    /// those that it had.
    Evacuate(Box<Evacuate>),
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
    /// Move a server to another host while it runs
    LiveMigrate(Box<LiveMigrate>),
    /// Move a server to another host while it is off, with another size if need be
    ///
    /// It is shut down, moved, changed, and started again if it ran.
    Migrate(Box<Migrate>),
    /// Stop the migration of a server: it stays where it is
    LiveMigrateAbort {
        /// Its UUID, or its name
        server: String,
    },
    /// Bring a server back whose migration failed and could not be undone
    LiveMigrateRecover {
        /// Its UUID, or its name
        server: String,
        /// Also when the migration still goes on
        #[arg(long)]
        force: bool,
    },
    /// Start a server of another system, which has failed, on the system of --system; HMC only
    RemoteRestart {
        /// Its UUID, or its name
        server: String,
        /// Also when its VLANs have no bridge there
        #[arg(long)]
        override_vlan_bridge: bool,
    },
    /// Remove what a server left on the system of --system that was restarted on another one; HMC only
    RemoteRestartCleanup {
        /// Its UUID, or its name
        server: String,
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
    #[arg(long, value_name = "FILE|URL", required_unless_present_any = ["volume", "existing_disk"])]
    pub(in crate::cli) image: Option<String>,
    /// Take the boot disk that a server of this name and UUID has left: on another host of the pool, or here
    #[arg(long, conflicts_with = "image", requires = "uuid")]
    pub(in crate::cli) existing_disk: bool,
    /// File with the connection_info of a volume that it has from the start; repeatable
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) volume: Vec<PathBuf>,
    /// Name of the image; the file's without
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) image_name: Option<String>,
    /// Operating system in the image, as Glance's os_distro has it; ibmi makes a partition for IBM i
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) os_distro: Option<String>,
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
    #[command(flatten)]
    pub(in crate::cli) drive: Drive,
    /// Leave it powered off
    #[arg(long)]
    pub(in crate::cli) no_start: bool,
}

impl ServerVerb {
    /// Whether it changes anything on the host that the journal has to know of. To stop a migration is for another
    /// process than the one that migrates and holds the journal.
    pub(in crate::cli) fn changes(&self) -> bool {
        !matches!(
            self,
            Self::List
                | Self::Show { .. }
                | Self::Diagnostics { .. }
                | Self::Meters { .. }
                | Self::Watch
                | Self::LiveMigrateAbort { .. }
                | Self::LiveMigrateRecover { .. }
        )
    }

    /// Whether the journal tells what it is about, so that it needs that in a dry run, too.
    pub(in crate::cli) fn looks_back(&self) -> bool {
        matches!(self, Self::ResizeConfirm { .. } | Self::ResizeRevert(_))
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

pub(super) fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("write it as KEY=VALUE".to_owned()),
    }
}
