//! The driver's configuration: the `[powervm]` group of a TOML file.
//!
//! Names, defaults and ranges are those that operators of the PowerVM drivers for OpenStack know: [`KEYS`] has them all,
//! and is what reading, checking and explaining go by. Whatever is wrong with a file is told at once, by the key's name.

mod check;
mod disk_driver;
mod explain;
mod files;
mod keys;
mod kind;
mod near;
mod problem;
mod read;
mod store;
mod vnc;
mod volumes;

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind};
use crate::partition::SizingDefaults;

pub use disk_driver::DiskDriver;
pub use explain::{Explanation, Origin, Setting};
pub use files::secret_file;
pub use keys::{KEYS, Key};
pub use kind::Kind;
pub use problem::Problem;
pub use read::Reading;
pub use store::{StoreKind, StoreOptions};
pub use vnc::VncOptions;
pub use volumes::{FcStrategy, VolumeOptions};

/// The `[powervm]` group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Config {
    /// Processing units for each virtual processor of a flavor that names none, 0.05 to 1.
    pub proc_units_factor: f64,
    /// Weight of an uncapped partition whose flavor names none, 1 to 255.
    pub uncapped_proc_weight: u8,
    /// Where boot disks live.
    pub disk_driver: DiskDriver,
    /// Volume group of the boot disks; needed for `localdisk`.
    pub volume_group_name: String,
    /// Name or UUID of the system to manage; empty when the server manages only one.
    pub managed_system: String,
    /// Cluster of the shared storage pool; empty when there is only one.
    pub cluster_name: String,
    /// Volume group that gets a media repository where no Virtual I/O Server has one.
    pub vopt_media_volume_group: String,
    /// Size in GB of a media repository that the driver makes, 1 and more.
    pub vopt_media_rep_size: u32,
    /// Whether to take the config drive out of the guest some time after its first start.
    pub remove_vopt_media_on_boot: bool,
    /// After how many minutes.
    pub remove_vopt_media_time: u32,
    /// Whether a partition gets an adapter on the management switch, over which RMC runs.
    pub use_rmc_mgmt_vif: bool,
    /// Whether the config drive tells the guest the link-local address of that adapter.
    pub use_rmc_ipv6_scheme: bool,
    /// Switch of the pairs of adapters that lead to Open vSwitch.
    pub pvm_vswitch_for_novalink_io: String,
    /// Whether the network agents of the host are told of interfaces that are plugged and unplugged.
    pub announce_interfaces: bool,
    /// Whether a server whose ports the network service does not connect counts as failed; if not, nobody waits for it.
    pub vif_plugging_is_fatal: bool,
    /// Longest wait, in seconds, for the network service to connect ports; 0 does not wait.
    pub vif_plugging_timeout: u64,
    /// Whether VLANs of a network bridge are spread over as many trunk adapters as it can have.
    pub load_balance_vlan_across_veas: bool,
    /// Longest wait, in seconds, for the RMC connections of Virtual I/O Servers at connect; 0 waits
    /// 120 s, and 600 s for one that booted within the last hour.
    pub vios_active_wait_timeout: u64,
    /// Longest wait, in seconds, for another host that uploads the same image.
    pub image_wait_timeout: u64,
    /// After how many seconds without any progress another host's upload counts as abandoned. Its
    /// marker is reported and, with `image_marker_takeover`, removed.
    pub image_marker_stale_after: u64,
    /// Whether to remove an abandoned marker and upload the image anew.
    pub image_marker_takeover: bool,
    /// Uploads at the same time, 1 to 16.
    pub max_uploads: usize,
    /// Longest wait, in seconds, for a guest to shut down before it is powered off the hard way.
    pub shutdown_timeout: u64,
    /// Folder that names the disks of this machine by their identifiers, for snapshots.
    pub device_folder: PathBuf,
    /// The command that opens consoles on the management partition.
    pub mkvterm: PathBuf,
    /// Longest wait, in seconds, for a disk that was mapped to the management partition, 1 to 3600.
    pub device_timeout: u64,
    /// File of the journal; empty for one of this user's own for each host.
    pub journal: PathBuf,
    /// What tells this system from others with the same serial number, as simulated ones have: drivers of one machine
    /// keep each other from a system only where this is the same.
    pub host_lock: String,
    /// How long, in seconds, a recovery waits for what a killed driver asked for last, 0 to 600: the server may make
    /// it only after the first look.
    pub recovery_wait: u64,
    /// What concerns volumes.
    #[serde(flatten)]
    pub volumes: VolumeOptions,
    /// What concerns the VNC repeater.
    #[serde(flatten)]
    pub vnc: VncOptions,
    /// Where slot maps and NVRAM are kept.
    #[serde(flatten)]
    pub store: StoreOptions,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            proc_units_factor: 0.1,
            uncapped_proc_weight: 64,
            disk_driver: DiskDriver::LocalDisk,
            volume_group_name: String::new(),
            managed_system: String::new(),
            cluster_name: String::new(),
            vopt_media_volume_group: "rootvg".to_owned(),
            vopt_media_rep_size: 1,
            remove_vopt_media_on_boot: false,
            remove_vopt_media_time: 60,
            use_rmc_mgmt_vif: true,
            use_rmc_ipv6_scheme: true,
            pvm_vswitch_for_novalink_io: "NovaLinkVEABridge".to_owned(),
            announce_interfaces: false,
            vif_plugging_is_fatal: true,
            vif_plugging_timeout: 300,
            load_balance_vlan_across_veas: false,
            vios_active_wait_timeout: 0,
            image_wait_timeout: 3600,
            image_marker_stale_after: 1800,
            image_marker_takeover: false,
            max_uploads: 3,
            shutdown_timeout: 60,
            device_folder: PathBuf::from(crate::devices::BY_ID),
            mkvterm: PathBuf::from("mkvterm"),
            device_timeout: 300,
            journal: PathBuf::new(),
            host_lock: String::new(),
            recovery_wait: 15,
            volumes: VolumeOptions::default(),
            vnc: VncOptions::default(),
            store: StoreOptions::default(),
        }
    }
}

