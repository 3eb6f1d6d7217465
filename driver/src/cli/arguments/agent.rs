//! The network agent of the host.

use std::path::PathBuf;

use clap::Args;

use crate::operations::BridgeMap;

#[derive(Debug, Clone, Args)]
pub(in crate::cli) struct AgentArguments {
    /// Which bridge each physical network is on, as NETWORK:DEVICE:VIOS,…; not needed where there is only one bridge
    #[arg(long, value_name = "MAP", default_value = "")]
    pub(in crate::cli) bridge_mappings: BridgeMap,
    /// Ports to connect besides those of the adapters that are there: a file with a JSON list, read in each round, or -
    /// for lists on standard input, one a line
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) ports: Option<PathBuf>,
    /// Seconds between two looks at everything
    #[arg(long, value_name = "SECONDS", default_value_t = 1800, value_parser = clap::value_parser!(u64).range(10..=86400))]
    pub(in crate::cli) interval: u64,
    /// Leave VLANs that nobody needs on the bridges
    #[arg(long)]
    pub(in crate::cli) no_prune: bool,
    /// How many VLANs go from a bridge at a time
    #[arg(long, value_name = "NUMBER", default_value_t = 3)]
    pub(in crate::cli) prune_limit: usize,
    /// Look at everything once, and end
    #[arg(long)]
    pub(in crate::cli) once: bool,
}
