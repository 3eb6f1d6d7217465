//! States of a partition, as the server names them and as OpenStack does.

use std::fmt;

use serde::Serialize;

/// The power state that a partition's state amounts to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum PowerState {
    /// It runs, or is on its way up or down.
    Running,
    /// It is off.
    Shutdown,
    /// Its memory is saved and it does not run.
    Suspended,
    /// Its firmware gave up.
    Crashed,
    /// The server does not know, or says something new.
    Unknown,
}

impl PowerState {
    /// The power state for a `PartitionState`; case does not matter.
    #[must_use]
    pub fn of(partition_state: &str) -> Self {
        match partition_state.to_ascii_lowercase().as_str() {
            "running" | "starting" | "open firmware" | "shutting down" | "suspending"
            | "migrating running" => Self::Running,
            "not activated" | "migrating not active" => Self::Shutdown,
            "resuming" | "suspended" => Self::Suspended,
            "error" => Self::Crashed,
            _ => Self::Unknown,
        }
    }

    /// The name that the `openstack` client's users know.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Shutdown => "shutdown",
            Self::Suspended => "suspended",
            Self::Crashed => "crashed",
            Self::Unknown => "unknown",
        }
    }
}

impl fmt::Display for PowerState {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// Whether a partition in this state can be powered on.
#[must_use]
pub fn is_startable(partition_state: &str) -> bool {
    partition_state.eq_ignore_ascii_case("not activated")
}

/// Whether a partition in this state can be powered off.
#[must_use]
pub fn is_stoppable(partition_state: &str) -> bool {
    const STOPPABLE: [&str; 7] = [
        "running",
        "starting",
        "open firmware",
        "shutting down",
        "error",
        "resuming",
        "suspending",
    ];
    STOPPABLE
        .iter()
        .any(|state| partition_state.eq_ignore_ascii_case(state))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_documented_state_has_its_power_state() {
        for (state, expected) in [
            ("running", PowerState::Running),
            ("Starting", PowerState::Running),
            ("open firmware", PowerState::Running),
            ("shutting down", PowerState::Running),
            ("suspending", PowerState::Running),
            ("migrating running", PowerState::Running),
            ("not activated", PowerState::Shutdown),
            ("migrating not active", PowerState::Shutdown),
            ("resuming", PowerState::Suspended),
            ("suspended", PowerState::Suspended),
            ("error", PowerState::Crashed),
            ("hardware discovery", PowerState::Unknown),
            ("not available", PowerState::Unknown),
            ("Unknown", PowerState::Unknown),
            ("something new", PowerState::Unknown),
        ] {
            assert_eq!(PowerState::of(state), expected, "{state}");
        }
    }

    #[test]
    fn shutting_down_can_be_stopped_but_only_off_can_be_started() {
        assert!(is_stoppable("shutting down") && is_stoppable("ERROR"));
        assert!(!is_stoppable("not activated") && !is_stoppable("suspended"));
        assert!(is_startable("Not Activated") && !is_startable("error"));
    }
}
