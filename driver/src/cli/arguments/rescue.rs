//! Servers that are started from another disk.

use clap::Args;

/// Start a server from another disk, to mend what is on its own.
#[derive(Debug, Clone, Args)]
pub(in crate::cli) struct Rescue {
    /// Name or UUID
    pub(in crate::cli) server: String,
    /// Raw disk image of the rescue disk: a file or an http(s) URL
    #[arg(long, value_name = "FILE|URL")]
    pub(in crate::cli) image: String,
    /// Name of the image; the file's without
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) image_name: Option<String>,
    /// MD5 or SHA-256 of the image; a file is read for it without
    #[arg(long, value_name = "HEX")]
    pub(in crate::cli) image_checksum: Option<String>,
}
