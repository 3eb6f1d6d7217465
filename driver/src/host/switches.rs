//! The virtual switches of a host.

use powervm_schema::atom::Entry;
use powervm_schema::network::VirtualSwitch;

use crate::error::{Error, ErrorKind, Result};
use crate::rest::{Groups, Session};

/// Name of the switch that shared Ethernet adapters bridge.
pub const DEFAULT: &str = "ETHERNET0";
/// Name of the switch that connects partitions with the management partition.
pub const MANAGEMENT: &str = "MGMTSWITCH";

/// A virtual switch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Switch {
    /// Its name; the default one's is written without `(Default)`.
    pub name: String,
    /// Its number.
    pub id: Option<u32>,
    /// Its address on the server, as the server writes it.
    pub href: String,
}

/// All virtual switches of a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Switches(Vec<Switch>);

impl Switches {
    /// Reads the switches of a system.
    ///
    /// # Errors
    /// Those of the request.
    pub async fn read(session: &Session, system: &str) -> Result<Self> {
        let feed = session
            .get_feed(
                &format!("ManagedSystem/{system}/VirtualSwitch"),
                Groups::None,
            )
            .await?;
        Ok(Self(feed.entries.iter().map(Switch::read).collect()))
    }

    /// The switch of this name.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<&Switch> {
        self.0.iter().find(|switch| switch.name == name)
    }

    /// The switch with this number.
    #[must_use]
    pub fn numbered(&self, id: u32) -> Option<&Switch> {
        self.0.iter().find(|switch| switch.id == Some(id))
    }

    /// The switch that shared Ethernet adapters bridge.
    ///
    /// # Errors
    /// There is none.
    pub fn bridged(&self) -> Result<&Switch> {
        self.named(DEFAULT).ok_or_else(|| {
            let names = self
                .0
                .iter()
                .map(|switch| switch.name.as_str())
                .collect::<Vec<_>>()
                .join(", ");
            Error::operation(
                ErrorKind::Precondition,
                format!("the host has no virtual switch '{DEFAULT}', only: {names}"),
                "create it, or have the host's default switch restored",
            )
        })
    }
}

impl Switch {
    fn read(entry: &Entry) -> Self {
        let switch = VirtualSwitch(&entry.content);
        let name = switch.name().unwrap_or_default();
        Self {
            name: name.strip_suffix("(Default)").unwrap_or(name).to_owned(),
            id: switch.id().ok().flatten(),
            href: entry.self_href().unwrap_or_default().to_owned(),
        }
    }

    /// The address without its query, as other documents refer to the switch.
    #[must_use]
    pub fn plain_href(&self) -> &str {
        self.href.split('?').next().unwrap_or_default()
    }
}
