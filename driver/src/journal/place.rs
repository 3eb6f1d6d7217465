//! Where the journal lies, and who may read it.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use crate::error::{Error, ErrorKind, Result};
use crate::rest::Endpoint;

/// The file for the host behind this endpoint, in the user's own state folder
/// (`$XDG_STATE_HOME`, by default `~/.local/state`, as the XDG base directory specification says).
///
/// # Errors
/// Neither variable names an absolute path.
pub fn default_path(endpoint: &Endpoint, managed_system: &str) -> Result<PathBuf> {
    let absolute = |name: &str| {
        let path = PathBuf::from(std::env::var_os(name)?);
        path.is_absolute().then_some(path)
    };
    let state = absolute("XDG_STATE_HOME")
        .or_else(|| absolute("HOME").map(|home| home.join(".local").join("state")))
        .ok_or_else(|| {
            Error::operation(
                ErrorKind::Local,
                "there is no place for the journal: neither XDG_STATE_HOME nor HOME is an absolute path",
                "name a file as journal in the configuration",
            )
        })?;
    Ok(state
        .join("powervm")
        .join(file_name(&endpoint.origin(), managed_system)))
}

/// One file a host: by the endpoint's address and, where an endpoint has several systems, the system.
fn file_name(origin: &str, managed_system: &str) -> String {
    let address = origin.split_once("://").map_or(origin, |(_, rest)| rest);
    let whole = match managed_system {
        "" => address.to_owned(),
        system => format!("{address}_{system}"),
    };
    let legal = |c: char| match c {
        'a'..='z' | 'A'..='Z' | '0'..='9' | '.' | '-' | '_' => c,
        _ => '_',
    };
    let name: String = whole.chars().take(200).map(legal).collect();
    format!("{name}.journal")
}

/// Opens the file, made if it is not there: nobody but its owner may read it, or put another in its place.
pub(super) fn open(path: &Path) -> Result<File> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let unusable = |what: String| {
        move |error: io::Error| {
            Error::caused(
                ErrorKind::Local,
                format!("{what}: {error}"),
                "name a file in a folder of this user's own as journal in the configuration",
                error,
            )
        }
    };
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .map_err(unusable(format!(
            "the folder {} for the journal cannot be made",
            folder.display()
        )))?;
    let found = fs::metadata(folder).map_err(unusable(format!(
        "the folder {} of the journal cannot be read",
        folder.display()
    )))?;
    // A folder like /tmp, where nobody can replace another's file, is no better: it can be taken first.
    if found.mode() & 0o022 != 0 {
        return Err(Error::operation(
            ErrorKind::Precondition,
            format!(
                "others may write into the folder {} of the journal (mode {:03o})",
                folder.display(),
                found.mode() & 0o777
            ),
            format!(
                "take that from them (chmod go-w {}), or name another file as journal",
                folder.display()
            ),
        ));
    }
    let opening = format!("the journal {} cannot be opened", path.display());
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)
        .map_err(unusable(opening.clone()))?;
    let found = file.metadata().map_err(unusable(opening.clone()))?;
    if !found.is_file() {
        return Err(Error::operation(
            ErrorKind::Precondition,
            format!("the journal {} is no file", path.display()),
            "name a file as journal in the configuration",
        ));
    }
    if found.mode() & 0o077 != 0 {
        file.set_permissions(fs::Permissions::from_mode(0o600))
            .map_err(unusable(opening))?;
    }
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_host_has_a_file_of_its_own() {
        assert_eq!(
            file_name("https://hmc.example:12443", ""),
            "hmc.example_12443.journal"
        );
        assert_eq!(
            file_name("https://[::1]:443", "a/../b"),
            "___1__443_a_.._b.journal"
        );
        assert!(file_name("http://h", &"x".repeat(1000)).len() < 255);
    }

    #[test]
    fn file_and_folder_are_their_owners() {
        let temporary = tempfile::tempdir().unwrap();
        let path = temporary.path().join("a").join("b").join("j");
        drop(open(&path).unwrap());
        let mode = |path: &Path| fs::metadata(path).unwrap().mode() & 0o777;
        assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        drop(open(&path).unwrap());
        assert_eq!(mode(&path), 0o600);
    }

    #[test]
    fn a_folder_that_others_can_write_into_is_refused() {
        let temporary = tempfile::tempdir().unwrap();
        fs::set_permissions(temporary.path(), fs::Permissions::from_mode(0o777)).unwrap();
        let error = open(&temporary.path().join("j")).unwrap_err();
        assert!(error.to_string().contains("chmod go-w"), "{error}");
        let error = open(Path::new("/dev/null/j")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Local);
    }
}
