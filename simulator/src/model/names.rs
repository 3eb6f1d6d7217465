//! The enumerations of the wire, each value with the exact text that a real server writes.
//!
//! Odd spellings are the product's own and kept on purpose (`docs/protocol/partitions.md`).

/// Declares an enumeration whose variants carry their text on the wire.
macro_rules! wire_names {
    ($(#[$meta:meta])* $name:ident { $($variant:ident = $text:literal,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $(
                #[doc = concat!("`", $text, "`")]
                $variant,
            )*
        }

        impl $name {
            /// Every value, in declaration order.
            pub const EVERY: &'static [Self] = &[$(Self::$variant),*];

            /// The text on the wire.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)*
                }
            }

            /// The value with this exact text, or nothing if there is none.
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                match text {
                    $($text => Some(Self::$variant),)*
                    _ => None,
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'_, str>>::deserialize(deserializer)?;
                Self::parse(&text).ok_or_else(|| {
                    serde::de::Error::custom(format!(
                        "there is no {} {text:?}",
                        stringify!($name)
                    ))
                })
            }
        }
    };
}

wire_names! {
    /// Which product answers.
    Flavor {
        Hmc = "hmc",
        NovaLink = "novalink",
    }
}

wire_names! {
    /// `PartitionType`.
    PartitionKind {
        AixLinux = "AIX/Linux",
        IbmI = "OS400",
        VirtualIoServer = "Virtual IO Server",
    }
}

wire_names! {
    /// `PartitionState`, in lower case with spaces as REST has it.
    PartitionState {
        Error = "error",
        NotActivated = "not activated",
        NotAvailable = "not available",
        OpenFirmware = "open firmware",
        Running = "running",
        ShuttingDown = "shutting down",
        Starting = "starting",
        MigratingNotActive = "migrating not active",
        MigratingRunning = "migrating running",
        HardwareDiscovery = "hardware discovery",
        Suspended = "suspended",
        Suspending = "suspending",
        Resuming = "resuming",
        Unknown = "Unknown",
    }
}

wire_names! {
    /// `ResourceMonitoringControlState`.
    RmcState {
        Active = "active",
        Inactive = "inactive",
        None = "none",
        Unknown = "unknown",
        Busy = "busy",
    }
}

wire_names! {
    /// `SharingMode` of processors.
    SharingMode {
        Capped = "capped",
        Uncapped = "uncapped",
        SharedIdle = "sre idle proces",
        SharedIdleWhileActive = "sre idle procs active",
        SharedIdleAlways = "sre idle procs always",
        KeepIdle = "keep idle procs",
    }
}

wire_names! {
    /// Processor compatibility modes.
    CompatibilityMode {
        Default = "default",
        Power6 = "POWER6",
        Power6Plus = "POWER6_Plus",
        Power7 = "POWER7",
        Power7Plus = "POWER7_Plus",
        Power8 = "POWER8",
        Power9Base = "POWER9_Base",
        Power9 = "POWER9",
        Power10 = "POWER10",
        Power11 = "POWER11",
    }
}

wire_names! {
    /// `KeylockPosition`.
    Keylock {
        Manual = "manual",
        Normal = "normal",
        Unknown = "unknown",
    }
}

wire_names! {
    /// `BootMode`.
    BootMode {
        Normal = "Normal",
        SystemManagementServices = "System_Management_Services",
        DiagnosticDefault = "Diagnostic_With_Default_Boot_List",
        DiagnosticStored = "Diagnostic_With_Stored_Boot_List",
        OpenFirmware = "Open_Firmware",
        Petitboot = "Petitboot",
        Unavailable = "Unavailable",
        Default = "Default",
        Unknown = "Unknown",
    }
}

wire_names! {
    /// `CurrentProfileSync`.
    ProfileSync {
        On = "On",
        Off = "Off",
        Disabled = "Disabled",
        Suspended = "Suspended",
    }
}

wire_names! {
    /// `MigrationState`.
    MigrationState {
        NotMigrating = "Not_Migrating",
        Starting = "Migration_Starting",
        InProgress = "Migration_In_Progress",
        Failed = "Migration_Failed",
        Complete = "Migration_Complete",
    }
}

