//! `disk_driver`: where boot disks live.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

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

impl Serialize for DiskDriver {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
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
