//! Options of the store that slot maps and NVRAM are kept in: `nvram_store` and the `swift_…` keys.

use std::path::PathBuf;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::Problem;

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

impl Serialize for StoreKind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(match self {
            Self::None => "none",
            Self::File => "file",
            Self::Swift => "swift",
        })
    }
}

impl<'de> Deserialize<'de> for StoreKind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

/// The options of the `[powervm]` group that concern the store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
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
    /// What is missing for the store that is chosen, and what it cannot use.
    pub(super) fn contradictions(&self) -> Vec<Problem> {
        let needs =
            |kind: &str, key: &str| Problem::of("nvram_store", format!("{kind} needs {key}"));
        let mut problems = Vec::new();
        match self.kind {
            StoreKind::None => {}
            StoreKind::File => {
                if self.folder.as_os_str().is_empty() {
                    problems.push(needs("file", "nvram_store_folder"));
                }
            }
            StoreKind::Swift => {
                if self.swift_auth_url.is_empty() {
                    problems.push(needs("swift", "swift_auth_url"));
                }
                if self.swift_password_file.as_os_str().is_empty() {
                    problems.push(needs("swift", "swift_password_file"));
                }
                problems.extend(self.wrong_values());
            }
        }
        problems
    }

    fn wrong_values(&self) -> Vec<Problem> {
        let container = &self.swift_container;
        let is_version = matches!(self.swift_auth_version.as_str(), "3" | "3.0" | "v3");
        let is_container =
            !container.is_empty() && container.len() <= 256 && !container.contains('/');
        let checks = [
            ("swift_auth_version", is_version, "has to be 3"),
            (
                "swift_container",
                is_container,
                "has to be a container's name, without '/'",
            ),
            (
                "swift_endpoint_type",
                self.interface().is_some(),
                "has to be publicURL, internalURL or adminURL",
            ),
        ];
        let wrong = checks.into_iter().filter(|(_, is_right, _)| !is_right);
        wrong.map(|(key, _, what)| Problem::of(key, what)).collect()
    }

    /// What is wrong with the files, where they are used.
    pub(super) fn file_problems(&self) -> Vec<Problem> {
        if self.kind != StoreKind::Swift || self.swift_password_file.as_os_str().is_empty() {
            return Vec::new();
        }
        super::secret_file("swift_password_file", &self.swift_password_file)
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
        let text = format!("[powervm]\nvolume_group_name = \"data\"\n{text}");
        let config = crate::config::Config::parse(&text).map_err(|error| error.to_string())?;
        Ok(config.store)
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
            assert!(wrong.contains(line.split(' ').next().unwrap()), "{wrong}");
        }
    }
}