impl Config {
    /// Reads the text of a configuration file.
    ///
    /// # Errors
    /// Text that is no TOML, unknown keys, values out of range, contradictions: all of them.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let Reading {
            config, problems, ..
        } = Reading::of(text);
        Self::unless(config, problems, true)
    }

    /// Reads a configuration file.
    ///
    /// # Errors
    /// As [`Self::parse`], and a file that cannot be read.
    pub fn load(path: &Path) -> Result<Self, Error> {
        Self::parse(&text_of(path)?)
    }

    /// Reads a configuration file without a look at what contradicts what: values may yet be replaced.
    pub(crate) fn load_unchecked(path: &Path) -> Result<Self, Error> {
        let Reading {
            config, problems, ..
        } = Reading::of(&text_of(path)?);
        Self::unless(config, problems, false)
    }

    fn unless(config: Self, mut problems: Vec<Problem>, is_whole: bool) -> Result<Self, Error> {
        if is_whole {
            problems.extend(config.contradictions());
        }
        for warning in problems.iter().filter(|problem| !problem.stops) {
            tracing::warn!("{warning}");
        }
        refused(&problems).map_or(Ok(config), Err)
    }

    /// What sizing takes from here.
    #[must_use]
    pub fn sizing(&self) -> SizingDefaults {
        SizingDefaults {
            proc_units_factor: self.proc_units_factor,
            uncapped_weight: self.uncapped_proc_weight,
        }
    }

    /// How long a guest may take to shut down.
    #[must_use]
    pub fn shutdown_timeout(&self) -> Duration {
        wait(self.shutdown_timeout)
    }
}

/// What a key in seconds means as a time to wait. Whoever writes more than a year means for ever, and a clock still has
/// that moment.
pub(crate) fn wait(seconds: u64) -> Duration {
    const YEAR: u64 = 365 * 24 * 60 * 60;
    Duration::from_secs(seconds.min(YEAR))
}

