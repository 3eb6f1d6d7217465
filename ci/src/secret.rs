//! Secrets come from files, and from nowhere else: what stands in an argument list or a configuration is read by others.

use std::fs;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use secrecy::SecretString;

/// Longest password, in bytes.
const MOST_BYTES: u64 = 4096;

/// Why a secret cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The file cannot be read.
    #[error("the password file {} cannot be read: {error}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: std::io::Error,
    },
    /// Others can read it.
    #[error("others may read the password file {0} (mode {1:03o}): chmod 600 {0}")]
    Open(String, u32),
    /// There is nothing in it, or far too much.
    #[error("the password file {0} has to hold one line of at most {MOST_BYTES} bytes")]
    Empty(String),
}

/// The first line of a file that nobody but its owner (and root) may read.
///
/// # Errors
/// The file cannot be read, others can read it, or it holds no password.
pub fn read(path: &Path) -> Result<SecretString, SecretError> {
    let unreadable = |error| SecretError::Unreadable {
        path: path.to_owned(),
        error,
    };
    let file = fs::File::open(path).map_err(unreadable)?;
    let mode = file.metadata().map_err(unreadable)?.mode() & 0o777;
    // A group may read it: systemd's LoadCredential= and a service's own group give it so.
    if mode & 0o007 != 0 {
        return Err(SecretError::Open(path.display().to_string(), mode));
    }
    let mut text = String::new();
    file.take(MOST_BYTES)
        .read_to_string(&mut text)
        .map_err(unreadable)?;
    match text.lines().next() {
        Some(line) if !line.trim().is_empty() => Ok(SecretString::from(line.trim())),
        _ => Err(SecretError::Empty(path.display().to_string())),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use secrecy::ExposeSecret;

    use super::*;

    #[test]
    fn a_password_is_read_from_a_file_of_its_owner() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("password");
        fs::write(&path, "hush hush\nmore\n").unwrap();
        let set = |mode| fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        set(0o644);
        assert!(read(&path).unwrap_err().to_string().contains("chmod 600"));
        set(0o600);
        let password = read(&path).unwrap();
        assert_eq!(password.expose_secret(), "hush hush");
        assert!(!format!("{password:?}").contains("hush"));
        fs::write(&path, "\n").unwrap();
        assert!(matches!(read(&path), Err(SecretError::Empty(_))));
    }
}
