//! The resource types that URLs may name, and where each may stand.

use super::target::Service;

/// Declares [`Kind`] as a table: variant, name on the wire, service, whether it may be the root, its parents.
macro_rules! kinds {
    ($($variant:ident = $name:literal, $service:ident, root: $root:literal, under: [$($parent:ident),*];)*) => {
        /// A resource type of the REST API, spelled as in URLs. Names are exact, case included.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Kind {
            $(
                #[doc = concat!("`", $name, "`")]
                $variant,
            )*
        }

        impl Kind {
            /// The type with this name, if the simulator serves it.
            #[must_use]
            pub fn parse(name: &str) -> Option<Self> {
                match name {
                    $($name => Some(Self::$variant),)*
                    _ => None,
                }
            }

            /// The name as URLs, `title` elements and media types spell it.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }

            /// The service under which the type is found.
            #[must_use]
            pub const fn service(self) -> Service {
                match self {
                    $(Self::$variant => Service::$service,)*
                }
            }

            /// Whether `/rest/api/<service>/<type>` exists.
            #[must_use]
            pub const fn is_root(self) -> bool {
                match self {
                    $(Self::$variant => $root,)*
                }
            }

            /// The types that may stand directly before this one in a path.
            #[must_use]
            pub const fn parents(self) -> &'static [Kind] {
                match self {
                    $(Self::$variant => &[$(Kind::$parent),*],)*
                }
            }
        }
    };
}

kinds! {
    ManagementConsole = "ManagementConsole", Uom, root: true, under: [];
    ManagedSystem = "ManagedSystem", Uom, root: true, under: [ManagementConsole];
    LogicalPartition = "LogicalPartition", Uom, root: true, under: [ManagedSystem];
    VirtualIoServer = "VirtualIOServer", Uom, root: true, under: [ManagedSystem];
    VolumeGroup = "VolumeGroup", Uom, root: false, under: [VirtualIoServer];
    VirtualScsiBus = "VirtualSCSIBus", Uom, root: false, under: [VirtualIoServer];
    VirtualScsiClientAdapter = "VirtualSCSIClientAdapter", Uom, root: false, under: [LogicalPartition];
    VirtualFibreChannelClientAdapter = "VirtualFibreChannelClientAdapter", Uom, root: false, under: [LogicalPartition];
    ClientNetworkAdapter = "ClientNetworkAdapter", Uom, root: false, under: [LogicalPartition, VirtualIoServer];
    VirtualSwitch = "VirtualSwitch", Uom, root: false, under: [ManagedSystem];
    VirtualNetwork = "VirtualNetwork", Uom, root: false, under: [ManagedSystem];
    LogicalPartitionProfile = "LogicalPartitionProfile", Uom, root: false, under: [LogicalPartition, VirtualIoServer];
    SharedProcessorPool = "SharedProcessorPool", Uom, root: false, under: [ManagedSystem];
    SharedMemoryPool = "SharedMemoryPool", Uom, root: false, under: [ManagedSystem];
    VirtualSerialNumber = "VirtualSerialNumberInformation", Uom, root: false, under: [ManagedSystem];
    Group = "Group", Uom, root: true, under: [ManagedSystem, LogicalPartition, VirtualIoServer];
    PowerEnterprisePool = "PowerEnterprisePool", Uom, root: true, under: [];
    PowerEnterprisePoolMember = "PowerEnterprisePoolMember", Uom, root: false, under: [PowerEnterprisePool];
    PartitionTemplate = "PartitionTemplate", Templates, root: true, under: [];
    NetworkBridge = "NetworkBridge", Uom, root: false, under: [ManagedSystem];
    SriovEthernetLogicalPort = "SRIOVEthernetLogicalPort", Uom, root: false, under: [LogicalPartition, VirtualIoServer];
    VirtualNicDedicated = "VirtualNICDedicated", Uom, root: false, under: [LogicalPartition];
    Cluster = "Cluster", Uom, root: true, under: [];
    SharedStoragePool = "SharedStoragePool", Uom, root: true, under: [Cluster];
    Tier = "Tier", Uom, root: true, under: [SharedStoragePool];
    LogicalUnit = "LogicalUnit", Uom, root: false, under: [Tier, SharedStoragePool];
    Event = "Event", Uom, root: true, under: [];
    File = "File", Web, root: true, under: [];
}
