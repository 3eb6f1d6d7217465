//! The enumerations of partitions, spelled as on the wire.

use crate::view::spelled;

spelled! {
    /// What a partition is doing. Lower case with spaces, but for `Unknown`.
    pub enum PartitionState {
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

spelled! {
    /// The connection between the console and the partition's operating system.
    pub enum RmcState {
        /// Dynamic changes and an orderly shutdown work.
        Active = "active",
        /// Known but down.
        Inactive = "inactive",
        /// No operating system that has one.
        None = "none",
        Unknown = "unknown",
        Busy = "busy",
    }
}

spelled! {
    /// What kind of operating system a partition is for.
    pub enum PartitionType {
        AixLinux = "AIX/Linux",
        /// IBM i.
        Os400 = "OS400",
        VirtualIoServer = "Virtual IO Server",
        Unknown = "Unknown",
    }
}

spelled! {
    /// How a partition shares processors; the spellings, mistakes included, are the server's.
    pub enum SharingMode {
        Capped = "capped",
        Uncapped = "uncapped",
        /// Dedicated, shared while the partition is off.
        ShareIdle = "sre idle proces",
        /// Dedicated, shared while the partition is active.
        ShareIdleActive = "sre idle procs active",
        /// Dedicated, always shared when idle.
        ShareIdleAlways = "sre idle procs always",
        /// Dedicated, never shared.
        KeepIdle = "keep idle procs",
        Unknown = "Unknown",
    }
}

spelled! {
    /// Where a partition stops on its way up.
    pub enum BootMode {
        Normal = "Normal",
        SystemManagementServices = "System_Management_Services",
        DiagnosticWithDefaultBootList = "Diagnostic_With_Default_Boot_List",
        DiagnosticWithStoredBootList = "Diagnostic_With_Stored_Boot_List",
        OpenFirmware = "Open_Firmware",
        Petitboot = "Petitboot",
        Unavailable = "Unavailable",
        Default = "Default",
        Unknown = "Unknown",
    }
}

spelled! {
    /// The keylock. Jobs spell `normal` as `norm`.
    pub enum KeylockPosition {
        Manual = "manual",
        Normal = "normal",
        Unknown = "unknown",
    }
}

spelled! {
    /// Whether changes of the partition go to its profile.
    pub enum ProfileSync {
        On = "On",
        Off = "Off",
        Disabled = "Disabled",
        Suspended = "Suspended",
        Unknown = "Unknown",
    }
}

spelled! {
    /// How far a migration is.
    pub enum MigrationState {
        NotMigrating = "Not_Migrating",
        Starting = "Migration_Starting",
        Waiting = "Migration_Waiting",
        DispatchInProgress = "Migration_Dispatch_In_Progress",
        Dispatched = "Migration_Dispatched",
        WaitingForRetry = "Migration_Waiting_For_Retry",
        Stopped = "Migration_Stopped",
        InProgress = "Migration_In_Progress",
        Failed = "Migration_Failed",
        Complete = "Migration_Complete",
    }
}

spelled! {
    /// Whether a partition can be started elsewhere when its host is gone.
    pub enum RemoteRestartState {
        Invalid = "Invalid",
        RemoteRestartable = "Remote_Restartable",
        SourceRemoteRestarting = "Source_Remote_Restarting",
        DestinationRemoteRestarting = "Destination_Remote_Restarting",
        RemoteRestarted = "Remote_Restarted",
        PartialUpdate = "Partial_Update",
        StaleData = "Stale_Data",
        LocalDataValid = "Local_Data_Valid",
        LocalDataInvalid = "Local_Data_Invalid",
        OutOfSpace = "Out_Of_Space",
    }
}
