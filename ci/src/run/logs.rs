//! What a run leaves to be looked at.

use std::fs;
use std::io::{self, Read};
use std::path::Path;

/// Most files that are kept.
const MOST_FILES: usize = 5000;
/// Most bytes of one; what is more is cut off.
const MOST_BYTES: u64 = 64 << 20;
/// How deep folders may lie.
const MOST_DEPTH: usize = 12;

/// Copies the files of a folder, names and all. Links, devices and pipes stay behind: a change's code made them, and a
/// web server would follow them.
///
/// # Errors
/// They cannot be read or written.
pub(super) fn collect(from: &Path, to: &Path) -> io::Result<usize> {
    let mut count = 0;
    copy(from, to, MOST_DEPTH, &mut count)?;
    Ok(count)
}

fn copy(from: &Path, to: &Path, depth: usize, count: &mut usize) -> io::Result<()> {
    if depth == 0 || !from.is_dir() {
        return Ok(());
    }
    fs::create_dir_all(to)?;
    let mut entries: Vec<_> = fs::read_dir(from)?.flatten().collect();
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let kind = entry.file_type()?;
        let target = to.join(entry.file_name());
        if kind.is_dir() {
            copy(&entry.path(), &target, depth - 1, count)?;
        } else if kind.is_file() && *count < MOST_FILES {
            *count += 1;
            let mut target = fs::File::create(target)?;
            io::copy(
                &mut fs::File::open(entry.path())?.take(MOST_BYTES),
                &mut target,
            )?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_kept_and_links_are_not() {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("from"), folder.path().join("to"));
        fs::create_dir_all(from.join("a").join("b")).unwrap();
        fs::write(from.join("a").join("b").join("log.txt"), "log").unwrap();
        std::os::unix::fs::symlink("/etc", from.join("etc")).unwrap();
        std::os::unix::fs::symlink("/etc/hostname", from.join("name")).unwrap();
        assert_eq!(collect(&from, &to).unwrap(), 1);
        assert_eq!(
            fs::read_to_string(to.join("a").join("b").join("log.txt")).unwrap(),
            "log"
        );
        assert!(!to.join("etc").exists() && !to.join("name").exists());
    }
}
