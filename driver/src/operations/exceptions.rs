//! The exceptions of Nova that errors become: `docs/nova-exceptions.md` has the whole table.
//!
//! What Nova does next hangs on the exception: it tries another host, gives up, or puts an instance back to the state
//! that it had. So an exception that says "nothing has changed" is only given where nothing was left behind.

use super::migrate::{HERE, PREPARE, THERE};
use super::plug_events::PLUGGED;
use super::snapshot::{MAP, UNMAP};
use super::spawn::{NETWORK, PORTS, VOLUMES};
use crate::error::{Error, ErrorKind};

/// What Nova asked a compute driver for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum NovaMethod {
    /// `init_host`
    InitHost,
    /// `get_available_resource`, `update_provider_tree`, `get_host_uptime`, `list_instances` and other questions.
    Host,
    /// `get_info`, `get_diagnostics`: a question about an instance.
    Instance,
    /// `spawn`
    Spawn,
    /// `spawn` or `rebuild` of an instance whose disks are there already: evacuated, rebuilt, unshelved.
    Rebuild,
    /// `destroy`
    Destroy,
    /// `power_on`, and `resume_state_on_host_boot`
    PowerOn,
    /// `power_off`
    PowerOff,
    /// `reboot`, and `trigger_crash_dump`
    Reboot,
    /// `suspend`
    Suspend,
    /// `resume`
    Resume,
    /// `attach_volume`
    AttachVolume,
    /// `detach_volume`
    DetachVolume,
    /// `extend_volume`
    ExtendVolume,
    /// `plug_vifs`, `attach_interface`
    AttachInterface,
    /// `unplug_vifs`, `detach_interface`
    DetachInterface,
    /// `snapshot`
    Snapshot,
    /// `rescue`
    Rescue,
    /// `unrescue`
    Unrescue,
    /// `migrate_disk_and_power_off`, and a resize on the host that it is on.
    Resize,
    /// `finish_migration`
    FinishMigration,
    /// `confirm_migration`
    ConfirmMigration,
    /// `finish_revert_migration`
    RevertMigration,
    /// `check_can_live_migrate_destination`, `check_can_live_migrate_source`
    CheckLiveMigration,
    /// `pre_live_migration`
    PreLiveMigration,
    /// `live_migration`, `rollback_live_migration_at_destination`, and a live migration as a whole.
    LiveMigration,
    /// `live_migration_abort`
    AbortLiveMigration,
    /// `post_live_migration`, `post_live_migration_at_destination`
    PostLiveMigration,
    /// `get_vnc_console`
    Console,
    /// `cache_image`, `manage_image_cache`
    Images,
}

macro_rules! exceptions {
    ($($(#[doc = $doc:literal])+ $name:ident: $home:ident,)+) => {
        /// An exception that Nova understands. Those that Nova itself no longer has, the Python package defines.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum NovaException {
            $($(#[doc = $doc])+ $name,)+
        }

        impl NovaException {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name,)+];

            /// Name of its class.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$name => stringify!($name),)+
                }
            }

            /// Whether the class is one of `nova.exception`; otherwise the Python package has it, below `NovaException`.
            #[must_use]
            pub fn is_of_nova(self) -> bool {
                match self {
                    $(Self::$name => exceptions!(@ $home),)+
                }
            }
        }
    };
    (@ nova) => { true };
    (@ driver) => { false };
}

