//! Names of resources, as URLs and events have them.

use uuid::Uuid;

/// The partition that owns a child resource such as a network adapter.
#[derive(
    serde::Serialize, serde::Deserialize, Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash,
)]
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
#[derive(
    serde::Serialize, serde::Deserialize, Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash,
)]
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
    /// `VirtualIOServer/{vios}/VirtualSCSIBus/{uuid}`
    VirtualScsiBus {
        /// The owning Virtual I/O Server.
        vios: Uuid,
        /// The slot of the server adapter; the UUID is made from it.
        slot: u16,
    },
    /// `LogicalPartition/{partition}/VirtualSCSIClientAdapter/{uuid}`
    VirtualScsiClientAdapter {
        /// The owning partition.
        partition: Uuid,
        /// Its slot; the UUID is made from it.
        slot: u16,
    },
    /// `LogicalPartition/{partition}/VirtualFibreChannelClientAdapter/{uuid}`
    VirtualFibreChannelClientAdapter {
        /// The owning partition.
        partition: Uuid,
        /// Its slot; the UUID is made from it.
        slot: u16,
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
    /// `{owner}/LogicalPartitionProfile/{profile}`
    LogicalPartitionProfile {
        /// The owning partition.
        owner: Owner,
        /// The profile.
        profile: Uuid,
    },
    /// `ManagedSystem/{system}/SharedProcessorPool/{pool}`
    SharedProcessorPool {
        /// The managed system.
        system: Uuid,
        /// The pool.
        pool: Uuid,
    },
    /// `ManagedSystem/{system}/SharedMemoryPool/{pool}`
    SharedMemoryPool {
        /// The managed system.
        system: Uuid,
        /// The pool.
        pool: Uuid,
    },
    /// `ManagedSystem/{system}/VirtualSerialNumberInformation/{number}`
    VirtualSerialNumber {
        /// The managed system.
        system: Uuid,
        /// The number's UUID.
        number: Uuid,
    },
    /// `Group/{0}`
    Group(Uuid),
    /// `PowerEnterprisePool/{0}`
    PowerEnterprisePool(Uuid),
    /// `PowerEnterprisePool/{pool}/PowerEnterprisePoolMember/{member}`
    PowerEnterprisePoolMember {
        /// The pool.
        pool: Uuid,
        /// The member.
        member: Uuid,
    },
    /// `PartitionTemplate/{0}` of the templates service
    PartitionTemplate(Uuid),
    /// `ManagedSystem/{0}/preferences` of the pcm service
    PcmPreference(Uuid),
    /// `ManagedSystem/{system}/NetworkBridge/{bridge}`
    NetworkBridge {
        /// The managed system.
        system: Uuid,
        /// The bridge.
        bridge: Uuid,
    },
    /// `{owner}/SRIOVEthernetLogicalPort/{port}`
    SriovEthernetLogicalPort {
        /// The owning partition.
        owner: Owner,
        /// The logical port.
        port: Uuid,
    },
    /// `LogicalPartition/{partition}/VirtualNICDedicated/{vnic}`
    VirtualNic {
        /// The owning partition.
        partition: Uuid,
        /// The virtual NIC.
        vnic: Uuid,
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

/// The last UUID in a link, whatever stands around it: clients write links as root or as child URIs, with whatever host
/// they know the server by.
pub(crate) fn last_uuid(href: &str) -> Option<Uuid> {
    /// The length of a UUID's text.
    const LENGTH: usize = 36;
    let path = href.split(['?', '#']).next().unwrap_or_default();
    path.rsplit('/')
        .filter(|part| part.len() == LENGTH)
        .find_map(|part| Uuid::try_parse(part).ok())
}
