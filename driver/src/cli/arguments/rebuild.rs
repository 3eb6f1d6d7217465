//! Servers that get a new disk, and what guests are told.

use std::path::PathBuf;

use clap::Args;

use super::server::pair;

/// What a guest is told about itself.
#[derive(Debug, Clone, Args)]
pub(in crate::cli) struct Drive {
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
}

/// Give a server a new boot disk and a new config drive.
#[derive(Debug, Clone, Args)]
pub(in crate::cli) struct Rebuild {
    /// Name or UUID
    pub(in crate::cli) server: String,
    /// Raw disk image: a file or an http(s) URL; without, for a server that boots from a volume
    #[arg(long, value_name = "FILE|URL")]
    pub(in crate::cli) image: Option<String>,
    /// Name of the image; the file's without
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) image_name: Option<String>,
    /// MD5 or SHA-256 of the image; a file is read for it without
    #[arg(long, value_name = "HEX")]
    pub(in crate::cli) image_checksum: Option<String>,
    /// Boot disk in GB; 0 is as large as the old one
    #[arg(long, value_name = "GB", default_value_t = 0)]
    pub(in crate::cli) disk: u64,
    #[command(flatten)]
    pub(in crate::cli) drive: Drive,
}
