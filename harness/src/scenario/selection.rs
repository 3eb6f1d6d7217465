//! Which scenarios run, chosen as tempest's own runner chooses tests: by regular expressions over full names, and by
//! lists of tests that are kept in files.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use regex::{Regex, RegexBuilder};
use thiserror::Error;

use super::Scenario;

/// The largest list that is read, in bytes.
const MAX_FILE: u64 = 1 << 20;
/// How much memory one regular expression may take, in bytes.
const MAX_REGEX: usize = 1 << 20;

/// A selection that cannot be made.
#[derive(Debug, Error)]
pub enum SelectionError {
    /// A list cannot be read.
    #[error("cannot read the list {}: {error}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        error: io::Error,
    },
    /// A list is too large.
    #[error("the list {} has {size} bytes, more than {MAX_FILE}", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Its size in bytes.
        size: u64,
    },
    /// Something is no regular expression.
    #[error("{place}: no regular expression: {problem}")]
    Regex {
        /// The option, or file and line.
        place: String,
        /// What is wrong with it.
        problem: String,
    },
    /// Nothing is left.
    #[error(
        "no scenario follows a test that is selected; `powervm-harness list --json` shows all tests"
    )]
    Nothing,
}

/// A list of tests: on each line an idempotent id or a regular expression over full names. What stands after ` #` or
/// on a line of its own after `#` is a comment; the comment above a block of lines, or else that behind a line, is the
/// reason that is reported.
#[derive(Debug)]
pub struct TestList {
    entries: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    pattern: Regex,
    reason: String,
}

impl TestList {
    /// Reads a list from a file.
    ///
    /// # Errors
    /// [`SelectionError`] when it cannot be read, is larger than 1 MiB or has a line that is no regular expression.
    pub fn load(path: &Path) -> Result<Self, SelectionError> {
        let read = |error| SelectionError::Read {
            path: path.to_owned(),
            error,
        };
        let size = fs::metadata(path).map_err(read)?.len();
        if size > MAX_FILE {
            return Err(SelectionError::TooLarge {
                path: path.to_owned(),
                size,
            });
        }
        let text = fs::read_to_string(path).map_err(read)?;
        // The name without folders: reports hold no paths.
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        Self::parse(&name, &text)
    }

    /// Reads a list from its text; `origin` is what messages call it.
    ///
    /// # Errors
    /// [`SelectionError::Regex`] for a line that is no regular expression.
    pub fn parse(origin: &str, text: &str) -> Result<Self, SelectionError> {
        let mut entries = Vec::new();
        let mut heading: Vec<&str> = Vec::new();
        let mut is_heading_open = true;
        for (number, line) in (1..).zip(text.lines()) {
            let line = line.trim();
            if let Some(comment) = line.strip_prefix('#') {
                if !is_heading_open {
                    heading.clear();
                }
                is_heading_open = true;
                let comment = comment.trim().trim_matches('-').trim();
                heading.extend(Some(comment).filter(|comment| !comment.is_empty()));
                continue;
            }
            if line.is_empty() {
                heading.clear();
                continue;
            }
            is_heading_open = false;
            let (pattern, behind) = line.split_once(" #").unwrap_or((line, ""));
            let place = format!("{origin}:{number}");
            let why = if heading.is_empty() {
                behind.trim().to_owned()
            } else {
                heading.join(" ")
            };
            let reason = if why.is_empty() {
                format!("excluded by {place}")
            } else {
                format!("{why} ({place})")
            };
            entries.push(Entry {
                pattern: regex(pattern.trim(), place)?,
                reason,
            });
        }
        Ok(Self { entries })
    }

    /// Why the first entry that matches one of these names is there.
    fn reason(&self, name: &str) -> Option<&str> {
        let found = self
            .entries
            .iter()
            .find(|entry| entry.pattern.is_match(name));
        found.map(|entry| entry.reason.as_str())
    }
}

fn regex(text: &str, place: String) -> Result<Regex, SelectionError> {
    let built = RegexBuilder::new(text).size_limit(MAX_REGEX).build();
    built.map_err(|error| SelectionError::Regex {
        place,
        problem: error.to_string(),
    })
}

/// What is wanted of the scenarios.
#[derive(Debug, Default)]
pub struct Selection {
    /// Any of these has to match a full name; all scenarios without any.
    like: Vec<Regex>,
    include: Option<TestList>,
    exclude: Option<TestList>,
}

/// What is left of them.
#[derive(Debug)]
pub struct Selected {
    /// The scenarios that are asked for.
    pub scenarios: Vec<Scenario>,
    /// Of these the names of those that are left out, with the reasons.
    pub excluded: BTreeMap<String, String>,
}

impl Selection {
    /// A selection by regular expressions over full names, by what one list has, and without what another has.
    ///
    /// # Errors
    /// [`SelectionError::Regex`] for text that is no regular expression.
    pub fn new(
        like: &[String],
        include: Option<TestList>,
        exclude: Option<TestList>,
    ) -> Result<Self, SelectionError> {
        let like = like.iter().map(|text| regex(text, "--like".to_owned()));
        Ok(Self {
            like: like.collect::<Result<_, _>>()?,
            include,
            exclude,
        })
    }

