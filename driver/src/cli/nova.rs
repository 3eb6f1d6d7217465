//! What Nova would have asked a driver for, so that failures name the exception that it would get.

use super::arguments::{ConsoleVerb, InterfaceVerb, NetworkVerb, Noun, ServerVerb, VolumeVerb};
use crate::operations::NovaMethod;

/// The method that a command stands for; none where Nova has no such thing.
pub(super) fn method(noun: &Noun) -> Option<NovaMethod> {
    Some(match noun {
        Noun::Server(verb) => return server(verb),
        Noun::Interface(InterfaceVerb::Attach { .. }) => NovaMethod::AttachInterface,
        Noun::Interface(InterfaceVerb::Detach { .. }) => NovaMethod::DetachInterface,
        Noun::Volume(VolumeVerb::Connector { .. }) => NovaMethod::Instance,
        Noun::Volume(VolumeVerb::Attach(_)) => NovaMethod::AttachVolume,
        Noun::Volume(VolumeVerb::Detach(_)) => NovaMethod::DetachVolume,
        Noun::Volume(VolumeVerb::Extend(_)) => NovaMethod::ExtendVolume,
        Noun::Image(_) => NovaMethod::Images,
        Noun::Console(ConsoleVerb::Show { .. }) => NovaMethod::Console,
        Noun::Host(_) | Noun::Network(NetworkVerb::Sriov) => NovaMethod::Host,
        _ => return None,
    })
}

fn server(verb: &ServerVerb) -> Option<NovaMethod> {
    Some(match verb {
        ServerVerb::Create(create) if create.existing_disk => NovaMethod::Rebuild,
        ServerVerb::Create(_) => NovaMethod::Spawn,
        ServerVerb::Rebuild(_) => NovaMethod::Rebuild,
        ServerVerb::List => NovaMethod::Host,
        ServerVerb::Show { .. } => NovaMethod::Instance,
        ServerVerb::Start { .. } => NovaMethod::PowerOn,
        ServerVerb::Stop { .. } => NovaMethod::PowerOff,
        ServerVerb::Reboot { .. } | ServerVerb::Dump { .. } => NovaMethod::Reboot,
        ServerVerb::Suspend { .. } => NovaMethod::Suspend,
        ServerVerb::Resume { .. } => NovaMethod::Resume,
        ServerVerb::Delete { .. } => NovaMethod::Destroy,
        ServerVerb::Snapshot(_) => NovaMethod::Snapshot,
        ServerVerb::Rescue(_) => NovaMethod::Rescue,
        ServerVerb::Unrescue { .. } => NovaMethod::Unrescue,
        ServerVerb::Resize(_) | ServerVerb::Depart { .. } => NovaMethod::Resize,
        ServerVerb::ResizeConfirm { .. } => NovaMethod::ConfirmMigration,
        ServerVerb::ResizeRevert(_) => NovaMethod::RevertMigration,
        ServerVerb::LiveMigrate(_) => NovaMethod::LiveMigration,
        ServerVerb::LiveMigrateAbort { .. } => NovaMethod::AbortLiveMigration,
        _ => return None,
    })
}
