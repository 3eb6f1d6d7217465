//! What a run leaves to be looked at: the log tree that OpenStack expects, with secrets and addresses taken out.
//!
//! It is made in a folder beside the one that is served, and takes its place when it is whole.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use powervm_report::log::LogError;
use powervm_report::moment::Wall;
use powervm_report::scrub::{Known, Scrubber, TooManyError};
use powervm_report::tree::{LogTree, TreeError};

use super::Order;
use super::events;
use super::result::RunResult;

/// Most files that are kept.
const MOST_FILES: usize = 2000;
/// Most bytes of one; what is more is cut off.
const MOST_BYTES: u64 = 64 << 20;
/// How deep folders may lie.
const MOST_DEPTH: usize = 12;

/// Why there are no logs.
#[derive(Debug, thiserror::Error)]
pub(super) enum LogsError {
    #[error(transparent)]
    Tree(#[from] TreeError),
    #[error(transparent)]
    Events(#[from] LogError),
    #[error(transparent)]
    Hosts(#[from] TooManyError),
    #[error("{}: {error}", path.display())]
    Folder { path: PathBuf, error: io::Error },
    #[error("{} holds something that is no run of ours: name another folder for logs", .0.display())]
    Foreign(PathBuf),
}

/// Whether logs may go there: there is nothing, or an older run.
pub(super) fn is_free(folder: &Path) -> bool {
    let is_empty = fs::read_dir(folder).map_or(true, |mut entries| entries.next().is_none());
    is_empty || folder.join("result.json").is_file()
}

/// The wall clock, for the date that OpenStack asks for.
#[expect(
    clippy::disallowed_methods,
    reason = "people want to know when it ran, which no other clock tells"
)]
pub(super) fn now() -> Wall {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    Wall::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}

/// Makes the tree of what lies in `work`: outputs of stages in `output`, what programs left in `programs`. Takes secrets and
/// addresses out of the result's words as well: they stand beside the logs and in Gerrit.
pub(super) fn publish(
    work: &Path,
    order: &Order,
    hosts: &[String],
    begun: Wall,
    result: &mut RunResult,
) -> Result<(), LogsError> {
    let at = |path: &Path| {
        let path = path.to_owned();
        move |error| LogsError::Folder { path, error }
    };
    if !is_free(&order.logs) {
        return Err(LogsError::Foreign(order.logs.clone()));
    }
    let parent = order.logs.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(parent).map_err(at(parent))?;
    let fresh = parent.join(format!(".{}.{}", order.run_id, std::process::id()));
    if fresh.exists() {
        fs::remove_dir_all(&fresh).map_err(at(&fresh))?;
    }
    let known = Known {
        secrets: Vec::new(),
        hosts: hosts.to_vec(),
    };
    let mut scrubber = Scrubber::new(&known)?;
    let counts = result.jobs.iter_mut().filter_map(|job| job.counts.as_mut());
    for words in result.why.iter_mut().chain(counts) {
        *words = scrubber.text(words);
    }
    let title = format!("{}: {}", order.run_id, result.outcome.word());
    let mut tree = LogTree::create(&fresh, &title, scrubber)?;
    let outputs = outputs(&work.join("output"));
    tree.console(concatenated(&outputs))?;
    for path in &outputs {
        tree.service(&name(path, &work.join("output")), opened(path))?;
    }
    let programs = work.join("programs");
    for path in files(&programs) {
        tree.service(&name(&path, &programs), opened(&path))?;
    }
    if let Ok(pinned) = File::open(work.join("pinned.txt")) {
        tree.configuration("pinned", pinned)?;
    }
    let events = work.join("events.jsonl");
    events::write(&events, work, order, begun, result)?;
    tree.results(&[&events])?;
    tree.finish()?;
    if order.logs.exists() {
        fs::remove_dir_all(&order.logs).map_err(at(&order.logs))?;
    }
    fs::rename(&fresh, &order.logs).map_err(at(&order.logs))
}

/// A plain file, or nothing where there is none: what is no file may never end. Cut off where it is too long.
pub(super) fn opened(path: &Path) -> Box<dyn Read> {
    let is_plain = fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_file());
    match is_plain.then(|| File::open(path)) {
        Some(Ok(file)) => Box::new(file.take(MOST_BYTES)),
        Some(Err(_)) | None => Box::new(io::empty()),
    }
}

/// What stages printed, in the order in which they ended.
fn outputs(folder: &Path) -> Vec<PathBuf> {
    let mut outputs = Vec::new();
    gather(folder, 0, &mut outputs);
    outputs.sort_by_key(|path| fs::symlink_metadata(path).and_then(|at| at.modified()).ok());
    outputs
}

fn concatenated(paths: &[PathBuf]) -> Box<dyn Read> {
    let nothing: Box<dyn Read> = Box::new(io::empty());
    paths
        .iter()
        .fold(nothing, |before, path| Box::new(before.chain(opened(path))))
}

/// `ssp/powervm-sim.log` is `ssp_powervm-sim`.
fn name(path: &Path, root: &Path) -> String {
    let path = path.strip_prefix(root).unwrap_or(path).with_extension("");
    path.display().to_string().replace('/', "_")
}

/// The plain files below a folder. Links, devices and pipes stay behind: a change's code made them.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    gather(folder, MOST_DEPTH, &mut found);
    found
}

fn gather(folder: &Path, depth: usize, found: &mut Vec<PathBuf>) {
    let mut entries: Vec<_> = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .collect();
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        match entry.file_type() {
            Ok(kind) if kind.is_dir() && depth > 0 => gather(&entry.path(), depth - 1, found),
            Ok(kind) if kind.is_file() && found.len() < MOST_FILES && is_text(&entry.path()) => {
                found.push(entry.path())
            }
            _ => {}
        }
    }
}

/// Disks, databases and images are nothing to read.
fn is_text(path: &Path) -> bool {
    let extension = path
        .extension()
        .and_then(|extension| extension.to_str())
        .unwrap_or_default();
    matches!(
        extension,
        "txt" | "log" | "json" | "jsonl" | "xml" | "conf" | "ini" | "toml" | "yaml"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_texts_are_kept_and_links_are_not() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        fs::create_dir_all(root.join("ssp")).unwrap();
        fs::write(root.join("ssp").join("powervm-sim.log"), "log").unwrap();
        fs::write(root.join("disk.raw"), "disk").unwrap();
        std::os::unix::fs::symlink("/etc", root.join("etc")).unwrap();
        std::os::unix::fs::symlink("/etc/hostname", root.join("name.txt")).unwrap();
        let found = files(root);
        assert_eq!(found.len(), 1);
        assert_eq!(name(&found[0], root), "ssp_powervm-sim");
    }

    #[test]
    fn only_runs_make_room_for_runs() {
        let folder = tempfile::tempdir().unwrap();
        assert!(is_free(&folder.path().join("nothing")));
        assert!(is_free(folder.path()));
        fs::write(folder.path().join("thesis.tex"), "").unwrap();
        assert!(!is_free(folder.path()));
        fs::write(folder.path().join("result.json"), "").unwrap();
        assert!(is_free(folder.path()));
    }
}
