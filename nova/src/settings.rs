//! What nova.conf says, on its way to the driver.

use std::path::PathBuf;

use powervm_driver::config::{Config, KEYS, Kind};
use powervm_driver::rest::{Credentials, Endpoint, SessionOptions, Trust};
use secrecy::SecretString;
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};

use crate::trouble::Trouble;

/// The endpoint, how to log on, and the driver's own options.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// `https://HOST[:PORT]`, or `http://127.0.0.1:12080` on a NovaLink's own partition.
    pub endpoint: String,
    /// Who logs on; without, the token file of a NovaLink's own partition is used.
    pub user: Option<String>,
    /// The user's password.
    #[serde(default, deserialize_with = "secret")]
    pub password: Option<SecretString>,
    /// A PEM file of the authority that vouches for the server.
    pub ca: Option<PathBuf>,
    /// SHA-256 of the server's certificate.
    pub fingerprint: Option<String>,
    /// Whether any certificate will do.
    #[serde(default)]
    pub insecure: bool,
    /// How often the first logon is tried.
    pub connect_tries: u32,
    /// The driver's options by the names that docs/configure.md has.
    pub options: toml::Table,
    /// Random bits.
    pub seed: u64,
}

impl Settings {
    /// Reads what Python has collected.
    ///
    /// # Errors
    /// What is missing or of the wrong kind, by its name.
    pub fn parse(text: &str) -> Result<Self, Trouble> {
        serde_json::from_str(text)
            .map_err(|error| Trouble::invalid(format!("the settings cannot be used: {error}")))
    }

    /// The driver's configuration.
    ///
    /// # Errors
    /// An option that is unknown or out of its range.
    pub fn config(&self) -> Result<Config, Trouble> {
        let mut whole = toml::Table::new();
        whole.insert(
            "powervm".to_owned(),
            toml::Value::Table(self.options.clone()),
        );
        let text = toml::to_string(&whole)
            .map_err(|error| Trouble::invalid(format!("the options cannot be used: {error}")))?;
        Ok(Config::parse(&text)?)
    }

    /// The endpoint with credentials and trust.
    ///
    /// # Errors
    /// A URL or fingerprint that is none; a user without a password, or the other way round.
    pub fn endpoint(&self) -> Result<Endpoint, Trouble> {
        let credentials = match (&self.user, &self.password) {
            (Some(user), Some(password)) => Credentials::Password {
                user: user.clone(),
                password: password.clone(),
            },
            (None, None) => Credentials::TokenFile,
            (Some(_), None) => {
                return Err(Trouble::invalid(
                    "[powervm]endpoint_user is set and endpoint_password_file is not: name a file with the password",
                ));
            }
            (None, Some(_)) => {
                return Err(Trouble::invalid(
                    "[powervm]endpoint_password_file is set and endpoint_user is not: name the user",
                ));
            }
        };
        let trust = match (&self.ca, &self.fingerprint, self.insecure) {
            (Some(file), _, _) => Trust::Authority(file.clone()),
            (None, Some(fingerprint), _) => Trust::Pinned(fingerprint.parse()?),
            (None, None, true) => Trust::Anything,
            (None, None, false) => Trust::System,
        };
        let endpoint = Endpoint::new(&self.endpoint)?;
        Ok(endpoint.credentials(credentials).trust(trust))
    }

    /// How the session behaves.
    #[must_use]
    pub fn session(&self, config: &Config) -> SessionOptions {
        SessionOptions {
            uploads: config.max_uploads,
            seed: self.seed,
            connect_tries: self.connect_tries.max(1),
            audit_memento: "nova-compute".to_owned(),
            ..SessionOptions::default()
        }
    }
}

/// The driver's own options: what Python's have to agree with.
#[must_use]
pub fn keys() -> Value {
    let defaults = Config::default().table();
    let tell = |key: &powervm_driver::config::Key| {
        let values = match key.kind {
            Kind::Flag => json!({"kind": "flag"}),
            Kind::Whole { least, most, .. } => {
                json!({"kind": "whole", "least": least, "most": most})
            }
            Kind::Fraction { least, most } => {
                json!({"kind": "fraction", "least": least, "most": most})
            }
            Kind::Choice(words) => json!({"kind": "choice", "words": words}),
            _ => json!({"kind": "text"}),
        };
        let default = defaults
            .get(key.name)
            .and_then(|value| serde_json::to_value(value).ok());
        json!({"name": key.name, "values": values, "default": default, "is_idle": key.is_idle})
    };
    KEYS.iter().map(tell).collect()
}

fn secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<SecretString>, D::Error> {
    Ok(Option::<String>::deserialize(deserializer)?.map(SecretString::from))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(more: &str) -> Result<Settings, Trouble> {
        Settings::parse(&format!(
            r#"{{"endpoint": "http://127.0.0.1:12080", "connect_tries": 3, "seed": 7, "options": {{"disk_driver": "ssp"{more}}}}}"#
        ))
    }

    #[test]
    fn options_are_the_drivers_own() {
        let settings = settings(r#", "proc_units_factor": 0.5, "fabrics": "A,B""#).unwrap();
        let config = settings.config().unwrap();
        assert_eq!(config.proc_units_factor, 0.5);
        assert_eq!(config.volumes.fabrics, ["A", "B"]);
        assert_eq!(settings.session(&config).connect_tries, 3);
    }

    #[test]
    fn what_is_out_of_its_range_is_named() {
        let trouble = settings(r#", "uncapped_proc_weight": 256"#)
            .unwrap()
            .config()
            .unwrap_err();
        assert!(trouble.message.contains("256"), "{trouble}");
    }

    #[test]
    fn a_password_is_never_printed() {
        let text = r#"{"endpoint": "https://hmc:12443", "user": "hscroot", "password": "abc123", "connect_tries": 1,
            "seed": 7, "options": {}}"#;
        let settings = Settings::parse(text).unwrap();
        assert!(!format!("{settings:?}").contains("abc123"));
        assert!(matches!(settings.endpoint(), Ok(endpoint) if endpoint.is_tls()));
    }

    #[test]
    fn options_are_told_with_their_ranges_and_defaults() {
        let keys = keys();
        let found = |name: &str| {
            let mut keys = keys.as_array().unwrap().iter();
            keys.find(|key| key["name"] == name).unwrap().clone()
        };
        assert_eq!(found("proc_units_factor")["values"]["least"], 0.05);
        assert_eq!(found("uncapped_proc_weight")["default"], 64);
        assert_eq!(found("nvram_store")["values"]["words"][2], "swift");
    }

    #[test]
    fn a_user_needs_a_password() {
        let mut settings = settings("").unwrap();
        settings.user = Some("neo".to_owned());
        let trouble = settings.endpoint().unwrap_err();
        assert!(trouble.message.contains("password_file"), "{trouble}");
    }
}
