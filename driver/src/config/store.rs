//! Options of the store that slot maps and NVRAM are kept in: `nvram_store` and the `swift_…` keys.

use std::path::PathBuf;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, de};

/// Where slot maps and NVRAM are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum StoreKind {
    /// Nowhere.
    #[default]
    None,
    /// In files of a folder.
    File,
    /// In OpenStack's object store.
    Swift,
}

impl FromStr for StoreKind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.to_ascii_lowercase().as_str() {
            "none" => Ok(Self::None),
            "file" => Ok(Self::File),
            "swift" => Ok(Self::Swift),
            _ => Err(format!("nvram_store is none, file or swift, not '{text}'")),
        }
    }
}

impl<'de> Deserialize<'de> for StoreKind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

/// The options of the `[powervm]` group that concern the store.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StoreOptions {
    /// Where slot maps and NVRAM are kept.
    #[serde(rename = "nvram_store")]
    pub kind: StoreKind,
    /// The folder, for files.
    #[serde(rename = "nvram_store_folder")]
    pub folder: PathBuf,
    /// Swift's container.
    pub swift_container: String,
    /// The user that logs on to Keystone.
    pub swift_username: String,
    /// The user's domain.
    pub swift_user_domain_name: String,
    /// File with the user's password.
    pub swift_password_file: PathBuf,
    /// The project that the container belongs to.
    pub swift_project_name: String,
    /// The project's domain.
    pub swift_project_domain_name: String,
    /// Version of Keystone's API: 3.
    pub swift_auth_version: String,
    /// Keystone's URL, with `/v3` or without.
    pub swift_auth_url: String,
    /// PEM file of the authority behind the certificates of Keystone and Swift; empty for the system's.
    pub swift_cacert: PathBuf,
    /// Which of the catalogue's endpoints: `publicURL`, `internalURL` or `adminURL`.
    pub swift_endpoint_type: String,
    /// Swift's URL with the account, instead of the catalogue's.
    pub swift_storage_url: String,
}

impl Default for StoreOptions {
    fn default() -> Self {
        Self {
            kind: StoreKind::None,
            folder: PathBuf::new(),
            swift_container: "powervm_nvram".to_owned(),
            swift_username: "powervm".to_owned(),
            swift_user_domain_name: "powervm".to_owned(),
            swift_password_file: PathBuf::new(),
            swift_project_name: "powervm".to_owned(),
            swift_project_domain_name: "powervm".to_owned(),
            swift_auth_version: "3".to_owned(),
            swift_auth_url: String::new(),
            swift_cacert: PathBuf::new(),
            swift_endpoint_type: "publicURL".to_owned(),
            swift_storage_url: String::new(),
        }
    }
}

impl StoreOptions {
    /// Takes the options out of the group, so that the rest can be read by itself.
    pub(super) fn take_from(group: &mut toml::Table) -> Result<Self, String> {
        let is_own = |key: &str| key.starts_with("nvram_store") || key.starts_with("swift_");
        let keys: Vec<String> = group.keys().filter(|key| is_own(key)).cloned().collect();
        let mut own = toml::Table::new();
        for key in keys {
            if key == "swift_password" {
                return Err(
                    "swift_password does not stand here, where others may read it: put it into a file and name that as swift_password_file"
                        .to_owned(),
                );
            }
            if let Some(value) = group.remove(&key) {
                own.insert(key, value);
            }
        }
        own.try_into()
            .map_err(|error: toml::de::Error| error.to_string())
    }

    /// The first option that is out of its range or missing.
    pub(super) fn wrong(&self) -> Option<String> {
        let missing = |is_missing: bool, kind: &str, key: &str| {
            is_missing.then(|| format!("nvram_store {kind} needs {key}"))
        };
        match self.kind {
            StoreKind::None => None,
            StoreKind::File => missing(
                self.folder.as_os_str().is_empty(),
                "file",
                "nvram_store_folder",
            ),
            StoreKind::Swift => {
                let password = self.swift_password_file.as_os_str().is_empty();
                missing(self.swift_auth_url.is_empty(), "swift", "swift_auth_url")
                    .or_else(|| missing(password, "swift", "swift_password_file"))
                    .or_else(|| self.wrong_value())
            }
        }
    }

    fn wrong_value(&self) -> Option<String> {
        let container = &self.swift_container;
        if !matches!(self.swift_auth_version.as_str(), "3" | "3.0" | "v3") {
            return Some("swift_auth_version has to be 3".to_owned());
        }
        if container.is_empty() || container.len() > 256 || container.contains('/') {
            return Some("swift_container has to be a container's name, without '/'".to_owned());
        }
        self.interface()
            .is_none()
            .then(|| "swift_endpoint_type has to be publicURL, internalURL or adminURL".to_owned())
    }

    /// The catalogue's word for the kind of endpoint.
    pub(crate) fn interface(&self) -> Option<&str> {
        let kind = self.swift_endpoint_type.as_str();
        let kind = kind.strip_suffix("URL").unwrap_or(kind);
        matches!(kind, "public" | "internal" | "admin").then_some(kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<StoreOptions, String> {
        let mut group: toml::Table = text.parse().unwrap();
        let options = StoreOptions::take_from(&mut group)?;
        match options.wrong() {
            Some(wrong) => Err(wrong),
            None => Ok(options),
        }
    }

    #[test]
    fn without_keys_nothing_is_kept() {
        assert_eq!(read("").unwrap(), StoreOptions::default());
        assert_eq!(
            read("swift_username = \"x\"").unwrap().kind,
            StoreKind::None
        );
    }

    #[test]
    fn each_store_needs_its_place() {
        let file = "nvram_store = \"File\"\nnvram_store_folder = \"/srv/powervm\"";
        assert_eq!(read(file).unwrap().kind, StoreKind::File);
        let swift = "nvram_store = \"swift\"\nswift_auth_url = \"https://k/v3\"\nswift_password_file = \"/p\"";
        assert_eq!(read(swift).unwrap().swift_container, "powervm_nvram");
        for (text, part) in [
            ("nvram_store = \"ceph\"", "ceph"),
            ("nvram_store = \"file\"", "nvram_store_folder"),
            ("nvram_store = \"swift\"", "swift_auth_url"),
            (
                "nvram_store = \"swift\"\nswift_auth_url = \"https://k\"",
                "swift_password_file",
            ),
            ("swift_password = \"hush\"", "swift_password_file"),
            ("swift_pasword_file = \"x\"", "swift_pasword_file"),
        ] {
            let wrong = read(text).unwrap_err();
            assert!(wrong.contains(part) && !wrong.contains("hush"), "{wrong}");
        }
        for line in [
            "swift_auth_version = \"2\"",
            "swift_container = \"a/b\"",
            "swift_endpoint_type = \"secretURL\"",
        ] {
            let wrong = read(&format!("{swift}\n{line}")).unwrap_err();
            assert!(
                wrong.starts_with(line.split(' ').next().unwrap()),
                "{wrong}"
            );
        }
    }
}
