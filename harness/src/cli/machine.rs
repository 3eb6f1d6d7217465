//! What is not the same on every machine and at every time: kept apart from the event log of a run.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use powervm_report::event::{Entry, Event, Facts};
use powervm_report::log::EventWriter;
use powervm_report::moment::Wall;

/// A log of its own, which `powervm-harness report --from` reads beside the run's.
const FILE: &str = "machine.jsonl";
/// How many folders are looked into for the checkout.
const DEEPEST: usize = 16;
/// The longest file of git's that is read, in bytes.
const LONGEST: u64 = 1 << 20;

/// Writes down on which machine and when a run was.
pub(super) fn write(folder: &Path, began: Wall, took: Duration) -> anyhow::Result<PathBuf> {
    let path = folder.join(FILE);
    let file = File::create(&path).with_context(|| format!("cannot write {}", path.display()))?;
    let mut facts = BTreeMap::new();
    let mut fact = |name: &str, value: String| facts.insert(name.to_owned(), value);
    fact("operating system", std::env::consts::OS.to_owned());
    fact("architecture", std::env::consts::ARCH.to_owned());
    if let Ok(processors) = std::thread::available_parallelism() {
        fact("processors", processors.to_string());
    }
    if let Ok(release) = fs::read_to_string("/proc/sys/kernel/osrelease") {
        fact("kernel", release.trim().to_owned());
    }
    fact("began", began.to_string());
    fact(
        "wall time",
        format!("{}.{:03} s", took.as_secs(), took.subsec_millis()),
    );
    let mut writer =
        EventWriter::new(file, concat!("powervm-harness ", env!("CARGO_PKG_VERSION")))?;
    let entry = Entry {
        wall: Some(began),
        ..Entry::from(Event::Environment(Facts { facts }))
    };
    writer.write(&entry)?;
    writer.finish()?;
    Ok(path)
}

/// The commit of the checkout of this project that the current folder is in, if it is in one.
pub(super) fn commit() -> Option<String> {
    let here = std::env::current_dir().ok()?;
    let root = here
        .ancestors()
        .take(DEEPEST)
        .find(|folder| folder.join("harness/Cargo.toml").is_file())?;
    let git = root.join(".git");
    let git = if git.is_dir() {
        git
    } else {
        // The work tree of another checkout: the file says where its folder is.
        let text = small(&git)?;
        root.join(text.trim().strip_prefix("gitdir: ")?)
    };
    commit_of(&git)
}

/// What `HEAD` of a folder of git's stands for.
fn commit_of(git: &Path) -> Option<String> {
    let head = small(&git.join("HEAD"))?;
    let Some(branch) = head.trim().strip_prefix("ref: ") else {
        return hash(head.trim());
    };
    let common =
        small(&git.join("commondir")).map_or(git.to_owned(), |common| git.join(common.trim()));
    if let Some(commit) = small(&common.join(branch)) {
        return hash(commit.trim());
    }
    let packed = small(&common.join("packed-refs"))?;
    let line = packed.lines().find_map(|line| line.strip_suffix(branch))?;
    hash(line.trim())
}

fn small(path: &Path) -> Option<String> {
    let metadata = fs::metadata(path).ok()?;
    (metadata.is_file() && metadata.len() <= LONGEST)
        .then(|| fs::read_to_string(path).ok())
        .flatten()
}

fn hash(text: &str) -> Option<String> {
    let good = (40..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    good.then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::commit_of;

    #[test]
    fn the_commit_is_found_however_git_keeps_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let git = folder.path();
        let (loose, packed) = ("a".repeat(40), "b".repeat(40));
        assert_eq!(commit_of(git), None);
        fs::write(git.join("HEAD"), "ref: refs/heads/main\n").expect("a file");
        fs::write(
            git.join("packed-refs"),
            format!("# pack-refs\n{packed} refs/heads/main\n"),
        )
        .expect("a file");
        assert_eq!(commit_of(git), Some(packed));
        fs::create_dir_all(git.join("refs/heads")).expect("a folder");
        fs::write(git.join("refs/heads/main"), format!("{loose}\n")).expect("a file");
        assert_eq!(commit_of(git), Some(loose.clone()));
        fs::write(git.join("HEAD"), format!("{loose}\n")).expect("a file");
        assert_eq!(commit_of(git), Some(loose));
        fs::write(git.join("HEAD"), "ref: ../../etc/passwd\n").expect("a file");
        assert_eq!(commit_of(git), None);
    }
}