    /// Selects among the scenarios. One that follows several tests is asked for when one of them is, and left out when
    /// all of them are.
    ///
    /// # Errors
    /// [`SelectionError::Nothing`] when none is asked for.
    pub fn among(&self, scenarios: Vec<Scenario>) -> Result<Selected, SelectionError> {
        let mut selected = Selected {
            scenarios: Vec::new(),
            excluded: BTreeMap::new(),
        };
        for scenario in scenarios {
            let names = full_names(&scenario);
            let is_like = |name: &String| self.like.iter().any(|like| like.is_match(name));
            let is_listed = |name: &String| {
                let include = self.include.as_ref();
                include.is_none_or(|list| list.reason(name).is_some())
            };
            if !(self.like.is_empty() || names.iter().any(is_like)) || !names.iter().any(is_listed)
            {
                continue;
            }
            if let Some(why) = self.why_not(&names) {
                selected.excluded.insert(scenario.name.clone(), why);
            }
            selected.scenarios.push(scenario);
        }
        if selected.scenarios.is_empty() {
            return Err(SelectionError::Nothing);
        }
        Ok(selected)
    }

    fn why_not(&self, names: &[String]) -> Option<String> {
        let list = self.exclude.as_ref()?;
        let (own, tests) = names.split_first()?;
        if let Some(reason) = list.reason(own) {
            return Some(reason.to_owned());
        }
        let reasons: Option<Vec<&str>> = tests.iter().map(|test| list.reason(test)).collect();
        reasons?.first().map(|reason| (*reason).to_owned())
    }
}

/// The scenario's own name, and the names of the tests that it follows as tempest's runner has them:
/// `tempest.….test_x[id-…,tag]`.
fn full_names(scenario: &Scenario) -> Vec<String> {
    let tags = scenario.tags.join(",");
    let own = format!("powervm.scenarios.{}[{tags}]", scenario.name);
    let tests = scenario
        .follows
        .iter()
        .map(|test| format!("{}[id-{},{tags}]", test.name, test.id));
    std::iter::once(own).chain(tests).collect()
}

#[cfg(test)]
mod tests {
    use super::{Selection, SelectionError, TestList};
    use crate::scenario::catalog;

    /// In the form that powervm-ci keeps its lists in.
    const LIST: &str = "# Copyright\n\n# ----------\n# No console\n# ----------\n\n\
        # The guest is asked,\n# and does not answer\n\
        af8eafd4-38a7-4a4b-bdbc-75145a580560 # tempest.a.test_stop_start_server\n\
        test_reboot_server_hard\n\n\
        925fdfb4-5b13-47ea-ac8a-c36ae6fddb05 # takes long\n\
        ^tempest\\.api\\.compute\\.servers\\.test_novnc\n";

    fn names(like: &[&str], include: Option<TestList>, exclude: Option<TestList>) -> Vec<String> {
        let like: Vec<String> = like.iter().map(|like| (*like).to_owned()).collect();
        let selection = Selection::new(&like, include, exclude).expect("a selection");
        let selected = selection.among(catalog::embedded().expect("scenarios"));
        let selected = selected.expect("some");
        let scenarios = selected.scenarios.iter();
        scenarios
            .filter(|scenario| !selected.excluded.contains_key(&scenario.name))
            .map(|scenario| scenario.name.clone())
            .collect()
    }

    fn list() -> TestList {
        TestList::parse("list.txt", LIST).expect("a list")
    }

    #[test]
    fn reasons_stand_above_or_behind() {
        let list = list();
        let why = |name: &str| list.reason(name).expect("listed").to_owned();
        let asked = "The guest is asked, and does not answer (list.txt:9)";
        assert_eq!(why("x[id-af8eafd4-38a7-4a4b-bdbc-75145a580560]"), asked);
        assert!(why("a.test_reboot_server_hard[id-0]").starts_with("The guest is asked"));
        assert_eq!(
            why("y[id-925fdfb4-5b13-47ea-ac8a-c36ae6fddb05]"),
            "takes long (list.txt:12)"
        );
        assert_eq!(
            why("tempest.api.compute.servers.test_novnc.N.test_novnc[id-1]"),
            "excluded by list.txt:13"
        );
        assert!(list.reason("b.test_other[id-2]").is_none());
    }

    #[test]
    fn regular_expressions_search_full_names_with_ids() {
        let servers = names(&["tempest.api.compute.servers"], None, None);
        assert!(servers.contains(&"test_rebuild_server".to_owned()));
        assert!(!servers.contains(&"test_live_block_migration".to_owned()));
        assert_eq!(
            names(&["id-7fff3fb3-91d8-4fd0-bd7d-0204f1f180ba"], None, None),
            ["test_server_basic_ops"]
        );
        let both = names(&["test_evacuate\\[", "TestServerBasicOps"], None, None);
        assert_eq!(both.len(), 2, "{both:?}");
    }

    #[test]
    fn lists_include_and_exclude() {
        let included = names(&[], Some(list()), None);
        assert!(included.contains(&"test_novnc".to_owned()), "{included:?}");
        assert!(!included.contains(&"test_rebuild_server".to_owned()));
        let left = names(&[], None, Some(list()));
        assert!(!left.contains(&"test_reboot_server_hard".to_owned()));
        assert!(
            left.contains(&"test_server_basic_ops".to_owned()),
            "it follows others as well"
        );
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        let error = TestList::parse("l.txt", "\n(\n").expect_err("no expression");
        assert!(error.to_string().starts_with("l.txt:2: "), "{error}");
        let error = Selection::new(&["[".to_owned()], None, None).expect_err("none");
        assert!(error.to_string().starts_with("--like: "), "{error}");
        let selection = Selection::new(&["nothing such".to_owned()], None, None).expect("good");
        let nothing = selection.among(catalog::embedded().expect("scenarios"));
        assert!(matches!(nothing, Err(SelectionError::Nothing)));
    }
}