/// The text of a configuration file.
///
/// # Errors
/// It cannot be read.
pub fn text_of(path: &Path) -> Result<String, Error> {
    std::fs::read_to_string(path).map_err(|error| {
        Error::caused(
            ErrorKind::Local,
            format!("the configuration file {} cannot be read", path.display()),
            "give the path of a readable file with a [powervm] group",
            error,
        )
    })
}

/// The error for these problems, unless none of them stops anybody.
fn refused(problems: &[Problem]) -> Option<Error> {
    let stops: Vec<String> = problems
        .iter()
        .filter(|problem| problem.stops)
        .map(ToString::to_string)
        .collect();
    (!stops.is_empty()).then(|| {
        Error::invalid(
            format!("the configuration cannot be used: {}", stops.join("; ")),
            "see docs/configure.md, or `powervm config keys`",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_group_needs_only_the_volume_group() {
        assert!(
            Config::parse("")
                .unwrap_err()
                .to_string()
                .contains("volume_group_name")
        );
        let config = Config::parse("[powervm]\nvolume_group_name = \"data\"\n").unwrap();
        assert_eq!(
            config,
            Config {
                volume_group_name: "data".to_owned(),
                ..Config::default()
            }
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_of_any_length_ends_at_a_moment_that_the_clock_has() {
        assert_eq!(wait(1800), Duration::from_secs(1800));
        let end = tokio::time::Instant::now() + wait(u64::MAX);
        assert!(end > tokio::time::Instant::now());
    }

    #[test]
    fn the_disk_driver_is_read_in_any_case() {
        let config =
            Config::parse("[powervm]\ndisk_driver = \"SSP\"\ncluster_name = \"c\"").unwrap();
        assert_eq!(
            (config.disk_driver, config.cluster_name.as_str()),
            (DiskDriver::Ssp, "c")
        );
    }

    #[test]
    fn everything_that_is_wrong_is_told_at_once() {
        let message = Config::parse(
            "[powervm]\ndisk_drivers = \"ssp\"\nmax_uploads = 17\nuse_rmc_mgmt_vif = 1\n\
             fabric_Z_port_wwpns = \"10000090fa1b6a3d\"\n[nova]\nx = 1\n",
        )
        .unwrap_err()
        .to_string();
        for part in [
            "line 2: disk_drivers: there is no such key; did you mean disk_driver?",
            "line 3: max_uploads: has to be 1 to 16, not 17",
            "line 4: use_rmc_mgmt_vif: has to be true or false, not 1",
            "fabric_Z_port_wwpns",
            "nova",
            "volume_group_name",
        ] {
            assert!(message.contains(part), "{part}: {message}");
        }
    }

    #[test]
    fn refuses_by_name() {
        for (line, part) in [
            ("disk_drivers = \"ssp\"", "disk_drivers"),
            ("disk_driver = \"nfs\"", "nfs"),
            ("proc_units_factor = 0.04", "proc_units_factor"),
            ("uncapped_proc_weight = 0", "uncapped_proc_weight"),
            ("uncapped_proc_weight = 256", "256"),
            ("vopt_media_rep_size = 0", "vopt_media_rep_size"),
            ("max_uploads = 0", "max_uploads"),
            ("image_marker_stale_after = 5", "image_marker_stale_after"),
            ("device_timeout = 0", "device_timeout"),
            ("recovery_wait = 601", "recovery_wait"),
            ("use_rmc_mgmt_vif = 1", "use_rmc_mgmt_vif"),
        ] {
            let text = format!("[powervm]\nvolume_group_name = \"data\"\n{line}\n");
            let message = Config::parse(&text).unwrap_err().to_string();
            assert!(message.contains(part), "{line}: {message}");
        }
        assert!(
            Config::parse("[nova]\nx = 1\n")
                .unwrap_err()
                .to_string()
                .contains("nova")
        );
    }
}
