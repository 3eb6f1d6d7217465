//! A migration to another host.

use std::path::PathBuf;

use clap::Args;

use super::server::pair;
use super::{Connection, Kept, Place};

/// Move a server to another host while it runs.
#[derive(Debug, Clone, Args)]
pub(in crate::cli) struct LiveMigrate {
    /// Name or UUID of the server
    pub(in crate::cli) server: String,
    #[command(flatten)]
    pub(in crate::cli) to: Destination,
    /// File with the connection_info of a volume of the server as the destination is to reach it; repeatable
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) volume: Vec<PathBuf>,
    /// File with the connection_info of a volume as this host reaches it; repeatable
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) source_volume: Vec<PathBuf>,
    #[command(flatten)]
    pub(in crate::cli) kept: Kept,
    /// Abort the migration when it takes longer than this, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 7200,
          value_parser = clap::value_parser!(u64).range(1..=604_800))]
    pub(in crate::cli) limit: u64,
    /// Also when VLANs have no bridge on the destination
    #[arg(long)]
    pub(in crate::cli) override_vlan_bridge: bool,
    /// Only if memory and processors can be placed there as well as here
    #[arg(long)]
    pub(in crate::cli) affinity: bool,
}

/// Move a server to another host while it is off.
#[derive(Debug, Clone, Args)]
pub(in crate::cli) struct Migrate {
    #[command(flatten)]
    pub(in crate::cli) order: LiveMigrate,
    /// Virtual processors that it is to have there; as many as now without
    #[arg(long)]
    pub(in crate::cli) vcpus: Option<u32>,
    /// Memory in MB that it is to have there; as much as now without
    #[arg(long, visible_alias = "ram", value_name = "MB")]
    pub(in crate::cli) memory: Option<u64>,
    /// Boot disk in GB, not less than now; it stays as it is without
    #[arg(long, value_name = "GB", default_value_t = 0)]
    pub(in crate::cli) disk: u64,
    /// Extra spec of its new flavor, such as powervm:proc_units=0.5; repeatable
    #[arg(long, value_name = "KEY=VALUE", value_parser = pair)]
    pub(in crate::cli) property: Vec<(String, String)>,
}

/// The other host.
///
/// The password of its endpoint comes from POWERVM_TO_PASSWORD or from the file that POWERVM_TO_PASSWORD_FILE or
/// --to-password-file names; without either, the token file of NovaLink is used. Where the endpoint is the same, the logon is, too.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Destination")]
pub(in crate::cli) struct Destination {
    /// URL of its REST API; this host's without
    #[arg(long, value_name = "URL", required_unless_present = "to_system")]
    pub(in crate::cli) to_endpoint: Option<String>,
    /// Its system, where its endpoint manages several
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) to_system: Option<String>,
    /// User to log on to its endpoint as
    #[arg(long, env = "POWERVM_TO_USER", value_name = "USER")]
    pub(in crate::cli) to_user: Option<String>,
    /// File that holds that password
    #[arg(long, env = "POWERVM_TO_PASSWORD_FILE", value_name = "FILE")]
    pub(in crate::cli) to_password_file: Option<PathBuf>,
    /// Trust certificates of its endpoint that this authority (PEM) signed
    #[arg(long, value_name = "FILE", group = "to_trust")]
    pub(in crate::cli) to_ca: Option<PathBuf>,
    /// Trust exactly the certificate with this SHA-256 fingerprint there
    #[arg(long, value_name = "SHA256", group = "to_trust")]
    pub(in crate::cli) to_fingerprint: Option<String>,
    /// Trust any certificate there
    #[arg(long, group = "to_trust")]
    pub(in crate::cli) to_insecure: bool,
    /// Its configuration file; this host's without
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) to_config: Option<PathBuf>,
    /// File of its journal
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) to_journal: Option<PathBuf>,
    /// Address at which this host's console reaches that one's; the endpoint's without
    #[arg(long, value_name = "ADDRESS")]
    pub(in crate::cli) to_address: Option<String>,
    /// User as whom this host's console logs on to that one's: wlp on NovaLinks
    #[arg(long, value_name = "USER")]
    pub(in crate::cli) to_console_user: Option<String>,
}

impl Destination {
    /// Whether it has another endpoint than this host.
    pub(in crate::cli) fn is_elsewhere(&self, here: &Connection) -> bool {
        let there = self.to_endpoint.as_deref();
        there
            .is_some_and(|there| there.trim_end_matches('/') != here.endpoint.trim_end_matches('/'))
    }

    /// How its endpoint is reached.
    pub(in crate::cli) fn connection(&self, here: &Connection) -> Connection {
        match &self.to_endpoint {
            Some(endpoint) if self.is_elsewhere(here) => Connection {
                endpoint: endpoint.clone(),
                user: self.to_user.clone(),
                password_file: self.to_password_file.clone(),
                ca: self.to_ca.clone(),
                fingerprint: self.to_fingerprint.clone(),
                insecure: self.to_insecure,
            },
            _ => here.clone(),
        }
    }

    /// Its configuration: this host's but for what is said otherwise.
    pub(in crate::cli) fn place(&self, here: &Place) -> Place {
        Place {
            config: self.to_config.clone().or_else(|| here.config.clone()),
            system: Some(self.to_system.clone().unwrap_or_default()),
            journal: self.to_journal.clone(),
            ..here.clone()
        }
    }
}
