//! `powervm metrics`

use std::net::SocketAddr;

use clap::Args;

/// Tell meters of the host and its servers to Prometheus.
#[derive(Debug, Clone, Args)]
pub(in crate::cli) struct Metrics {
    /// Serve them at this address, as http://ADDRESS/metrics; port 0 takes a free one
    ///
    /// Whoever reaches the address may read the names of servers and what they use.
    #[arg(long, value_name = "ADDRESS:PORT", required_unless_present = "once")]
    pub(in crate::cli) listen: Option<SocketAddr>,
    /// Print them once instead
    #[arg(long, conflicts_with = "listen")]
    pub(in crate::cli) once: bool,
}
