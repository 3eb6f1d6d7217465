//! Servers that get another size.

use std::path::PathBuf;

use clap::Args;

use super::server::pair;

/// Give a server another size; it is off meanwhile.
#[derive(Debug, Clone, Args)]
pub(in crate::cli) struct Resize {
    /// Name or UUID
    pub(in crate::cli) server: String,
    /// Virtual processors; as many as now without
    #[arg(long)]
    pub(in crate::cli) vcpus: Option<u32>,
    /// Memory in MB; as much as now without
    #[arg(long, visible_alias = "ram", value_name = "MB")]
    pub(in crate::cli) memory: Option<u64>,
    /// Boot disk in GB, not less than now; it stays as it is without
    #[arg(long, value_name = "GB", default_value_t = 0)]
    pub(in crate::cli) disk: u64,
    /// As it runs, within its minimum and maximum, without a restart; nothing is to be confirmed then
    #[arg(long)]
    pub(in crate::cli) live: bool,
    /// Extra spec of the flavor, such as powervm:proc_units=0.5; repeatable
    #[arg(long, value_name = "KEY=VALUE", value_parser = pair)]
    pub(in crate::cli) property: Vec<(String, String)>,
}

/// Give a server the size back that it had.
#[derive(Debug, Clone, Args)]
pub(in crate::cli) struct ResizeRevert {
    /// The server's name as it was made with, or its UUID
    pub(in crate::cli) server: String,
    /// Leave it powered off
    #[arg(long)]
    pub(in crate::cli) no_start: bool,
    /// File with the connection_info of a volume that is to be attached again; repeatable
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) volume: Vec<PathBuf>,
}