exceptions! {
    /// The build cannot work on any host: bad flavor, bad image.
    BuildAbortException: nova,
    /// This host has no room, another may have.
    ComputeResourcesUnavailable: nova,
    /// There is a partition of that identity already.
    InstanceExists: nova,
    /// There is no such partition on this host.
    InstanceNotFound: nova,
    /// The server was not deleted.
    InstanceTerminationFailure: nova,
    /// The server was not started.
    InstancePowerOnFailure: nova,
    /// The server was not stopped.
    InstancePowerOffFailure: nova,
    /// The server was not started again.
    InstanceRebootFailure: nova,
    /// The server was not suspended.
    InstanceSuspendFailure: nova,
    /// The server was not resumed.
    InstanceResumeFailure: nova,
    /// The server was not started from the rescue disk.
    InstanceRescueFailure: nova,
    /// The server was not started from its own disk.
    InstanceUnRescueFailure: nova,
    /// An interface could not be made because of the state that the server or the host is in.
    VirtualInterfaceCreateException: nova,
    /// An interface was not made.
    VirtualInterfacePlugException: nova,
    /// An interface was not removed.
    InterfaceDetachFailed: nova,
    /// The connection that Cinder gave is none that the host can have.
    InvalidVolume: nova,
    /// What is kept for the volume does not tell which disk it is.
    InvalidBDM: nova,
    /// A volume was not attached.
    VolumeAttachFailed: nova,
    /// A volume was not detached.
    VolumeDetachFailed: nova,
    /// A volume was not seen to have grown.
    VolumeExtendFailed: nova,
    /// Snapshots are not possible with this disk driver here.
    NotSupportedWithOption: nova,
    /// The boot disk was not mapped to the management partition.
    InstanceDiskMappingFailed: nova,
    /// The boot disk stayed on the management partition.
    DeviceDeletionException: nova,
    /// Nothing has changed: the instance goes back to the state that it had. Its inner exception is `ResizeError`.
    InstanceFaultRollback: nova,
    /// The server was not resized, and something of the attempt is left.
    ResizeError: nova,
    /// A cold migration was not finished, kept or taken back.
    MigrationError: nova,
    /// The server cannot move to that host; another may do.
    MigrationPreCheckError: nova,
    /// There is no migration to stop.
    InvalidMigrationState: nova,
    /// No console was opened.
    ConsoleTypeUnavailable: nova,
    /// The configuration makes no sense.
    InvalidConfiguration: nova,
    /// The REST API cannot be reached, or lets nobody in.
    HypervisorUnavailable: nova,
    /// No Virtual I/O Server works.
    ViosNotAvailable: driver,
    /// The live migration failed, and the server is where it was.
    LiveMigrationFailed: driver,
    /// The server has moved, and could not be looked at there.
    LiveMigrationVolume: driver,
    /// The disks that the server had cannot be had here.
    InvalidRebuild: driver,
    /// Anything else that the REST API refused.
    PowerVMAPIFailed: driver,
}

impl NovaException {
    /// What an [`InstanceFaultRollback`](Self::InstanceFaultRollback) wraps.
    #[must_use]
    pub fn inner(self) -> Option<Self> {
        (self == Self::InstanceFaultRollback).then_some(Self::ResizeError)
    }
}

