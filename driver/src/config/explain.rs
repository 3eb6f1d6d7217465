//! A configuration as it will be, with where each value comes from and everything that is wrong with it.

use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::Value;

use super::keys::{KEYS, Key};
use super::kind::Kind;
use super::{Config, Problem, Reading, text_of};

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "from")]
pub enum Origin {
    /// Nobody said anything.
    Default,
    /// The file.
    File {
        /// The line.
        line: usize,
    },
    /// An option of the command line.
    CommandLine {
        /// The option: `--system`.
        option: String,
    },
    /// An environment variable.
    Environment {
        /// Its name.
        variable: String,
    },
}

/// One value.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Setting {
    /// The key, or, outside the file, what it is.
    pub key: String,
    /// The value; none where the driver finds it out by itself. Secrets are never here.
    pub value: Value,
    /// Where it comes from.
    #[serde(flatten)]
    pub origin: Origin,
}

/// A configuration as it will be.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Explanation {
    /// The file that was read.
    pub file: Option<PathBuf>,
    /// Whether it can be used.
    pub usable: bool,
    /// Everything that is wrong or odd.
    pub problems: Vec<Problem>,
    /// All values.
    pub settings: Vec<Setting>,
    /// The configuration itself; what is wrong has its default.
    #[serde(skip)]
    pub config: Config,
}

impl Explanation {
    /// Reads a file, if there is one, replaces what is given instead by key, and looks at everything.
    ///
    /// `instead` has keys with their values and where they come from.
    #[must_use]
    pub fn of(file: Option<&Path>, instead: &[(&str, toml::Value, Origin)]) -> Self {
        let given = instead
            .iter()
            .map(|(key, value, _)| ((*key).to_owned(), value.clone()));
        let (text, unreadable) = match file.map(text_of) {
            Some(Ok(text)) => (text, None),
            Some(Err(error)) => (String::new(), Some(error.to_string())),
            None => (String::new(), None),
        };
        let Reading {
            config,
            mut problems,
            lines,
        } = Reading::with(&text, given.collect());
        problems.extend(unreadable.map(Problem::about_all));
        let table = config.table();
        let mut whole = config.contradictions();
        whole.extend(config.file_problems());
        problems.extend(whole.into_iter().map(|problem| {
            let line = problem.key.as_ref().and_then(|key| lines.get(key).copied());
            problem.on(line)
        }));
        let origin = |key: &str| {
            let instead = instead.iter().find(|(name, ..)| *name == key);
            let from_file = || {
                Some(Origin::File {
                    line: *lines.get(key)?,
                })
            };
            instead
                .map(|(.., origin)| origin.clone())
                .or_else(from_file)
                .unwrap_or(Origin::Default)
        };
        let known = KEYS
            .iter()
            .filter(|key| table.contains_key(key.name))
            .map(|key| key.name);
        let fabrics = table
            .keys()
            .filter(|name| Key::find(name).is_some_and(|key| key.name != *name));
        let names = known.chain(fabrics.map(String::as_str));
        let settings = names.map(|name| Setting {
            key: name.to_owned(),
            value: shown(name, table.get(name)),
            origin: origin(name),
        });
        let settings = settings.collect();
        let mut explanation = Self {
            file: file.map(Path::to_owned),
            usable: true,
            problems: Vec::new(),
            settings,
            config,
        };
        explanation.add(problems);
        explanation
    }

    /// Adds what is wrong elsewhere.
    pub fn add(&mut self, problems: Vec<Problem>) {
        self.problems.extend(problems);
        self.usable = !self.problems.iter().any(|problem| problem.stops);
    }
}

/// A value as JSON; nothing for an empty text, which stands for what the driver finds by itself. A secret is set or not.
fn shown(name: &str, value: Option<&toml::Value>) -> Value {
    let is_secret = Key::find(name).is_some_and(|key| key.kind == Kind::Secret);
    match value {
        Some(toml::Value::String(text)) if text.is_empty() => Value::Null,
        Some(_) if is_secret => "(set)".into(),
        Some(value) => serde_json::to_value(value).unwrap_or_default(),
        None => Value::Null,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_value_says_where_it_comes_from() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("powervm.toml");
        std::fs::write(
            &file,
            "[powervm]\nvolume_group_name = \"datavg\"\nhost = \"a\"\nfabric_A_port_wwpns = \"10000090fa1b6a3d\"\n",
        )
        .unwrap();
        let option = Origin::CommandLine {
            option: "--cluster".to_owned(),
        };
        let instead = [("cluster_name", toml::Value::from("pool"), option.clone())];
        let explanation = Explanation::of(Some(&file), &instead);
        assert!(explanation.usable, "{:?}", explanation.problems);
        let of = |key: &str| {
            let setting = explanation
                .settings
                .iter()
                .find(|it| it.key == key)
                .unwrap();
            (setting.value.clone(), setting.origin.clone())
        };
        assert_eq!(of("host"), ("a".into(), Origin::File { line: 3 }));
        assert_eq!(of("cluster_name"), ("pool".into(), option));
        assert_eq!(of("max_uploads"), (3.into(), Origin::Default));
        assert_eq!(of("managed_system"), (Value::Null, Origin::Default));
        assert_eq!(of("fabric_A_port_wwpns").1, Origin::File { line: 4 });
        assert_eq!(explanation.config.cluster_name, "pool");
    }

    #[test]
    fn contradictions_have_the_line_of_their_key() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("powervm.toml");
        std::fs::write(
            &file,
            "[powervm]\nmax_uploads = 0\nfc_attach_strategy = \"npiv\"\n",
        )
        .unwrap();
        let explanation = Explanation::of(Some(&file), &[]);
        let lines: Vec<_> = explanation.problems.iter().map(|it| it.line).collect();
        assert_eq!(lines, [Some(2), Some(3), None]);
        assert!(!explanation.usable);
        let missing = Explanation::of(Some(&folder.path().join("nope")), &[]);
        assert!(missing.problems[0].what.contains("nope"));
    }
}