wire_names! {
    /// `State` of a managed system.
    SystemState {
        Operating = "operating",
        Standby = "standby",
        PowerOff = "power off",
        Error = "error",
        NoConnection = "no connection",
        Recovery = "recovery",
        Incomplete = "incomplete",
    }
}

wire_names! {
    /// `ProgressState` of a partition that is being suspended or resumed.
    ProgressState {
        HibernateValidating = "Hibernate Validating",
        HibernatePreparing = "Hibernate Preparing",
        HibernateSavingHmcData = "Hibernate Saving HMC Data",
        HibernateSavingPartitionData = "Hibernate Saving Partition Data",
        HibernateCompleting = "Hibernate Completing",
        ResumeValidating = "Resume Validating",
        ResumePreparing = "Resume Preparing",
        ResumeReadingHmcData = "Resume Reading HMC Data",
        ResumeReadingPartitionData = "Resume Reading Partition Data",
        ResumeRestoringPartitionData = "Resume Restoring Partition Data",
        ResumeCompleting = "Resume Completing",
    }
}

wire_names! {
    /// `LogicalUnitType`.
    LogicalUnitKind {
        Disk = "VirtualIO_Disk",
        Image = "VirtualIO_Image",
        Hibernation = "VirtualIO_Hibernation",
        ActiveMemorySharing = "VirtualIO_Active_Memory_Sharing",
    }
}

wire_names! {
    /// `MountType` of a virtual optical medium.
    MountType {
        ReadWrite = "rw",
        ReadOnly = "ro",
    }
}

wire_names! {
    /// `SwitchMode` of a virtual switch.
    SwitchMode {
        Veb = "Veb",
        Vepa = "Vepa",
    }
}

wire_names! {
    /// `HighAvailabilityMode` of a shared Ethernet adapter.
    HighAvailability {
        Failover = "auto",
        LoadSharing = "sharing",
        Disabled = "disabled",
    }
}

wire_names! {
    /// `AdapterMode` of an SR-IOV adapter.
    SriovMode {
        Sriov = "Sriov",
        Dedicated = "Dedicated",
        ForceDedicated = "ForceDedicated",
        Unknown = "unknown",
    }
}

wire_names! {
    /// `AdapterState` of an SR-IOV adapter.
    SriovState {
        Initializing = "Initializing",
        NotConfigured = "NotConfigured",
        PoweredOff = "PoweredOff",
        PoweringOff = "PoweringOff",
        Running = "Running",
        Dumping = "Dumping",
        Failed = "Failed",
        Missing = "Missing",
        Mismatch = "PCIEIDMismatch",
    }
}

wire_names! {
    /// `Personality` of an SR-IOV adapter.
    SriovPersonality {
        NoQos = "NO_QOS",
        MinCapacity = "MIN_CAPACITY",
        MaxMinCapacity = "MAX_MIN_CAPACITY",
        Unknown = "UNKNOWN",
    }
}

wire_names! {
    /// `PortType` of a physical port of an SR-IOV adapter.
    SriovPortKind {
        Converged = "Cna",
        Ethernet = "Ethernet",
        Roce = "RoCE",
    }
}

wire_names! {
    /// The speed of a physical port of an SR-IOV adapter.
    SriovSpeed {
        E10Mbps = "E10Mbps",
        E100Mbps = "E100Mbps",
        E1Gbps = "E1Gbps",
        E10Gbps = "E10Gbps",
        E40Gbps = "E40Gbps",
        E100Gbps = "E100Gbps",
        Auto = "Auto",
        Unknown = "Unknown",
    }
}

wire_names! {
    /// `VNICPortUsage` of a logical port.
    LogicalPortUsage {
        NotVnic = "NOT_VNIC",
        DedicatedVnic = "DEDICATED_VNIC",
        SharedVnic = "SHARED_VNIC",
    }
}

wire_names! {
    /// `Status` of a backing device of a virtual NIC.
    BackingState {
        Operational = "OPERATIONAL",
        PoweredOff = "POWERED_OFF",
        LinkDown = "LINK_DOWN",
        NetworkError = "NETWORK_ERROR",
        Unresponsive = "UNRESPONSIVE",
        AdapterError = "ADAPTER_ERROR",
        Unknown = "UNKNOWN",
    }
}