/// The exception that an error of this method becomes; none for a [dry run](Error::DryRun), which is no failure.
#[must_use]
pub fn nova_exception(method: NovaMethod, error: &Error) -> Option<NovaException> {
    use NovaException as E;
    use NovaMethod as M;
    let kind = error.kind();
    if kind == ErrorKind::DryRun {
        return None;
    }
    let failed = |step: &str| error.failed_steps().contains(&step);
    let is_clean = error.left_behind().is_empty();
    let is_gone = is_instance_gone(error);
    Some(match method {
        // Nobody builds the instance again where it has vanished, and its partition is not what is asked for here.
        M::Spawn | M::Rebuild | M::AttachInterface if failed(PLUGGED) => {
            E::VirtualInterfaceCreateException
        }
        M::Spawn | M::Rebuild if failed(NETWORK) => plugged(kind),
        M::Spawn | M::Rebuild if failed(VOLUMES) || failed(PORTS) => E::VolumeAttachFailed,
        M::Rebuild if matches!(kind, ErrorKind::Precondition | ErrorKind::NotFound) => {
            E::InvalidRebuild
        }
        M::Spawn | M::Rebuild => built(kind),
        M::CheckLiveMigration | M::PreLiveMigration => E::MigrationPreCheckError,
        M::LiveMigration if failed(THERE) || failed(HERE) || failed(PREPARE) => {
            E::MigrationPreCheckError
        }
        M::PostLiveMigration => E::LiveMigrationVolume,
        M::InitHost | M::Host => asked_of_the_host(method, kind),
        M::AttachInterface => plugged(kind),
        // All others are about a partition that has to be there.
        M::Resize if is_gone && is_clean => E::InstanceFaultRollback,
        _ if is_gone => E::InstanceNotFound,
        M::Instance | M::Images => E::PowerVMAPIFailed,
        M::Destroy => E::InstanceTerminationFailure,
        M::PowerOn => E::InstancePowerOnFailure,
        M::PowerOff => E::InstancePowerOffFailure,
        M::Reboot => E::InstanceRebootFailure,
        M::Suspend => E::InstanceSuspendFailure,
        M::Resume => E::InstanceResumeFailure,
        M::AttachVolume if kind == ErrorKind::Invalid => E::InvalidVolume,
        M::AttachVolume => E::VolumeAttachFailed,
        M::DetachVolume => E::VolumeDetachFailed,
        M::ExtendVolume if kind == ErrorKind::Invalid => E::InvalidBDM,
        M::ExtendVolume => E::VolumeExtendFailed,
        M::DetachInterface => E::InterfaceDetachFailed,
        M::Snapshot if failed(MAP) => E::InstanceDiskMappingFailed,
        M::Snapshot if failed(UNMAP) || !is_clean => E::DeviceDeletionException,
        M::Snapshot if kind == ErrorKind::Precondition => E::NotSupportedWithOption,
        M::Snapshot => E::PowerVMAPIFailed,
        M::Rescue => E::InstanceRescueFailure,
        M::Unrescue => E::InstanceUnRescueFailure,
        M::Resize if is_clean => E::InstanceFaultRollback,
        M::Resize => E::ResizeError,
        M::FinishMigration | M::ConfirmMigration | M::RevertMigration => E::MigrationError,
        M::LiveMigration => E::LiveMigrationFailed,
        M::AbortLiveMigration if kind == ErrorKind::Precondition => E::InvalidMigrationState,
        M::AbortLiveMigration => E::LiveMigrationFailed,
        M::Console => E::ConsoleTypeUnavailable,
    })
}

fn built(kind: ErrorKind) -> NovaException {
    match kind {
        // No other host could do it either, and nobody wants a cancelled one elsewhere.
        ErrorKind::Invalid | ErrorKind::Cancelled => NovaException::BuildAbortException,
        ErrorKind::NoSpace => NovaException::ComputeResourcesUnavailable,
        ErrorKind::Exists => NovaException::InstanceExists,
        _ => NovaException::PowerVMAPIFailed,
    }
}

fn plugged(kind: ErrorKind) -> NovaException {
    match kind {
        ErrorKind::Precondition | ErrorKind::TimedOut => {
            NovaException::VirtualInterfaceCreateException
        }
        _ => NovaException::VirtualInterfacePlugException,
    }
}

fn asked_of_the_host(method: NovaMethod, kind: ErrorKind) -> NovaException {
    match kind {
        ErrorKind::Invalid => NovaException::InvalidConfiguration,
        ErrorKind::Precondition if method == NovaMethod::InitHost => {
            NovaException::ViosNotAvailable
        }
        ErrorKind::Unreachable
        | ErrorKind::Interrupted
        | ErrorKind::TimedOut
        | ErrorKind::BadAnswer
        | ErrorKind::Unauthorized
        | ErrorKind::Forbidden => NovaException::HypervisorUnavailable,
        _ => NovaException::PowerVMAPIFailed,
    }
}

/// Whether it is the partition that is not there: nobody knew it before the first step, or the server has no such
/// partition. What hangs on a partition may be missing while it is there.
fn is_instance_gone(error: &Error) -> bool {
    if !error.is_not_found() {
        return false;
    }
    let cause = std::iter::successors(Some(error), |error| error.within()).last();
    match cause.and_then(Error::call) {
        None => error.within().is_none(),
        Some(call) => {
            let path = call.url.split('?').next().unwrap_or_default();
            let mut segments = path
                .split('/')
                .skip_while(|part| *part != "LogicalPartition");
            let named = segments.nth(1);
            named.is_some() && matches!(segments.next(), None | Some("do" | "quick"))
        }
    }
}

#[cfg(test)]
mod tests;
