//! What kinds of request there are, as far as their duration goes.

use http::Method;

use crate::http::{Action, Group, Kind, Target};

/// Declares [`Class`]: variant, name in weather files and counters, median and 95th percentile in milliseconds.
macro_rules! classes {
    ($($(#[doc = $doc:literal])* $variant:ident = $name:literal, $median:literal, $p95:literal;)*) => {
        /// A latency class. The durations are those of `docs/decisions/weather.md`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Class {
            $($(#[doc = $doc])* $variant,)*
        }

        impl Class {
            /// Every class, in declaration order.
            pub const EVERY: &'static [Self] = &[$(Self::$variant),*];

            /// The name in weather files, counters and logs.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }

            /// Median and 95th percentile of a real server, in milliseconds.
            #[must_use]
            pub const fn measured(self) -> (u32, u32) {
                match self {
                    $(Self::$variant => ($median, $p95),)*
                }
            }
        }
    };
}

classes! {
    /// Password or token-file logon.
    Logon = "logon", 560, 650;
    /// Logoff.
    Logoff = "logoff", 180, 240;
    /// A quick property or object, without a call to a Virtual I/O Server.
    Quick = "quick", 45, 150;
    /// An entry or a small feed that is answered from the server's own memory.
    Entry = "entry", 100, 400;
    /// A feed of partitions, before the 12 ms that each partition adds.
    PartitionFeed = "partition_feed", 100, 200;
    /// Switches, virtual networks, bridges, adapters.
    NetworkRead = "network_read", 90, 200;
    /// A whole system with its network and I/O.
    SystemRead = "system_read", 1000, 1500;
    /// What is asked of one Virtual I/O Server live.
    ViosRead = "vios_read", 1300, 3000;
    /// Cluster, pool, tier, logical units.
    PoolRead = "pool_read", 1200, 2400;
    /// A change of one Virtual I/O Server's mappings, storage or media: one at a time.
    ViosWrite = "vios_write", 5000, 30_000;
    /// Creation of a partition.
    PartitionCreate = "partition_create", 2000, 8000;
    /// Change of a partition.
    PartitionUpdate = "partition_update", 2000, 8000;
    /// Deletion of a partition.
    PartitionDelete = "partition_delete", 2000, 8000;
    /// Change of a virtual network interface, a virtual network or a bridge.
    NetworkWrite = "network_write", 1000, 4000;
    /// Creation, clone or deletion of a logical unit, and other changes of a pool.
    PoolWrite = "pool_write", 2200, 20_000;
    /// Submission of a job, its template and its deletion.
    JobSubmit = "job_submit", 100, 300;
    /// A look at a job.
    JobPoll = "job_poll", 50, 300;
    /// Creation and deletion of a File.
    FileControl = "file_control", 100, 300;
    /// The bytes of a file; their number decides, not this latency.
    FileContents = "file_contents", 20, 60;
    /// The event queue; waiting is up to the events.
    Event = "event", 0, 0;
}

impl Class {
    /// The class of a request.
    #[must_use]
    pub fn of(method: &Method, target: &Target) -> Self {
        let write = method != Method::GET;
        match (&target.action, target.kind()) {
            (Action::Logon, _) if method == Method::DELETE => Self::Logoff,
            (Action::Logon, _) => Self::Logon,
            (Action::Quick | Action::QuickAll | Action::QuickProperty(_), _) => Self::Quick,
            (Action::Operation(_) | Action::CancelJob(_), _) => Self::JobSubmit,
            (Action::Job(_) | Action::Jobs, _) if write => Self::JobSubmit,
            (Action::Job(_) | Action::Jobs, _) => Self::JobPoll,
            (Action::FileContents(_), _) => Self::FileContents,
            (_, Some(kind)) if write => Self::of_write(method, kind),
            (_, Some(kind)) => Self::of_read(kind, target),
            (_, None) => Self::Entry,
        }
    }

    fn of_write(method: &Method, kind: Kind) -> Self {
        match kind {
            Kind::VirtualIoServer | Kind::VolumeGroup | Kind::VirtualScsiBus => Self::ViosWrite,
            Kind::LogicalPartition if method == Method::PUT => Self::PartitionCreate,
            Kind::LogicalPartition if method == Method::DELETE => Self::PartitionDelete,
            Kind::LogicalPartition => Self::PartitionUpdate,
            Kind::ClientNetworkAdapter
            | Kind::VirtualSwitch
            | Kind::VirtualNetwork
            | Kind::NetworkBridge
            | Kind::SriovEthernetLogicalPort
            | Kind::VirtualNicDedicated => Self::NetworkWrite,
            Kind::Cluster | Kind::SharedStoragePool | Kind::Tier | Kind::LogicalUnit => {
                Self::PoolWrite
            }
            Kind::File => Self::FileControl,
            Kind::Event => Self::Event,
            _ => Self::Entry,
        }
    }

    fn of_read(kind: Kind, target: &Target) -> Self {
        let live = [
            Group::ViosStorage,
            Group::ViosScsiMapping,
            Group::ViosFcMapping,
            Group::ViosNetwork,
        ];
        match kind {
            Kind::VirtualIoServer if live.iter().any(|group| target.groups.contains(*group)) => {
                Self::ViosRead
            }
            Kind::VolumeGroup | Kind::VirtualScsiBus => Self::ViosRead,
            Kind::VirtualScsiClientAdapter | Kind::VirtualFibreChannelClientAdapter => {
                Self::NetworkRead
            }
            Kind::LogicalPartition if !target.is_entry() => Self::PartitionFeed,
            Kind::ManagedSystem => Self::SystemRead,
            Kind::ClientNetworkAdapter
            | Kind::VirtualSwitch
            | Kind::VirtualNetwork
            | Kind::NetworkBridge
            | Kind::SriovEthernetLogicalPort
            | Kind::VirtualNicDedicated => Self::NetworkRead,
            Kind::Cluster | Kind::SharedStoragePool | Kind::Tier | Kind::LogicalUnit => {
                Self::PoolRead
            }
            Kind::File => Self::FileControl,
            Kind::Event => Self::Event,
            _ => Self::Entry,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn class(method: &Method, url: &str) -> Class {
        let (path, query) = url
            .split_once('?')
            .map_or((url, None), |(path, query)| (path, Some(query)));
        Class::of(method, &Target::parse(path, query).unwrap())
    }

    #[test]
    fn live_groups_make_a_server_slow() {
        assert_eq!(
            class(&Method::GET, "/rest/api/uom/VirtualIOServer?group=None"),
            Class::Entry
        );
        assert_eq!(
            class(
                &Method::GET,
                "/rest/api/uom/VirtualIOServer?group=ViosStorage"
            ),
            Class::ViosRead
        );
        assert_eq!(
            class(&Method::GET, "/rest/api/uom/VirtualIOServer"),
            Class::ViosRead
        );
    }

    #[test]
    fn writes_and_jobs() {
        assert_eq!(
            class(&Method::PUT, "/rest/api/uom/LogicalPartition"),
            Class::PartitionCreate
        );
        assert_eq!(
            class(&Method::PUT, "/rest/api/uom/ManagementConsole/do/CLIRunner"),
            Class::JobSubmit
        );
        assert_eq!(class(&Method::GET, "/rest/api/uom/jobs/7"), Class::JobPoll);
        assert_eq!(class(&Method::DELETE, "/rest/api/web/Logon"), Class::Logoff);
    }
}