wire_names! {
    /// `ReservePolicy` of a physical volume.
    ReservePolicy {
        NoReserve = "NoReserve",
        SinglePath = "SinglePath",
        ClusterReserve = "ClusterReserve",
        ExclusivePersistent = "ExclusivePersistent",
        SharedPersistent = "SharedPersistent",
        Scsi2 = "SCSI-2",
    }
}

wire_names! {
    /// `VolumeState` of a physical volume.
    VolumeState {
        Active = "active",
        Missing = "missing",
        Removed = "removed",
        VariedOff = "varied off",
    }
}

wire_names! {
    /// `VirtualDiskType`.
    VirtualDiskKind {
        LogicalVolume = "LogicalVolume",
        File = "File",
        Rbd = "RBD",
    }
}

wire_names! {
    /// `EncryptionState` of a disk.
    EncryptionState {
        Unencrypted = "Unencrypted",
        Formatted = "Formatted",
        Unlocked = "Unlocked",
    }
}

wire_names! {
    /// `BackStoreType` of a virtual disk that is no logical volume.
    BackStoreType {
        FileIo = "fileio",
        UserQcow = "user:qcow",
        Loop = "loop",
        UserRbd = "user:rbd",
    }
}

wire_names! {
    /// `FileEnumType`.
    FileKind {
        BrokeredMediaIso = "BROKERED_MEDIA_ISO",
        BrokeredDiskImage = "BROKERED_DISK_IMAGE",
    }
}

wire_names! {
    /// `Status` of a job. Clients poll while it is one of the first two.
    JobStatus {
        NotStarted = "NOT_STARTED",
        Running = "RUNNING",
        CompletedOk = "COMPLETED_OK",
        CompletedWithWarnings = "COMPLETED_WITH_WARNINGS",
        CompletedWithError = "COMPLETED_WITH_ERROR",
        FailedBeforeCompletion = "FAILED_BEFORE_COMPLETION",
        CanceledBeforeStart = "CANCELED_BEFORE_START",
        CanceledWhileRunning = "CANCELED_WHILE_RUNNING",
    }
}

wire_names! {
    /// `EventType`.
    EventKind {
        InvalidUri = "INVALID_URI",
        CacheCleared = "CACHE_CLEARED",
        MissingEvents = "MISSING_EVENTS",
        AddUri = "ADD_URI",
        ModifyUri = "MODIFY_URI",
        DeleteUri = "DELETE_URI",
        NewClient = "NEW_CLIENT",
        HiddenUri = "HIDDEN_URI",
        VisibleUri = "VISIBLE_URI",
        CustomClientEvent = "CUSTOM_CLIENT_EVENT",
    }
}

impl PartitionState {
    /// Whether the hypervisor holds memory and processors for a partition in this state.
    #[must_use]
    pub const fn holds_resources(self) -> bool {
        !matches!(
            self,
            Self::NotActivated
                | Self::NotAvailable
                | Self::Unknown
                | Self::MigratingNotActive
                | Self::Suspended
        )
    }

    /// Whether a migration, a suspension or a resumption has the partition in hand, so that nothing else may be done.
    #[must_use]
    pub const fn is_in_hand(self) -> bool {
        matches!(
            self,
            Self::MigratingRunning
                | Self::MigratingNotActive
                | Self::Suspending
                | Self::Suspended
                | Self::Resuming
        )
    }
}

impl RmcState {
    /// Whether dynamic changes reach the operating system: `active`, or `busy` with another one.
    #[must_use]
    pub const fn is_up(self) -> bool {
        matches!(self, Self::Active | Self::Busy)
    }
}

impl SharingMode {
    /// Whether the mode belongs to shared processors.
    #[must_use]
    pub const fn is_shared(self) -> bool {
        matches!(self, Self::Capped | Self::Uncapped)
    }
}

impl JobStatus {
    /// Whether the job has come to its end, so that it may be deleted.
    #[must_use]
    pub const fn is_final(self) -> bool {
        !matches!(self, Self::NotStarted | Self::Running)
    }
}
