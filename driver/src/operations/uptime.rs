//! How long the host has been up, and how fast its processors run.

use powervm_schema::atom::Entry;
use powervm_schema::partition::LogicalPartition;
use serde::Serialize;

use super::driver::Driver;
use super::list::is_management;
use crate::devices::Machine;
use crate::error::{Error, ErrorKind, Result};
use crate::host::Vios;
use crate::rest::{Flavor, Groups};

/// How long the host has been up at least. No server tells it of the hypervisor itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Uptime {
    /// Seconds.
    pub seconds: u64,
    /// What has been up for so long: this machine, or the Virtual I/O Server that has been up longest.
    pub of: String,
    /// The same in words: `up 3 days, 4:05`.
    pub text: String,
}

impl Driver {
    /// How long the host has been up: its management partition, where this program runs on it, as the drivers for
    /// OpenStack tell it; or else the Virtual I/O Server that has been up longest.
    ///
    /// # Errors
    /// No Virtual I/O Server tells; those of the request.
    pub async fn uptime(&self) -> Result<Uptime> {
        self.uptime_beside(&Machine::default()).await
    }

    /// As [`Driver::uptime`], on this machine.
    ///
    /// # Errors
    /// As [`Driver::uptime`].
    pub async fn uptime_beside(&self, machine: &Machine) -> Result<Uptime> {
        if let Some(seconds) = machine.uptime()
            && self.is_on(machine).await?
        {
            return Ok(Uptime::of("this machine", seconds));
        }
        let servers = Vios::all(self.session(), &self.shared.system.uuid).await?;
        let up = servers.iter().filter(|vios| vios.uptime > 0);
        let oldest = up.max_by_key(|vios| vios.uptime).ok_or_else(|| {
            Error::operation(
                ErrorKind::Precondition,
                "no Virtual I/O Server tells how long it has been up",
                "see with `powervm doctor` whether one of them runs",
            )
        })?;
        Ok(Uptime::of(&oldest.name, oldest.uptime))
    }

    /// How fast the host's processors run, in MHz; none elsewhere than on its management partition, since no server
    /// tells.
    ///
    /// # Errors
    /// Those of the request.
    pub async fn clock_mhz_beside(&self, machine: &Machine) -> Result<Option<u32>> {
        let clock = machine.clock_mhz();
        Ok(if clock.is_some() && self.is_on(machine).await? {
            clock
        } else {
            None
        })
    }

    /// Whether this machine is the management partition of the NovaLink that the session is with.
    async fn is_on(&self, machine: &Machine) -> Result<bool> {
        let Some(id) = machine.partition_id() else {
            return Ok(false);
        };
        let session = self.session();
        if session.flavor() != Flavor::NovaLink || !session.endpoint().is_loopback() {
            return Ok(false);
        }
        let path = format!("ManagedSystem/{}/LogicalPartition", self.shared.system.uuid);
        let feed = session.get_feed(&path, Groups::None).await?;
        let number = |entry: &Entry| {
            LogicalPartition(&entry.content)
                .partition()
                .id()
                .ok()
                .flatten()
        };
        let mut management = feed.entries.iter().filter(|entry| is_management(entry));
        Ok(management.any(|entry| number(entry) == Some(id)))
    }
}

impl Uptime {
    fn of(what: &str, seconds: u64) -> Self {
        let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
        let text = match days {
            0 => format!("up {hours}:{minutes:02}"),
            1 => format!("up 1 day, {hours}:{minutes:02}"),
            days => format!("up {days} days, {hours}:{minutes:02}"),
        };
        Self {
            seconds,
            of: what.to_owned(),
            text,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uptimes_read_as_people_know_them() {
        for (seconds, text) in [
            (59, "up 0:00"),
            (3_900, "up 1:05"),
            (90_000, "up 1 day, 1:00"),
            (273_900, "up 3 days, 4:05"),
        ] {
            assert_eq!(Uptime::of("vios1", seconds).text, text);
        }
    }
}
