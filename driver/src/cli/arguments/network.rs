//! Network bridges, SR-IOV ports and trunk adapters of the host.

use clap::{Args, Subcommand};

use super::agent::AgentArguments;
use crate::network::interface::MAX_VLAN;
use crate::operations::BridgeRef;

#[derive(Debug, Clone, Subcommand)]
pub(in crate::cli) enum NetworkVerb {
    /// Bridges between virtual switches and physical ports
    #[command(subcommand)]
    Bridge(BridgeVerb),
    /// Bridge the VLANs that servers need and prune those that nobody needs, until told to end
    Agent(AgentArguments),
    /// Show the SR-IOV ports, their physical networks, and what is wrong with them
    Sriov,
    /// Show the trunk adapters that lead to Open vSwitch
    Trunks {
        /// Remove those whose server is gone
        #[arg(long)]
        sweep: bool,
    },
}

impl NetworkVerb {
    /// Whether it changes something.
    pub(in crate::cli) fn changes(&self) -> bool {
        match self {
            Self::Bridge(verb) => !matches!(verb, BridgeVerb::List),
            // It keeps no journal: what it leaves half done, its next round finishes.
            Self::Agent(_) | Self::Sriov => false,
            Self::Trunks { sweep } => *sweep,
        }
    }
}

#[derive(Debug, Clone, Subcommand)]
pub(in crate::cli) enum BridgeVerb {
    /// List the bridges with their VLANs
    List,
    /// See to it that a bridge carries VLANs
    EnsureVlan {
        /// The VLANs
        #[arg(required = true, value_parser = clap::value_parser!(u16).range(1..=i64::from(MAX_VLAN)))]
        vlan: Vec<u16>,
        #[command(flatten)]
        which: Which,
    },
    /// Take VLANs off a bridge that no adapter has
    PruneVlans {
        /// VLANs that stay all the same
        #[arg(long, value_name = "VLAN", value_delimiter = ',')]
        keep: Vec<u16>,
        /// How many go at most
        #[arg(long, value_name = "NUMBER", default_value_t = 3)]
        limit: usize,
        #[command(flatten)]
        which: Which,
    },
}

/// Which bridge.
#[derive(Debug, Clone, Args)]
pub(in crate::cli) struct Which {
    /// UUID of the bridge, or one of its adapters as DEVICE:VIOS; not needed where there is only one
    #[arg(long, value_name = "BRIDGE")]
    bridge: Option<BridgeRef>,
}

impl Which {
    pub(in crate::cli) fn bridge(&self) -> BridgeRef {
        self.bridge.clone().unwrap_or(BridgeRef::Only)
    }
}
