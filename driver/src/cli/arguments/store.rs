//! What is kept of servers, and servers that are made anew.

use clap::{Args, Subcommand};

use super::Create;

#[derive(Debug, Clone, Subcommand)]
pub(in crate::cli) enum StoreVerb {
    /// Show the slots that are kept of a server, and whether NVRAM is
    Show {
        /// Name or UUID; the UUID of one that is not on this host
        server: String,
    },
    /// Keep a server's slots and NVRAM as they are now
    Save {
        /// Name or UUID
        server: String,
    },
    /// Forget what is kept of a server
    Delete {
        /// Name or UUID; the UUID of one that is not on this host
        server: String,
    },
}

/// Make a server on this host whose own host is lost.
#[derive(Debug, Clone, Args)]
pub(in crate::cli) struct Evacuate {
    #[command(flatten)]
    pub(in crate::cli) server: Create,
    /// Its own host is lost or its partition removed: two partitions on one disk destroy what is on it
    #[arg(long, required = true)]
    pub(in crate::cli) host_is_lost: bool,
}
