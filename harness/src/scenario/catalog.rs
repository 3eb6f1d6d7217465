//! The scenarios that the binary carries, and scenarios from files.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::{Scenario, ScenarioError};

/// Folder, name and text of every file in the folders of `scenarios/`, in the order of their names; made by `build.rs`.
const EMBEDDED: &[(&str, &str, &str)] = include!(concat!(env!("OUT_DIR"), "/scenarios.rs"));

/// The largest scenario file that is read, in bytes.
const MAX_FILE: u64 = 1 << 20;

/// Scenarios that cannot be found or read.
#[derive(Debug, Error)]
pub enum CatalogError {
    /// The file is not a good scenario.
    #[error(transparent)]
    Scenario(#[from] ScenarioError),
    /// The file cannot be read.
    #[error("cannot read the scenario {}: {error}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        error: io::Error,
    },
    /// The file is too large to be a scenario.
    #[error("the scenario {} has {size} bytes, more than {MAX_FILE}", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Its size in bytes.
        size: u64,
    },
    /// Nothing of that name, tag, tempest name or id.
    #[error(
        "no scenario {word:?}; `powervm-harness list` shows all, and a path to a .toml file works too"
    )]
    Unknown {
        /// What was asked for.
        word: String,
    },
}

/// Every scenario that the binary carries, in the order of their names.
///
/// # Errors
/// The first file that is not a good scenario.
pub fn embedded() -> Result<Vec<Scenario>, ScenarioError> {
    EMBEDDED
        .iter()
        .map(|(group, name, text)| {
            Scenario::parse(name, &format!("scenarios/{group}/{name}.toml"), text)
        })
        .collect()
}

/// The scenarios that `words` select, each once; all embedded ones when `words` is empty.
///
/// A word is the path of a `.toml` file or what [`Scenario::matches`] takes.
///
/// # Errors
/// [`CatalogError`] for a word that selects nothing and for a file that cannot be used.
pub fn select(words: &[String]) -> Result<Vec<Scenario>, CatalogError> {
    let embedded = embedded()?;
    if words.is_empty() {
        return Ok(embedded);
    }
    let mut selected: Vec<Scenario> = Vec::new();
    for word in words {
        let found = if word.ends_with(".toml") {
            vec![load(Path::new(word))?]
        } else {
            embedded
                .iter()
                .filter(|scenario| scenario.matches(word))
                .cloned()
                .collect()
        };
        if found.is_empty() {
            return Err(CatalogError::Unknown { word: word.clone() });
        }
        for scenario in found {
            if !selected.iter().any(|known| known.name == scenario.name) {
                selected.push(scenario);
            }
        }
    }
    Ok(selected)
}

/// Reads a scenario file.
///
/// # Errors
/// [`CatalogError`] when it cannot be read, is larger than 1 MiB or is not a good scenario.
pub fn load(path: &Path) -> Result<Scenario, CatalogError> {
    let read = |error| CatalogError::Read {
        path: path.to_owned(),
        error,
    };
    let size = fs::metadata(path).map_err(read)?.len();
    if size > MAX_FILE {
        return Err(CatalogError::TooLarge {
            path: path.to_owned(),
            size,
        });
    }
    let text = fs::read_to_string(path).map_err(read)?;
    let name = path.file_stem().unwrap_or_default().to_string_lossy();
    let scenario = Scenario::parse(&name, &path.display().to_string(), &text)?;
    Ok(Scenario {
        path: Some(path.to_owned()),
        ..scenario
    })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{CatalogError, embedded, load, select};

    #[test]
    fn every_embedded_scenario_is_good() {
        let scenarios = embedded().unwrap_or_else(|error| panic!("{error}"));
        assert!(scenarios.len() >= 100, "only {}", scenarios.len());
        for scenario in &scenarios {
            assert!(
                !scenario.description.is_empty(),
                "{} says nothing about itself",
                scenario.name
            );
        }
        let mut names: Vec<&str> = scenarios.iter().map(|scenario| &*scenario.name).collect();
        names.dedup();
        assert_eq!(names.len(), scenarios.len(), "a name stands for one file");
    }

    #[test]
    fn words_select_by_name_tag_tempest_name_and_path() {
        let by_name = select(&["test_server_basic_ops".to_owned()]).expect("by name");
        assert_eq!(by_name.len(), 1);
        let twice = select(&[
            "test_server_basic_ops".to_owned(),
            "TestServerBasicOps".to_owned(),
        ])
        .expect("twice");
        assert_eq!(
            twice.len(),
            1,
            "a scenario runs once however often it is named"
        );
        assert!(matches!(
            select(&["nothing-such".to_owned()]),
            Err(CatalogError::Unknown { .. })
        ));
        assert_eq!(
            select(&[]).expect("all").len(),
            embedded().expect("all").len()
        );
    }

    #[test]
    fn files_are_read_and_refused_by_their_path() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("mine.toml");
        assert!(matches!(load(&path), Err(CatalogError::Read { .. })));
        fs::write(&path, "format = 1\n").expect("a file");
        let error = load(&path).expect_err("not a scenario").to_string();
        assert!(error.contains("mine.toml:"), "{error}");
        fs::write(&path, vec![b' '; (1 << 20) + 1]).expect("a file");
        assert!(matches!(load(&path), Err(CatalogError::TooLarge { .. })));
    }
}
