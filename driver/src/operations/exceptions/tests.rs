use http::{Method, StatusCode};

use super::*;
use crate::error::{Call, Refusal};
use crate::saga::{SagaFailure, StepFailure};

const PAGE: &str = include_str!("../../../../docs/nova-exceptions.md");

fn of(kind: ErrorKind) -> Error {
    Error::operation(kind, "it did not work", "repeat it")
}

fn absent(path: &str) -> Error {
    Error::Refused {
        call: Call {
            method: Method::GET,
            url: format!("https://hmc:12443/rest/api/uom/{path}"),
        },
        refusal: Box::new(Refusal {
            status: StatusCode::NOT_FOUND,
            document_status: Some(404),
            reason: "Unknown".to_owned(),
            message: String::new(),
            documented: true,
        }),
    }
}

fn at(step: &str, error: Error) -> Error {
    failure(step, error, false)
}

fn leaving(step: &str, error: Error) -> Error {
    failure(step, error, true)
}

fn failure(step: &str, error: Error, leaves: bool) -> Error {
    let left = StepFailure {
        step: step.to_owned(),
        error: error.clone(),
    };
    SagaFailure {
        saga: "it".to_owned(),
        step: Some(step.to_owned()),
        error,
        others: Vec::new(),
        left_behind: if leaves { vec![left] } else { Vec::new() },
    }
    .into()
}

const SERVER: &str = "LogicalPartition/00000000-0000-0000-0000-000000000001";

