//! From the command line to the scenarios that are asked for.

use crate::scenario::catalog;
use crate::scenario::selection::{Selected, Selection, TestList};

use super::Stop;
use super::arguments::SelectionArguments;

/// The scenarios that words and options ask for, and which of them are left out, with the reasons.
pub(super) fn select(words: &[String], options: &SelectionArguments) -> Result<Selected, Stop> {
    let list = |path: &Option<std::path::PathBuf>| {
        let loaded = path.as_deref().map(TestList::load).transpose();
        loaded.map_err(Stop::usage)
    };
    let (include, exclude) = (list(&options.include_list)?, list(&options.exclude_list)?);
    let selection = Selection::new(&options.like, include, exclude).map_err(Stop::usage)?;
    let scenarios = catalog::select(words).map_err(Stop::usage)?;
    selection.among(scenarios).map_err(Stop::usage)
}
