//! How a partition is powered on and off: the jobs, and the order in which they are tried.

use std::time::Duration;

use crate::rest::Job;

/// Messages that say that a partition is off already.
pub const ALREADY_OFF: [&str; 3] = ["HSCL1558", "PVME04000005", "PVME01050901"];
/// Messages that say that a partition is on already.
pub const ALREADY_ON: [&str; 2] = ["HSCL3681", "PVME01042026"];

/// The operation that powers a partition off.
pub const POWER_OFF: &str = "PowerOff";
/// The operation that powers a partition on.
pub const POWER_ON: &str = "PowerOn";

/// The operation that presses a button of IBM i's panel.
pub const PANEL_FUNCTION: &str = "PanelFunction";

/// The job that has a partition write down its memory and start again, and its operation. IBM i is asked through its
/// panel.
#[must_use]
pub fn crash(partition: &str, is_ibmi: bool) -> (&'static str, Job) {
    let operation = if is_ibmi { PANEL_FUNCTION } else { POWER_OFF };
    let job = Job::new(partition, operation).parameter("operation", "dumprestart");
    (operation, job)
}

/// One way to power off, from the kindest to the surest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PowerOff {
    /// The operating system shuts down at once; it is reached over RMC.
    OperatingSystem,
    /// The firmware asks the operating system to end.
    Firmware,
    /// The firmware takes the power away.
    Immediate,
}

impl PowerOff {
    /// The job, for the partition at this address. A partition that is off already counts as done,
    /// unless it is to be on afterwards.
    #[must_use]
    pub fn job(self, partition: &str, restart: bool) -> Job {
        let job = Job::new(partition, POWER_OFF);
        let job = match self {
            Self::OperatingSystem => job
                .parameter("operation", "osshutdown")
                .parameter("immediate", "true"),
            Self::Firmware => job.parameter("operation", "shutdown"),
            Self::Immediate => job
                .parameter("operation", "shutdown")
                .parameter("immediate", "true"),
        };
        if restart {
            job.parameter("restart", "true")
        } else {
            job.accept(ALREADY_OFF)
        }
    }

    /// What to try after this one failed, or took too long.
    ///
    /// An operating system that did not end in its time is not asked again; one that could not be
    /// asked may still hear the firmware.
    #[must_use]
    pub fn next(self, timed_out: bool) -> Option<Self> {
        match self {
            Self::OperatingSystem if !timed_out => Some(Self::Firmware),
            Self::OperatingSystem | Self::Firmware => Some(Self::Immediate),
            Self::Immediate => None,
        }
    }

    /// The kindest way that can work: without RMC nothing reaches the operating system directly.
    #[must_use]
    pub fn kindest(rmc_is_active: bool) -> Self {
        if rmc_is_active {
            Self::OperatingSystem
        } else {
            Self::Firmware
        }
    }
}

/// Media to be taken out of a partition some time after its first start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoveMedia {
    /// Name of the medium.
    pub name: String,
    /// How long after the start, in whole minutes.
    pub after: Duration,
}

/// The job that powers a partition on. One that is on already counts as done.
#[must_use]
pub fn power_on(partition: &str, remove: Option<&RemoveMedia>) -> Job {
    let job = Job::new(partition, POWER_ON).accept(ALREADY_ON);
    match remove {
        None => job,
        Some(media) => job.parameter("remove_optical_name", &media.name).parameter(
            "remove_optical_time",
            (media.after.as_secs() / 60).to_string(),
        ),
    }
}

/// The job that powers a partition on to the menus of its firmware, System Management Services, where somebody
/// chooses what it boots from.
#[must_use]
pub fn to_menus(partition: &str) -> Job {
    power_on(partition, None).parameter("bootmode", "sms")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ladder_ends_with_the_power_taken_away() {
        assert_eq!(PowerOff::kindest(true), PowerOff::OperatingSystem);
        assert_eq!(PowerOff::kindest(false), PowerOff::Firmware);
        assert_eq!(
            PowerOff::OperatingSystem.next(false),
            Some(PowerOff::Firmware)
        );
        assert_eq!(
            PowerOff::OperatingSystem.next(true),
            Some(PowerOff::Immediate)
        );
        for timed_out in [false, true] {
            assert_eq!(
                PowerOff::Firmware.next(timed_out),
                Some(PowerOff::Immediate)
            );
            assert_eq!(PowerOff::Immediate.next(timed_out), None);
        }
    }
}
