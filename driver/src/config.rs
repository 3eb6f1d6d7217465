//! The driver's configuration: the `[powervm]` group of a TOML file.
//!
//! Names, defaults and ranges are those that operators of the PowerVM drivers for OpenStack know.
//! Unknown keys are refused by name, a value out of its range with the range.

mod store;
mod volumes;

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Deserializer, de};

use crate::error::{Error, ErrorKind};
use crate::partition::SizingDefaults;

pub use store::{StoreKind, StoreOptions};
pub use volumes::{FcStrategy, VolumeOptions};

/// Where boot disks live.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DiskDriver {
    /// In a volume group of one Virtual I/O Server.
    #[default]
    LocalDisk,
    /// In a shared storage pool.
    Ssp,
}

impl<'de> Deserialize<'de> for DiskDriver {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

impl std::str::FromStr for DiskDriver {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.to_ascii_lowercase().as_str() {
            "localdisk" => Ok(Self::LocalDisk),
            "ssp" => Ok(Self::Ssp),
            _ => Err(format!("disk_driver is localdisk or ssp, not '{text}'")),
        }
    }
}

impl std::fmt::Display for DiskDriver {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::LocalDisk => "localdisk",
            Self::Ssp => "ssp",
        })
    }
}

/// The `[powervm]` group.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
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
    /// How long, in seconds, a recovery waits for what a killed driver asked for last, 0 to 600: the server may make
    /// it only after the first look.
    pub recovery_wait: u64,
    /// What concerns volumes.
    #[serde(skip)]
    pub volumes: VolumeOptions,
    /// Where slot maps and NVRAM are kept.
    #[serde(skip)]
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
            recovery_wait: 15,
            volumes: VolumeOptions::default(),
            store: StoreOptions::default(),
        }
    }
}

/// A configuration file: the group, and nothing else that this program would ignore.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    powervm: Config,
}

impl Config {
    /// Reads the text of a configuration file.
    ///
    /// # Errors
    /// Text that is no TOML, unknown keys, values out of range.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let config = Self::read(text)?;
        config.check()?;
        Ok(config)
    }

    /// Reads a configuration file.
    ///
    /// # Errors
    /// As [`Self::parse`], and a file that cannot be read.
    pub fn load(path: &Path) -> Result<Self, Error> {
        let config = Self::load_unchecked(path)?;
        config.check()?;
        Ok(config)
    }

    /// Reads a configuration file without checking its values, which may be replaced.
    pub(crate) fn load_unchecked(path: &Path) -> Result<Self, Error> {
        let text = std::fs::read_to_string(path).map_err(|error| {
            Error::caused(
                ErrorKind::Local,
                format!("the configuration file {} cannot be read", path.display()),
                "give the path of a readable file with a [powervm] group",
                error,
            )
        })?;
        Self::read(&text)
    }

    fn read(text: &str) -> Result<Self, Error> {
        let mut whole: toml::Table = text
            .parse()
            .map_err(|error: toml::de::Error| refused(error.to_string()))?;
        let group = whole.get_mut("powervm").and_then(toml::Value::as_table_mut);
        let (volumes, store) = match group {
            Some(group) => (
                VolumeOptions::take_from(group).map_err(refused)?,
                StoreOptions::take_from(group).map_err(refused)?,
            ),
            None => <(VolumeOptions, StoreOptions)>::default(),
        };
        let file: File = whole
            .try_into()
            .map_err(|error: toml::de::Error| refused(error.to_string()))?;
        Ok(Self {
            volumes,
            store,
            ..file.powervm
        })
    }

    /// Checks ranges, and what has to be given together.
    ///
    /// # Errors
    /// The first value that is out of its range or missing.
    pub fn check(&self) -> Result<(), Error> {
        let in_range = |key: &str, fine: bool, range: &str| {
            if fine {
                Ok(())
            } else {
                Err(refused(format!("{key} has to be {range}")))
            }
        };
        in_range(
            "proc_units_factor",
            (0.05..=1.0).contains(&self.proc_units_factor),
            "0.05 to 1",
        )?;
        in_range(
            "uncapped_proc_weight",
            self.uncapped_proc_weight >= 1,
            "1 to 255",
        )?;
        in_range(
            "vopt_media_rep_size",
            self.vopt_media_rep_size >= 1,
            "1 or more (GB)",
        )?;
        in_range(
            "vopt_media_volume_group",
            !self.vopt_media_volume_group.is_empty(),
            "a volume group's name",
        )?;
        in_range(
            "pvm_vswitch_for_novalink_io",
            !self.pvm_vswitch_for_novalink_io.trim().is_empty(),
            "a virtual switch's name",
        )?;
        in_range(
            "max_uploads",
            (1..=16).contains(&self.max_uploads),
            "1 to 16",
        )?;
        in_range(
            "image_wait_timeout",
            self.image_wait_timeout >= 1,
            "1 or more (seconds)",
        )?;
        in_range(
            "image_marker_stale_after",
            self.image_marker_stale_after >= 60,
            "60 or more (seconds)",
        )?;
        in_range(
            "device_timeout",
            (1..=3600).contains(&self.device_timeout),
            "1 to 3600 (seconds)",
        )?;
        in_range(
            "recovery_wait",
            self.recovery_wait <= 600,
            "0 to 600 (seconds)",
        )?;
        if let Some(wrong) = self.volumes.wrong().or_else(|| self.store.wrong()) {
            return Err(refused(wrong));
        }
        if self.disk_driver == DiskDriver::LocalDisk && self.volume_group_name.is_empty() {
            return Err(refused(
                "disk_driver localdisk needs a volume_group_name".to_owned(),
            ));
        }
        Ok(())
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
        Duration::from_secs(self.shutdown_timeout)
    }
}

fn refused(what: String) -> Error {
    Error::invalid(
        format!("the configuration cannot be used: {}", what.trim()),
        "see docs/configure.md",
    )
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
