//! Interfaces and volumes of servers.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::network::{Mac, NetworkInterface};

#[derive(Debug, Clone, Subcommand)]
pub(in crate::cli) enum InterfaceVerb {
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

#[derive(Debug, Clone, Subcommand)]
pub(in crate::cli) enum VolumeVerb {
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
#[derive(Debug, Clone, Args)]
pub(in crate::cli) struct Volumes {
    /// Name or UUID of the server
    pub(in crate::cli) server: String,
    /// Files with connection_info as Cinder answers it, one or a list of them; - reads standard input
    #[arg(required = true, value_name = "FILE")]
    pub(in crate::cli) connection: Vec<PathBuf>,
    #[command(flatten)]
    pub(in crate::cli) kept: Kept,
}

/// What is kept for the instance.
#[derive(Debug, Clone, Args)]
pub(in crate::cli) struct Kept {
    /// File with what an earlier call said to keep for the server, as a JSON object; it is replaced by what
    /// this one says
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) metadata: Option<PathBuf>,
}
