//! Names of resources, as URLs and events have them.

use uuid::Uuid;

/// The partition that owns a child resource such as a network adapter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Owner {
    /// A `LogicalPartition`.
    Partition(Uuid),
    /// A `VirtualIOServer`.
    Vios(Uuid),
}

impl Owner {
    /// The UUID of the partition.
    #[must_use]
    pub const fn uuid(self) -> Uuid {
        match self {
            Self::Partition(uuid) | Self::Vios(uuid) => uuid,
        }
    }
}

/// One resource of the world. It need not exist (any more).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Resource {
    /// `ManagementConsole/{0}`
    ManagementConsole(Uuid),
    /// `ManagedSystem/{0}`
    ManagedSystem(Uuid),
    /// `LogicalPartition/{0}`
    LogicalPartition(Uuid),
    /// `VirtualIOServer/{0}`
    VirtualIoServer(Uuid),
    /// `VirtualIOServer/{vios}/VolumeGroup/{group}`
    VolumeGroup {
        /// The owning Virtual I/O Server.
        vios: Uuid,
        /// The volume group.
        group: Uuid,
    },
    /// `{owner}/ClientNetworkAdapter/{adapter}`
    ClientNetworkAdapter {
        /// The owning partition.
        owner: Owner,
        /// The adapter.
        adapter: Uuid,
    },
    /// `ManagedSystem/{system}/VirtualSwitch/{switch}`
    VirtualSwitch {
        /// The managed system.
        system: Uuid,
        /// The switch.
        switch: Uuid,
    },
    /// `ManagedSystem/{system}/VirtualNetwork/{network}`
    VirtualNetwork {
        /// The managed system.
        system: Uuid,
        /// The network.
        network: Uuid,
    },
    /// `Cluster/{0}`
    Cluster(Uuid),
    /// `SharedStoragePool/{0}`
    SharedStoragePool(Uuid),
    /// `Tier/{0}`, also `SharedStoragePool/{pool}/Tier/{0}`
    Tier(Uuid),
    /// `Tier/{tier}/LogicalUnit/{unit}`
    LogicalUnit {
        /// The tier.
        tier: Uuid,
        /// The logical unit.
        unit: Uuid,
    },
    /// `File/{0}` of the web service
    File(Uuid),
    /// `jobs/{0}`
    Job(u64),
}
