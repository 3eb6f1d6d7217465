//! From the text of a file to a configuration, and everything that is wrong with the text.

use std::collections::BTreeMap;

use toml::de::DeTable;

use super::keys::{KEYS, Key};
use super::near::nearest;
use super::volumes::{fabric_of, ports};
use super::{Config, Problem};

/// What a file says.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// The configuration; what is wrong has its default.
    pub config: Config,
    /// What is wrong or odd, but for contradictions.
    pub problems: Vec<Problem>,
    /// The keys that the file has, with the lines on which they are.
    pub lines: BTreeMap<String, usize>,
}

impl Reading {
    /// Reads the text of a configuration file.
    #[must_use]
    pub fn of(text: &str) -> Self {
        Self::with(text, toml::Table::new())
    }

    /// The same, with these values instead of the file's.
    pub(super) fn with(text: &str, instead: toml::Table) -> Self {
        let mut reading = Self {
            config: Config::default(),
            problems: Vec::new(),
            lines: BTreeMap::new(),
        };
        reading.read(text, instead);
        reading
    }

    fn read(&mut self, text: &str, instead: toml::Table) {
        let (spans, errors) = DeTable::parse_recoverable(text);
        for error in &errors {
            let line = error.span().map(|span| line_of(text, span.start));
            let what = format!("it is no TOML: {}", error.message());
            self.problems.push(Problem::about_all(what).on(line));
        }
        // What is left of a text that is no TOML says little of what was meant.
        let Ok(whole) = text.parse::<toml::Table>() else {
            if self.problems.is_empty() {
                self.problems.push(Problem::about_all("it is no TOML"));
            }
            return;
        };
        for (name, value) in spans.get_ref() {
            let line = Some(line_of(text, name.span().start));
            match (name.get_ref().as_ref(), value.get_ref().as_table()) {
                ("powervm", Some(group)) => {
                    for key in group.keys() {
                        let line = line_of(text, key.span().start);
                        self.lines.insert(key.get_ref().to_string(), line);
                    }
                }
                ("powervm", None) => self.refuse("powervm", "has to be a group: [powervm]", line),
                (other, _) => {
                    let what = "only one group is read here, [powervm], and nothing outside it";
                    self.refuse(other, what, line);
                }
            }
        }
        let mut group = match whole.get("powervm") {
            Some(toml::Value::Table(group)) => group.clone(),
            _ => toml::Table::new(),
        };
        for key in instead.keys() {
            self.lines.remove(key);
        }
        group.extend(instead);
        self.take(&group);
    }

    /// Takes what fits, and says of everything else why not.
    fn take(&mut self, group: &toml::Table) {
        let mut fits = toml::Table::new();
        let mut fabrics = BTreeMap::new();
        for (name, value) in group {
            let line = self.lines.get(name).copied();
            let Some(key) = Key::find(name) else {
                let names = KEYS.iter().map(|key| key.name);
                let what = match nearest(name, names) {
                    Some(near) => format!("there is no such key; did you mean {near}?"),
                    None => "there is no such key".to_owned(),
                };
                self.refuse(name, &what, line);
                continue;
            };
            if let Some(wrong) = key.kind.wrong(value) {
                self.refuse(name, &wrong, line);
            } else if key.is_idle {
                let what = "has no effect: see docs/configure.md";
                self.problems.push(Problem::odd(name, what).on(line));
            } else if let Some(fabric) = fabric_of(name) {
                fabrics.insert(fabric.to_owned(), ports(value).unwrap_or_default());
            } else {
                fits.insert(name.clone(), value.clone());
            }
        }
        match fits.try_into() {
            Ok(config) => self.config = config,
            Err(error) => {
                let what = toml::de::Error::message(&error).to_owned();
                self.problems.push(Problem::about_all(what));
            }
        }
        self.config.volumes.fabric_ports = fabrics;
    }

    fn refuse(&mut self, key: &str, what: &str, line: Option<usize>) {
        self.problems.push(Problem::of(key, what).on(line));
    }
}

/// The line, from 1, of a byte of a text.
fn line_of(text: &str, at: usize) -> usize {
    let before = text.as_bytes().iter().take(at);
    before.filter(|byte| **byte == b'\n').count() + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_that_is_no_toml_is_told_with_its_line() {
        let reading = Reading::of("[powervm]\ncluster_name = \"c\nmax_uploads = \n");
        let lines: Vec<_> = reading.problems.iter().map(|it| it.line).collect();
        assert!(
            lines.contains(&Some(2)) && lines.contains(&Some(3)),
            "{reading:?}"
        );
        let twice = Reading::of("[powervm]\nhost = \"a\"\nhost = \"b\"\n");
        assert_eq!(twice.problems.len(), 1, "{twice:?}");
        assert_eq!(twice.problems[0].line, Some(3));
    }

    #[test]
    fn what_is_right_is_taken_beside_what_is_wrong() {
        let reading = Reading::of("[powervm]\nhost = \"a\"\nmax_uploads = 99\nrecovery_wait = 3\n");
        assert_eq!(reading.problems.len(), 1);
        assert_eq!(reading.config.recovery_wait, 3);
        assert_eq!(reading.config.volumes.host, "a");
        assert_eq!(reading.config.max_uploads, Config::default().max_uploads);
        assert_eq!(reading.lines["recovery_wait"], 4);
    }

    #[test]
    fn keys_without_effect_are_told_and_stop_nobody() {
        let text = "[powervm]\nimage_meta_local_path = \"/tmp/cfgdrv/\"\n\
                    fc_npiv_adapter_api = \"nova_powervm.virt.powervm.volume.npiv.NPIVVolumeAdapter\"\n";
        let reading = Reading::of(text);
        assert_eq!(reading.problems.len(), 2);
        assert!(reading.problems.iter().all(|it| !it.stops), "{reading:?}");
        let own = Reading::of("[powervm]\nfc_vscsi_adapter_api = \"mine.Adapter\"\n");
        assert!(own.problems[0].stops, "{own:?}");
    }

    #[test]
    fn the_group_has_to_be_one() {
        for text in [
            "powervm = 1\n",
            "[[powervm]]\nhost = \"a\"\n",
            "host = \"a\"\n",
        ] {
            let reading = Reading::of(text);
            assert!(
                reading.problems.iter().any(|it| it.stops),
                "{text}: {reading:?}"
            );
        }
        assert_eq!(Reading::of("").problems, []);
    }
}