#[test]
fn errors_become_what_nova_acts_upon() {
    use ErrorKind as K;
    use NovaException as E;
    use NovaMethod as M;
    let cases = [
        (M::Spawn, of(K::Invalid), E::BuildAbortException),
        (
            M::Spawn,
            at("power on", of(K::Cancelled)),
            E::BuildAbortException,
        ),
        (M::Spawn, of(K::NoSpace), E::ComputeResourcesUnavailable),
        (M::Spawn, of(K::Exists), E::InstanceExists),
        (
            M::Spawn,
            at("create the partition", of(K::Refused)),
            E::PowerVMAPIFailed,
        ),
        (
            M::Spawn,
            at("power on", absent(SERVER)),
            E::PowerVMAPIFailed,
        ),
        (
            M::Spawn,
            at(NETWORK, of(K::Refused)),
            E::VirtualInterfacePlugException,
        ),
        (
            M::Spawn,
            at(NETWORK, of(K::Precondition)),
            E::VirtualInterfaceCreateException,
        ),
        (
            M::Spawn,
            at(PLUGGED, of(K::Refused)),
            E::VirtualInterfaceCreateException,
        ),
        (
            M::AttachInterface,
            at(PLUGGED, of(K::Refused)),
            E::VirtualInterfaceCreateException,
        ),
        (
            M::Spawn,
            at(VOLUMES, of(K::Precondition)),
            E::VolumeAttachFailed,
        ),
        (M::Spawn, at(PORTS, of(K::Refused)), E::VolumeAttachFailed),
        (M::Rebuild, of(K::NotFound), E::InvalidRebuild),
        (M::Rebuild, of(K::NoSpace), E::ComputeResourcesUnavailable),
        (
            M::Destroy,
            at("delete the partition", of(K::Busy)),
            E::InstanceTerminationFailure,
        ),
        (M::Destroy, of(K::NotFound), E::InstanceNotFound),
        (M::Instance, absent(SERVER), E::InstanceNotFound),
        (
            M::Instance,
            absent(&format!("{SERVER}/quick/PartitionState")),
            E::InstanceNotFound,
        ),
        (
            M::Instance,
            absent("VirtualIOServer/1"),
            E::PowerVMAPIFailed,
        ),
        (
            M::PowerOn,
            at("power on", of(K::JobFailed)),
            E::InstancePowerOnFailure,
        ),
        (
            M::PowerOn,
            at("power on", absent(&format!("{SERVER}/do/PowerOn"))),
            E::InstanceNotFound,
        ),
        (
            M::PowerOff,
            at("power off", of(K::TimedOut)),
            E::InstancePowerOffFailure,
        ),
        (
            M::Reboot,
            at("reboot", of(K::JobFailed)),
            E::InstanceRebootFailure,
        ),
        (M::Suspend, of(K::Precondition), E::InstanceSuspendFailure),
        (M::Resume, of(K::JobFailed), E::InstanceResumeFailure),
        (M::AttachVolume, of(K::Invalid), E::InvalidVolume),
        (
            M::AttachVolume,
            at("map the volumes", of(K::Conflict)),
            E::VolumeAttachFailed,
        ),
        (M::AttachVolume, of(K::NotFound), E::InstanceNotFound),
        (M::DetachVolume, of(K::Precondition), E::VolumeDetachFailed),
        (M::ExtendVolume, of(K::Invalid), E::InvalidBDM),
        (M::ExtendVolume, of(K::JobFailed), E::VolumeExtendFailed),
        (
            M::AttachInterface,
            of(K::NotFound),
            E::VirtualInterfacePlugException,
        ),
        (
            M::DetachInterface,
            at(
                "unplug the interface",
                absent(&format!("{SERVER}/ClientNetworkAdapter/2")),
            ),
            E::InterfaceDetachFailed,
        ),
        (M::Snapshot, of(K::Precondition), E::NotSupportedWithOption),
        (
            M::Snapshot,
            at(MAP, of(K::Local)),
            E::InstanceDiskMappingFailed,
        ),
        (
            M::Snapshot,
            at(UNMAP, of(K::Local)),
            E::DeviceDeletionException,
        ),
        (
            M::Snapshot,
            leaving("copy the boot disk", of(K::Local)),
            E::DeviceDeletionException,
        ),
        (
            M::Snapshot,
            at("copy the boot disk", of(K::Local)),
            E::PowerVMAPIFailed,
        ),
        (M::Rescue, of(K::NoSpace), E::InstanceRescueFailure),
        (M::Unrescue, of(K::Busy), E::InstanceUnRescueFailure),
        (M::Resize, of(K::Invalid), E::InstanceFaultRollback),
        (
            M::Resize,
            at("power off", of(K::TimedOut)),
            E::InstanceFaultRollback,
        ),
        (
            M::Resize,
            leaving("power off", of(K::TimedOut)),
            E::ResizeError,
        ),
        (M::FinishMigration, of(K::NoSpace), E::MigrationError),
        (M::RevertMigration, of(K::Busy), E::MigrationError),
        (M::ConfirmMigration, of(K::NotFound), E::InstanceNotFound),
        (
            M::CheckLiveMigration,
            of(K::NotFound),
            E::MigrationPreCheckError,
        ),
        (
            M::PreLiveMigration,
            at("find the volumes there", of(K::Refused)),
            E::MigrationPreCheckError,
        ),
        (
            M::LiveMigration,
            at(PREPARE, of(K::Refused)),
            E::MigrationPreCheckError,
        ),
        (
            M::LiveMigration,
            at("move the server", of(K::JobFailed)),
            E::LiveMigrationFailed,
        ),
        (
            M::AbortLiveMigration,
            of(K::Precondition),
            E::InvalidMigrationState,
        ),
        (
            M::PostLiveMigration,
            of(K::NotFound),
            E::LiveMigrationVolume,
        ),
        (M::Console, of(K::Refused), E::ConsoleTypeUnavailable),
        (M::Console, of(K::NotFound), E::InstanceNotFound),
        (M::InitHost, of(K::Precondition), E::ViosNotAvailable),
        (M::InitHost, of(K::Invalid), E::InvalidConfiguration),
        (M::Host, of(K::Unreachable), E::HypervisorUnavailable),
        (M::Host, of(K::NotFound), E::PowerVMAPIFailed),
        (M::Images, of(K::Local), E::PowerVMAPIFailed),
    ];
    for (method, error, exception) in &cases {
        assert_eq!(
            nova_exception(*method, error),
            Some(*exception),
            "{method:?} with {error:?}"
        );
    }
    // Each of them comes of something.
    for exception in E::ALL {
        assert!(
            cases.iter().any(|(_, _, named)| named == exception),
            "{exception:?}"
        );
    }
}

/// To take a server for deleted that is there would leave it for ever.
#[test]
fn an_instance_is_gone_only_if_its_partition_is() {
    let wrapped =
        |error: Error| Error::caused(error.kind(), "the deletion stopped", "repeat it", error);
    let gone = |error: &Error| is_instance_gone(error);
    assert!(gone(&of(ErrorKind::NotFound)));
    assert!(gone(&wrapped(absent(SERVER))));
    assert!(!gone(&wrapped(of(ErrorKind::NotFound))));
    assert!(!gone(&wrapped(absent("VirtualIOServer/1"))));
    assert!(!gone(&absent("LogicalPartition")));
    assert!(!gone(&at("power off", of(ErrorKind::NotFound))));
}

#[test]
fn nothing_is_called_rolled_back_that_is_not() {
    let left = leaving("find the volumes there", of(ErrorKind::Refused));
    let outer = at("prepare", left);
    assert_eq!(
        nova_exception(NovaMethod::Resize, &outer),
        Some(NovaException::ResizeError)
    );
    assert_eq!(
        NovaException::InstanceFaultRollback.inner(),
        Some(NovaException::ResizeError)
    );
}

#[test]
fn the_page_names_them_all() {
    for exception in NovaException::ALL {
        let name = format!("`{}`", exception.name());
        assert!(
            PAGE.contains(&name),
            "{name} is not in docs/nova-exceptions.md"
        );
    }
}
