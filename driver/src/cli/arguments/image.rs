//! Images that are kept, and consoles.

use std::net::SocketAddr;

use clap::{Args, Subcommand};

use crate::vnc;

#[derive(Debug, Clone, Subcommand)]
pub(in crate::cli) enum ImageVerb {
    /// List the images that are kept on the host, and which of them are used
    List,
    /// Bring an image to the host before a server needs it
    Cache(Cache),
    /// Remove the images that nothing is a clone of and nobody uploads
    Prune {
        /// Name of an image that stays, as listed; repeatable
        #[arg(long, value_name = "NAME")]
        keep: Vec<String>,
    },
}

/// Bring an image to the host.
#[derive(Debug, Clone, Args)]
pub(in crate::cli) struct Cache {
    /// Raw disk image: a file or an http(s) URL
    #[arg(value_name = "FILE|URL")]
    pub(in crate::cli) image: String,
    /// Name of the image; the file's without
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) image_name: Option<String>,
    /// MD5 or SHA-256 of the image; a file is read for it without
    #[arg(long, value_name = "HEX")]
    pub(in crate::cli) image_checksum: Option<String>,
}

#[derive(Debug, Clone, Subcommand)]
pub(in crate::cli) enum ConsoleVerb {
    /// Open a server's console as a VNC server, on the management partition of a NovaLink
    Show {
        /// Name or UUID
        server: String,
    },
    /// Connect this terminal to a server's console, on the management partition of a NovaLink
    Attach {
        /// Name or UUID
        server: String,
    },
    /// Serve the consoles of all servers at one port to VNC proxies, on the management partition of a NovaLink
    ///
    /// A client asks with CONNECT and a server's UUID. Without vnc_use_x509_auth, whoever reaches the port reaches every
    /// console.
    Serve {
        /// Where; port 0 takes a free one
        #[arg(long, value_name = "ADDRESS:PORT", default_value_t = SocketAddr::from(([127, 0, 0, 1], vnc::PORT)))]
        listen: SocketAddr,
    },
    /// Close a server's console, whoever has it open
    Close {
        /// Name or UUID
        server: String,
    },
}
