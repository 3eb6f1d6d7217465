//! A state in a file: whole, or as it was before.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use super::{Saved, StateError};

/// The largest state that is read, in bytes. Ten thousand partitions have some fifty megabytes.
const LARGEST: u64 = 1 << 30;

/// The right to write a state file, held by one process at a time, for as long as this lives or the process does.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl Lock {
    /// Locks the state file at `path` by a file beside it, which stays.
    ///
    /// # Errors
    /// [`StateError::InUse`] if another process has it, [`StateError::File`] if it cannot be made.
    pub fn take(path: &Path) -> Result<Self, StateError> {
        let mut name = path.as_os_str().to_owned();
        name.push(".lock");
        let lock = PathBuf::from(name);
        let mut options = OpenOptions::new();
        options.create(true).truncate(false).write(true).mode(0o600);
        let file = options.open(&lock).map_err(|error| told(&lock, error))?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => Err(StateError::InUse(path.display().to_string())),
            Err(TryLockError::Error(error)) => Err(told(&lock, error)),
        }
    }
}

/// The file in which the state of one simulator survives.
#[derive(Debug)]
pub struct StateFile {
    path: PathBuf,
    /// Held while it is written, so that what was taken later lies there later.
    writing: Mutex<()>,
    _lock: Lock,
}

impl StateFile {
    /// Takes the file for this process. It need not be there yet.
    ///
    /// # Errors
    /// [`StateError::InUse`] if another process has it, [`StateError::File`] if its folder cannot be written.
    pub fn open(path: PathBuf) -> Result<Self, StateError> {
        Ok(Self {
            _lock: Lock::take(&path)?,
            writing: Mutex::new(()),
            path,
        })
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes the state that `take` takes.
    ///
    /// # Errors
    /// [`StateError::File`]; the file is then as it was.
    pub fn save(&self, take: impl FnOnce() -> Saved) -> Result<(), StateError> {
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        write(&self.path, &take())
    }
}

/// The state in a file; none if there is no file.
///
/// # Errors
/// [`StateError`] that says what is wrong.
pub fn read(path: &Path) -> Result<Option<Saved>, StateError> {
    read_at_most(path, LARGEST)
}

fn read_at_most(path: &Path, largest: u64) -> Result<Option<Saved>, StateError> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(told(path, error)),
    };
    let mut text = Vec::new();
    file.take(largest + 1)
        .read_to_end(&mut text)
        .map_err(|error| told(path, error))?;
    if text.len() as u64 > largest {
        return Err(StateError::Syntax(format!(
            "{} is larger than {largest} bytes",
            path.display()
        )));
    }
    let saved = Saved::from_json(&text).map_err(|error| StateError::In {
        path: path.display().to_string(),
        source: Box::new(error),
    })?;
    Ok(Some(saved))
}

/// Writes a state to a file that its owner alone can read. Whenever the process or the machine stops, the file holds
/// this state or the one before, whole: the new one is written beside it, brought to the disk and then renamed.
///
/// # Errors
/// [`StateError::File`]; the file is then as it was.
pub fn write(path: &Path, saved: &Saved) -> Result<(), StateError> {
    let text = saved.to_json()?;
    replace(path, &text).map_err(|error| told(path, error))
}

fn replace(path: &Path, text: &[u8]) -> io::Result<()> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    // A temporary file is readable by its owner only.
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(text)?;
    file.write_all(b"\n")?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    // The new name itself is on the disk once the folder is.
    File::open(folder)?.sync_all()
}

fn told(path: &Path, source: io::Error) -> StateError {
    StateError::File {
        path: path.display().to_string(),
        source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Simulator;

    #[test]
    fn a_state_that_is_too_large_is_refused_before_it_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.json");
        let saved = Simulator::builder().build().unwrap().save();
        write(&path, &saved).unwrap();
        let length = std::fs::metadata(&path).unwrap().len();
        assert_eq!(read_at_most(&path, length).unwrap(), Some(saved));
        let error = read_at_most(&path, length - 1).unwrap_err().to_string();
        assert!(error.contains("state.json is larger than"), "{error}");
    }
}
