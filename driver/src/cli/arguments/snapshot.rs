//! Images of servers.

use std::path::PathBuf;

use clap::Args;

/// Copy a server's boot disk to an image, on the management partition of a NovaLink.
///
/// The server may run. The image is raw, and blank parts of its file take no room.
#[derive(Debug, Clone, Args)]
pub(in crate::cli) struct Snapshot {
    /// Name or UUID
    pub(in crate::cli) server: String,
    /// Image file to be made
    #[arg(long, value_name = "FILE", required_unless_present = "url")]
    pub(in crate::cli) file: Option<PathBuf>,
    /// Send the image there with HTTP PUT; POWERVM_IMAGE_TOKEN goes along as X-Auth-Token
    #[arg(long, value_name = "URL", conflicts_with = "file")]
    pub(in crate::cli) url: Option<String>,
}
