//! What is done to a server that is there.

use super::step::FlavorSpec;

/// How a server is rebooted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RebootKind {
    /// Through the operating system.
    Soft,
    /// Through the hypervisor.
    Hard,
}

/// One of the driver's operations on a server that a step made before.
#[derive(Debug, Clone, PartialEq)]
pub enum Deed {
    /// Power it off through its operating system, or hard where that does not answer.
    Stop,
    /// Power it on.
    Start,
    /// Reboot it.
    Reboot(RebootKind),
    /// Give it another size; it can be taken back until it is confirmed.
    Resize(FlavorSpec),
    /// Let a resize or a cold migration stand.
    Confirm,
    /// Take a resize or a cold migration back.
    Revert,
    /// Make it anew where it is, from the image of this word.
    Rebuild(String),
    /// Start it from another disk, which holds the image of this word.
    Rescue(String),
    /// Start it from its own disk again.
    Unrescue,
    /// Copy its boot disk to an image, which later steps know by this word.
    Snapshot(String),
    /// Copy its boot disk to an image of this word, and remove it; one that boots from a volume is only removed.
    Shelve(String),
    /// Make a shelved server again, on the host of this number if one is given.
    Unshelve(Option<usize>),
    /// Give it the volume of this word, which is made if no step named it before.
    AttachVolume(String),
    /// Take the volume of this word away.
    DetachVolume(String),
    /// Give it an interface on this VLAN.
    AttachInterface(u16),
    /// Take its last interface on this VLAN away.
    DetachInterface(u16),
    /// Have its console told, and close it.
    Console,
    /// Move it to the other host; it is off meanwhile, and the move can be taken back until it is confirmed.
    Migrate,
    /// Move it to the other host while it runs.
    LiveMigrate,
    /// Its host is lost: make it on the other one, from the disks that outlived it.
    Evacuate,
}

impl Deed {
    /// The word for it in scenario files and reports.
    #[must_use]
    pub fn verb(&self) -> &'static str {
        match self {
            Self::Stop => "stop",
            Self::Start => "start",
            Self::Reboot(_) => "reboot",
            Self::Resize(_) => "resize",
            Self::Confirm => "confirm",
            Self::Revert => "revert",
            Self::Rebuild(_) => "rebuild",
            Self::Rescue(_) => "rescue",
            Self::Unrescue => "unrescue",
            Self::Snapshot(_) => "snapshot",
            Self::Shelve(_) => "shelve",
            Self::Unshelve(_) => "unshelve",
            Self::AttachVolume(_) => "attach-volume",
            Self::DetachVolume(_) => "detach-volume",
            Self::AttachInterface(_) => "attach-interface",
            Self::DetachInterface(_) => "detach-interface",
            Self::Console => "console",
            Self::Migrate => "migrate",
            Self::LiveMigrate => "live-migrate",
            Self::Evacuate => "evacuate",
        }
    }

    /// Whether the boot disk was written, so that it is worth comparing with the image.
    #[must_use]
    pub fn writes_disk(&self) -> bool {
        matches!(
            self,
            Self::Resize(_)
                | Self::Revert
                | Self::Rebuild(_)
                | Self::Unrescue
                | Self::Unshelve(_)
                | Self::Migrate
                | Self::LiveMigrate
                | Self::Evacuate
        )
    }
}
